"""Gaps: where they lie, and densities and draws in log odds against quadrature and each other."""

import itertools
import os
from dataclasses import replace

import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import expit

from tests.support.mixtures import random_mixture, with_a_gap
from tests.support.tables import table
from tests.support.targets import target_of
from upturn.sampling.proposals import intervals, mixtures
from upturn.sampling.proposals.intervals import END, Interval

SEED = int(os.environ.get("UPTURN_TEST_SEED", "0"))


# --- where they lie -------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["hinge", "takeoff"])
def test_at_a_mark_the_changepoint_is_at_an_observation(model):
    target = target_of(table(11), model)
    marks = target.marks
    assert marks.shape == (1, 12)
    assert marks[0, -1] == END
    z = np.zeros((1, target.dimension, 12))
    z[0, 0] = marks[0]
    found = target.parameters(np.array([0]), z)["changepoint"][0, :11]
    # those at the ends of the range are at the ends of the prior
    np.testing.assert_allclose(found, np.sort(target.u[0]), atol=1e-9)


def test_a_model_without_changepoint_has_no_marks():
    assert target_of(table(11), "logistic").marks is None


def test_marks_are_in_order_and_finite():
    found = intervals.marks(np.array([[1.0, np.nan, -np.inf], [np.inf, 2.0, 0.5]]))
    assert found.tolist() == [[-END, 1.0, END, END], [0.5, 2.0, END, END]]


def test_the_gap_with_most_before_its_end_is_found():
    """Few at the end of one interval count for more than many in the middle of another."""
    first = np.linspace(-0.5, 0.5, 4000)
    first[:200] = 0.999
    z = np.stack([np.random.default_rng(0).permutation(first), np.zeros(4000)])[None]
    marks = np.array([[-2.0, -1.0, 1.0, 2.0]])
    found = Interval.before_observation(z, marks)
    assert (found.low[0], found.high[0]) == (-1.0, 1.0)
    # where nothing is before an end, most particles decide
    found = Interval.before_observation(0.1 * z, marks[:, [0, 3]])
    assert (found.low[0], found.high[0]) == (-2.0, 2.0)
    # beyond the last mark too, and whatever coincides
    found = Interval.before_observation(z + 5, np.array([[2.0, 2.0, 2.0, 2.0]]))
    assert (found.low[0], found.high[0]) == (2.0, END)


def test_what_is_placed_has_its_odds():
    rng = np.random.default_rng(0)
    interval = Interval(np.array([-1.0, 0.2]), np.array([-0.5, 3.0]))
    z = rng.normal(size=(2, 3, 50))
    placed = interval.placed(z, z[:, 0] < 1)
    assert (interval.holds(placed[:, 0]) | (z[:, 0] >= 1)).all()
    assert (placed[:, 0] == z[:, 0])[z[:, 0] >= 1].all()
    odds, slope = interval.odds(placed)
    np.testing.assert_allclose(odds[:, 0][z[:, 0] < 1], z[:, 0][z[:, 0] < 1], rtol=1e-10)
    assert (odds[:, 1:] == z[:, 1:]).all()
    assert (slope == 0)[~interval.holds(placed[:, 0])].all()
    step = 1e-6 * (interval.high - interval.low)[:, None, None] * np.array([1.0, 0, 0])[:, None]
    inside = interval.holds(placed[:, 0] + 2 * step[:, 0]) & interval.holds(
        placed[:, 0] - 2 * step[:, 0]
    )
    ahead, behind = interval.odds(placed + step)[0], interval.odds(placed - step)[0]
    by_difference = (ahead - behind)[:, 0] / (2 * step[:, 0])
    np.testing.assert_allclose(-slope[inside], by_difference[inside], rtol=1e-3)


# --- densities and draws --------------------------------------------------------------------------


def test_density_integrates_to_one():
    mixture = with_a_gap(1, 1)

    def density(z):
        return np.exp(mixture.log_density(np.full((1, 1, 1), z))[0, 0])

    def by_odds(odds):
        """The interval's ends have peaks that only odds resolve."""
        inside = expit(odds)
        return density(-0.4 + 0.7 * inside) * 0.7 * inside * expit(-odds)

    # t's of four degrees of freedom: beyond 1,000 lies some 10^-12
    outer = [(-1e3, -20), (-20, -5), (-5, -0.4), (0.3, 5), (5, 20), (20, 1e3)]
    # odds e^30 apart are the last that doubles tell apart; t's have 10^-6 of theirs beyond
    inner = itertools.pairwise([-30, -8, -2, 2, 8, 30])
    total = sum(integrate.quad(density, a, b)[0] for a, b in outer)
    total += sum(integrate.quad(by_odds, a, b)[0] for a, b in inner)
    assert total == pytest.approx(1, abs=1e-4)


