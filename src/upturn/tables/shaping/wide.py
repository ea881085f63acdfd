"""Wide tables: one column a task or a metric, melted to one row a measurement."""

import shlex
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from upturn.checks.errors import DataError, listed, shown
from upturn.tables.cells import is_unknown, objects, plain_number
from upturn.tables.readers.paths import task_and_metric
from upturn.tables.readers.schema import LABELS, MEASURES, SCALES, TRIALS
from upturn.tables.shaping.headers import normal
from upturn.tables.shaping.stderr import base_metric, without_filter
from upturn.tables.shaping.wide_labels import counts, is_count, labels, task_of_count
from upturn.tables.units import PLAUSIBLE

if TYPE_CHECKING:
    import pandas as pd

_AVERAGES = {
    "average", "avg", "mean", "overall", "mean_win_rate", "win_rate", "average_score",
    "global_average", "rank", "total", "macro_avg", "arena_score", "mean_score", "aggregate", "all",
}  # fmt: skip
_NO_SCORES = {
    "id", "index", "url", "link", "date", "released", "year", "seed", "repeat", "epoch", "epochs",
    "version", "price", "cost", "context", "length", "hub", "likes", "downloads", "precision",
    "type", "step", "time", "latency", "memory", "rank", "bits", "layers", "license", "notes",
    "created", "started", "completed", "gb", "vram", "upload", "submission", "generation",
    "runtime", "count", "std", "min", "max", "samples", "votes", "battles",
}  # fmt: skip
_APART = ("params", "step", "revision", "checkpoint", "tokens", "variant", "version")
_RAW = " Raw"


def score_columns(cells: "pd.DataFrame") -> list[str]:
    """The columns of a table without scores that look like one task or metric each.

    Where headers are paths that end in a metric, as in logs of training, these are the ones.
    """
    rescaled = _rescaled(cells)
    columns = [
        column
        for column in map(str, cells.columns)
        if column not in {*LABELS, *MEASURES, *SCALES, *TRIALS}
        and column not in rescaled
        and _NO_SCORES.isdisjoint(normal(column).split("_"))
        and _is_numeric(cells[column].to_numpy(dtype=object))
    ]
    return [column for column in columns if task_and_metric(column)] or columns


def _rescaled(cells: "pd.DataFrame") -> list[str]:
    """The columns beside which the score stands as it was before chance was set to 0.

    ``IFEval`` beside ``IFEval Raw``: facts about chance and questions belong to the second.
    """
    names = [str(column) for column in cells.columns]
    return [name for name in names if f"{name}{_RAW}" in names]


def _is_numeric(raw: Iterable[object]) -> bool:
    known = [value for value in raw if not is_unknown(value)]
    return bool(known) and all(_number(v) is not None for v in known)


def _number(value: Any) -> float | None:
    if isinstance(value, (bool, np.bool_)):
        return None
    try:
        return (
            plain_number(value.strip().removesuffix("%"))
            if isinstance(value, str)
            else float(value)
        )
    except (TypeError, ValueError, OverflowError):
        return None


def is_wide(cells: "pd.DataFrame") -> bool:
    """Whether a table has models or tasks, no scores, and two or more columns that may be some."""
    names = {str(column) for column in cells.columns}
    if names & {"score", "successes"} or not (names & {"model", "task"} or _name_column(cells)):
        return False
    columns = score_columns(cells)
    return len(columns) >= 2 or any(map(task_and_metric, columns))


def _name_column(cells: "pd.DataFrame") -> str | None:
    """A column of texts that are all different, such as names of models: the first there is."""
    return next((c for c in map(str, cells.columns) if _names_rows(cells[c])), None)


def _names_rows(values: "pd.Series[Any]") -> bool:
    texts = [value for value in values if not is_unknown(value)]
    is_text = bool(texts) and all(isinstance(v, str) and _number(v) is None for v in texts)
    return is_text and 1 < len(texts) == len(values) == len({*texts})


def _thing(cells: "pd.DataFrame") -> str:
    """What there is a column of each: models where none are named, else metrics or tasks."""
    if "model" not in cells and ("task" in cells or _name_column(cells) is None):
        return "model"
    return "metric" if "task" in cells else "task"


