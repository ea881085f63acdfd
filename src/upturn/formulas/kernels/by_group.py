"""The hot loops of the likelihoods, compiled by numba.

LLVM turns them into vector instructions; the functions that they call are in
`upturn.arrays.elementary`. The order of sums does not depend on the size of a batch, so results are
the same to the bit however rows are divided into batches.
"""

import numpy as np
from numpy.typing import NDArray

from upturn.arrays.compiled import compiled, inside, widest
from upturn.arrays.elementary import exp_of_negative, log, rising, two_log_risings
from upturn.arrays.elementary import log_gamma as _log_gamma
from upturn.arrays.special import CELL_SIZE, _log_cell
from upturn.arrays.types import Floats


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
    """Subtract from out (row, particle) the part that is free of the mean: count × log_rising.

    size is (row, particle); trials are the distinct numbers of trials and counts the points that
    have them, both (row, value), with a count of 0 as padding.
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


@compiled
def beta_density(
    mean: Floats,
    size: Floats,
    y: Floats,
    cell: float,
    group: NDArray[np.int32],
    out: Floats,
) -> None:
    """The same for the beta density of a proportion y, constant within a cell of 0 and of 1."""
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
                    # noise far below that of rounding is no smaller than this
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
    """Add exp(x) to a sum exp(top) total, with top the largest exponent so far; all flat."""
    for i in range(len(x)):
        before = top[i]
        top[i] = max(before, x[i])
        total[i] = total[i] * exp_of_negative(before - top[i]) + exp_of_negative(x[i] - top[i])
