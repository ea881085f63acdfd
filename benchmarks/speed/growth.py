"""Growth: wall time and peak memory against the numbers of curves, points and parameters.

Curves are hinges drawn from their prior. Each sampler has a process of its own for each size; one
that would spend more than its budget on the next size is not asked for it. As many grow at a time
as there are lanes, sets of cores that no other process uses.
"""

from argparse import ArgumentParser
from collections.abc import Sequence
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks import samplers
from benchmarks.output import report
from benchmarks.problems.workloads import Problem
from benchmarks.speed.processes import Cores, Lanes, StoppedError, Worker

SEED = 5
POINTS = 20
CURVES = 10  # where something else grows
AXES: dict[str, tuple[int, ...]] = {
    "curves": (1, 10, 100, 1000, 10_000),
    "points": (5, 20, 100, 1000),
    "parameters": (1, 2, 3, 5, 8),
}
KEYS = ("ours", "ours-jax", "nutpie-joint", "nutpie-loop", "numpyro-vmap", "blackjax-nuts",
        "blackjax-smc", "jags")  # fmt: skip
# Models of as many parameters, noise included, and a likelihood where it is not the default.
# Two rises one after the other have a floor, two changepoints, heights and rates, and the noise.
TWO_RISES = """
name = "two-rises"
shape = "changepoint"

[[segments]]
kind = "floor"

[[segments]]
kind = "rise"

[[segments]]
kind = "rise"
"""
MODELS: dict[int, tuple[str, str | None]] = {
    1: ("chance", "binomial"),
    2: ("chance", None),
    3: ("step", "binomial"),
    5: ("hinge", None),
    8: (TWO_RISES, None),
}
RUNS = (0, 1)  # seeds
LENIENT = 1.5  # times its budget a run may take that was expected to stay within
# That take any model. Points and parameters grow for these alone: of a peer with a program for each
# size there is no more than one within its budget, which says nothing of growth.
GENERAL = ("ours", "ours-jax", "nutpie-loop")


def problem(*, curves: int = CURVES, points: int = POINTS, parameters: int = 5) -> Problem:
    """Simulated curves of a size, and a model of as many parameters."""
    from benchmarks.problems.simulate import hinges
    from upturn import Model

    drawn = hinges(curves, seed=SEED, points=(points, points)).curves
    model, likelihood = MODELS[parameters]
    chosen: Any = Model.from_toml(model, "growth") if "\n" in model else model
    return Problem(f"{curves} × {points} × {parameters}", drawn, chosen, likelihood)


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--axes", nargs="+", choices=tuple(AXES), default=tuple(AXES))
    parser.add_argument(
        "--samplers", dest="keys", nargs="+", choices=tuple(samplers.REGISTRY), default=KEYS
    )
    parser.add_argument("--most", type=int, default=10_000, help="curves or points")
    parser.add_argument("--budget", type=float, default=300, help="s of a run at one size")
    parser.add_argument("--own-budget", type=float, default=900, help="the same for ours")
    parser.add_argument("--limit", type=float, default=300, help="s after which a run is stopped")
    parser.add_argument("--threads", type=int, default=2)


