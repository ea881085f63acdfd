"""Each rule returns the cleaned value or raises one line that says where, what and what to do."""

import re

import numpy as np
import pytest

from tests.support.cells import cells, floats, refusal
from upturn.checks import arguments, errors
from upturn.checks.errors import DataError
from upturn.tables import cells as cells_module
from upturn.tables import rules

# ---- where and what ------------------------------------------------------------------------------


def test_a_refusal_names_the_first_bad_cell_and_counts_the_others():
    column = cells("1", "x", "y", "z")
    text = "t.csv, row 3, column score: expected a letter, but got 'x' (and 2 more rows); drop it"
    with refusal(text):
        column.refuse(np.array([False, True, True, True]), "a letter", "drop it")


def test_one_further_bad_row_is_not_rows():
    with pytest.raises(DataError, match=r"but got 'x' \(and 1 more row\);"):
        cells("x", "y").refuse(np.array([True, True]), "a letter", "drop it")


def test_nothing_bad_is_no_refusal():
    cells("1").refuse(np.array([False]), "a letter", "drop it")


def test_rows_of_a_data_frame_are_positions():
    assert cells("x", rows=[3], positions=True).row(0) == "row 3 (.iloc[3])"


def test_a_data_error_is_a_value_error():
    assert issubclass(DataError, ValueError)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("37.2", "37.2"),
        ("-1e5", "-1e5"),
        ("high", "'high'"),
        ("", "''"),
        ("two\nlines", r"'two\nlines'"),
        ("\ud800", r"'\ud800'"),
        (0.1, "0.1"),
        (np.float64(2e22), "2e+22"),
        (True, "True"),
        (None, "None"),
        ("x" * 100, "'" + "x" * 55 + "…'"),
    ],
)
def test_values_are_shown_on_one_line(value, text):
    assert errors.shown(value) == text


def test_lists_of_names_are_cut():
    assert errors.listed("abc", most=2) == "'a', 'b' and 1 more"
    assert errors.listed([]) == "none"
    assert errors.listed([""]) == "''"


def test_counts_have_their_plural():
    assert errors.counted(1, "row") == "1 row"
    assert errors.counted(12000, "row") == "12,000 rows"


@pytest.mark.parametrize("given", ["FLOPs", "flop", " flops", "flosp"])
def test_the_nearest_name_forgives_case_space_and_slips(given):
    assert errors.nearest(given, ["params", "flops"]) == "flops"


def test_far_names_are_not_suggested():
    assert errors.nearest("zebra", ["flops"]) is None


def test_unknown_names_come_with_those_that_exist():
    text = (
        "where: expected a known axis, but got 'flosp'; did you mean 'flops'? "
        "there are: 'flops', 'params'"
    )
    with refusal(text):
        arguments.known("flosp", ["flops", "params"], kind="axis", where="where")
    assert arguments.known("flops", ["flops"], kind="axis", where="where") == "flops"


# ---- the table -----------------------------------------------------------------------------------


def test_a_column_twice():
    with refusal(
        "t.csv: expected each column once, but got 'score' twice; rename or remove one of them"
    ):
        rules.columns("t.csv", ["task", "score", "score"])


@pytest.mark.parametrize("name", ["a\0b", "\ud800"])
def test_a_column_whose_name_cannot_be_saved(name):
    with refusal(
        "t.csv: expected column names without NUL and without unpaired surrogates, "
        f"but got {name!r}; rename it"
    ):
        rules.columns("t.csv", ["task", name])


def test_a_missing_column_suggests_the_nearest():
    with refusal(
        "t.csv: expected a column 'task', but got the columns 'Tasks', 'model'; rename 'Tasks'"
    ):
        rules.required_column("t.csv", "task", ["Tasks", "model"])


def test_a_missing_column_with_nothing_near():
    with pytest.raises(DataError, match=r"but got the columns 'a', 'b'; add it to the table$"):
        rules.required_column("t.csv", "score", ["a", "b"])


def test_two_names_for_the_same_column():
    with refusal(
        "t.csv: expected one of the columns 'trials', 'n', which mean the same, "
        "but got 'trials', 'n'; remove all but one"
    ):
        rules.at_most_one_column("t.csv", ["trials", "n"], ["n", "trials"])
    assert rules.at_most_one_column("t.csv", ["trials", "n"], ["n"]) == "n"
    assert rules.at_most_one_column("t.csv", ["trials", "n"], []) is None


def test_limits_of_size():
    assert rules.row_limit("t", 10_000_000) == 10_000_000
    with refusal(
        "t: expected at most 10,000,000 rows, but got more; split the table, for example by task"
    ):
        rules.row_limit("t", 10_000_001)
    with refusal("t: expected at most 2 GB, but got more; split the table, for example by task"):
        rules.byte_limit("t", 2_000_000_001)
    with refusal(
        "t: expected at most 100,000 points a curve, but got 100,001 in 'mmlu'; "
        "thin out its checkpoints"
    ):
        rules.points_limit("t", "mmlu", 100_001)
    with pytest.raises(DataError, match=r"at most 100,000,000, but got 10,000 × 10,001; read long"):
        rules.cell_limit("t", 10_000, 10_001)


# ---- one column ----------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [0.0, -1e20])
def test_flops_are_positive(value):
    with pytest.raises(
        DataError,
        match=r"column flops: expected a number above 0, but got .*; leave the cell empty where it",
    ):
        rules.positive(floats(value), cells(value, column="flops"))


