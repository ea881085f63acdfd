"""compare_models: evidence against quadrature, verdicts on simulated curves."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import betaln

import upturn
from upturn.checks.errors import DataError
from upturn.model import Model
from upturn.questions.compare.models import compare_models
from upturn.tables.results import read

FAST = {"draws": 200, "threads": 1}
# Few parameters, and the noise that the tables are made with: sampled in little time.
RAMP, FLAT, STEP, CHANCE = (
    Model.read(name).with_likelihood("binomial") for name in ("ramp", "flat", "step", "chance")
)


@pytest.fixture
def flat_table(make_table):
    """One task that stays at 0.25, as evenly as counts do."""
    return make_table(points=20).assign(score=(75 + np.tile([-7, 5, 7, -5], 5)) / 300)


def test_a_flat_task_is_flat_and_a_jump_is_not(make_table, flat_table):
    jump = compare_models(make_table(), models=[RAMP, CHANCE], axis="params", **FAST)
    flat = compare_models(flat_table, models=[RAMP, CHANCE], axis="params", **FAST)
    assert jump.names[jump.best] == "ramp"
    assert flat.names[flat.best] == "chance"
    assert jump.verdict.startswith("ramp beats chance by ")
    assert " nats of ELPD over 1 curve; the evidence of ramp is " in jump.verdict


def test_the_bayes_factor_is_that_of_exact_evidences(make_table):
    """Flat against chance under the binomial: beta functions, to 0.03 nats each."""
    frame = make_table(points=8).assign(score=np.round(300 * np.linspace(0.2, 0.3, 8)) / 300)
    flat = Model.read("flat").with_likelihood("binomial")
    tight = flat.with_priors({"level": "Beta(26, 76)"})
    tight = Model("tight", tight.shape, "", tight.segments, tight.range, "binomial", tight.given)
    found = compare_models(frame, models=[flat, tight], axis="params", **FAST).summary()
    k, n = 300 * frame["score"].sum(), 300 * 8
    exact = {
        "flat": betaln(1 + k, 1 + n - k),
        "tight": betaln(26 + k, 76 + n - k) - betaln(26, 76),
    }
    gap = found["log_evidence"]["tight"] - found["log_evidence"]["flat"]
    assert gap == pytest.approx(exact["tight"] - exact["flat"], abs=0.06)
    assert found.loc["tight", "log_evidence_diff"] == 0
    assert found.loc["flat", "log_evidence_diff"] == pytest.approx(-gap)
    assert 0 < found.loc["flat", "log_evidence_diff_se"] < 0.1


def test_a_model_and_its_copy_tie(make_table):
    copy = Model("copy", RAMP.shape, "", RAMP.segments, RAMP.range, "binomial", RAMP.given)
    found = compare_models(
        make_table(points=12), models=[RAMP, copy], axis="params", draws=4000, threads=1
    )
    assert " are a tie, " in found.verdict
    assert "their evidence differs by less than its Monte Carlo error" in found.verdict
    np.testing.assert_allclose(found.curves["probability"], 0.5, atol=0.1)


def test_the_priors_are_named(make_table):
    given = RAMP.with_priors({"changepoint": "Uniform(0.2, 0.9)"})
    found = compare_models(make_table(points=6), models=[given, FLAT], axis="params", **FAST)
    assert found.priors["ramp"]["changepoint"] == "Uniform(0.2, 0.9)"
    assert set(found.priors["flat"]) == {"level"}
    assert "given their priors" in found.verdict


def test_curves_and_totals_agree(make_table):
    found = compare_models(
        make_table(tasks=3, points=10), models=[RAMP, STEP, FLAT], axis="params", **FAST
    )
    total, each = found.summary(), found.curves
    sums = each.groupby("model", sort=False)[["log_evidence", "elpd"]].sum()
    np.testing.assert_allclose(total[["log_evidence", "elpd"]], sums)
    np.testing.assert_allclose(each.groupby(level="curve")["probability"].sum(), 1)
    assert total["best_on"].sum() == 3
    assert each.index.unique().tolist() == ["t0", "t1", "t2"]
    assert (each.groupby(level="curve")["log_evidence_diff"].max() == 0).all()


def test_curves_are_taken_as_they_are(make_table):
    curves = read(make_table(points=8)).curves("params")
    found = compare_models(curves, models=[STEP, FLAT], **FAST)
    assert found.meta["arguments"]["axis"] == "params"
    assert found.clusters.label == "model"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"models": ["hinge"]}, "models: expected two or more, but got 'hinge'"),
        ({"models": "hinge"}, "models: expected two or more, but got 'hinge'"),
        ({"models": ["hinge", "hinje"]}, "hinje"),
        ({"models": ["hinge", "flat"], "axis": ["flops", "params"]}, "axis: expected one axis"),
        ({"models": ["hinge", "flat"], "cluster": 3}, "cluster: expected a name"),
    ],
)
def test_bad_arguments(make_table, options, message):
    with pytest.raises(DataError, match=message):
        compare_models(make_table(points=6), **options)


def test_all_is_every_built_in():
    from upturn.questions.arguments import models_of

    assert [model.name for model in models_of("all")] == Model.names()
    assert upturn.compare_models is compare_models
    assert pd.Index([m.shape for m in models_of("all")]).nunique() == 6
