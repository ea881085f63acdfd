"""Tables as people print them: merged cells, remarks below, averages, spaces around names."""

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from upturn.arrays.types import Booleans, Objects
from upturn.checks.errors import counted, listed
from upturn.tables.cells import distinct, is_unknown, objects
from upturn.tables.readers.schema import LABELS
from upturn.tables.shaping.headers import normal

if TYPE_CHECKING:
    import pandas as pd

SUMMARIES = {
    "all", "average", "avg", "grand_total", "macro_average", "mean", "median", "overall", "total",
}  # fmt: skip
_APART = ("metric", "setting", "shots", "run", "step", "seed", "repeat", "question", "sample_id")


def tidied(cells: "pd.DataFrame") -> tuple["pd.DataFrame", list[str]]:
    """The rows that are measurements, with a name in each; what was left out or filled in."""
    cells = _stripped(cells)
    remarks = _remarks(cells)
    cells, notes = _without(cells, remarks, "with one cell alone")
    summaries = _summaries(cells)
    cells, more = _without(cells, summaries, "of averages or totals")
    cells, filled = _merged(cells)
    return cells, [*notes, *more, *filled]


def _stripped(cells: "pd.DataFrame") -> "pd.DataFrame":
    """Labels without the spaces around them, where these would make two names of one."""
    changed = {}
    for column in (c for c in LABELS if c in cells):
        codes, different = distinct(cells[column])
        texts = [v.strip() if isinstance(v, str) else v for v in different]
        names = {text for text in different if isinstance(text, str)}
        if len({text for text in texts if isinstance(text, str)}) < len(names):
            changed[column] = objects(texts)[codes]
    return cells.assign(**changed) if changed else cells


def _remarks(cells: "pd.DataFrame") -> Booleans:
    """Rows of which one cell alone is filled, as a remark below a table is."""
    none = np.zeros(len(cells), dtype=np.bool_)
    if len(cells.columns) < 3:
        return none
    label = next((c for c in ("task", "score") if c in cells), str(cells.columns[-1]))
    empty = np.flatnonzero(_is_empty(cells, label))
    if len(empty) in {0, len(cells)}:
        return none
    for row, values in zip(empty, cells.iloc[empty].itertuples(index=False), strict=True):
        none[row] = sum(not is_unknown(value) for value in values) == 1
    return none


def _summaries(cells: "pd.DataFrame") -> Booleans:
    """Rows of averages and totals in place of a model."""
    if "model" not in cells:
        return np.zeros(len(cells), dtype=np.bool_)
    codes, different = distinct(cells["model"])
    is_summary = np.array([normal(str(value)) in SUMMARIES for value in different], dtype=np.bool_)
    rows = is_summary[codes]
    return rows if not rows.all() else np.zeros_like(rows)


def _without(cells: "pd.DataFrame", rows: Booleans, what: str) -> tuple["pd.DataFrame", list[str]]:
    if not rows.any():
        return cells, []
    first = [next((v for v in row if not is_unknown(v)), "") for row in _values(cells, rows)]
    names = listed(list(dict.fromkeys(str(value)[:60] for value in first)), most=3)
    return cells[~rows], [f"{counted(int(rows.sum()), 'row')} {what} left out: {names}"]


def _values(cells: "pd.DataFrame", rows: Booleans) -> Sequence[tuple[object, ...]]:
    return list(cells[rows].itertuples(index=False, name=None))


def _merged(cells: "pd.DataFrame") -> tuple["pd.DataFrame", list[str]]:
    """Names repeated downwards, where a merged cell stands for several rows.

    Only where each name stands once above its rows, and no measurement is there twice afterwards:
    a name that was forgotten is none that was merged.
    """
    columns = [c for c in ("model", "task") if c in cells and _is_merged(cells, c)]
    if not columns:
        return cells, []
    empty = {column: _is_empty(cells, column) for column in columns}
    filled = cells.assign(**{column: _downwards(cells, column) for column in columns})
    keys = [column for column in ("model", "task", *_APART) if column in filled]
    if bool(filled.astype(dict.fromkeys(keys, str)).duplicated(keys).any()):
        return cells, []
    counts = (f"{counted(int(empty[c].sum()), 'row')} of {c}" for c in columns)
    return filled, [f"merged cells: the name above taken in {', '.join(counts)}"]


def _is_empty(cells: "pd.DataFrame", column: str) -> Booleans:
    codes, different = distinct(cells[column])
    return np.array([_is_nothing(value) for value in different], dtype=np.bool_)[codes]


def _is_nothing(value: object) -> bool:
    return not value.strip() if isinstance(value, str) else is_unknown(value)


def _is_merged(cells: "pd.DataFrame", column: str) -> bool:
    empty = _is_empty(cells, column)
    if not empty.any() or empty[0] or empty.all():
        return False
    names = cells[column].to_numpy(dtype=object)[~empty]
    return not any(above == below for above, below in pairwise(names))


def _downwards(cells: "pd.DataFrame", column: str) -> Objects:
    places = np.where(_is_empty(cells, column), 0, np.arange(len(cells)))
    return cells[column].to_numpy(dtype=object)[np.maximum.accumulate(places)]
