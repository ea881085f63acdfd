"""JSON lines: one object a line, values as they are."""

import pytest

from upturn.checks.errors import DataError
from upturn.tables.readers.jsonl import read_jsonl


def read(text):
    return read_jsonl(text.splitlines(keepends=True), "t.jsonl")


def test_values_keep_their_type():
    table = read('{"task": "a", "n": 3, "ok": true}\n\n  {"task": null, "score": 0.5}\n')
    assert table.columns.tolist() == ["task", "n", "ok", "score"]
    assert table["task"].tolist() == ["a", None]
    assert table["n"].tolist() == [3, None]
    assert table["ok"].tolist() == [True, None]
    assert table.index.tolist() == [1, 3]
    assert table.index.name == "row"


def test_nan_and_infinity_stay_text():
    assert read('{"a": NaN}\n{"a": -Infinity}\n')["a"].tolist() == ["NaN", "-Infinity"]


def test_keys_that_cannot_be_saved():
    with pytest.raises(
        DataError, match=r"^t\.jsonl: expected column names without NUL and without"
    ):
        read('{"\\ud800": 1}')


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "t.jsonl: expected a JSON object on every line, but got an empty file; the least a"),
        ('{"a": 1}\n{"a": \n', "t.jsonl, row 2: expected a JSON object, but got '{\"a\":' (Expect"),
        ("[1, 2]\n", "t.jsonl, row 1: expected a JSON object, but got [1, 2]; write one object"),
        ("{'a': 1}\n", "t.jsonl, row 1: expected a JSON object, but got \"{'a': 1}\""),
        ("[" * 100_000, "t.jsonl, row 1: expected a JSON object, but got '[[[["),
        ('{"a": ' + "9" * 5000 + "}", "t.jsonl, row 1: expected a JSON object, but got"),
    ],
)
def test_what_is_no_object(text, message):
    with pytest.raises(DataError) as error:
        read(text)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)
