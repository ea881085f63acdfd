"""Models: the built-in ones against plain formulas, their files, priors and what these imply."""

import math
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, ndtr, ndtri

from tests.support.priors import from_prior
from upturn.arrays.namespaces import NUMPY
from upturn.checks.errors import DataError
from upturn.formulas import segments
from upturn.formulas.curve import SHAPES
from upturn.formulas.likelihoods.continuous import SMALLEST_SIGMA
from upturn.formulas.likelihoods.likelihood import RHO_RANGE
from upturn.formulas.likelihoods.proportions import ROUNDING_RHO
from upturn.formulas.likelihoods.registry import LIKELIHOODS
from upturn.formulas.priors import Prior
from upturn.formulas.quantiles import Quantiles
from upturn.formulas.segments import KINDS
from upturn.model import Model
from upturn.model.toml import MAX_BYTES, TEXTS

SEGMENT_PRIORS = {name: parameter.prior for name, parameter in segments.all_parameters().items()}
PARAMETERS = {
    "chance": ("floor",),
    "flat": ("level",),
    "logistic": ("height", "midpoint", "width", "floor"),
    "gompertz": ("height", "midpoint", "width", "floor"),
    "gompertz-mirror": ("height", "midpoint", "width", "floor"),
    "logit-line": ("intercept", "slope", "floor"),
    "step": ("changepoint", "level", "floor"),
    "hinge": ("changepoint", "height", "rate", "floor"),
    "ramp": ("changepoint", "slope", "floor"),
    "delayed-logit": ("changepoint", "level", "slope", "floor"),
    "inverse": ("intercept", "slope"),
    "u-shaped": ("changepoint", "intercept", "slope", "slope_2"),
    "rise-and-fall": ("changepoint", "intercept", "slope", "slope_2"),
    "takeoff": ("changepoint", "changepoint_2", "slope", "floor"),
}
SHAPE = {
    "flat": ("chance", "flat"),
    "smooth": ("logistic", "gompertz", "gompertz-mirror", "logit-line"),
    "changepoint": ("step", "hinge", "ramp", "delayed-logit", "takeoff"),
    "inverse": ("inverse",),
    "u-shaped": ("u-shaped",),
    "humped": ("rise-and-fall",),
}
CEILING = 0.9
U = np.linspace(0, 1, 201)


# --- the expected score, point by point -----------------------------------------------------------


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


def mean(model, p, u=U, ceiling=CEILING):
    """Expected score (point, draw)."""
    draws = next(iter(p.values())).shape[2]
    got = model.mean(NUMPY, p, np.asarray(u)[None, :, None], np.full((1, 1, 1), ceiling))
    return np.broadcast_to(got, (1, len(u), draws))[0]


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


# --- priors ---------------------------------------------------------------------------------------


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


# --- the prior predictive -------------------------------------------------------------------------


def width(score, rise):
    """The shortest stretch of the axis that holds 80 % of the rise, (draw,), in u."""
    cells = len(score) - 1
    found = np.full(score.shape[1], np.nan)
    for length in range(cells, 0, -1):
        holds = (score[length:] - score[:-length]).max(axis=0) >= 0.8 * rise - 1e-12
        found[holds] = length / cells
    return found


def implications(name, likelihood="beta-binomial", chance=0.25):
    """What a model's default priors imply, of 4,096 draws: the columns of docs/models.md."""
    model = Model.read(name)
    p = from_prior(model, 4096, likelihood=likelihood, chance=chance)
    score = mean(model, p, np.linspace(0, 1, 101), ceiling=1.0)
    rise = score[-1] - score[0]
    up = rise >= 0.1
    grown = score > score[0] + 0.1 * rise
    flat_until = (np.argmax(grown, axis=0) - 1) / 100
    near = np.abs(score[0] - chance) < 0.1 if likelihood == "beta-binomial" else np.full(4096, True)
    return {
        "moves": (np.ptp(score, axis=0) >= 0.1).mean(),
        "rises": up.mean(),
        "near": near.mean(),
        "start": np.quantile(score[0], [0.05, 0.5, 0.95]),
        "rise": np.quantile(rise, [0.05, 0.5, 0.95]),
        "width": np.median(width(score, rise)[up]) if up.any() else math.nan,
        "emergent": (up & near & (flat_until >= 0.25)).mean(),
    }


