"""The hot loops of the likelihoods, compiled by numba.

They are written so that LLVM turns them into vector instructions; what they call is in
`upturn.elementary`.

Nothing is summed in an order that depends on the size of the batch, so results are the same bits
however the rows are cut.
"""

from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from upturn.elementary import exp_of_negative, log, rising, two_log_risings
from upturn.elementary import log_gamma as _log_gamma
from upturn.elementary import log_rising as _log_rising
from upturn.validate import Floats

MEAN_MARGIN = 1e-9
# Of the beta density at a printed 0 or 1: the size at which the sd of a mean of 5e-4 is that of
# rounding, and terms of a series that then has 1e-8 of the probability.
CELL_SIZE = 1e4
CELL_TERMS = 22


def compiled(function: Any) -> Any:
    """Compile on first use, and keep the machine code on disk where there is a place for it."""
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": {"contract"}}
    try:
        return njit(cache=True, **options)(function)
    except RuntimeError:  # neither the package nor the user's cache folder can be written
        return njit(**options)(function)


def _widest(typing_context: Any) -> Any:
    """To be called in a hot loop's function: use the widest vectors that the processor has.

    For many processors LLVM keeps to half of them, since older ones slowed down when the wide ones
    were in use. It is a wish: a processor without them, or LLVM without the attribute, has none.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        # llvmlite lists attributes that it knows, and this is LLVM's own
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.void(), generate


widest: Any = intrinsic(_widest)  # called without the context


@njit(inline="always")
def inside(mean: float) -> float:
    """A proportion kept off 0 and 1, where it would forbid what rounding can produce."""
    return min(max(mean, MEAN_MARGIN), 1.0 - MEAN_MARGIN)


@compiled
def log_rising(x: Floats, k: Floats) -> Floats:
    """Log rising factorials of two flat arrays of one length."""
    out = np.empty_like(x)
    for i in range(x.size):
        out[i] = _log_rising(x[i], k[i])
    return out


@compiled
def log_gamma(x: Floats) -> Floats:
    """Log Gamma(x) of a flat array."""
    out = np.empty_like(x)
    for i in range(x.size):
        out[i] = _log_gamma(x[i])
    return out


@compiled
def beta_binomial(
    mean: Floats,
    size: Floats,
    successes: Floats,
    failures: Floats,
    group: NDArray[np.int32],
    out: Floats,
) -> None:
    """Add to out[r, group[r, p], :] the part of the beta-binomial that depends on the mean.

    log_rising(mean size, k) + log_rising((1 - mean) size, n - k) of each point p.

    mean is (row, point, particle); size = 1/rho - 1 is (row, particle); successes, failures and
    group are (row, point), group -1 leaving a point out; out is (row, group, particle).
    """
    widest()
    rows, points, particles = mean.shape
    for r in range(rows):
        for p in range(points):
            g = group[r, p]
            if g < 0:
                continue
            k = successes[r, p]
            m = failures[r, p]
            for n in range(particles):
                alpha = inside(mean[r, p, n]) * size[r, n]
                beta = size[r, n] - alpha
                out[r, g, n] += two_log_risings(alpha, k, beta, m)


@compiled
def beta_binomial_rest(size: Floats, trials: Floats, counts: Floats, out: Floats) -> None:
    """Take from out (row, particle) its part that is free of the mean, count × log_rising(size, n).

    size is (row, particle); trials, each number of them once, and how many points have it are
    (row, value), count 0 leaving one out.
    """
    widest()
    for r in range(len(size)):
        for v in range(trials.shape[1]):
            n, count = trials[r, v], counts[r, v]
            if count == 0.0:
                continue
            for i in range(size.shape[1]):
                total, factor = rising(size[r, i], n)
                out[r, i] -= count * (total + log(factor))


@njit(nogil=True)
def _log_cell(a: float, b: float, cell: float) -> float:
    """The logarithm of the probability of [0, cell] under Beta(a, b), by a series (DLMF 8.17.8)."""
    total = 1.0
    for n in range(CELL_TERMS - 1, -1, -1):
        total = 1.0 + (a + b + n) * cell / (a + 1.0 + n) * total
    front = a * np.log(cell) + b * np.log1p(-cell) - _log_gamma(a + 1.0) - _log_gamma(b)
    return front + _log_gamma(a + b) + np.log(total)


@compiled
def log_beta_cell(a: Floats, b: Floats, cell: Floats) -> Floats:
    """Logarithms of the probability of [0, cell] under Beta(a, b), a + b at most CELL_SIZE."""
    out = np.empty_like(a)
    for i in range(a.size):
        out[i] = _log_cell(a[i], b[i], cell[i])
    return out


@compiled
def beta_density(
    mean: Floats,
    size: Floats,
    y: Floats,
    cell: float,
    group: NDArray[np.int32],
    out: Floats,
) -> None:
    """The same for the beta density of a proportion y, that of [0, cell] and [1 - cell, 1] even."""
    rows, points, particles = mean.shape
    log_cell = np.log(cell)
    for r in range(rows):
        for p in range(points):
            g = group[r, p]
            if g < 0:
                continue
            low = y[r, p] < cell
            if low or y[r, p] > 1.0 - cell:
                for n in range(particles):
                    # noise far below what rounding makes is none
                    most = min(size[r, n], CELL_SIZE)
                    alpha = inside(mean[r, p, n]) * most
                    beta = most - alpha
                    a, b = (alpha, beta) if low else (beta, alpha)
                    out[r, g, n] += _log_cell(a, b, cell) - log_cell - _log_gamma(size[r, n])
                continue
            log_y, log_not_y = np.log(y[r, p]), np.log1p(-y[r, p])
            for n in range(particles):
                alpha = inside(mean[r, p, n]) * size[r, n]
                beta = size[r, n] - alpha
                out[r, g, n] += (
                    (alpha - 1.0) * log_y
                    + (beta - 1.0) * log_not_y
                    - _log_gamma(alpha)
                    - _log_gamma(beta)
                )


@compiled
def add_by_group(terms: Floats, group: NDArray[np.int32], out: Floats) -> None:
    """Add terms (row, point, particle) to out[r, group[r, p], :]; group -1 leaves a point out."""
    rows, points, particles = terms.shape
    for r in range(rows):
        for p in range(points):
            g = group[r, p]
            if g < 0:
                continue
            for n in range(particles):
                out[r, g, n] += terms[r, p, n]


@compiled
def mix_by_group(
    terms: Floats,
    kept: Floats,
    broken: Floats,
    uniform: Floats,
    group: NDArray[np.int32],
    out: Floats,
) -> None:
    """Add log(e^(kept + terms) + e^(broken + uniform)) to out[r, group[r, p], :].

    terms is (row, point, particle), kept and broken are (row, particle), uniform (row, point).
    """
    rows, points, particles = terms.shape
    for r in range(rows):
        for p in range(points):
            g = group[r, p]
            if g < 0:
                continue
            for n in range(particles):
                likely = kept[r, n] + terms[r, p, n]
                other = broken[r, n] + uniform[r, p]
                top = max(likely, other)
                out[r, g, n] += top + np.log1p(np.exp(min(likely, other) - top))


@compiled
def add_exponential(x: Floats, top: Floats, total: Floats) -> None:
    """Add exp(x) to exp(top) total, of which top is the largest exponent so far; all flat."""
    for i in range(len(x)):
        before = top[i]
        top[i] = max(before, x[i])
        total[i] = total[i] * exp_of_negative(before - top[i]) + exp_of_negative(x[i] - top[i])
