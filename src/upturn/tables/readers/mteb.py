"""Results of MTEB: one file a task, in a folder of the model and its revision.

``scores[split]`` is a list of records with ``main_score`` and ``hf_subset``
(``mteb/load_results/task_results.py``). ``model_meta.json`` beside the files names the model.
"""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from upturn.tables.readers.documents import items, mapping, number, read_json, text

TITLE = "MTEB"
_META = "model_meta.json"
_SPLITS = ("test", "validation", "dev", "train")  # the first that there is


def by_name(path: Path) -> bool | None:
    """Whether a file holds such results, by its name: None where only a look inside can tell."""
    return None if path.suffix.lower() == ".json" and path.name != _META else False


def holds(document: object) -> bool:
    """Whether a JSON document holds such results."""
    fields = mapping(document)
    return {"task_name", "scores", "mteb_version"} <= fields.keys()


def rows(document: Mapping[str, Any], path: Path) -> Iterator[dict[str, Any]]:
    """One row a subset, of the main score."""
    model, params = _model(path)
    splits = mapping(document.get("scores"))
    split = next((name for name in _SPLITS if name in splits), None)
    for entry in items(splits.get(split or next(iter(splits), ""))):
        score, subset = number(entry.get("main_score")), text(entry.get("hf_subset"))
        task = text(document.get("task_name"))
        if not math.isnan(score):
            yield {
                "task": task if subset in {"", "default"} else f"{task}:{subset}",
                "model": model,
                "metric": "main_score",
                "score": score,
                "params": params,
                "continuous": score < 0,
            }


def _model(path: Path) -> tuple[str, float]:
    """The model and its parameters: of the file beside, or the name of the folder."""
    meta = path.with_name(_META)
    if meta.is_file():
        fields = mapping(read_json(meta))
        params = number(fields.get("n_parameters"))
        if text(fields.get("name")):
            return text(fields.get("name")), params if params > 0 else math.nan
    folder = path.parent.parent if len(path.parent.name) >= 32 else path.parent
    return folder.name.replace("__", "/"), math.nan
