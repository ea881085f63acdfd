"""The cells of a column: what messages call them, and the numbers, days and labels in them."""

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from upturn.arrays.types import Booleans, Floats, Integers, Objects
from upturn.checks.errors import DataError, also, shown

if TYPE_CHECKING:
    import pandas as pd

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
    known
        The number of the value of each row, and the different values, where they are known.
    """

    table: str
    column: str
    raw: Objects | Floats
    rows: Integers
    positions: bool = False
    known: tuple[Integers, Objects] | None = None

    def distinct(self) -> tuple[Integers, Objects]:
        """The number of the value of each row, and the different values."""
        return distinct(self.raw) if self.known is None else self.known

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


MISSING = frozenset({
    "", "na", "n/a", "n.a.", "#n/a", "#na", "<na>", "nan", "none", "null", "nil", "nat", "missing",
    "unknown", "unk", "tbd", "-", "--", "---", "–", "—", "?", ".",
    "#div/0!", "#value!", "#ref!", "#name?", "#num!", "#null!",
})  # fmt: skip


def is_missing(text: str) -> bool:
    """Whether a text stands for an unknown value.

    Examples
    --------
    >>> is_missing(" N/A "), is_missing("-"), is_missing("0")
    (True, True, False)
    """
    return text.strip().casefold() in MISSING


def is_unknown(value: object) -> bool:
    """Whether a cell is empty, NaN, or a text that stands for an unknown value."""
    if isinstance(value, str):
        return is_missing(value)
    return value is None or (isinstance(value, (float, np.floating)) and bool(np.isnan(value)))


def distinct(values: "Objects | Floats | pd.Series[Any]") -> tuple[Integers, Objects]:
    """The different values of a column, and the one of each row: a rule is applied once to each.

    Values that are not all texts are kept apart, since 1, 1.0 and True are one key.

    Returns
    -------
    ndarray of int, shape (row,)
    ndarray of object, shape (value,)
    """
    if not isinstance(values, np.ndarray) and values.dtype == "str":
        codes, different = values.factorize(use_na_sentinel=False)
        return codes.astype(np.int64), np.asarray(different, dtype=object)
    if {*map(type, values)} - {str}:
        return np.arange(len(values)), np.asarray(values, dtype=object)
    numbers: dict[str, int] = {}
    codes = np.array([numbers.setdefault(text, len(numbers)) for text in values], np.int64)
    return codes, objects(list(numbers))


def number(cells: Cells, *, grouped: bool = False) -> Floats:
    """Numbers; NaN where there is none (an empty cell, None, or a spelling of `MISSING`).

    Parameters
    ----------
    cells
        As they were given.
    grouped
        Whether "1,000" is a number: it may be 1.000 in a column that is no count.

    Returns
    -------
    ndarray, shape (row,)

    Raises
    ------
    DataError
        For other text, 1_000, True, and infinity.
    """
    codes, different = cells.distinct()
    try:
        values = np.array([_number(value, grouped) for value in different], dtype=np.float64)[codes]
    except (TypeError, ValueError, OverflowError):
        bad = np.array([not _is_number(value, grouped) for value in different], dtype=np.bool_)
        bad = bad[codes]
        cells.refuse(bad, "a number", "write it as 1234.5 or 1.2e3, or leave the cell empty")
        raise
    cells.refuse(np.isinf(values), "a finite number", "an unknown value is an empty cell")
    return values


def _number(value: Any, grouped: bool = False) -> float:
    """A float: NaN for a missing cell."""
    if isinstance(value, str):
        return plain_number(value, grouped=grouped)
    if value is None:
        return np.nan
    if isinstance(value, (bool, np.bool_)):
        raise TypeError(value)
    return float(value)


_MINUS = "\u2212"  # the sign of typography
_GROUPS = re.compile(
    r"[-+]?[1-9]\d{0,2}(?:(?P<mark>[,'’ \u00a0\u2009\u202f])\d{3})(?:(?P=mark)\d{3})*(?:\.\d+)?"
)


def plain_number(text: str, *, grouped: bool = False) -> float:
    """The number in a text without a unit: NaN for a missing value.

    Parameters
    ----------
    text
        "1234.5", "1.2e3", "1,234,567".
    grouped
        Whether "1,234" is one thousand and more.

    Raises
    ------
    ValueError
        For any other text.
    """
    try:
        result = float(text)
    except ValueError:
        if is_missing(text):
            return np.nan
        if text.lstrip().startswith(_MINUS):
            return plain_number(text.lstrip().replace(_MINUS, "-", 1), grouped=grouped)
        groups = _GROUPS.fullmatch(text.strip())
        if groups and (grouped or text.count(groups["mark"]) > 1):
            return float(text.strip().replace(groups["mark"], ""))
        raise
    if "_" in text:  # Python reads 1_000, others do not
        raise ValueError(text)
    return result


def _is_number(value: object, grouped: bool) -> bool:
    try:
        _number(value, grouped)
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
        if re.fullmatch(r"\d{4}-\d\d", text):
            text = f"{text}-01"
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
    codes, different = cells.distinct()
    texts: list[str] = []
    for value in different:
        if _is_wrong(value):
            cells.refuse(np.array([_is_wrong(v) for v in cells.raw]), "text", "write a plain name")
        texts.append(value if isinstance(value, str) else _text(value))
    for is_good, expected, remedy in (
        (can_be_saved, "text without NUL and without unpaired surrogates", "rename it"),
        (_is_short, f"at most {MAX_LABEL:,} characters", "shorten the name"),
    ):
        bad = np.array([not is_good(text) for text in texts], dtype=np.bool_)
        if bad.any():
            cells.refuse(bad[codes], expected, remedy)
    return objects(texts)[codes]


def _is_wrong(value: object) -> bool:
    return isinstance(value, (list, tuple, dict, set, bytes))


def _is_short(text: str) -> bool:
    return len(text) <= MAX_LABEL


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
