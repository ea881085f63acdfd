"""compare_axes: what must tie ties, what must win wins, on the same points."""

import numpy as np
import pytest

import upturn
from upturn.checks.errors import DataError
from upturn.model import Model
from upturn.questions.compare import separability
from upturn.questions.compare.axes import AxesComparison, compare_axes, shared_curves
from upturn.tables.results import read

# Few parameters, and the noise that the tables are made with: sampled in little time.
RAMP, STEP = (Model.read(name).with_likelihood("binomial") for name in ("ramp", "step"))
FAST = {"draws": 200, "threads": 1, "model": RAMP}

FIXED = {"log_evidence", "elpd", "elpd_se", "weight", "relative_width"}  # that others read


def gpt3(*tasks):
    return read("gpt3").where("setting=few-shot", *(f"task={task}" for task in tasks))


@pytest.fixture(scope="module")
def published():
    axes = ["flops", "params", "perplexity"]
    return compare_axes(
        gpt3("arithmetic_3da", "hellaswag"), axes=axes, metric="acc", refit=False, draws=4000
    )


# ---- GPT-3: one axis under two names, and one that orders alike ----------------------------------


def test_flops_and_parameters_are_one_axis_where_there_is_one_data_size(published):
    """Log evidences by 4,000 draws are known to 0.014, so the bound is five standard deviations."""
    flops, params = (one.log_evidence for one in published.scores[:2])
    assert np.abs(flops - params).max() < 0.1
    assert published.order.loc[("flops", "params"), "kind"] == separability.SAME
    gap = published.summary()["elpd"]
    assert abs(gap["flops"] - gap["params"]) < 2 * 0.5  # smoothing is exact to about 0.2 a curve


def test_perplexity_orders_the_models_alike_and_the_verdict_says_so(published):
    assert published.order.loc[("flops", "perplexity"), "kind"] == separability.SHAPE
    assert published.order["spearman"].min() > 0.999
    assert published.verdict.startswith("On 2 curves order cannot tell these axes apart: ")
    assert "linear in each other, a tie by construction" in published.verdict
    assert "perplexity orders the points as" in published.verdict
    assert published.verdict.endswith("are about shape")


def test_the_columns_that_others_read(published):
    found = published.summary()
    assert found.index.tolist() == ["flops", "params", "perplexity"]
    assert found.index.name == "axis"
    assert set(FIXED) <= set(found.columns)
    assert found["weight"].sum() == pytest.approx(1)
    assert FIXED | {
        "axis",
        "scale",
        "scale_low",
        "scale_high",
        "censored",
    } <= set(published.curves.columns)


def test_totals_are_sums_of_curves(published):
    total, each = published.summary(), published.curves.groupby("axis", sort=False)
    for name in ("log_evidence", "elpd", "elpd_diff", "log_evidence_diff"):
        np.testing.assert_allclose(total[name], each[name].sum())
    assert total["elpd_diff"].max() == 0
    assert published.names[published.best] == total["elpd"].idxmax()


def test_the_headline_scale_is_in_native_units(published):
    found = published.curves.loc["arithmetic_3da"].set_index("axis")
    assert 1e22 < found.loc["flops", "scale"] < 4e22
    assert 7e9 < found.loc["params", "scale"] < 2e10
    assert 3 < found.loc["perplexity", "scale"] < 5
    assert (found["scale_low"] <= found["scale"]).all()
    extent = np.log10(found.loc["flops", ["scale_low", "scale_high"]].to_numpy(float))
    limits = published.data.limits[:, 0, 0]
    assert found.loc["flops", "relative_width"] == pytest.approx(np.ptp(extent) / np.ptp(limits))


def test_a_scale_beyond_the_axis_has_no_width():
    axes = ["flops", "perplexity"]
    found = compare_axes(gpt3("wic"), axes=axes, metric="acc", refit=False, draws=200).curves
    assert found["censored"].all()
    assert found["relative_width"].isna().all()
    assert np.isinf(found.set_index("axis").loc["flops", "scale"])
    assert found.set_index("axis").loc["perplexity", "scale"] == 0


# ---- simulated: the right axis wins, a shuffled one loses ----------------------------------------


def test_the_axis_that_the_task_follows_beats_a_shuffled_one(make_table):
    """Negative control: the values of flops are shuffled. The margin here is over 20 nats."""
    found = compare_axes(make_table(tasks=2), axes=["flops", "params"], metric="score", **FAST)
    total = found.summary()
    assert found.names[found.best] == "params"
    assert total.loc["flops", "elpd_diff"] < -20
    assert total.loc["flops", "log_evidence_diff"] < -20
    assert total.loc["params", "weight"] > 0.9
    assert found.order["kind"].tolist() == [separability.APART]
    assert found.verdict.startswith("On 2 curves: params beats flops by ")
    assert "rank correlation" in found.verdict


def test_two_shuffled_axes_tie(make_table):
    """Neither axis has anything to do with the task; a false call happens in 5 % of seeds."""
    frame = make_table(points=30, seed=2)
    rng = np.random.default_rng(7)
    frame["params"] = rng.permutation(frame["params"])
    found = compare_axes(frame, axes=["flops", "params"], metric="score", **FAST)
    assert "are a tie" in found.verdict


def test_noise_in_the_coordinates_costs_evidence(make_table):
    table = make_table(points=30, other=lambda u: 10 ** (20 + 4 * u))
    jitter = np.random.default_rng(0).normal(0, 0.5, len(table))
    noisy = table.assign(tokens=table["flops"] / 1e10 * 10**jitter)
    found = compare_axes(noisy, axes=["flops", "tokens"], metric="score", **FAST)
    assert found.names[found.best] == "flops"
    assert 0.8 < found.order["spearman"].iloc[0] < 0.99


