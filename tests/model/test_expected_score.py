"""The expected score of the built-in models against plain formulas, point by point."""

import math

import numpy as np
import pytest

from tests.support.models import (
    CEILING,
    PARAMETERS,
    SHAPE,
    U,
    mean,
)
from tests.support.priors import from_prior
from upturn.arrays.namespaces import NUMPY
from upturn.formulas.curve import SHAPES
from upturn.formulas.likelihoods.registry import LIKELIHOODS
from upturn.formulas.quantiles import Quantiles
from upturn.model import Model


def logistic(eta):
    return 1 / (1 + math.exp(-eta)) if eta > -700 else 0.0


def between(p, share):
    """From the floor to the ceiling."""
    return p["floor"] + (CEILING - p["floor"]) * share


def hinge(p, u):
    if u <= p["changepoint"]:
        return p["floor"]
    return between(p, p["height"] * (1 - math.exp(-p["rate"] * (u - p["changepoint"]))))


def delayed_logit(p, u):
    eta = math.log(p["level"] / (1 - p["level"])) + p["slope"] * max(u - p["changepoint"], 0)
    return between(p, logistic(eta))


def u_shaped(p, u):
    if u <= p["changepoint"]:
        return CEILING * logistic(p["intercept"] - p["slope"] * u)
    lowest = p["intercept"] - p["slope"] * p["changepoint"]
    return CEILING * logistic(lowest + p["slope_2"] * (u - p["changepoint"]))


def rise_and_fall(p, u):
    past = max(u - p["changepoint"], 0)
    eta = p["intercept"] + p["slope"] * min(u, p["changepoint"]) - p["slope_2"] * past
    return CEILING * logistic(eta)


def takeoff(p, u):
    way = max(min(u, p["changepoint_2"]) - p["changepoint"], 0)
    return between(p, min(p["slope"] * way, 1))


def steps(p, u):
    return (u - p["midpoint"]) / p["width"]


PLAIN = {
    "chance": lambda p, u: p["floor"],
    "flat": lambda p, u: CEILING * p["level"],
    "logistic": lambda p, u: between(p, p["height"] * logistic(steps(p, u))),
    "gompertz": lambda p, u: between(p, p["height"] * math.exp(-math.exp(min(-steps(p, u), 700)))),
    "gompertz-mirror": lambda p, u: between(
        p, p["height"] * -math.expm1(-math.exp(min(steps(p, u), 700)))
    ),
    "logit-line": lambda p, u: between(p, logistic(p["intercept"] + p["slope"] * u)),
    "step": lambda p, u: between(p, p["level"]) if u > p["changepoint"] else p["floor"],
    "hinge": hinge,
    "ramp": lambda p, u: between(p, min(p["slope"] * max(u - p["changepoint"], 0), 1)),
    "delayed-logit": delayed_logit,
    "inverse": lambda p, u: CEILING * logistic(p["intercept"] - p["slope"] * u),
    "u-shaped": u_shaped,
    "rise-and-fall": rise_and_fall,
    "takeoff": takeoff,
}


def test_the_built_in_models():
    assert Model.names() == list(PARAMETERS)
    assert set(PLAIN) == set(PARAMETERS)
    assert {shape: tuple(n for n in PARAMETERS if n in SHAPE[shape]) for shape in SHAPE} == SHAPE
    assert set(SHAPE) == set(SHAPES)
    for shape, names in SHAPE.items():
        for name in names:
            model = Model.read(name)
            assert (model.name, model.shape, model.likelihood) == (name, shape, "auto")
            assert model.summary
            assert model.parameters == PARAMETERS[name]
            assert model.moves is (shape != "flat")


