"""Faults: what is left where a disk is full, a folder read-only, a clock set back, a run killed.

Each is made to happen to the commands themselves, in processes that fork off one that has imported
everything. Nothing that was finished may be lost, and nothing half-written may look whole.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.output import report
from benchmarks.speed import interruptions

PAGE = 4096  # bytes: what the smallest file takes of a disk
ROOM = 64_000_000
YEAR = 365 * 86_400
# Outputs that appear whole or not at all, and the commands that make them of a saved fit.
OUTPUTS = {
    "a report": ("report", "page.html"),
    "a figure": ("plot", "figure.png"),
    "a saved fit": ("summary", "copy.nc"),
}

Row = tuple[str, str, str]  # the fault, where it struck, and what was lost, or ""


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--places", type=int, default=20, help="at which the disk is full")
    parser.add_argument("--every", type=int, default=50, help="bytes between cuts of saved fits")
    parser.add_argument("--kills", type=int, default=20, help="of whole runs")
    parser.add_argument("--killed-workers", type=int, default=50)


def run(
    *, places: int = 20, every: int = 50, kills: int = 20, killed_workers: int = 50
) -> dict[str, Any]:
    """Try every fault; see `table`."""
    with tempfile.TemporaryDirectory() as folder:
        numbers = map(str, (places, every, kills, killed_workers))
        command = [sys.executable, "-m", "benchmarks.speed.faults", folder, *numbers]
        single = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1")  # they do not fork
        done = subprocess.run(
            command, check=True, stdout=subprocess.PIPE, text=True, env=os.environ | single
        )
    return {"rows": json.loads(done.stdout.splitlines()[-1])}


def table(results: dict[str, Any]) -> str:
    """One row a fault: how often it was tried, and what was lost."""
    tried = Counter(row[0] for row in results["rows"])
    lost = [row for row in results["rows"] if row[2]]
    count = Counter(row[0] for row in lost)
    rows = [[fault, number, count[fault]] for fault, number in tried.items()]
    details = "".join(f"\n- {fault}, {place}: {what}" for fault, place, what in lost)
    return (
        f"{report.table(['fault', 'tried', 'something lost'], rows)}\n\n"
        f"{len(lost)} of {len(results['rows'])} lost something{details}"
    )


# ---- commands ------------------------------------------------------------------------------------


def _nothing() -> None:
    return None


def begin(arguments: list[str], said: int, prepare: Callable[[], None] = _nothing) -> int:
    """The command in a process of its own, which first prepares itself; its number."""
    child = os.fork()
    if child == 0:
        code: Any = 1
        try:
            from upturn.cli import main

            for stream in (1, 2):
                os.dup2(said, stream)
            prepare()
            main(arguments, prog_name="upturn")
        except SystemExit as end:
            code = end.code or 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code if isinstance(code, int) else 1)
    return child


def ended(arguments: list[str], prepare: Callable[[], None] = _nothing) -> tuple[int, str]:
    """The exit code of a command and what it printed."""
    with tempfile.TemporaryFile() as said:
        code = _exit_code(begin(arguments, said.fileno(), prepare))
        said.seek(0)
        return code, said.read().decode(errors="replace")


def _exit_code(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def refusal(code: int, said: str) -> str:
    """What is wrong with how a command refused, or ""."""
    if code != 2:
        return f"exit code {code}: {said[-300:]!r}"
    last = said.rstrip("\n").splitlines()[-1] if said.strip() else ""
    return "" if last.startswith("Error: ") and "Traceback" not in said else f"said {said[-300:]!r}"


# ---- disks ---------------------------------------------------------------------------------------


@contextmanager
def disk(folder: Path) -> Iterator[bool]:
    """A small disk of its own at a folder, where that is allowed."""
    folder.mkdir()
    mounted = _mount("-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", str(folder))
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", str(folder)], check=True)
        shutil.rmtree(folder, ignore_errors=True)


def _mount(*arguments: str) -> bool:
    with suppress(OSError):
        done = subprocess.run(["mount", *arguments], capture_output=True, check=False)
        return done.returncode == 0
    return False


def _resize(folder: Path, size: int) -> None:
    subprocess.run(["mount", "-o", f"remount,size={max(size, PAGE)}", str(folder)], check=True)


def _limit(size: int) -> Callable[[], None]:
    """Where no disk can be had: no file of a process may be larger."""

    def prepare() -> None:
        import resource

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    return prepare


def taken(path: Path) -> int:
    """Bytes of a disk that a file or folder takes."""
    files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
    return sum(-(-p.stat().st_size // PAGE) * PAGE for p in files)


def largest(path: Path) -> int:
    """Bytes of the largest file."""
    files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
    return max(p.stat().st_size for p in files)


def fractions(places: int) -> list[float]:
    return [(i + 0.5) / places for i in range(places)]


# ---- the faults ----------------------------------------------------------------------------------


def full_in_a_batch(base: Path, places: int, whole: Path) -> Iterator[Row]:
    """The disk is full while batches are written; there is room again, and the run goes on."""
    wanted, need = interruptions.files(whole), taken(whole)
    for share in fractions(places):
        with disk(base / "disk") as mounted:
            path = base / "disk" / "run.zarr"
            if mounted:
                _resize(path.parent, int(share * need))
            prepare = _nothing if mounted else _limit(int(share * largest(whole)))
            lost = refusal(*ended(interruptions._command(path), prepare))
            if mounted:
                _resize(path.parent, ROOM)
            code, said = ended(interruptions._command(path))
            alone = [p.name for p in path.parent.iterdir()] == [path.name]
            if not lost and (code or not alone or interruptions.files(path) != wanted):
                lost = f"resumed with exit code {code}, not the same: {said[-200:]!r}"
        yield "disk full, in a batch", f"at {share:.0%}", lost


def full_in_an_output(base: Path, places: int, fit: Path) -> Iterator[Row]:
    """The disk is full while an output takes the place of another."""
    for name, (command, output) in OUTPUTS.items():
        made = base / output
        if ended([command, str(fit), "-o", str(made)])[0]:
            raise RuntimeError(f"{command} fails on a good disk")
        for share in fractions(places):
            with disk(base / "disk") as mounted:
                target = base / "disk" / output
                before = b"the one before"
                target.write_bytes(before)
                if mounted:
                    _resize(target.parent, PAGE + int(share * (taken(made) - PAGE)))
                prepare = _nothing if mounted else _limit(int(share * largest(made)))
                lost = refusal(*ended([command, str(fit), "-o", str(target)], prepare))
                lost = lost or _changed(target, before)
            yield f"disk full, in {name}", f"at {share:.0%}", lost


def _changed(target: Path, before: bytes) -> str:
    if target.read_bytes() != before:
        return "the file before it is not what it was"
    others = [p.name for p in target.parent.iterdir() if p != target]
    return f"left behind: {others}" if others else ""


def read_only(base: Path, fit: Path) -> Iterator[Row]:
    """The folder cannot be written to."""
    run = interruptions._command(base / "disk" / "run.zarr")
    commands = [[c, str(fit), "-o", str(base / "disk" / o)] for c, o in OUTPUTS.values()]
    for arguments in (run, *commands):
        with disk(base / "disk") as mounted:
            if mounted:
                subprocess.run(["mount", "-o", "remount,ro", str(base / "disk")], check=True)
            else:
                (base / "disk").chmod(0o500)
            lost = refusal(*ended(arguments)) or (
                "wrote something" if list((base / "disk").iterdir()) else ""
            )
        yield "a read-only folder", arguments[0], lost


def clock_set_back(base: Path, whole: Path) -> Iterator[Row]:
    """A run that was killed goes on in what its files take for the past."""
    path = base / "run.zarr"
    with tempfile.TemporaryFile() as said:
        child = begin(interruptions._command(path), said.fileno())
        _until(lambda: interruptions.batches_done(path) >= 2)
        os.kill(child, signal.SIGKILL)
        _exit_code(child)
    later = time.time() + YEAR
    for part in path.rglob("*"):
        os.utime(part, (later, later))

    def set_back() -> None:
        now, now_ns = time.time, time.time_ns
        time.time = lambda: now() - 10 * YEAR
        time.time_ns = lambda: now_ns() - 10 * YEAR * 10**9

    code, text = ended(interruptions._command(path), set_back)
    same = code == 0 and interruptions.files(path) == interruptions.files(whole)
    yield "a clock set back", "by ten years", "" if same else f"exit code {code}: {text[-200:]!r}"
    shutil.rmtree(path, ignore_errors=True)


def two_runs(base: Path, whole: Path) -> Iterator[Row]:
    """A second run of the same store while the first is at it."""
    path = base / "run.zarr"
    with tempfile.TemporaryFile() as said:
        first = begin(interruptions._command(path), said.fileno())
        _until(lambda: interruptions.batches_done(path) >= 1)
        os.kill(first, signal.SIGSTOP)
        lost = refusal(*ended(interruptions._command(path)))
        os.kill(first, signal.SIGCONT)
        code = _exit_code(first)
    if not lost and (code or interruptions.files(path) != interruptions.files(whole)):
        lost = f"the first ends with {code}, or other numbers"
    yield "two runs of one store", "the second refused, the first goes on", lost
    shutil.rmtree(path, ignore_errors=True)


def _until(ready: Callable[[], bool], seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not ready() and time.monotonic() < end:
        time.sleep(0.005)


def cut_off(base: Path, every: int, fit: Path) -> Iterator[Row]:
    """A copy of a saved fit that ended in the middle: of a store, the files in order."""
    import upturn
    from upturn.checks.errors import DataError

    files = [fit] if fit.is_file() else sorted(p for p in fit.rglob("*") if p.is_file())
    total = sum(p.stat().st_size for p in files)
    for size in range(0, total, every):
        copy, left = base / f"cut{fit.suffix}", size
        shutil.rmtree(copy, ignore_errors=True)
        copy.unlink(missing_ok=True)
        for part in files:
            target = copy if fit.is_file() else copy / part.relative_to(fit)
            target.parent.mkdir(parents=True, exist_ok=True)
            content = part.read_bytes()[:left]
            if left > 0 or fit.is_file():
                target.write_bytes(content)
            left -= len(content)
        try:
            upturn.load(copy)
            lost = "it looks whole"
        except DataError as error:
            lost = "" if "\n" not in str(error) else "more than a line"
        except Exception as error:
            lost = f"{type(error).__name__}: {error}"
        yield f"a {fit.suffix} cut off", f"after {size:,} of {total:,} bytes", lost


def killed_workers(base: Path, count: int, whole: Path, seconds: float) -> Iterator[Row]:
    """One of two workers is killed at a random moment."""
    rng = np.random.default_rng(0)
    wanted = interruptions.files(whole)
    for number in range(count):
        path = base / f"run{number}.zarr"
        with tempfile.TemporaryFile() as said:
            child = begin([*interruptions._command(path), "--workers", "2"], said.fileno())
            _until(lambda p=path: interruptions.batches_done(p) >= 0)  # type: ignore[misc]
            time.sleep(float(rng.uniform(0, seconds)))
            workers = _children(child)
            if workers:
                with suppress(ProcessLookupError):
                    os.kill(workers[int(rng.integers(len(workers)))], signal.SIGKILL)
            code = _exit_code(child)
        same = code == 0 and interruptions.files(path) == wanted
        yield "a worker killed", f"run {number + 1}", "" if same else f"exit code {code}"
        shutil.rmtree(path, ignore_errors=True)


def _children(process: int) -> list[int]:
    """The processes that a process began, as Linux says."""
    try:
        listed = Path(f"/proc/{process}/task/{process}/children").read_text()
    except OSError:
        return []
    return [int(number) for number in listed.split()]


def measure(base: Path, places: int, every: int, kills: int, killed: int) -> list[Row]:
    """Every fault one after the other."""
    import upturn

    whole, small = base / "whole" / "run.zarr", base / "small"
    whole.parent.mkdir()
    start = time.monotonic()
    if ended(interruptions._command(whole))[0]:
        raise RuntimeError("the run without faults failed")
    seconds = time.monotonic() - start
    frame = upturn.read("gpt3").where("task=copa", "setting=few-shot")
    fit = upturn.fit(frame, model="flat", draws=40, threads=1)
    small.mkdir()
    for name in ("fit.nc", "fit.zarr"):
        fit.save(small / name)
    work = base / "work"
    work.mkdir()
    nc = small / "fit.nc"
    faults: list[Iterator[Row]] = [
        full_in_a_batch(work, places, whole), full_in_an_output(work, places, nc),
        read_only(work, nc), clock_set_back(work, whole), two_runs(work, whole),
        *((cut_off(work, every, small / name) for name in ("fit.zarr", "fit.nc")) if every else ()),
        killed_workers(work, killed, whole, seconds),
    ]  # fmt: skip
    rows: list[Row] = []
    for fault in faults:
        for row in fault:
            rows.append(row)
            if row[2] or len(rows) % 20 == 1:
                report.note(f"faults: {len(rows)} tried; {', '.join(row)}")
    for row in interruptions.run(kills=kills, interrupts=0)["rows"] if kills else []:
        what = "" if row["identical"] else "not resumed identically"
        rows.append(("a run killed", f"after {row['after']:.2f} s", what))
    return rows


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]), *map(int, sys.argv[2:6]))))
