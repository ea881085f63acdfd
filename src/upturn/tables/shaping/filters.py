"""Filters: which rows are taken, before anything about a row is checked."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from upturn.arrays.types import Booleans
from upturn.checks.arguments import known
from upturn.checks.errors import DataError, shown
from upturn.tables.cells import is_unknown, whole_label
from upturn.tables.readers.schema import LABELS, NO_METRIC
from upturn.tables.shaping.headers import resolve

if TYPE_CHECKING:
    import pandas as pd


def conditions_by_column(conditions: Iterable[str]) -> dict[str, list[str]]:
    """The wanted values of each column.

    Raises
    ------
    DataError
        For a condition that is not COLUMN=VALUE.
    """
    wanted: dict[str, list[str]] = {}
    for condition in conditions:
        column, equals, value = condition.partition("=")
        if not (column and equals):
            raise DataError(
                f"where: expected COLUMN=VALUE, but got {shown(condition)}; "
                "for example setting=few-shot"
            )
        wanted.setdefault(column, []).append(value)
    return wanted


def comparable(column: str, text: str) -> str:
    """A cell or a value as conditions compare them: 7e9 and 7000000000 are the same number."""
    if column in LABELS:
        return whole_label(text) if column == "shots" else text
    try:
        value = float(text)
        return "" if np.isnan(value) else f"{value:.15g}"
    except ValueError:
        return text


def rows_with(cells: "pd.DataFrame", name: str, column: str, values: Sequence[str]) -> Booleans:
    """The rows in which a column has one of the values.

    Raises
    ------
    DataError
        For a value that is not there, with those that are.
    """
    texts = ["" if _is_empty(value) else comparable(column, str(value)) for value in cells[column]]
    present = list(dict.fromkeys(texts))
    kind = column if column in LABELS else f"value of {column}"
    wanted = {
        known(comparable(column, value), present, kind=kind, where=f"{name}, where")
        for value in values
    }
    return np.array([text in wanted for text in texts], dtype=np.bool_)


def _is_empty(value: object) -> bool:
    return value == "" or (not isinstance(value, str) and is_unknown(value))


def metric_labels(cells: "pd.DataFrame") -> list[str]:
    """The metric of each row of a table of cells."""
    if "metric" not in cells:
        return [NO_METRIC] * len(cells)
    return [NO_METRIC if _is_empty(v) else str(v) for v in cells["metric"]]


def filtered(
    cells: "pd.DataFrame", name: str, where: Sequence[str], metric: Sequence[str]
) -> tuple["pd.DataFrame", tuple[str, ...]]:
    """The rows that meet the conditions on columns that the table has.

    Returns
    -------
    DataFrame
        The rows.
    tuple of str
        Conditions on other columns, such as FLOPs that are derived: they are for later.

    Raises
    ------
    DataError
        For a value that is not there; where no row is left.
    """
    later: list[str] = []
    keep = np.ones(len(cells), dtype=np.bool_)
    for column, values in conditions_by_column(where).items():
        given = resolve(column, map(str, cells.columns))
        if given is None:
            later += [f"{column}={value}" for value in values]
            continue
        keep &= rows_with(cells, name, given, values)
    if metric:
        names = metric_labels(cells)
        present = list(dict.fromkeys(names))
        for wanted in metric:
            known(wanted, present, kind="metric", where=name)
        keep &= np.isin(names, list(metric))
    if not keep.any():
        asked = " and ".join([*where, *(f"metric={m}" for m in metric)])
        raise DataError(
            f"{name}: expected rows with {asked}, but got none; "
            "each is there, though not together: leave one out"
        )
    return cells[keep], tuple(later)
