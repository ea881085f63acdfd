"""Records of Every Eval Ever (evaleval, ``eval.schema.json``, versions 0.1 and 0.2)."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from upturn.tables.readers.documents import items, mapping, number, text

TITLE = "Every Eval Ever"


def by_name(path: Path) -> bool | None:
    """Whether a file is such a record, by its name: None where only a look inside can tell."""
    return None if path.suffix.lower() == ".json" else False


def holds(document: object) -> bool:
    """Whether a JSON document is such a record."""
    fields = mapping(document)
    return isinstance(fields.get("evaluation_results"), list) and "model_info" in fields


def rows(document: Mapping[str, Any], path: Path) -> Iterator[dict[str, Any]]:
    """One row an evaluation of the model.

    A score on another scale than 0 to 1 whose ends the record states is brought to it.
    """
    info = mapping(document.get("model_info"))
    model = text(info.get("id")) or text(info.get("name"))
    for result in items(document.get("evaluation_results")):
        config = mapping(result.get("metric_config"))
        details = mapping(result.get("score_details"))
        source = mapping(result.get("source_data"))
        low, high = number(config.get("min_score")), number(config.get("max_score"))
        score, error = number(details.get("score")), _stderr(details)
        if math.isnan(score):
            continue
        if low == 0 and high > 1 and math.isfinite(high):
            score, error, high = score / high, error / high, 1.0
        dataset, name = text(source.get("dataset_name")), text(result.get("evaluation_name"))
        yield {
            "task": _task(dataset, name),
            "model": model,
            "metric": text(config.get("metric_name")) or text(config.get("evaluation_description")),
            "score": score,
            "stderr": error,
            "trials": _trials(details, source),
            "lower": config.get("lower_is_better") is True,
            "continuous": not (low == 0 and high == 1),
        }


def _task(dataset: str, name: str) -> str:
    if not dataset or dataset == name or name.startswith(dataset):
        return name
    return f"{dataset}:{name}" if name else dataset


def _stderr(details: Mapping[str, Any]) -> float:
    uncertainty = mapping(details.get("uncertainty"))
    given = uncertainty.get("standard_error", details.get("standard_error"))
    return number(mapping(given).get("value") if isinstance(given, dict) else given)


def _trials(details: Mapping[str, Any], source: Mapping[str, Any]) -> float:
    """The samples behind a score: those listed where there are fewer than the data set has."""
    given = number(mapping(details.get("uncertainty")).get("num_samples"))
    listed = source.get("sample_ids")
    count = float(len(listed)) if isinstance(listed, list) and listed else math.nan
    whole = number(source.get("samples_number"))
    samples = next((n for n in (given, count, whole) if n >= 1), math.nan)
    return samples if samples.is_integer() else math.nan
