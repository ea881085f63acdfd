"""Influence: leaving rows out is answering as if they had never been there."""

import numpy as np
import pandas as pd
import pytest

from tests.support.classifications import gpt3, task
from upturn.checks.errors import DataError
from upturn.questions.classify.classify import classify
from upturn.questions.classify.influence import influence, left_out
from upturn.tables.results import read

OPTIONS = {"draws": 200, "seed": 1, "learn_prevalence": False}
MODELS = ("flat", "logistic", "step")


def table(**columns):
    return task("t", [0.25, 0.26, 0.24, 0.25, 0.26, 0.6, 0.8, 0.85], **columns)


def said(verdicts, change):
    found = verdicts.table().set_index("change")
    return found.loc[change, ["p_emergent", "p_sharp", "scale"]].to_numpy(dtype=float)


@pytest.mark.parametrize("model", ["m0", "m5", "m7"])
def test_leaving_a_model_out_is_deleting_its_rows(model):
    frame = table()
    verdicts = influence(classify(read(frame), models=MODELS, **OPTIONS), of=["model"])
    again = classify(read(frame[frame["model"] != model]), models=MODELS, **OPTIONS).summary()
    expected = again[["p_emergent", "p_sharp", "scale"]].to_numpy(dtype=float)[0]
    np.testing.assert_allclose(said(verdicts, f"without {model}"), expected)


def test_leaving_a_family_out_is_deleting_its_rows():
    frame = table(family=list("aabbabbb"))
    found = classify(read(frame), models=MODELS, scatter="none", **OPTIONS)
    verdicts = influence(found, of=["family"])
    assert [c.name for c in verdicts.changes] == ["without a", "without b"]
    kept = read(frame[frame["family"] != "a"])
    again = classify(kept, models=MODELS, scatter="none", **OPTIONS).summary()
    assert said(verdicts, "without a")[0] == pytest.approx(again["p_emergent"].iloc[0])


def test_leaving_a_shape_out_is_classifying_without_it():
    found = classify(gpt3(["wic", "rte"]), models=MODELS, **OPTIONS)
    verdicts = influence(found, of=["shape"])
    assert [c.name for c in verdicts.changes] == [f"without {m}" for m in MODELS]
    np.testing.assert_array_equal(
        np.stack([c.answers.p_emergent[0] for c in verdicts.changes], axis=1),
        found.without_each_model,
    )


def test_an_ability_that_one_model_has():
    frame = task("t", [0.25, 0.26, 0.24, 0.25, 0.26, 0.24, 0.25, 0.9], trials=1000)
    frame = pd.concat([frame, table().assign(task="sound")])
    verdicts = influence(classify(read(frame), models=MODELS, **OPTIONS), of=["model"])
    flips = verdicts.summary()["flips"]
    assert "not emergent: without m7" in flips["t"]
    assert "emergent" not in flips["sound"]
    assert verdicts.verdict.endswith("flips on 1 of 2 curves: t")


def test_only_short_curves_lose_single_models_and_nothing_its_last_point():
    long = task("long", np.linspace(0.2, 0.3, 12))
    single = task("single", [0.3])
    calls = []
    found = classify(read(pd.concat([table(), long, single])), models=("flat",), draws=100)
    verdicts = influence(found, of=["model"], longest=10, progress=lambda *done: calls.append(done))
    assert set(verdicts.table()["curve"]) == {"t"}
    assert verdicts.summary()["changes"].tolist() == [8, 0, 0]
    assert calls[-1] == (8, 8)


def test_what_is_left_has_limits_groups_and_flags_of_its_own():
    curves = read(table(family=list("aaaabbbb"))).curves()
    assert curves.groups.tolist() == [2]
    left = left_out(curves, curves.family == "b")
    assert left.points.tolist() == [4]
    assert left.groups.tolist() == [0]  # one family's offset cannot be told from the scale
    assert left.limits[:, 0, 0].tolist() == curves.x[0, 0, [0, 3]].tolist()
    two = left_out(curves, np.arange(8)[None] >= 2)
    assert "2 scales" in two.flags[0]


def test_a_thing_that_cannot_be_left_out():
    found = classify(gpt3(["wic"]), models=("flat",), draws=100)
    with pytest.raises(DataError, match="did you mean 'family'"):
        influence(found, of=["familie"])
