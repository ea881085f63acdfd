"""The likelihood of scores of a run, whose noise is correlated, in compiled loops.

The formulas are those of `upturn.formulas.likelihoods.autocorrelation`, which explains them, over
rows, points and particles at once; as in `upturn.formulas.kernels.by_group`, results are the same
bits however the rows are cut.
"""

import numpy as np
from numpy.typing import NDArray

from upturn.arrays.compiled import compiled, inlined, inside
from upturn.arrays.elementary import exp, log, log_rising, two_log_risings
from upturn.arrays.types import Floats

# The largest shift of the log odds of a score by those before it; the size alpha + beta beyond
# which the beta-binomial is the binomial; the constant that reduces the information of scores near
# 0 and 1 (see `autocorrelation`); and the difference of states below which the effect of a point
# that is left out has faded.
FARTHEST_SHIFT = 40.0
LARGEST_SIZE = 1e8 - 1
DOUBT = 0.2
FADED = 1e-6

type Noise = tuple[Floats, Floats]  # size = 1/rho - 1 and correlation
type Scores = tuple[Floats, Floats, NDArray[np.int32]]  # successes, failures and group, -1 for none


@compiled
def beta_binomial_serial(mean: Floats, noise: Noise, scores: Scores, out: Floats) -> None:
    """Add to out[r, group[r, p], :] the log density of the points of a group, in their order.

    Without the binomial coefficients. The density of each point is conditional on those of its
    group before it, because the noise of neighbours is correlated.

    mean is (row, point, particle); noise is (row, particle), scores are (row, point), out is
    (row, group, particle).
    """
    (size, correlation), (successes, failures, group) = noise, scores
    rows, points, particles = mean.shape
    at = np.empty((out.shape[1], particles))
    variance = np.empty((out.shape[1], particles))
    for r in range(rows):
        at[:] = 0.0
        variance[:] = 1.0
        for p in range(points):
            g = group[r, p]
            if g < 0:
                continue
            k = successes[r, p]
            m = failures[r, p]
            for n in range(particles):
                density, place, left = _seen(
                    mean[r, p, n], size[r, n], at[g, n], variance[g, n], k, m
                )
                out[r, g, n] += density
                at[g, n], variance[g, n] = _later(correlation[r, n], place, left)


@compiled
def beta_binomial_left_out(
    mean: Floats, noise: Noise, scores: Scores, out: Floats, total: Floats
) -> None:
    """Log densities of points given all others of their groups, and of whole groups.

    The first go to out (point, particle), 0 outside groups; the second are added to total (group,
    particle). Other arguments are as for `beta_binomial_serial`, without rows. Leaving out a point
    leaves one step of the noise unobserved; the effect on later points fades, and is followed until
    it is negligible.
    """
    (size, correlation), (successes, failures, group) = noise, scores
    points, particles = mean.shape
    groups = total.shape[0]
    at = np.zeros((points + groups, particles))
    variance = np.ones((points + groups, particles))
    last = np.arange(points, points + groups)  # the row of each group's state
    density = np.zeros((points, particles))
    for p in range(points):
        g = group[p]
        if g < 0:
            continue
        for n in range(particles):
            at[p, n] = at[last[g], n]
            variance[p, n] = variance[last[g], n]
        last[g] = points + g
        for n in range(particles):
            density[p, n], place, left = _seen(
                mean[p, n], size[n], at[p, n], variance[p, n], successes[p], failures[p]
            )
            total[g, n] += density[p, n]
            at[points + g, n], variance[points + g, n] = _later(correlation[n], place, left)
    at_without = np.empty(particles)
    variance_without = np.empty(particles)
    for p in range(points):
        g = group[p]
        if g < 0:
            continue
        for n in range(particles):
            out[p, n] = density[p, n]
            at_without[n], variance_without[n] = _later(correlation[n], at[p, n], variance[p, n])
        for q in range(p + 1, points):
            if group[q] != g:
                continue
            apart = 0.0
            for n in range(particles):
                apart = max(apart, abs(at_without[n] - at[q, n]))
                apart = max(apart, abs(variance_without[n] - variance[q, n]))
            if apart < FADED:
                break
            for n in range(particles):
                other, place, left = _seen(
                    mean[q, n], size[n], at_without[n], variance_without[n],
                    successes[q], failures[q],
                )  # fmt: skip
                out[p, n] += density[q, n] - other
                at_without[n], variance_without[n] = _later(correlation[n], place, left)


@inlined
def _seen(
    mean: float, size: float, at: float, variance: float, k: float, m: float
) -> tuple[float, float, float]:
    """Log density of k successes and m failures, and mean and variance of the noise after them."""
    middle = inside(mean)
    a = middle * size
    b = size - a
    sd = np.sqrt(_spread_of_log_odds(a, b))
    gain = a * b / ((a + DOUBT) * (b + DOUBT))
    shift = exp(min(max(sd * at, -FARTHEST_SHIFT), FARTHEST_SHIFT))
    odds = middle / (1.0 - middle) * shift
    whole = min((size + 1.0) / variance - 1.0, LARGEST_SIZE)
    a = inside(odds / (1.0 + odds)) * whole
    b = whole - a
    density = two_log_risings(a, k, b, m) - log_rising(whole, k + m)
    left = _spread_of_log_odds(a + k, b + m) / _spread_of_log_odds(a, b)
    moved = gain * _moved_log_odds(a, b, k, m) / sd
    return density, at + moved, variance * (1.0 - gain * (1.0 - left))


@inlined
def _later(correlation: float, at: float, variance: float) -> tuple[float, float]:
    """The state a step later."""
    return correlation * at, correlation * correlation * (variance - 1.0) + 1.0


@inlined
def _spread_of_log_odds(a: float, b: float) -> float:
    """The approximate variance of logit x, x ~ Beta(a, b)."""
    c, d = 1.0 / (a + 0.25), 1.0 / (b + 0.25)
    return c * c + d * d + 1.0 / (a + 0.5) + 1.0 / (b + 0.5)


@inlined
def _moved_log_odds(a: float, b: float, k: float, m: float) -> float:
    """The approximate change of the mean of logit x, x ~ Beta(a, b), by k successes, m failures."""
    c, d = a + k, b + m
    ratio = (c + 0.5) * (b + 0.5) / ((d + 0.5) * (a + 0.5))
    before = 1.0 / (a + 0.25) - 1.0 / (b + 0.25)
    return log(ratio) + before - 1.0 / (c + 0.25) + 1.0 / (d + 0.25)
