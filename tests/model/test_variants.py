"""Twins of models, and the likelihoods that suit a kind of curve."""

import re

import numpy as np
import pytest

from tests.support.models import (
    mean,
)
from tests.support.priors import from_prior
from upturn.checks.errors import DataError
from upturn.model import Model


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("step", ("floor",)),
        ("hinge", ("floor",)),
        ("ramp", ("floor",)),
        ("takeoff", ("floor",)),
        ("delayed-logit", ("level", "floor")),
        ("u-shaped", ("level",)),
        ("rise-and-fall", ("level",)),
        ("logistic", ("floor",)),
        ("logit-line", ("floor",)),
        ("inverse", ("level",)),
        ("chance", ("floor",)),
        ("flat", ("level",)),
    ],
)
def test_twins(name, parameters):
    """The first segment where that is constant; else the floor alone, or `flat`."""
    twin = Model.read(name).twin()
    assert twin.parameters == parameters
    assert len(twin.segments) == 1
    p = from_prior(twin, 32)
    assert np.ptp(mean(twin, p), axis=0).max() == 0


def test_a_twin_is_the_limit_of_its_model():
    """A changepoint at the end of the axis is none: the same expected score, draw by draw."""
    for name in ("step", "hinge", "ramp", "delayed-logit", "takeoff"):
        model = Model.read(name)
        p = from_prior(model, 64)
        p |= {changepoint: np.ones((1, 1, 64)) for changepoint in model.changepoints}
        np.testing.assert_allclose(mean(model, p), mean(model.twin(), p), rtol=1e-13)


def test_a_twin_keeps_likelihood_and_priors_that_it_has():
    model = (
        Model.read("delayed-logit")
        .with_likelihood("binomial")
        .with_priors({"floor": "Beta(2, 9)", "slope": "Exponential(3)", "scatter": "HalfNormal(1)"})
    )
    assert model.twin().likelihood == "binomial"
    assert model.twin().given == {
        "level": model.given["level"],
        "floor": "Beta(2, 9)",
        "scatter": "HalfNormal(1)",
    }
    smooth = Model.read("logistic").with_priors(
        {"overdispersion": "HalfNormal(0.1)", "height": "Beta(2, 2)"}
    )
    assert smooth.twin().given == {"overdispersion": "HalfNormal(0.1)"}


def test_likelihood_for():
    model = Model.read("hinge")
    chosen = {k: model.likelihood_for(k).name for k in ("counts", "proportion", "continuous")}
    assert chosen == {"counts": "beta-binomial", "proportion": "beta", "continuous": "normal"}
    assert model.with_likelihood("student-t").likelihood_for("counts").name == "student-t"
    assert model.with_likelihood("auto").likelihood_for("counts").name == "beta-binomial"


@pytest.mark.parametrize(
    ("likelihood", "kind", "message"),
    [
        (
            "binomial",
            "continuous",
            "likelihood 'binomial': expected successes and trials, but got a continuous metric; "
            "use --likelihood auto, or one of normal, student-t",
        ),
        (
            "beta-binomial",
            "proportion",
            "likelihood 'beta-binomial': expected successes and trials, but got a proportion "
            "metric; use --likelihood auto, or one of beta, normal, student-t, beta-robust",
        ),
        (
            "beta",
            "continuous",
            "likelihood 'beta': expected proportions, but got a continuous metric; "
            "use --likelihood auto, or one of normal, student-t",
        ),
    ],
)
def test_a_likelihood_that_cannot_explain_a_kind(likelihood, kind, message):
    model = Model.read("hinge").with_likelihood(likelihood)
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        model.likelihood_for(kind)


def test_an_unknown_likelihood():
    message = "--likelihood: expected a known likelihood, but got 'poisson'; there are: 'auto', "
    with pytest.raises(DataError, match=f"^{re.escape(message)}"):
        Model.read("hinge").with_likelihood("poisson")
