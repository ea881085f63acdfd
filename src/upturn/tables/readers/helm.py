"""Runs of HELM: the folder of a run holds ``run_spec.json`` and ``stats.json``.

In ``stats.json`` a metric's ``mean`` is over training trials, each a mean over instances; the
statistic ``num_instances`` says how many instances (HELM's ``metrics/metric.py``).
"""

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from upturn.tables.readers.documents import items, mapping, number, read_json, text, whole

TITLE = "HELM"
SPEC, STATS = "run_spec.json", "stats.json"
# Bookkeeping of a run, which says nothing of ability.
_BOOKKEEPING = re.compile(
    r"(num|finish_reason|inference|training|platt|estimated)_.*|ref\d+_.*|logprob.*|batch_size"
    r"|prompt_truncated|prompt_length|max_prob|predicted_index"
)
_OF_TEXT = {"perplexity", "bits_per_byte"}  # of the model's own output, unless it models a text
# What the name of a run says beside its scenario, and other columns say already.
_NOT_THE_TASK = {
    "model", "model_deployment", "method", "max_train_instances", "max_eval_instances",
    "num_train_trials", "num_outputs", "data_augmentation", "stop", "global_prefix",
}  # fmt: skip
_SPLITS = ("test", "valid")  # the first that there is


def by_name(path: Path) -> bool | None:
    """Whether a file holds the statistics of a run: by its name and its neighbour."""
    return path.name == STATS and path.with_name(SPEC).is_file()


def holds(document: object) -> bool:
    """Whether a JSON document holds such statistics."""
    statistics = list(items(document))
    return all(isinstance(stat.get("name"), dict) for stat in statistics) and isinstance(
        document, list
    )


def rows(document: object, path: Path) -> Iterator[dict[str, Any]]:
    """One row a metric of the run, on unperturbed instances."""
    spec = mapping(read_json(path.with_name(SPEC)))
    adapter = mapping(spec.get("adapter_spec"))
    method = text(adapter.get("method"))
    shared = {
        "task": _task(text(spec.get("name")) or path.parent.name),
        "model": text(adapter.get("model")) or text(adapter.get("model_deployment")),
        "setting": method,
        "shots": whole(adapter.get("max_train_instances")),
    }
    stats = _of_split(document)
    trials = stats.get("num_instances", math.nan)
    for metric, mean in stats.items():
        of_text = metric in _OF_TEXT and method != "language_modeling"
        if not (_BOOKKEEPING.fullmatch(metric) or of_text or math.isnan(mean)):
            known = trials if trials >= 1 and trials.is_integer() else math.nan
            yield shared | {"metric": metric, "score": mean, "trials": known}


def _of_split(document: object) -> dict[str, float]:
    """The mean of each statistic over the whole of a split, as it is without perturbation."""
    means: dict[str, dict[str, float]] = {}
    for stat in items(document):
        name = mapping(stat.get("name"))
        if not (name.get("perturbation") or name.get("sub_split")):
            split = text(name.get("split"))
            means.setdefault(split, {})[text(name.get("name"))] = number(stat.get("mean"))
    wanted = next((split for split in _SPLITS if split in means), "")
    return means.get(wanted, {})


def _task(name: str) -> str:
    """The name of a run without what other columns say: "mmlu:subject=anatomy"."""
    scenario, colon, given = name.partition(":")
    if not colon:  # "copyright,model=…"
        scenario, _, given = name.partition(",")
    kept = [a for a in given.split(",") if a and a.partition("=")[0] not in _NOT_THE_TASK]
    return f"{scenario}:{','.join(kept)}" if kept else scenario
