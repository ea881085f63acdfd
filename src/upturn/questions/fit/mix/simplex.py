"""Simplex: a grid over weights that sum to one, finer where a density is high.

The grid is a tiling by small simplices (intervals of two weights, triangles of three) that share
their vertices. A density is known at the vertices and assumed to be linear in between.
"""

from dataclasses import dataclass
from itertools import combinations
from typing import Self

import numpy as np
from numpy.typing import NDArray

from upturn.arrays.types import Booleans, Floats

type Cells = NDArray[np.intp]


@dataclass(frozen=True)
class Simplex:
    """A tiling of the weights of some axes.

    Attributes
    ----------
    vertices : array (vertex, axis)
        Weights; the corners, where one axis has all of it, come first and in the order of the axes.
    cells : array of int (cell, axis)
        The vertices of each cell.
    volume : array (cell,)
        As shares of the whole: they sum to 1.

    Examples
    --------
    >>> Simplex.of(2, bisections=1).vertices.tolist()
    [[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]]
    """

    vertices: Floats
    cells: Cells
    volume: Floats

    @classmethod
    def of(cls, axes: int, *, bisections: int) -> Self:
        """An even tiling: the whole simplex, every cell halved some times."""
        even = cls(np.eye(axes), np.arange(axes)[None, :], np.ones(1))
        for _ in range(bisections):
            even = even.bisected(np.ones(len(even.cells), dtype=np.bool_))
        return even

    def bisected(self, chosen: Booleans) -> Self:
        """The tiling with some cells halved at the middle of their longest edge (Rivara 1984).

        Existing vertices keep their numbers. Repeated halving of the longest edge leaves no thin
        cells.

        Parameters
        ----------
        chosen : array (cell,)
        """
        halved = self.cells[chosen]
        pairs = np.array(list(combinations(range(halved.shape[1]), 2)))
        ends = self.vertices[halved[:, pairs]]  # (cell, pair, end, axis)
        longest = ((ends[:, :, 0] - ends[:, :, 1]) ** 2).sum(axis=2).argmax(axis=1)
        cell = np.arange(len(halved))
        number = {tuple(vertex): i for i, vertex in enumerate(self.vertices.tolist())}
        middles = ends[cell, longest].mean(axis=1).tolist()  # exact: all are binary fractions
        middle = [number.setdefault(tuple(m), len(number)) for m in middles]
        first, second = halved.copy(), halved.copy()
        first[cell, pairs[longest, 0]] = middle
        second[cell, pairs[longest, 1]] = middle
        half = self.volume[chosen] / 2
        return type(self)(
            np.array(list(number)),
            np.concatenate([self.cells[~chosen], first, second]),
            np.concatenate([self.volume[~chosen], half, half]),
        )

    @property
    def quadrature(self) -> Floats:
        """The weight of each vertex in the mean of a function linear in each cell: (vertex,).

        They sum to 1: the mean is over the uniform distribution, Dirichlet(1).
        """
        size = self.cells.shape[1]
        share = np.repeat(self.volume / size, size)
        return np.bincount(self.cells.reshape(-1), weights=share, minlength=len(self.vertices))

    def mass(self, log_density: Floats) -> Floats:
        """The share of a density, known at the vertices, that lies in each cell: (cell,)."""
        density = np.exp(log_density - log_density.max())
        mass: Floats = self.volume * density[self.cells].mean(axis=1)
        return mass / mass.sum()
