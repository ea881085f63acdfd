"""Predictive scores and their differences: against conjugate answers, ArviZ, and simulation."""

import numpy as np
import pytest
from scipy import stats

from upturn.checks.errors import DataError
from upturn.questions.compare.differences import (
    clustered_error,
    clusters_of,
    half_width,
    largest_k,
    psis_loo,
    stacking_weights,
)
from upturn.questions.compare.leave_one_out import canonical_order
from upturn.tables.results import read


def normal_draws(y, draws, rng):
    """Draws of a mean with prior N(0, 10), and the log density of each y (point, draw)."""
    precision = len(y) + 0.01
    theta = rng.normal(y.sum() / precision, precision**-0.5, draws)
    return stats.norm.logpdf(y[:, None], theta, 1)


def test_psis_loo_is_that_of_a_conjugate_normal():
    """Error of an estimate about 0.02 at 8,000 draws: 0.15 is far off."""
    rng = np.random.default_rng(3)
    y = rng.normal(size=20)
    elpd, khat, _ = psis_loo(normal_draws(y, 8000, rng))
    rest = y.sum() - y
    precision = len(y) - 1 + 0.01
    exact = stats.norm.logpdf(y, rest / precision, np.sqrt(1 + 1 / precision))
    np.testing.assert_allclose(elpd, exact, atol=0.15)
    assert abs((elpd - exact).mean()) < 0.01
    assert (khat < 0.7).all()


def test_psis_loo_is_that_of_arviz():
    from arviz_stats.base import array_stats

    rng = np.random.default_rng(4)
    density = normal_draws(rng.normal(size=6), 1000, rng)
    elpd, khat, _ = psis_loo(density)
    expected = array_stats.loo(density[:, None, :], chain_axis=-2, draw_axis=-1)
    np.testing.assert_allclose(elpd, expected[0], rtol=1e-6)
    np.testing.assert_allclose(khat, expected[1], rtol=1e-6)


def test_chains_say_how_far_off_the_sum_is():
    """Mean square of 300 claimed errors against the variance of 300 sums: within 20 %, seeded.

    The ratio's standard error is 10 %: 8 % of that variance, and 5 % of three degrees each.
    """
    rng = np.random.default_rng(6)
    y = rng.normal(size=8)
    sums, claimed = np.empty((2, 300))
    for i in range(300):
        elpd, _, by_chain = psis_loo(normal_draws(y, 800, rng), chains=4)
        sums[i] = elpd.sum()
        claimed[i] = by_chain.sum(axis=1).var(ddof=1) / 4
    assert 0.8 < claimed.mean() / sums.var(ddof=1) < 1.25


def test_an_outlier_has_a_high_khat():
    rng = np.random.default_rng(5)
    y = np.append(rng.normal(size=6), 9.0)
    _, khat, _ = psis_loo(normal_draws(y, 1000, rng))
    assert khat.argmax() == 6
    assert khat[6] > largest_k(1000)


@pytest.mark.parametrize(("draws", "expected"), [(100, 0.5), (1000, 2 / 3), (10_000, 0.7)])
def test_fewer_draws_bear_a_smaller_k(draws, expected):
    assert largest_k(draws) == pytest.approx(expected)


# ---- errors --------------------------------------------------------------------------------------


def test_the_error_of_independent_points_is_the_plain_one():
    values = np.random.default_rng(0).normal(size=50)
    plain = np.sqrt(50) * values.std(ddof=1)
    assert clustered_error(values, np.arange(50)) == pytest.approx(plain)


def test_points_that_are_copies_do_not_make_the_error_smaller():
    values = np.random.default_rng(0).normal(size=20)
    copies = np.tile(values, 5)
    assert clustered_error(copies, np.tile(np.arange(20), 5)) == pytest.approx(
        5 * clustered_error(values, np.arange(20))
    )
    assert clustered_error(copies, np.arange(100)) < 3 * clustered_error(values, np.arange(20))


