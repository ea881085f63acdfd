"""Cells: the numbers, days and labels that are in them."""

import numpy as np
import pytest

from tests.support.cells import cells, refusal
from upturn.checks import errors
from upturn.checks.errors import DataError
from upturn.tables import cells as cells_module

# ---- numbers -------------------------------------------------------------------------------------


def test_numbers_are_read_from_text_and_values():
    given = ["0.5", "7e9", " 1 ", 2, 3.5, np.float32(0.25), np.int8(4), "-1"]
    expected = [0.5, 7e9, 1, 2, 3.5, 0.25, 4, -1]
    assert cells_module.number(cells(*given)).tolist() == expected


@pytest.mark.parametrize(
    "missing", ["", "  ", "NA", None, "nan", "NaN", " N/A ", "-", "None", "null", "#N/A", "?", "—"]
)
def test_missing_numbers_are_nan(missing):
    assert np.isnan(cells_module.number(cells(missing))).all()


@pytest.mark.parametrize(
    "value", ["high", "1_000", "1,000", "37.2%", "0x10", True, np.True_, [1], 1j, b"x"]
)
def test_what_is_no_number(value):
    remedy = "write it as 1234.5 or 1.2e3, or leave the cell empty"
    text = f"t.csv, row 3, column score: expected a number, but got {errors.shown(value)}"
    with refusal(f"{text}; {remedy}"):
        cells_module.number(cells("1", value))


@pytest.mark.parametrize("value", ["inf", "-Infinity", "1e999", float("inf"), 10**400])
def test_numbers_are_finite(value):
    kind = "a number" if isinstance(value, int) else "a finite number"
    with pytest.raises(DataError, match=f"row 2, column score: expected {kind}, but got "):
        cells_module.number(cells(value))


# ---- dates ---------------------------------------------------------------------------------------


def test_days():
    days = cells_module.day(cells("1970-01-01", "", None, "2022-06-15", "2022-06-15T12:00"))
    np.testing.assert_array_equal(days, [0, np.nan, np.nan, 19158, 19158])


@pytest.mark.parametrize("value", ["2022", "2022-6-1", "2022-02-30", "15.06.2022", "20220615", 5])
def test_what_is_no_day(value):
    with pytest.raises(DataError, match=r"row 2, column score: expected a date such as 2022-06-15"):
        cells_module.day(cells(value))


# ---- labels --------------------------------------------------------------------------------------

STRANGE = [
    'a,b "c"',
    "two\nlines",
    "🙂",
    "<script>alert(1)</script>",
    " padded ",
    "NA",
    "nan",
    "a | b",
]


def test_labels_keep_every_character():
    assert cells_module.label(cells(*STRANGE)).tolist() == STRANGE


def test_labels_of_other_types_are_written_out():
    given = [1, 1.0, np.float64(2), 1.5, True, None, np.int64(3)]
    assert cells_module.label(cells(*given)).tolist() == ["1", "1", "2", "1.5", "True", "", "3"]


@pytest.mark.parametrize("name", ["a\0b", "bad \ud800"])
def test_labels_that_cannot_be_saved(name):
    with refusal(
        "t.csv, row 3, column task: expected text without NUL and without unpaired surrogates, "
        f"but got {name!r}; rename it"
    ):
        cells_module.label(cells("fine", name, column="task"))


@pytest.mark.parametrize("value", [["a"], {"a": 1}, b"a", ("a",)])
def test_labels_are_text(value):
    with pytest.raises(DataError, match=r"row 3, column task: expected text, but got .*plain name"):
        cells_module.label(cells("a", value, column="task"))


@pytest.mark.parametrize(
    ("given", "expected"),
    [("5.0", "5"), ("5", "5"), ("0.00", "0"), ("5.5", "5.5"), ("five", "five"), ("", "")],
)
def test_whole_labels(given, expected):
    assert cells_module.whole_label(given) == expected


def test_required_labels():
    with refusal(
        "t.csv, row 3, column task: expected a name, but got ''; fill it in or remove the row"
    ):
        cells_module.required_label(cells_module.objects(["a", ""]), cells("a", "", column="task"))
