"""Coverage: how often 90 % intervals contain the true tau, on curves simulated from the prior."""

from argparse import ArgumentParser
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import samplers
from benchmarks.output import report
from benchmarks.problems.simulate import hinges

if TYPE_CHECKING:
    from upturn.questions.simulate.draw import Drawn

type Floats = NDArray[np.float64]

LEVEL = 0.9

# name: (groups, sigma, scatter settings compared)
DESIGNS: dict[str, tuple[int, float | None, tuple[str, ...]]] = {
    "no groups": (0, None, ("auto",)),
    "8 families, sigma from its prior": (8, None, ("auto", "none")),
    "8 families, sigma 0.1": (8, 0.1, ("auto", "none")),
    "5 runs, sigma from its prior": (5, None, ("auto", "none")),
    "5 runs, sigma 0.1": (5, 0.1, ("auto", "none")),
}


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--curves", type=int, default=1000)
    parser.add_argument("--grouped", type=int, default=1000)
    parser.add_argument("--designs", nargs="+", choices=tuple(DESIGNS), default=tuple(DESIGNS))


def run(
    *,
    curves: int = 1000,
    grouped: int = 1000,
    designs: tuple[str, ...] = tuple(DESIGNS),
    seed: int = 11,
    draws: int = 4000,
) -> dict[str, Any]:
    """Fit every design; see `table`."""
    rows = []
    for number, name in enumerate(designs):
        groups, sigma, settings = DESIGNS[name]
        drawn = hinges(
            grouped if groups else curves, seed=seed + number, groups=groups, sigma=sigma
        )
        for scatter in settings:
            report.note(f"coverage: {name}, scatter {scatter}")
            rows.append({"design": name, "scatter": scatter, **_covered(drawn, scatter, draws)})
    return {"level": LEVEL, "seed": seed, "draws": draws, "rows": rows}


def _covered(drawn: "Drawn", scatter: str, draws: int) -> dict[str, Any]:
    import upturn

    curves = drawn.curves
    fit = upturn.fit(curves, model="hinge", scatter=scatter, draws=draws)
    tau = samplers.unit_draws(fit, curves, "changepoint").reshape(len(curves), -1)
    return {**coverage(tau, drawn.parameters["changepoint"]), "failed": len(fit.failed)}


def coverage(tau: Floats, truth: Floats) -> dict[str, Any]:
    """How often equal-tailed intervals of draws (curve, draw) contain the true value (curve,).

    ``mean_rank`` is the mean share of draws below the truth, 1/2 for a posterior that is right.
    """
    low, high = np.quantile(tau, ((1 - LEVEL) / 2, (1 + LEVEL) / 2), axis=1)
    share = ((low <= truth) & (truth <= high)).mean()
    return {
        "curves": len(truth),
        "covered": share,
        "error": np.sqrt(share * (1 - share) / len(truth)),
        "below": (truth < low).mean(),
        "above": (truth > high).mean(),
        "mean_rank": (tau < truth[:, None]).mean(),
        "width": np.median(high - low),
    }


def table(results: dict[str, Any]) -> str:
    """Coverage by design and setting."""
    columns = ["design", "scatter", "curves", "covered %", "± s.e.", "below %", "above %"]
    columns += ["median width", "not converged"]
    rows = [
        [r["design"], r["scatter"], r["curves"], 100 * r["covered"], 100 * r["error"],
         100 * r["below"], 100 * r["above"], r["width"], r["failed"]]
        for r in results["rows"]
    ]  # fmt: skip
    return report.table(columns, rows)
