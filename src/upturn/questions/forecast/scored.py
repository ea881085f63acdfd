"""Scores of predictions for held-out points."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from upturn.arrays.types import Booleans, Floats
from upturn.posterior.scoring import covered, crps, quantiles

OURS = "upturn"

POINTS = 100.0  # errors are given in percentage points

LEVELS = (0.5, 0.9)


@dataclass(frozen=True)
class Scored:
    """One method's predictions of the held-out points: arrays (point,).

    Attributes
    ----------
    method, noise : str
        Names of the method and of its noise model.
    median, error, crps, log_score : array (point,)
        Errors and CRPS are proportions.
    inside : array of bool (2, point)
        Whether the 50 % and the 90 % interval contain the score.
    failed : int
        Number of curves without a proper fit; see `upturn.questions.forecast.extrapolate.Fitted`.
    """

    method: str
    noise: str
    median: Floats
    error: Floats
    crps: Floats
    log_score: Floats
    inside: Booleans
    failed: int

    def row(self, chosen: Any = slice(None)) -> dict[str, Any]:
        """Means over points; errors in percentage points."""
        return {
            "mae": POINTS * float(self.error[chosen].mean()),
            "crps": POINTS * float(self.crps[chosen].mean()),
            "log_score": float(self.log_score[chosen].mean()),
            "coverage_50": float(self.inside[0, chosen].mean()),
            "coverage_90": float(self.inside[1, chosen].mean()),
        }


def scored(
    method: str, noise: str, *, draws: Floats, weight: Floats, seen: Floats, log_score: Floats
) -> Scored:
    """Score predictions: draws or evenly spaced quantiles (point, draw), and observed scores."""
    median = quantiles(draws, weight, np.array([0.5]))[0]
    inside = np.stack([covered(draws, weight, seen, level) for level in LEVELS])
    error = np.abs(median - seen)
    return Scored(method, noise, median, error, crps(draws, weight, seen), log_score, inside, 0)
