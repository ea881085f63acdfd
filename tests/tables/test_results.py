"""Reading a table: what is read and derived, what the notes say."""

import json
import re
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from tests.support.small_tables import three_models as table
from upturn.checks.errors import DataError
from upturn.tables.results import read

STRANGE = 'a, "b"\n<script>🙂'


# ---- what is read --------------------------------------------------------------------------------


def test_a_data_frame_is_left_as_it_is():
    frame = table(shots=[5.0, None, 5], n=10, params=1e9, tokens=1e9)
    before = frame.copy(deep=True)
    results = read(frame)
    results.where("shots=5").curves()
    results.frame["score"] = 0
    pd.testing.assert_frame_equal(frame, before)


def test_the_least_that_is_needed():
    results = read(table(flops=None))
    assert results.frame["score"].tolist() == [0.1, 0.2, 0.3]
    assert results.metrics() == ("score",)
    assert results.axes() == ()
    assert results.notes == ()
    assert len(results) == 3
    assert repr(results) == "Results(table: 3 rows, 1 task, 3 models; axes none)"


def test_text_is_read_as_it_stands(read_csv):
    quoted = STRANGE.replace('"', '""')
    results = read_csv(f'task,model,score,family\n"{quoted}", m ,0.5,NA\n')
    assert results.frame[["task", "model", "family"]].to_numpy().tolist() == [
        [STRANGE, " m ", "NA"]
    ]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_line_ends_byte_order_mark_and_blank_lines(tmp_path, newline, encoding):
    path = tmp_path / "r.csv"
    text = "task,model,score\n\nt,a,0.5\n\n"
    path.write_bytes(text.replace("\n", newline).encode(encoding))
    assert read(path).frame.index.tolist() == [3]


def test_json_has_one_row_a_line(tmp_path):
    path = tmp_path / "r.jsonl"
    lines = [
        {"task": STRANGE, "model": "a", "score": 0.5, "flops": 10**21},
        {"task": "u", "model": "a"},
    ]
    path.write_text("\n\n".join(json.dumps(line) for line in lines))
    results = read(path)
    assert results.frame["task"].tolist() == [STRANGE]
    assert results.notes == ("1 row without a score left out",)


def test_every_source_gives_the_same_results(tmp_path):
    frame = table(
        shots=[0, 5, 5], family=["x", None, "y"], n=[10, 20, None], year=[2020, 2021, 2022]
    )
    frame.to_csv(tmp_path / "r.csv", index=False)
    frame.to_csv(tmp_path / "r.tsv", index=False, sep="\t")
    frame.to_json(tmp_path / "r.jsonl", orient="records", lines=True)
    frame.to_parquet(tmp_path / "r.parquet")
    expected = read(frame)
    assert expected.frame["shots"].tolist() == ["0", "5", "5"]
    assert expected.frame["family"].tolist() == ["x", "", "y"]
    for ending in ("csv", "tsv", "jsonl", "parquet"):
        results = read(tmp_path / f"r.{ending}")
        pd.testing.assert_frame_equal(
            results.frame.reset_index(drop=True), expected.frame.reset_index(drop=True)
        )
        assert results.notes == expected.notes


@pytest.mark.parametrize(
    "score",
    [
        pd.array([0.1, None, 0.3], dtype="Float64"),
        pd.array([0.1, None, 0.3], dtype="float64"),
        pd.Series([0.1, pd.NA, 0.3], dtype=object),
        pd.Series([Decimal("0.1"), None, np.float32(0.3)], dtype=object),
        pd.Series(["0.1", "", "0.3"]),
        pd.Series(["0.1", "NA", "0.3"], dtype="category"),
    ],
)
def test_a_row_without_a_score_is_left_out_and_counted(score):
    results = read(table(score=score))
    np.testing.assert_allclose(results.frame["score"], [0.1, 0.3], rtol=1e-7)
    assert results.frame["model"].tolist() == ["a", "c"]
    assert results.notes == ("1 row without a score left out",)


def test_labels_of_any_type():
    frame = table(
        task=pd.Categorical(["x", "y", "x"]),
        model=[1, 2, 3],
        run=pd.array([1, None, 2], dtype="Int64"),
        shots=[5.0, None, 25],
    )
    results = read(frame)
    assert results.frame["model"].tolist() == ["1", "2", "3"]
    assert results.frame["run"].tolist() == ["1", "", "2"]
    assert results.frame["shots"].tolist() == ["5", "", "25"]


@pytest.mark.parametrize("name", ["trials", "n", "num_samples"])
def test_aliases_of_trials(name):
    results = read(table(**{name: [10, 10, 10]}))
    assert results.frame["successes"].tolist() == [1, 2, 3]
    assert "n" not in results.columns


