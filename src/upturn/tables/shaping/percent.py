"""Per cent: cells such as "73.0%", metrics in per cent; "0.71 ± 0.02" and "142/200" taken apart."""

import re
import shlex
from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np

from upturn.arrays.types import Floats, Objects
from upturn.checks.errors import DataError, also, counted, shown
from upturn.tables.cells import distinct, is_unknown, label, number, objects, plain_number
from upturn.tables.readers.schema import TRIALS, cells_of
from upturn.tables.shaping.filters import metric_labels
from upturn.tables.shaping.headers import IN_PER_CENT

if TYPE_CHECKING:
    import pandas as pd

ALL = "all"
_COLUMNS = ("score", "stderr", "chance", "ceiling")
_NUMBER = r"[-+]?[\d.,]+(?:e[-+]?\d+)?%?"
_PLUS_MINUS = re.compile(
    rf"\s*({_NUMBER})\s*(?:(?:±|\+/-|\+-)\s*(?={_NUMBER}\s*$)|\((?={_NUMBER}\)\s*$))({_NUMBER})\)?\s*",
    re.I,
)
_COUNTS = re.compile(r"\s*(\d+)\s*/\s*(\d+)\s*")


def signs_read(cells: "pd.DataFrame", name: str) -> tuple["pd.DataFrame", list[str]]:
    """Cells such as "73.0%" as proportions.

    Raises
    ------
    DataError
        For a column of which some cells have the sign and others have not.
    """
    notes = []
    for column in (c for c in _COLUMNS if c in cells):
        _, different = distinct(cells[column])
        if not any(isinstance(v, str) and v.strip().endswith("%") for v in different):
            continue
        raw = cells[column].to_numpy(dtype=object)
        signed = np.array([isinstance(v, str) and v.strip().endswith("%") for v in raw])
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


def signed_by_header(
    cells: "pd.DataFrame", name: str, metrics: Collection[str], header: str
) -> Collection[str]:
    """The metrics in per cent: all of them where the header of the scores says so, as "acc (%)"."""
    if metrics or not IN_PER_CENT.search(header) or cells["score"].dtype.kind == "f":
        return metrics
    score = number(cells_of(cells, name, "score"))
    return (ALL,) if np.nanmax(score, initial=-np.inf) > 1 else metrics


def divided(
    cells: "pd.DataFrame", name: str, metrics: Collection[str]
) -> tuple["pd.DataFrame", list[str]]:
    """The scores and standard errors of the metrics that are in per cent, divided by 100.

    Parameters
    ----------
    cells, name
        The table and what messages call it.
    metrics
        Names of metrics or tasks, or "all".

    Raises
    ------
    DataError
        For a metric that is not there, for one whose scores are all at most 1, and where those of
        a task are that is not named itself: they may be proportions beside others in per cent.
    """
    if not metrics:
        return cells, []
    metric, task = np.array(metric_labels(cells)), label(cells_of(cells, name, "task"))
    unknown = [m for m in metrics if m not in {ALL, *metric, *task}]
    if unknown:
        from upturn.checks.arguments import known

        known(unknown[0], sorted({*metric}), kind="metric", where=f"{name}, percent")
    rows = np.isin(metric, list(metrics)) | np.isin(task, list(metrics)) | (ALL in metrics)
    score = number(cells_of(cells, name, "score"))
    _check_units(score[rows], task[rows], name, metrics)
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
    low = rows & (score > 0) & (score <= 1)
    notes = [f"{counted(int(rows.sum()), 'score')} in per cent divided by 100"]
    if low.any():
        notes.append(
            f"{counted(int(low.sum()), 'score')} of at most 1 in per cent divided by 100 too, "
            f"from {shown(float(score[low].min()))} to {shown(float(score[low].max()))}"
        )
    return cells.assign(**changed), notes


def _check_units(score: Floats, task: Objects, name: str, named: Collection[str]) -> None:
    """Refuse a task without a score above 1 beside others in per cent, unless it is named."""
    above = {*task[score > 1]}
    low = [t for t in dict.fromkeys(task[(score > 0) & (score <= 1)]) if t not in {*above, *named}]
    if above and low:
        options = " ".join(f"--percent {shlex.quote(t)}" for t in dict.fromkeys(task) if t in above)
        raise DataError(
            f"{name}, percent: expected tasks with scores above 1, but got {shown(low[0])} with "
            f"none{also(len(low) - 1, 'task')}; name those in per cent: {options}"
        )


def parts_read(cells: "pd.DataFrame") -> tuple["pd.DataFrame", list[str]]:
    """Scores such as "0.71 ± 0.02", "0.71 (0.02)" and "142/200" taken apart."""
    names = {str(column) for column in cells.columns}
    if "score" not in names:
        return cells, []
    for pattern, columns, said in (
        (_PLUS_MINUS, ("score", "stderr"), "with an error: it is taken as the standard error"),
        (_COUNTS, ("successes", "trials"), "as k/n taken as k right answers of n"),
    ):
        if not names & {*columns[1:], *(TRIALS if columns[1] == "trials" else ())}:
            done = _taken_apart(cells, pattern, columns)
            if done is not None:
                return done[0], [f"{counted(done[1], 'score')} {said}"]
    return cells, []


def _taken_apart(
    cells: "pd.DataFrame", pattern: re.Pattern[str], columns: tuple[str, str]
) -> tuple["pd.DataFrame", int] | None:
    """Two columns in place of the score, and in how many rows; None where no row has both."""
    if not any(isinstance(v, str) and pattern.fullmatch(v) for v in distinct(cells["score"])[1]):
        return None
    raw = cells["score"].to_numpy(dtype=object)
    matches = [pattern.fullmatch(value) if isinstance(value, str) else None for value in raw]
    if columns[0] != "score" and not all(
        match or is_unknown(value) for match, value in zip(matches, raw, strict=True)
    ):
        return None  # counts and shares in one column
    first = [match[1] if match else value for match, value in zip(matches, raw, strict=True)]
    second = [match[2] if match else None for match in matches]
    kept = cells if columns[0] == "score" else cells.drop(columns="score")
    texts = {columns[0]: objects(first), columns[1]: objects(second)}
    return kept.assign(**texts), sum(match is not None for match in matches)
