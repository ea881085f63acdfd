"""Processes: samplers in processes of their own, and the cores that they have to themselves."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from time import perf_counter
from typing import Any, ClassVar

type Cores = tuple[int, ...]


class StoppedError(Exception):
    """A worker that failed, or took too long; says why."""


class Worker:
    """A sampler in another process.

    Parameters
    ----------
    order : dict
        sampler, problem, threads, and whether to judge.
    limit : float
        Seconds for setting up, and for each run.
    cores : Cores
        To set it up on; any if empty.
    """

    _running: ClassVar[set["Worker"]] = set()

    def __init__(self, order: dict[str, Any], limit: float, cores: Cores = ()) -> None:
        self._limit = limit
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115, closed in `close`
        start = perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.speed.worker"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True,
            start_new_session=True,
        )  # fmt: skip
        self._running.add(self)
        self._keep_to(cores)  # before it counts them, as libraries do when they are loaded
        self._lines: Queue[str] = Queue()
        Thread(target=self._read, daemon=True).start()
        try:
            self.ready = self._ask(order)
        except StoppedError:
            self.close()
            raise
        self.cold = perf_counter() - start

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put("")

    def run(self, seed: int, cores: Cores = ()) -> dict[str, Any]:
        """One run, on these cores."""
        self._keep_to(cores)
        return self._ask({"seed": seed})

    def _keep_to(self, cores: Cores) -> None:
        """Move all threads of the process; what they start goes with them."""
        if cores:
            for thread in Path(f"/proc/{self._process.pid}/task").iterdir():
                with suppress(ProcessLookupError):  # it has ended
                    os.sched_setaffinity(int(thread.name), cores)

    def _ask(self, what: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(what) + "\n")
            self._process.stdin.flush()
            line = self._lines.get(timeout=self._limit)
        except Empty:
            raise StoppedError(f"stopped after {self._limit:.0f} s") from None
        except BrokenPipeError:
            line = ""
        if not line:
            raise StoppedError(f"failed: {self._last_words()}")
        return json.loads(line)

    def _last_words(self) -> str:
        self._process.wait()
        self._errors.seek(0)
        said = [line.strip() for line in self._errors.read().splitlines() if line.strip()]
        return said[-1][:200] if said else f"exit code {self._process.returncode}"

    def close(self) -> None:
        """End it, with whatever it has started."""
        self._running.discard(self)
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()

    @classmethod
    def close_all(cls) -> None:
        """End the running processes, so that nothing waits for their answers."""
        for worker in tuple(cls._running):
            worker.close()


class Lanes:
    """Sets of cores, each lent to one job at a time.

    As many as fit on the cores that this process may use; one, of all cores, where processes
    cannot be kept to some (that is outside Linux), or where a GPU would be shared.

    Parameters
    ----------
    threads : int
        Cores of a lane.
    """

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._all = _split(threads)
        self._free: Queue[Cores] = Queue()
        for cores in self._all:
            self._free.put(cores)

    def __len__(self) -> int:
        return len(self._all)

    def map[Item, Result](
        self, job: Callable[[Item, Cores], Result], items: Iterable[Item]
    ) -> list[Result]:
        """`job(item, cores)` of every item, begun in their order, as many at a time as lanes."""

        def on_a_lane(item: Item) -> Result:
            cores = self._free.get()
            try:
                return job(item, cores)
            finally:
                self._free.put(cores)

        pool = ThreadPoolExecutor(len(self))
        try:
            return list(pool.map(on_a_lane, items))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            Worker.close_all()
            raise
        finally:
            pool.shutdown()


def cores() -> int:
    """How many this process may use."""
    usable = getattr(os, "sched_getaffinity", None)
    return len(usable(0)) if usable else os.cpu_count() or 1


def _split(threads: int) -> list[Cores]:
    if not hasattr(os, "sched_setaffinity") or shutil.which("nvidia-smi"):
        return [()]
    cores = sorted(os.sched_getaffinity(0))
    whole = [tuple(cores[i : i + threads]) for i in range(0, len(cores), threads)]
    return [lane for lane in whole if len(lane) == threads] or [()]
