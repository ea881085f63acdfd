"""Streams: a table read a cut at a time gives the curves that it gives when it is held."""

import os
from dataclasses import fields
from functools import partial

import numpy as np
import pandas as pd
import pytest

import upturn
from benchmarks.speed import interruptions
from tests.support.tables import table
from upturn.checks.errors import DataError
from upturn.questions.fit.batches import stream
from upturn.tables.axis import Axis
from upturn.tables.curves import Curves

NAMES = ["b", "a", "a | x", 'quotes " and, commas', "new\nline\r\n", "=1+2", " é 🎉", "NA", "b | y"]


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Every file counts as large, and a cut holds three tasks."""
    monkeypatch.setattr(stream, "LARGE", 0)
    monkeypatch.setattr(stream, "TASKS", 3)


def frame(order="task"):
    """Nine tasks under names that are hard to write, some in several settings."""
    parts = [table(5 + i, seed=i, task=name) for i, name in enumerate(NAMES)]
    parts.append(table(6, seed=20, task="a", setting="x"))
    found = pd.concat(parts)
    return found if order == "task" else found.sort_values(["flops", "task"], kind="stable")


def streamed(path, tmp_path, **how):
    folder = {"by": None, "scatter": "auto"} | how
    return stream.stream_of(str(path), "flops", tmp_path / "run.zarr", **folder)


def written(rows, tmp_path):
    rows.to_csv(tmp_path / "table.csv", index=False)
    return tmp_path / "table.csv"


def by_name(curves):
    return curves.take(np.argsort(curves.name))


@pytest.mark.parametrize("order", ["task", "scale"])
def test_the_same_curves(order, tmp_path):
    path = written(frame(order), tmp_path)
    held = by_name(upturn.read(path).curves("flops"))
    with streamed(path, tmp_path) as rows:
        parts = list(rows)
        again = list(rows)
    assert [len(part) for part in parts] == [len(part) for part in again]
    assert len(parts) > 2
    found = by_name(Curves.concatenate(parts))
    assert (found.name == held.name).all()
    for one in fields(Curves):
        ours, theirs = getattr(found, one.name), getattr(held, one.name)
        if one.name == "labels":
            assert all((ours[name] == theirs[name]).all() for name in theirs)
        elif isinstance(ours, np.ndarray):
            np.testing.assert_array_equal(ours, theirs)
    assert os.listdir(tmp_path) == ["table.csv"]


def test_cuts_are_small(tmp_path):
    rows = pd.concat([table(3, task=f"task number {i}") for i in range(10)])
    with streamed(written(rows, tmp_path), tmp_path) as found:
        assert [len(part) for part in found] == [3, 3, 3, 1]


def test_tasks_that_could_be_called_the_same_stay_together(tmp_path):
    rows = [table(3, task="a", setting=s) for s in "xy"] + [table(3, task=t) for t in "bcd"]
    with streamed(written(pd.concat([*rows, table(3, task="a | x")]), tmp_path), tmp_path) as found:
        names = np.concatenate([part.name for part in found]).tolist()
    assert sorted(names) == ["a | x", "a | x (2)", "a | y", "b", "c", "d"]


def test_notes_are_of_the_whole_table(tmp_path):
    rows = frame().assign(params=1e9, tokens=lambda f: f["flops"] / 6e9).drop(columns="flops")
    rows.loc[rows["task"] == "a", "tokens"] = np.nan
    rows.loc[rows.index == 2, "successes"] = np.nan
    path = written(rows, tmp_path)
    held = upturn.read(path).curves("flops", scatter="none").notes
    with streamed(path, tmp_path, scatter="none") as found:
        list(found)
    assert set(found.notes) == set(held)
    assert any("derived" in note for note in held)


def test_a_cut_without_a_point(tmp_path):
    rows = frame()
    rows.loc[rows["task"].isin([*NAMES[:4], NAMES[8]]), "flops"] = np.nan  # all of the first
    with streamed(written(rows, tmp_path), tmp_path) as found:
        names = np.concatenate([part.name for part in found])
    assert set(names) == {*NAMES[4:8]}
    assert "45 rows of tasks without a point left out" in found.notes


def test_a_table_without_any_point(tmp_path):
    path = written(frame().assign(flops=""), tmp_path)
    with streamed(path, tmp_path) as found, pytest.raises(DataError, match="values on the axis"):
        list(found)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"successes": -1}, "row 40, column successes: expected"),
        ({"flops": "many"}, "row 40, column flops: expected a number"),
        ({"task": ""}, "row 40, column task: expected"),
    ],
)
def test_messages_name_the_row_of_the_table(change, message, tmp_path):
    rows = frame().reset_index(drop=True).astype(object)
    rows.loc[38, list(change)] = list(change.values())
    path = written(rows, tmp_path)
    with pytest.raises(DataError, match=message):
        upturn.read(path).curves("flops")
    with pytest.raises(DataError, match=message):
        upturn.fit(path, output=tmp_path / "run.zarr", draws=40)
    assert os.listdir(tmp_path) == ["table.csv"]


@pytest.mark.parametrize("text", ["", "task,model,score\n", 'task,"x\n'])
def test_broken_files(text, tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(text)
    with pytest.raises(DataError) as held:
        upturn.read(path)
    with pytest.raises(DataError) as found:
        upturn.fit(path, output=tmp_path / "run.zarr", draws=40)
    assert str(found.value) == str(held.value)
    assert os.listdir(tmp_path) == ["table.csv"]


def test_a_column_that_is_missing(tmp_path):
    """What is said does not depend on whether the table is held."""
    path = tmp_path / "table.csv"
    path.write_text("score\n1\n")
    for read in (upturn.read, partial(upturn.fit, output=tmp_path / "run.zarr", draws=40)):
        with pytest.raises(DataError, match="expected columns 'task', 'model', but got 'score'"):
            read(path)
    assert os.listdir(tmp_path) == ["table.csv"]


def test_what_is_not_streamed(tmp_path, monkeypatch):
    path, how = written(frame(), tmp_path), {"by": None, "scatter": "auto"}
    output = tmp_path / "run.zarr"
    assert stream.stream_of(path, Axis.parse("flops"), output, **how) is not None
    for source, axis in (
        (path, ["flops", "params"]), (path, "mix:flops,params"), (frame(), "flops"),
        ("gpt3", "flops"), (tmp_path, "flops"), (tmp_path / "none.csv", "flops"),
    ):  # fmt: skip
        assert stream.stream_of(source, axis, output, **how) is None
    monkeypatch.undo()
    assert stream.stream_of(path, "flops", output, **how) is None  # small


def test_a_store_of_a_stream(tmp_path, monkeypatch):
    """In the order of tasks it is, to the byte, the store of a table that is held."""
    rows = frame().query("task in ('b', 'NA', 'a | x', ' é 🎉', '=1+2')")
    path, how = written(rows, tmp_path), {"draws": 40, "batch": 2, "scatter": "none"}
    upturn.fit(path, output=tmp_path / "one.zarr", **how)
    upturn.fit(path, output=tmp_path / "one.zarr", resume=True, **how)
    monkeypatch.undo()
    upturn.fit(path, output=tmp_path / "two.zarr", **how)
    assert interruptions.files(tmp_path / "one.zarr") == interruptions.files(tmp_path / "two.zarr")
    assert sorted(os.listdir(tmp_path)) == ["one.zarr", "table.csv", "two.zarr"]


def test_tables_under_other_headers_are_shaped_as_those_that_are_held(tmp_path):
    rows = pd.concat([table(5 + i, seed=i, task=name) for i, name in enumerate(NAMES)])
    rows = rows.assign(score=rows["successes"] / rows["trials"])
    rows = rows[["task", "model", "score", "flops"]]
    errors = rows.assign(metric="acc_stderr,none", score=0.05)
    both = pd.concat([rows.assign(metric="acc,none"), errors])
    both = both.assign(flops=[f"{value / 1e21:.6f}" for value in both["flops"]])
    renamed = {
        "task": "Benchmark",
        "model": "Model name",
        "score": "Accuracy",
        "flops": "Compute (ZFLOP)",
    }
    path = written(both.rename(columns=renamed), tmp_path)
    held = by_name(upturn.read(path).curves("flops"))
    with streamed(path, tmp_path) as parts:
        found = by_name(Curves.concatenate(parts))
        assert any(note.startswith("columns taken as: ") for note in parts.notes)
    assert (found.name == held.name).all()
    for field in ("x", "response", "trials", "mask"):
        np.testing.assert_array_equal(getattr(found, field), getattr(held, field))


@pytest.mark.parametrize("text", ["task;score\na;0,5\n", "model,A,B\nm,0.1,0.2\n", "task,x\na,1\n"])
def test_what_has_to_be_seen_whole_is_held(text, tmp_path):
    (tmp_path / "table.csv").write_text(text)
    assert streamed(tmp_path / "table.csv", tmp_path) is None
