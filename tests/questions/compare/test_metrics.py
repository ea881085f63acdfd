"""compare_metrics: matched points, jumps that survive a metric and jumps that the metric made."""

import numpy as np
import pandas as pd
import pytest

from upturn.checks.errors import DataError
from upturn.questions.compare.metrics import compare_metrics, matched
from upturn.tables.results import read

QUICK = ("flat", "logistic", "hinge")
FAST = {"models": QUICK, "draws": 200, "threads": 1, "learn_prevalence": False}


def two_metrics(first, second, *, names=("acc", "partial"), trials=500, seed=0):
    """One task under two metrics, expected scores given along the axis."""
    rng = np.random.default_rng(seed)
    points = len(first)
    basis = {
        "task": "t",
        "model": [f"m{i}" for i in range(points)],
        "flops": 10 ** np.linspace(20, 24, points),
        "trials": trials,
        "chance": 0.0,
    }
    parts = [
        pd.DataFrame(basis | {"metric": name, "score": rng.binomial(trials, mean) / trials})
        for name, mean in zip(names, (first, second), strict=True)
    ]
    return pd.concat(parts, ignore_index=True)


U = np.linspace(0, 1, 16)
JUMP = 0.01 + 0.8 * np.clip((U - 0.6) / 0.15, 0, 1)
SMOOTH = 0.05 + 0.85 * U  # from the first model on


@pytest.fixture(scope="module")
def mirage():
    """Exact match of many tokens: a jump; a token right: smooth. The case of Schaeffer et al."""
    return compare_metrics(two_metrics(JUMP, SMOOTH), metrics=("acc", "partial"), **FAST)


@pytest.fixture(scope="module")
def real():
    """The second metric jumps as the first does, a fifth of the axis (0.8 decades) earlier."""
    early = 0.01 + 0.8 * np.clip((U - 0.4) / 0.15, 0, 1)
    return compare_metrics(two_metrics(JUMP, early), metrics=("acc", "partial"), **FAST)


def test_a_jump_that_the_metric_made_does_not_survive(mirage):
    found = mirage.summary().loc["t"]
    assert found["p_emergent"] > 0.95
    assert found["p_emergent_2"] < 0.05
    assert found["p_survives"] == found["p_emergent_2"]
    assert found["outcome"] == "first only"
    start = "Of 1 curve, 1 emergent under acc: under partial none still, 1 ('t') not"
    assert mirage.verdict.startswith(start)


def test_the_smooth_metric_turns_up_first(mirage):
    found = mirage.summary().loc["t"]
    assert found["p_second_first"] > 0.99
    assert found["shift_low"] < found["shift"] < found["shift_high"] < 0


def test_a_jump_under_both_survives(real):
    found = real.summary().loc["t"]
    assert found["outcome"] == "both"
    assert found["p_survives"] > 0.95
    assert real.verdict.startswith("Of 1 curve, 1 emergent under acc: under partial 1 ('t') still")


def test_the_shift_is_that_of_the_simulation(real):
    """0.8 decades; the interval of 99 % holds it, which a right one does in 99 seeds of 100."""
    found = real.summary(0.99).loc["t"]
    assert found["shift_low"] < -0.8 < found["shift_high"]
    assert found["shift"] == pytest.approx(-0.8, abs=0.25)
    wide, narrow = found["shift_high"] - found["shift_low"], real.summary(0.5).loc["t"]
    assert wide > narrow["shift_high"] - narrow["shift_low"]


def test_a_metric_with_itself_has_no_shift():
    frame = two_metrics(JUMP, JUMP, seed=1)
    found = compare_metrics(frame, metrics=("acc", "partial"), **FAST).summary().loc["t"]
    assert abs(found["shift"]) < 0.2
    assert found["shift_low"] < 0 < found["shift_high"]


def test_where_one_does_not_rise_there_is_no_shift():
    flat = np.full(16, 0.02)
    found = compare_metrics(two_metrics(flat, JUMP), metrics=("acc", "partial"), **FAST)
    row = found.summary().loc["t"]
    assert np.isnan(row["shift"])
    assert np.isnan(row["p_survives"])
    assert row["outcome"] == "second only"
    assert found.verdict.startswith("Nothing to survive: none of 1 curve is emergent under acc")
    assert found.verdict.endswith("under partial only, 1 ('t')")


