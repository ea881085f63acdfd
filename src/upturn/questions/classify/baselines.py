"""Baselines: the heuristics by which scaling curves have been sorted so far.

They are point estimates from the scores alone, without an error; given beside the posterior
answers for those who know them.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from upturn.arrays.types import Floats
from upturn.tables.curves import Curves


def linearity(score: Floats) -> float:
    """How reliably a score improves with scale (Srivastava et al. 2022, appendix on metrics).

    L = I / sqrt(mean of (y_{i+1} - y_i)^2), I = sign(argmax - argmin) (max - min).

    Parameters
    ----------
    score : array (point,)
        In order of scale.

    Returns
    -------
    float
        nan for fewer than two points, 0 for a constant score.
    """
    return _improvement_over(score, np.mean)


def breakthroughness(score: Floats) -> float:
    """How suddenly it improves: as linearity, over the root *median* square of the increments.

    A jump leaves the median increment small. Srivastava et al. (2022), appendix on metrics.
    """
    return _improvement_over(score, np.median)


def _improvement_over(score: Floats, average: Callable[[Floats], Any]) -> float:
    if len(score) < 2:
        return float("nan")
    improvement = np.sign(int(np.argmax(score)) - int(np.argmin(score))) * np.ptp(score)
    size = float(np.sqrt(average(np.diff(score) ** 2)))
    if improvement == 0:
        return 0.0
    return float(improvement / size) if size > 0 else float(np.copysign(np.inf, improvement))


def discontinuity(x: Floats, score: Floats) -> float:
    """Score of the largest model above the projection from the smaller ones.

    Chowdhery et al. (2022, section 6.2) draw a line through the two smaller of three models in
    log scale, and call an improvement discontinuous where the largest lies more than 0.1 above.
    With more models the line is the least-squares one through all but the largest.

    Parameters
    ----------
    x : array (point,)
        Log scale, ascending.
    score : array (point,)

    Returns
    -------
    float
        nan for fewer than three scales.
    """
    if len(np.unique(x)) < 3:
        return float("nan")
    largest = x == x[-1]
    smaller, theirs = x[~largest], score[~largest]
    centred = smaller - smaller.mean()  # or scales that hardly differ leave no slope but rounding
    slope = centred @ theirs / (centred @ centred)
    projected = theirs.mean() + slope * (x[-1] - smaller.mean())
    return float(score[largest].mean() - projected)


def baselines(curves: Curves) -> dict[str, Floats]:
    """All three for every curve, on scores averaged where models share a scale.

    Scores of metrics where lower is better are turned round, so that more is better.
    """
    errors = np.full((3, len(curves)), np.nan)
    for i, mask in enumerate(curves.mask):
        score = curves.orientation[i] * curves.score[i, mask]
        x, place = np.unique(curves.x[0, i, mask], return_inverse=True)
        mean = np.bincount(place, score) / np.bincount(place)
        errors[:, i] = linearity(mean), breakthroughness(mean), discontinuity(x, mean)
    return dict(zip(("linearity", "breakthroughness", "discontinuity"), errors, strict=True))
