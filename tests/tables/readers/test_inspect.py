"""Logs of Inspect: results, single answers, and logs that are broken or unfinished."""

import json
import shutil
import zipfile
from pathlib import Path

import pytest

import upturn
from upturn.checks.errors import DataError
from upturn.tables.conversion import tabulate
from upturn.tables.readers import inspect, inspect_answers

LOGS = Path(__file__).parent / "evaluations" / "inspect"


def row_of(results, **labels):
    """The only row with these labels."""
    frame = results.frame
    for label, value in labels.items():
        frame = frame[frame[label] == value]
    assert len(frame) == 1, frame
    return frame.iloc[0]


def test_inspect():
    results = upturn.read(LOGS)
    row = row_of(results, task="toy_addition", model="toy/size-5", metric="includes/accuracy")
    assert (row.score, row.trials, row.shots, row.setting) == (0.7, 20, "2", "cot=true")
    # three epochs of ten samples are ten trials
    assert row_of(results, task="toy_single", model="toy/size-5", metric="accuracy").trials == 10


def test_unfinished_logs_are_named(tmp_path):
    shutil.copytree(LOGS, tmp_path / "r")
    path = next((tmp_path / "r").glob("*.json"))
    path.write_text(path.read_text().replace('"status": "success"', '"status": "error"'))
    with zipfile.ZipFile(tmp_path / "r" / "started.eval", "w") as archive:
        archive.writestr("_journal/start.json", "{}")
    results = upturn.read(tmp_path / "r")
    (note,) = [note for note in results.notes if "left out" in note]
    assert "2 unfinished evaluations" in note
    assert "'started.eval'" in note
    assert len(results) == 6


def log(path, header, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("header.json", header)
    return path


def test_a_log_that_is_a_bomb_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr("upturn.tables.readers.inspect.MAX_JSON_BYTES", 10_000)
    monkeypatch.setattr("upturn.tables.readers.documents.MAX_JSON_BYTES", 10_000)
    with pytest.raises(DataError, match=r"at most 0.01 MB of JSON, but got more"):
        inspect.load(log(tmp_path / "a.eval", b" " * 10_000_000))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_members_that_the_standard_library_cannot_bound(method, tmp_path):
    path = log(tmp_path / "a.eval", b" " * 10_000_000, method)
    with pytest.raises(DataError, match="compressed in a way that Inspect does not use"):
        inspect.load(path)


@pytest.mark.parametrize("cut", [0, 30, 120])
def test_a_broken_log(cut, tmp_path):
    path = log(tmp_path / "a.eval", json.dumps({"status": "success", "eval": {"x": "y" * 999}}))
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(DataError, match=r"a.eval': expected an Inspect log, but got a broken one"):
        inspect.load(path)


def test_results_of_older_logs(tmp_path):
    header = {
        "status": "success",
        "eval": {"task": "t", "model": "m", "config": {"epochs": 2}},
        "results": {
            "completed_samples": 60,
            "metrics": {"accuracy": {"value": 0.5}, "std": {"value": 0.1}},
        },
    }
    row = upturn.read(log(tmp_path / "a.eval", json.dumps(header))).frame.iloc[0]
    assert (row.metric, row.score, row.trials) == ("accuracy", 0.5, 30)


# ---- single answers ------------------------------------------------------------------------------


def test_single_answers_add_up_to_the_results_of_the_log(tmp_path):
    answers = tmp_path / "answers.csv"
    frame, _ = tabulate(LOGS, kind="inspect-answers")
    frame.to_csv(answers, index=False)
    assert len(frame) == 104
    of_answers, of_logs = upturn.read(answers), upturn.read(LOGS)
    assert not any(note.startswith("repeated") for note in of_answers.notes)
    for model in ("toy/size-2", "toy/size-5"):
        of_answer = row_of(of_answers, task="toy_addition", model=model, metric="match")
        of_log = row_of(of_logs, task="toy_addition", model=model, metric="match/accuracy")
        assert (of_answer.score, of_answer.trials) == (of_log.score, of_log.trials)


SAMPLES = [
    {"id": "q1", "epoch": 1, "scores": {"match": {"value": "C"}}},
    {"id": "q1", "epoch": 2, "scores": {"match": {"value": "I"}}},
    {"id": 2, "epoch": 1, "scores": {"match": {"value": True}}},
    {"id": 3, "epoch": 1, "scores": {"match": {"value": {"a": 1}}}},
]
START = {"eval": {"task": "t", "model": "m"}}


@pytest.mark.parametrize("member", ["summaries.json", "_journal/summaries/1.json"])
def test_answers_of_a_log_that_was_interrupted(member, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.eval", "w") as archive:
        archive.writestr("_journal/start.json", json.dumps(START))
        archive.writestr(member, json.dumps(SAMPLES))
    document = inspect_answers.load(tmp_path / "a.eval")
    rows = list(inspect_answers.rows(document, tmp_path / "a.eval"))
    cells = [(row["task"], row["model"], row["question"], row["repeat"]) for row in rows]
    assert cells == [("t", "m", "q1", "1"), ("t", "m", "q1", "2"), ("t", "m", "2", "1")]
    assert [row["score"] for row in rows] == [1.0, 0.0, 1.0]


def test_answers_put_together_in_several_ways(tmp_path):
    scores = [
        {"name": "match", "reducer": reducer, "metrics": {"accuracy": {"value": value}}}
        for reducer, value in (("mean", 0.25), ("pass_at_2", 0.5))
    ]
    log = {
        "status": "success",
        "eval": {"task": "arc", "model": "m", "run_id": "r", "config": {}},
        "results": {"scores": scores, "completed_samples": 8},
        "plan": {},
        "stats": {},
    }
    (tmp_path / "log.json").write_text(json.dumps(log))
    frame = upturn.read(tmp_path, facts="none").frame
    expected = [["match/mean/accuracy", 0.25], ["match/pass_at_2/accuracy", 0.5]]
    assert frame[["metric", "score"]].to_numpy().tolist() == expected
