"""Uniformity: a test of whether a sample is uniform, by its whole distribution function.

The counts of a uniform sample below given points are binomial. The statistic is the smallest of
their tail probabilities; an envelope is the band of counts whose tails are no smaller than a bound,
and holds the whole function with a probability that is computed exactly (Säilynoja, Bürkner and
Vehtari 2022, section 2.2).
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, bdtrc, gammaln

from upturn.arrays.types import Floats

MOST_POINTS = 100  # points at which the distribution function is evaluated, at most
BISECTIONS = 30


def places(count: int) -> Floats:
    """Points at which the distribution function of a sample of this size is evaluated: (point,)."""
    points = min(max(count, 2), MOST_POINTS)
    return np.arange(1, points) / points


def statistic(sample: Floats) -> float:
    """Twice the smallest tail probability of the counts of a sample in [0, 1]."""
    z = places(len(sample))
    below = np.searchsorted(np.sort(sample), z, side="right")
    return float(_tails(len(sample), below, z).min())


def p_value(sample: Floats) -> float:
    """The probability that a uniform sample of this size has a statistic at most as small.

    Parameters
    ----------
    sample : array (value,)
        In [0, 1]; nan for none.

    Examples
    --------
    >>> p_value((np.arange(100) + 0.5) / 100)
    1.0
    >>> p_value(np.linspace(0.2, 0.8, 100)) < 1e-5
    True
    """
    if not len(sample):
        return float("nan")
    return 1.0 - inside(len(sample), statistic(sample), strictly=True)


def inside(count: int, bound: float, *, strictly: bool = False) -> float:
    """The probability that all counts of a uniform sample have tails of at least a bound.

    Counts at successive points are a Markov chain: those between two points, given those below the
    first, are binomial. Its states within the band are carried along.

    Parameters
    ----------
    count : int
        Size of the sample.
    bound : float
        On the statistic.
    strictly : bool
        Whether tails must be more than the bound.
    """
    z = places(count)
    low, high = _band(count, bound, z, strictly=strictly)
    log_factorial = gammaln(np.arange(count + 1) + 1.0)
    state, share, before = np.array([0]), np.array([1.0]), 0.0
    for at, first, last in zip(z, low, high, strict=True):
        if last < first:
            return 0.0
        now = np.arange(first, last + 1)
        more = now[:, None] - state
        q = (at - before) / (1 - before)
        left = np.maximum(more, 0)
        log_p = (
            log_factorial[count - state] - log_factorial[left] - log_factorial[count - now][:, None]
            + left * np.log(q) + (count - now)[:, None] * np.log1p(-q)
        )  # fmt: skip
        share = np.where(more >= 0, np.exp(log_p), 0.0) @ share
        state, before = now, at
    return float(min(share.sum(), 1.0))


@lru_cache(maxsize=256)
def bound_for(count: int, level: float) -> float:
    """The bound on the statistic that uniform samples keep to with at least this probability."""
    low, high = 0.0, 1.0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if inside(count, middle) >= level else (low, middle)
    return low


def envelope(count: int, level: float) -> tuple[Floats, Floats, Floats]:
    """The band that holds the whole distribution function of a uniform sample.

    Parameters
    ----------
    count : int
        Size of the sample.
    level : float
        The least probability with which it does.

    Returns
    -------
    z, low, high : array (point,)
        Places, and the least and greatest share of the sample below them.
    """
    z = places(count)
    low, high = _band(count, bound_for(count, level), z)
    return z, low / count, high / count


def _tails(count: int, below: NDArray[np.int64], z: Floats) -> Floats:
    """Twice the smaller tail of a binomial count, itself included."""
    lower = bdtr(below, count, z)
    upper = np.where(below > 0, bdtrc(np.maximum(below - 1, 0), count, z), 1.0)
    return 2 * np.minimum(lower, upper)


def _band(
    count: int, bound: float, z: Floats, *, strictly: bool = False
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The least and the greatest count at each place whose tails keep to the bound."""
    every = np.arange(count + 1)[:, None]
    tails = _tails(count, every, z)
    # the statistic is one of these tails: it must not come out inside by rounding
    kept = tails > bound * (1 + 1e-9) if strictly else tails >= bound * (1 - 1e-9)
    low = kept.argmax(axis=0)
    high = count - kept[::-1].argmax(axis=0)
    nothing = ~kept.any(axis=0)
    return np.where(nothing, 1, low), np.where(nothing, 0, high)
