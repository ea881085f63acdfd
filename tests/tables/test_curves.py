"""Curves: what belongs to one, how it is packed, what its data say of it."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.small_tables import curves, many, table
from upturn.checks.errors import DataError
from upturn.tables import rules
from upturn.tables.axis import Axis
from upturn.tables.curves import curve_names
from upturn.tables.results import read

# ---- packing -------------------------------------------------------------------------------------


def test_curves_come_in_the_order_of_the_table_and_points_in_that_of_scale():
    c = read(many()).curves()
    assert c.name.tolist() == ["a", "b", "c"]
    assert c.points.tolist() == [3, 1, 2]
    assert c.mask.tolist() == [[True, True, True], [True, False, False], [True, True, False]]
    assert c.x.tolist() == [[[20, 21, 22], [20, 0, 0], [21, 23, 0]]]
    assert c.response.tolist() == [[1, 2, 3], [5, 0, 0], [7, 6, 0]]
    assert c.trials.tolist() == [[10, 10, 10], [10, 0, 0], [10, 10, 0]]
    assert c.model.tolist() == [["x", "u", "z"], ["y", "", ""], ["v", "w", ""]]
    assert c.family.tolist() == [["p", "q", "p"], ["p", "", ""], ["q", "q", ""]]
    assert c.limits.tolist() == [[[20, 20, 21]], [[22, 20, 23]]]
    assert c.kind.tolist() == ["counts"] * 3
    assert c.axes == (Axis.parse("flops"),) * 3
    assert repr(c) == "Curves(3 curves, 6 points; axis flops)"


def test_points_at_one_scale_are_sorted_by_model():
    c = curves(3, model=["c", "a", "b"], flops=1e20)
    assert c.model.tolist() == [["a", "b", "c"]]


def test_u_runs_from_0_to_1():
    c = read(many()).curves()
    assert c.u.tolist() == [[[0, 0.5, 1], [0, 0, 0], [0, 1, 0]]]
    assert c.u.shape == (1, 3, 3)


def test_types_and_shapes():
    c = read(many()).curves()
    assert c.mask.dtype == bool
    assert c.group.dtype == c.run.dtype == np.int32
    assert c.x.dtype == c.response.dtype == c.trials.dtype == np.float64
    assert all(values.dtype.kind == "U" for values in (c.name, c.kind, *c.labels.values()))
    assert {type(name) for name in c.model.ravel()} == {str}
    assert len(c) == 3


def test_wrong_shapes_are_a_value_error():
    c = read(many()).curves()
    with pytest.raises(ValueError, match=r"expected chance of shape \(3,\), but got \(1,\)"):
        dataclasses.replace(c, chance=np.zeros(1))
    with pytest.raises(ValueError, match="expected an axis and flags for each of 3 curves"):
        dataclasses.replace(c, flags=())


# ---- kinds ---------------------------------------------------------------------------------------


def test_counts():
    c = curves(trials=[10, 20, 30, 40])
    assert c.kind.tolist() == ["counts"]
    assert c.response.tolist() == [[0, 2, 6, 12]]
    np.testing.assert_allclose(c.score, [[0, 0.1, 0.2, 0.3]])


def test_proportions():
    c = curves()
    assert c.kind.tolist() == ["proportion"]
    assert c.trials.tolist() == [[0, 0, 0, 0]]
    assert c.score.tolist() == c.response.tolist() == [[0, 0.1, 0.2, 0.3]]
    assert np.isnan(c.chance).all()
    assert c.ceiling.tolist() == [1]


def test_continuous_metrics_are_oriented():
    c = curves(metric="ppl", score=[30.0, 20, 10, 0], trials=100)
    assert c.kind.tolist() == ["continuous"]
    assert c.orientation.tolist() == [-1]
    assert c.response.tolist() == [[-30, -20, -10, 0]]
    assert not np.signbit(c.response[0, 3])
    assert c.score.tolist() == [[30, 20, 10, 0]]
    assert c.trials.tolist() == [[0, 0, 0, 0]]
    assert np.isnan(c.ceiling).all()


def test_rows_without_trials_leave_a_curve_of_counts():
    c = curves(trials=[10, 10, None, 10])
    assert c.kind.tolist() == ["counts"]
    assert c.model.tolist() == [["m0", "m1", "m3"]]
    assert c.flags == (("3 points", "trials missing", "chance unknown"),)
    assert c.notes == ("1 row without trials left out of 1 curve whose other rows have them",)


def test_few_rows_with_trials_make_no_counts():
    c = curves(trials=[10, None, None, None])
    assert c.kind.tolist() == ["proportion"]
    assert c.points.tolist() == [4]
    assert c.flags == (("trials missing", "chance unknown"),)
    assert c.notes == (
        "1 curve with trials in fewer than half of the rows taken as proportions without trials",
    )


# ---- labels and names ----------------------------------------------------------------------------


def test_a_curve_is_a_task_metric_setting_and_shots():
    c = curves(
        task=["t", "t", "t", "u"],
        metric=["acc", "acc", "f1", "acc"],
        setting=["x", "y", "x", "x"],
        shots=[0, 0, 0, 5],
    )
    assert c.name.tolist() == ["t | acc | x", "t | acc | y", "t | f1 | x", "u"]
    assert {label: values.tolist() for label, values in c.labels.items()} == {
        "task": ["t", "t", "t", "u"],
        "metric": ["acc", "acc", "f1", "acc"],
        "setting": ["x", "y", "x", "x"],
        "shots": ["0", "0", "0", "5"],
        "axis": ["flops"] * 4,
    }


def test_split_by_family():
    c = curves(family=["p", "q", "p", ""], by="family")
    assert c.name.tolist() == ["t | p", "t | q", "t"]
    assert c.labels["family"].tolist() == ["p", "q", ""]


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        ({"task": ["a", "b"]}, ["a", "b"]),
        ({"task": ["a", "a"], "run": ["", "x"]}, ["a", "a | x"]),
        ({"task": ["a", "a", "a | x"], "run": ["x", "y", ""]}, ["a | x", "a | y", "a | x (2)"]),
        (
            {"task": ["a", "a", "a"], "metric": ["x", "", ""], "run": ["", "x", "x (2)"]},
            ["a | x", "a | x (3)", "a | x (2)"],
        ),
        ({"task": ['a,"b"\n', "🙂"], "run": ["x", "y"]}, ['a,"b"\n', "🙂"]),
    ],
)
def test_names(labels, names):
    given = {label: np.array(values) for label, values in labels.items()}
    assert curve_names(given).tolist() == names


@given(
    st.lists(
        st.tuples(*[st.sampled_from(["", "a", "a | a", "a (2)"])] * 3), unique=True, min_size=1
    )
)
def test_names_are_unique(rows):
    task, metric, run = (np.array(column) for column in zip(*rows, strict=True))
    names = curve_names({"task": task, "metric": metric, "run": run})
    assert len(set(names.tolist())) == len(rows)


# ---- axes ----------------------------------------------------------------------------------------


def test_several_axes_are_one_batch():
    c = read(many()).curves(["flops", "params"])
    assert c.name.tolist() == [f"{t} | {x}" for x in ("flops", "params") for t in "abc"]
    assert c.labels["axis"].tolist() == ["flops"] * 3 + ["params"] * 3
    assert c.x.shape == (1, 6, 3)
    single = read(many()).curves("params")
    later = c.take(slice(3, None))
    for field in ("x", "limits", "response", "group", "model"):
        np.testing.assert_array_equal(getattr(later, field), getattr(single, field))


def test_a_mix_has_a_component_for_each_column():
    c = read(many()).curves(["mix:params,flops", "params"])
    assert c.x.shape == (2, 6, 3)
    assert c.x[:, 0].tolist() == [[8, 8, 9], [21, 20, 22]]
    assert c.limits[:, :, 0].tolist() == [[8, 20], [9, 22]]
    assert not c.x[1, 3:].any()
    assert not c.u[1, 3:].any()
    assert c.take([3]).x.shape == (1, 1, 3)


def test_scales_of_a_mix_differ_where_any_component_does():
    c = curves(3, "mix:flops,params", flops=1e20, params=[1e8, 1e9, 1e9])
    assert c.flags == (("3 points", "2 scales", "chance unknown"),)


def test_rows_without_a_value_are_left_out_on_that_axis_and_counted():
    c = curves(axis=["flops", "params"], params=[1e8, None, None, 1e9])
    assert c.points.tolist() == [4, 2]
    assert c.notes == ("axis params: 2 rows without a value left out",)


def test_a_curve_without_points_on_an_axis_is_left_out_and_named():
    c = curves(axis="params", task=["t", "t", "u", "u"], params=[1e8, 1e9, None, None])
    assert c.name.tolist() == ["t"]
    assert c.notes == (
        "axis params: 2 rows without a value left out",
        "axis params: 1 curve without a point left out: 'u'",
    )


def test_an_axis_without_values():
    text = (
        "^table: expected values on the axis loss, but got none; fill it in, or choose of the axes "
        "'flops'$"
    )
    with pytest.raises(DataError, match=text):
        curves(axis="loss", loss=None)


def test_no_row_left_on_an_axis():
    with pytest.raises(
        DataError,
        match=r"^table: expected rows with a value on the axis params, but got none; choose of the",
    ):
        curves(axis="params", trials=[10, 10, None, None], params=[None, None, 1e9, 1e9])


@pytest.mark.parametrize("axis", ["score", "family", "task", "zebra"])
def test_an_unknown_axis(axis):
    with pytest.raises(
        DataError, match=f"^table: expected a known axis, but got '{axis}'; there is: 'flops'$"
    ):
        curves(axis=axis, family="f")


def test_the_nearest_axis_is_suggested():
    with pytest.raises(DataError, match=r"but got 'flips'; did you mean 'flops'\?"):
        curves(axis="flips")


def test_an_axis_twice():
    with pytest.raises(DataError, match="one or more different axes, but got 'flops', 'flops'"):
        curves(axis=["flops", "flops"])


@pytest.mark.parametrize(
    ("axis", "column", "x"),
    [
        ("perplexity", [100, 10, 10, 1], [-2, -1, -1, 0]),
        ("loss", [3, 2, 1, 0.5], [-3, -2, -1, -0.5]),
        ("tokens", [1e9, 1e10, 1e11, 1e12], [9, 10, 11, 12]),
        ("year:linear", [-1, 0, 1, 2], [-1, 0, 1, 2]),
        ("elo", [1, 10, 100, 1000], [0, 1, 2, 3]),
        ("released", ["1970-01-01", "1970-01-02", "1971-01-01", "1972-01-01"], [0, 1, 365, 730]),
    ],
)
def test_coordinates(axis, column, x):
    c = curves(axis=axis, **{axis.partition(":")[0]: column})
    assert c.x.tolist() == [[x]]


def test_dates_make_a_date_axis():
    days = pd.to_datetime(["2020-01-01", "2021-01-01", "2022-06-15", "2023-01-01"])
    c = curves(axis="released", released=days)
    (axis,) = set(c.axes)
    assert axis == Axis("released", "date")
    assert axis.format(c.limits[1, 0, 0]) == "2023-01-01"


def test_a_date_that_is_none():
    with pytest.raises(
        DataError, match=r"column released: expected a date such as 2022-06-15, but got 'soon'"
    ):
        curves(axis="released", released=["2020-01-01", "soon", "", "2022-01-01"])


def test_text_is_no_axis():
    with pytest.raises(DataError, match=r"row 0 .*column size: expected a number, but got 'small'"):
        curves(axis="size", size=["small", "big", "3", ""])


def test_values_that_a_logarithm_has_no_place_for():
    with pytest.raises(
        DataError,
        match=r"^table, row 1 \(\.iloc\[1\]\), column year: expected a number above 0, but got -5; "
        r"a column with other numbers is an axis as year:linear$",
    ):
        curves(axis="year", year=[1, -5, 2, 3])


def test_untrained_checkpoints_have_no_place_on_the_axis_of_tokens():
    c = curves(axis="tokens", tokens=[0, 1e9, 1e10, 1e11])
    assert c.points.tolist() == [3]
    assert c.notes == ("axis tokens: 1 row without a value left out",)


def test_metric_and_label_arguments():
    results = read(table(metric=["acc", "acc", "f1", "f1"], family="f"))
    assert results.curves(metric="f1").labels["metric"].tolist() == ["f1"]
    assert len(results.curves(metric=["f1", "acc"])) == 2
    with pytest.raises(DataError, match="a known metric, but got 'ac'; did you mean 'acc'"):
        results.curves(metric="ac")
    with pytest.raises(
        DataError, match=r"table, by: expected a known label, but got 'run'; there i"
    ):
        results.curves(by="run")
    with pytest.raises(DataError, match="scatter: expected a known scatter, but got 'families'"):
        results.curves(scatter="families")
    with pytest.raises(DataError, match="table, scatter: expected a known label, but got 'run'"):
        results.curves(scatter="run")
    with pytest.raises(
        DataError, match="scatter: expected another label than the curves are split"
    ):
        results.curves(by="family", scatter="family")


def test_chance_is_shared_by_a_curve():
    c = curves(
        task=["t", "t", "u", "u"], chance=[None, 0.25, None, None], ceiling=[0.9, None, 1, 1]
    )
    np.testing.assert_array_equal(c.chance, [0.25, np.nan])
    assert c.ceiling.tolist() == [0.9, 1]


@pytest.mark.parametrize("column", ["chance", "ceiling"])
def test_two_chance_levels_or_ceilings_in_one_curve(column):
    with pytest.raises(
        DataError,
        match=rf"row 2 \(\.iloc\[2\]\), column {column}: expected one value for the whole curve, "
        r"0\.5 as in row 0 \(\.iloc\[0\]\), but got 0\.75",
    ):
        curves(**{column: [0.5, None, 0.75, 0.5]})


# ---- tiny and constant curves --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("score", "flops", "flags"),
    [
        ([0.5], [1e20], ("1 point", "1 scale")),
        ([0.5, 0.6], [1e20, 1e21], ("2 points", "2 scales")),
        ([0.5, 0.6, 0.7], [1e20, 1e21, 1e22], ("3 points",)),
        ([0.5, 0.6, 0.7, 0.8], [1e20] * 4, ("1 scale",)),
        ([0.5, 0.6, 0.7, 0.8], [1e20, 1e20, 1e21, 1e21], ("2 scales",)),
        ([0.5] * 4, [1e20, 1e21, 1e22, 1e23], ("constant",)),
        ([0.0] * 4, [1e20, 1e21, 1e22, 1e23], ("constant", "all zeros")),
        ([1.0] * 4, [1e20, 1e21, 1e22, 1e23], ("constant", "all ones")),
        ([0.5, 0.6, 0.7, 0.8], [1e20, 1e21, 1e22, 1e23], ()),
    ],
)
@pytest.mark.parametrize("trials", [None, 10, 10**9])
def test_flags(score, flops, flags, trials):
    c = curves(len(score), score=score, flops=flops, trials=trials, chance=0)
    assert c.flags == (flags,)
    assert np.isfinite(c.u).all()


def test_unknown_chance_is_a_flag_of_proportions():
    assert curves().flags == (("chance unknown",),)
    assert curves(chance=[0.25, None, None, None]).flags == ((),)
    assert curves(metric="loss").flags == ((),)


def test_a_continuous_metric_of_zeros_is_only_constant():
    assert curves(metric="loss", score=[0, 0, 0, 0]).flags == (("constant",),)


def test_the_limit_of_points(monkeypatch):
    monkeypatch.setattr(rules, "MAX_POINTS", 3)
    with pytest.raises(
        DataError, match="expected at most 3 points a curve, but got 4 in 't'; thin"
    ):
        curves()


def test_the_limit_of_padding(monkeypatch):
    monkeypatch.setattr(rules, "MAX_CELLS", 5)
    with pytest.raises(DataError, match=r"at most 5, but got 2 × 3; read long and short curves"):
        curves(task=["t", "t", "t", "u"])