def test_the_clustered_error_is_that_of_repeated_tables():
    """The spread of 400 tables is known to 3.5 %: 15 % off has a probability of 2 in 100,000."""
    rng = np.random.default_rng(1)
    code = np.repeat(np.arange(15), 6)
    tables = rng.normal(size=(400, 15))[:, code] + 0.5 * rng.normal(size=(400, 90))
    errors = np.array([clustered_error(table, code) for table in tables])
    assert np.sqrt((errors**2).mean()) == pytest.approx(tables.sum(axis=1).std(), rel=0.15)
    plain = np.array([clustered_error(table, np.arange(90)) for table in tables])
    assert plain.mean() < 0.6 * errors.mean()


def test_one_cluster_has_no_error():
    assert np.isnan(clustered_error(np.ones(4), np.zeros(4, dtype=int)))
    assert half_width(1) == np.inf
    assert half_width(10_000) == pytest.approx(1.96, abs=0.001)


# ---- clusters ------------------------------------------------------------------------------------


def clusters(frame, wanted="auto"):
    table = read(frame)
    curves = table.curves("params")
    return clusters_of(curves, canonical_order(curves), table, wanted)


def test_models_cluster_where_there_is_no_other_label(make_table):
    found = clusters(make_table(tasks=3, points=6))
    assert (found.label, found.count) == ("model", 6)
    assert found.code.reshape(3, 6).tolist() == [list(range(6))] * 3


def test_five_families_cluster_and_four_do_not(make_table):
    names = np.array(["a", "b", "c", "d", "e"])
    five = clusters(make_table(points=10, family=names[np.arange(10) % 5]))
    four = clusters(make_table(points=10, family=names[np.arange(10) % 4]))
    assert (five.label, five.count) == ("family", 5)
    assert (four.label, four.count) == ("model", 10)
    assert clusters(make_table(points=10, family=names[np.arange(10) % 4]), "family").count == 4


def test_runs_cluster_where_families_are_few(make_table):
    runs = np.array([f"r{i}" for i in range(5)])
    found = clusters(make_table(tasks=2, points=10, family="one", run=runs[np.arange(10) % 5]))
    assert (found.label, found.count) == ("run", 5)


def test_points_without_a_family_stand_by_their_models(make_table):
    names = np.array(["a", "b", "c", "d", "e", ""])
    found = clusters(make_table(points=12, family=names[np.arange(12) % 6]))
    assert (found.label, found.count) == ("family", 7)


def test_a_label_that_is_not_there(make_table):
    with pytest.raises(DataError, match="cluster: expected points with a run, but got none"):
        clusters(make_table(), "run")
    with pytest.raises(DataError, match=r"cluster.*'famly'"):
        clusters(make_table(), "famly")


# ---- stacking ------------------------------------------------------------------------------------


def penalised(elpd, w):
    return np.log(w @ np.exp(elpd)).sum() + np.log(w).mean()


def test_weights_are_the_best_of_a_grid():
    elpd = np.random.default_rng(2).normal(size=(2, 40)) - 1
    grid = np.linspace(0.001, 0.999, 999)
    best = grid[np.argmax([penalised(elpd, np.array([w, 1 - w])) for w in grid])]
    assert stacking_weights(elpd)[0] == pytest.approx(best, abs=0.001)


def test_no_move_between_candidates_predicts_better():
    """At a maximum over the simplex, the gradient is the same for all candidates."""
    elpd = np.random.default_rng(2).normal(size=(5, 300)) - 1
    w = stacking_weights(elpd)
    density = np.exp(elpd)
    gradient = (density / (w @ density)).sum(axis=1) + 1 / (5 * w)
    np.testing.assert_allclose(gradient, 301, rtol=1e-3)
    assert w.sum() == pytest.approx(1)


def test_candidates_that_predict_alike_share():
    elpd = np.random.default_rng(2).normal(size=(1, 50)) + 1e-3 * np.array([[0], [1], [-1]])
    np.testing.assert_allclose(stacking_weights(elpd), 1 / 3, atol=0.02)


def test_a_candidate_that_is_far_worse_gets_next_to_nothing():
    elpd = np.array([np.zeros(200), np.full(200, -800.0)])
    assert stacking_weights(elpd)[1] < 0.01
    assert stacking_weights(np.zeros((1, 5))).tolist() == [1.0]
