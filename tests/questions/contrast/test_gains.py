"""Gains: piecewise in log odds, and joint models that are their parts."""

import numpy as np
import pytest
from scipy.special import expit, logit

from upturn.arrays.namespaces import NUMPY
from upturn.formulas.likelihoods.registry import LIKELIHOODS
from upturn.model import Model
from upturn.questions.contrast.gains import APART, GAINS, PRIORS, Paired, with_gain

U = np.linspace(0, 1, 41)[None, :, None]
P = {"gain": -0.5, "gain_change": 0.4, "gain_growth": 3.0, "gain_turn": 0.5, "gain_fall": 4.0}
BY_NAME = {gain.name: gain for gain in GAINS}

# at 0, at the change, half way from there, at the end; by hand
KNOTS = {
    "none": [0, 0, 0, 0],
    "constant": [-0.5, -0.5, -0.5, -0.5],
    "onset": [0, 0, 1.5, 3],
    "growing": [-0.5, -0.5, 1.0, 2.5],
    "peak": [-0.5, -0.5, 2.5, -1.5],
    "fading": [-0.5, -0.5, -2.0, -3.5],
}


def arrays(values):
    return {name: np.array([[[value]]]) for name, value in values.items()}


@pytest.mark.parametrize("name", KNOTS)
def test_values_at_the_knots(name):
    u = np.array([0.0, 0.4, 0.7, 1.0])[None, :, None]
    got = BY_NAME[name].value(np, arrays(P), u) + 0 * u
    np.testing.assert_allclose(got[0, :, 0], KNOTS[name], atol=1e-12)


def test_all_gains_are_tested_and_have_priors():
    assert set(KNOTS) == set(BY_NAME)
    assert {name for gain in GAINS for name in gain.parameters} == set(PRIORS)
    assert {gain.kind for gain in GAINS} == {"steady", "growing", "fading"}


def test_a_gain_adds_to_the_log_odds():
    score = np.linspace(0.01, 0.99, 21)
    np.testing.assert_allclose(with_gain(np, score, 1.3), expit(logit(score) + 1.3), rtol=1e-12)
    assert with_gain(np, 0.0, 5.0) == 0
    assert with_gain(np, 1.0, -5.0) == 1
    assert np.isfinite(with_gain(np, 0.5, 1e6))


@pytest.mark.parametrize("name", ["hinge", "logit-line", "flat", "u-shaped"])
@pytest.mark.parametrize("gain", BY_NAME)
def test_a_joint_model_is_its_baseline_and_its_technique(name, gain):
    base = Model.read(name)
    own = {"changepoint": 0.3, "height": 0.6, "rate": 2.0, "floor": 0.1, "intercept": -2.0,
           "slope": 3.0, "slope_2": 5.0, "level": 0.4}  # fmt: skip
    joint = Paired.of(base, BY_NAME[gain])
    assert joint.parameters == base.parameters + BY_NAME[gain].parameters
    p = arrays({n: {**own, **P}[n] for n in joint.parameters})
    expected = base.mean(NUMPY, p, U, 1.0) + 0 * U
    odds = BY_NAME[gain].value(np, p, U) + 0 * U
    both = joint.mean(NUMPY, p, np.concatenate([U, U + APART], axis=1), 1.0)
    np.testing.assert_allclose(both[:, :41], expected, atol=1e-14)
    np.testing.assert_allclose(both[:, 41:], expit(logit(expected) + odds), rtol=1e-9)
    np.testing.assert_allclose(joint.treated(NUMPY, p, U, 1.0), both[:, 41:])


def test_priors_are_those_of_both():
    joint = Paired.of(Model.read("hinge").with_priors({"rate": "Exponential(3)"}), BY_NAME["peak"])
    priors = joint.priors(LIKELIHOODS["beta-binomial"], scatter=True)
    assert str(priors["rate"]) == "Exponential(3)"
    assert str(priors["gain"]) == "Normal(0, 1)"
    assert {*joint.parameters, "overdispersion", "scatter"} == set(priors)
    assert Paired.of(Model.read("flat"), BY_NAME["growing"]).moves
    assert not Paired.of(Model.read("flat"), BY_NAME["constant"]).moves
