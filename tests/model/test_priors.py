"""Priors of models: which are in force, and what they imply before any data."""

import math
import re

import numpy as np
import pytest
from scipy.special import ndtr, ndtri

from tests.support.models import (
    PARAMETERS,
)
from tests.support.priors import from_prior
from upturn.arrays.namespaces import NUMPY
from upturn.checks.errors import DataError
from upturn.formulas.likelihoods.registry import LIKELIHOODS
from upturn.formulas.quantiles import Quantiles
from upturn.model import Model


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@pytest.mark.parametrize("name", PARAMETERS)
def test_every_parameter_has_a_prior(name, likelihood):
    model = Model.read(name)
    noise = LIKELIHOODS[likelihood]
    for scatter in (False, True):
        priors = model.priors(noise, scatter=scatter)
        expected = {*model.parameters, *noise.parameters} | ({"scatter"} if scatter else set())
        assert set(priors) == expected


def test_changepoints_share_a_prior():
    model = Model.read("takeoff").with_priors({"changepoint": "Uniform(0.2, 0.9)"})
    priors = model.priors(LIKELIHOODS["binomial"], scatter=False)
    assert str(priors["changepoint"]) == str(priors["changepoint_2"]) == "Uniform(0.2, 0.9)"


def test_with_priors():
    model = Model.read("hinge").with_priors({"rate": "Exponential(2)"})
    again = model.with_priors({"overdispersion": "HalfNormal(0.1)", "height": "Beta(2, 2)"})
    texts = {k: str(v) for k, v in again.priors(LIKELIHOODS["beta"], scatter=True).items()}
    assert texts == {
        "changepoint": "Uniform(0, 1)",
        "height": "Beta(2, 2)",
        "rate": "Exponential(2)",
        "floor": "BetaMode(chance, 100) | Beta(1, 4)",
        "overdispersion": "HalfNormal(0.1)",
        "scatter": "HalfNormal(0.1)",
    }
    assert Model.read("hinge").given == {}


def test_the_floor_is_that_of_the_likelihood():
    for likelihood in LIKELIHOODS.values():
        priors = Model.read("hinge").priors(likelihood, scatter=False)
        assert str(priors["floor"]) == likelihood.floor


@pytest.mark.parametrize(
    ("model", "name", "text", "message"),
    [
        (
            "hinge",
            "slope",
            "Uniform(0, 1)",
            "--prior: expected a known parameter, but got 'slope'; there are: 'changepoint', "
            "'height', 'rate', 'floor', 'autocorrelation', 'broken', 'nu', 'overdispersion' "
            "and 2 more",
        ),
        ("hinge", "changepiont", "Uniform(0, 1)", "did you mean 'changepoint'?"),
        ("logistic", "changepoint", "Uniform(0, 1)", "expected a known parameter"),
        ("takeoff", "changepoint_2", "Uniform(0, 1)", "expected a known parameter"),
        ("inverse", "floor", "Uniform(0, 1)", "expected a known parameter"),
        (
            "hinge",
            "height",
            "Normal(0, 1)",
            "--prior, 'height': expected a prior within [0, 1], but got 'Normal(0, 1)'",
        ),
        ("hinge", "height", "Uniform(0, 1.2)", "expected a prior within [0, 1]"),
        ("hinge", "rate", "Uniform(-1, 2)", "'rate': expected a prior within [0, inf]"),
        ("u-shaped", "slope_2", "Normal(1, 1)", "'slope_2': expected a prior within [0, inf]"),
        ("logistic", "width", "Normal(1, 1)", "'width': expected a prior within [0, inf]"),
        ("step", "level", "Gamma(1, 1)", "'level': expected a prior within [0, 1]"),
        ("hinge", "overdispersion", "Normal(0, 1)", "expected a prior within [0, inf]"),
        ("hinge", "sigma", "Normal(0, 1)", "expected a prior within [0, inf]"),
        ("hinge", "nu", "Normal(0, 1)", "expected a prior within [0, inf]"),
        ("hinge", "scatter", "Normal(0, 1)", "expected a prior within [0, inf]"),
        ("hinge", "rate", "LogNormal(1)", "--prior, 'rate': expected LogNormal(mean, sd)"),
    ],
)
def test_a_wrong_prior(model, name, text, message):
    with pytest.raises(DataError, match=re.escape(message)):
        Model.read(model).with_priors({name: text})


@pytest.mark.parametrize("name", PARAMETERS)
def test_prior_predictive(predictive, name):
    """Broad bounds on what would make a default prior wrong; the figures are in docs/models.md."""
    seen = predictive[name]
    shape = Model.read(name).shape
    if shape == "flat":
        assert seen["moves"] == 0
        return
    # a curve that moves is the model's reason to be, but "not yet" has to remain possible
    assert 0.6 < seen["moves"] < 0.95
    assert seen["rise"][1] < 0.65
    if shape == "inverse":
        assert seen["rises"] == 0
        assert seen["rise"][0] < -0.5
        return
    assert seen["rise"][2] > 0.55  # and so has a task that is nearly solved
    if shape in ("u-shaped", "humped"):
        assert 0.2 < seen["rises"] < 0.6
        return
    assert seen["emergent"] > 0.05
    if name != "step":
        assert 0.15 < seen["width"] < 0.6
    if name in ("step", "hinge", "ramp", "takeoff"):
        assert seen["near"] > 0.95
        assert seen["emergent"] > 0.4


def test_the_floor_is_near_chance():
    """Mode at chance, and nine in ten within 0.08: evaluations sit a little off it."""
    floor = from_prior(Model.read("chance"), 4096)["floor"][0, 0]
    assert np.quantile(floor, [0.05, 0.95]) == pytest.approx([0.187, 0.330], abs=0.004)
    unknown = from_prior(Model.read("chance"), 4096, chance=math.nan)["floor"][0, 0]
    assert np.quantile(unknown, [0.5, 0.95]) == pytest.approx([0.159, 0.527], abs=0.004)


def test_two_changepoints_are_uniform_order_statistics():
    p = from_prior(Model.read("takeoff"), 4096)
    assert (p["changepoint"] <= p["changepoint_2"]).all()
    assert p["changepoint"].mean() == pytest.approx(1 / 3, abs=0.005)
    assert p["changepoint_2"].mean() == pytest.approx(2 / 3, abs=0.005)


def test_whitening_is_the_probability_transform():
    """Drawing z from N(0, 1) and mapping is drawing from the prior: the medians agree."""
    priors = Model.read("hinge").priors(LIKELIHOODS["beta-binomial"], scatter=True)
    for name, prior in priors.items():
        chance = np.array([0.25])
        got = Quantiles(prior, chance)(NUMPY, np.zeros(1, dtype=np.intp), ndtri([[0.5, 0.9]]))
        frozen = prior.choice(0.25).frozen(0.25)
        np.testing.assert_allclose(frozen.cdf(got[0]), [0.5, 0.9], atol=1e-6, err_msg=name)
        np.testing.assert_allclose(ndtr(ndtri([0.5, 0.9])), [0.5, 0.9])
