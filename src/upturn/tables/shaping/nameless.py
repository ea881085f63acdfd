"""A first column without a header, which holds the names of a table's rows."""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from upturn.tables.cells import is_unknown
from upturn.tables.readers.delimited import NAMELESS
from upturn.tables.shaping.headers import meaning

if TYPE_CHECKING:
    import pandas as pd

_SIZE = re.compile(r"(?<![\d.])\d+(?:\.\d+)?[bmt](?![a-z])", re.I)


def named(cells: "pd.DataFrame") -> tuple["pd.DataFrame", list[str]]:
    """The table with its first column named model or task, or without it where it holds numbers.

    Models are told by sizes in their names: the rows are tasks where more headers than rows have
    one.
    """
    if NAMELESS not in cells.columns:
        return cells, []
    known = {what[0] for column in map(str, cells.columns) if (what := meaning(column))}
    rows = [value for value in cells[NAMELESS] if not is_unknown(value)]
    label = next((c for c in _order(rows, map(str, cells.columns)) if c not in known), None)
    if label is None or not rows or not all(isinstance(value, str) for value in rows):
        return cells.drop(columns=NAMELESS), []
    return cells.rename(columns={NAMELESS: label}), [f"column without a name taken as {label}"]


def _order(rows: Iterable[str], headers: Iterable[str]) -> tuple[str, str]:
    sizes = [sum(bool(_SIZE.search(str(name))) for name in names) for names in (rows, headers)]
    return ("task", "model") if sizes[1] > sizes[0] else ("model", "task")