@pytest.fixture(scope="module")
def predictive():
    return {name: implications(name) for name in PARAMETERS}


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


# --- variants -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("step", ("floor",)),
        ("hinge", ("floor",)),
        ("ramp", ("floor",)),
        ("takeoff", ("floor",)),
        ("delayed-logit", ("level", "floor")),
        ("u-shaped", ("intercept", "slope")),
        ("rise-and-fall", ("intercept", "slope")),
        ("logistic", ("floor",)),
        ("logit-line", ("floor",)),
        ("inverse", ("level",)),
        ("chance", ("floor",)),
        ("flat", ("level",)),
    ],
)
def test_twins(name, parameters):
    """The model cut to its first segment; of those of one segment the floor alone, or `flat`."""
    twin = Model.read(name).twin()
    assert twin.parameters == parameters
    assert len(twin.segments) == 1
    p = from_prior(twin, 32)
    if name == "u-shaped":  # its first segment moves: the twin is a falling line
        assert np.diff(mean(twin, p), axis=0).max() < 0
    elif name == "rise-and-fall":
        assert np.diff(mean(twin, p), axis=0).min() > 0
    else:
        assert np.ptp(mean(twin, p), axis=0).max() == 0


def test_a_twin_is_the_limit_of_its_model():
    """A changepoint at the end of the axis is none: the same expected score, draw by draw."""
    for name in ("step", "hinge", "ramp", "delayed-logit", "u-shaped", "rise-and-fall", "takeoff"):
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


# --- files ----------------------------------------------------------------------------------------

HEAD = 'name = "mine"\nshape = "changepoint"\n'
HINGE = '[[segments]]\nkind = "floor"\n[[segments]]\nkind = "rise"\n'


