"""Tables in JSON, in the layouts that people have."""

import gzip
import json

import pytest

import upturn
from upturn.checks.errors import DataError
from upturn.tables.readers.json_tables import table_of

ROWS = [("arc", "m-1b", 0.25), ("arc", "m-7b", 0.5)]
RECORDS = [{"task": task, "model": model, "score": score} for task, model, score in ROWS]
LAYOUTS = {
    "records": RECORDS,
    "wrapped": {"version": 1, "data": RECORDS},
    "columns": {key: {str(i): row[key] for i, row in enumerate(RECORDS)} for key in RECORDS[0]},
    "lists": {key: [row[key] for row in RECORDS] for key in RECORDS[0]},
    "split": {
        "columns": ["task", "model", "score"],
        "index": [0, 1],
        "data": [list(r) for r in ROWS],
    },
    "models outside": {"m-1b": {"arc": 0.25}, "m-7b": {"arc": 0.5}},
    "tasks outside": {"arc": {"m-1b": 0.25, "m-7b": 0.5}},
    "metrics": {"m-1b": {"arc": {"acc": 0.25}}, "m-7b": {"arc": {"acc": 0.5}}},
    "records below names": {
        "m-1b": {"params": 1e9, "results": {"arc": 0.25}},
        "m-7b": {"params": 7e9, "results": {"arc": 0.5}},
    },
    "records with records": [
        {"model": {"name": "m-1b", "params": 1e9}, "scores": {"arc": 0.25}},
        {"model": {"name": "m-7b", "params": 7e9}, "scores": {"arc": 0.5}},
    ],
    "rows by their numbers": {str(i): row for i, row in enumerate(RECORDS)},
    "lists below names": {"arc": [{"model": m, "score": s} for _, m, s in ROWS]},
    "lists in records": [
        {"model": "m-1b", "params": 1e9, "evals": [{"task": "arc", "score": 0.25}]},
        {"model": "m-7b", "params": 7e9, "evals": [{"task": "arc", "score": 0.5}]},
    ],
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout(layout, tmp_path):
    path = tmp_path / "r.json"
    path.write_text(json.dumps(LAYOUTS[layout]))
    (tmp_path / "r.json.gz").write_bytes(gzip.compress(path.read_bytes()))
    for source in (path, tmp_path / "r.json.gz"):
        frame = upturn.read(source, facts="none").frame
        assert list(frame[["task", "model", "score"]].itertuples(index=False, name=None)) == ROWS
        if "params" in frame:
            assert frame["params"].tolist() == [1e9, 7e9]


def test_lines_in_a_file_of_that_ending(tmp_path):
    path = tmp_path / "r.json"
    path.write_text("\n".join(map(json.dumps, RECORDS)))
    assert upturn.read(path, facts="none").frame["score"].tolist() == [0.25, 0.5]
    path.write_text(json.dumps(RECORDS)[:-5])
    with pytest.raises(DataError, match=r"expected a JSON file, but got one that ends in the mid"):
        upturn.read(path)


@pytest.mark.parametrize("document", [3, "x", [], [1], {}, {"a": 1}, {"a": {"b": "c"}}, {"a": []}])
def test_what_is_no_table(document):
    assert table_of(document, "r.json") is None
