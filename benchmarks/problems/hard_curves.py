"""Hard: simulated curves on which samplers go wrong, made from a seed and stored as a table.

Each is a case that a general sampler has trouble with for a reason that can be named. The table in
references/hard.csv is what the curves are read from, so that they stay the same whatever NumPy's
generators become; `python -m benchmarks hard` makes it anew, and a test holds it to this recipe.
"""

from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]

PATH = Path(__file__).parents[1] / "references" / "hard.csv"
SEED = 20261
DECADES = (19.0, 25.0)  # log10 of FLOPs
RHO = 1e-3  # intra-class correlation of an ordinary curve


@dataclass(frozen=True)
class Case:
    """One curve: where its points lie, what is expected of them, how they scatter.

    Attributes
    ----------
    why : str
        What is hard about it.
    u : array (point,)
        Scale on the unit axis.
    mean : callable
        u to expected scores.
    trials : int
    chance : float
    rho : float
        Intra-class correlation.
    outlier : (int, float), optional
        A point and the share of its trials that succeed.
    """

    why: str
    u: Floats
    mean: Callable[[Floats], Floats]
    trials: int
    chance: float
    rho: float = RHO
    outlier: tuple[int, float] | None = None

    def draw(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """Successes of a beta-binomial, but for the outlier's."""
        mean, size = self.mean(self.u), 1 / self.rho - 1
        made = rng.binomial(self.trials, rng.beta(mean * size, (1 - mean) * size))
        if self.outlier is not None:
            point, share = self.outlier
            made[point] = round(share * self.trials)
        return made


def _even(points: int) -> Floats:
    return np.linspace(0, 1, points)


def _hinge(changepoint: float, height: float, rate: float, floor: float) -> Any:
    def mean(u: Floats) -> Floats:
        share = height * -np.expm1(-rate * np.maximum(u - changepoint, 0))
        return floor + (1 - floor) * share

    return mean


def _stairs(*levels: tuple[float, float]) -> Any:
    """Levels from a scale on."""
    return lambda u: np.select([u >= start for start, _ in reversed(levels)],
                               [level for _, level in reversed(levels)])  # fmt: skip


CASES: Mapping[str, Case] = {
    "far step": Case(
        "a jump between two models four decades apart: tau is anywhere between them",
        np.concatenate((np.linspace(0, 0.15, 6), np.linspace(0.85, 1, 6))),
        _stairs((0, 0.25), (0.5, 0.8)), 500, 0.25,
    ),
    "two modes": Case(
        "two high scores below the rise, two low ones just before it: tau before all four or after",
        np.concatenate((np.linspace(0, 0.24, 7), [0.28, 0.32, 0.6, 0.64], np.linspace(0.68, 1, 9))),
        _stairs((0, 0.25), (0.26, 0.55), (0.5, 0.25), (0.66, 0.6)), 100, 0.25, 3e-3,
    ),
    "no change": Case(
        "chance throughout: the changepoint is what its prior says, ridged with height and rate",
        _even(12), _hinge(0.5, 0.0, 1.0, 0.25), 500, 0.25,
    ),
    "outlier": Case(
        "a rise with one large model at zero: all the scatter comes from it",
        _even(14), _hinge(0.4, 0.9, 3.0, 0.02), 400, 0.0, RHO, (11, 0.0),
    ),
    "a million trials": Case(
        "10^6 trials a point and hardly any scatter: a posterior a thousandth of its prior wide",
        _even(16), _hinge(0.45, 0.8, 4.0, 0.1), 1_000_000, 0.1, 1e-6,
    ),
    "five points": Case(
        "as many points as parameters",
        _even(5), _hinge(0.4, 0.9, 3.0, 0.02), 200, 0.0,
    ),
    "overdispersed": Case(
        "an intra-class correlation of 0.4: most scores lie near 0 or 1",
        _even(24), _hinge(0.5, 0.9, 3.0, 0.05), 300, 0.0, 0.4,
    ),
}  # fmt: skip


def table() -> Any:
    """All cases as a table of results, each drawn from its own stream of the seed."""
    import pandas as pd

    low, high = DECADES
    parts = []
    for number, (name, case) in enumerate(CASES.items()):
        successes = case.draw(np.random.default_rng([SEED, number]))
        parts.append(
            pd.DataFrame(
                {
                    "task": name,
                    "model": [f"model {i + 1:02d}" for i in range(len(case.u))],
                    "flops": [f"{10 ** (low + u * (high - low)):.9e}" for u in case.u],
                    "successes": successes,
                    "trials": case.trials,
                    "chance": case.chance,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def write(path: Path = PATH) -> None:
    """Store the table, whole or not at all."""
    temporary = path.with_suffix(".part")
    temporary.write_text(table().to_csv(index=False), "utf-8")
    temporary.replace(path)


def add_arguments(parser: ArgumentParser) -> None:
    """Add no options: there are none."""


def main() -> None:
    write()
