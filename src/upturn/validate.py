"""Rules for what a user hands in: one function a rule, each returns the cleaned value.

A message is one line: where (table, row, column), what was expected, "but got …", the remedy.
"""

import datetime
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from upturn.checks.errors import DataError, also, listed, nearest, shown

type Floats = NDArray[np.float64]
type Integers = NDArray[np.int64]
type Booleans = NDArray[np.bool_]
type Objects = NDArray[np.object_]

EPOCH = datetime.date(1970, 1, 1).toordinal()
MAX_BYTES = 2_000_000_000
MAX_ROWS = 10_000_000
MAX_COLUMNS = 1_000
MAX_LABEL = 1_000  # characters; labels of one column are all as wide as the longest
MAX_POINTS = 100_000  # of one curve
MAX_CELLS = 100_000_000  # curves times the points of the longest: the size of a padded array
MAX_COUNT = 2**53  # beyond it a float no longer holds every whole number

DIVIDE_BY_100 = "divide percentages by 100"


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


# ---- words of messages ---------------------------------------------------------------------------


# ---- the table -----------------------------------------------------------------------------------


def columns(table: str, names: Sequence[str]) -> list[str]:
    """Column names: not too many, each once, and such as can be saved.

    Raises
    ------
    DataError
        Naming a column that is there twice, or has NUL or an unpaired surrogate in its name.
    """
    if len(names) > MAX_COLUMNS:
        raise DataError(
            f"{table}: expected at most {MAX_COLUMNS:,} columns, but got {len(names):,}; "
            "write one measurement a row"
        )
    for index, name in enumerate(names):
        if not _can_be_saved(name):
            raise DataError(
                f"{table}: expected column names without NUL and without unpaired surrogates, "
                f"but got {shown(name)}; rename it"
            )
        if name in names[:index]:
            raise DataError(
                f"{table}: expected each column once, but got {shown(name)} twice; "
                "rename or remove one of them"
            )
    return list(names)


def required_column(table: str, name: str, names: Sequence[str]) -> str:
    """A column that has to be there.

    Raises
    ------
    DataError
        With the name that looks most like it, or else those that are there.
    """
    if name in names:
        return name
    guess = nearest(name, names)
    remedy = f"rename {shown(guess)}" if guess is not None else "add it to the table"
    raise DataError(
        f"{table}: expected a column {shown(name)}, but got the columns {listed(names)}; {remedy}"
    )


def at_most_one_column(table: str, candidates: Sequence[str], names: Sequence[str]) -> str | None:
    """The one of several names for the same thing that is there, or None.

    Raises
    ------
    DataError
        Where two of them are there.
    """
    found = [name for name in candidates if name in names]
    if len(found) > 1:
        raise DataError(
            f"{table}: expected one of the columns {listed(candidates)}, which mean the same, "
            f"but got {listed(found)}; remove all but one"
        )
    return found[0] if found else None


def row_limit(table: str, rows: int) -> int:
    """A number of rows, at most ``MAX_ROWS``."""
    if rows > MAX_ROWS:
        raise DataError(
            f"{table}: expected at most {MAX_ROWS:,} rows, but got more; "
            "split the table, for example by task"
        )
    return rows


def byte_limit(table: str, size: int) -> int:
    """A file size in bytes, at most ``MAX_BYTES``."""
    if size > MAX_BYTES:
        raise DataError(
            f"{table}: expected at most {MAX_BYTES / 1e9:g} GB, but got more; "
            "split the table, for example by task"
        )
    return size


# ---- cells to values -----------------------------------------------------------------------------


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
    broken = {text for text in set(texts) if not _can_be_saved(text)}
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


def _can_be_saved(text: str) -> bool:
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


# ---- rules for one column ------------------------------------------------------------------------


def positive(values: Floats, cells: Cells, remedy: str | None = None) -> Floats:
    """Numbers above 0, or NaN."""
    remedy = remedy or "leave the cell empty where it is unknown or the model is untrained"
    cells.refuse(values <= 0, "a number above 0", remedy)
    return values


