"""Bad input: one line that says where, what and what to do."""

import numpy as np
import pandas as pd
import pytest

from tests.support.small_tables import three_models as table
from upturn.checks.errors import DataError
from upturn.tables.results import read

STRANGE = 'a, "b"\n<script>🙂'


HEADER = "task,model,score,flops"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "r.csv: expected a header and rows of results, but got an empty file; the least"),
        (f"{HEADER}\n", "r.csv: expected rows of results, but got a header only; add rows"),
        (
            "Tisk,model,score\nt,a,0.5\n",
            "r.csv: expected column 'task', but got 'Tisk', 'model', 'score'; --column task=Tisk",
        ),
        (
            "task,model,pts\nt,a,0.5\n",
            "r.csv: expected column 'score', but got 'task', 'model', 'pts'; add it, or name the "
            "column: --column score=NAME",
        ),
        (
            "task,model,successes\nt,a,5\n",
            "r.csv: expected a column 'trials', but got the columns 'task', 'model', 'successes'",
        ),
        (
            "task,model,score,n,trials\nt,a,0.5,1,1\n",
            "r.csv: expected one of the columns 'trials', 'n', 'num_samples', which mean the same, "
            "but got 'trials', 'n'; remove all but one",
        ),
        (
            f"{HEADER}\nt,a,high,1e20\n",
            "r.csv, row 2, column score: expected a number, but got 'high'; write it as 1234.5",
        ),
        (
            f'{HEADER}\nt,a,0.5,"1,000"\n',
            "r.csv, row 2, column flops: expected absolute flops, at least 1e12, but got '1,000'; "
            "name the unit of the column, for example --unit flops=ZFLOP, or leave",
        ),
        (
            f"{HEADER}\nt,a,0.5,1_000\n",
            "r.csv, row 2, column flops: expected a number, but got '1_",
        ),
        (
            f"{HEADER}\nt,a,inf,1e20\n",
            "r.csv, row 2, column score: expected a finite number, but got",
        ),
        (
            f"{HEADER}\nt,a,0.5,1e20\nt,b,37.2,1e20\nt,c,40,1e20\n",
            "r.csv, row 3, column score: expected a proportion in [0, 1], but got 37.2 (and 1 more "
            "row); where it is in per cent --percent score, where it is no proportion "
            "--continuous score",
        ),
        (
            f"{HEADER}\nt,a,-0.1,1e20\n",
            "r.csv, row 2, column score: expected a proportion in [0, 1], but got -0.1; where",
        ),
        (
            "task,model,successes,trials\nt,a,12,10\n",
            "r.csv, row 2, column successes: expected at most 10 successes (the trials of that "
            "row), but got 12; are the two columns swapped?",
        ),
        (
            "task,model,score,n\nt,a,0.5,0\n",
            "r.csv, row 2, column n: expected at least 1 trial, but got 0; leave the cell empty",
        ),
        (
            "task,model,score,num_samples\nt,a,0.5,10.5\n",
            "r.csv, row 2, column num_samples: expected a whole number, but got 10.5; a proportion",
        ),
        (
            "task,model,successes,trials\nt,a,2.5,10\n",
            "r.csv, row 2, column successes: expected a whole number, but got 2.5; a proportion",
        ),
        (
            f"{HEADER}\nt,a,0.5,0\n",
            "r.csv, row 2, column flops: expected a number above 0, but got 0; leave the cell empt",
        ),
        (
            f"{HEADER}\nt,a,0.5,-1e20\n",
            "r.csv, row 2, column flops: expected a number above 0, but",
        ),
        (
            "task,model,score,params\nt,a,0.5,0\n",
            "r.csv, row 2, column params: expected a number a",
        ),
        (
            "task,model,score,perplexity\nt,a,0.5,0.9\n",
            "r.csv, row 2, column perplexity: expected a perplexity of at least 1, but got 0.9; a",
        ),
        (
            "task,model,score,tokens\nt,a,0.5,-1\n",
            "r.csv, row 2, column tokens: expected a number of at least 0, but got -1; leave the",
        ),
        (
            "task,model,score,stderr\nt,a,0.5,-0.01\n",
            "r.csv, row 2, column stderr: expected a number of at least 0, but got -0.01; leave",
        ),
        (
            "task,model,score,chance\nt,a,0.5,25\n",
            "r.csv, row 2, column chance: expected a chance level in [0, 1), but got 25; divide",
        ),
        (
            "task,model,score,ceiling\nt,a,0.5,0\n",
            "r.csv, row 2, column ceiling: expected a ceiling in (0, 1], but got 0; divide perc",
        ),
        (
            "task,model,score,chance,ceiling\nt,a,0.5,0.5,0.5\n",
            "r.csv, row 2, column chance: expected a chance level below the ceiling of that row, "
            "0.5, but got 0.5; correct one of the two columns",
        ),
        (
            "task,model,metric,score,chance,ceiling\nt,a,ppl,5,1,100\n",
            "r.csv, row 2, column chance: expected a chance level above the ceiling of that row, ",
        ),
        (
            f"{HEADER}\nt,a,0.5,1e20\n\nt,b,0.5,2e20\nt,a,0.6,1e20\n",
            "r.csv, row 5: expected each measurement once (task, model), but got task 't', model "
            "'a' again, after row 2: 0.5 and 0.6; choose by --repeats latest, pool or mean",
        ),
        (
            f"{HEADER}\nt,,0.5,1e20\n",
            "r.csv, row 2, column model: expected a name, but got ''; fill",
        ),
        (
            f"{HEADER}\nt,a\0b,0.5,1e20\n",
            "r.csv, row 2, column model: expected text without NUL and",
        ),
        (
            f"{HEADER}\nt,a,,1e20\n",
            "r.csv: expected scores, but got only empty cells; fill them in",
        ),
        (
            "task,model,score,successes,trials\nt,a,0.9,1,10\n",
            "r.csv, row 2, column score: expected 0.1 (successes / trials of that row), but got "
            "0.9; correct the row, or remove one of the two columns",
        ),
    ],
)
def test_bad_input_is_refused_in_one_line(read_csv, text, message):
    with pytest.raises(DataError) as error:
        read_csv(text)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_text_that_is_not_utf8(tmp_path):
    path = tmp_path / "r.csv"
    path.write_bytes(f"{HEADER}\ncaf\xe9,a,0.5,1\n".encode("latin-1"))
    with pytest.raises(
        DataError, match=r"row 2: expected UTF-8 text, but got the byte 0xe9 at pos"
    ):
        read(path)


