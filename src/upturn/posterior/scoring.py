"""Scoring: how good a predictive distribution was, once the score is seen.

Distributions are draws with weights; of draws that count the same the weights are equal.
"""

import numpy as np

from upturn.arrays.types import Booleans, Floats


def crps(draws: Floats, weight: Floats, seen: Floats) -> Floats:
    """Continuous ranked probability score of draws: (point,), in the units of the score.

    E|X - y| - E|X - X'| / 2 (Gneiting & Raftery 2007, eq. 21). The second term is a weighted sum of
    sorted draws: of w_i (2 W_i - w_i - 1) x_i, W_i the sum of weights up to and with the i-th.

    Parameters
    ----------
    draws : array (point, draw)
    weight : array (draw,)
        They sum to 1.
    seen : array (point,)

    Examples
    --------
    >>> crps(np.array([[0.0, 1.0]]), np.array([0.5, 0.5]), np.array([1.0])).tolist()
    [0.25]
    """
    ordered, shares, summed = _sorted(draws, weight)
    apart = (shares * (2 * summed - shares - 1) * ordered).sum(axis=1)
    out: Floats = np.abs(draws - seen[:, None]) @ weight - apart
    return out


def quantiles(draws: Floats, weight: Floats, levels: Floats) -> Floats:
    """Quantiles that are draws themselves: (level, point).

    So an interval of successes has ends that successes can have. The lowest draw below which, and
    with which, lies so much of the weight (Hyndman & Fan 1996, definition 1).
    """
    ordered, _, summed = _sorted(draws, weight)
    place = (summed[None] < np.asarray(levels)[:, None, None] - 1e-12).sum(axis=2)
    place = np.minimum(place, draws.shape[1] - 1)
    return np.stack([ordered[np.arange(len(ordered)), row] for row in place])


def covered(draws: Floats, weight: Floats, seen: Floats, ci: float) -> Booleans:
    """Whether the equal-tailed interval holds what was seen: (point,)."""
    low, high = quantiles(draws, weight, np.array([(1 - ci) / 2, (1 + ci) / 2]))
    slack = 1e-9  # the same number of successes, as a proportion printed and computed
    return np.asarray((seen >= low - slack) & (seen <= high + slack))


def _sorted(draws: Floats, weight: Floats) -> tuple[Floats, Floats, Floats]:
    """Draws in order, their weights, and the weights summed: (point, draw)."""
    order = np.argsort(draws, axis=1, kind="stable")
    shares = weight[order]
    return np.take_along_axis(draws, order, axis=1), shares, np.cumsum(shares, axis=1)
