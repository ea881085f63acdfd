"""Results of the LM Evaluation Harness, in its present and in its older layout.

Present (0.4): ``results[task]["acc,none"]`` beside ``acc_stderr,none``, ``n-samples``, ``n-shot``,
``configs``. Older (0.3): ``results[task]["acc"]`` beside ``acc_stderr``, everything else in
``config``.
"""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from upturn.tables.checkpoints import checkpoint_in
from upturn.tables.readers.documents import mapping, number, text, whole

TITLE = "the LM Evaluation Harness"
_NO_METRICS = {"alias", "name", "sample_len", "sample_count", "samples"}
_NO_FILTER = {"", "none"}
_FEWER_BITS = ("load_in_4bit", "load_in_8bit", "autogptq", "gptqmodel")
_MODEL_KEYS = ("pretrained", "model", "path", "engine")
_PLAIN_REVISIONS = {"", "main", "None"}


def by_name(path: Path) -> bool | None:
    """Whether a file holds such results, by its name: None where only a look inside can tell."""
    return None if path.suffix.lower() == ".json" else False


def holds(document: object) -> bool:
    """Whether a JSON document holds such results."""
    fields = mapping(document)
    tasks = fields.get("results")
    return (
        isinstance(tasks, dict)
        and "config_general" not in fields  # that is lighteval
        and all(isinstance(measured, dict) for measured in tasks.values())
        and bool({"versions", "config", "configs"} & fields.keys())
    )


def rows(document: Mapping[str, Any], path: Path) -> Iterator[dict[str, Any]]:
    """One row a task and metric.

    The model is the ``pretrained`` of its arguments, with the revision where that is a checkpoint:
    then ``run`` is the model without it, ``step`` and ``tokens`` are the numbers in it.
    """
    config = mapping(document.get("config"))
    shared = _model(document, config)
    measured = {**mapping(document.get("groups")), **mapping(document.get("results"))}
    for task, values in measured.items():
        facts = mapping(values)
        of_task = {
            "task": task,
            **shared,
            "shots": _shots(document, config, task),
            "setting": _setting(document, config),
            "limited": number(config.get("limit")) > 0,
            "is_group": bool(mapping(document.get("group_subtasks")).get(task)),
        }
        for key, value in facts.items():
            metric, _, filtered = key.partition(",")
            if metric in _NO_METRICS or metric.endswith("_stderr") or math.isnan(number(value)):
                continue
            stderr_key = f"{metric}_stderr{',' if filtered else ''}{filtered}"
            orientation = mapping(mapping(document.get("higher_is_better")).get(task))
            yield of_task | {
                "metric": metric if filtered in _NO_FILTER else key,
                "score": number(value),
                "trials": _trials(document, task, key),
                "stderr": number(facts.get(stderr_key)),
                "lower": orientation.get(metric) is False,
            }


def _model(document: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    given = config.get("model_args")
    arguments = _arguments(given) if isinstance(given, str) else mapping(given)
    named = (text(arguments.get(key)) for key in _MODEL_KEYS)
    base = next(filter(None, named), "") or text(document.get("model_name"))
    base = base or text(config.get("model"))
    if adapter := text(arguments.get("peft")):
        base = f"{base}+{adapter}"
    revision = text(arguments.get("revision"))
    params = number(config.get("model_num_parameters"))
    facts: dict[str, Any] = {"params": params if params > 0 else math.nan}
    name = base if revision in _PLAIN_REVISIONS else f"{base}@{revision}"
    checkpoint = checkpoint_in(name)
    if not checkpoint.revision:
        return facts | {"model": name}
    # an untrained checkpoint has no place on a logarithmic axis
    amounts = {"step": checkpoint.step or math.nan, "tokens": checkpoint.tokens or math.nan}
    return facts | {"model": name, "run": checkpoint.run} | amounts


def _setting(document: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    """What sets a run apart from a plain one: a chat template, weights in fewer bits."""
    given = config.get("model_args")
    arguments = _arguments(given) if isinstance(given, str) else mapping(given)
    chat = ["chat"] if text(document.get("chat_template")) else []
    bits = [key for key in _FEWER_BITS if str(arguments.get(key)).casefold() == "true"]
    quantized = text(arguments.get("quantization"))
    return ", ".join([*chat, *bits, *([quantized] if quantized not in {"", "None"} else [])])


def _arguments(given: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in given.split(","))
    return {key.strip(): value.strip() for key, equals, value in pairs if equals}


def _shots(document: Mapping[str, Any], config: Mapping[str, Any], task: str) -> str:
    of_task = mapping(mapping(document.get("configs")).get(task))
    candidates = (
        mapping(document.get("n-shot")).get(task),
        of_task.get("num_fewshot"),
        config.get("num_fewshot"),
    )
    return next(filter(None, map(whole, candidates)), "")


def _trials(document: Mapping[str, Any], task: str, key: str) -> float:
    """The examples behind a score; where none are given, they follow from the standard error."""
    samples = mapping(mapping(document.get("n-samples")).get(task))
    of_group = mapping(mapping(mapping(document.get("groups")).get(task)).get("sample_count"))
    count = number(samples.get("effective", of_group.get(key)))
    return count if count >= 1 else math.nan
