"""A verdict is a property of the curve: one model far away changes it no more than one close by.

Twelve models of 1e21 to 1e24 FLOPs whose score grows in proportion to the logarithm of the FLOPs
from 2e21 on, to which a thirteenth is added.
"""

import numpy as np
import pandas as pd
import pytest

from upturn.questions.classify.classify import classify
from upturn.tables.results import read

pytestmark = pytest.mark.slow

MODELS = ("chance", "flat", "logistic", "gompertz", "logit-line", "hinge", "ramp", "step")
X = np.linspace(21, 24, 12)


def table(name, *more):
    """The twelve models, and further ones as (decade of FLOPs, score)."""
    score = 0.25 + 0.5 * np.maximum(X - np.log10(2e21), 0) / (24 - np.log10(2e21))
    x, y = np.array([*zip(X, score, strict=True), *more]).T
    return pd.DataFrame({
        "task": name, "model": [f"m{i}" for i in range(len(x))], "flops": 10**x,
        "score": np.round(y * 500) / 500, "trials": 500, "chance": 0.25,
        "params": np.where(x < 16, np.nan, 10**x / 1.8e12),
    })  # fmt: skip


@pytest.fixture(scope="module")
def found():
    frame = pd.concat([
        table("as it is"), table("near", (20.7, 0.25)), table("far", (17, 0.25)),
        table("further", (13, 0.25)), table("plateau", (27, 0.75)),
    ])  # fmt: skip
    options = {"models": MODELS, "draws": 200, "learn_prevalence": False}
    return classify(read(frame), axis=["flops", "params"], **options).summary()


def of(found, axis):
    return found[found["axis"] == axis].set_index("task")


def test_one_model_far_below_changes_no_more_than_one_just_below(found):
    """Both by 200 draws, whose error is below 0.04."""
    flops = of(found, "flops")
    p = flops["p_emergent"]
    assert abs(p["far"] - p["as it is"]) <= abs(p["near"] - p["as it is"]) + 0.15
    assert flops["p_sharp"].max() < 0.02


def test_how_far_below_it_is_changes_nothing(found):
    p = of(found, "flops")["p_emergent"]
    assert abs(p["further"] - p["far"]) < 0.06


def test_one_model_on_the_plateau_moves_no_scale_by_more_than_its_error(found):
    flops = of(found, "flops")
    low, high = flops.loc["as it is", ["scale_low", "scale_high"]]
    assert low < flops.loc["plateau", "scale"] < high


def test_the_verdict_is_that_on_parameters_where_there_is_one_data_size(found):
    flops, params = of(found, "flops"), of(found, "params")
    np.testing.assert_allclose(flops["p_emergent"], params["p_emergent"], atol=0.15)
