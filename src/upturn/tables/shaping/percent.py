"""Per cent: cells such as "73.0%", metrics in per cent, and "0.71 ± 0.02" taken apart."""

import re
from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np

from upturn.arrays.types import Booleans
from upturn.checks.errors import DataError, counted, shown
from upturn.tables.cells import is_unknown, number, objects, plain_number
from upturn.tables.readers.schema import cells_of
from upturn.tables.shaping.filters import metric_labels

if TYPE_CHECKING:
    import pandas as pd

ALL = "all"
_COLUMNS = ("score", "stderr", "chance", "ceiling")
_PLUS_MINUS = re.compile(r"\s*(?:±|\+/-|\+-)\s*")


def signs_read(cells: "pd.DataFrame", name: str) -> tuple["pd.DataFrame", list[str]]:
    """Cells such as "73.0%" as proportions.

    Raises
    ------
    DataError
        For a column of which some cells have the sign and others have not.
    """
    notes = []
    for column in (c for c in _COLUMNS if c in cells):
        raw = cells[column].to_numpy(dtype=object)
        signed = np.array([isinstance(v, str) and v.strip().endswith("%") for v in raw])
        if not signed.any():
            continue
        known = ~np.array([is_unknown(value) for value in raw])
        bare = known & ~signed
        of = cells_of(cells, name, column)
        if bare.any():
            example = shown(raw[int(np.argmax(signed))])
            of.refuse(bare, f"a percent sign as in {example}", "write the whole column in one way")
        values = [_share(v) if s else np.nan for v, s in zip(raw, signed, strict=True)]
        bad = np.array([value is None for value in values])
        of.refuse(bad, "a percentage such as 73.0%", "correct it or leave it empty")
        cells = cells.assign(**{column: np.array(values, dtype=np.float64)})
        notes.append(f"column {column}: {counted(int(signed.sum()), 'percentage')} divided by 100")
    return cells, notes


def _share(text: str) -> float | None:
    try:
        return plain_number(text.strip().removesuffix("%").strip()) / 100
    except ValueError:
        return None


def divided(
    cells: "pd.DataFrame", name: str, metrics: Collection[str]
) -> tuple["pd.DataFrame", list[str]]:
    """The scores and standard errors of the metrics that are in per cent, divided by 100.

    Parameters
    ----------
    cells, name
        The table and what messages call it.
    metrics
        Names of metrics, or "all".

    Raises
    ------
    DataError
        For a metric that is not there, and for one whose scores are all at most 1.
    """
    if not metrics:
        return cells, []
    metric = metric_labels(cells)
    unknown = [m for m in metrics if m != ALL and m not in set(metric)]
    if unknown:
        from upturn.checks.arguments import known

        known(unknown[0], sorted(set(metric)), kind="metric", where=f"{name}, percent")
    rows = np.isin(metric, list(metrics)) | (ALL in metrics)
    score = number(cells_of(cells, name, "score"))
    if not np.nanmax(np.where(rows, score, np.nan), initial=-np.inf) > 1:
        raise DataError(
            f"{name}, percent: expected scores above 1 in per cent, but got none; "
            "leave --percent out"
        )
    changed = {"score": np.where(rows, score / 100, score)}
    for column in ("stderr", "chance", "ceiling"):
        if column in cells:
            values = number(cells_of(cells, name, column))
            above = values > 1 if column != "stderr" else np.ones(len(values), dtype=np.bool_)
            changed[column] = np.where(rows & above, values / 100, values)
    return cells.assign(**changed), [
        f"{counted(int(rows.sum()), 'score')} in per cent divided by 100"
    ]


def plus_minus_read(cells: "pd.DataFrame") -> tuple["pd.DataFrame", list[str]]:
    """Scores such as "0.71 ± 0.02" as a score and a standard error."""
    if "score" not in cells or "stderr" in cells:
        return cells, []
    raw = cells["score"].to_numpy(dtype=object)
    parts = [_PLUS_MINUS.split(v) if isinstance(v, str) else [v] for v in raw]
    split: Booleans = np.array([len(part) == 2 for part in parts])
    if not split.any():
        return cells, []
    scores = [part[0] for part in parts]
    errors = [part[1] if len(part) == 2 else None for part in parts]
    note = (
        f"{counted(int(split.sum()), 'score')} with ±: what follows is taken as its standard error"
    )
    return cells.assign(score=objects(scores), stderr=objects(errors)), [note]
