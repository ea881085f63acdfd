"""Pareto smoothing of importance weights, all rows at once, and the shape k̂ of their tails.

Vehtari, Simpson, Gelman, Yao & Gabry (2024), Pareto smoothed importance sampling, JMLR 25(72). The
estimator of the tail is that of Zhang & Stephens (2009), Technometrics 51(3). ArviZ has the same
for one row at a time; a batch has thousands of rows, and importing ArviZ takes longer than most
fits. A test compares the two.
"""

import math

import numpy as np
from numpy.typing import NDArray

from upturn.arrays.types import Floats

SHORTEST_TAIL = 5
EQUAL = 1e-12  # difference of logarithms below which weights count as equal
PRIOR_SCALE = 3.0  # prior of the estimator, in quartiles (Zhang & Stephens 2009, section 3)
PRIOR_WEIGHTS = 10.0  # as many weights of shape 1/2 are added (Vehtari et al., appendix C)
LARGEST_BLOCK = 2_000_000  # doubles in a temporary


def smoothed(log_weights: Floats) -> tuple[Floats, Floats]:
    """Log weights with the largest replaced by quantiles of a generalised Pareto distribution.

    The tail has min(S / 5, 3 sqrt S) of the S positive weights. The other weights stay as they are.

    Parameters
    ----------
    log_weights : array (..., particle)
        -inf is a weight of zero.

    Returns
    -------
    log_weights : array (..., particle)
    khat : array (...)
        -inf where the largest weight is that of the whole tail, inf where there are too few
        positive weights to say, or where they are far from a Pareto distribution.

    Examples
    --------
    >>> weights = np.log(np.linspace(1, 2, 1000))
    >>> smooth, khat = smoothed(weights)
    >>> smooth.shape, bool(khat < 0)
    ((1000,), True)
    """
    particles = log_weights.shape[-1]
    rows = log_weights.reshape(-1, particles)
    smooth = rows.copy()
    khat = np.full(len(rows), np.inf)
    tails = tail_lengths(np.isfinite(rows).sum(axis=1))
    for tail in np.unique(tails[tails >= SHORTEST_TAIL]).tolist():
        alike = np.flatnonzero(tails == tail)
        for block in np.array_split(alike, _blocks(len(alike), particles, tail)):
            smooth[block], khat[block] = _with_tail(rows[block], tail)
    return smooth.reshape(log_weights.shape), khat.reshape(log_weights.shape[:-1])


def tail_lengths(positive: NDArray[np.intp]) -> NDArray[np.intp]:
    """Length of the tail by the number of positive weights (Vehtari et al. 2024, section 2.4)."""
    return np.floor(np.minimum(positive / 5, 3 * np.sqrt(positive))).astype(np.intp)


def _blocks(rows: int, particles: int, tail: int) -> int:
    """The number of blocks of rows in which temporaries stay small."""
    return max(1, math.ceil(rows * max(particles, tail * _candidates(tail)) / LARGEST_BLOCK))


def _with_tail(rows: Floats, tail: int) -> tuple[Floats, Floats]:
    """Rows (row, particle) that have tails of one length, smoothed, and their k̂."""
    first = rows.shape[1] - tail
    order = np.argpartition(rows, first - 1, axis=1)[:, first - 1 :]
    largest = np.take_along_axis(rows, order, axis=1)
    top = largest.max(axis=1, keepdims=True)
    ascending = np.argsort(largest[:, 1:], axis=1, kind="stable")
    place = np.take_along_axis(order[:, 1:], ascending, axis=1)
    log_tail = np.take_along_axis(largest[:, 1:], ascending, axis=1) - top
    cutoff = np.exp(largest[:, :1] - top)

    level = log_tail[:, 0] > -EQUAL
    khat, sigma = generalised_pareto(np.exp(log_tail) - cutoff)
    fitted = np.isfinite(khat) & (sigma > 0) & ~level
    log_tail[fitted] = np.minimum(
        np.log(cutoff[fitted] + _quantiles(khat[fitted], sigma[fitted], tail)), 0.0
    )
    smooth = rows.copy()
    np.put_along_axis(smooth, place, log_tail + top, axis=1)
    return smooth, np.where(level, -np.inf, np.where(fitted, khat, np.inf))


def _quantiles(shape: Floats, scale: Floats, count: int) -> Floats:
    """Quantiles (row, count) of generalised Pareto distributions at (j - 1/2) / count."""
    lower = np.log1p(-np.arange(0.5, count) / count)
    k = np.where(shape == 0, 1e-300, shape)[:, None]
    return scale[:, None] * np.expm1(-k * lower) / k


def generalised_pareto(excess: Floats) -> tuple[Floats, Floats]:
    """Shape and scale of generalised Pareto distributions (Zhang & Stephens 2009, section 3).

    A posterior mean over a grid of theta = -k / sigma, on which the likelihood is profiled.

    Parameters
    ----------
    excess : array (row, n)
        Over the cutoff, ascending.

    Returns
    -------
    shape, scale : array (row,)
        nan where the first quartile is not above the smallest: far from any such distribution.
    """
    n = excess.shape[1]
    quartile = excess[:, int(n / 4 + 0.5) - 1]
    usable = quartile > excess[:, 0]
    shape, scale = np.full((2, len(excess)), np.nan)
    if usable.any():
        shape[usable], scale[usable] = _posterior_mean(excess[usable], quartile[usable])
    return shape, scale


def _candidates(n: int) -> int:
    """The number of grid points for a tail of n weights."""
    return 30 + int(n**0.5)


def _posterior_mean(excess: Floats, quartile: Floats) -> tuple[Floats, Floats]:
    n = excess.shape[1]
    count = _candidates(n)
    rank = np.arange(1, count + 1) - 0.5
    theta = (1 - np.sqrt(count / rank)) / (PRIOR_SCALE * quartile[:, None]) + 1 / excess[:, -1:]
    k = np.log1p(-theta[:, :, None] * excess[:, None, :]).mean(axis=2)
    profile = n * (np.log(-theta / k) - k - 1)
    weight = np.exp(profile - profile.max(axis=1, keepdims=True))
    mean = (theta * weight).sum(axis=1) / weight.sum(axis=1)
    shape = np.log1p(-mean[:, None] * excess).mean(axis=1)
    return (n * shape + PRIOR_WEIGHTS * 0.5) / (n + PRIOR_WEIGHTS), -shape / mean
