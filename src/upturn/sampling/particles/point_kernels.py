"""Loops that scramble the bits of points, and sort particles along a curve, compiled by numba."""

import numpy as np
from numpy.typing import NDArray

from upturn.arrays.compiled import compiled, inlined, inner
from upturn.arrays.types import Floats

_RADIX = 11  # bits that are sorted by at a time


@inlined
def _swapped(x: np.uint32, shift: np.uint32, mask: np.uint32) -> np.uint32:
    """Neighbouring groups of bits, exchanged."""
    return np.uint32(((x >> shift) & mask) | np.uint32((x & mask) << shift))


@compiled
def scramble(net: NDArray[np.uint32], seeds: NDArray[np.uint32], out: Floats) -> None:
    """Points (row, dimension, point) in (0, 1) of a net (dimension, point), bits reversed.

    See `sobol.scrambled`, whose formulas give the same bits.
    """
    rows, dimensions, count = out.shape
    for r in range(rows):
        for d in range(dimensions):
            for p in range(count):
                # each step is reduced to 32 bits: numba computes in 64
                x = np.uint32(net[d, p] + seeds[r, d])
                x = np.uint32(x ^ np.uint32(x * np.uint32(0x6C50B47C)))
                x = np.uint32(x ^ np.uint32(x * np.uint32(0xB82F1E52)))
                x = np.uint32(x ^ np.uint32(x * np.uint32(0xC7AFE638)))
                x = np.uint32(x ^ np.uint32(x * np.uint32(0x8D22F6E6)))
                x = np.uint32((x >> np.uint32(16)) | (x << np.uint32(16)))
                x = _swapped(x, np.uint32(8), np.uint32(0x00FF00FF))
                x = _swapped(x, np.uint32(4), np.uint32(0x0F0F0F0F))
                x = _swapped(x, np.uint32(2), np.uint32(0x33333333))
                x = _swapped(x, np.uint32(1), np.uint32(0x55555555))
                out[r, d, p] = (np.float64(x) + 0.5) * 2.0**-32


@compiled
def along_curve(
    z: Floats, centre: Floats, scale: Floats, bits: int, order: NDArray[np.intp]
) -> None:
    """The order (row, particle) in which a Morton curve passes through z; see `weights`."""
    rows, dimensions, particles = z.shape
    code = np.empty(particles, dtype=np.int64)
    cells = 2.0**bits
    apart = np.zeros(1 << bits, dtype=np.int64)  # a cell number's bits, spread out
    for cell in range(1 << bits):
        for bit in range(bits):
            apart[cell] |= ((cell >> bit) & 1) << (bit * dimensions)
    for r in range(rows):
        code[:] = 0
        for d in range(dimensions):
            by = 1.0 / scale[r, d]
            for p in range(particles):
                x = (z[r, d, p] - centre[r, d]) * by
                x = min((0.5 + 0.5 * x / np.sqrt(1.0 + x * x)) * cells, cells - 1.0)
                code[p] |= apart[int(x)] << (dimensions - 1 - d)
        _sort(code, bits * dimensions, order[r])


@inner
def _sort(code: NDArray[np.int64], bits: int, order: NDArray[np.intp]) -> None:
    """The stable order of ascending codes, by a radix sort."""
    count, digits = len(code), 1 << _RADIX
    now, other = np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64)
    for p in range(count):
        now[p] = p
    starts = np.empty(digits + 1, dtype=np.int64)
    for shift in range(0, bits, _RADIX):
        starts[:] = 0
        for p in range(count):
            starts[((code[p] >> shift) & (digits - 1)) + 1] += 1
        for digit in range(digits):
            starts[digit + 1] += starts[digit]
        for p in range(count):
            digit = (code[now[p]] >> shift) & (digits - 1)
            other[starts[digit]] = now[p]
            starts[digit] += 1
        now, other = other, now
    for p in range(count):
        order[p] = now[p]