def test_messages_call_a_data_frame_a_table_and_rows_by_position():
    frame = table(score=[0.1, 37.2, 0.3]).set_index(pd.Index([7, 8, 9]))
    with pytest.raises(
        DataError, match=r"^table, row 1 \(\.iloc\[1\]\), column score: expected a pro"
    ):
        read(frame)
    with pytest.raises(DataError, match=r"^mine, row 1 "):
        read(frame, name="mine")


def test_positions_hold_after_rows_are_left_out():
    frame = table(score=[None, 0.2, 0.3], chance=[0.1, 0.1, 0.2])
    with pytest.raises(
        DataError,
        match=r"^table, row 2 \(\.iloc\[2\]\), column chance: expected one value for the whole "
        r"curve, 0\.1 as in row 1 \(\.iloc\[1\]\), but got 0\.2; correct it",
    ):
        read(frame).curves()


def test_an_unpaired_surrogate_is_refused(tmp_path):
    path = tmp_path / "r.jsonl"
    path.write_text('{"task": "\\ud800", "model": "a", "score": 0.5}\n')
    with pytest.raises(
        DataError, match=r"row 1, column task: expected text without NUL and without"
    ):
        read(path)


@pytest.mark.parametrize("cell", ["Infinity", "true"])
def test_what_json_calls_a_value_and_is_no_number(tmp_path, cell):
    path = tmp_path / "r.jsonl"
    path.write_text(f'{{"task": "t", "model": "a", "score": {cell}}}\n')
    with pytest.raises(
        DataError, match=r"row 1, column score: expected a (finite )?number, but got"
    ):
        read(path)


@pytest.mark.parametrize("value", [True, np.True_, "yes", [1], pd.Timestamp("2022-01-01")])
def test_a_data_frame_cell_that_is_no_number(value):
    frame = table(score=pd.Series([0.1, value, 0.3], dtype=object))
    with pytest.raises(DataError, match=r"row 1 \(\.iloc\[1\]\), column score: expected a number"):
        read(frame)
    with pytest.raises(DataError, match=r"column score: expected a number, but got True"):
        read(table(score=[True, False, True]))


def test_repeats_in_a_long_table_name_two_rows(read_csv):
    rows = [f"t{i},m,0.5" for i in range(1000)]
    with pytest.raises(
        DataError, match=r"row 1002: .* task 't17', model 'm' again, after row 19: 0.5 and"
    ):
        read_csv("\n".join(["task,model,score", *rows, "t17,m,0.25"]))


@pytest.mark.parametrize("label", ["metric", "setting", "shots", "run", "family"])
def test_rows_that_differ_in_a_label_are_no_repeats(label):
    assert len(read(table(model="a", **{label: ["x", "y", ""]}))) == 3


@pytest.mark.parametrize("option", ["lower_is_better", "continuous"])
def test_an_unknown_metric_named_in_an_option(option):
    with pytest.raises(
        DataError, match=r"^table: expected a known metric, but got 'ac'; did you m"
    ):
        read(table(metric="acc"), **{option: ["ac"]})
