"""Kills: runs ended by SIGKILL at random moments, resumed, compared file by file.

The runs are the command `upturn fit … -o run.zarr --resume` itself, in processes that fork off one
that has imported everything, so that the random moment falls into the run and not into imports.
Run alone, `python -m benchmarks.kills FOLDER KILLS SEED` prints what it found as JSON.
"""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import numpy as np

from benchmarks import report

TABLE = ("gpt3", "--where", "setting=few-shot", "--where", "metric=acc")
HOW = ("--draws", "80", "--batch", "2", "--seed", "3", "--threads", "2", "-q")


def run(*, kills: int = 20, seed: int = 0) -> dict[str, Any]:
    """Kill and resume so many runs; see `table`."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.kills", folder, str(kills), str(seed)]
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    return json.loads(done.stdout.splitlines()[-1])


def table(found: dict[str, Any]) -> str:
    """One row a kill."""
    rows = [[i + 1, r["after"], r["batches"], r["identical"]] for i, r in enumerate(found["rows"])]
    text = report.table(["kill", "after s", "batches done", "resumed identically"], rows)
    same = sum(r["identical"] for r in found["rows"])
    return (
        f"{text}\n\n{same} of {len(rows)} resumed bit-identically; uninterrupted the run takes "
        f"{found['seconds']:.1f} s, {found['batches']} batches"
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

        code = 1
        try:
            code = main(arguments, standalone_mode=False) or 0
        finally:
            os._exit(code)
    return child


def _finished(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _measure(folder: Path, kills: int, seed: int) -> dict[str, Any]:
    import xarray  # noqa: F401
    import zarr  # noqa: F401

    import upturn.fit  # noqa: F401

    def command(path: Path) -> list[str]:
        return ["fit", *TABLE, *HOW, "-o", str(path), "--resume"]

    whole = folder / "run.zarr"
    start = monotonic()
    if _finished(_fork(command(whole))) not in {0, 1}:
        raise RuntimeError("the run that nobody interrupts fails")
    seconds = monotonic() - start
    wanted = files(whole)
    batches = sum(name.startswith("posterior/changepoint/c/") for name in wanted)
    rng = np.random.default_rng(seed)
    rows = []
    for kill in range(kills):
        report.note(f"kills: {kill + 1} of {kills}")
        place = folder / str(kill)
        place.mkdir()
        path = place / "run.zarr"
        after = float(rng.uniform(0, seconds))
        child = _fork(command(path))
        sleep(after)
        os.kill(child, signal.SIGKILL)
        _finished(child)
        row = {"after": after, "batches": batches_done(path)}
        _finished(_fork(command(path)))
        left = [name.name for name in place.iterdir()]
        rows.append(row | {"identical": files(path) == wanted and left == ["run.zarr"]})
        shutil.rmtree(place)
    return {"rows": rows, "seconds": seconds, "batches": batches}


if __name__ == "__main__":
    print(json.dumps(_measure(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))