def test_draws_follow_the_density():
    """In one dimension, by the integrated density: Kolmogorov-Smirnov, 1 in 10^6 by chance."""
    mixture = with_a_gap(1, 1)
    z = mixture.draw(np.random.default_rng(SEED).random((1, 3, 20_000)))[0, 0]
    inside = -0.4 + 0.7 * expit(np.linspace(-30, 30, 200_001))
    grid = np.unique(np.concatenate([np.linspace(-60, 60, 200_001), [-0.4, 0.3], inside]))

    def p_value(mixture):
        density = np.exp(mixture.log_density(grid[None, None]))[0]
        below = integrate.cumulative_trapezoid(density, grid, initial=0)
        return stats.kstest(z, lambda x: np.interp(x, grid, below / below[-1])).pvalue

    assert p_value(mixture) > 1e-6
    # negative control: the density with no Student-t in the interval
    assert p_value(random_mixture(1, 1, 4)) < 1e-6


def test_draws_are_weighted_to_any_expectation():
    """Importance weights of N(0, I) have mean one: z-score over 30,000 draws, 6 in 10^7 by chance.

    Not seen in one dimension: how the coordinates of one draw depend on each other.
    """
    mixture = with_a_gap(1, 3)
    z = mixture.draw(np.random.default_rng(SEED).random((1, 5, 30_000)))
    weights = np.exp(mixtures.log_standard_normal(z) - mixture.log_density(z))[0]

    def score(value, expected):
        return (value.mean() - expected) / (value.std() / np.sqrt(len(value)))

    within = mixture.near.interval.holds(z[:, 0])[0]
    expected = stats.norm.cdf(0.3) - stats.norm.cdf(-0.4)
    assert abs(score(weights, 1)) < 5
    assert abs(score(weights * within, expected)) < 5
    assert abs(score(weights * within * z[0, 1] ** 2, expected)) < 5
    assert abs(score(weights * z[0, 0] * z[0, 1], 0)) < 5
    # negative control: a density that leaves the derivative of the odds out
    odds, _ = mixture.near.interval.odds(z)
    share = (1 - mixtures.DEFENSE) * mixture.near.share[0]
    without = np.exp(random_mixture(1, 3, 4).log_density(z)) * (1 - share)
    wrong = without + share * within * np.exp(mixture.near.students.log_density(odds))
    assert abs(score(np.exp(mixtures.log_standard_normal(z))[0] / wrong[0], 1)) > 5


@pytest.mark.parametrize("particles", [1, 512, 513, 3000])
def test_a_row_alone_has_the_same_bits_as_in_a_batch(particles):
    mixture = with_a_gap(5, 4)
    uniform = np.random.default_rng(0).random((5, 6, particles))
    z = mixture.draw(uniform)
    density = mixture.log_density(z)
    for row in range(5):
        alone = mixture.take(np.array([row]))
        assert (alone.draw(uniform[[row]]) == z[row]).all()
        assert (alone.log_density(z[[row]]) == density[row]).all()


def test_the_share_of_a_gap_is_the_likeliest():
    """Found by expectation maximisation, as by a search; what no log odds fit has next to none."""
    mixture = with_a_gap(1, 2)
    near = mixture.near
    plain = type(mixture)(*(getattr(mixture, n) for n in ("centre", "scale", "weights")),
                          mixture.means, mixture.roots)  # fmt: skip
    z = mixture.draw(np.random.default_rng(SEED).random((1, 4, 4000)))
    found = mixtures.with_interval(plain, near, z).near.share[0]

    def log_likelihood(share):
        both = replace(plain, near=replace(near, share=np.array([share])))
        return both.log_density(z).sum()

    shares = np.linspace(0.01, 0.89, 89)
    best = shares[np.argmax([log_likelihood(share) for share in shares])]
    assert found == pytest.approx(best, abs=0.03)
    elsewhere = plain.draw(np.random.default_rng(SEED).random((1, 4, 4000)))
    assert mixtures.with_interval(plain, near, elsewhere).near.share[0] < found / 4
