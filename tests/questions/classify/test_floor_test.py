"""Floors: Bayes factors against quadrature, limits against the binomial, simulated truths."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats

from tests.support.classifications import classification, gpt3, shape, task
from upturn.questions.classify.classify import classify
from upturn.questions.classify.floor_test import detectable_score, floor_test, upper_limit
from upturn.tables.results import read

POINTS, TRIALS = 12, 400


def with_onset(results, u=0.68):
    """A classification that is sure of the onset: after 8 of 12 models, or 7 of 10."""
    curves = results.curves()
    return classification(curves, [shape("hinge", np.zeros(len(curves)), 1.0, flat_until=u)])


def floors(count, slope, rng, *, rho=0.0, level=0.25):
    """Tasks whose floor grows by so much in log odds over 8 of 12 models, then jumps."""
    u = np.arange(POINTS) / 7
    start = np.log(level / (1 - level))
    mean = np.where(u <= 1, 1 / (1 + np.exp(-(start + slope * u))), 0.9)
    parts = []
    for i in range(count):
        p = mean
        if rho:
            size = 1 / rho - 1
            p = rng.beta(mean * size, (1 - mean) * size)
        parts.append(task(f"t{i}", rng.binomial(TRIALS, p) / TRIALS, TRIALS))
    return read(pd.concat(parts))


# ---- Bayes factors -------------------------------------------------------------------------------


def by_quadrature(solved, trials, u):
    """Log Bayes factor under the binomial: level uniform, slope HalfNormal(1) or none."""
    mode = stats.binom.logpmf(solved, trials, solved.sum() / trials.sum()).sum()

    def likelihood(slope, level):
        eta = np.log(level / (1 - level)) + slope * u
        p = 1 / (1 + np.exp(-eta))
        return np.exp(stats.binom.logpmf(solved, trials, p).sum() - mode)

    growing, _ = integrate.dblquad(
        lambda slope, level: likelihood(slope, level) * stats.halfnorm.pdf(slope),
        0.02, 0.6, 0, 5, epsabs=1e-8, epsrel=1e-6,
    )  # fmt: skip
    flat, _ = integrate.quad(lambda level: likelihood(0.0, level), 0.02, 0.6, epsabs=1e-10)
    return np.log(growing / flat)


@pytest.mark.parametrize("scores", [[0.2, 0.25, 0.22, 0.26, 0.3, 0.9], [0.2, 0.2, 0.25, 0.2, 0.9]])
def test_the_binomial_bayes_factor_is_that_of_quadrature(scores):
    frame = task("t", scores, 100)
    test = floor_test(with_onset(read(frame), u=0.9))
    inside = len(scores) - 1
    solved = np.round(100 * np.array(scores[:inside]))
    expected = by_quadrature(solved, np.full(inside, 100.0), np.linspace(0, 1, inside))
    assert test.log_bf["binomial"][0] == pytest.approx(expected, abs=0.05)
    assert test.log_bf_se["binomial"][0] < 0.05
    assert test.points.tolist() == [inside]


# ---- rises that could go unseen ------------------------------------------------------------------


@pytest.mark.parametrize("n", [50, 2000])
def test_the_limit_of_a_score_of_zero_is_three_over_n(n):
    limit = upper_limit(0.0, n)
    assert (1 - limit) ** n == pytest.approx(0.05)
    assert limit == pytest.approx(3 / n, rel=0.05)


@pytest.mark.parametrize(("solved", "n"), [(25, 100), (1, 30), (700, 1400)])
def test_the_limit_is_that_of_the_exact_binomial_interval(solved, n):
    exact = stats.binomtest(solved, n).proportion_ci(0.9, method="exact").high
    assert upper_limit(solved / n, n) == pytest.approx(exact)
    assert stats.binom.cdf(solved, n, upper_limit(solved / n, n)) == pytest.approx(0.05)


def test_rises_of_tasks():
    chance = task("a", [0.25] * 8 + [0.9] * 2, chance=0.25)
    none = task("b", [0.0] * 8 + [0.9] * 2, chance=np.nan)
    bare = task("c", [0.25] * 8 + [0.9] * 2, chance=0.25).drop(columns="trials")
    found = floor_test(with_onset(read(pd.concat([chance, none, bare])))).summary()
    assert found.loc["a", "compatible_rise"] == pytest.approx(upper_limit(0.25, 200) - 0.25)
    assert found.loc["b", "compatible_rise"] == pytest.approx(1 - 0.05 ** (1 / 200))
    assert np.isnan(found.loc["c", ["compatible_rise", "p_grows_binomial"]].astype(float)).all()
    assert found.loc["c", "p_grows_default"] < 0.5


# ---- which points --------------------------------------------------------------------------------


def test_points_before_the_onset_and_no_test_of_fewer_than_three_scales():
    frame = pd.concat([
        task("early", [0.25] * 2 + [0.9] * 6), task("late", [0.25] * 6 + [0.9] * 2)
    ])  # fmt: skip
    curves = read(frame).curves()
    onset = np.array([1.5, 5.5]) / 7
    found = floor_test(classification(curves, [shape("hinge", [0, 0], 1.0, flat_until=onset)]))
    assert found.tested.tolist() == [False, True]
    assert found.points.tolist() == [2, 6]
    summary = found.summary()
    assert summary["floor_until"].tolist() == pytest.approx([10**19.5, 10**21.5])
    assert np.isnan(summary.loc["early", "p_grows_default"])
    assert found.verdict == (
        "of 1 floor before an onset, 0 more likely grow than not; under binomial noise, 0"
    )


def test_where_nothing_emerges_the_whole_axis_is_looked_at():
    curves = read(task("t", np.linspace(0.25, 0.6, 10))).curves()
    found = floor_test(classification(curves, [shape("flat", [0.0], 0.0)]))
    assert found.points.tolist() == [10]
    assert not found.emerged.any()
    assert found.verdict.startswith("of 0 floors before an onset")
    assert found.summary()["p_grows_default"].iloc[0] > 0.99


def test_progress_counts_both_noises():
    calls = []
    floor_test(
        with_onset(read(task("t", [0.25] * 8 + [0.9] * 2))), progress=lambda *d: calls.append(d)
    )
    assert calls[-1] == (4, 4)


# ---- simulated truths ----------------------------------------------------------------------------


@pytest.mark.slow
def test_flat_floors_are_seldom_called_growing_and_growing_ones_mostly():
    """Binomial truths, 30 of each.

    Of flat floors 2 % have a p_grows above 0.9; five or more of 30 with probability 2e-4 were it
    5 %. Of floors that grow by 1 in log odds over the stretch nearly all have.
    """
    rng = np.random.default_rng(4)
    flat = floor_test(with_onset(floors(30, 0.0, rng))).summary()
    growing = floor_test(with_onset(floors(30, 1.0, rng))).summary()
    for noise in ("binomial", "default"):
        assert (flat[f"p_grows_{noise}"] > 0.9).sum() < 5, noise
        assert (growing[f"p_grows_{noise}"] > 0.9).sum() > 24, noise
    inside = (growing["slope_low_binomial"] <= 1) & (growing["slope_high_binomial"] >= 1)
    assert inside.sum() >= 21  # fewer with probability 6e-4, were 90 % intervals right


@pytest.mark.slow
def test_models_that_differ_in_more_than_scale_fool_the_binomial_only():
    """Flat floors, the correlation of a model's answers 0.01: its sd is twice the binomial's."""
    rng = np.random.default_rng(7)
    found = floor_test(with_onset(floors(40, 0.0, rng, rho=0.01))).summary()
    assert (found["p_grows_binomial"] > 0.9).sum() >= 5
    assert (found["p_grows_default"] > 0.9).sum() < (found["p_grows_binomial"] > 0.9).sum()
    assert (found["p_grows_default"] > 0.9).sum() <= 5


def test_gpt3_addition_grew_before_it_emerged():
    """0.0015 to 0.009 before 13B: 2,000 questions tell that, if models differ in scale only."""
    found = floor_test(classify(gpt3(["arithmetic_3da"]), models=("flat", "hinge"), draws=400))
    row = found.summary().loc["arithmetic_3da"]
    assert row["floor_points"] == 6
    assert row["compatible_rise"] == pytest.approx(3 / 2000, rel=0.01)
    assert row["p_grows_binomial"] > row["p_grows_default"] > 0.7


@pytest.mark.parametrize(("chance", "trials"), [(0.0, 200), (0.25, 200), (0.5, 50)])
def test_the_detectable_rise_has_its_power(chance, trials):
    """By the binomial distribution itself: 80 % at the rise, and at most 5 % at chance."""
    score = float(detectable_score(chance, trials))
    tail = stats.binom.sf
    fewest = next(k for k in range(trials) if tail(k - 1, trials, chance) <= 0.05)
    assert tail(fewest - 1, trials, score) == pytest.approx(0.8)


def test_the_floor_ends_at_the_five_percent_quantile_of_the_onset():
    """Draws of it from 0.5 to 1, and 40 scales: at 2.5 % there are 20 before it, at 10 % 22."""
    curves = read(task("t", np.full(40, 0.25), flops=10 ** np.linspace(19, 23, 40))).curves()
    sure = shape("hinge", [0.0], 1.0)
    spread = replace(sure, flat_until=np.linspace(0.5, 1, sure.flat_until.size)[None])
    found = floor_test(classification(curves, [spread]), draws=40)
    assert found.points.tolist() == [21]
    assert found.until[0] == pytest.approx(curves.x[0, 0, 20])
