"""Bundled facts about tasks: chance, number of questions, and whether lower is better."""

import csv
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FILE = Path(__file__).with_name("tasks.csv")
_SUITES = re.compile(r"^(?:lighteval|harness|helm|leaderboard|original|community|custom|extended)$")
# of OpenCompass, who made the copy of the data; of OLMES, the format of the question
_MARKS = re.compile(r"^lukaemon_(?=mmlu)|(?::(?:mc|rc|gen))?(?:::\w+)?$")

_ARGUMENTS = re.compile(r":(?:subject|subset|dataset)=")  # of HELM


@dataclass(frozen=True)
class TaskFacts:
    """What is known of a task.

    Parameters
    ----------
    task
        Its key, as `task_key` gives it.
    chance
        The score of guessing, NaN where it is not known.
    questions
        How many there are, NaN where harnesses differ or it is not known.
    metric
        The metric that ``lower_is_better`` is about, "" for all.
    lower_is_better
        Whether less is better.
    chance_source, questions_source, source
        Where the figures are from; ``source`` is the publication of the task.
    """

    task: str
    chance: float
    questions: float
    metric: str
    lower_is_better: bool
    chance_source: str
    questions_source: str
    source: str


def task_key(name: str) -> str:
    """A name of a task without the marks of a harness: suite, number of shots, punctuation.

    Parameters
    ----------
    name
        As a harness writes it.

    Returns
    -------
    str

    Examples
    --------
    >>> task_key("lighteval|mmlu:anatomy|5|0"), task_key("harness|hendrycksTest-anatomy|5")
    ('mmlu_anatomy', 'hendryckstest_anatomy')
    >>> task_key("mmlu:subject=anatomy")
    'mmlu_anatomy'
    >>> task_key("ARC-Challenge"), task_key("lukaemon_mmlu_anatomy"), task_key("arc_easy:rc::olmes")
    ('arc_challenge', 'mmlu_anatomy', 'arc_easy')
    """
    parts = [part.strip() for part in name.split("|") if part.strip()]
    while len(parts) > 1 and _SUITES.match(parts[0].lower()):
        parts.pop(0)
    while len(parts) > 1 and parts[-1].isdecimal():
        parts.pop()
    bare = _ARGUMENTS.sub(":", _MARKS.sub("", "_".join(parts).casefold()))
    key = re.sub(r"[^\w+]+", "_", bare)
    return re.sub(r"_+", "_", key).strip("_")


def task_facts(name: str) -> TaskFacts | None:
    """What is known of a task, None for one that is not in the table.

    Parameters
    ----------
    name
        As a harness writes it.

    Examples
    --------
    >>> task_facts("hendrycksTest-anatomy").questions, task_facts("my_task")
    (135.0, None)
    """
    return _table().get(task_key(name))


@cache
def _table() -> Mapping[str, TaskFacts]:
    with _FILE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    table: dict[str, TaskFacts] = {}
    for row in rows:
        facts = _of_row(row)
        table |= dict.fromkeys((row["task"], *row["also"].split()), facts)
    return table


def _of_row(row: Mapping[str, str]) -> TaskFacts:
    texts = ("task", "metric", "chance_source", "questions_source", "source")
    return TaskFacts(
        chance=float(row["chance"] or math.nan),
        questions=float(row["questions"] or math.nan),
        lower_is_better=row["lower_is_better"] == "yes",
        **{name: row[name] for name in texts},
    )