def not_negative(values: Floats, cells: Cells) -> Floats:
    """Numbers of at least 0, or NaN."""
    cells.refuse(values < 0, "a number of at least 0", "leave the cell empty where it is unknown")
    return values


def perplexity(values: Floats, cells: Cells) -> Floats:
    """Perplexities: at least 1, or NaN."""
    cells.refuse(
        values < 1, "a perplexity of at least 1", "a cross-entropy in nats goes in a column 'loss'"
    )
    return values


def trials(values: Floats, cells: Cells) -> Floats:
    """Numbers of examples: whole and at least 1, or NaN."""
    remedy = "leave the cell empty where the number of examples is unknown"
    cells.refuse(values < 1, "at least 1 trial", remedy)
    return _whole(values, cells)


def successes(values: Floats, trials: Floats, cells: Cells) -> Floats:
    """Numbers of successes: whole, at least 0 and at most the trials; NaN where there is none.

    Raises
    ------
    DataError
        Also where a number of successes has no trials beside it.
    """
    cells.refuse(values < 0, "at least 0 successes", "count the right answers")
    values = _whole(values, cells)
    bad = values > trials
    if bad.any():
        first = int(np.argmax(bad))
        cells.fail(
            first,
            f"at most {shown(trials[first])} successes (the trials of that row)",
            shown(cells.raw[first]) + also(int(bad.sum()) - 1, "row"),
            "are the two columns swapped?",
        )
    cells.refuse(
        ~np.isnan(values) & np.isnan(trials),
        "successes with trials beside them",
        "fill in the trials, or give a score",
    )
    return values


def _whole(values: Floats, cells: Cells) -> Floats:
    cells.refuse(
        (values != np.floor(values)) & ~np.isnan(values),
        "a whole number",
        "a proportion goes in the column 'score'",
    )
    cells.refuse(values > MAX_COUNT, "a number up to 2^53", "check the column")
    return values


def proportion(values: Floats, metric: Objects, cells: Cells) -> Floats:
    """Scores that are proportions: in [0, 1], or NaN.

    Parameters
    ----------
    values
        Shape (row,).
    metric
        The metric of each row, to name it in the remedy. Shape (row,).
    cells
        The column as it was given.
    """
    bad = (values < 0) | (values > 1)
    if bad.any():
        first = int(np.argmax(bad))
        percent = f"{DIVIDE_BY_100}, or " if 1 < values[first] <= 100 else ""
        name = metric[first]
        cells.refuse(
            bad,
            "a proportion in [0, 1]",
            f"{percent}if {shown(name)} is no proportion, say so: --continuous {name}",
        )
    return values


def same_score(score: Floats, counts: Floats, trials: Floats, cells: Cells) -> Floats:
    """Scores that agree with successes / trials where both are given (to two decimals)."""
    bad = np.abs(score - counts / trials) > 0.01
    if bad.any():
        first = int(np.argmax(bad))
        cells.fail(
            first,
            f"{shown(counts[first] / trials[first])} (successes / trials of that row)",
            shown(cells.raw[first]) + also(int(bad.sum()) - 1, "row"),
            "correct the row, or remove one of the two columns",
        )
    return score


def chance(values: Floats, proportions: Booleans, cells: Cells) -> Floats:
    """Random baselines: in [0, 1) where the metric is a proportion, any number elsewhere."""
    bad = proportions & ((values < 0) | (values >= 1))
    remedy = f"{DIVIDE_BY_100}; leave the cell empty where chance is unknown"
    cells.refuse(bad, "a chance level in [0, 1)", remedy)
    return values


def ceiling(values: Floats, proportions: Booleans, cells: Cells) -> Floats:
    """Best possible scores: in (0, 1] where the metric is a proportion, any number elsewhere."""
    bad = proportions & ((values <= 0) | (values > 1))
    cells.refuse(bad, "a ceiling in (0, 1]", f"{DIVIDE_BY_100}; without a ceiling it is 1")
    return values


