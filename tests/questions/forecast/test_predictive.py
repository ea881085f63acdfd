"""Averages over models: what they say of scores that they have not seen."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from upturn.model import Model
from upturn.posterior.averaging import probabilities
from upturn.questions.forecast.predictive import Mixture, Part
from upturn.tables.results import read


def curve(*, family=False):
    """Six points, of 100 trials each."""
    table = pd.DataFrame(
        {
            "task": "t", "model": list("abcdef"), "score": [0.2, 0.3, 0.2, 0.4, 0.5, 0.6],
            "trials": 100, "flops": 10.0 ** np.linspace(20, 22, 6),
        }
    )  # fmt: skip
    if family:
        table["family"] = list("xxyyzz")
    return read(table).curves()


def flat_part(weight, levels, overdispersion, **more):
    """Draws of the flat model."""
    p = {"level": np.array(levels), "overdispersion": np.array(overdispersion)}
    return Part(Model.read("flat"), p | {k: np.array(v) for k, v in more.items()}, weight)


def test_density_is_the_weighted_sum_of_beta_binomials():
    one = Mixture((flat_part(0.25, [0.2, 0.4], [0.1, 0.3]), flat_part(0.75, [0.9], [0.2])), curve())
    k, n = np.array([30.0, 95.0]), np.array([100.0, 100.0])
    _, got = one.scored(np.array([22.5, 23.0]), np.array([-1, -1]), k, n, seed=1)
    expected = np.zeros(2)
    for weight, mean, sd in ((0.125, 0.2, 0.1), (0.125, 0.4, 0.3), (0.75, 0.9, 0.2)):
        size = 1 / sd**2 - 1
        expected += weight * stats.betabinom.pmf(k, n, mean * size, (1 - mean) * size)
    np.testing.assert_allclose(np.exp(got), expected, rtol=1e-9)


def test_draws_are_proportions_with_the_mean_and_the_variance_of_the_likelihood():
    """20,000 draws: within 5 standard errors."""
    many = 20_000
    one = Mixture((flat_part(1.0, np.full(many, 0.3), np.full(many, 0.2)),), curve())
    draws, _ = one.scored(np.array([22.5]), np.array([-1]), np.zeros(1), np.array([50.0]), seed=2)
    variance = 0.3 * 0.7 / 50 * (1 + 49 * 0.04)
    assert abs(draws.mean() - 0.3) < 5 * np.sqrt(variance / many)
    assert abs(draws.var() - variance) < 0.05 * variance
    np.testing.assert_allclose(draws * 50, np.round(draws * 50), atol=1e-9)


def test_expected_scores_are_the_models():
    step = Model.read("step")
    p = {"changepoint": [0.5, 1.4], "level": [0.5, 0.5], "floor": [0.2, 0.2],
         "overdispersion": [0.1, 0.1]}  # fmt: skip
    one = Mixture((Part(step, {k: np.array(v) for k, v in p.items()}, 1.0),), curve())
    # the axis is 20 to 22; a changepoint may lie beyond it
    got = one.expected(np.array([20.5, 22.0, 23.0]))
    np.testing.assert_allclose(got, [[0.2, 0.2], [0.6, 0.2], [0.6, 0.6]])


def test_a_group_that_was_seen_keeps_its_offset_and_a_new_one_does_not():
    """Points of family z lie far to the right of the step's others: known, it stays there."""
    data = curve(family=True)
    many = 2000
    line = {"intercept": -3.0, "slope": 4.0, "floor": 0.05, "overdispersion": 0.02, "scatter": 0.2}
    part = Part(Model.read("logit-line"), {k: np.full(many, v) for k, v in line.items()}, 1.0)
    one = Mixture((part,), data)
    x, nothing = np.full(2, 22.0), np.zeros(2)
    draws, _ = one.scored(x, np.array([2, -1]), nothing, np.full(2, 1000.0), seed=3)
    assert draws[0].std() < 0.5 * draws[1].std()
    again, _ = one.scored(x, np.array([2, -1]), nothing, np.full(2, 1000.0), seed=3)
    np.testing.assert_array_equal(draws, again)


def test_probabilities_give_classes_equal_odds():
    models = [Model.read(name) for name in ("flat", "hinge", "step")]
    got = probabilities(models, np.array([[0.0, 0.0, 0.0], [0.0, np.log(3), -50.0]]))
    np.testing.assert_allclose(got[0], [0.5, 0.25, 0.25])
    np.testing.assert_allclose(got[1], [0.4, 0.6, 0.0], atol=1e-9)


@pytest.mark.parametrize("many", [1, 3])
def test_weights_sum_to_one(many):
    parts = tuple(flat_part(0.3, [0.2] * (i + 1), [0.1] * (i + 1)) for i in range(many))
    assert Mixture(parts, curve()).weight.sum() == pytest.approx(1)
