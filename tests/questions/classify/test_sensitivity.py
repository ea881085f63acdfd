"""Prior sensitivity: priors widened as documented, refits as a user would get them by hand."""

import numpy as np
import pytest

from tests.support.classifications import gpt3
from upturn.checks.errors import DataError
from upturn.formulas.priors import Prior
from upturn.model import Model
from upturn.questions.classify.classify import classify
from upturn.questions.classify.sensitivity import ALL, GROUPS, prior_sensitivity, widened


def priors_of(model, *, scatter=False):
    found = model.priors(model.likelihood_for("counts"), scatter=scatter and model.moves)
    return {name: str(prior) for name, prior in found.items()}


@pytest.mark.parametrize(
    ("model", "group", "factor", "parameter", "text"),
    [
        ("hinge", "floor", 2, "floor", "BetaMode(chance, 50) | Beta(0.5, 2)"),
        ("hinge", "floor", 0.5, "floor", "BetaMode(chance, 200) | Beta(2, 8)"),
        ("hinge", "overdispersion", 2, "overdispersion", "HalfNormal(0.4)"),
        ("hinge", "changepoint", 2, "changepoint", "Uniform(-0.5, 1.5)"),
        ("hinge", "changepoint", 0.5, "changepoint", "Uniform(0.25, 0.75)"),
        ("hinge", "height", 2, "height", "Beta(0.5, 0.5)"),
        ("flat", "height", 0.5, "level", "Beta(2, 2)"),
        ("delayed-logit", "height", 0.5, "level", "Beta(2, 38)"),
        ("hinge", "rate", 0.5, "rate", "LogNormal(1, 0.6)"),
        ("u-shaped", "rate", 2, "slope_2", "LogNormal(1, 2)"),
        ("inverse", "place", 2, "intercept", "Normal(0, 3)"),
        ("logistic", "scatter", 2, "scatter", "HalfNormal(0.2)"),
        ("takeoff", "changepoint", 2, "changepoint_2", "Uniform(-0.5, 1.5)"),
    ],
)
def test_a_prior_widened(model, group, factor, parameter, text):
    other = widened(Model.read(model), group, factor, "counts", scatter=True)
    assert priors_of(other, scatter=True)[parameter] == text


@pytest.mark.parametrize("name", Model.names())
@pytest.mark.parametrize("factor", [0.5, 2])
def test_only_the_group_changes_and_spreads_go_the_right_way(name, factor):
    model = Model.read(name)
    before = priors_of(model, scatter=True)
    for group, members in GROUPS.items():
        other = widened(model, group, factor, "counts", scatter=True)
        if other is None:
            assert not any(p.startswith(members) for p in before)
            continue
        for parameter, text in priors_of(other, scatter=True).items():
            changed = text != before[parameter]
            assert changed == parameter.rstrip("_23").startswith(members), (group, parameter)
            if changed:
                sds = [
                    Prior.parse(t, "t").choice(0.25).frozen(0.25).std()
                    for t in (before[parameter], text)
                ]
                assert (sds[1] > sds[0]) == (factor > 1)


def test_all_at_once_is_each_group_in_turn():
    model = Model.read("logistic")
    together = widened(model, ALL, 2, "counts", scatter=True)
    for group in GROUPS:
        model = widened(model, group, 2, "counts", scatter=True) or model
    assert priors_of(together, scatter=True) == priors_of(model, scatter=True)


def test_a_model_without_such_a_prior_stays():
    assert widened(Model.read("chance"), "rate", 2, "counts", scatter=False) is None
    assert widened(Model.read("hinge"), "scatter", 2, "counts", scatter=False) is None
    narrow = Model.read("hinge").with_priors({"changepoint": "Uniform(0.2, 0.4)"})
    other = widened(narrow, "changepoint", 2, "counts", scatter=False)
    assert priors_of(other)["changepoint"] == "Uniform(0.1, 0.5)"


def test_a_refit_is_the_fit_with_that_prior():
    curves = gpt3(["wic", "arithmetic_3da"])
    options = {"draws": 200, "seed": 3, "learn_prevalence": False}
    found = classify(curves, models=("flat", "inverse", "hinge"), **options)
    calls = []
    verdicts = prior_sensitivity(
        found, priors=["changepoint"], factors=[2], progress=lambda *done: calls.append(done)
    )
    hinge = Model.read("hinge").with_priors({"changepoint": "Uniform(-0.5, 1.5)"})
    by_hand = classify(curves, models=("flat", "inverse", hinge), **options)
    (change,) = verdicts.changes
    assert change.name == "changepoint × 2"
    np.testing.assert_array_equal(change.answers.p_emergent[0], by_hand.summary()["p_emergent"])
    np.testing.assert_array_equal(change.answers.p_class[0], by_hand.p_class)
    assert (change.answers.p_emergent[0] != found.summary()["p_emergent"]).any()
    assert calls[-1] == (2, 2)  # of three models, only the hinge has a changepoint


def test_nothing_widened_is_nothing_changed():
    """Negative control: a factor of 1."""
    found = classify(gpt3(["wic"]), models=("flat", "hinge"), draws=100)
    assert prior_sensitivity(found, factors=[1]).changes == ()


def test_a_group_that_is_none():
    found = classify(gpt3(["wic"]), models=("flat",), draws=100)
    with pytest.raises(DataError, match="did you mean 'floor'"):
        prior_sensitivity(found, priors=["flor"])


def test_a_verdict_that_hangs_on_the_overdispersion():
    """Five-digit addition has one model above 0.05: how noisy may one model be?"""
    found = classify(
        gpt3(["arithmetic_5da", "hellaswag"]), models=("flat", "gompertz", "hinge"), draws=400
    )
    summary = prior_sensitivity(found, priors=["overdispersion"]).summary()
    moved = summary["p_emergent_high"] - summary["p_emergent_low"]
    assert moved["arithmetic_5da"] > 0.1
    assert moved["hellaswag"] < 0.01