def test_a_file_of_ones_own(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(
        '\ufeff# a byte order mark, as Windows editors write it\r\nname = "two steps"\r\n'
        'shape = "changepoint"\r\nlikelihood = "binomial"\r\n'
        '[[segments]]\r\nkind = "floor"\r\n[[segments]]\r\nkind = "level"\r\n'
        '[[segments]]\r\nkind = "level"\r\n[priors]\r\nlevel_2 = "Beta(4, 1)"\r\n',
        encoding="utf-8",
    )
    for source in (path, str(path)):
        model = Model.read(source)
        assert model.name == "two steps"
        assert model.summary == ""
        assert model.parameters == ("changepoint", "changepoint_2", "level", "level_2", "floor")
        assert model.given == {"level_2": "Beta(4, 1)"}
        assert model.likelihood_for("counts").name == "binomial"
    assert Model.read(model) is model


def test_a_line_may_name_its_link():
    chain = '[[segments]]\nkind = "line"\nlink = "logit"\n'
    assert Model.from_toml(HEAD + chain, "x").parameters == ("intercept", "slope", "floor")


def test_a_line_may_follow_a_rise():
    chain = HINGE + '[[segments]]\nkind = "line"\n'
    model = Model.from_toml(HEAD + chain, "x")
    p = from_prior(model, 256)
    assert np.isfinite(mean(model, p)).all()  # without a warning at s = 0, before the rise


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = ", "mine.toml: expected a TOML file, but got: Invalid value"),
        ('{"name": "x"}', "mine.toml: expected a TOML file, but got: "),
        ("name = 'a'\nname = 'b'", "mine.toml: expected a TOML file, but got: "),
        ("x = " + "9" * 5000, "mine.toml: expected a TOML file, but got: "),
        ("x = " + "[" * 90_000, "mine.toml: expected a TOML file, but got: "),
        (
            HEAD + 'colour = "red"\n' + HINGE,
            "mine.toml: expected a known key, but got 'colour'; there are: 'name', 'shape', ",
        ),
        (HEAD + 'sumary = "x"\n' + HINGE, "but got 'sumary'; did you mean 'summary'?"),
        ('shape = "flat"\n' + HINGE, "mine.toml, key 'name': expected a text, but got None"),
        ('name = " "\nshape = "flat"\n' + HINGE, "key 'name': expected a text, but got ' '"),
        ('name = 3\nshape = "flat"\n' + HINGE, "mine.toml, key 'name': expected a text, but got 3"),
        ('name = "x"\n' + HINGE, "mine.toml, key 'shape': expected a text, but got None"),
        (
            'name = "x"\nshape = "wavy"\n' + HINGE,
            "mine.toml, key 'shape': expected a known shape, but got 'wavy'; there are: 'flat', "
            "'smooth', 'changepoint', 'inverse', 'u-shaped'",
        ),
        (
            HEAD + 'range = "ceiling"\n' + HINGE,
            "mine.toml, key 'range': expected a known range, but got 'ceiling'; there are: "
            "'floor', 'zero'",
        ),
        (
            HEAD + 'likelihood = "poisson"\n' + HINGE,
            "mine.toml, key 'likelihood': expected a known likelihood, but got 'poisson'",
        ),
        (HEAD + "summary = 3\n" + HINGE, "mine.toml, key 'summary': expected a text, but got 3"),
        (
            HEAD,
            "mine.toml, key 'segments': expected 1 to 8 tables [[segments]], but got None",
        ),
        (HEAD + "segments = []", "expected 1 to 8 tables [[segments]], but got []"),
        (HEAD + 'segments = "floor"', "expected 1 to 8 tables [[segments]], but got 'floor'"),
        (
            HEAD + '[[segments]]\nkind = "level"\n' * 9,
            "mine.toml, key 'segments': expected 1 to 8 tables [[segments]], but got [",
        ),
        (
            HEAD + "segments = [3]",
            "mine.toml, segment 1: expected a table with a key 'kind', but got 3",
        ),
        (HEAD + "[[segments]]\nkind = 3", "mine.toml, segment 1: expected a table with a key"),
        (
            HEAD + '[[segments]]\nkind = "floor"\n[[segments]]\nkind = "rize"',
            "mine.toml, segment 2: expected a known kind of segment, but got 'rize'; "
            "did you mean 'rise'? there are: 'floor', 'level', 'rise', ",
        ),
        (
            HEAD + '[[segments]]\nkind = "level"\ncolour = true',
            "mine.toml, segment 1, key 'colour': expected joined = true, but got True",
        ),
        (
            HEAD + '[[segments]]\nkind = "line"\ndown = "yes"',
            "mine.toml, segment 1, key 'down': expected down = true, but got 'yes'",
        ),
        (
            HEAD + '[[segments]]\nkind = "line"\nlink = "probit"',
            "mine.toml, segment 1, key 'link': expected down = true, but got 'probit'",
        ),
        (
            HEAD + '[[segments]]\nkind = "floor"\nlink = "logit"',
            "mine.toml, segment 1, key 'link': expected no further key, but got 'logit'",
        ),
        (
            HEAD + '[[segments]]\nkind = "rise"',
            "mine.toml, segment 1: expected a kind that can begin a curve (floor, level, line, "
            "logistic, gompertz), but got 'rise'",
        ),
        (
            HEAD + '[[segments]]\nkind = "level"\njoined = true',
            "mine.toml, segment 1, key 'joined': expected a segment before it, but got the first",
        ),
        (
            HEAD + '[[segments]]\nkind = "floor"\n[[segments]]\nkind = "logistic"',
            "mine.toml, segment 2: expected a kind that can follow a changepoint (level, rise, "
            "ramp, line), but got 'logistic'",
        ),
        (
            HEAD + '[[segments]]\nkind = "floor"\n[[segments]]\nkind = "line"',
            "mine.toml, segment 2: expected a level, rise or ramp before a line, but got the "
            "floor, a share of 0, whose log odds no line leaves; begin with a level",
        ),
        (HEAD + 'priors = "x"\n' + HINGE, "mine.toml, key 'priors': expected a table [priors], "),
        (
            HEAD + HINGE + '[priors]\nslope = "Uniform(0, 1)"',
            "mine.toml, key 'priors': expected a known parameter, but got 'slope'",
        ),
        (
            HEAD + HINGE + "[priors]\nrate = 2.0",
            "mine.toml, key 'priors', 'rate': expected a prior in quotes, but got 2.0",
        ),
        (
            HEAD + HINGE + '[priors]\nheight = "Uniform(0, 2)"',
            "mine.toml, key 'priors', 'height': expected a prior within [0, 1], "
            "but got 'Uniform(0, 2)'",
        ),
        (
            HEAD + HINGE + '[priors]\nrate = "LogNormal(1, -2)"',
            "mine.toml, key 'priors', 'rate': expected a positive sd in LogNormal",
        ),
    ],
)
def test_a_wrong_file(tmp_path, text, message):
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=re.escape(message)) as caught:
        Model.read(path)
    assert str(caught.value).startswith("mine.toml")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 350


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"name = 'caf\xe9'", "expected UTF-8 text, but got other bytes"),
        ("name = 'x'".encode("utf-16"), "expected UTF-8 text, but got other bytes"),
        (b"#" * (MAX_BYTES + 1), "expected a model file below 100 KB, but got a larger one"),
    ],
)
def test_a_file_that_is_no_text(tmp_path, content, message):
    path = tmp_path / "mine.toml"
    path.write_bytes(content)
    with pytest.raises(DataError, match=f"^{re.escape(f'{path}: {message}')}$"):
        Model.read(path)


