"""The parser of pandas gives what the own reader gives, or nothing."""

import csv
import io

import numpy as np
import pytest

from upturn.tables.readers.delimited import read_delimited
from upturn.tables.readers.unquoted import read_unquoted

CELLS = ["a", "", " ", "0.5", "1e3", "NA", "é", "🎉", "#x", "'=1+1", "'tis", "x y", "nan", "\u2028"]


def rows_of(content, delimiter):
    lines = io.BytesIO(content.removeprefix(b"\xef\xbb\xbf"))
    return read_delimited((line.decode() for line in lines), "t.csv", delimiter)


@pytest.mark.parametrize("seed", range(40))
def test_the_same_cells(seed):
    rng = np.random.default_rng(seed)
    rows, mark = rng.integers(1, 30), ",\t"[seed % 2]
    end = ["\n", "\r\n"][seed // 2 % 2]
    header = mark.join(["task", "", "score", "model"][: 2 + seed % 3])
    cells = rng.choice(CELLS, (rows, header.count(mark) + 1))
    cells[:, 0] = np.where(cells[:, 0] == "#x", "y", cells[:, 0])
    text = end.join([header, *(mark.join(row) for row in cells)]) + end * (seed % 2)
    content = b"\xef\xbb\xbf" * (seed % 5 == 0) + text.encode()
    fast, slow = read_unquoted(content, mark), rows_of(content, mark)
    if fast is not None:
        assert fast.to_dict("split") == slow.to_dict("split")
        assert fast.index.name == "row"
    blank = [not "".join(row).strip() for row in cells]
    assert (fast is None) == any(blank)


@pytest.mark.parametrize(
    "content",
    [
        b'task,score\n"a",1\n', b"task,score\na\n", b"task,score\na,1,2\n", b"task,score\n\na,1\n",
        b"task,score\na\rb,1\n", b"task,score\na\0,1\n", b"task,score\n\xff,1\n", b"task\na\n",
        b"task,score\n", b"", b"# a\ntask,score\na,1\n", b"task,task\na,1\n", b"task;score\na;1\n",
        b"task,score\na,1,2\nb\n", b"task, score\na, 1\n",
    ],
)  # fmt: skip
def test_what_has_to_be_read_row_by_row(content):
    assert read_unquoted(content, ",") is None


def test_a_large_file_is_read_so(tmp_path, monkeypatch):
    from upturn.tables import readers

    path = tmp_path / "r.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["task", "score"], *([f"t{i}", i] for i in range(100))])
    monkeypatch.setattr(readers, "read_delimited", None)
    monkeypatch.setattr(readers, "LARGE", 100)
    assert readers.read_table(path, "r.csv")["score"].tolist() == [str(i) for i in range(100)]
