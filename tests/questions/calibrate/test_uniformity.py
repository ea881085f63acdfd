"""Uniformity: the exact probability of an envelope, against enumeration, simulation and ArviZ."""

from itertools import product
from math import factorial

import numpy as np
import pytest
from scipy import stats

from upturn.questions.calibrate import uniformity


def by_enumeration(count, bound):
    """The same probability by adding up all ways in which a small sample can fall into cells."""
    z = uniformity.places(count)
    cells = np.diff(np.concatenate([[0], z, [1]]))
    total = 0.0
    for fall in product(range(count + 1), repeat=len(cells)):
        if sum(fall) != count:
            continue
        below = np.cumsum(fall)[:-1]
        tails = 2 * np.minimum(
            stats.binom.cdf(below, count, z), stats.binom.sf(below - 1, count, z)
        )
        if (tails >= bound).all():
            ways = factorial(count) / np.prod([factorial(k) for k in fall])
            total += ways * np.prod(cells ** np.array(fall))
    return total


@pytest.mark.parametrize("count", [3, 5])
@pytest.mark.parametrize("bound", [0.05, 0.3, 0.7])
def test_the_probability_of_a_band_is_exact(count, bound):
    assert uniformity.inside(count, bound) == pytest.approx(by_enumeration(count, bound), abs=1e-12)


@pytest.mark.parametrize("count", [20, 150, 700])
def test_p_values_of_uniform_samples_are_uniform(count):
    """A p-value below 0.1 in a tenth of 1,000 samples, within four standard errors; seeded."""
    rng = np.random.default_rng(count)
    bound = uniformity.bound_for(count, 0.9)
    found = np.array([uniformity.statistic(rng.uniform(size=count)) for _ in range(1000)])
    outside = 1 - uniformity.inside(count, bound)
    assert outside <= 0.1
    assert (found < bound).mean() == pytest.approx(outside, abs=4 * np.sqrt(0.09 / 1000))


def test_a_p_value_is_the_chance_of_a_statistic_as_small():
    rng = np.random.default_rng(1)
    sample = rng.uniform(size=60)
    p, seen = uniformity.p_value(sample), uniformity.statistic(sample)
    others = [uniformity.statistic(rng.uniform(size=60)) for _ in range(2000)]
    share = np.mean(np.array(others) <= seen * (1 + 1e-9))
    assert p == pytest.approx(share, abs=4 * np.sqrt(p * (1 - p) / 2000))


def test_what_is_not_uniform_is_found():
    rng = np.random.default_rng(2)
    for wrong in (rng.beta(2, 2, 200), rng.beta(0.6, 0.6, 200), rng.beta(1.6, 1, 200)):
        assert uniformity.p_value(wrong) < 1e-3
    assert np.isnan(uniformity.p_value(np.array([])))


def test_an_envelope_is_that_of_arviz():
    """ArviZ has the bands at a given bound; which bound, it finds by simulation."""
    from arviz_stats.ecdf_utils import get_pointwise_confidence_band, simulate_confidence_bands

    count, level = 80, 0.95
    z, low, high = uniformity.envelope(count, level)
    bound = uniformity.bound_for(count, level)
    theirs = get_pointwise_confidence_band(1 - bound, count, z)
    np.testing.assert_allclose(low, theirs[0])
    np.testing.assert_allclose(high, theirs[1])
    # 1 - bound is the 95 % quantile of what ArviZ simulates, but for its own error: fails once in
    # 10^4. Samples without a value below the first point, of whom ArviZ sees one tail only, differ.
    rng = np.random.default_rng(3)
    simulated = simulate_confidence_bands(count, 1, z, level, 3000, rng)
    assert uniformity.inside(count, 1 - simulated) == pytest.approx(level, abs=0.03)