def test_perplexity_is_at_least_one():
    assert rules.perplexity(floats(1, np.nan), cells(1, None)).tolist()[0] == 1
    with refusal(
        "t.csv, row 2, column perplexity: expected a perplexity of at least 1, but got 0.9; "
        "a cross-entropy in nats goes in a column 'loss'"
    ):
        rules.perplexity(floats(0.9), cells("0.9", column="perplexity"))


def test_tokens_may_be_zero_but_not_negative():
    assert rules.not_negative(floats(0), cells("0")) == 0
    with pytest.raises(DataError, match=r"expected a number of at least 0, but got -1;"):
        rules.not_negative(floats(-1), cells("-1"))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0", "expected at least 1 trial, but got 0; leave the cell empty where the number"),
        ("-5", "expected at least 1 trial, but got -5;"),
        ("0.5", "expected at least 1 trial, but got 0.5;"),
        ("10.5", "expected a whole number, but got 10.5; a proportion goes in the column 'score'"),
        ("1e17", "expected a number up to 2^53, but got 1e17; check the column"),
    ],
)
def test_trials(value, text):
    with pytest.raises(DataError, match=rf"row 2, column trials: {re.escape(text)}"):
        rules.trials(floats(value), cells(value, column="trials"))


def test_a_thousand_million_trials_are_fine():
    assert rules.trials(floats(1e9, 1050.0, np.nan), cells(1, 2, 3))[0] == 1e9


def test_more_successes_than_trials():
    with refusal(
        "t.csv, row 3, column successes: expected at most 10 successes (the trials of that row), "
        "but got 11; are the two columns swapped?"
    ):
        column = cells("10", "11", column="successes")
        rules.successes(floats(10, 11), floats(10, 10), column)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (-1.0, "expected at least 0 successes, but got -1; count the right answers"),
        (0.4, "expected a whole number, but got 0.4; a proportion goes in the column 'score'"),
    ],
)
def test_successes(value, text):
    with pytest.raises(DataError, match=re.escape(text)):
        rules.successes(floats(value), floats(10), cells(value, column="successes"))


def test_successes_without_trials():
    with pytest.raises(DataError, match=r"expected successes with trials beside them, but got 3; "):
        rules.successes(floats(3), floats(np.nan), cells("3", column="successes"))


METRIC = cells_module.objects(["acc"])


@pytest.mark.parametrize(
    ("value", "remedy"),
    [
        (
            "37.2",
            "where it is in per cent --percent acc, where it is no proportion --continuous acc",
        ),
        ("-0.1", "where it is no proportion --continuous acc"),
        ("1200", "where it is no proportion --continuous acc"),
    ],
)
def test_proportions(value, remedy):
    with refusal(
        f"t.csv, row 2, column score: expected a proportion in [0, 1], but got {value}; {remedy}"
    ):
        rules.proportion(floats(value), METRIC, cells(value))


def test_scores_agree_with_counts():
    rules.same_score(floats(0.333), floats(1), floats(3), cells("0.333"))
    with refusal(
        "t.csv, row 2, column score: expected 0.25 (successes / trials of that row), "
        "but got 0.5; correct the row, or remove one of the two columns"
    ):
        rules.same_score(floats(0.5), floats(1), floats(4), cells("0.5"))


@pytest.mark.parametrize("value", [-0.1, 1.0, 25])
def test_chance(value):
    text = "expected a chance level in [0, 1), but got"
    with pytest.raises(DataError, match=re.escape(text)):
        rules.chance(floats(value), np.array([True]), cells(value, column="chance"))
    assert rules.chance(floats(value), np.array([False]), cells(value)) == value


@pytest.mark.parametrize("value", [0.0, -1, 1.1, 100])
def test_ceiling(value):
    text = "expected a ceiling in (0, 1], but got"
    with pytest.raises(DataError, match=re.escape(text)):
        rules.ceiling(floats(value), np.array([True]), cells(value, column="ceiling"))
    assert rules.ceiling(floats(value), np.array([False]), cells(value)) == value


@pytest.mark.parametrize(
    ("low", "high", "orientation", "side"), [(0.5, 0.4, 1, "below"), (1.0, 3.0, -1, "above")]
)
def test_chance_and_ceiling(low, high, orientation, side):
    with refusal(
        f"t.csv, row 2, column chance: expected a chance level {side} the ceiling of that row, "
        f"{high:g}, but got {low:g}; correct one of the two columns"
    ):
        column = cells(str(low), column="chance")
        rules.chance_below_ceiling(floats(low), floats(high), floats(orientation), column)


# ---- across rows ---------------------------------------------------------------------------------


def test_a_curve_has_one_chance_level():
    values = floats(np.nan, 0.25, 0.5, 0.25, np.nan)
    ids = np.array([0, 0, 1, 0, 2])
    shared = rules.consistent(values, ids, 3, cells(*values, column="chance"))
    np.testing.assert_array_equal(shared, [0.25, 0.5, np.nan])


def test_two_chance_levels_name_both_rows():
    values = floats(0.25, 0.5, 0.5)
    with refusal(
        "t.csv, row 3, column chance: expected one value for the whole curve, 0.25 as in row 2, "
        "but got 0.5 (and 1 more row); correct it, or tell the curves apart by a column 'setting'"
    ):
        rules.consistent(values, np.array([0, 0, 0]), 1, cells(*values, column="chance"))
