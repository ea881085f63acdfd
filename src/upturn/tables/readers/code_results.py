"""Results on code: the leaderboard file of EvalPlus, and the BigCode evaluation harness.

EvalPlus: ``{model: {"pass@1": {task: per cent}, "size": billions}}``. BigCode:
``{task: {"pass@1": proportion}, "config": {"model": …}}``. Answers of EvalPlus lie in
``MODEL_vllm_temp_0.0.eval_results.json``: ``{"eval": {"HumanEval/0": [{"base_status": "pass",
"plus_status": "fail"}]}}``, a list of attempts a problem.
"""

import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from upturn.tables.readers.documents import items, mapping, number, text

TITLE = "EvalPlus or the BigCode harness"
_PASS = "pass@1"
_BASE, _PLUS, _PASSED = "base_status", "plus_status", ("pass", "success")
_RUN = re.compile(r"(?:_[a-z]+_temp_[\d.]+)?[._]eval_results\.json$|\.json$")
_BILLION = 1e9


def by_name(path: Path) -> bool | None:
    """Whether a file holds such results, by its name: None where only a look inside can tell."""
    return None if path.suffix.lower() == ".json" else False


def holds(document: object) -> bool:
    """Whether a JSON document holds such results."""
    kinds = (_is_evalplus, _is_bigcode, _is_answers)
    return any(is_kind(mapping(document)) for is_kind in kinds)


def _is_evalplus(document: Mapping[str, Any]) -> bool:
    return bool(document) and all(
        isinstance(mapping(entry).get(_PASS), dict) for entry in document.values()
    )


def _is_bigcode(document: Mapping[str, Any]) -> bool:
    tasks = {key: value for key, value in document.items() if key != "config"}
    return (
        "model" in mapping(document.get("config"))
        and bool(tasks)
        and all(isinstance(value, dict) and _has_pass(value) for value in tasks.values())
    )


def _is_answers(document: Mapping[str, Any]) -> bool:
    problems = mapping(document.get("eval"))
    return bool(problems) and all(
        isinstance(attempts, list) and any(_BASE in attempt for attempt in items(attempts))
        for attempts in problems.values()
    )


def _has_pass(values: Mapping[str, Any]) -> bool:
    return any(key.startswith("pass@") for key in values)


def rows(document: Mapping[str, Any], path: Path) -> Iterator[dict[str, Any]]:
    """One row a model, task and number of attempts."""
    if _is_answers(document):
        return _answers(document, path)
    return _bigcode(document) if _is_bigcode(document) else _evalplus(document)


def _answers(document: Mapping[str, Any], path: Path) -> Iterator[dict[str, Any]]:
    """One row for the tests of the data set, and one for those that EvalPlus adds."""
    problems = mapping(document.get("eval"))
    task = next(iter(problems)).partition("/")[0].casefold()
    model = _RUN.sub("", path.name).replace("--", "/")
    for status, mark in ((_BASE, ""), (_PLUS, "+")):
        passed = [
            [attempt.get(status) in _PASSED for attempt in items(attempts) if status in attempt]
            for attempts in problems.values()
        ]
        if all(passed):
            yield {
                "task": f"{task}{mark}",
                "model": model,
                "metric": _PASS,
                "score": sum(sum(of) / len(of) for of in passed) / len(passed),
                "trials": len(passed),
            }


def _evalplus(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Scores are per cent and sizes billions of parameters, as the leaderboard documents."""
    for model, entry in document.items():
        size = number(mapping(entry).get("size"))
        for task, value in mapping(mapping(entry).get(_PASS)).items():
            score = number(value)
            if not math.isnan(score):
                yield {
                    "task": task,
                    "model": model,
                    "metric": _PASS,
                    "score": round(score / 100, 9),
                    "params": size * _BILLION if size > 0 else math.nan,
                }


def _bigcode(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    config = mapping(document.get("config"))
    limit = number(config.get("limit"))
    for task, values in document.items():
        if task == "config":
            continue
        for metric, value in values.items():
            if metric.startswith("pass@") and not math.isnan(number(value)):
                yield {
                    "task": task,
                    "model": text(config.get("model")),
                    "metric": metric,
                    "score": number(value),
                    "limited": limit >= 1,
                }
