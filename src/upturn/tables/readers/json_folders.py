"""Folders of JSON that no harness wrote: a file a model, or a folder a model with a file a task.

Layouts that are read: ``{"model": …, task: score, …}``, with or without the model, whose name is
then that of the file; the scores may stand below ``results``, ``scores`` or another such key.
``{"accuracy": …, "total": …}`` is of one task, the name of the file, in the folder of its model.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from upturn.checks.errors import DataError
from upturn.tables.readers.documents import number, read_json, relative, text
from upturn.tables.readers.json_tables import COUNTS, below, part_of, table_of_records
from upturn.tables.readers.metric_words import is_metric
from upturn.tables.readers.paths import task_and_metric

if TYPE_CHECKING:
    import pandas as pd

_MODELS = ("model", "model_name", "model_id", "model_path", "model_name_or_path")
_TASKS = ("task", "task_name", "dataset", "dataset_name", "benchmark")
_SCALES = ("params", "tokens", "flops", "step")
_BESIDE = (
    "batch_size", "date", "epoch", "epochs", "eval_runtime", "eval_samples",
    "eval_samples_per_second", "eval_steps_per_second", "limit", "num_fewshot", "num_params",
    "runtime", "seed", "time", "timestamp", "version",
)  # fmt: skip
_SIZE = re.compile(r"(?<![\d.])\d+(?:\.\d+)?[bmt](?![a-z])", re.I)

type Document = Mapping[str, Any]
type Row = dict[str, Any]


def read_documents(paths: Sequence[Path], folder: Path, name: str) -> "pd.DataFrame | None":
    """The table that the JSON files of a folder make, None where some are of another kind.

    Parameters
    ----------
    paths, folder
        The files, and the folder that they lie in.
    name
        What messages call it.
    """
    documents = {path: _document(path) for path in paths if path.suffix.lower() == ".json"}
    known = {path: of for path, of in documents.items() if of is not None}
    if len(known) < max(2, len(documents)):
        return None
    names = _names(known, folder)
    rows = [
        row | {"source": relative(path, folder)}
        for path, of in known.items()
        for row in _rows(of, path, names[path])
    ]
    return table_of_records(rows, name) if rows else None


def _document(path: Path) -> Document | None:
    try:
        document = read_json(path)
    except DataError:
        return None
    is_record = isinstance(document, dict) and (part_of(document) or _numbers(document))
    return document if is_record else None


def _numbers(document: Document) -> dict[str, float]:
    """The numbers that may be scores: those whose names are paths, where there are some."""
    values = {key: value for key, value in document.items() if number(value) == value}
    if any(map(task_and_metric, values)):
        return {key: value for key, value in values.items() if task_and_metric(key)}
    beside = {*COUNTS, *_SCALES, *_BESIDE}
    return {k: v for k, v in values.items() if not (k in beside or k.startswith("_"))}


def _names(documents: Mapping[Path, Document], folder: Path) -> dict[Path, str]:
    """The model of each file: what it says, else its own name, or that of its folder.

    The folder's where several files have one name, and where a file is of one task.
    """
    stems = Counter(path.stem for path in documents)
    names = {}
    for path, document in documents.items():
        given = next((text(document[key]) for key in _MODELS if text(document.get(key))), "")
        is_inside = path.parent != folder and (stems[path.stem] > 1 or _of_one_task(document))
        names[path] = given or (path.parent.name if is_inside else path.stem).replace("__", "/")
    return names


def _of_one_task(document: Document) -> bool:
    return part_of(document) is None and any(map(_metric, _numbers(document)))


def _metric(key: str) -> str:
    """The metric that a key names, "" where it names none; ``eval_accuracy`` is one."""
    name = key.removeprefix("eval_")
    return name if is_metric(name) else ""


def _rows(document: Document, path: Path, model: str) -> Iterator[Row]:
    scales = {k: document[k] for k in _SCALES if number(document.get(k)) == document.get(k)}
    part = part_of(document)
    if part is not None:
        for row in below(model, {part: document[part]}):
            if number(row["score"]) == row["score"]:
                yield row | scales
        return
    numbers = _numbers(document)
    metrics = {name: value for key, value in numbers.items() if (name := _metric(key))}
    task = next((text(document[key]) for key in _TASKS if text(document.get(key))), path.stem)
    counts = (*COUNTS, "eval_samples")
    trials = next((document[k] for k in counts if number(document.get(k)) >= 1), None)
    for metric, score in metrics.items():
        yield (
            {"task": task, "model": model, "metric": metric, "score": score}
            | ({"trials": trials} if trials else {})
            | scales
        )
    if not metrics and (_SIZE.search(model) or any(text(document.get(key)) for key in _MODELS)):
        for key, score in numbers.items():
            task, metric = task_and_metric(key) or (key, "")
            label = {"metric": metric} if metric else {}
            yield {"task": task, "model": model, **label, "score": score} | scales