def chance_below_ceiling(
    low: Floats, high: Floats, orientation: Floats, cells: Cells
) -> tuple[Floats, Floats]:
    """Chance worse than the ceiling, in the direction in which the metric improves.

    Parameters
    ----------
    low, high
        Chance and ceiling in native units, NaN where unknown. Shape (row,).
    orientation
        +1 where higher is better, −1 where lower is. Shape (row,).
    cells
        The column of chance as it was given.
    """
    bad = orientation * low >= orientation * high
    if bad.any():
        first = int(np.argmax(bad))
        side = "below" if orientation[first] > 0 else "above"
        cells.fail(
            first,
            f"a chance level {side} the ceiling of that row, {shown(high[first])}",
            shown(low[first]) + also(int(bad.sum()) - 1, "row"),
            "correct one of the two columns",
        )
    return low, high


# ---- rules across rows ---------------------------------------------------------------------------


def distinct(ids: Integers, what: str, describe: Callable[[int], str], cells: Cells) -> Integers:
    """Rows that are all different.

    Parameters
    ----------
    ids
        What each row measures, as a number. Shape (row,).
    what
        The columns that make it: "task, model".
    describe
        Gives the labels of the row at an index.
    cells
        Any column, for the names of the rows.
    """
    _, first, inverse = np.unique(ids, return_index=True, return_inverse=True)
    bad = first[inverse] != np.arange(len(ids))
    if bad.any():
        index = int(np.argmax(bad))
        more = also(int(bad.sum()) - 1, "repeated row")
        raise DataError(
            f"{cells.table}, {cells.row(index)}: expected each measurement once ({what}), "
            f"but got {describe(index)} again, after {cells.row(int(first[inverse[index]]))}{more};"
            " remove one, or tell repeats apart by a column 'run' and checkpoints by their model"
        )
    return ids


def consistent(values: Floats, ids: Integers, count: int, cells: Cells) -> Floats:
    """The one value that the rows of each curve share.

    Parameters
    ----------
    values
        NaN where unknown. Shape (row,).
    ids
        The curve of each row, 0 … count − 1. Shape (row,).
    count
        The number of curves.
    cells
        The column, for messages.

    Returns
    -------
    ndarray, shape (curve,)
        NaN where no row of a curve has a value.

    Raises
    ------
    DataError
        Naming two rows of one curve that differ.
    """
    rows = np.flatnonzero(~np.isnan(values))
    curves, first = np.unique(ids[rows], return_index=True)
    shared = np.full(count, np.nan)
    shared[curves] = values[rows[first]]
    bad = ~np.isnan(values) & (values != shared[ids])
    if bad.any():
        index = int(np.argmax(bad))
        before = int(rows[first[np.searchsorted(curves, ids[index])]])
        cells.fail(
            index,
            f"one value for the whole curve, {shown(values[before])} as in {cells.row(before)}",
            shown(values[index]) + also(int(bad.sum()) - 1, "row"),
            "correct it, or tell the curves apart by a column 'setting'",
        )
    return shared


def points_limit(table: str, curve: str, points: int) -> int:
    """A number of points of one curve, at most ``MAX_POINTS``."""
    if points > MAX_POINTS:
        raise DataError(
            f"{table}: expected at most {MAX_POINTS:,} points a curve, "
            f"but got {points:,} in {shown(curve)}; thin out its checkpoints"
        )
    return points


def cell_limit(table: str, curves: int, points: int) -> int:
    """The size of a padded array, curves times points, at most ``MAX_CELLS``."""
    if curves * points > MAX_CELLS:
        raise DataError(
            f"{table}: expected curves × points of the longest curve to be at most {MAX_CELLS:,}, "
            f"but got {curves:,} × {points:,}; read long and short curves apart (--where)"
        )
    return curves * points
