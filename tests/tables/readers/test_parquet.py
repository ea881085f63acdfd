"""Parquet files, through pyarrow."""

import sys

import numpy as np
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


def test_texts_of_every_kind(tmp_path):
    path = tmp_path / "r.parquet"
    texts = ["é", "", "b", "é"] * 5000
    frame = pd.DataFrame({"task": texts, "kind": pd.Categorical(texts), "n": range(20_000)})
    frame.to_parquet(path, row_group_size=7000)
    table = read_parquet(path, "r.parquet")
    assert table["task"].tolist() == table["kind"].tolist() == texts
    assert table["n"].tolist() == list(range(20_000))


def bomb(path, **columns):
    import pyarrow as pa
    from pyarrow import parquet

    parquet.write_table(pa.table(columns), path, compression="zstd")
    return path


@pytest.mark.parametrize("length", [900, 3000, 50_000])
def test_labels_that_would_fill_the_memory(length, tmp_path):
    """A hundred kilobytes that were gigabytes once every row had its own text."""
    import pyarrow as pa

    labels = pa.DictionaryArray.from_arrays(
        pa.array([0] * 400_000, pa.int32()), pa.array(["x" * length])
    )
    path = bomb(tmp_path / "r.parquet", task=labels)
    assert path.stat().st_size < 200_000
    before = pa.total_allocated_bytes()
    with pytest.raises(DataError, match=r"expected a table that unpacks to at most 2\d\d MB, as"):
        read_parquet(path, "r.parquet")
    assert pa.total_allocated_bytes() - before < 200_000_000


def test_columns_that_would_fill_the_memory(tmp_path):
    import pyarrow as pa

    same = pa.array([1.0] * 1_000_000)
    path = bomb(tmp_path / "r.parquet", **{f"c{i}": same for i in range(40)})
    with pytest.raises(DataError, match=r"expected a table that unpacks to at most .* but got"):
        read_parquet(path, "r.parquet")


def test_a_million_rows_of_one_task_are_read(tmp_path):
    """A third of a megabyte that is 160 when each row has its own text, and is no bomb."""
    rows = 1_000_000
    model = np.repeat(np.arange(1000), rows // 1000)
    names = [f"organisation/a-model-{i:04}" for i in range(1000)]
    frame = pd.DataFrame({
        "task": pd.Categorical.from_codes(np.zeros(rows, int), ["hendrycks_test-abstract_algebra"]),
        "model": pd.Categorical.from_codes(model, names),
        "setting": pd.Categorical.from_codes(np.zeros(rows, int), ["few-shot, chain of thought"]),
        "score": 0.5, "flops": 10.0 ** (20 + model / 250),
    })  # fmt: skip
    frame.to_parquet(tmp_path / "r.parquet")
    assert (tmp_path / "r.parquet").stat().st_size < 300_000
    table = read_parquet(tmp_path / "r.parquet", "r.parquet")
    assert len(table) == rows
    assert table["model"].iloc[-1] == "organisation/a-model-0999"


def test_a_long_label_is_named_by_its_row(tmp_path):
    import upturn

    path = tmp_path / "r.parquet"
    frame = pd.DataFrame({"task": ["a", "x" * 5000], "model": "m", "score": 0.5, "flops": 1e20})
    frame.to_parquet(path)
    with pytest.raises(DataError, match="column task: expected at most 1,000 characters, but got"):
        upturn.read(path)
