"""Bundled facts: what is filled in, what is left as it is, and what is said."""

import pandas as pd
import pytest

import upturn

MODELS = ["EleutherAI/pythia-410m", "pythia-1.4b", "meta-llama/Llama-2-7b-hf", "mine"]


def table(**columns):
    return pd.DataFrame({"task": "t", "model": MODELS, "score": [0.1, 0.2, 0.3, 0.4]} | columns)


def notes_of(frame, **options):
    return " | ".join(upturn.read(frame, **options).notes)


def test_known_models_get_what_the_table_lacks():
    frame = upturn.read(table()).frame
    assert frame["params"].tolist()[:3] == [4.1e8, 1.4e9, 7e9]
    assert frame["flops"].tolist()[2] == 8.4e22
    assert frame["family"].tolist() == ["Pythia", "Pythia", "Llama-2", ""]
    assert frame["params"].isna().tolist() == [False, False, False, True]


def test_a_note_says_for_how_many_models_and_which_columns():
    assert (
        "bundled facts filled in for 3 of 4 models: family of 3, params of 3, tokens of 3, "
        "flops of 3" in notes_of(table())
    )
    assert "models of one family share an offset (--facts none leaves them out)" in notes_of(
        table()
    )


def test_none_fills_in_nothing():
    results = upturn.read(table(), facts="none")
    assert "params" not in results.frame
    assert results.notes == ()


def test_what_the_table_has_stays():
    frame = upturn.read(table(params=[4e8, None, 7e9, 1e9], tokens=[1e11, 2e11, None, None])).frame
    assert frame["params"].tolist() == [4e8, 1.4e9, 7e9, 1e9]
    assert frame["tokens"].tolist()[:3] == [1e11, 2e11, 2e12]
    # the table's own parameters and tokens give its FLOPs, not those of the finished model
    assert frame["flops"].tolist()[:2] == pytest.approx([6 * 4e8 * 1e11, 6 * 1.4e9 * 2e11])


def test_families_of_the_table_stay_alone():
    frame = upturn.read(table(family=["A", "", "", ""])).frame
    assert frame["family"].tolist() == ["A", "", "", ""]


def test_parameters_of_another_size_are_another_model():
    frame = upturn.read(table(params=[5e7, 6e7, 7e9, 8e7])).frame
    assert frame["tokens"].isna().tolist() == [True, True, False, True]
    assert frame["family"].tolist() == ["", "", "Llama-2", ""]


def test_a_step_or_a_revision_takes_nothing_of_the_finished_model():
    names = ["pythia-410m@step1000", "pythia-410m@step2000-tokens4B", "pythia-410m", "pythia-1b"]
    frame = upturn.read(table(model=names)).frame
    assert frame["params"].tolist() == [4.1e8, 4.1e8, 4.1e8, 1e9]
    assert frame["tokens"].isna().tolist() == [True, False, False, False]
    assert frame["tokens"].tolist()[1:] == [4e9, 3e11, 3e11]
    assert frame["run"].tolist() == ["pythia-410m", "pythia-410m", "", ""]
    assert frame["step"].tolist()[:2] == [1000, 2000]
    steps = upturn.read(table(step=[1, 2, 3, 4])).frame
    assert "tokens" not in steps
    assert steps["params"].notna().sum() == 3


def test_names_of_toys_are_left_alone():
    frame = pd.DataFrame({"task": "t", "model": ["m1", "small", "s4"], "score": [0.1, 0.2, 0.3]})
    results = upturn.read(frame)
    assert results.notes == ()
    assert set(results.frame) == {"task", "model", "score", "successes", "trials", "chance",
                                  "ceiling"}  # fmt: skip


def test_bundled_data_sets_are_read_as_they_are():
    assert not any("filled in" in note for note in upturn.read("open-models").notes)


