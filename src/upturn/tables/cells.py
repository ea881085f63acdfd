"""The cells of a column: what messages call them, and the numbers, days and labels in them."""

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from upturn.arrays.types import Booleans, Floats, Integers, Objects
from upturn.checks.errors import DataError, also, shown

EPOCH = datetime.date(1970, 1, 1).toordinal()

MAX_LABEL = 1_000  # characters; labels of one column are all as wide as the longest


@dataclass(frozen=True, eq=False)
class Cells:
    """One column of a table, for rules to check and messages to quote.

    Parameters
    ----------
    table
        What messages call the table: a file name, or "table".
    column
        The column's name.
    raw
        The cells as they were given, shape (row,); None where there is none.
    rows
        The number of each row: as an editor shows it (the header is row 1), or the position.
    positions
        Whether ``rows`` are 0-based positions in a data frame.
    """

    table: str
    column: str
    raw: Objects | Floats
    rows: Integers
    positions: bool = False

    def row(self, index: int) -> str:
        """What a message calls the row at an index: "row 3", or "row 3 (.iloc[3])"."""
        number = int(self.rows[index])
        return f"row {number} (.iloc[{number}])" if self.positions else f"row {number}"

    def refuse(self, bad: Booleans, expected: str, remedy: str) -> None:
        """Raise for the first bad cell, if there is one.

        Parameters
        ----------
        bad
            Shape (row,), True where the rule is broken.
        expected, remedy
            What should stand there, and what to do.

        Raises
        ------
        DataError
            Naming the table, the row, the column, the cell and how many more there are.
        """
        if not bad.any():
            return
        first = int(np.argmax(bad))
        more = int(bad.sum()) - 1
        self.fail(first, expected, shown(self.raw[first]) + also(more, "row"), remedy)

    def fail(self, index: int, expected: str, got: str, remedy: str) -> NoReturn:
        """Raise a DataError about the cell at an index."""
        raise DataError(
            f"{self.table}, {self.row(index)}, column {self.column}: "
            f"expected {expected}, but got {got}; {remedy}"
        )


def number(cells: Cells) -> Floats:
    """Numbers; NaN where there is none (an empty cell, None, R's NA).

    Returns
    -------
    ndarray, shape (row,)

    Raises
    ------
    DataError
        For text, 1_000 or 1,000, True, and the text nan or inf.
    """
    try:
        values = np.array([_number(value) for value in cells.raw], dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        bad = np.array([not _is_number(value) for value in cells.raw], dtype=np.bool_)
        cells.refuse(bad, "a number", "write it as 1234.5 or 1.2e3, or leave the cell empty")
        raise
    cells.refuse(
        np.isinf(values),
        "a finite number",
        "a failed evaluation or an unknown value is an empty cell",
    )
    return values


def _number(value: Any) -> float:
    """A float: NaN for a missing cell, inf for the text nan (it is refused with inf)."""
    if isinstance(value, str):
        return _number_in(value)
    if value is None:
        return np.nan
    if isinstance(value, (bool, np.bool_)):
        raise TypeError(value)
    return float(value)


def _number_in(text: str) -> float:
    try:
        result = float(text)
    except ValueError:
        if text == "NA" or not text.strip():
            return np.nan
        raise
    if "_" in text:  # Python reads 1_000, others do not
        raise ValueError(text)
    return np.inf if result != result else result  # noqa: PLR0124 (faster than isnan)


def _is_number(value: object) -> bool:
    try:
        _number(value)
    except (TypeError, ValueError, OverflowError):
        return False
    return True


def day(cells: Cells) -> Floats:
    """Days since 1970-01-01 of ISO dates; NaN where there is none.

    Returns
    -------
    ndarray, shape (row,)

    Raises
    ------
    DataError
        For a cell that is no date.
    """
    days = {text: day_number(text) for text in set(map(_text, cells.raw))}
    values = np.array([days[_text(value)] for value in cells.raw], dtype=np.float64)
    cells.refuse(np.isinf(values), "a date such as 2022-06-15", "correct it or leave it empty")
    return values


def day_number(text: str) -> float:
    """The day number of an ISO date, its time aside: NaN for no text, inf for another text.

    Examples
    --------
    >>> day_number("1970-01-11"), day_number("June")
    (10.0, inf)
    """
    if not text:
        return np.nan
    try:
        if not re.fullmatch(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?", text):
            return np.inf
        return float(datetime.date.fromisoformat(text[:10]).toordinal() - EPOCH)
    except ValueError:
        return np.inf


def label(cells: Cells) -> Objects:
    """Labels as text, stripped of nothing; "" where there is none.

    Returns
    -------
    ndarray of str, shape (row,)

    Raises
    ------
    DataError
        For a list or another thing that is no text, for a name with NUL or an unpaired surrogate,
        which cannot be saved, and for one of more than ``MAX_LABEL`` characters.
    """
    kinds = {type(value) for value in cells.raw}
    wrong = tuple(kind for kind in kinds if issubclass(kind, (list, tuple, dict, set, bytes)))
    if wrong:
        bad = np.array([isinstance(value, wrong) for value in cells.raw], dtype=np.bool_)
        cells.refuse(bad, "text", "write a plain name")
    texts = list(cells.raw) if kinds <= {str} else [_text(value) for value in cells.raw]
    broken = {text for text in set(texts) if not can_be_saved(text)}
    cells.refuse(
        np.array([text in broken for text in texts], dtype=np.bool_) & bool(broken),
        "text without NUL and without unpaired surrogates",
        "rename it",
    )
    long = {text for text in set(texts) if len(text) > MAX_LABEL}
    cells.refuse(
        np.array([text in long for text in texts], dtype=np.bool_) & bool(long),
        f"at most {MAX_LABEL:,} characters",
        "shorten the name",
    )
    return objects(texts)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))  # pandas turns whole numbers into floats where a cell is empty
    return str(value)


def can_be_saved(text: str) -> bool:
    """Whether a saved fit can hold a label: no NUL, no unpaired surrogate."""
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False


def whole_label(text: str) -> str:
    """A label that may be a whole number: "5.0" and "5" are the same number of shots."""
    return re.sub(r"^(\d+)\.0+$", r"\1", text)


def required_label(texts: Objects, cells: Cells) -> Objects:
    """Labels, none of them empty."""
    cells.refuse(texts == "", "a name", "fill it in or remove the row")
    return texts


def objects(values: Sequence[object]) -> Objects:
    """A one-dimensional object array, whatever the values are."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array
