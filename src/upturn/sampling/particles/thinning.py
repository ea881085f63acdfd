"""Thinning of equally weighted particles that keeps the distribution of each parameter.

Systematic resampling along a space-filling curve resolves each of d parameters by the d-th root of
the number of draws: a quarter of its range, for 1,000 draws of five parameters. So more particles
are resampled than are needed, and then halved several times. A halving keeps one of each two
neighbours on the curve: the one that brings the counts in cells of every parameter nearer to half
of what they were, and the mean of every parameter nearer to what it was. Since each kept particle
stands for a neighbour, dependence between parameters is kept too.

To choose signs of vectors so that their sum stays small is a problem of Spencer (1977); Dwivedi &
Mackey (2021) halve samples in this way, with kernels instead of cells and sums. A coin decides
between the two choices of a halving, so each particle is kept half of the time and means stay
unbiased.
"""

import numpy as np
from numpy.typing import NDArray

from upturn.arrays.compiled import compiled, inner
from upturn.arrays.types import Floats

type Counts = NDArray[np.int64]
type Cells = NDArray[np.int16]
type Values = NDArray[np.float32]

# The cells of a parameter at the finest level, the binary logarithm of how many make one cell of
# the next level, and the levels. Coarse cells prevent a drift of the distribution function, which a
# sum over fine cells allows.
FINEST, BITS, LEVELS = 256, 2, 4
# The weight of an error of one in a sum of standardised values, against an error of one in a cell.
# Cells ignore where in its cell a particle is, and a distant mode lies in few cells.
SUMS = 2.0
# The weight of a cell of the first parameter against one of another: it is the changepoint, of
# which quantiles are reported.
FIRST = 4


def thinned(
    z: Floats, index: NDArray[np.intp], coins: Floats, *, together: int = 1
) -> NDArray[np.intp]:
    """The particles that are kept.

    Rows that are thinned together, as the replicates of a curve, compensate the errors of each
    other: together they are as even as one row of as many particles.

    Parameters
    ----------
    z : array (row, dimension, particle)
    index : array (row, 2 ** halving * draw)
        Particles of equal weight in the order of the curve.
    coins : array (row, halving)
        Uniform in (0, 1).
    together : int
        How many neighbouring rows are thinned together.

    Returns
    -------
    array (row, draw)
    """
    out = np.empty((len(index), index.shape[1] >> coins.shape[1]), dtype=np.intp)
    _thinned(z, index, coins < 0.5, together, out)
    return out


@compiled
def _thinned(
    z: Floats,
    index: NDArray[np.intp],
    heads: NDArray[np.bool_],
    together: int,
    out: NDArray[np.intp],
) -> None:
    rows, dimensions, particles = z.shape
    cell = np.empty((together, particles, dimensions), dtype=np.int16)
    value = np.empty((together, particles, dimensions), dtype=np.float32)
    surplus = np.empty((dimensions, 2 * FINEST), dtype=np.int64)
    excess = np.empty(dimensions)
    for first in range(0, rows, together):
        those = slice(first, first + together)
        left = index[those].copy()
        count = left.shape[1]
        _standardised(z[those], left[:, :: count // out.shape[1]], value)
        _cells(value, cell)
        for halving in range(heads.shape[1]):
            surplus[:], excess[:] = 0, 0.0
            count //= 2
            for r in range(together):
                coin = heads[first + r, halving]
                for pair in range(count):
                    kept, dropped = left[r, 2 * pair], left[r, 2 * pair + 1]
                    left[r, pair] = kept
                    if kept == dropped:
                        continue
                    more = _more(surplus, cell[r, kept], cell[r, dropped])
                    more += SUMS * _longer(excess, value[r, kept], value[r, dropped])
                    if more > 0 or (more == 0 and coin):
                        kept, dropped = dropped, kept
                    left[r, pair] = kept
                    _keep(surplus, cell[r, kept], cell[r, dropped])
                    _add(excess, value[r, kept], value[r, dropped])
        for r in range(together):
            for p in range(count):
                out[first + r, p] = left[r, p]


@inner
def _standardised(z: Floats, some: NDArray[np.intp], value: Values) -> None:
    """Values (row, particle, dimension) standardised by the mean and the sd of some particles.

    Those, `some` (row, particle), are equally weighted; mean and sd are over all rows.
    """
    rows, dimensions, particles = z.shape
    for d in range(dimensions):
        total, squares = 0.0, 0.0
        for r in range(rows):
            for i in some[r]:
                total += z[r, d, i]
        centre = total / some.size
        for r in range(rows):
            for i in some[r]:
                squares += (z[r, d, i] - centre) ** 2
        by = 1.0 / np.sqrt(squares / some.size + 1e-20)
        for r in range(rows):
            for p in range(particles):
                value[r, p, d] = (z[r, d, p] - centre) * by


@inner
def _cells(value: Values, cell: Cells) -> None:
    """The finest cell of each value, numbered from FINEST.

    They have equal lengths in x / sqrt(1 + x²), which is uniform for Student's t with two degrees
    of freedom.
    """
    flat, out = value.reshape(-1), cell.reshape(-1)
    for i in range(flat.size):
        x = np.float64(flat[i])
        place = min((0.5 + 0.5 * x / np.sqrt(1.0 + x * x)) * FINEST, FINEST - 1.0)
        out[i] = FINEST + int(place)


@inner
def _more(surplus: Counts, first: Cells, second: Cells) -> int:
    """The surplus in the cells of the first less that in the cells of the second."""
    more = 0
    for d in range(len(surplus)):
        here, there, difference = int(first[d]), int(second[d]), 0
        for _ in range(
            LEVELS
        ):  # without its last bits, a cell's number is that of the coarser cell
            difference += surplus[d, here] - surplus[d, there]
            here >>= BITS
            there >>= BITS
        more += difference if d else FIRST * difference
    return more


@inner
def _longer(excess: Floats, first: Values, second: Values) -> float:
    """The excess of the sums in the direction of the first less that of the second."""
    more = 0.0
    for d in range(len(excess)):
        more += excess[d] * (first[d] - second[d])
    return more


@inner
def _keep(surplus: Counts, kept: Cells, dropped: Cells) -> None:
    """Count the kept particle into its cells and the dropped one out of its cells."""
    for d in range(len(surplus)):
        here, there = int(kept[d]), int(dropped[d])
        for _ in range(LEVELS):
            surplus[d, here] += 1
            surplus[d, there] -= 1
            here >>= BITS
            there >>= BITS


@inner
def _add(excess: Floats, kept: Values, dropped: Values) -> None:
    """Add the difference of their values to the sums."""
    for d in range(len(excess)):
        excess[d] += kept[d] - dropped[d]
