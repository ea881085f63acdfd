"""Halving: of equally weighted particles the half that keeps every parameter's distribution.

Systematic resampling along a space-filling curve resolves each of d parameters by the d-th root of
the number of draws: a quarter of its range, for 1,000 draws of five. So more particles are
resampled than are wanted, and are halved: of two neighbours on the curve the one is kept that
brings the numbers kept in the cells of every parameter nearer to half of what they were. As each
stands for a neighbour, parameters that depend on one another keep doing so.

To choose signs of vectors so that their sum stays small is a problem of Spencer (1977); Dwivedi &
Mackey (2021) halve samples by it, with kernels where here are cells. One coin turns all choices of
a halving, so that each particle is kept half of the time and averages stay unbiased.
"""

import numpy as np
from numpy.typing import NDArray

from upturn.kernels import compiled
from upturn.validate import Floats

type Counts = NDArray[np.int64]

# Cells of a parameter at the finest of the levels, and the logarithm of how many make one of the
# next. Coarse cells keep the distribution function from drifting, as a sum over fine ones may.
FINEST, BITS, LEVELS = 256, 2, 4


def halved(z: Floats, index: NDArray[np.intp], coins: Floats) -> NDArray[np.intp]:
    """Which particles are left.

    Parameters
    ----------
    z : array (row, dimension, particle)
    index : array (row, 2 ** halving * draw)
        Of particles of equal weight, neighbours side by side.
    coins : array (row, halving)
        Uniform in (0, 1).

    Returns
    -------
    array (row, draw)
    """
    out = np.empty((len(index), index.shape[1] >> coins.shape[1]), dtype=np.intp)
    _halved(z, index, coins < 0.5, out)
    return out


@compiled
def _halved(
    z: Floats, index: NDArray[np.intp], heads: NDArray[np.bool_], out: NDArray[np.intp]
) -> None:
    rows, dimensions, particles = z.shape
    cell = np.empty((particles, dimensions), dtype=np.int64)
    surplus = np.empty((dimensions, 2 * FINEST), dtype=np.int64)
    for r in range(rows):
        left = index[r].copy()
        _cells(z[r], left[:: len(left) // len(out[r])], cell)
        count = len(left)
        for coin in heads[r]:
            surplus[:] = 0
            count //= 2
            for pair in range(count):
                one, other = left[2 * pair], left[2 * pair + 1]
                left[pair] = one
                if one == other:
                    continue
                more = _more(surplus, cell, one, other)
                if more < 0 or (more == 0 and coin):
                    _keep(surplus, cell, one, other)
                else:
                    left[pair] = other
                    _keep(surplus, cell, other, one)
        out[r] = left[:count]


@compiled
def _cells(z: Floats, some: NDArray[np.intp], cell: Counts) -> None:
    """The finest cell (particle, dimension) of each particle, numbered from FINEST.

    They are even in x / sqrt(1 + x²), which is uniform for Student's t with two degrees of freedom;
    x is standardised by some particles, of equal weight.
    """
    dimensions, particles = z.shape
    for d in range(dimensions):
        total, squares = 0.0, 0.0
        for i in some:
            total += z[d, i]
        centre = total / len(some)
        for i in some:
            squares += (z[d, i] - centre) ** 2
        by = 1.0 / np.sqrt(squares / len(some) + 1e-20)
        for p in range(particles):
            x = (z[d, p] - centre) * by
            place = min((0.5 + 0.5 * x / np.sqrt(1.0 + x * x)) * FINEST, FINEST - 1.0)
            cell[p, d] = FINEST + int(place)


@compiled
def _more(surplus: Counts, cell: Counts, one: int, other: int) -> int:
    """By how much the cells of one hold more too many than those of the other."""
    more = 0
    for d in range(len(surplus)):
        here, there = cell[one, d], cell[other, d]
        for _ in range(LEVELS):  # a cell's number without its last bits is the coarser one's
            more += surplus[d, here] - surplus[d, there]
            here >>= BITS
            there >>= BITS
    return more


@compiled
def _keep(surplus: Counts, cell: Counts, kept: int, dropped: int) -> None:
    """Count one particle into its cells and its neighbour out of its own."""
    for d in range(len(surplus)):
        here, there = cell[kept, d], cell[dropped, d]
        for _ in range(LEVELS):
            surplus[d, here] += 1
            surplus[d, there] -= 1
            here >>= BITS
            there >>= BITS
