"""The default model's likelihood in one compiled loop: a hinge with offsets integrated out.

Other models use whole arrays: of the expected score, then of its likelihood, for each node of the
integral over groups' offsets. Here all steps are done for a few particles at a time, in memory that
fits into a core's first cache. Before the changepoint the expected score is the floor whatever the
offset, so those terms are computed once and not for every node. Rational factors of gamma
functions, and the rising factorials of small counts, are multiplied over all points, with mantissas
and exponents separate, and need one logarithm a particle.

Rows are independent, and the particles of a row are divided at the same places in any batch, so
results do not depend on batching. A particle with other particles beside it has the same result up
to rounding only: terms at the floor are reused where all particles of a piece allow it.
"""

import numpy as np
from numba import njit

from upturn.arrays.compiled import compiled, inner, inside, widest
from upturn.arrays.elementary import exp_of_negative, log, normalised, rising, two_risings
from upturn.arrays.types import Floats, Integers

# Parts with loops are inlined by numba, not by LLVM: otherwise LLVM does not know that arrays do
# not overlap when it makes vector instructions (with LLVM's inlining it ran 14 % longer).

PARTICLES = 128  # at a time
LOG_STANDARD_NORMAL = -0.9189385332046727
LOG_2 = 0.6931471805599453
FEW = 10.0  # counts up to which a rising factorial is multiplied out, without a logarithm


@compiled
def hinge(
    points: Floats,
    starts: Integers,
    nodes: Integers,
    step: Floats,
    first: Floats,
    parameters: Floats,
    ceiling: Floats,
    counted: bool,
    out: Floats,
) -> None:
    """Add the terms that depend on the expected score, integrated over groups' offsets, to out.

    Parameters
    ----------
    points : array (row, 3, point)
        u, score and trials; points of one group together.
    starts : array (row, group + 1)
        The first point of each group, and the end of the last group.
    nodes : array (row, group)
        The number of nodes of the integral over each group's offset.
    step : array (row, group)
        The distance between nodes; 0 for a single node, whose offset is not integrated over.
    first : array (row, group, particle)
        The first node, in standard deviations of the offset.
    parameters : array (row, 6, particle)
        Scatter, changepoint, rate, floor, height, noise: 1/rho - 1 of the beta-binomial, or the
        standard deviation of the normal.
    ceiling : array (row,)
    counted : bool
        Whether the likelihood is the beta-binomial; otherwise it is the normal.
    out : array (row, particle)
    """
    widest()
    rows, particles = out.shape
    values = np.empty((_most(nodes), PARTICLES))
    at_floor = np.empty((points.shape[2], PARTICLES))
    theta, work = np.empty((6, PARTICLES)), np.empty((5, PARTICLES))
    for r in range(rows):
        for c in range(0, particles, PARTICLES):
            width = min(PARTICLES, particles - c)
            for i in range(6):  # copies, so that loops over them are over whole arrays
                for n in range(width):
                    theta[i, n] = parameters[r, i, c + n]
            for g in range(nodes.shape[1]):
                begin, end, count = starts[r, g], starts[r, g + 1], nodes[r, g]
                if begin == end:
                    continue
                here = points[r, :, begin:end]
                if count > 1:
                    _known(here, theta, work, counted, width, at_floor)
                for node in range(count):
                    for n in range(width):
                        work[0, n] = first[r, g, c + n]
                    _place(theta, work, step[r, g] * node, width, values[node])
                    _sum(
                        here,
                        theta,
                        work,
                        ceiling[r],
                        count > 1,
                        at_floor,
                        counted,
                        width,
                        values[node],
                    )
                constant = 0.0
                if step[r, g] > 0.0:
                    _log_sum(values, count, width, work[0])
                    constant = LOG_STANDARD_NORMAL + np.log(step[r, g])
                for n in range(width):
                    out[r, c + n] += values[0, n] + constant


@inner
def _most(nodes: Integers) -> int:
    """The largest number of nodes."""
    most = 0
    for row in nodes:
        for count in row:
            most = max(most, count)
    return most


@njit(inline="always")
def _known(
    points: Floats, theta: Floats, work: Floats, counted: bool, width: int, out: Floats
) -> None:
    """The terms of each point at an expected score equal to the floor."""
    for p in range(points.shape[1]):
        for n in range(width):
            out[p, n] = 0.0
        _begin(work, width)
        _add(theta[3], theta[5], points[1, p], points[2, p], counted, width, work, out[p])
        _end(work, width, out[p])


@njit(inline="always")
def _sum(
    points: Floats,
    theta: Floats,
    work: Floats,
    ceiling: float,
    known: bool,
    at_floor: Floats,
    counted: bool,
    width: int,
    out: Floats,
) -> None:
    """Add the terms of every point; from `at_floor` before the changepoints of all particles."""
    _begin(work, width)
    for p in range(points.shape[1]):
        risen = _risen(work[1], points[0, p], width)
        if known and not risen:
            same = at_floor[p]
            for n in range(width):
                out[n] += same[n]
            continue
        if risen:
            _expect(theta, work, points[0, p], ceiling, width)
        else:
            mean, floor = work[2], theta[3]
            for n in range(width):
                mean[n] = floor[n]
        _add(work[2], theta[5], points[1, p], points[2, p], counted, width, work, out)
    _end(work, width, out)


