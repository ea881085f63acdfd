"""CSV and TSV: every cell as text, rows numbered as an editor shows them."""

import pytest

from upturn.checks.errors import DataError
from upturn.tables import rules
from upturn.tables.readers.delimited import read_delimited
from upturn.tables.readers.notes import notes_of


def read(text, delimiter=","):
    return read_delimited(text.splitlines(keepends=True), "t.csv", delimiter)


def test_cells_are_the_text_that_stands_there():
    table = read("task,score\n a ,0.50\nNA,nan\n,1_000\n")
    assert table["task"].tolist() == [" a ", "NA", ""]
    assert table["score"].tolist() == ["0.50", "nan", "1_000"]
    assert table.index.tolist() == [2, 3, 4]
    assert table.index.name == "row"


def test_quoted_cells_hold_anything():
    table = read('task,score\n"a, ""b""",1\n"two\nlines",2\n🙂<script>,3\n')
    assert table["task"].tolist() == ['a, "b"', "two\nlines", "🙂<script>"]


def test_windows_line_ends():
    table = read_delimited(["task,score\r\n", "a,1\r\n", '"b\r\n', 'c",2\r\n'], "t.csv", ",")
    assert table["task"].tolist() == ["a", "b\r\nc"]


def test_blank_rows_are_left_out_but_counted():
    table = read("task,score\n\na,1\n,\n  \nb,2\n\n")
    assert table.index.tolist() == [3, 6]


def test_a_row_with_a_quoted_newline_is_one_row():
    assert read('task,score\n"a\nb",1\nc,2\n').index.tolist() == [2, 3]


def test_no_line_end_at_the_end():
    assert read("task,score\na,1")["score"].tolist() == ["1"]


def test_tabs():
    table = read("task\tscore\na, b\t1\n", "\t")
    assert table["task"].tolist() == ["a, b"]


def test_columns_without_a_name_are_left_out():
    assert read(",task,\n0,a,\n").columns.tolist() == ["task"]


def test_batches_are_joined(monkeypatch):
    monkeypatch.setattr("upturn.tables.readers.delimited._BATCH", 2)
    table = read("task\n" + "".join(f"{i}\n" for i in range(5)))
    assert table["task"].tolist() == list("01234")
    assert table.index.tolist() == [2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "t.csv: expected a header and rows of results, but got an empty file; the least"),
        ("\n\n", "t.csv: expected a header and rows of results, but got an empty file"),
        ("task,score\n", "t.csv: expected rows of results, but got a header only; add rows"),
        ("task,score\n\n,\n", "t.csv: expected rows of results, but got a header only"),
        ("task,task\na,b\n", "t.csv: expected each column once, but got 'task' twice"),
        (
            "task,score\na,1\na, b,1\n",
            "t.csv, row 3: expected 2 cells as in the header, but got 3; quote cells that hold",
        ),
        ("task,score\na\n", "t.csv, row 2: expected 2 cells as in the header, but got 1"),
        ("task\na\nb,c\n", "t.csv, row 3: expected 1 cell as in the header, but got 2"),
        (
            'task,score\na,1\n"b,2\n',
            "t.csv, row 3: expected cells with quotes that close, but got unexpected end of data; "
            "write a quote inside a quoted cell twice",
        ),
        ('task\n"a"b\n', "t.csv, row 2: expected cells with quotes that close, but got "),
        (
            "model task score\nm t 0.5\n",
            "t.csv, row 1: expected columns separated by commas, tabs, semicolons or |, but got ",
        ),
    ],
)
def test_what_is_no_table(text, message):
    with pytest.raises(DataError) as error:
        read(text)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize("mark", [",", "\t", ";", "|", ", "])
@pytest.mark.parametrize("given", [",", "\t"])
def test_whatever_separates_the_cells(mark, given):
    table = read(f"task{mark}score\na{mark}1\n", given)
    assert table.to_dict("list") == {"task": ["a"], "score": ["1"]}


def test_a_header_may_hold_another_separator():
    assert read("a b;c, d\n1;2\n").columns.tolist() == ["a b", "c, d"]
    assert read('"a;b",c\nx;y,2\n').columns.tolist() == ["a;b", "c"]


def test_comments_above_the_header_count_as_rows():
    table = read("# my results, of today\n#\ntask,score\n#a,1\n")
    assert (table["task"].tolist(), table.index.tolist()) == (["#a"], [4])
    assert read("#,task\n1,a\n").columns.tolist() == ["#", "task"]


def test_a_table_of_markdown():
    table = read("| task | score |\n|:-----|------:|\n| a b | 1 |\n| c | |\n")
    assert table.to_dict("list") == {"task": ["a b", "c"], "score": ["1", ""]}


def test_decimal_commas_are_said():
    table = read("task;score\na;0,5\n")
    assert (table["score"].tolist(), notes_of(table)) == (
        ["0.5"],
        ("decimal commas read as points",),
    )
    percent = read("task;score;params\na;25,0 %;0,07 Mrd\n")
    assert percent[["score", "params"]].to_numpy().tolist() == [["25.0 %", "0.07 Mrd"]]


def test_the_limit_of_rows(monkeypatch):
    monkeypatch.setattr(rules, "MAX_ROWS", 2)
    with pytest.raises(DataError, match=r"expected at most 2 rows, but got more"):
        read("task\na\nb\nc\n")
