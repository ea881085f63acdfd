"""Order: how far axes can be told apart at all, by how they order and space the same points."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy import stats

from upturn.arrays.types import Booleans, Floats

NEARLY_ALL = 0.95  # of the curves
SAME_PLACE = 0.02  # of the axis: points that stand so near on two axes stand at one place

SAME, SHAPE, APART = "same axis", "order alike", "apart"


@dataclass(frozen=True)
class Pair:
    """Two axes on the same points.

    Attributes
    ----------
    first, second : str
    spearman : float
        Rank correlation of the coordinates, pooled within curves.
    alike : float
        Share of the curves whose points the two order identically.
    linear : float
        Share of the curves in which each point stands, within 0.02 of the axis, at one place.
    """

    first: str
    second: str
    spearman: float
    alike: float
    linear: float

    @property
    def kind(self) -> str:
        """Whether they are the same axis, order alike, or can be told apart."""
        if self.alike >= NEARLY_ALL:
            return SAME if self.linear >= NEARLY_ALL else SHAPE
        return APART


def pairs(names: tuple[str, ...], u: Floats, mask: Booleans) -> tuple[Pair, ...]:
    """Every pair of axes.

    Parameters
    ----------
    names : tuple of str
    u : array (axis, curve, point)
        Places on the unit axis, points in one order on all of them.
    mask : array (curve, point)

    Examples
    --------
    >>> u = np.array([[[0, 0.5, 1]], [[0, 0.25, 1]]])
    >>> pairs(("a", "b"), u, np.ones((1, 3), dtype=bool))[0].kind
    'order alike'
    """
    ranks = np.stack([_ranks(u_of, mask) for u_of in u])
    return tuple(
        _pair(names[i], names[j], ranks[[i, j]], u[[i, j]], mask)
        for i, j in combinations(range(len(names)), 2)
    )


def _ranks(u: Floats, mask: Booleans) -> Floats:
    """Centred ranks within curves, ties shared, as a share of the points; 0 in padding.

    A curve then counts by its points, and not by the square of them.
    """
    rank = stats.rankdata(np.where(mask, u, np.inf), axis=1)
    points = mask.sum(axis=1, keepdims=True)
    return np.where(mask, (rank - (points + 1) / 2) / np.maximum(points, 1), 0.0)


def _pair(first: str, second: str, ranks: Floats, u: Floats, mask: Booleans) -> Pair:
    size = float(np.sqrt((ranks[0] ** 2).sum() * (ranks[1] ** 2).sum()))
    spearman = float((ranks[0] * ranks[1]).sum()) / size if size > 0 else float("nan")
    alike = (np.abs(ranks[0] - ranks[1]) < 1e-9).all(axis=1)
    near = np.where(mask, np.abs(u[0] - u[1]), 0.0).max(axis=1, initial=0.0) <= SAME_PLACE
    return Pair(first, second, spearman, float(alike.mean()), float(near.mean()))