@njit(inline="always")
def _begin(work: Floats, width: int) -> None:
    """Start with no factors: their product is work[3] times 2 to the power work[4]."""
    for n in range(width):
        work[3, n] = 1.0
        work[4, n] = 0.0


@njit(inline="always")
def _end(work: Floats, width: int, out: Floats) -> None:
    """Add the logarithm of the product, the only one of all factors."""
    product, power = work[3], work[4]
    for n in range(width):
        out[n] += log(product[n]) + LOG_2 * power[n]


@njit(inline="always")
def _place(theta: Floats, work: Floats, ahead: float, width: int, out: Floats) -> None:
    """Set work[1] to the shift from a point's u to its distance beyond the changepoint.

    The first node is in work[0]; out becomes the logarithm of the offset's prior.
    """
    first, beyond, scatter, changepoint = work[0], work[1], theta[0], theta[1]
    for n in range(width):
        epsilon = first[n] + ahead
        out[n] = -0.5 * epsilon * epsilon
        beyond[n] = scatter[n] * epsilon - changepoint[n]


@njit(inline="always")
def _risen(beyond: Floats, u: float, width: int) -> bool:
    """Whether a point lies beyond the changepoint of any particle."""
    count = 0
    for n in range(width):
        count += u + beyond[n] > 0.0
    return count > 0


@njit(inline="always")
def _expect(theta: Floats, work: Floats, u: float, ceiling: float, width: int) -> None:
    """Set work[2] to the expected scores of a point."""
    rate, floor, height = theta[2], theta[3], theta[4]
    beyond, mean = work[1], work[2]
    for n in range(width):
        share = height[n] - height[n] * exp_of_negative(-rate[n] * max(u + beyond[n], 0.0))
        mean[n] = floor[n] + (ceiling - floor[n]) * share


@njit(inline="always")
def _add(
    mean: Floats,
    noise: Floats,
    y: float,
    n: float,
    counted: bool,
    width: int,
    work: Floats,
    out: Floats,
) -> None:
    """Add the terms of a point; in one loop with the mean, neither would be vectorised."""
    if counted:
        _rise(mean, noise, y, n - y, width, work[3], work[4], out)
    else:
        for i in range(width):
            residual = (y - mean[i]) / noise[i]
            out[i] -= 0.5 * residual * residual


@njit(inline="always")
def _rise(
    mean: Floats,
    size: Floats,
    k: float,
    m: float,
    width: int,
    product: Floats,
    power: Floats,
    out: Floats,
) -> None:
    """Add the two log_risings of the beta-binomial, their factors to the product times 2^power."""
    few, others_few = k <= FEW and k == np.floor(k), m <= FEW and m == np.floor(m)
    if few:
        _multiply(mean, size, 0.0, 1.0, int(k), width, product)
    if others_few:
        _multiply(mean, size, 1.0, -1.0, int(m), width, product)
    if few and others_few:
        for i in range(width):
            product[i], exponent = normalised(product[i])
            power[i] += exponent
    elif not few and not others_few:
        for i in range(width):
            alpha = inside(mean[i]) * size[i]
            total, factor = two_risings(alpha, k, size[i] - alpha, m)
            product[i], exponent = normalised(product[i] * factor)
            power[i] += exponent
            out[i] += total
    elif few:
        for i in range(width):
            total, factor = rising(size[i] - inside(mean[i]) * size[i], m)
            product[i], exponent = normalised(product[i] * factor)
            power[i] += exponent
            out[i] += total
    else:
        for i in range(width):
            total, factor = rising(inside(mean[i]) * size[i], k)
            product[i], exponent = normalised(product[i] * factor)
            power[i] += exponent
            out[i] += total


@njit(inline="always")
def _multiply(
    mean: Floats, size: Floats, constant: float, slope: float, k: int, width: int, product: Floats
) -> None:
    """Multiply by x (x + 1) … (x + k - 1), x = (constant + slope mean) size."""
    for j in range(k):
        for i in range(width):
            product[i] *= constant * size[i] + slope * (inside(mean[i]) * size[i]) + j


@njit(inline="always")
def _log_sum(values: Floats, count: int, width: int, total: Floats) -> None:
    """Log of the sum of exp over the first `count` rows, into the first; `total` is work space."""
    most = values[0]
    if count == 1:
        return
    for n in range(width):
        total[n] = most[n]
    for node in range(1, count):
        row = values[node]
        for n in range(width):
            total[n] = max(total[n], row[n])
    for node in range(count):
        row = values[node]
        for n in range(width):
            row[n] = exp_of_negative(row[n] - total[n])
    for node in range(1, count):
        row = values[node]
        for n in range(width):
            most[n] += row[n]
    for n in range(width):
        most[n] = total[n] + log(most[n])
