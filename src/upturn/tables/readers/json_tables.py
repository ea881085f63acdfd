"""Tables in JSON: lists of records, columns, and names of models (or tasks) with scores below them.

Layouts that are read: records, ``[{"model": …, "score": …}, …]``; columns, as pandas writes them,
``{"model": {"0": …}, …}`` or ``{"columns": […], "data": [[…], …]}``; a tree of numbers,
``{model: {task: score}}`` or ``{model: {task: {metric: score}}}``, with models or tasks outside;
and records below names, ``{model: {"params": …, "results": {task: score}}}``.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from upturn.tables.cells import objects
from upturn.tables.readers.notes import noted
from upturn.tables.rules import columns, row_limit

if TYPE_CHECKING:
    import pandas as pd

type Record = Mapping[str, Any]

_WRAPPERS = {"data", "results", "rows", "records", "leaderboard", "models"}
_BESIDE = {"version", "metadata", "meta", "date", "description", "updated", "name", "title"}
_SCORES = ("results", "scores", "tasks", "benchmarks", "evals", "evaluations", "metrics")
COUNTS = ("total", "n", "num_samples", "n_samples", "num_examples", "n_examples", "count")
_NAMES = {"model", "task", "score", "model_name", "benchmark", "accuracy"}
_SIZE = re.compile(r"(?<![\d.])\d+(?:\.\d+)?[bmt](?![a-z])", re.I)


def table_of(document: Any, name: str) -> "pd.DataFrame | None":
    """The table that a document is, None where it is none of the layouts above."""
    inner = _unwrapped(document)
    for layout in (_of_records, _of_split, _of_columns, _of_index, _of_tree):
        table = layout(inner)
        if table is not None:
            records, note = table
            return table_of_records(records, name, note)
    return None


type _Found = tuple[Sequence[Record], str] | None


def _unwrapped(document: Any) -> Any:
    """What stands in the only part that holds something, as in ``{"version": 1, "data": […]}``."""
    if isinstance(document, dict):
        tables = [v for k, v in document.items() if k.casefold() in _WRAPPERS and _is_records(v)]
        if len(tables) == 1:
            return tables[0]
        parts = [key for key in document if key.casefold() in _WRAPPERS]
        if len(parts) == 1 and {key.casefold() for key in document} <= {*_WRAPPERS, *_BESIDE}:
            return document[parts[0]]
    return document


def _is_records(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(of, dict) for of in value)


def _of_records(document: Any) -> _Found:
    if not _is_records(document):
        return None
    rows = [row for record in document for row in _flat(record)]
    return rows, "" if len(rows) == len(document) else "records: one row a task"


def _of_split(document: Any) -> _Found:
    if not isinstance(document, dict) or not {"columns", "data"} <= set(document):
        return None
    header, data = document["columns"], document["data"]
    is_table = isinstance(header, list) and isinstance(data, list) and bool(data)
    if not is_table or not all(isinstance(r, list) and len(r) == len(header) for r in data):
        return None
    return [dict(zip(map(str, header), row, strict=True)) for row in data], ""


def _of_columns(document: Any) -> _Found:
    if not isinstance(document, dict) or not {str(key).casefold() for key in document} & _NAMES:
        return None
    values = [list(v.values()) if isinstance(v, dict) else v for v in document.values()]
    lengths = {len(v) if isinstance(v, list) else -1 for v in values}
    if len(lengths) != 1 or lengths & {-1, 0}:
        return None
    return [dict(zip(document, row, strict=True)) for row in zip(*values, strict=True)], ""


def _of_index(document: Any) -> _Found:
    """Records below the numbers of their rows, as pandas writes them by index."""
    if isinstance(document, dict) and document and all(map(_is_records, document.values())):
        return _of_lists(document)
    if not isinstance(document, dict) or not _is_records(list(document.values())):
        return None
    keys = [{str(key).casefold() for key in record} for record in document.values()]
    is_numbered = all(str(key).isdigit() for key in document)
    if not is_numbered or not all(of & _NAMES for of in keys):
        return None
    return list(document.values()), ""


def _of_lists(document: Mapping[str, Sequence[Record]]) -> _Found:
    """Lists of records below names of tasks, or of models where the records name tasks."""
    records = [record for of in document.values() for record in of]
    keys = {str(key).casefold() for record in records for key in record}
    label = "model" if keys & {"task", "benchmark"} else "task"
    if not keys & _NAMES or label in keys:
        return None
    rows = [{label: name, **record} for name, of in document.items() for record in of]
    return rows, f"JSON object: names taken as {label}s"


def _of_tree(document: Any) -> _Found:
    """Names of models with scores by task below them, or the other way round."""
    if not isinstance(document, dict) or not document:
        return None
    if not all(isinstance(of, dict) and of for of in document.values()):
        return None
    rows = [row for outer, of in document.items() for row in below(str(outer), of)]
    if not rows or not all(_is_score(row["score"]) for row in rows):
        return None
    outside = sum(bool(_SIZE.search(row["model"])) for row in rows)
    inside = sum(bool(_SIZE.search(row["task"])) for row in rows)
    if inside <= outside:
        return rows, "JSON object: outer names taken as models, inner names as tasks"
    swapped = [row | {"model": row["task"], "task": row["model"]} for row in rows]
    return swapped, "JSON object: outer names taken as tasks, inner names as models"


def part_of(record: Record) -> str | None:
    """The key below which a record has its scores, such as ``results``."""
    return next((key for key in _SCORES if isinstance(record.get(key), dict)), None)


def below(outer: str, of: Record) -> Iterator[dict[str, Any]]:
    """One row a number below a name; numbers beside a part of scores belong to the model."""
    part = part_of(of)
    beside = {} if part is None else {k: v for k, v in of.items() if _is_plain(v)}
    for task, value in (of if part is None else of[part]).items():
        scores = value if isinstance(value, dict) else {"": value}
        count = next((scores[key] for key in COUNTS if key in scores and len(scores) > 1), None)
        trials = {} if count is None else {"trials": count}
        for metric, score in scores.items():
            label = {"metric": str(metric)} if metric else {}
            if not (trials and metric in COUNTS):
                yield {"model": outer, "task": str(task), **label, "score": score} | trials | beside


def _flat(record: Record) -> Iterator[Record]:
    """A record without records in it: a model is its name, scores by task are a row each."""
    flat: dict[str, Any] = {}
    for key, value in record.items():
        if key in {"model", "model_info"} and isinstance(value, dict):
            names = [k for k in ("name", "id", "model_name") if isinstance(value.get(k), str)]
            flat["model"] = value[names[0]] if names else value
            flat |= {k: v for k, v in value.items() if k not in names and k not in record}
        else:
            flat[key] = value
    inner = next((key for key in _SCORES if _is_records(record.get(key))), None)
    if inner is not None and not _NAMES & {*record} - {"model", "model_name"}:
        beside = {key: value for key, value in flat.items() if key != inner}
        for measured in record[inner]:
            yield beside | measured
        return
    part = next((key for key in _SCORES[:-1] if _is_scores(record.get(key))), None)
    if part is None or {"task", "score", "benchmark"} & {*record}:
        yield flat
        return
    beside = {key: value for key, value in flat.items() if key != part}
    for task, score in record[part].items():
        yield beside | {"task": task, "score": score}


def _is_scores(value: object) -> bool:
    return isinstance(value, dict) and bool(value) and all(map(_is_score, value.values()))


def _is_score(value: object) -> bool:
    return value is None or (isinstance(value, (int, float)) and not isinstance(value, bool))


def _is_plain(value: object) -> bool:
    return not isinstance(value, (dict, list))


def table_of_records(records: Sequence[Record], name: str, note: str = "") -> "pd.DataFrame":
    """A row a record, a column a key."""
    import pandas as pd

    keys = columns(name, list(dict.fromkeys(str(key) for record in records for key in record)))
    row_limit(name, len(records))
    cells = {key: objects([record.get(key) for record in records]) for key in keys}
    frame = pd.DataFrame({key: pd.Series(value, dtype=object) for key, value in cells.items()})
    frame = frame.set_axis(pd.RangeIndex(1, len(frame) + 1, name="row"))
    return noted(frame, note) if note else frame
