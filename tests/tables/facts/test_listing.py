"""Every model of a table with what is known of it, and the way back."""

import math

import pandas as pd
import pytest

import upturn
from upturn.checks.errors import DataError
from upturn.tables.facts.listing import notes_of

TABLE = pd.DataFrame(
    {
        "model": ["EleutherAI/pythia-410m", "pythia-410m@step3000-tokens6B", "my-model-1.4b",
                  "pythya-410m", "m1", "EleutherAI/pythia-410m"],
        "score": 0.5,
        "tokens": [1e11, None, None, None, None, 1e11],
    }
)  # fmt: skip


@pytest.fixture
def found():
    return upturn.facts(TABLE).set_index("model")


def test_one_row_a_model_with_the_columns_that_others_read(found):
    assert len(found) == 5
    columns = upturn.facts(TABLE).columns
    for column in ("family", "params", "tokens", "flops", "date"):
        assert {column, f"{column}_source"} <= {*columns}
    assert {"guessed", "near"} <= {*columns}


def test_every_figure_says_where_it_is_from(found):
    known = found.loc["EleutherAI/pythia-410m"]
    assert (known["params"], known["params_source"]) == (4.1e8, "Maia Polo et al. 2024")
    assert (known["tokens"], known["tokens_source"]) == (1e11, "table")


def test_a_checkpoint_has_run_step_and_tokens_and_no_flops_of_the_finished_model(found):
    moment = found.loc["pythia-410m@step3000-tokens6B"]
    assert (moment["run"], moment["step"], moment["tokens"]) == ("pythia-410m", 3000, 6e9)
    assert (moment["params"], moment["tokens_source"]) == (4.1e8, "name")
    assert math.isnan(moment["flops"])


def test_a_size_that_only_the_name_states_is_a_guess(found):
    assert found.loc["my-model-1.4b", ["params", "params_source", "guessed"]].tolist() == [
        1.4e9, "name", "params",
    ]  # fmt: skip
    assert found.loc["m1", "guessed"] == ""


def test_near_names_are_proposed_for_unknown_models(found):
    assert found.loc["pythya-410m", "near"].startswith("pythia-410m")
    assert found.loc["EleutherAI/pythia-410m", "near"] == ""
    assert found.loc["m1", "near"] == ""


def test_none_lists_what_the_table_says(found):
    alone = upturn.facts(TABLE, facts="none").set_index("model")
    assert alone.loc["EleutherAI/pythia-410m", "params_source"] == "name"
    assert math.isnan(alone.loc["EleutherAI/pythia-410m", "flops"])
    assert alone.loc["EleutherAI/pythia-410m", "tokens"] == 1e11


def test_the_list_goes_back_as_a_table_of_facts(tmp_path):
    path = tmp_path / "models.csv"
    upturn.facts(TABLE).to_csv(path, index=False)
    results = TABLE.drop(columns="tokens").drop_duplicates("model").assign(task="t")
    frame = upturn.read(results, facts=path).frame
    assert frame["params"].tolist()[:4] == [4.1e8, 4.1e8, 1.4e9, 4.1e8]
    assert not any(column.endswith("_source") for column in frame)
    assert {"guessed", "near"}.isdisjoint(frame)


def test_folders_and_data_sets():
    assert len(upturn.facts("gpt3")) == 8


def test_a_table_without_models_is_refused():
    with pytest.raises(DataError, match="expected a column 'model'"):
        upturn.facts(pd.DataFrame({"task": ["t"]}), name="t.csv")


@pytest.mark.parametrize(
    ("name", "near"),
    [("org5/eps-2.7B", ""), ("pythya-1.4b", "pythia-1.4b"), ("opt2-2.7b", ""), ("adda", "")],
)
def test_another_family_is_not_near(name, near):
    assert upturn.facts(pd.DataFrame({"model": [name]}))["near"].tolist() == [near]


def test_facts_that_stand_in_the_table_are_counted_as_known():
    table = pd.DataFrame(
        {"model": ["GPT-3 13B", "m1", "GPT-3 Small"], "params": [1.3e10, 1e9, None]}
    )
    (note, *_) = notes_of(upturn.facts(table))
    assert note == "3 of 3 models known, 2 of them from the table itself"


@pytest.mark.parametrize(
    ("name", "params"),
    [("GPT-3 13B", 1.285e10), ("gpt3-6.7b", 6.66e9), ("openai/davinci", 1.75e11), ("curie", 6.7e9)],
)
def test_models_of_gpt_3_are_known(name, params):
    found = upturn.facts(pd.DataFrame({"model": [name]})).iloc[0]
    assert (found["params"], found["guessed"]) == (params, "")
