"""The hot loops over weights, compiled by numba; the formulas they follow are in `weights`."""

import numpy as np
from numpy.typing import NDArray

from upturn.arrays.compiled import compiled, inner
from upturn.arrays.elementary import exp_of_negative, log
from upturn.arrays.types import Floats


@compiled
def log_mixture(logs: Floats, shares: Floats, out: Floats) -> None:
    """The logarithm of the sum over sources of share times exp(log): (source, cell) to (cell,)."""
    sources, cells = logs.shape
    for c in range(cells):
        top = logs[0, c]
        for s in range(1, sources):
            top = max(top, logs[s, c])
        total = 0.0
        for s in range(sources):
            total += shares[s] * exp_of_negative(logs[s, c] - top)
        out[c] = top + log(total)


@compiled
def temperatures(
    offset: Floats, log_likelihood: Floats, before: Floats, size: float, halvings: int,
    coldest: float, out: Floats,
) -> None:  # fmt: skip
    """The highest inverse temperature at which each row keeps an effective size, by bisection."""
    rows, count = offset.shape
    weights, squares = np.empty(count), np.empty(count)
    for r in range(rows):
        if _size(offset[r], log_likelihood[r], 1.0, weights, squares) >= size:
            out[r] = 1.0
            continue
        start = np.log(max(before[r], coldest))
        low, high = start, 0.0
        for _ in range(halvings):
            middle = 0.5 * (low + high)
            if _size(offset[r], log_likelihood[r], np.exp(middle), weights, squares) >= size:
                low = middle
            else:
                high = middle
        out[r] = np.exp(low) if low > start else before[r]


@inner
def _size(
    offset: Floats, log_likelihood: Floats, heat: float, weights: Floats, squares: Floats
) -> float:
    """(sum w)^2 / sum w^2 of the weights at an inverse temperature; the last two are work."""
    count = len(offset)
    top = -np.inf
    for p in range(count):
        weights[p] = offset[p] + heat * log_likelihood[p]
    for p in range(count):
        top = max(top, weights[p])
    for p in range(count):
        weights[p] = exp_of_negative(weights[p] - top)
        squares[p] = weights[p] * weights[p]
    total = _folded(weights, count)
    return total * total / _folded(squares, count)


@inner
def _folded(values: Floats, count: int) -> float:
    """The sum, by adding halves to halves in vector instructions; the values are overwritten."""
    while count > 1:
        half = count // 2
        for p in range(half):
            values[p] += values[count - half + p]
        count -= half
    return values[0]


@compiled
def systematic(weights: Floats, offset: Floats, out: NDArray[np.intp]) -> None:
    """The particles under equidistant marks on the summed weights: (row, mark)."""
    rows, particles = weights.shape
    count = out.shape[1]
    for r in range(rows):
        whole = 0.0
        for p in range(particles):
            whole += weights[r, p]
        summed, mark = 0.0, 0
        for p in range(particles):
            summed += weights[r, p]
            # mark i, at (i + offset) / count, lies below a sum where i < sum * count - offset
            passed = np.ceil(summed / whole * count - offset[r]) if summed < whole else count
            while mark < min(passed, count):
                out[r, mark] = p
                mark += 1