@pytest.mark.parametrize("name", PLAIN)
def test_mean_is_the_formula(name):
    model = Model.read(name)
    p = from_prior(model, 64)
    got = mean(model, p, U[::10])
    for draw in range(64):
        own = {key: float(value[0, 0, draw]) for key, value in p.items()}
        expected = [PLAIN[name](own, float(u)) for u in U[::10]]
        np.testing.assert_allclose(got[:, draw], expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", PLAIN)
def test_mean_stays_within_range(name):
    """Also far off the axis, where scatter may carry a point, and far out in the prior."""
    model = Model.read(name)
    p = from_prior(model, 512)
    got = mean(model, p, np.linspace(-3, 4, 141))
    assert np.isfinite(got).all()
    assert ((got >= 0) & (got <= 1)).all()
    if model.range == "zero":
        assert got.max() <= CEILING


@pytest.mark.parametrize("name", PLAIN)
def test_mean_is_finite_at_the_ends_of_every_prior(name):
    model = Model.read(name)
    priors = model.priors(LIKELIHOODS["beta-binomial"], scatter=False)
    corners = np.array(np.meshgrid(*[[-14.0, 0.0, 14.0]] * len(model.parameters)))
    z = corners.reshape(len(model.parameters), -1)
    z[: len(model.changepoints)].sort(axis=0)
    p = {
        n: Quantiles(priors[n], np.array([0.25]))(NUMPY, np.zeros(1, dtype=np.intp), z[i][None])[
            :, None, :
        ]
        for i, n in enumerate(model.parameters)
    }
    got = mean(model, p)
    assert np.isfinite(got).all()
    assert (got >= -1e-12).all()
    assert (got <= 1 + 1e-12).all()


@pytest.mark.parametrize("name", SHAPE["smooth"] + ("hinge", "ramp", "delayed-logit", "takeoff"))
def test_rising_models_never_fall(name):
    """Where the ceiling lies above the floor, as it nearly always does."""
    model = Model.read(name)
    p = from_prior(model, 512)
    assert np.diff(mean(model, p, ceiling=1.0), axis=0).min() >= -1e-12


def test_inverse_falls_and_u_shaped_falls_then_rises():
    model = Model.read("inverse")
    assert np.diff(mean(model, from_prior(model, 512)), axis=0).max() <= 0
    model = Model.read("u-shaped")
    p = from_prior(model, 512)
    change = np.diff(mean(model, p), axis=0)
    middle = ((U[1:] + U[:-1]) / 2)[:, None]
    before = middle < p["changepoint"][0] - 0.01
    after = middle > p["changepoint"][0] + 0.01
    assert change[before].max() <= 1e-12
    assert change[after].min() >= -1e-12


@pytest.mark.parametrize("name", ["step", "hinge", "ramp", "takeoff"])
def test_below_the_changepoint_is_the_floor(name):
    model = Model.read(name)
    p = from_prior(model, 512)
    below = np.broadcast_to(U[:, None], (201, 512)) <= p["changepoint"][0]
    floor = np.broadcast_to(p["floor"][0], (201, 512))
    np.testing.assert_allclose(mean(model, p)[below], floor[below], rtol=1e-14)
    assert (mean(model, p)[-1] > p["floor"][0, 0]).mean() > 0.9


@pytest.mark.parametrize(
    "name", [n for n, names in PARAMETERS.items() if "changepoint" in names and n != "step"]
)
def test_segments_join_continuously(name):
    model = Model.read(name)
    p = from_prior(model, 512)
    for changepoint in model.changepoints:
        tau = p[changepoint]
        ends = [
            model.mean(NUMPY, p, tau + side, np.full((1, 1, 1), CEILING)) for side in (-1e-9, 1e-9)
        ]
        # twice the side times the steepest slope there is
        steepest = max(1.0, *(p[n].max() for n in ("rate", "slope", "slope_2") if n in p))
        assert np.abs(ends[1] - ends[0]).max() < 2e-9 * steepest


def test_a_step_jumps():
    model = Model.read("step")
    p = {"changepoint": 0.5, "level": 0.8, "floor": 0.1}
    p = {key: np.full((1, 1, 1), value) for key, value in p.items()}
    got = mean(model, p, [0.0, 0.5, 0.5 + 1e-12, 1.0])[:, 0]
    np.testing.assert_allclose(got, [0.1, 0.1, 0.1 + 0.8 * 0.8, 0.1 + 0.8 * 0.8])
