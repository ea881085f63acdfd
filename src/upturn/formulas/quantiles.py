"""Tabulated quantile functions of priors."""

import math
from copy import copy
from functools import lru_cache
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_banded
from scipy.special import ndtr

from upturn.arrays.namespaces import NUMPY
from upturn.arrays.quantiles import tabulated
from upturn.arrays.types import Floats
from upturn.formulas.distributions import DISTRIBUTIONS, TABLE_REACH
from upturn.formulas.priors import Choice, Prior

TABLE_NODES = 513


@lru_cache(maxsize=4096)
def _table(choice: Choice, chance: float) -> Floats:
    """Cubic pieces of Q(Phi(z)) between equidistant nodes: (4, cell), highest power first."""
    below, above = choice.tails(chance)
    z = np.linspace(-TABLE_REACH, TABLE_REACH, TABLE_NODES)
    # each tail from its own probability: the upper one would be lost in 1 - 1e-16
    lower: Floats = below(ndtr(z))
    upper: Floats = above(ndtr(-z))
    return cubic_pieces(z, np.where(z < 0, lower, upper))


def cubic_pieces(x: Floats, y: Floats) -> Floats:
    """The cubic spline through points, without a knot at the second and the last but one.

    As `scipy.interpolate.CubicSpline`, to the bit; loading that takes a tenth of a second.

    Parameters
    ----------
    x, y : array (node,)

    Returns
    -------
    array (4, cell)
        Highest power first.
    """
    h, slope = np.diff(x), np.diff(y) / np.diff(x)
    bands, right = np.zeros((3, len(x))), np.empty(len(x))
    bands[0, 2:], bands[1, 1:-1], bands[2, :-2] = h[:-1], 2 * (h[:-1] + h[1:]), h[1:]
    right[1:-1] = 3 * (h[1:] * slope[:-1] + h[:-1] * slope[1:])
    first, last = x[2] - x[0], x[-1] - x[-3]
    bands[1, 0], bands[0, 1], bands[1, -1], bands[2, -2] = h[1], first, h[-2], last
    right[0] = ((h[0] + 2 * first) * h[1] * slope[0] + h[0] ** 2 * slope[1]) / first
    right[-1] = (h[-1] ** 2 * slope[-2] + (2 * last + h[-1]) * h[-2] * slope[-1]) / last
    derivative = solve_banded((1, 1), bands, right)
    bend = (derivative[:-1] + derivative[1:] - 2 * slope) / h
    return np.stack([bend / h, (slope - derivative[:-1]) / h - bend, derivative[:-1], y[:-1]])


class Quantiles:
    """theta = Q(Phi(z)) of one prior for many curves, whose chance may differ."""

    def __init__(self, prior: Prior, chance: Floats) -> None:
        choices = [prior.choice(c) for c in chance.tolist()]
        keys = [
            (c, v if c.needs_chance else math.nan)
            for c, v in zip(choices, chance.tolist(), strict=True)
        ]
        distinct = {(c, repr(v)): (c, v) for c, v in keys}
        index = {key: i for i, key in enumerate(distinct)}
        self.index = np.array([index[c, repr(v)] for c, v in keys], dtype=np.intp)
        # by the prior alone: results of a curve must not depend on the other curves
        names = {c.distribution for c in prior.choices}
        family = DISTRIBUTIONS[prior.choices[0].distribution]
        self.closed = family.quantile if len(names) == 1 else None
        if self.closed is not None:
            numbers = [choice.numbers(value) for choice, value in distinct.values()]
            shape = (len(numbers), len(family.arguments))
            self.numbers = np.array(numbers, dtype=float).reshape(shape).T[:, :, None]
        else:
            tables = [_table(choice, value) for choice, value in distinct.values()]
            self.tables = np.stack(tables, axis=1) if tables else np.zeros((4, 0, TABLE_NODES - 1))

    @property
    def arrays(self) -> tuple[Any, Any]:
        """The index of each curve's prior (curve,), and numbers or tables (…, prior, …)."""
        return self.index, self.numbers if self.closed is not None else self.tables

    def with_arrays(self, arrays: tuple[Any, Any]) -> Self:
        """The same quantile function of other priors of its kind."""
        other = copy(self)
        other.index, table = arrays
        setattr(other, "numbers" if self.closed is not None else "tables", table)
        return other

    def __call__(self, xp: Any, curves: NDArray[np.intp], z: Any) -> Any:
        """Theta of z, both (row, particle); `curves` is the curve of each row."""
        if self.closed is not None:
            return self.closed(xp, z, *self.numbers[:, self.index[curves]])
        if xp is NUMPY:
            out = np.empty(np.shape(z))
            z = np.ascontiguousarray(z)
            tabulated(self.tables, self.index[curves], z, TABLE_REACH, out)
            return out
        cells = self.tables.shape[2]
        place = (xp.clip(z, -TABLE_REACH, TABLE_REACH) + TABLE_REACH) * (cells / (2 * TABLE_REACH))
        cell = xp.minimum(place.astype(np.int32), cells - 1)
        step = (place - cell) * (2 * TABLE_REACH / cells)
        flat = cell + self.index[curves][:, None] * cells
        a, b, c, d = (xp.take(self.tables[i].reshape(-1), flat) for i in range(4))
        return ((a * step + b) * step + c) * step + d
