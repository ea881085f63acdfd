"""Scores of predictions for models that were held out."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from upturn.arrays.types import Booleans, Floats
from upturn.posterior.scoring import covered, crps, quantiles

OURS = "upturn"

POINTS = 100.0  # in which errors are given: percent of the score

LEVELS = (0.5, 0.9)


@dataclass(frozen=True)
class Scored:
    """One method's predictions of the held-out points: arrays (point,).

    Attributes
    ----------
    method, noise : str
    median, error, crps, log_score : array (point,)
        Errors and CRPS as proportions.
    inside : array of bool (2, point)
        Whether the intervals of 50 % and 90 % hold the score.
    failed : int
        Curves on which it has no proper fit; see `upturn.questions.forecast.extrapolate.Fitted`.
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
        """Means over points; errors in points of percent."""
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
    """From draws (point, draw), or quantiles as good as those, and the scores seen (point,)."""
    median = quantiles(draws, weight, np.array([0.5]))[0]
    inside = np.stack([covered(draws, weight, seen, level) for level in LEVELS])
    error = np.abs(median - seen)
    return Scored(method, noise, median, error, crps(draws, weight, seen), log_score, inside, 0)
