"""Direction numbers of the Sobol net.

SciPy's net is the same, but the library around it takes half a second to load.
"""

import numpy as np
from numpy.typing import NDArray

BITS = 32

# Of the second and later dimensions: the primitive polynomial and the first direction numbers, one
# for each of its degrees. Joe & Kuo (2008), "Constructing Sobol sequences with better
# two-dimensional projections", set new-joe-kuo-6.
DIMENSIONS: tuple[tuple[int, tuple[int, ...]], ...] = (
    (3, (1,)),
    (7, (1, 3)),
    (11, (1, 3, 1)),
    (13, (1, 1, 1)),
    (19, (1, 1, 3, 3)),
    (25, (1, 3, 5, 13)),
    (37, (1, 1, 5, 5, 17)),
    (41, (1, 1, 5, 5, 5)),
    (47, (1, 1, 7, 11, 19)),
    (55, (1, 1, 5, 1, 1)),
    (59, (1, 1, 1, 3, 11)),
    (61, (1, 3, 5, 5, 31)),
    (67, (1, 3, 3, 9, 7, 49)),
    (91, (1, 1, 1, 15, 21, 21)),
    (97, (1, 3, 1, 13, 27, 49)),
    (103, (1, 1, 1, 15, 7, 5)),
    (109, (1, 3, 1, 15, 13, 25)),
    (115, (1, 1, 5, 5, 19, 61)),
    (131, (1, 3, 7, 11, 23, 15, 103)),
    (137, (1, 3, 7, 13, 13, 15, 69)),
    (143, (1, 1, 3, 13, 7, 35, 63)),
    (145, (1, 3, 5, 9, 1, 25, 53)),
    (157, (1, 3, 1, 13, 9, 35, 107)),
)


def sobol_words(dimensions: int, count: int) -> NDArray[np.uint32]:
    """The first points of the net as binary fractions of 32 bits: (dimension, point).

    A point is the exclusive or of the direction numbers at the bits of its number's Gray code
    (Antonov & Saleev 1979), so that each point differs from the one before by one number.
    """
    if dimensions > len(DIMENSIONS) + 1:
        return _of_scipy(dimensions, count)
    number = np.arange(count, dtype=np.uint32)
    gray = number ^ (number >> np.uint32(1))
    out = np.zeros((dimensions, count), dtype=np.uint32)
    for bit, direction in enumerate(_directions(dimensions).T[: count.bit_length()]):
        out ^= ((gray >> np.uint32(bit)) & np.uint32(1)) * direction[:, None]
    return out


def _directions(dimensions: int) -> NDArray[np.uint32]:
    """The direction numbers, as binary fractions: (dimension, bit)."""
    odd = [[1] * BITS, *(_odd_numbers(*row) for row in DIMENSIONS)][:dimensions]
    return np.array(odd, dtype=np.uint32) << np.arange(BITS - 1, -1, -1, dtype=np.uint32)


def _odd_numbers(polynomial: int, first: tuple[int, ...]) -> list[int]:
    """The numerators m of direction numbers m / 2^j: a recurrence modulo the polynomial."""
    degree, m = len(first), list(first)
    for j in range(degree, BITS):
        number = m[j - degree]
        for k in range(1, degree + 1):
            if polynomial >> (degree - k) & 1:
                number ^= m[j - k] << k
        m.append(number)
    return m


def _of_scipy(dimensions: int, count: int) -> NDArray[np.uint32]:
    from scipy.stats import qmc

    net = qmc.Sobol(dimensions, scramble=False, bits=BITS).random(count)
    return (net.T * 2.0**BITS).astype(np.uint32)
