"""Curves: groups that share an offset, limits of the axis, curves taken, joined and thinned."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.small_tables import curves, many, table
from upturn.checks.errors import DataError
from upturn.tables.curves import Curves
from upturn.tables.results import read

# ---- scatter -------------------------------------------------------------------------------------

NONE = [-1, -1, -1, -1]


@pytest.mark.parametrize(
    ("labels", "scatter", "group"),
    [
        ({}, "auto", NONE),
        ({"family": list("ppqq")}, "auto", [0, 0, 1, 1]),
        ({"family": list("ppqq")}, "none", NONE),
        ({"family": list("pppp")}, "auto", NONE),
        ({"family": list("pppp")}, "family", NONE),
        ({"family": list("pqrs")}, "auto", NONE),
        ({"family": list("pqrs")}, "family", [0, 1, 2, 3]),
        ({"family": ["p", "q", "", "p"]}, "auto", [0, 1, 2, 0]),
        ({"family": ["", "p", "", "q"], "run": list("xxyy")}, "auto", [0, 0, 1, 1]),
        ({"family": ["p", "p", "", ""]}, "auto", NONE),
        ({"family": ["", "", "", ""]}, "family", NONE),
        ({"family": list("ppqq"), "run": list("xyxy")}, "auto", [0, 1, 0, 1]),
        ({"family": list("ppqq"), "run": list("xyxy")}, "family", [0, 0, 1, 1]),
        ({"family": list("ppqq"), "run": list("xxxx")}, "auto", [0, 0, 1, 1]),
        ({"family": list("ppqq"), "run": list("wxyz")}, "auto", [0, 0, 1, 1]),
        ({"family": list("ppqq"), "run": list("wxyz")}, "run", [0, 1, 2, 3]),
    ],
)
def test_scatter(labels, scatter, group):
    c = curves(scatter=scatter, **labels)
    same = np.equal.outer(group, group) & (np.array(group) >= 0)
    found = c.group[0]
    np.testing.assert_array_equal(np.equal.outer(found, found) & (found >= 0), same)
    assert c.groups.tolist() == [len({g for g in group if g >= 0})]
    assert sorted(set(found.tolist()) - {-1}) == list(range(c.groups[0]))


def test_scatter_leaves_out_what_curves_are_split_by():
    labels = {"family": list("ppppqqqq"), "run": list("xxyyzzww")}
    assert curves(8, by="family", **labels).groups.tolist() == [2, 2]
    assert curves(8, by="run", **labels).groups.tolist() == [0, 0, 0, 0]
    assert curves(8, by="family", family=labels["family"]).groups.tolist() == [0, 0]


def test_groups_are_numbered_within_each_curve():
    c = curves(8, task=list("ttttuuuu"), family=list("ppqqrrss"))
    assert c.groups.tolist() == [2, 2]
    assert c.group.tolist() == [[0, 0, 1, 1], [0, 0, 1, 1]]


def test_runs_are_numbered_within_each_curve():
    c = curves(5, task=list("ttttu"), run=["x", "", "y", "x", "y"])
    assert c.run.tolist() == [[0, -1, 1, 0], [0, -1, -1, -1]]


# ---- limits --------------------------------------------------------------------------------------


def test_limits_in_native_units():
    c = curves(
        axis=["flops", "perplexity"], perplexity=[40, 30, 20, 10], limits={"perplexity": (1, 100)}
    )
    assert c.limits[:, 0, 0].tolist() == [20, 23]
    assert c.limits[:, 0, 1].tolist() == [-2, 0]
    assert c.u[0, 1].min() > 0
    assert c.u[0, 1].max() < 1


def test_limits_of_a_component():
    c = curves(axis="mix:flops,params", params=[1e8, 1e9, 1e9, 1e9], limits={"params": (1e7, 1e11)})
    assert c.limits[:, :, 0].tolist() == [[20, 7], [23, 11]]


def test_limits_of_other_curves_with_the_same_labels():
    results = read(table(8, task=list("ttttuuuu"), family=list("ppqqppqq")))
    whole = results.curves()
    held_out = results.where("model=m5", "model=m6", "model=m1").curves(limits=whole)
    assert held_out.name.tolist() == ["t", "u"]
    assert held_out.limits.tolist() == whole.limits.tolist()
    split = results.curves(by="family", limits=whole)
    assert split.limits[:, 0].tolist() == [[20, 20, 24, 24], [23, 23, 27, 27]]


def test_limits_that_do_not_hold_every_point():
    with pytest.raises(
        DataError,
        match=r"^limits: expected limits that hold every point of the axis flops, but got 1\.0e20 "
        r"outside them in 't'; widen them$",
    ):
        curves(limits={"flops": (1e21, 1e25)})


@pytest.mark.parametrize("ends", [(0, 1e25), (1e20, np.inf), (1e20,), (np.nan, 1e25)])
def test_limits_that_are_none(ends):
    with pytest.raises(
        DataError,
        match=r"^limits: expected two finite numbers above 0 for the axis flops, but got \(",
    ):
        curves(limits={"flops": ends})


def test_limits_of_nothing():
    with pytest.raises(
        DataError, match="limits: expected a known axis, but got 'params'; there is:"
    ):
        curves(limits={"params": (1, 2)})
    with pytest.raises(DataError, match="limits: expected curves with the same labels to take lim"):
        curves(task="u", limits=curves())


# ---- taking and joining --------------------------------------------------------------------------


def assert_same(a, b):
    for field in dataclasses.fields(Curves):
        left, right = getattr(a, field.name), getattr(b, field.name)
        if field.name == "labels":
            assert list(left) == list(right)
            for label, values in left.items():
                assert values.tolist() == right[label].tolist()
        elif isinstance(left, np.ndarray):
            np.testing.assert_array_equal(left, right, err_msg=field.name)
            assert left.dtype.kind == right.dtype.kind
        else:
            assert left == right


@pytest.mark.parametrize(
    ("index", "names"),
    [
        (slice(1, None), ["b", "c"]),
        ([2, 0], ["c", "a"]),
        (np.array([False, True, False]), ["b"]),
        (1, ["b"]),
        ([], []),
    ],
)
def test_take(index, names):
    c = read(many()).curves()
    taken = c.take(index)
    assert taken.name.tolist() == names
    assert taken.mask.shape[1] == max(taken.points, default=0)
    assert list(taken.flags) == [c.flags["abc".index(name)] for name in names]
    for name, points in zip(names, taken.points, strict=True):
        assert points == c.points["abc".index(name)]


def test_parts_join_to_the_whole():
    c = read(many()).curves(["flops", "mix:flops,params"])
    parts = [c.take([i]) for i in range(len(c))]
    assert [part.mask.shape[1] for part in parts] == [3, 1, 2, 3, 1, 2]
    assert_same(Curves.concatenate(parts), c)
    assert Curves.concatenate([c]) is c


def test_labels_that_a_part_lacks_are_empty():
    plain, split = curves(), curves(task="u", family="p", by="family")
    joined = Curves.concatenate([plain, split])
    assert list(joined.labels) == ["task", "family", "axis"]
    assert joined.labels["family"].tolist() == ["", "p"]


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from("pq"), st.integers(0, 5)),
        min_size=1,
        max_size=20,
    )
)
def test_every_row_is_a_point_once(rows):
    task, family, decade = (list(column) for column in zip(*rows, strict=True))
    models = [f"m{i:02}" for i in range(len(rows))]
    frame = pd.DataFrame(
        {"task": task, "model": models, "score": 0.5, "family": family}
        | {"width": [10.0**d for d in decade]}
    )
    c = read(frame).curves("width")
    assert sorted(c.model[c.mask]) == models
    where = {model: i for i, model in enumerate(models)}
    for curve, point in zip(*np.nonzero(c.mask), strict=True):
        row = where[c.model[curve, point]]
        assert c.labels["task"][curve] == task[row]
        assert c.family[curve, point] == family[row]
        assert c.x[0, curve, point] == decade[row]
    assert (c.mask == (np.arange(c.mask.shape[1]) < c.points[:, None])).all()
    steps = np.diff(c.x[0], axis=1)
    assert (steps[c.mask[:, 1:]] >= 0).all()


# ---- points left out -----------------------------------------------------------------------------


def test_points_left_out_close_up_and_leave_the_rest():
    frame = pd.DataFrame(
        {
            "task": ["a"] * 4 + ["b"] * 3,
            "model": list("wxyzwxy"),
            "family": list("ffggffg"),
            "score": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7],
            "trials": 10,
            "flops": [1e20, 1e21, 1e22, 1e23, 1e20, 1e21, 1e22],
        }
    )
    curves = read(frame).curves()
    drop = np.zeros((2, 4), dtype=bool)
    drop[0, [0, 2]] = True
    left = curves.without(drop)
    assert left.model.tolist() == [["x", "z", "", ""], ["w", "x", "y", ""]]
    assert left.response.tolist() == [[2, 4, 0, 0], [5, 6, 7, 0]]
    assert left.group[0].tolist() == [*curves.group[0][[1, 3]], -1, -1]
    assert left.points.tolist() == [2, 3]
    assert left.x[0, 0, :2].tolist() == [21, 23]
    assert (left.limits == curves.limits).all()
    assert left.group.dtype == curves.group.dtype
    np.testing.assert_array_equal(left.take(1).response, curves.take(1).response)