def test_successes_instead_of_a_score():
    results = read(table(score=None, successes=[1, 2, 3], trials=10**9))
    assert results.frame["score"].tolist() == [1e-9, 2e-9, 3e-9]


def test_successes_where_there_are_some():
    results = read(table(score=[0.1, 0.2, None], successes=[None, 2, 3], trials=10))
    assert results.frame["score"].tolist() == [0.1, 0.2, 0.3]
    assert results.frame["successes"].tolist() == [1, 2, 3]


def test_scores_that_are_no_count_are_rounded_and_counted():
    results = read(table(score=[0.1, 0.337, 0.333333], trials=[10, 10, 3]))
    assert results.frame["successes"].tolist() == [1, 3, 1]
    assert results.notes == (
        "score × trials is no whole number, rounded to the nearest count in 1 row",
    )


# ---- derivations ---------------------------------------------------------------------------------


def test_flops_are_derived_row_by_row():
    frame = table(flops=[5e20, None, None], params=[1e9, 2e9, None], tokens=[1e11, 3e11, 1e11])
    results = read(frame)
    np.testing.assert_array_equal(results.frame["flops"], [5e20, 3.6e21, np.nan])
    assert results.notes == ("FLOPs derived as 6 × params × tokens in 1 row",)


def test_flops_are_derived_without_the_column():
    results = read(table(flops=None, params=1e9, tokens=[1e9, 2e9, 3e9]))
    assert results.axes() == ("flops", "params", "tokens")
    assert results.notes == ("FLOPs derived as 6 × params × tokens in 3 rows",)


def test_no_flops_are_derived_for_an_untrained_checkpoint():
    results = read(table(flops=None, params=1e9, tokens=[0, 2e9, 3e9]))
    assert np.isnan(results.frame["flops"]).tolist() == [True, False, False]


def test_trials_are_derived_from_the_standard_error():
    score, trials = np.array([0.25, 0.5, 0.9]), np.array([100, 1000, 50])
    stderr = np.sqrt(score * (1 - score) / (trials - 1))
    results = read(table(score=score, stderr=stderr))
    assert results.frame["trials"].tolist() == trials.tolist()
    assert results.notes == ("trials derived from stderr in 3 rows",)


def test_given_trials_are_not_derived():
    results = read(table(stderr=0.01, trials=[10, None, 10]))
    assert results.frame["trials"].tolist() == [10, 1601, 10]
    assert results.notes[0] == "trials derived from stderr in 1 row"


def test_an_error_whose_square_is_beyond_the_largest_number():
    results = read(table(score=[0.3, 0.4, 0.5], stderr=[1e200, 0.1, 0.1]), continuous="score")
    assert results.frame["stderr"].tolist() == [1e200, 0.1, 0.1]


def test_scores_of_zero_and_one_take_the_trials_of_their_curve():
    score = np.array([0.0, 0.25, 0.5, 1.0])
    stderr = np.sqrt(score * (1 - score) / 99).round(4)
    frame = pd.DataFrame({"task": "t", "model": list("abcd"), "score": score, "stderr": stderr})
    results = read(frame)
    assert results.frame["trials"].tolist() == [100, 100, 100, 100]
    assert results.frame["successes"].tolist() == [0, 25, 50, 100]
    assert results.notes == (
        "trials derived from stderr in 2 rows",
        "trials of a score of 0 or 1 taken from the curve's other rows in 2 rows",
    )


def test_a_standard_error_next_to_zero_says_nothing():
    results = read(table(stderr=[1e-200, 1e-12, 0.05]))
    assert results.frame["trials"].isna().tolist() == [True, True, False]


@pytest.mark.parametrize("stderr", [[0.0, 0.05, 0.01], [0.0, None, None], [None, 0.05, 0.05]])
def test_trials_stay_missing_where_the_curve_does_not_agree_on_them(stderr):
    results = read(table(score=[0.0, 0.5, 0.5], stderr=stderr))
    assert np.isnan(results.frame["trials"].iloc[0])


def test_trials_are_not_derived_for_a_continuous_metric():
    results = read(table(stderr=0.01), continuous="score")
    assert results.frame["trials"].isna().all()


# ---- metrics -------------------------------------------------------------------------------------


def test_metrics_are_known_by_their_name():
    frame = table(metric=["ppl", "bleu_0to100", "acc"], score=[18.6, 37.2, 0.3])
    results = read(frame)
    assert results.metrics() == ("ppl", "bleu_0to100", "acc")
    assert results.notes == (
        "metric ppl: lower is better",
        "metric bleu_0to100: taken as any number, not as a proportion",
    )


