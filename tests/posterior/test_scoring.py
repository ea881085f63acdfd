"""Scores against their definitions."""

import numpy as np
from scipy import stats
from scipy.integrate import quad

from upturn.posterior.scoring import covered, crps, quantiles


def test_crps_is_the_integral_of_its_definition():
    """The integral of (F(x) - 1{x >= y})^2, F a step function of weighted draws."""
    rng = np.random.default_rng(1)
    draws, weight = rng.normal(size=(3, 7)), rng.dirichlet(np.ones(7))
    seen = np.array([-0.3, 0.9, 4.0])
    got = crps(draws, weight, seen)
    for one, y, value in zip(draws, seen, got, strict=True):
        knots = np.sort(np.append(one, y))
        inner = (knots[1:] + knots[:-1]) / 2
        below = (weight * (one <= inner[:, None])).sum(axis=1)
        integral = ((below - (inner >= y)) ** 2 * np.diff(knots)).sum()
        np.testing.assert_allclose(value, integral, rtol=1e-12)


def test_crps_of_fine_quantiles_is_that_of_the_normal():
    level = (np.arange(4000) + 0.5) / 4000
    y = 0.7
    exact = quad(lambda x: (stats.norm.cdf(x) - (x >= y)) ** 2, -12, 12, points=[y])[0]
    got = crps(stats.norm.ppf(level)[None], np.full(4000, 1 / 4000), np.array([y]))[0]
    np.testing.assert_allclose(got, exact, rtol=1e-3)


def test_quantiles_of_weighted_draws_are_those_of_repeated_ones():
    rng = np.random.default_rng(2)
    draws, times = rng.normal(size=(4, 6)), np.array([1, 5, 2, 7, 1, 4])
    levels = np.array([0.05, 0.31, 0.5, 0.95])
    repeated = np.repeat(draws, times, axis=1)
    expected = np.quantile(repeated, levels, axis=1, method="inverted_cdf")
    np.testing.assert_array_equal(quantiles(draws, times / times.sum(), levels), expected)


def test_intervals_hold_as_often_as_they_say():
    """2,000 normal scores: 90 % intervals hold 90 % to within 4 standard errors (p < 1e-4)."""
    rng = np.random.default_rng(3)
    draws, seen = rng.normal(size=(2000, 400)), rng.normal(size=2000)
    share = covered(draws, np.full(400, 1 / 400), seen, 0.9).mean()
    assert abs(share - 0.9) < 4 * np.sqrt(0.09 / 2000) + 0.005


def test_an_interval_holds_its_ends():
    draws = np.array([[0.0, 0.0, 0.5, 1.0, 1.0]])
    even = np.full(5, 0.2)
    assert covered(draws, even, np.array([0.0]), 0.9)[0]
    assert covered(draws, even, np.array([1.0 + 1e-12]), 0.9)[0]
    assert not covered(draws, even, np.array([1.1]), 0.9)[0]


def test_an_interval_has_the_levels_that_it_says():
    """Of 0 to 99, each as likely: 90 % lie from 4 to 94, and so much is held."""
    draws, even = np.arange(100.0)[None], np.full(100, 0.01)
    held = [covered(draws, even, np.array([float(y)]), 0.9)[0] for y in range(-1, 101)]
    assert np.flatnonzero(held).tolist() == list(range(5, 96))  # places of 4 to 94


def test_a_level_beyond_all_weight_is_the_largest_draw():
    """Weights that sum to a little less than 1."""
    draws, weight = np.arange(10.0)[None], np.full(10, 0.0999)
    assert quantiles(draws, weight, np.array([0.9999]))[0, 0] == 9
