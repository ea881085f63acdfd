"""Least squares: the broken line that people reach for, and what its interval holds.

For context: it fits a broken straight line to the scores, without priors, without trials, and gives
a breakpoint with a 95 % confidence interval (Muggeo 2003, by the package piecewise-regression). The
truths are curves it was made for, ramps that do not reach the ceiling, and hinges, which bend.
"""

from argparse import ArgumentParser
from importlib.util import find_spec
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.output import report

type Floats = NDArray[np.float64]

LEVEL = 0.95
POINTS, TRIALS = (10, 30), (100, 1000)
TRUTHS = ("ramp", "hinge")
MISSING = "missing: pip install 'upturn[bench]'"


def simulated(model: str, count: int, *, seed: int) -> Any:
    """Curves with a changepoint inside, ordinary scatter, and a rise that can be seen."""
    from upturn import Design, Model
    from upturn.questions.simulate.draw import draw

    rng = np.random.default_rng(seed)
    design = Design(POINTS, TRIALS, (0.0, 0.25, 0.5)).curves(count, rng=rng)
    fixed: dict[str, Any] = {
        "changepoint": rng.uniform(0.15, 0.7, count), "overdispersion": np.full(count, 0.03),
    }  # fmt: skip
    if model == "ramp":
        fixed["slope"] = rng.uniform(0.3, 0.9, count) / (1 - fixed["changepoint"])
    else:
        fixed |= {"height": rng.uniform(0.4, 0.95, count), "rate": rng.uniform(1, 6, count)}
    return draw(Model.read(model), design, rng, fixed=fixed)


def breakpoint_of(u: Floats, score: Floats) -> tuple[float, float, float] | None:
    """Estimate and 95 % interval; None where it has not converged."""
    import warnings

    import piecewise_regression

    np.random.seed(0)  # noqa: NPY002, the package's own starts are drawn from it
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = piecewise_regression.Fit(u.tolist(), score.tolist(), n_breakpoints=1)
    results = fitted.get_results()["estimates"]
    if not results:
        return None
    low, high = results["breakpoint1"]["confidence_interval"]
    return results["breakpoint1"]["estimate"], low, high


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--curves", type=int, default=200)


def run(*, curves: int = 200, seed: int = 1, threads: int = 2) -> dict[str, Any]:
    """Error and coverage of the peer and of ours on the same curves; see `table`."""
    results: dict[str, Any] = {"curves": curves, "level": LEVEL, "truths": {}}
    for model in TRUTHS:
        drawn = simulated(model, curves, seed=seed)
        truth = drawn.parameters["changepoint"]
        report.note(f"least squares: {curves} curves from {model}")
        results["truths"][model] = {
            f"upturn, {model}": _ours(drawn.curves, model, truth, threads),
            "piecewise-regression": _peer(drawn.curves, truth),
        }
    return results


def _ours(curves: Any, model: str, truth: Floats, threads: int) -> dict[str, Any]:
    import upturn
    from benchmarks.samplers import unit_draws

    upturn.fit(curves.take(slice(0, 2)), model=model, draws=400)
    start = perf_counter()
    fit = upturn.fit(curves, model=model, scatter="none", threads=threads)
    seconds = perf_counter() - start
    tau = unit_draws(fit, curves, "changepoint").reshape(len(curves), -1)
    tail = (1 - LEVEL) / 2
    return _scored(np.quantile(tau, [0.5, tail, 1 - tail], axis=1).T, truth, seconds)


def _peer(curves: Any, truth: Floats) -> dict[str, Any]:
    if find_spec("piecewise_regression") is None:
        return {"problem": MISSING}
    start, answers = perf_counter(), []
    for i in range(len(curves)):
        points = curves.mask[i]
        score = curves.response[i, points] / curves.trials[i, points]
        answers.append(breakpoint_of(curves.u[0, i, points], score) or (np.nan, np.nan, np.nan))
    return _scored(np.array(answers), truth, perf_counter() - start)


def _scored(answers: Floats, truth: Floats, seconds: float) -> dict[str, Any]:
    """Of estimates with intervals (curve, 3); curves without an answer are counted apart."""
    there = np.isfinite(answers).all(axis=1)
    estimate, low, high = answers[there].T
    error = np.abs(estimate - truth[there])
    return {
        "answered": float(there.mean()),
        "median_error": float(np.median(error)) if there.any() else np.nan,
        "root_mean_square": float(np.sqrt(np.mean(error**2))) if there.any() else np.nan,
        "covered": float(((low <= truth[there]) & (truth[there] <= high)).mean()),
        "width": float(np.median(high - low)),
        "ms_a_curve": 1000 * seconds / len(truth),
    }


def table(results: dict[str, Any]) -> str:
    """Errors are shares of the axis."""
    keys = ("answered", "median_error", "root_mean_square", "covered", "width", "ms_a_curve")
    columns = ["truth", "method", "answered", "median error", "r.m.s. error", "95 % covers"]
    rows = []
    for truth, methods in results["truths"].items():
        for method, entry in methods.items():
            if "problem" in entry:
                rows.append([truth, method, entry["problem"], *[""] * 5])
            else:
                rows.append([truth, method, *(float(entry[key]) for key in keys)])
    return report.table([*columns, "width", "ms a curve"], rows)
