"""Stream: time and peak memory of fits from a file to a store, each size in its own process.

The whole command is measured, the import of Python included: `upturn fit TABLE --draws 400 -q
-o run.zarr` on counts that rise and counts that do not, eight models a task.
"""

import csv
import os
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.output import report

SIZES = (1000, 3000, 10_000)
POINTS = 8
TRIALS = 200
CHANCE = 0.25


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES)
    parser.add_argument("--model", default="hinge")
    parser.add_argument("--draws", type=int, default=400)
    parser.add_argument("--workers", type=int, default=0)


def run(
    *, sizes: tuple[int, ...] = SIZES, model: str = "hinge", draws: int = 400, workers: int = 0
) -> dict[str, Any]:
    """Fit every size; see `table`."""
    rows = []
    for size in sizes:
        report.note(f"stream: {size} curves")
        with tempfile.TemporaryDirectory(prefix="upturn-stream-") as folder:
            rows.append(_measure(Path(folder), size, model, draws, workers))
    return {"model": model, "draws": draws, "points": POINTS, "workers": workers, "rows": rows}


def table(results: dict[str, Any]) -> str:
    """One row a size."""
    rows = [
        [r["curves"], r["table"], r["store"], r["seconds"], r["cpu"],
         1000 * r["cpu"] / r["curves"], r["megabytes"]]
        for r in results["rows"]
    ]  # fmt: skip
    headers = ["curves", "table MB", "store MB", "seconds", "CPU s", "CPU s / 1,000", "peak MB"]
    largest, before = results["rows"][-1]["megabytes"], results["rows"][-2:][0]["megabytes"]
    return (
        f"{report.table(headers, rows)}\n\nlargest against the one before: {largest / before:.2f}"
    )


def write_table(path: Path, curves: int, *, seed: int = 0) -> None:
    """Counts of `POINTS` models on so many tasks: chance up to a point, then a straight rise."""
    rng = np.random.default_rng(seed)
    u = np.linspace(0, 1, POINTS)
    flops = [f"{value:.4g}" for value in 10.0 ** (19 + 6 * u)]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["task", "model", "flops", "successes", "trials", "chance"])
        for task in range(curves):
            onset, height = rng.uniform(size=2)
            mean = CHANCE + (1 - CHANCE) * height * np.maximum(u - onset, 0)
            for model, solved in enumerate(rng.binomial(TRIALS, mean).tolist()):
                writer.writerow(
                    [f"task {task:07d}", f"model {model}", flops[model], solved, TRIALS, CHANCE]
                )


def _measure(folder: Path, size: int, model: str, draws: int, workers: int) -> dict[str, Any]:
    source, store = folder / "table.csv", folder / "run.zarr"
    write_table(source, size)
    how = ["--model", model, "--draws", str(draws), *(["--workers", str(workers)] * bool(workers))]
    command = [sys.executable, "-m", "upturn.cli", "fit", str(source), *how, "-q", "-o", str(store)]
    start = perf_counter()
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) not in {0, 1}:  # 1: some curve did not converge
        raise RuntimeError(f"{' '.join(command)} failed")
    return {
        "curves": size,
        "seconds": perf_counter() - start,
        "cpu": used.ru_utime + used.ru_stime,
        "megabytes": used.ru_maxrss / 1024,
        "table": source.stat().st_size / 1e6,
        "store": sum(p.stat().st_size for p in store.rglob("*") if p.is_file()) / 1e6,
    }