def test_orders_can_be_swapped(mirage):
    frame = two_metrics(JUMP, SMOOTH)
    swapped = compare_metrics(frame, metrics=("partial", "acc"), **FAST).summary().loc["t"]
    here = mirage.summary().loc["t"]
    assert swapped["p_emergent"] == here["p_emergent_2"]
    assert swapped["p_second_first"] < 0.01


def test_scores_of_a_loss_rise_when_they_fall():
    loss = 1 - JUMP
    frame = two_metrics(JUMP, loss, names=("acc", "brier"))
    frame.loc[frame["metric"] == "brier", "chance"] = np.nan
    found = compare_metrics(frame, metrics=("acc", "brier"), **FAST).summary().loc["t"]
    assert found["outcome"] == "both"
    assert abs(found["shift"]) < 0.3


# ---- the same points -----------------------------------------------------------------------------


def test_rows_without_a_counterpart_are_left_out_and_counted():
    frame = two_metrics(JUMP, SMOOTH).drop(index=[0, 5, 30])
    table, notes = matched(read(frame), "acc", "partial")
    assert len(table) == 2 * 13
    assert notes == [
        "1 row of acc without a counterpart left out",
        "2 rows of partial without a counterpart left out",
    ]
    found = compare_metrics(frame, metrics=("acc", "partial"), **FAST)
    assert found.summary()["points"].tolist() == [13]
    assert (found.first.curves.model == found.second.curves.model).all()
    assert set(notes) <= set(found.notes)


def test_settings_are_not_mixed():
    frame = two_metrics(JUMP, SMOOTH).assign(setting="a")
    other = frame[frame["metric"] == "acc"].assign(setting="b")
    table, _ = matched(read(pd.concat([frame, other])), "acc", "partial")
    assert len(table) == 32
    apart = frame.assign(setting=np.where(frame["metric"] == "acc", "a", "b"))
    with pytest.raises(DataError, match="under 'acc' and 'partial', but got none"):
        matched(read(apart), "acc", "partial")


def test_points_that_one_metric_lacks_on_the_axis_are_left_out():
    frame = two_metrics(JUMP, SMOOTH)
    frame.loc[3, "flops"] = np.nan
    found = compare_metrics(frame, metrics=("acc", "partial"), **FAST)
    assert found.summary()["points"].tolist() == [15]
    assert found.second.curves.points.tolist() == [15]


@pytest.mark.parametrize(
    ("metrics", "message"),
    [
        (("acc",), "metrics: expected two different ones, but got 'acc'"),
        ("acc", "metrics: expected two different ones"),
        (("acc", "acc"), "metrics: expected two different ones"),
        (("acc", "partiel"), "'partial'"),
        (("acc", "partial", "x"), "expected two different ones"),
    ],
)
def test_bad_metrics(metrics, message):
    with pytest.raises(DataError, match=message):
        compare_metrics(two_metrics(JUMP, SMOOTH), metrics=metrics, **FAST)


def test_one_axis_at_a_time():
    frame = two_metrics(JUMP, SMOOTH).assign(params=lambda f: f["flops"] ** 0.5)
    with pytest.raises(DataError, match="axis: expected one axis"):
        compare_metrics(frame, metrics=("acc", "partial"), axis=["flops", "params"], **FAST)


# ---- published tables ----------------------------------------------------------------------------


@pytest.mark.slow
def test_mmlu_survives_the_brier_loss(shared_data):
    """Accuracy and Brier loss on the same outputs (Wu & Lo 2025)."""
    table = read(shared_data / "brier.csv").where("task=mmlu", "task=hellaswag")
    found = compare_metrics(table, metrics=("acc", "tc_brier_loss"), models=QUICK, draws=200)
    row = found.summary().loc["mmlu"]
    assert row["outcome"] == "both"
    assert row["points"] == 65
    assert row["shift_low"] < 0 < row["shift_high"]
    assert found.summary().loc["hellaswag", "outcome"] == "neither"