def test_a_file_that_is_not_there(tmp_path):
    for path, reason in [
        (tmp_path / "none.toml", "No such file or directory"),
        (tmp_path, "Is a directory"),
        (tmp_path / "a\0b.toml", "embedded null byte"),
    ]:
        message = f"{path}: expected a readable model file, but got: {reason}"
        with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
            Model.read(path)


def test_an_unknown_name():
    with pytest.raises(
        DataError,
        match=r"^model: expected a known model, but got 'hnige'; did you mean 'hinge'\? there are:",
    ):
        Model.read("hnige")
    with pytest.raises(DataError, match="No such file or directory"):
        Model.read("hnige.toml")


# --- there and back -------------------------------------------------------------------------------


def same(one, other):
    """Whether two models mean the same: parts, parameters, priors under their likelihoods."""
    for key in (*TEXTS, "segments"):
        assert getattr(one, key) == getattr(other, key)
    assert one.parameters == other.parameters
    names = LIKELIHOODS if one.likelihood == "auto" else [one.likelihood]
    for likelihood in map(LIKELIHOODS.get, names):
        for scatter in (False, True):
            mine, theirs = (m.priors(likelihood, scatter=scatter) for m in (one, other))
            assert list(mine.items()) == list(theirs.items())


@pytest.mark.parametrize("likelihood", ["auto", *LIKELIHOODS])
@pytest.mark.parametrize("name", PARAMETERS)
def test_to_toml_and_back(name, likelihood):
    model = Model.read(name).with_likelihood(likelihood)
    again = Model.from_toml(model.to_toml(), "copy")
    same(again, model)
    assert again.to_toml() == model.to_toml()


def test_a_copied_file_does_not_carry_the_floor_of_counts_to_continuous_metrics():
    text = Model.read("hinge").to_toml()
    left = '# Left to the likelihood; for counts:\n# floor = "BetaMode(chance, 100) | Beta(1, 4)"\n'
    assert left in text
    assert "\nfloor" not in text
    given = Model.read("hinge").with_priors({"floor": "Beta(1, 9)"}).to_toml()
    assert '\nfloor = "Beta(1, 9)"\n' in given


NUMBER = st.floats(0.001, 0.999).map(repr)
PRIORS = st.fixed_dictionaries(
    {},
    optional={
        "changepoint": st.tuples(NUMBER, NUMBER).map(lambda t: f"Normal({t[0]}, {t[1]})"),
        "height": st.tuples(NUMBER, NUMBER).map(lambda t: f"Beta({t[0]}, {t[1]})"),
        "rate": NUMBER.map(lambda n: f"LogNormal(-{n}, {n})"),
        "floor": NUMBER.map(lambda n: f"BetaMode(chance, 1e2) | Beta({n}, 4)"),
        "nu": NUMBER.map(lambda n: f"Exponential({n})"),
        "scatter": NUMBER.map(lambda n: f"HalfNormal({n})"),
    },
)


