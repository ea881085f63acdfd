"""Kills: runs ended by SIGKILL or Ctrl-C at random moments, resumed, compared file by file.

The runs are the command `upturn fit … -o run.zarr --resume` itself, in processes that fork off one
that has imported everything, so that the random moment falls into the run and not into imports.
"""

import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import numpy as np

from benchmarks.output import report

TASKS = ("arithmetic_2da", "arithmetic_3da", "boolq", "copa", "piqa", "rte", "wic", "winogrande")
HOW = ("--where", "setting=few-shot", "--draws", "80", "--batch", "1", "--seed", "3", "-q")


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--interrupts", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)


def run(*, kills: int = 20, interrupts: int = 3, seed: int = 0) -> dict[str, Any]:
    """End so many runs and resume them; see `table`."""
    with tempfile.TemporaryDirectory() as folder:
        numbers = map(str, (kills, interrupts, seed))
        command = [sys.executable, "-m", "benchmarks.speed.interruptions", folder, *numbers]
        alone = dict.fromkeys(
            ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1"
        )  # threads do not fork
        done = subprocess.run(
            command, check=True, stdout=subprocess.PIPE, text=True, env=os.environ | alone
        )
    return json.loads(done.stdout.splitlines()[-1])


def table(results: dict[str, Any]) -> str:
    """One row a run."""
    columns = ["signal", "after", "batches", "code", "identical"]
    rows = [[row[name] for name in columns] for row in results["rows"]]
    headers = ["ended by", "after s", "batches done", "exit code", "resumed identically"]
    same = sum(row["identical"] for row in results["rows"])
    return (
        f"{report.table(headers, rows)}\n\n{same} of {len(rows)} resumed bit-identically; "
        f"the run takes {results['seconds']:.1f} s, {results['batches']} batches"
    )


def files(store: Path) -> dict[str, str]:
    """The digest of every file of a store."""
    return {
        str(path.relative_to(store)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(store.rglob("*"))
        if path.is_file()
    }


def batches_done(store: Path) -> int:
    """How many batches of an unfinished store are done; −1 where there is none."""
    if not (store / "unfinished").is_dir():
        return -1
    return len(list((store / "unfinished" / "done" / "c").glob("*")))


def _fork(arguments: list[str]) -> int:
    """The command in a process of its own; its number."""
    child = os.fork()
    if child == 0:
        from upturn.cli import main

        signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background it is ignored
        code = 1
        try:
            code = main(arguments, standalone_mode=False) or 0
        finally:
            os._exit(code)
    return child


def _finished(child: int) -> int:
    """The exit code of a process, waited for."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _ended_within(child: int, seconds: float) -> bool:
    """Whether a process ends by itself before that."""
    until = monotonic() + seconds
    while (rest := until - monotonic()) > 0:
        if os.waitpid(child, os.WNOHANG)[0]:
            return True
        sleep(min(rest, 0.02))
    return False


def _measure(folder: Path, kills: int, interrupts: int, seed: int) -> dict[str, Any]:
    import xarray  # noqa: F401
    import zarr  # noqa: F401

    import upturn.questions.fit.fit  # noqa: F401

    whole = folder / "run.zarr"
    start = monotonic()
    if _finished(_fork(_command(whole))) != 0:
        raise RuntimeError("the run without interruptions failed")
    seconds = monotonic() - start
    wanted = files(whole)
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    while len(rows) < kills + interrupts:
        report.note(f"kills: {len(rows) + 1} of {kills + interrupts}")
        how = signal.SIGKILL if len(rows) < kills else signal.SIGINT
        after = float(rng.uniform(0, seconds))
        with tempfile.TemporaryDirectory(dir=folder) as place:
            row = _end(Path(place), how, after, wanted)
        if row is None:
            seconds = after  # it was faster than the first: other moments count
        else:
            rows.append(row)
    batches = sum(name.startswith("posterior/changepoint/c/") for name in wanted)
    return {"rows": rows, "seconds": seconds, "batches": batches}


def _command(path: Path) -> list[str]:
    tasks = [option for task in TASKS for option in ("--where", f"task={task}")]
    return ["fit", "gpt3", *tasks, *HOW, "-o", str(path), "--resume"]


def _end(
    place: Path, how: signal.Signals, after: float, wanted: dict[str, str]
) -> dict[str, Any] | None:
    """End a run after so many seconds, resume it, look at what there is; None if it was faster."""
    path = place / "run.zarr"
    child = _fork(_command(path))
    if _ended_within(child, after):
        return None
    os.kill(child, how)
    code = _finished(child)
    if how is signal.SIGKILL and code == 0:
        return None  # it was done between the last look and the signal
    done = batches_done(path)
    resumed = _finished(_fork(_command(path)))
    alone = [other.name for other in place.iterdir()] == [path.name]  # nothing is left beside it
    return {
        "signal": how.name, "after": after, "batches": done, "code": code,
        "identical": resumed == 0 and alone and files(path) == wanted,
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(_measure(Path(sys.argv[1]), *map(int, sys.argv[2:5]))))
