"""Shared residuals: models that are off across tasks, and models that are off together.

Tasks share their models. What the scale of a model does not explain (better data, a broken
evaluation, a family) shows on many tasks at once. Both tests compare with residuals whose signs are
drawn anew, each by itself: given their sizes, signs are a coin's where every difference between a
model and its curve is noise, so that the probabilities need no distribution of the residuals.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from upturn.arrays.types import Booleans, Floats, Integers

FLIPS = 999
FEWEST_TASKS = 5  # that two models must share for a similarity
PAIRS_BELOW = 0.95  # of pairs of unrelated models are less alike than a family's must be on average
PAIRS_FROM = 40  # draws of signs, each with all pairs


@dataclass(frozen=True)
class Off:
    """Models ahead of or behind their scale on all tasks: arrays (model,).

    Attributes
    ----------
    shift : array
        Sum of the residuals over the root of their sum of squares: a standard normal number, or so,
        where they are noise, and the root of the number of tasks where all are the same.
    p : array
        Probability that the largest shift of any model would be so large by chance.
    """

    shift: Floats
    p: Floats


@dataclass(frozen=True)
class Together:
    """Groups of models whose residuals go together across tasks.

    Attributes
    ----------
    group : array of int (model,)
        Which group; -1 for none.
    p : array (group,)
        Probability that the closest group would be so close by chance, ascending.
    p_any : float
        The same of the closest group there is, whether it counts or not; 1 for none.
    similarity : array (model, model)
        Sum over tasks of products of residuals, over the root of their sums of squares; 0 for
        models that share too few tasks.
    """

    group: Integers
    p: Floats
    p_any: float
    similarity: Floats


def off(residuals: Floats, *, seed: int = 0) -> Off:
    """Models whose residuals have one sign on too many tasks.

    Parameters
    ----------
    residuals : array (task, model)
        Score less what the curve expects, in standard deviations; nan where there is no score.
    seed : int

    Examples
    --------
    >>> noise = np.random.default_rng(0).standard_normal((12, 6))
    >>> noise[:, 2] += 2
    >>> np.flatnonzero(off(noise).p < 0.05).tolist()
    [2]
    """
    known = np.nan_to_num(residuals)
    shift = _shift(known)
    largest = np.array([np.abs(_shift(flipped)).max(initial=0) for flipped in _flips(known, seed)])
    return Off(shift, _exceeded(largest, np.abs(shift)))


def together(
    residuals: Floats, *, seed: int = 0, level: float = 0.05, flips: int = FLIPS
) -> Together:
    """Groups of models that are off on the same tasks in the same direction.

    Models are joined by average linkage as long as they are more alike than 19 of 20 pairs
    with random signs. The score of a group is the sum over its pairs of what their similarity
    exceeds that limit by, and its p compares this with the best group among random signs.

    Parameters
    ----------
    residuals : array (task, model)
        As for `off`.
    seed : int
    level : float
        Groups with a larger p are none.
    flips : int
        How many draws of signs there are.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> noise = rng.standard_normal((20, 8))
    >>> noise[:, :3] += 2 * rng.standard_normal((20, 1))
    >>> together(noise).group.tolist()
    [0, 0, 0, -1, -1, -1, -1, -1]
    """
    known = np.nan_to_num(residuals)
    shared = (~np.isnan(residuals)).astype(float)
    enough = shared.T @ shared >= FEWEST_TASKS
    similarity = _similarity(known, enough)
    models = len(enough)
    if not enough[np.triu_indices(models, 1)].any():
        return Together(np.full(models, -1), np.zeros(0), 1.0, similarity)
    random = (_similarity(flipped, enough) for flipped in _flips(known, seed, flips))
    pairs = enough & ~np.eye(models, dtype=bool)
    some = [values[pairs] for values in islice(random, min(PAIRS_FROM, flips // 2))]
    limit = float(np.quantile(some, PAIRS_BELOW))
    best = np.array([_groups(values, limit)[1].max(initial=0) for values in random])
    label, score = _groups(similarity, limit)
    p = _exceeded(best, score)
    kept = [g for g in np.argsort(p, kind="stable") if p[g] <= level]
    group = np.full(models, -1)
    for place, g in enumerate(kept):
        group[label == g] = place
    return Together(group, p[kept], float(p.min()), similarity)


def partition(similarity: Floats, groups: int) -> Integers:
    """The most similar models in so many groups, by average linkage: (model,).

    Examples
    --------
    >>> alike = np.array([[1, 0.8, -0.2], [0.8, 1, 0], [-0.2, 0, 1]])
    >>> partition(alike, 2).tolist()
    [0, 0, 1]
    """
    joined = fcluster(_linked(similarity), groups, "maxclust")
    return np.unique(joined, return_inverse=True)[1]


def _flips(residuals: Floats, seed: int, count: int = FLIPS) -> Iterator[Floats]:
    """The residuals with random signs, many times."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        yield residuals * rng.choice([-1.0, 1.0], size=residuals.shape)


def _shift(residuals: Floats) -> Floats:
    square = (residuals**2).sum(axis=0)
    return residuals.sum(axis=0) / np.sqrt(np.where(square > 0, square, 1.0))


def _similarity(residuals: Floats, enough: Booleans) -> Floats:
    product = residuals.T @ residuals
    square = np.where(np.diag(product) > 0, np.diag(product), 1.0)
    return np.where(enough, product / np.sqrt(square[:, None] * square), 0.0)


def _linked(similarity: Floats) -> Floats:
    return linkage(squareform(1 - similarity, checks=False), "average")


def _groups(similarity: Floats, limit: float) -> tuple[Integers, Floats]:
    """The group of each model, and the score of each group; 0 for a model by itself."""
    joined = fcluster(_linked(similarity), 1 - limit, "distance")
    label: Integers = joined.astype(np.int64) - 1
    member = label[:, None] == np.arange(label.max() + 1)
    excess = np.triu(similarity - limit, 1)
    return label, np.einsum("ig,ij,jg->g", member, excess, member)


def _exceeded(random: Floats, values: Floats) -> Floats:
    """The share of random values, the value itself among them, that are as large: (value,)."""
    return (1 + (random >= values[:, None]).sum(axis=1)) / (1 + len(random))
