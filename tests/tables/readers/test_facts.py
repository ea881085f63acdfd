"""A side table of models: what is joined, what wins, what is said of names that do not join."""

import pandas as pd
import pytest

import upturn
from upturn.checks.errors import DataError

RESULTS = "task,model,run,score,params\nt,a@1,a,0.1,5\nt,a@2,a,0.2,\nt,b,,0.3,7\n"


@pytest.fixture
def joined(tmp_path, monkeypatch):
    """Read the results with the side table of a text."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results.csv").write_text(RESULTS)

    def read(text):
        (tmp_path / "models.csv").write_text(text)
        return upturn.read("results.csv", models="models.csv")

    return read


def test_what_the_side_table_fills_in_wins(joined):
    results = joined("model,family,params,tokens,date\na@1,F,6,10,2020-01-02\nb,G,,20,2021-03-04\n")
    frame = results.frame
    assert frame["params"].tolist()[:1] == [6]
    assert frame["params"].tolist()[2] == 7
    assert frame["tokens"].tolist()[::2] == [10, 20]
    assert frame["family"].tolist() == ["F", "", "G"]
    assert frame["flops"].tolist()[::2] == [6 * 6 * 10, 6 * 7 * 20]
    assert "date" in results.axes()
    assert "models.csv: without 1 model: 'a' (is 'a@1' meant?)" in results.notes


def test_checkpoints_take_from_their_run_what_training_does_not_change(joined):
    frame = joined("model,family,params,tokens\na,F,6,99\nb,G,7,20\n").frame
    assert frame["params"].tolist() == [6, 6, 7]
    assert frame["family"].tolist() == ["F", "F", "G"]
    assert frame["tokens"].isna().tolist() == [True, True, False]


def test_labels_and_measures_are_no_facts(joined):
    frame = joined("model,task,score,source,params\nb,other,1,where,8\n").frame
    assert set(frame["task"]) == {"t"}
    assert frame["score"].tolist() == [0.1, 0.2, 0.3]
    assert "source" not in frame


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,params\na,1\n", r"models.csv: expected a column 'model'"),
        ("model,params\nb,1\nb,2\n", r"models.csv, row 3, column model: expected each model once"),
        ("model,params\nb,-1\n", r"models.csv, row 2, column params: expected a number above 0"),
        (
            "model,params\nb,7B\n",
            r"models.csv, row 2, column params: expected a number, but got '7B'",
        ),
        ("model,params\n,1\n", r"models.csv, row 2, column model: expected a name"),
        ("model,params\nA@1,1\n", r"but got none: 'a' \(is 'A@1' meant\?\), 'b'; write the"),
    ],
)
def test_bad_side_tables(joined, text, message):
    with pytest.raises(DataError, match=message):
        joined(text)


def test_data_frames_and_many_missing_names():
    results = pd.DataFrame(
        {"task": "t", "model": [f"m{i}" for i in range(9)], "score": 0.5, "source": 3}
    )
    facts = pd.DataFrame({"model": ["m0"], "flops": [1e20]})
    read = upturn.read(results, models=facts)
    assert read.frame["flops"].notna().tolist() == [True] + [False] * 8
    assert any("without 8 models" in note and "and 3 more" in note for note in read.notes)