def test_chance_and_questions_of_known_tasks():
    frame = pd.DataFrame(
        {
            "task": ["hellaswag", "hellaswag", "gsm8k", "t"],
            "model": ["a", "b", "a", "a"],
            "score": ["0.25", "0.3", "0.5", "0.5"],
        }
    )
    results = upturn.read(frame)
    assert results.frame["chance"].tolist()[:3] == [0.25, 0.25, 0]
    assert results.frame["trials"].tolist()[:3] == [10042, 10042, 1319]
    assert "bundled facts filled in for 2 of 3 tasks: chance of 2, trials of 2" in " ".join(
        results.notes
    )


@pytest.mark.parametrize(
    ("column", "value"), [("stderr", 0.01), ("trials", 100), ("n", 100), ("num_samples", 100)]
)
def test_questions_are_not_filled_in_beside_a_count_or_an_error(column, value):
    frame = pd.DataFrame(
        {"task": "hellaswag", "model": ["a", "b"], "score": [0.25, 0.5], column: value}
    )
    assert 10042 not in upturn.read(frame).frame["trials"].tolist()


def test_no_row_of_a_task_gets_a_count_where_one_score_is_no_whole_number_of_questions():
    frame = pd.DataFrame(
        {"task": "gpqa_diamond", "model": ["a", "b"], "score": ["0.500000", "0.501234"]}
    )
    assert upturn.read(frame).frame["trials"].isna().all()
    assert upturn.read(frame[:1]).frame["trials"].tolist() == [198]


@pytest.mark.parametrize("metric", ["brier", "perplexity", "f1", "bits_per_byte"])
def test_other_metrics_have_no_chance_and_no_count(metric):
    frame = pd.DataFrame(
        {"task": "hellaswag", "model": ["a", "b"], "score": [0.25, 0.5], "metric": metric}
    )
    read = upturn.read(frame).frame
    assert read["chance"].isna().all()
    assert read["trials"].isna().all()


def test_chance_that_the_table_gives_in_one_row_stays_the_only_one():
    frame = pd.DataFrame(
        {"task": "piqa", "model": ["a", "b"], "score": [0.25, 0.5], "chance": [0.4, None]}
    )
    assert upturn.read(frame).frame["chance"].tolist()[0] == 0.4


def test_lower_is_better_of_a_known_task():
    frame = pd.DataFrame(
        {
            "task": "crows_pairs_english", "model": ["a", "b"], "score": [3.1, 2.9],
            "metric": "likelihood_diff",
        }
    )  # fmt: skip
    assert upturn.read(frame).lower_metrics == {"likelihood_diff"}


def test_headers_of_others_are_taken_for_facts_and_said():
    frame = table(
        **{"Training compute (FLOP)": [1e20, 2e20, 3e20, 4e20], "Release date": "2020-01-02"}
    )
    results = upturn.read(frame)
    assert results.frame["flops"].tolist() == [1e20, 2e20, 3e20, 4e20]
    assert "columns taken as: Training compute (FLOP) → flops" in results.notes
    assert "columns taken: 'Release date' as date" in notes_of(frame)


def test_a_task_with_counts_in_some_rows_gets_no_others():
    frame = pd.DataFrame(
        {"task": "gsm8k", "model": ["a", "b"], "score": [0.25, 0.5], "trials": [500, None]}
    )
    assert upturn.read(frame).frame["trials"].isna().tolist() == [False, True]


@pytest.mark.parametrize(
    "name",
    ["pythia-12b-GPTQ", "lab/pythia-12b-4bit", "pythia-12b (8-bit)", "pythia-12b@main"],
)
def test_facts_of_a_model_that_is_stored_otherwise(name):
    frame = pd.DataFrame({"task": ["t"], "model": [name], "score": [0.5]})
    read = upturn.read(frame).frame
    assert (read["params"].item(), read["tokens"].item()) == (1.2e10, 3e11)
    assert upturn.facts(frame)["tokens"].item() == 3e11


def test_what_is_said_to_be_unknown_is_filled_in():
    frame = pd.DataFrame({"task": ["t"], "model": ["pythia-12b"], "score": [0.5], "params": ["NA"]})
    assert upturn.read(frame).frame["params"].item() == 1.2e10
