"""Rules for the columns and rows of a table; each function returns the cleaned value."""

import re
from collections.abc import Sequence
from shlex import quote

import numpy as np

from upturn.arrays.types import Booleans, Floats, Integers, Objects
from upturn.checks.errors import DataError, also, listed, nearest, shown
from upturn.tables.cells import Cells, can_be_saved

MAX_BYTES = 2_000_000_000

# A packed table that unpacks to more was made to fill the memory. A million rows of one task, with
# labels that repeat, are 160 MB and may be 0.1 MB of Parquet.
UNPACKED_BYTES = 256_000_000
LARGEST_RATIO = 100

MAX_ROWS = 10_000_000

MAX_COLUMNS = 1_000

MAX_POINTS = 100_000  # of one curve

MAX_CELLS = 100_000_000  # curves times the points of the longest: the size of a padded array

MAX_COUNT = 2**53  # beyond it a float no longer holds every whole number

_DATE = re.compile(
    r"^\s*\d{1,2}[/.]\d{1,2}[/.]\d{2,4}|^\s*\d{4}[/.]\d{1,2}|"
    r"\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?,?\s+\d{1,4}",
    re.IGNORECASE,
)
DIVIDE_BY_100 = "divide percentages by 100"


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
        if not can_be_saved(name):
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
    present = [name for name in candidates if name in names]
    if len(present) > 1:
        raise DataError(
            f"{table}: expected one of the columns {listed(candidates)}, which mean the same, "
            f"but got {listed(present)}; remove all but one"
        )
    return present[0] if present else None


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


def most_unpacked(stored: int) -> int:
    """The most bytes that a file of `stored` bytes may unpack to."""
    return min(MAX_BYTES, UNPACKED_BYTES + LARGEST_RATIO * stored)


def unpacked_limit(table: str, size: int, stored: int) -> int:
    """The size in bytes of what a file of `stored` bytes unpacks to, at most `most_unpacked`."""
    most = most_unpacked(stored)
    if size > most:
        raise DataError(
            f"{table}: expected a table that unpacks to at most {most / 1e6:,.0f} MB, as one of "
            f"{stored:,} bytes may, but got more; save it as CSV"
        )
    return size


def positive(values: Floats, cells: Cells, remedy: str | None = None) -> Floats:
    """Numbers above 0, or NaN."""
    remedy = remedy or "leave the cell empty where it is unknown or the model is untrained"
    cells.refuse(values <= 0, "a number above 0", remedy)
    return values


def not_negative(values: Floats, cells: Cells) -> Floats:
    """Numbers of at least 0, or NaN."""
    cells.refuse(values < 0, "a number of at least 0", "leave the cell empty where it is unknown")
    return values


def standard_error(values: Floats, proportions: Booleans, cells: Cells) -> Floats:
    """Standard errors: at least 0, and of a proportion at most that of two answers."""
    remedy = "where it is in per cent, divide it by 100, or leave it out: --ignore " + cells.column
    cells.refuse(proportions & (values > 0.5), "a standard error of a proportion", remedy)
    return not_negative(values, cells)


def no_foreign_dates(cells: Cells) -> None:
    """Refuse dates that are written in another way than 2022-06-15."""
    days = np.array(
        [isinstance(v, str) and bool(_DATE.search(v)) for v in cells.raw], dtype=np.bool_
    )
    cells.refuse(days, "an ISO date such as 2022-06-15", "write dates as year-month-day")


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
        name = quote(str(metric[first]))
        percent = f"where it is in per cent --percent {name}, " if 1 < values[first] <= 100 else ""
        cells.refuse(
            bad,
            "a proportion in [0, 1]",
            f"{percent}where it is no proportion --continuous {name}",
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
