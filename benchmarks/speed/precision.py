"""Precision: effective draws an evaluation of ours, from many seeds.

A mean of squared errors from n seeds is known to within √(2/n) of itself, and the worst of a few
curves is that with the worst luck. The contest has 7 to 20 seeds, so that peers may run too; here
there are 150.
"""

from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.output import report
from benchmarks.output.arguments import count
from benchmarks.problems import workloads
from benchmarks.references import measures
from benchmarks.speed import draws_a_second


def add_arguments(parser: ArgumentParser) -> None:
    names = tuple(workloads.WORKLOADS)
    parser.add_argument("--seeds", type=count, default=150)
    parser.add_argument("--datasets", nargs="+", choices=names, default=names)
    parser.add_argument("--threads", type=int, default=2)


def run(*, seeds: int, datasets: Sequence[str], threads: int) -> dict[str, Any]:
    """Measure ours on each data set; see `table`."""
    return draws_a_second.run(seeds=seeds, peers=(), datasets=datasets, threads=threads)


def table(results: dict[str, Any]) -> str:
    """Draws an evaluation of the median and the worst curve, which that is, and its bias."""
    functionals = list(results["functionals"])
    columns = ["workload", "seeds", "known to, %", "evaluations a curve", "most"]
    columns += [f"{which}, {f}" for which in ("median", "worst") for f in functionals]
    columns += [f"worst curve, {functionals[0]}", "its bias, sd"]
    lines = []
    for name, entry in results["datasets"].items():
        (row,) = entry["samplers"].values()
        cost = row["per_evaluation"]
        worst = int(np.argmin(np.asarray(row["effective"])[:, 0]))
        lines.append(
            [name, row["seeds"], round(100 * measures.relative_error(row["seeds"])),
             *map(float, cost["evaluations"]), *map(float, cost["median"]),
             *map(float, cost["worst"]), entry["curves"][worst],
             float(np.asarray(row["bias_in_sd"])[worst, 0])]
        )  # fmt: skip
    return report.table(columns, lines)
