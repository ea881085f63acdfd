"""Results of lighteval: ``results_*.json`` with ``config_general`` beside ``results``.

Keys are ``suite|task|shots`` (older: ``suite|task|shots|truncation``); ``all`` and
``suite|task:_average|shots`` are averages over the tasks beside them.
"""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from upturn.tables.readers.documents import mapping, number, text

TITLE = "lighteval"
_STDERR = "_stderr"


def by_name(path: Path) -> bool | None:
    """Whether a file holds such results, by its name: None where only a look inside can tell."""
    return None if path.suffix.lower() == ".json" else False


def holds(document: object) -> bool:
    """Whether a JSON document holds such results."""
    fields = mapping(document)
    return isinstance(fields.get("config_general"), dict) and isinstance(
        fields.get("results"), dict
    )


def rows(document: Mapping[str, Any], path: Path) -> Iterator[dict[str, Any]]:
    """One row a task and metric; averages are left out."""
    general = mapping(document.get("config_general"))
    configured = mapping(general.get("model_config"))
    model = text(general.get("model_name")) or text(configured.get("model_name"))
    limited = number(general.get("max_samples")) >= 1
    for key, values in mapping(document.get("results")).items():
        parts = key.split("|")
        if len(parts) < 3 or parts[1].endswith(":_average"):
            continue
        config = _config(document, parts)
        trials = number(config.get("effective_num_docs"))
        measured = mapping(values)
        for metric, value in measured.items():
            if metric.endswith(_STDERR) or math.isnan(number(value)):
                continue
            yield {
                "task": parts[1],
                "model": model,
                "shots": parts[2] if parts[2].isdigit() else "",
                "metric": metric,
                "score": number(value),
                "trials": trials if trials >= 1 else math.nan,
                "stderr": number(measured.get(metric + _STDERR)),
                "lower": _higher_is_better(config, metric) is False,
                "limited": limited,
            }


def _config(document: Mapping[str, Any], parts: list[str]) -> Mapping[str, Any]:
    configs = mapping(document.get("config_tasks"))
    return mapping(configs.get("|".join(parts[:2])) or configs.get("|".join(parts)))


def _higher_is_better(config: Mapping[str, Any], metric: str) -> object:
    given = config.get("metric") or config.get("metrics")
    for entry in given if isinstance(given, list) else []:
        if mapping(entry).get("metric_name") == metric:
            return mapping(entry).get("higher_is_better")
    return None
