"""Points of each curve sorted, counted and summed, independently of the padding."""

from math import fsum

import numpy as np
from numpy.typing import NDArray

from upturn.arrays.types import Booleans, Floats, Integers


def sorted_by_group(
    points: Floats, group: NDArray[np.int32], groups: int
) -> tuple[Floats, Integers]:
    """Points sorted by group, and where each group begins.

    Parameters
    ----------
    points : array (curve, field, point)
    group : array (curve, point)
        -1 for a point that is left out.
    groups : int

    Returns
    -------
    points : array (curve, field, point)
    starts : array (curve, group + 1)
        The last entry is the end of the last group.
    """
    order = np.argsort(np.where(group >= 0, group, len(group.T)), axis=1, kind="stable")
    below = (group[:, None, :] < np.arange(groups + 1)[:, None]).sum(axis=2)
    starts = below - (group < 0).sum(axis=1, keepdims=True)
    return np.take_along_axis(points, order[:, None, :], axis=2), starts


def distinct_values(values: Floats, mask: Booleans) -> tuple[Floats, Floats]:
    """The distinct values of each curve and their counts: two arrays (curve, value).

    Shorter rows are padded by values and counts of 0.

    Examples
    --------
    >>> distinct_values(np.array([[5.0, 7.0, 5.0]]), np.array([[True, True, True]]))
    (array([[5., 7.]]), array([[2., 1.]]))
    """
    by_curve = [
        np.unique(row[kept], return_counts=True) for row, kept in zip(values, mask, strict=True)
    ]
    longest = max((len(distinct) for distinct, _ in by_curve), default=1)
    padded, counts = np.zeros((2, len(by_curve), longest))
    for i, (distinct, count) in enumerate(by_curve):
        padded[i, : len(distinct)], counts[i, : len(distinct)] = distinct, count
    return padded, counts


def masked_sums(terms: Floats, mask: Booleans) -> Floats:
    """Sums over the points of each curve: (curve,).

    Exactly rounded, because the order in which NumPy sums depends on the padding.
    """
    return np.array([fsum(row[kept]) for row, kept in zip(terms, mask, strict=True)])