def refuse(cells: "pd.DataFrame", name: str, with_units: Collection[str] = ()) -> None:
    """Raise for a wide table, with the very command that reads it."""
    columns = [c for c in score_columns(cells) if base_metric(c) is None]
    columns = [c for c in columns if normal(c) not in _AVERAGES] or columns
    columns = [c for c in columns if c not in counts(columns).values()]
    thing = _thing(cells)
    command = f"upturn fit {shlex.quote(name)} --wide{_naming(cells)}"
    if _in_per_cent(cells, columns):
        command += " --percent all"
    labels = [c for c in ("model", "task") if c in cells]
    if labels and bool(cells.duplicated(labels).any()):
        command += _telling_apart(cells, labels)
    scales = [scale for scale in PLAUSIBLE if scale not in with_units]
    command += "".join(f" --ignore {scale}" for scale in scales if _is_no_amount(cells, scale))
    raise DataError(
        f"{name}: expected one row a measurement with a column 'score', but got one column a "
        f"{thing} ({listed(columns, most=5)}); type: {command} (in Python: wide=True)"
    )


def _telling_apart(cells: "pd.DataFrame", labels: Sequence[str]) -> str:
    """The option for rows of one name: a column that sets them apart, if one does."""
    for column in (c for c in _APART if c in cells and "model" in labels):
        if not bool(cells.astype(str).duplicated([*labels, column]).any()):
            return f" --column model=model+{column}"
    return " --repeats latest"


def _naming(cells: "pd.DataFrame") -> str:
    """The option that says which column names the models, where none is called so."""
    column = None if {"model", "task"} & {*cells.columns} else _name_column(cells)
    return "" if column is None else f" --column {shlex.quote(f'model={column}')}"


def _check_names(cells: "pd.DataFrame", name: str) -> None:
    """Raise where nothing says which model or task a row is of."""
    if {"model", "task"} & {*cells.columns} or len(cells) < 2:
        return
    option = _naming(cells)
    remedy = f"say which column names them:{option}" if option else "add a column that names them"
    raise DataError(
        f"{name}, wide: expected a column of models or tasks, but got "
        f"{listed(map(str, cells.columns), most=6)}; {remedy}"
    )


def _is_no_amount(cells: "pd.DataFrame", scale: str) -> bool:
    """Whether a column of that name holds other numbers, such as ranks or a share."""
    values = [_number(value) for value in cells[scale]] if scale in cells else []
    known = [value for value in values if value is not None and np.isfinite(value)]
    return bool(known) and max(known) < PLAUSIBLE[scale][0]


def _in_per_cent(cells: "pd.DataFrame", columns: Sequence[str]) -> bool:
    values = [_number(v) for c in columns for v in cells[c].to_numpy(dtype=object)]
    signed = any(isinstance(v, str) and v.strip().endswith("%") for c in columns for v in cells[c])
    finite = [v for v in values if v is not None and np.isfinite(v)]
    return not signed and bool(finite) and 1 < max(finite) <= 100


def melted(cells: "pd.DataFrame", name: str) -> tuple["pd.DataFrame", list[str]]:
    """A wide table as one row a measurement.

    Averages over tasks are left out, standard errors are joined to their column, and a header
    such as ``ARC (25-shot)`` or ``MMLU - EM`` gives the shots or the metric.

    Raises
    ------
    DataError
        For a table that has scores already, and for one without two columns of numbers.
    """
    import pandas as pd

    if {"score", "successes"} & set(cells.columns):
        raise DataError(
            f"{name}, wide: expected one column a task, but got a column 'score'; leave --wide out"
        )
    _check_names(cells, name)
    columns = score_columns(cells)
    errors = {base: c for c in columns if (base := base_metric(c)) is not None}
    values = [c for c in columns if base_metric(c) is None]
    questions = counts(values)
    values = [c for c in values if c not in questions.values()]
    averages = [c for c in values if normal(c) in _AVERAGES]
    values = [c for c in values if c not in averages]
    if not values:
        raise DataError(
            f"{name}, wide: expected columns of scores, but got {listed(map(str, cells.columns))}; "
            "write one column of numbers a task"
        )
    rescaled = _rescaled(cells)
    beside = [*errors.values(), *questions.values()]
    kept = cells.drop(columns=[*values, *averages, *beside, *rescaled])
    thing = _thing(cells)
    parts = []
    for column in values:
        of = {"stderr": errors.get(without_filter(column)), "trials": questions.get(column)}
        header = task_of_count(column) if column in questions else _shown(column, cells)
        named = labels(header, values) if thing == "task" else {thing: without_filter(column)}
        parts.append(_part(kept, cells, column, of, named))
    melted = pd.concat(parts)
    order = np.argsort(melted.index.to_numpy(), kind="stable")
    notes = [f"wide table: one {thing} each from {listed(values, most=8)}"]
    if averages:
        notes.append(f"averages left out: {listed(averages)}")
    if rescaled:
        notes.append(f"{listed(rescaled, most=4)}: scores before they were rescaled are taken")
    return melted.iloc[order], notes