@given(
    st.text(st.characters(codec="utf-8"), min_size=1).filter(str.strip),
    st.text(st.characters(codec="utf-8")),
    PRIORS,
)
@settings(max_examples=60)
def test_odd_names_and_given_priors_survive(name, summary, priors):
    plain = Model.read("hinge")
    model = Model(name, "changepoint", summary, plain.segments).with_priors(priors)
    again = Model.from_toml(model.to_toml(), "copy")
    same(again, model)


def test_names_with_quotes_newlines_and_more_survive():
    odd = 'a "b" \\ \'c\'\n\t\r\x00\x1f\x7f"""🙂\u2028,<script>'
    model = Model(odd, "flat", odd, Model.read("flat").segments, range="zero")
    assert Model.from_toml(model.to_toml(), "copy").name == odd


# --- docs/models.md -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def page():
    path = Path(__file__).parents[2] / "docs" / "models.md"
    return path.read_text("utf-8")


def rows(page, heading):
    """The cells of the first table under a heading."""
    lines = page[page.index(f"\n## {heading}\n") :].splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("|"))
    table = []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        table.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return table[2:]


def test_the_page_shows_every_segment_and_model(page):
    assert {row[0].strip("`") for row in rows(page, "Segments")} == set(KINDS)
    shown = {row[0].strip("`"): row[3] for row in rows(page, "Built-in models")}
    assert list(shown) == list(PARAMETERS)
    for name, cell in shown.items():
        assert tuple(re.findall(r"`([a-z_0-9]+)`", cell)) == PARAMETERS[name]


def test_the_page_shows_the_default_priors(page):
    shown = {row[0].strip("`"): row[1].strip("`") for row in rows(page, "Default priors")}
    noise = {
        name: parameter.prior
        for likelihood in LIKELIHOODS.values()
        for name, parameter in likelihood.parameters.items()
    }
    floors = {
        "floor of counts and proportions": LIKELIHOODS["beta-binomial"].floor,
        "floor of continuous metrics": LIKELIHOODS["normal"].floor,
    }
    expected = {**SEGMENT_PRIORS, **noise, **floors, "scatter": "HalfNormal(0.1)"}
    assert {k: v.replace("\\|", "|") for k, v in shown.items()} == expected


def test_the_page_shows_the_priors_that_models_change(page):
    for name in PARAMETERS:
        for parameter, text in Model.read(name).given.items():
            assert f"| `{name}` | `{parameter}` | `{text}` |" in page


def test_the_page_shows_what_priors_imply(page, predictive):
    """Each figure of the table, to its last digit but one."""
    table = {row[0].strip("`"): row[1:] for row in rows(page, "What the priors imply")}
    assert list(table) == [n for n in PARAMETERS if Model.read(n).moves]
    for name, cells in table.items():
        seen = predictive[name]
        numbers = [float(n.replace("−", "-")) for n in re.findall(r"[−\d.]+", " ".join(cells))]
        expected = [
            100 * seen["moves"],
            *seen["start"],
            *seen["rise"],
            *([] if math.isnan(seen["width"]) else [seen["width"]]),
            100 * seen["emergent"],
        ]
        tolerance = [1.5] + [0.015] * (len(expected) - 2) + [1.5]
        assert len(numbers) == len(expected)
        assert np.abs(np.subtract(numbers, expected) / tolerance).max() < 1, (name, expected)


