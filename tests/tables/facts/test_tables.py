"""A user's table of facts: what is joined, what is said, and what is refused."""

import pandas as pd
import pytest

import upturn
from upturn.checks.errors import DataError

RESULTS = "task,model,run,score,params\nt,a@1,a,0.1,5e8\nt,a@2,a,0.2,\nt,b,,0.3,7e8\n"


@pytest.fixture
def joined(tmp_path, monkeypatch):
    """Read the results with the side table of a text."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results.csv").write_text(RESULTS)

    def read(text):
        (tmp_path / "models.csv").write_text(text)
        return upturn.read("results.csv", facts="models.csv")

    return read


def test_empty_cells_are_filled_in_and_no_other(joined):
    results = joined(
        "model,family,params,tokens,date\na@1,F,6e8,1e9,2020-01-02\nb,G,,2e9,2021-03-04\n"
    )
    frame = results.frame
    assert frame["params"].tolist()[::2] == [5e8, 7e8]
    assert frame["tokens"].tolist()[::2] == [1e9, 2e9]
    assert frame["family"].tolist() == ["F", "", "G"]
    assert frame["flops"].tolist()[::2] == [6 * 5e8 * 1e9, 6 * 7e8 * 2e9]
    assert "date" in results.axes()
    assert "models.csv: without 1 model: 'a'" in results.notes
    assert any(
        note.startswith("models.csv filled in for 2 of 3 models: family of 2, tokens of 2, date")
        for note in results.notes
    )


def test_checkpoints_take_from_their_run_what_training_does_not_change(joined):
    frame = joined("model,family,params,tokens\na,F,6e8,99e9\nb,G,7e8,20B\n").frame
    assert frame["params"].tolist() == [5e8, 6e8, 7e8]
    assert frame["family"].tolist() == ["F", "F", "G"]
    assert frame["tokens"].isna().tolist() == [True, True, False]


def test_labels_and_measures_are_no_facts(joined):
    frame = joined("model,task,score,source,params,tokens\nb,other,1,where,8e8,9e9\n").frame
    assert set(frame["task"]) == {"t"}
    assert frame["score"].tolist() == [0.1, 0.2, 0.3]
    assert "source" not in frame


def test_other_spellings_join_and_are_listed(joined):
    results = joined("Model,Parameters,Domain\nB,800M,Language\nA@2,900M,Language\n")
    assert results.frame["params"].tolist() == [5e8, 9e8, 7e8]
    assert "models.csv: taken for one model: 'a@2' = 'A@2', 'b' = 'B'" in results.notes
    assert "Domain" not in results.frame


def test_two_rows_that_are_one_model_in_another_spelling_join_by_the_exact_name_alone(joined):
    frame = joined("model,tokens\nB,1B\nB-hf,2B\nb,3B\n").frame
    assert frame["tokens"].tolist()[2] == 3e9


def test_a_table_of_results_in_which_facts_repeat(joined):
    frame = joined("task,model,score,tokens,note\nx,b,.1,9e9,1\ny,b,.2,9e9,2\nx,c,.1,8e9,3\n").frame
    assert frame["tokens"].tolist()[2] == 9e9
    assert "note" not in frame


def test_a_download_under_its_own_headers(tmp_path):
    table = tmp_path / "models.csv"
    table.write_text(
        "Model,Publication date,Parameters,Training compute (FLOP),Confidence\n"
        "Llama 3.1-70B,2024-07-23,70000000000.0,7.929e+24,Confident\n"
    )
    results = pd.DataFrame({"task": "t", "model": ["llama-3.1-70b", "x"], "score": [0.5, 0.4]})
    read = upturn.read(results, facts=table)
    assert read.frame["flops"].tolist()[0] == 7.929e24
    assert read.frame["params"].tolist()[0] == 7e10
    assert read.frame["date"].tolist() == ["2024-07-23", ""]


def test_a_bundled_data_set_is_a_table_of_facts():
    results = pd.DataFrame({"task": "t", "model": ["GPT-3 Small", "GPT-3 XL"], "score": 0.5})
    assert upturn.read(results, facts="gpt3").frame["perplexity"].isna().tolist() == [False, False]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("maker,params\na,1\n", r"models.csv: expected a column 'model'"),
        (
            "model,params\nb,1e9\nb,2e9\n",
            r"models.csv, row 3, column params: expected one value for 'b', but got 2000000000 "
            r"after 1000000000 in row 2; correct one of them",
        ),
        ("model,params\nb,-1\n", r"models.csv, row 2, column params: expected a number above 0"),
        (
            "model,params\nb,8x7B\n",
            r"models.csv, row 2, column params: expected a number, but got '8x7B'",
        ),
        ("model,params\n,1\n", r"models.csv, row 2, column model: expected a name"),
        ("model,params\nzz,1e9\n", r"but got none: 'a', 'b'; write the names as"),
        ("model,params\npythia-1.4b,1e9\n", r"expected models of results.csv, but got none"),
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
    read = upturn.read(results, facts=facts)
    assert read.frame["flops"].notna().tolist() == [True] + [False] * 8
    assert any("without 8 models" in note and "and 3 more" in note for note in read.notes)


def test_units_in_headers_are_read(joined):
    results = joined("Model name,Size (B),Tokens (T),Training compute (ZFLOP)\nb,0.7,2,8.4\n")
    row = results.frame.query("model == 'b'").iloc[0]
    assert (row.params, row.tokens, row.flops) == (7e8, 2e12, 8.4e21)


def test_numbers_that_are_no_absolute_ones_are_refused(joined):
    with pytest.raises(
        DataError, match=r"row 2, column params: expected absolute params, at least"
    ):
        joined("model,params\nb,0.7\n")