def _shown(column: str, cells: "pd.DataFrame") -> str:
    """The header of scores before they were rescaled, without what says so."""
    header = column.removesuffix(_RAW)
    return header if header in cells else column


def _part(
    kept: "pd.DataFrame",
    cells: "pd.DataFrame",
    column: str,
    beside: Mapping[str, str | None],
    named: Mapping[str, str],
) -> "pd.DataFrame":
    """One row a measurement of a column, with what stands in columns beside it."""
    new = {key: objects([text] * len(kept)) for key, text in named.items() if key not in kept}
    given = {key: of for key, of in beside.items() if of is not None}
    more = {key: cells[of].to_numpy(dtype=object) for key, of in given.items()}
    measure = "successes" if is_count(column) and "trials" in more else "score"
    return kept.assign(**new, **{measure: cells[column].to_numpy(dtype=object)}, **more)


def has_records(cells: "pd.DataFrame") -> bool:
    """Whether a table has a column of records of metrics and no scores."""
    names = set(map(str, cells.columns))
    return bool(names & {"metrics", "scores"}) and not names & {"score", "successes", "metric"}


def beyond_proportions(cells: "pd.DataFrame") -> tuple[str, ...]:
    """Metrics with a score outside 0 to 1."""
    if "metric" not in cells:
        return ()
    pairs = zip(cells["metric"], cells["score"], strict=True)
    scores = [(metric, _number(score)) for metric, score in pairs]
    outside = [metric for metric, score in scores if score is not None and not 0 <= score <= 1]
    return tuple(dict.fromkeys(outside))


def records_of(cells: "pd.DataFrame", name: str) -> tuple["pd.DataFrame", list[str]]:
    """A column whose cells are records of metrics, as one row a metric.

    Raises
    ------
    DataError
        For a cell that is no record.
    """
    import pandas as pd

    if not has_records(cells):
        return cells, []
    column = next(c for c in ("metrics", "scores") if c in cells)
    records = [_record(value) for value in cells[column]]
    if any(record is None for record in records):
        return cells, []
    keys = list(dict.fromkeys(key for record in records for key in record or {}))
    kept = cells.drop(columns=column)
    parts = []
    for key in keys:
        scores = objects([(record or {}).get(key) for record in records])
        parts.append(kept.assign(metric=objects([key] * len(kept)), score=scores))
    melted = pd.concat(parts)
    order = np.argsort(melted.index.to_numpy(), kind="stable")
    rows = melted.iloc[order]
    present = np.array([value is not None for value in rows["score"]], dtype=np.bool_)
    note = f"column {shown(column)}: one row a metric, {listed(keys, most=6)}"
    return rows[present], [note]


def _record(value: Any) -> dict[str, float] | None:
    """The numbers of a record, which may be written as JSON or as a Python literal."""
    import ast
    import json

    if isinstance(value, str):
        if not value.lstrip().startswith("{") or len(value) > 100_000:
            return None
        try:
            value = json.loads(value)
        except ValueError:
            try:
                value = ast.literal_eval(value)
            except (ValueError, SyntaxError, MemoryError, RecursionError):
                return None
    if not isinstance(value, dict):
        return None
    numbers = {
        str(key): _number(entry) for key, entry in value.items() if not isinstance(entry, str)
    }
    return {key: entry for key, entry in numbers.items() if entry is not None}
