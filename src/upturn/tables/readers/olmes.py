"""Results of OLMES: ``task-000-NAME-metrics.json``, one file a task."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from upturn.tables.readers.documents import mapping, number, text, whole

TITLE = "OLMES"
_NO_ABILITY = ("_per_token", "_per_char", "_per_byte", "num_", "predicted_index", "no_answer")


def by_name(path: Path) -> bool | None:
    """Whether a file holds such results, by its name: None where only a look inside can tell."""
    return None if path.suffix.lower() == ".json" else False


def holds(document: object) -> bool:
    """Whether a JSON document holds such results."""
    fields = mapping(document)
    return {"task_name", "metrics", "task_config"} <= fields.keys() and "model_config" in fields


def rows(document: Mapping[str, Any], path: Path) -> Iterator[dict[str, Any]]:
    """One row a metric that is no by-product; ``primary_score`` repeats the primary metric."""
    task, config = mapping(document.get("task_config")), mapping(document.get("model_config"))
    model, revision = text(config.get("model")), text(config.get("revision"))
    trials = number(document.get("num_instances"))
    primary = text(task.get("primary_metric"))
    measured = mapping(document.get("metrics"))
    for metric, value in measured.items():
        by_product = metric != primary and any(part in metric for part in _NO_ABILITY)
        repeated = metric == "primary_score" and primary in measured
        if by_product or repeated or math.isnan(number(value)):
            continue
        yield {
            "task": text(document.get("task_name")),
            "model": f"{model}@{revision}" if revision not in {"", "main"} else model,
            "shots": whole(task.get("num_shots")),
            "metric": metric,
            "score": number(value),
            "trials": trials if trials >= 1 else math.nan,
            "limited": number(task.get("limit")) >= 1,
        }
