"""Scores of BIG-bench: the files ``scores_FAMILY_MODEL.json`` of its tasks.

The layout is that of the package ``bigbench`` (``api/results.py``: ``ResultsFileData``). Scores lie
there as tasks report them; the package multiplies some by 100 on loading, which is not done here.
"""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from upturn.tables.readers.documents import items, mapping, number, text, whole

TITLE = "BIG-bench"
_DIGITS = 9  # baselines are means over subtasks, which rounding errors tell apart
_AGGREGATE = "normalized_aggregate_score"  # 0 to 100 between the low and the high score


def by_name(path: Path) -> bool | None:
    """Whether a file holds such scores, by its name: None where only a look inside can tell."""
    if path.suffix.lower() != ".json" or path.name.startswith("full-log_"):
        return False  # a full log repeats the scores beside every prompt
    return None


def holds(document: object) -> bool:
    """Whether a JSON document holds such scores."""
    fields = mapping(document)
    return isinstance(fields.get("scores"), list) and {"task", "model"} <= fields.keys()


def rows(document: Mapping[str, Any], path: Path) -> Iterator[dict[str, Any]]:
    """One row a subtask, number of shots and metric.

    Parameters are the FLOP-matched ones without embeddings, the axis of BIG-bench's own plots. The
    low and the high score, which are those of the preferred metric, are chance and ceiling.
    """
    task = text(mapping(document.get("task")).get("task_name"))
    model = mapping(document.get("model"))
    family, name = text(model.get("model_family")), text(model.get("model_name"))
    params = number(model.get("flop_matched_non_embedding_params"))
    shared = {
        "family": family,
        "model": f"{family} {name}".strip(),
        "params": params if params > 0 else math.nan,
    }
    for score in items(document.get("scores")):
        subtask = text(score.get("subtask_description"))
        of_subtask = shared | {
            "task": task if subtask in {"", task} else f"{task}:{subtask}",
            "shots": whole(score.get("number_of_shots")),  # −1 where shots make no sense
        }
        for metric, value in mapping(score.get("score_dict")).items():
            preferred = metric == score.get("preferred_score")
            bounds = _bounds(score) if preferred and metric != _AGGREGATE else {}
            mean = number(value)
            if not math.isnan(mean):
                measured = {"metric": metric, "score": mean, "continuous": metric == _AGGREGATE}
                yield of_subtask | measured | bounds


def _bounds(score: Mapping[str, Any]) -> dict[str, float]:
    low, high = number(score.get("low_score")), number(score.get("high_score"))
    if not low < high:
        return {}
    return {"chance": round(low, _DIGITS), "ceiling": round(high, _DIGITS)}
