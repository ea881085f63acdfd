"""What a header of a wide table says: a task, with its metric or shots; a number of questions."""

import re
from collections.abc import Collection

from upturn.tables.readers.metric_words import is_metric
from upturn.tables.readers.paths import task_and_metric
from upturn.tables.shaping.headers import IN_PER_CENT
from upturn.tables.shaping.stderr import without_filter

_SHOTS = re.compile(r"(?P<task>.*?)[\s_]*[(\[]?(?P<shots>\d+)[\s-]?shots?[)\]]?", re.I)
_METRIC = re.compile(r"(?P<task>.+?)\s+-\s+(?P<metric>.+)")
_IN_BRACKETS = re.compile(r"(?P<task>.+?)\s*[(\[](?P<metric>[^()\[\]]+)[)\]]")
_JOINED = re.compile(r"(?P<task>.+?)[_ ](?P<metric>acc_norm|acc|accuracy|exact_match|em|f1)", re.I)
_COUNT = re.compile(r"(?P<task>.+?)[_ ](?:n|num|count|total|trials|n_samples|num_samples)", re.I)

_RIGHT = re.compile(r"(?P<task>.+?)[_ ](?:correct|num_correct|passed|right)", re.I)


def is_count(header: str) -> bool:
    """Whether a header is that of a number of right answers."""
    return _RIGHT.fullmatch(header) is not None


def task_of_count(header: str) -> str:
    """The task whose right answers a header counts, any other header as it is."""
    match = _RIGHT.fullmatch(header)
    return header if match is None else match["task"]


def labels(header: str, headers: Collection[str] = ()) -> dict[str, str]:
    """Task, shots and metric that a header names.

    Parameters
    ----------
    header, headers
        One, and all of them: where each ends in a metric, ``arc_acc`` is the task and its metric.

    Examples
    --------
    >>> labels("ARC(25-shot)"), labels("MMLU - EM")
    ({'task': 'ARC', 'shots': '25'}, {'task': 'MMLU', 'metric': 'EM'})
    >>> labels("arc_acc", ["arc_acc", "piqa_acc"]), labels("arc_acc", ["arc_acc", "piqa"])
    ({'task': 'arc', 'metric': 'acc'}, {'task': 'arc_acc'})
    """
    path = task_and_metric(header)
    if path:
        return {"task": path[0], "metric": without_filter(path[1])}
    header = IN_PER_CENT.sub("", header)
    shots = _SHOTS.fullmatch(header)
    if shots and shots["task"]:
        return {"task": shots["task"], "shots": shots["shots"]}
    bracket = _IN_BRACKETS.fullmatch(header)
    metric = bracket if bracket and is_metric(bracket["metric"]) else _METRIC.fullmatch(header)
    if metric is None and headers and all(map(_JOINED.fullmatch, headers)):
        metric = _JOINED.fullmatch(header)
    return {"task": header} if metric is None else metric.groupdict()


def counts(headers: Collection[str]) -> dict[str, str]:
    """The number of questions beside each score: the header of the count by that of the score.

    Examples
    --------
    >>> counts(["arc", "arc_n", "piqa"])
    {'arc': 'arc_n'}
    """
    counted = {m["task"]: header for header in headers if (m := _COUNT.fullmatch(header))}
    right = {m["task"]: header for header in headers if (m := _RIGHT.fullmatch(header))}
    scores = {task: task if task in headers else right.get(task) for task in counted}
    return {score: counted[task] for task, score in scores.items() if score is not None}
