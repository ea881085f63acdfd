"""Details cards of the Open LLM Leaderboard: ``{"all": {task: metrics}, task: metrics}``.

A card repeats the results of the LM Evaluation Harness and does not name its model, which is the
name of the file.
"""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from upturn.tables.readers.documents import mapping, number

TITLE = "a details card of the Open LLM Leaderboard"


def by_name(path: Path) -> bool | None:
    """Whether a file is such a card, by its name: None where only a look inside can tell."""
    return None if path.suffix.lower() == ".json" else False


def holds(document: object) -> bool:
    """Whether a JSON document is such a card."""
    tasks = mapping(mapping(document).get("all"))
    return bool(tasks) and all(
        isinstance(values, dict) and any("," in key for key in values) for values in tasks.values()
    )


def rows(document: Mapping[str, Any], path: Path) -> Iterator[dict[str, Any]]:
    """One row a task and metric; a task that is the beginning of another's name is a group."""
    tasks = mapping(document.get("all"))
    for task, values in tasks.items():
        is_group = any(other.startswith(f"{task}_") for other in tasks)
        for key, value in mapping(values).items():
            metric, _, kept = key.partition(",")
            if metric.endswith("_stderr") or math.isnan(number(value)):
                continue
            yield {
                "task": task,
                "model": path.stem,
                "metric": metric if kept in {"", "none"} else key,
                "score": number(value),
                "stderr": number(mapping(values).get(f"{metric}_stderr,{kept}")),
                "is_group": is_group,
            }
