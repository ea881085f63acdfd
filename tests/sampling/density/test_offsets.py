"""Integrals over groups' offsets against integrals known in closed form."""

import numpy as np
import pytest
from scipy import stats

from upturn.formulas.likelihoods.likelihood import Data
from upturn.sampling.density import offsets
from upturn.sampling.density.offsets import Rule

GROUP = np.array([[0, 1, 1, 2, -1], [1, 0, 0, -1, -1]], dtype=np.int32)


def normal_terms(rows, groups, particles, spread):
    """Points y ~ N(u, spread): their sums over groups."""

    def terms(u, data):
        out = np.zeros((rows, groups, particles))
        each = stats.norm.logpdf(data.y[:, :, None], u, spread)
        for row in range(rows):
            for point, group in enumerate(data.group[row]):
                if group >= 0:
                    out[row, group] += each[row, point]
        return out

    return terms


def closed_form(y, u, scatter, spread):
    """Log of the integral of N(y; u + scatter e, spread) N(e; 0, 1): jointly normal."""
    covariance = spread**2 * np.eye(len(y)) + scatter**2
    return stats.multivariate_normal(u, covariance).logpdf(y)


@pytest.fixture
def problem():
    rng = np.random.default_rng(2)
    z = rng.normal(size=(2, 3, 40))
    u, scatter = rng.uniform(size=(2, 5, 1)), rng.uniform(0.1, 0.3, size=(2, 1, 40))
    data = Data(u[:, :, 0] + 0.1 * rng.normal(size=(2, 5)), np.zeros((2, 5)), GROUP)
    return z, scatter, u, data


def ordered(rule, u, data):
    """Points in the order of a rule."""
    y, group = (np.take_along_axis(v, rule.order, axis=1) for v in (data.y, data.group))
    return np.take_along_axis(u, rule.order[:, :, None], axis=1), Data(y, data.trials, group)


@pytest.mark.parametrize(
    "nodes",
    [[[60, 60, 60], [60, 60, 60]], [[40, 70, 50], [80, 45, 8]], [[99, 41, 60], [41, 99, 8]]],
)
def test_integral_is_the_closed_form(problem, nodes):
    """However the nodes are dealt out to groups; curve 1 has no group 2."""
    z, scatter, u, data = problem
    rule = Rule.of(GROUP, np.array(nodes))
    terms = normal_terms(2, 3, 40, spread=0.1)
    got = offsets.log_integral(rule, np.arange(2), z, scatter, *ordered(rule, u, data), terms)
    for row in range(2):
        for particle in range(40):
            expected = sum(
                closed_form(data.y[row, of], u[row, of, 0], scatter[row, 0, particle], 0.1)
                for of in (GROUP[row] == g for g in range(3))
                if of.any()
            )
            # the trapezoid rule is exact to 1e-4 here; what lies beyond REACH is 6e-5
            assert got[row, particle] == pytest.approx(expected, abs=1e-3)


def test_points_of_groups_with_many_nodes_come_first():
    rule = Rule.of(GROUP, np.array([[8, 30, 12], [20, 10, 8]]))
    assert GROUP[0][rule.order[0]].tolist() == [1, 1, 2, 0, -1]
    assert GROUP[1][rule.order[1]].tolist() == [0, 0, 1, -1, -1]
    assert rule.live[0, [0, 7, 8, 11, 12, 29]].tolist() == [4, 4, 3, 3, 2, 2]
    assert rule.live[1, [0, 9, 10, 19, 20]].tolist() == [3, 3, 2, 2, 0]


def test_spreads_are_those_of_the_closed_form(problem):
    """One over the root of 1 + n scatter^2 / spread^2, of a group of n."""
    z, scatter, u, data = problem
    rule = Rule.even(GROUP, 201, shifted=False)
    terms = normal_terms(2, 3, 40, spread=0.1)
    got = offsets.spreads(rule, np.arange(2), z, scatter, *ordered(rule, u, data), terms)
    for row, sizes in enumerate(([1, 2, 1], [2, 1, 0])):
        for group, size in enumerate(sizes):
            expected = 1 / np.sqrt(1 + size * (scatter[row, 0] / 0.1) ** 2)
            np.testing.assert_allclose(got[row, group], expected, rtol=2e-3)


def test_nodes_follow_the_spread():
    spread = np.array([[1.0, 0.5, 0.01]])[:, :, None].repeat(10, axis=2)
    nodes = offsets.nodes_for(spread, 1.0)
    assert nodes.tolist() == [[8, 16, 80]]  # the last one at FINEST
    assert (offsets.nodes_for(spread, 0.5) == [[16, 32, 160]]).all()


def test_fixed_nodes_are_the_same_for_all_particles(problem):
    z, scatter, u, data = problem
    rule = Rule.even(GROUP, 13, shifted=False)
    terms = normal_terms(2, 3, 40, spread=0.1)
    same = scatter[:, :, :1].repeat(40, axis=2)
    got = offsets.log_integral(rule, np.arange(2), z, same, *ordered(rule, u, data), terms)
    assert (got == got[:, :1]).all()


def test_shifts_are_as_good_as_random():
    """Uniform for each group and unrelated between groups; each check fails once in 10^6."""
    z = np.random.default_rng(0).normal(size=(1, 5, 20_000))
    shift = offsets.shifts(z, 6)[0]
    assert min(stats.kstest(row, "uniform").pvalue for row in shift) > 1e-6
    together = np.corrcoef(shift) - np.eye(6)
    assert np.abs(together).max() < 5 / np.sqrt(20_000)
    nudged = z + 1e-3 * np.random.default_rng(1).normal(size=z.shape)
    neighbours = np.corrcoef(offsets.shifts(nudged, 1)[0, 0], shift[0])[0, 1]
    assert abs(neighbours) < 5 / np.sqrt(20_000)


def test_draws_of_offsets_have_the_posterior_in_closed_form(problem):
    """Normal points: epsilon given group's points is normal, with known mean and variance.

    Draws are quantiles of it, at the levels that the uniform numbers say: exact but for the
    nodes, a sixtieth of a standard deviation of epsilon apart. Curve 1 has no group 2, and no
    point of curve 0 is in a group 3: those are N(0, 1).
    """
    _, scatter, u, data = problem
    spread = 0.1
    rule = Rule.even(GROUP, 481, shifted=False)
    level = np.random.default_rng(3).uniform(0.02, 0.98, size=(2, 3, 40))
    terms = normal_terms(2, 3, 40, spread)
    got = offsets.conditional_draws(
        rule, np.arange(2), scatter, *ordered(rule, u, data), terms, level
    )
    for row in range(2):
        for group in range(3):
            mine = GROUP[row] == group
            own = scatter[row, 0]
            residual = (data.y[row, mine] - u[row, mine, 0])[:, None]
            precision = 1 + mine.sum() * (own / spread) ** 2
            mean = (residual * own / spread**2).sum(axis=0) / precision
            expected = stats.norm.ppf(level[row, group], mean, 1 / np.sqrt(precision))
            np.testing.assert_allclose(got[row, group], expected, atol=2e-3)
