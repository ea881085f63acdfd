"""Statistics of residuals, each large where a model fails in one way.

All but `scatter` are ratios to the size of the curve's own residuals: noise that a failure has
inflated does not hide it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from upturn.arrays.types import Floats, Integers

CLOSE_TO_0 = 1e-12


@dataclass(frozen=True)
class Setting:
    """What statistics need of a curve besides its residuals: arrays (point,), in order of scale.

    Attributes
    ----------
    share : array
        The share of the noise's variance that is left in each residual.
    run : array of int
        The run of each point, -1 for none.
    """

    share: Floats
    run: Integers


def largest(e: Floats, setting: Setting) -> Floats:
    """The largest residual against the smaller three quarters of all: (row,).

    As Grubbs's statistic (1950), with a scale that a second outlier does not inflate.
    """
    square = np.sort(e**2 / setting.share, axis=1)
    usual = square[:, : -(-3 * square.shape[1] // 4)].mean(axis=1)
    return np.asarray(square[:, -1] / np.maximum(usual, CLOSE_TO_0))


def size(e: Floats, setting: Setting) -> Floats:
    """The sum of squares: (row,)."""
    return (e**2).sum(axis=1)


def steps(e: Floats, setting: Setting) -> Floats:
    """Standardised differences between the points above and below each place: (row, place).

    Their maximum over places is the statistic of cumulated sums (Brown, Durbin and Evans 1975).
    """
    z = e / np.sqrt(setting.share)
    points = z.shape[1]
    above = np.triu(np.ones((points, points)))[1:]
    above -= above.mean(axis=1, keepdims=True)
    above /= np.sqrt((above**2).sum(axis=1, keepdims=True))
    total = np.maximum((z**2).sum(axis=1, keepdims=True), CLOSE_TO_0)
    return (z @ above.T) ** 2 / total


def lag(e: Floats, setting: Setting) -> Floats:
    """The correlation of a score with the next of its run: (row,)."""
    return _correlation(e, setting, followers(setting.run))


def wave(e: Floats, setting: Setting) -> Floats:
    """The correlation of a score with the next along the axis (von Neumann 1941): (row,)."""
    places = np.arange(e.shape[1])
    return _correlation(e, setting, np.stack([places[:-1], places[1:]]))


def _correlation(e: Floats, setting: Setting, pairs: Integers) -> Floats:
    z = e / np.sqrt(setting.share)
    total = np.maximum((z**2).sum(axis=1), CLOSE_TO_0)
    return np.asarray((z[:, pairs[0]] * z[:, pairs[1]]).sum(axis=1) / total)


def followers(run: Integers) -> Integers:
    """Pairs of places that follow each other in a run: (2, pair)."""
    order = np.argsort(run, kind="stable")
    same = (run[order][1:] == run[order][:-1]) & (run[order][1:] >= 0)
    return np.stack([order[:-1][same], order[1:][same]])


def unevenness(e: Floats, setting: Setting) -> Floats:
    """The distance of the residuals' ranks from uniform (Anderson and Darling 1954): (row,)."""
    z = np.sort(e / np.sqrt(setting.share), axis=1)
    p = np.clip(ndtr(z), 1e-12, 1 - 1e-12)
    points = z.shape[1]
    odd = 2 * np.arange(1, points + 1) - 1
    return -(odd * (np.log(p) + np.log1p(-p[:, ::-1]))).mean(axis=1) - points


ONE_NUMBER: Mapping[str, Callable[[Floats, Setting], Floats]] = {
    "outlier": largest,
    "scatter": size,
    "autocorrelation": lag,
    "wave": wave,
    "calibration": unevenness,
}
