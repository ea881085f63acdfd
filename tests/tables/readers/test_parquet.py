"""Parquet files, through pyarrow."""

import sys

import pandas as pd
import pytest

from upturn.checks.errors import DataError
from upturn.tables.readers.parquet import read_parquet

pytestmark = pytest.mark.needs("pyarrow")


def test_a_table_as_it_was_written(tmp_path):
    path = tmp_path / "r.parquet"
    frame = pd.DataFrame({"task": ["a", None], "n": [1, 2]}, index=pd.Index([5, 9], name="step"))
    frame.to_parquet(path)
    table = read_parquet(path, "r.parquet")
    assert table["n"].tolist() == [1, 2]
    assert table["step"].tolist() == [5, 9]
    assert table.index.tolist() == [0, 1]
    assert table.index.name == "position"


def test_a_file_that_is_not_parquet(tmp_path):
    path = tmp_path / "r.parquet"
    path.write_text("task,model,score\n")
    with pytest.raises(DataError, match=r"^r\.parquet: expected a Parquet file, but got something"):
        read_parquet(path, "r.parquet")
    path.write_bytes(b"")
    with pytest.raises(DataError, match=r"^r\.parquet: expected a Parquet file, but got something"):
        read_parquet(path, "r.parquet")


def test_a_file_without_rows(tmp_path):
    path = tmp_path / "r.parquet"
    pd.DataFrame({"task": pd.Series([], dtype=str)}).to_parquet(path)
    with pytest.raises(
        DataError, match=r"^r\.parquet: expected rows of results, but got none; add"
    ):
        read_parquet(path, "r.parquet")


def test_a_file_that_is_not_there_is_left_to_the_caller(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_parquet(tmp_path / "r.parquet", "r.parquet")


def test_without_pyarrow(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(
        DataError,
        match=r"^r\.parquet: expected pyarrow to read Parquet, but it is not installed; "
        r"pip install 'upturn\[parquet\]', or save the table as CSV$",
    ):
        read_parquet(tmp_path / "r.parquet", "r.parquet")
