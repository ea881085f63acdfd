"""Scale: wall time and peak memory against the number of curves, each size in its own process."""

import json
import resource
import subprocess
import sys
from argparse import ArgumentParser
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.output import report
from benchmarks.problems.simulate import hinges

MODELS = ("hinge", "logistic", "flat")
SIZES = (100, 300, 1000, 3000)
POINTS = 20


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES)
    parser.add_argument("--threads", type=int, default=2)


def run(*, sizes: tuple[int, ...] = SIZES, draws: int = 4000, threads: int = 2) -> dict[str, Any]:
    """Fit every size under every model; see `table`."""
    rows = []
    for size in sizes:
        report.note(f"scale: {size} curves under {len(MODELS)} models")
        command = [
            sys.executable,
            "-m",
            "benchmarks.speed.scale",
            str(size),
            str(draws),
            str(threads),
        ]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        rows.append(json.loads(done.stdout))
    results: dict[str, Any] = {"draws": draws, "threads": threads, "points": POINTS, "rows": rows}
    if len(rows) > 1:
        curves, seconds = (np.log([r[k] for r in rows]) for k in ("curves", "seconds"))
        results["exponent"] = float(np.polyfit(curves, seconds, 1)[0])
    return results


def table(results: dict[str, Any]) -> str:
    """Seconds and megabytes by number of curves."""
    columns = ["curves", "posteriors", "seconds", *(f"{m} s" for m in MODELS)]
    columns += ["ms a posterior", "peak memory MB", "not converged"]
    rows = [
        [r["curves"], r["posteriors"], r["seconds"], *(r["by_model"][m] for m in MODELS),
         1000 * r["seconds"] / r["posteriors"], r["megabytes"], r["failed"]]
        for r in results["rows"]
    ]  # fmt: skip
    text = report.table(columns, rows)
    if "exponent" in results:
        text += f"\n\ntime grows with the number of curves to the power {results['exponent']:.2f}"
    return text


def _measure(size: int, draws: int, threads: int) -> dict[str, Any]:
    """One size, in this process; importing and the first compilation are not counted."""
    import upturn

    curves = hinges(size, seed=5, points=(POINTS, POINTS)).curves
    for model in MODELS:
        upturn.fit(curves.take(slice(0, 2)), model=model, draws=400)
    by_model, failed = {}, 0
    for model in MODELS:
        start = perf_counter()
        fit = upturn.fit(curves, model=model, draws=draws, threads=threads)
        by_model[model] = perf_counter() - start
        failed += len(fit.failed)
        del fit
    return {
        "curves": size,
        "posteriors": size * len(MODELS),
        "seconds": sum(by_model.values()),
        "by_model": by_model,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "failed": failed,
    }


if __name__ == "__main__":
    print(json.dumps(_measure(*map(int, sys.argv[1:4]))))