def test_metrics_are_declared():
    frame = table(metric=["x", "y", "acc"], score=[18.6, -3, 0.3])
    results = read(frame, lower_is_better=["x"], continuous="y")
    assert results.lower_metrics == {"x"}
    assert results.continuous_metrics == {"x", "y"}


def test_a_table_without_metrics_declares_its_score():
    results = read(table(score=[37, 38, 39]), lower_is_better="score")
    assert results.notes == ("metric score: lower is better",)


def test_chance_and_ceiling_of_a_continuous_metric_are_native():
    frame = table(metric="ppl", score=[30, 20, 10], chance=50257, ceiling=1)
    curves = read(frame).curves()
    assert (curves.chance, curves.ceiling) == ([50257], [1])


# ---- other columns -------------------------------------------------------------------------------


def test_other_columns_are_numbers_or_text():
    frame = table(
        year=[2020, 2021, None],
        released=["2020-01-01", "", "2022-06-15"],
        size=["small", "big", "1"],
        flag=[True, False, True],
        when=pd.to_datetime(["2020-01-01", None, "2022-06-15"]),
        nothing=None,
        lists=pd.Series([[1], [2], [3]]),
    )
    frame["nothing"] = np.nan
    results = read(frame)
    assert results.axes() == ("flops", "year", "released", "when")
    assert results.frame["flag"].tolist() == ["True", "False", "True"]
    assert "lists" not in results.columns


def test_other_columns_may_have_any_name():
    frame = table(self=1, index=[3, 4, 5], row=2, frame="x")
    assert read(frame).axes() == ("flops", "self", "row")
    assert read(frame.rename(columns={"index": ""})).frame[""].tolist() == [3, 4, 5]


def test_a_misspelt_column_is_noticed():
    results = read(table(trails=10, year=2020))
    assert results.notes == ("column 'trails' is none of the schema's: is 'trials' meant?",)


# ---- where ---------------------------------------------------------------------------------------


def frame_of_settings():
    return table(
        setting=["few-shot", "few-shot", "a=b"],
        shots=[5, 0, 5],
        flops=[7e19, 1e20, 1e20],
        extra=[1, 2, 2],
    )


@pytest.mark.parametrize(
    ("conditions", "models"),
    [
        ([], "abc"),
        (["setting=few-shot"], "ab"),
        (["setting=few-shot", "shots=5.0"], "a"),
        (["model=a", "model=c"], "ac"),
        (["setting=a=b"], "c"),
        (["flops=7e19"], "a"),
        (["flops=1e20", "extra=2.0"], "bc"),
        (["trials="], "abc"),
    ],
)
def test_where(conditions, models):
    results = read(frame_of_settings()).where(*conditions)
    assert "".join(results.frame["model"]) == models


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        (
            ["setting"],
            "where: expected COLUMN=VALUE, but got 'setting'; for example setting=few-shot",
        ),
        (["=x"], "where: expected COLUMN=VALUE, but got '=x'; for example"),
        (
            ["seting=x"],
            "table, where: expected a known column, but got 'seting'; did you mean 'setting'? "
            "there are: 'task', 'model', 'setting', 'shots', 'score'",
        ),
        (
            ["setting=fewshot"],
            "table, where: expected a known setting, but got 'fewshot'; did you mean 'few-shot'? "
            "there are: 'few-shot', 'a=b'",
        ),
        (
            ["flops=5"],
            "table, where: expected a known value of flops, but got 5; there are: 7e+19, 1e+2",
        ),
        (
            ["setting=a=b", "shots=0"],
            "table: expected rows with setting=a=b and shots=0, but got none; each is there, thoug",
        ),
    ],
)
def test_where_nothing_is(conditions, message):
    with pytest.raises(DataError, match=f"^{re.escape(message)}"):
        read(frame_of_settings()).where(*conditions)


def test_notes_follow_the_rows():
    frame = table(flops=None, params=1e9, tokens=[1e9, None, 1e9], setting=["x", "y", "x"])
    results = read(frame)
    assert results.where("setting=x").notes == ("FLOPs derived as 6 × params × tokens in 2 rows",)
    assert results.where("setting=y").notes == ()


def test_where_is_remembered():
    results = read(frame_of_settings())
    assert results.conditions == ()
    chosen = results.where("setting=few-shot").where("shots=5", "shots=0")
    assert chosen.conditions == ("setting=few-shot", "shots=5", "shots=0")


def test_columns_that_the_table_lacks_are_not_offered():
    with pytest.raises(DataError, match="'setting', 'shots'") as caught:
        read(frame_of_settings()).where("metric=acc")
    assert "ceiling" not in str(caught.value)