def test_several_models_are_averaged(make_table):
    table = make_table(points=12)
    each = [
        compare_axes(table, axes=["flops", "params"], **(FAST | {"model": model})).scores
        for model in (RAMP, STEP)
    ]
    both = compare_axes(table, axes=["flops", "params"], **(FAST | {"model": [RAMP, STEP]}))
    for axis in range(2):
        parts = [one[axis].log_evidence for one in each]
        expected = np.logaddexp(*parts) - np.log(2)  # one class of shapes
        np.testing.assert_allclose(both.scores[axis].log_evidence, expected)


def test_the_same_seed_gives_the_same_answer(make_table):
    table = make_table(points=10)
    first, again, other = (
        compare_axes(table, axes=["flops", "params"], **FAST, seed=seed).summary()["elpd"]
        for seed in (1, 1, 2)
    )
    assert (first == again).all()
    assert (first != other).any()


def test_the_width_is_all_of_an_axis_on_which_what_emerges_does_not(make_table):
    found = compare_axes(make_table(), axes=["flops", "params"], metric="score", **FAST)
    each = found.curves.set_index("axis")["relative_width"]
    assert np.isnan(each["flops"])
    total = found.summary()["relative_width"]
    assert total["flops"] == 1
    assert total["params"] == each["params"] < 0.3


# ---- the same points -----------------------------------------------------------------------------


def test_rows_that_lack_an_axis_are_dropped_and_counted(make_table):
    frame = make_table(tasks=2, points=10)
    frame.loc[[1, 4], "flops"] = np.nan
    frame.loc[[4, 12], "params"] = np.nan
    curves, notes = shared_curves(read(frame), ["flops", "params"], None, None, "auto")
    assert curves.points.tolist() == [8, 9, 8, 9]
    assert notes == ["3 rows without all of flops, params left out"]
    models = [set(row[row != ""]) for row in curves.model]
    assert models[0] == models[2] == {f"m{i}" for i in range(10)} - {"m1", "m4"}
    assert models[1] == models[3]


def test_families_are_left_out_where_there_are_four(make_table):
    names = np.array(["a", "b", "c", "d"])
    found = compare_axes(
        make_table(points=12, family=names[np.arange(12) % 4]), axes=["flops", "params"], **FAST
    )
    total = found.summary()
    assert found.families == ("a", "b", "c", "d")
    assert total.loc["params", "lofo_diff"] == 0
    assert total.loc["flops", "lofo_diff"] < 0
    three = make_table(points=12, family=names[np.arange(12) % 3])
    few = compare_axes(three, axes=["flops", "params"], **FAST)
    assert "lofo" not in few.summary()


def test_families_left_out_chain_to_the_evidence(make_table):
    """For one family that is the whole curve, p(family | nothing) is the evidence."""
    names = np.array(["a", "b", "c", "d"])
    frame = make_table(tasks=4, points=6)
    frame["family"] = names[frame["task"].str[1:].astype(int)]
    found = compare_axes(frame, axes=["flops", "params"], **FAST)
    for one in found.scores:
        np.testing.assert_allclose(one.families.sum(axis=0), one.log_evidence)


# ---- refused -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"axes": ["flops"]}, r"axes: expected two or more, but got 'flops'"),
        ({"axes": "flops"}, r"axes: expected two or more, but got 'flops'"),
        ({"axes": ["flops", "flops"]}, "expected one or more different axes"),
        ({"axes": ["flops", "depth"]}, "depth"),
        ({"axes": ["flops", "params"], "cluster": "nation"}, "cluster"),
        ({"axes": ["flops", "params"], "model": ["hinge", "hinge"]}, "'hinge' twice"),
        ({"axes": ["flops", "params"], "model": []}, "expected at least one"),
        ({"axes": ["flops", "params"], "draws": 3}, "draws: expected 40"),
    ],
)
def test_bad_arguments(make_table, options, message):
    with pytest.raises(DataError, match=message):
        compare_axes(make_table(points=6), **options)


def test_axes_without_a_row_in_common(make_table):
    frame = make_table(points=6)
    frame.loc[:2, "flops"] = np.nan
    frame.loc[3:, "params"] = np.nan
    with pytest.raises(DataError, match="on each of the axes 'flops', 'params', but got none"):
        compare_axes(frame, axes=["flops", "params"])


def test_curves_have_lost_the_other_axes(make_table):
    with pytest.raises(DataError, match="expected a table"):
        compare_axes(read(make_table(points=6)).curves(), axes=["flops", "params"])


def test_it_is_public():
    assert upturn.compare_axes is compare_axes
    assert repr(AxesComparison).endswith("AxesComparison'>")


# ---- published tables ----------------------------------------------------------------------------


@pytest.mark.slow
def test_pythia_tells_parameters_from_flops():
    """Six tenths of the models share a number of parameters with others: the axes separate."""
    found = compare_axes(
        read("pythia").where("task=lambada_openai", "task=sciq"), axes=["flops", "params"],
        scatter="none", refit=False, draws=400,
    )  # fmt: skip
    assert found.order["kind"].tolist() == [separability.APART]
    assert found.clusters.label == "run"
    assert found.names[found.best] == "flops"
    assert found.verdict.startswith("On 2 curves: flops beats params by ")