def test_the_page_says_what_single_priors_imply(page):
    """The figures in the table's words: 5 %, 50 % and 95 % quantiles of what a reader sees."""

    def ends(parameter, function=lambda x: x):
        declared = {**segments.all_parameters(), **LIKELIHOODS["student-t"].parameters}
        text = (declared | LIKELIHOODS["beta"].parameters)[parameter].prior
        frozen = Prior.parse(text, parameter).choices[0].frozen()
        return [f"{x:.2g}" for x in sorted(function(frozen.ppf([0.05, 0.5, 0.95])))]

    shown = {row[0].strip("`"): row[2] for row in rows(page, "Default priors")}
    fast, median, slow = ends("rate", lambda rate: 1 / rate)
    assert f"{median} in the median, 0.05 to {slow} in nine cases of ten" in shown["rate"]
    assert float(fast) == pytest.approx(0.05, abs=0.002)
    assert f"in {float(ends('slope')[1]) ** -1:.1f} of the axis" in shown["slope"]
    low, median, high = ends("width", lambda width: 2 * math.log(9) * width)
    assert f"{median} of the axis in the median, {low} to {high}" in shown["width"]
    _, median, high = ends("overdispersion", lambda root: root / 2)
    assert f"{float(median):.2f} in the median at a mean of one half" in shown["overdispersion"]
    assert f"{float(high):.2f} in one case of twenty" in shown["overdispersion"]
    _, median, high = ends("sigma", lambda sigma: 100 * sigma / 0.5)
    assert f"{median} % of the range of the scores seen in the median, {high} %" in shown["sigma"]
    low, _, high = ends("nu")
    assert f"({low}) to as good as normal ({high})" in shown["nu"]


def test_the_page_says_what_the_priors_of_models_imply(page):
    """The figures in the words of the second table."""

    def median(model, parameter, level=0.5, function=lambda x: x):
        prior = Prior.parse(Model.read(model).given[parameter], parameter)
        return f"{float(function(prior.choices[0].frozen().ppf(level))):.2f}"

    def said(model, parameter):
        cells = next(x for x in page.splitlines() if f"| `{model}` | `{parameter}` |" in x)
        return cells.split(" | ")[-1]

    assert f"ceiling in {ends_in_words(median('ramp', 'slope'))} axis" in said("ramp", "slope")
    across = median("takeoff", "slope", function=lambda slope: 1 / slope)
    assert f"{across} of it in the median" in said("takeoff", "slope")
    words = said("logit-line", "intercept")
    assert f"a share of {median('logit-line', 'intercept', function=expit)} in the med" in words
    assert f"above {median('logit-line', 'intercept', 0.95, expit)} in one case of twenty" in words
    assert f"{float(median('logit-line', 'slope')):.1f} per axis" in said("logit-line", "slope")
    words = said("delayed-logit", "level")
    assert f"a share of {median('delayed-logit', 'level')} in the median" in words
    assert f"{median('delayed-logit', 'level', 0.95)} in one case of twenty" in words
    across = median("delayed-logit", "slope", function=lambda slope: 2 * math.log(9) / slope)
    assert f"from 10 % to 90 % in {across} of an axis" in said("delayed-logit", "slope")


def ends_in_words(number):
    return {"1.00": "one"}[number]


def test_the_page_says_what_the_smallest_noise_is(page):
    assert (ROUNDING_RHO, SMALLEST_SIGMA, RHO_RANGE[0]) == (4e-7, 1e-4, 1e-8)
    assert "ρ counts as 4·10⁻⁷ at least" in page
    assert f"an sd of {math.sqrt(0.25 * ROUNDING_RHO):.4f} at a mean of one half" in page
    assert f"{SMALLEST_SIGMA:.4f} at least, {100 * SMALLEST_SIGMA / 0.5:.2f} % of the range" in page
    assert "the least ρ is 10⁻⁸" in page


def test_the_files_on_the_page_are_models(page):
    found = re.findall(r"```toml\n(.*?)```", page, flags=re.DOTALL)
    assert len(found) >= 2
    for text in found:
        model = Model.from_toml(text, "docs/models.md")
        assert np.isfinite(mean(model, from_prior(model, 32))).all()


def test_whitening_is_the_probability_transform():
    """Drawing z from N(0, 1) and mapping is drawing from the prior: the medians agree."""
    priors = Model.read("hinge").priors(LIKELIHOODS["beta-binomial"], scatter=True)
    for name, prior in priors.items():
        chance = np.array([0.25])
        got = Quantiles(prior, chance)(NUMPY, np.zeros(1, dtype=np.intp), ndtri([[0.5, 0.9]]))
        frozen = prior.choice(0.25).frozen(0.25)
        np.testing.assert_allclose(frozen.cdf(got[0]), [0.5, 0.9], atol=1e-6, err_msg=name)
        np.testing.assert_allclose(ndtr(ndtri([0.5, 0.9])), [0.5, 0.9])
