"""Least squares, and the page of the contest."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:  # `python -m pytest` puts it there, `pytest` does not
    sys.path.insert(0, str(ROOT))
from benchmarks.accuracy import least_squares
from benchmarks.output import report
from benchmarks.page import page
from benchmarks.problems import workloads
from benchmarks.references import measures
from benchmarks.references import stored as references
from benchmarks.references.measures import Reduced
from benchmarks.samplers import Entry
from benchmarks.speed import contest, kernel, worker
from tests.support.answers_of_samplers import answer, contested, truth


def test_intervals_are_scored():
    answers = np.array([[0.5, 0.4, 0.6], [0.2, 0.1, 0.3], [np.nan] * 3])
    found = least_squares._scored(answers, np.array([0.55, 0.5, 0.5]), 3.0)
    assert found["answered"] == pytest.approx(2 / 3)
    assert found["covered"] == 0.5
    assert found["median_error"] == pytest.approx(0.175)
    assert found["ms_a_curve"] == 1000


def test_least_squares_that_are_not_there_are_a_row(monkeypatch):
    monkeypatch.setattr(least_squares, "find_spec", lambda name: None)
    found = {"truths": {"ramp": {"piecewise-regression": least_squares._peer(None, None)}}}
    assert least_squares.MISSING in least_squares.table(found)


def results():
    """Made up results of a contest with a missing peer, and of growth."""
    one = measures.judged([Reduced.of(answer(seed)) for seed in range(2)], truth())
    row = {"title": "upturn", "problem": "", "imports": 1.0, "setup": 0.1, "device": "cpu",
           "megabytes": 300.0, "cold": 2.0, **one}  # fmt: skip
    gone = {"title": "A peer", "problem": "missing: pip install 'upturn[bench]'"}
    work = {
        "title": "made up", "functionals": measures.FUNCTIONALS, "curves": ["a"],
        "samplers": {"ours": row, "gone": gone},
    }  # fmt: skip
    rows = [
        {"axis": "curves", "size": size, "title": "upturn", "seconds": size / 10, "megabytes": 9.0}
        for size in (1, 10)
    ]
    return {
        "machine": report.machine(),
        "contest": {"threads": 2, "workloads": {"made-up": work}},
        "growth": {"threads": 2, "rows": rows},
        "kernel": {
            "dataset": "made-up", "threads": 1, "particles": 8, "repeats": 1, "problem": "",
            "curves": ["a"], "points": [5], "compiler": "cc 1", "flags": kernel.FLAGS,
            "ns": {kernel.OURS: [4.0], kernel.BY_HAND: [2.0]},
            "difference": {kernel.OURS: 0.0, kernel.BY_HAND: 1e-12},
        },
    }  # fmt: skip


def test_the_page_is_what_was_measured(tmp_path):
    path = tmp_path / "full.json"
    path.write_text(json.dumps(results(), default=report.plain))
    written = page.render([path], tmp_path / "docs")
    assert [p.name for p in written] == [
        "benchmarks.md", "benchmarks-speed.svg", "benchmarks-growth.svg", "benchmarks.json",
    ]  # fmt: skip
    text = written[0].read_text("utf-8")
    assert "missing: pip install 'upturn[bench]'" in text
    assert "## Growth" in text
    assert "## One evaluation of the likelihood" in text
    assert "| C, tuned by hand" in text
    assert "least squares" not in text  # it was not measured
    assert "![" in text
    again = page.render([path], tmp_path / "again")
    for first, second in zip(written, again, strict=True):
        assert first.read_text("utf-8") == second.read_text("utf-8")
    assert "upturn" in written[1].read_text("utf-8")


def test_workloads_of_several_contests_are_one(tmp_path):
    one, other = results(), results()
    other["contest"]["workloads"] = {"another": other["contest"]["workloads"]["made-up"]}
    paths = [tmp_path / "one.json", tmp_path / "other.json"]
    for path, found in zip(paths, (one, other), strict=True):
        path.write_text(json.dumps(found, default=report.plain))
    text = page.render(paths, tmp_path / "docs")[0].read_text("utf-8")
    assert "### made-up" in text
    assert "### another" in text


def test_a_part_is_measured_again_by_itself(tmp_path):
    """The others stay, each with the machine that it was measured on."""
    whole, again = results(), results()
    again["contest"]["workloads"] = {"another": again["contest"]["workloads"]["made-up"]}
    again = {name: again[name] for name in ("contest", "machine")}
    again["machine"] = again["machine"] | {"processor": "another processor"}
    again["contest"] |= {"threads": 1, "lanes": 2}
    texts = []
    for name, found in (("full", whole), ("contest", again)):
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(found, default=report.plain))
        texts.append(page.render([path], tmp_path / "docs")[0].read_text("utf-8"))
    before, after = texts
    assert "another" not in before
    assert "## Growth" in after
    where = f"{whole['machine']['date']}; {whole['machine']['processor']}, "
    assert f"*made-up: {where}" in after
    assert f"*another: {whole['machine']['date']}; another processor, " in after
    assert f"\n*{where}" in after  # growth's
    lines = {line.split(":")[0]: line for line in after.splitlines() if line.startswith("*")}
    assert "; 2 threads; Python" in lines["*made-up"]
    assert "; 1 thread each, 2 at a time on cores of their own; Python" in lines["*another"]


def test_a_page_of_nothing_is_refused(tmp_path):
    path = tmp_path / "other.json"
    path.write_text('{"machine": {}}')
    with pytest.raises(SystemExit, match="expected results"):
        page.render([path], tmp_path)


def test_references_of_a_curve_that_has_none_are_asked_for(monkeypatch):
    monkeypatch.setattr(references, "load", lambda kind: {})
    found = contest.run(names=("hard",), keys=("ours",), seeds=1)
    assert "not measured: expected a stored quadrature of far step, two" in contest.table(found)
    assert "--datasets hard --models hinge --needed" in contest.table(found)
    assert not page.speeds_of({"contest": found})


def test_a_curve_without_a_reference_is_left_out_and_named(monkeypatch):
    stored = references.load("quadrature")
    some = {key: one for key, one in stored.items() if "arithmetic_2dm" not in key}
    monkeypatch.setattr(references, "load", lambda kind: some)
    orders = []

    def gone(order, limit, cores):
        orders.append(order["problem"])
        raise contest.StoppedError("gone")

    monkeypatch.setattr(contest, "Worker", gone)
    found = contested(monkeypatch, {"first": Entry("first", "x:Y", {})}, seeds=1)
    one = found["workloads"]["open-models"]
    assert one["unreferenced"] == ["arithmetic_2dm"]
    assert "no reference yet: arithmetic_2dm." in contest.table(found)
    assert orders[0]["tasks"] == one["curves"]
    assert len(one["curves"]) == len(workloads.counts("open-models")) - 1
    assert worker.problem_of(orders[0]).curves.name.tolist() == one["curves"]
