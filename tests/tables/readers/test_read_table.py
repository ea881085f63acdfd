"""Which reader takes a source, and what stops before one does."""

import io
import sys
from pathlib import Path

import pandas as pd
import pytest

from upturn.checks.errors import DataError
from upturn.tables.readers import read_table, table_name

CSV = b"task,model,score\nt,m,0.5\n"
JSON = b'{"task": "t", "model": "m", "score": 0.5}\n'


@pytest.fixture
def stdin(monkeypatch):
    """Give bytes to standard input."""

    def feed(data):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))

    return feed


@pytest.mark.parametrize(
    ("ending", "data"),
    [
        (".csv", CSV),
        (".CSV", CSV),
        (".tsv", CSV.replace(b",", b"\t")),
        (".tab", CSV.replace(b",", b"\t")),
        (".txt", CSV),
        (".txt", CSV.replace(b",", b"\t")),
        (".txt", JSON),
        (".jsonl", JSON),
        (".ndjson", JSON),
    ],
)
def test_the_ending_or_the_first_line_says_the_format(tmp_path, ending, data):
    path = tmp_path / f"results{ending}"
    path.write_bytes(data)
    table = read_table(path, "t")
    assert table.columns.tolist() == ["task", "model", "score"]
    assert len(table) == 1


@pytest.mark.parametrize(
    "data", [CSV, CSV.replace(b",", b"\t"), JSON, b"\n\n" + CSV, b"\xef\xbb\xbf" + CSV]
)
def test_standard_input_is_recognised_by_its_first_line(stdin, data):
    stdin(data)
    assert read_table("-", "standard input")["task"].tolist() == ["t"]


def test_blank_lines_before_the_header_of_standard_input_count_as_rows(stdin):
    stdin(b"\n\n" + CSV)
    assert read_table("-", "standard input").index.tolist() == [4]


@pytest.mark.parametrize("data", [b"", b"\n\n"])
def test_empty_standard_input(stdin, data):
    stdin(data)
    with pytest.raises(DataError, match=r"^standard input: .* but got an empty file; the least it"):
        read_table("-", "standard input")


def test_names_of_sources(tmp_path):
    assert table_name("a/b.csv") == "a/b.csv"
    assert table_name(tmp_path) == str(tmp_path)
    assert table_name("-") == "standard input"
    assert table_name(pd.DataFrame()) == "table"


@pytest.mark.parametrize("data", ["caf\xe9,m,0.5\n".encode("latin-1"), "é".encode("utf-16")])
def test_text_that_is_not_utf8(tmp_path, data):
    path = tmp_path / "r.csv"
    path.write_bytes(CSV + data)
    with pytest.raises(
        DataError,
        match=r"^r\.csv, row 3: expected UTF-8 text, but got the byte 0x(e9|ff) at position \d of "
        r"the line; save the table as UTF-8$",
    ):
        read_table(path, "r.csv")


def test_a_file_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        DataError, match=r"^r\.csv: expected a file, but there is none of that name"
    ):
        read_table("r.csv", "r.csv")
    with pytest.raises(DataError, match=r"none of that name \(nor the folder 'nowhere'\); check"):
        read_table("nowhere/r.csv", "nowhere/r.csv")


def test_a_folder(tmp_path):
    text = r"t: expected a file ending in \.csv.*, but got a folder; name a file in it"
    with pytest.raises(DataError, match=text):
        read_table(tmp_path, "t")
    (tmp_path / "r.csv").mkdir()
    with pytest.raises(DataError, match=r"expected a file, but got a folder; name a file in it"):
        read_table(tmp_path / "r.csv", "r.csv")


def test_a_file_that_may_not_be_read(monkeypatch):
    def refuse(path):
        raise PermissionError

    monkeypatch.setattr(Path, "stat", refuse)  # and not chmod: root may read every file
    with pytest.raises(DataError, match=r"but permission is denied; change its permissions"):
        read_table("r.csv", "r.csv")


def test_an_unknown_ending(tmp_path):
    path = tmp_path / "results.docx"
    path.touch()
    with pytest.raises(
        DataError,
        match=r"^results\.docx: expected a file ending in \.csv, \.tsv, .* or \.xlsx, "
        r"but got '\.docx'; convert it, or rename it if its ending is wrong$",
    ):
        read_table(path, "results.docx")
    with pytest.raises(DataError, match=r"but got 'gpt4', and there is no such file; check the"):
        read_table("gpt4", "gpt4")


def test_a_file_that_is_too_large(tmp_path):
    path = tmp_path / "r.csv"
    with path.open("wb") as file:
        file.truncate(2_000_000_001)  # a hole: it takes no space
    with pytest.raises(DataError, match=r"^r\.csv: expected at most 2 GB, but got more; split"):
        read_table(path, "r.csv")


# ---- data frames ---------------------------------------------------------------------------------


def test_a_data_frame_is_copied_and_numbered():
    frame = pd.DataFrame({"task": ["a", "b"], 7: [1, 2]}, index=["x", "x"])
    table = read_table(frame, "table")
    assert table.index.tolist() == [0, 1]
    assert table.index.name == "position"
    assert table.columns.tolist() == ["task", "7"]
    table["task"] = "changed"
    assert frame["task"].tolist() == ["a", "b"]
    assert frame.columns.tolist() == ["task", 7]


def test_a_data_frame_without_rows():
    with pytest.raises(
        DataError, match=r"^table: expected rows of results, but got an empty table"
    ):
        read_table(pd.DataFrame({"task": []}), "table")


def test_a_data_frame_with_a_column_twice():
    frame = pd.DataFrame([[1, 2]], columns=["n", "n"])
    with pytest.raises(DataError, match=r"expected each column once, but got 'n' twice"):
        read_table(frame, "table")


def test_other_types_are_a_type_error():
    with pytest.raises(
        TypeError, match=r"expected a path, '-' or a pandas.DataFrame, but got dict"
    ):
        read_table({"task": []}, "table")