def run(
    *,
    keys: Sequence[str] = KEYS,
    axes: Sequence[str] = tuple(AXES),
    most: int = 10_000,
    budget: float = 300.0,
    own_budget: float = 900.0,
    limit: float = 300.0,
    threads: int = 2,
) -> dict[str, Any]:
    """Time each sampler at each size; see `table`.

    Parameters
    ----------
    keys, axes : sequence of str
        Samplers, and of "curves", "points", "parameters" which are to grow.
    most : int
        The largest size of "curves" and "points".
    budget : float
        Seconds of a run, above which the next size is not tried.
    own_budget : float
        The same for ours, so that it is asked for the largest sizes.
    limit : float
        Seconds of setting up and of a run, after which a sampler is stopped; at least half as much
        again as its budget.
    threads : int
    """
    start, done = perf_counter(), 0
    lanes = Lanes(threads)
    plan = [(axis, key) for axis in axes for key in keys if axis == "curves" or key in GENERAL]

    def grow(entry: tuple[str, str], cores: Cores) -> list[dict[str, Any]]:
        nonlocal done
        axis, key = entry
        seconds = own_budget if key == "ours" else budget
        sizes = [size for size in AXES[axis] if size <= most]
        rows = _grow(
            axis, key, sizes, budget=seconds, limit=max(limit, LENIENT * seconds), threads=threads,
            cores=cores,
        )  # fmt: skip
        done += 1
        left = (perf_counter() - start) / done * (len(plan) - done)
        report.note(f"growth: {done} of {len(plan)}; about {left / 60:.0f} min left")
        return rows

    rows = [row for rows in lanes.map(grow, plan) for row in rows]
    return {
        "curves": CURVES, "points": POINTS, "seed": SEED, "seed_numbers": list(RUNS),
        "threads": threads, "lanes": len(lanes), "rows": rows,
    }  # fmt: skip


def _grow(
    axis: str, key: str, sizes: Sequence[int], *, budget: float, limit: float, threads: int,
    cores: Cores,
) -> list[dict[str, Any]]:  # fmt: skip
    entry = samplers.REGISTRY[key]
    rows: list[dict[str, Any]] = []
    for size in sizes:
        row: dict[str, Any] = {"axis": axis, "size": size, "key": key, "title": entry.title}
        rows.append(row)
        if entry.missing:
            row["problem"] = entry.missing
            break
        before = [r["seconds"] for r in rows if "seconds" in r]
        if axis != "parameters" and before and expected(rows, size) > budget:
            row["problem"] = f"not tried: about {expected(rows, size):,.0f} s"
            break
        order = {"sampler": key, "problem": {axis: size}, "threads": threads, "judge": False}
        try:
            worker = Worker(order, limit, cores)
        except StoppedError as error:
            row["problem"] = str(error)
            break
        try:
            row |= _timed(worker, cores)
        except StoppedError as error:
            row["problem"] = str(error)
            break
        finally:
            worker.close()
        report.note(f"{axis} {size:,}: {entry.title}, {row['seconds']:.2f} s")
    return rows


def _timed(worker: Worker, cores: Cores) -> dict[str, Any]:
    first = worker.run(RUNS[0], cores)
    # a short run is repeated, since the first one fills caches
    said = worker.run(RUNS[1], cores) if first["seconds"] < 30 else first
    return {
        "seconds": said["seconds"],
        "setup": worker.ready["setup"],
        "cold": worker.cold + first["seconds"],
        "megabytes": said["megabytes"],
        "device": worker.ready["device"],
    }


def expected(rows: list[dict[str, Any]], size: int) -> float:
    """Seconds at the next size, if time grows with it as a power from the last two, at most 1."""
    done = [(r["size"], r["seconds"]) for r in rows if "seconds" in r]
    power = 1.0
    if len(done) > 1:
        (a, s), (b, t) = done[-2:]
        power = float(np.clip(np.log(t / s) / np.log(b / a), 0.0, 1.0))
    return done[-1][1] * (size / done[-1][0]) ** power


def table(results: dict[str, Any]) -> str:
    """Seconds, warm, of each sampler by size, peak memory in brackets."""
    parts = []
    for axis in dict.fromkeys(row["axis"] for row in results["rows"]):
        rows = [row for row in results["rows"] if row["axis"] == axis]
        sizes = sorted({row["size"] for row in rows})
        lines = []
        for title in dict.fromkeys(row["title"] for row in rows):
            by_size = {row["size"]: row for row in rows if row["title"] == title}
            lines.append([title, *(_cell(by_size.get(size)) for size in sizes)])
        parts.append(report.table([f"s (MB) by {axis}", *(f"{s:,}" for s in sizes)], lines))
    return "\n\n".join(parts)


def _cell(row: dict[str, Any] | None) -> str:
    if row is None:
        return "–"
    if "seconds" not in row:
        return str(row["problem"])
    return f"{row['seconds']:.3g} ({row['megabytes']:,.0f})"
