"""Filling in what is known of tasks: chance, number of questions, lower is better."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from upturn.arrays.types import Booleans, Integers, Objects
from upturn.tables import cells as cells_module
from upturn.tables.facts.filled import Filled, coded, empty_cells, labels, put
from upturn.tables.facts.tables import is_empty
from upturn.tables.facts.tasks import TaskFacts, task_facts
from upturn.tables.readers.schema import NO_METRIC, TRIALS

if TYPE_CHECKING:
    import pandas as pd

# metrics that are shares of right answers, to which chance and number of questions belong
_RIGHT_ANSWERS = {
    NO_METRIC, "em", "exact_match", "quasi_exact_match", "prefix_exact_match", "exact_str_match",
    "multiple_choice_grade", "mc1", "pass@1", "pass_at_1", "mean_score", "extractive_match",
    "loglikelihood_acc",
}  # fmt: skip


def with_task_facts(done: Filled, name: str) -> Filled:
    """A table with chance and number of questions where it lacks them, for shares of answers."""
    cells = done.cells
    if "task" not in cells:
        return done
    code, tasks = coded(labels(cells, name, "task"))
    facts = [task_facts(task) for task in tasks]
    if not any(facts):
        return done
    metrics = labels(cells, name, "metric")
    right = _are_right_answers(metrics)
    filled = dict[str, frozenset[str]]()
    values = {
        "chance": _without_any(cells, "chance", code, _numbers(facts, "chance"))[code],
        "trials": _questions(
            cells, code, _without_any(cells, "trials", code, _numbers(facts, "questions"))[code]
        ),
    }
    for column, of in values.items():
        of[~right] = None
        cells, goes = put(cells, column, of)
        if goes.any():
            filled[column] = frozenset(str(tasks[i]) for i in set(code[goes]))
    lower = _lower(metrics, code, facts)
    return replace(
        done, cells=cells, lower=lower, tasks=filled, all_tasks=frozenset(map(str, tasks))
    )


def _are_right_answers(metrics: Objects) -> Booleans:
    code, distinct = coded(metrics)
    plain = [str(metric).partition(",")[0].strip().casefold() for metric in distinct]
    return np.array([m in {"", *_RIGHT_ANSWERS} or m.startswith("acc") for m in plain])[code]


def _numbers(facts: Sequence[TaskFacts | None], column: str) -> Objects:
    values = [math.nan if of is None else getattr(of, column) for of in facts]
    return cells_module.objects([None if math.isnan(value) else value for value in values])


def _without_any(cells: "pd.DataFrame", column: str, code: Integers, values: Objects) -> Objects:
    """Values of the tasks of which no row has a cell of a column: where some do, they are right."""
    if column in cells:
        values[code[~empty_cells(cells, column)]] = None
    return values


def _questions(cells: "pd.DataFrame", code: Integers, questions: Objects) -> Objects:
    """The number of questions of each row that has no count and no error of its own.

    Where the score is no whole number of them, only a part was asked, or it is an average; then
    no row of that task gets one, since rows without it would be left out of the curve.
    """
    columns = [c for c in ("successes", "stderr", *TRIALS) if c in cells]
    given = np.zeros(len(cells), dtype=np.bool_)
    for column in columns:
        given |= ~empty_cells(cells, column)
    if "score" not in cells or "successes" in cells or {"n", "num_samples"} & {*cells}:
        return np.full(len(cells), None)
    if given.all():
        return np.full(len(cells), None)
    scores = cells["score"].to_numpy(dtype=object)
    keep = [
        number is not None and not is_counted and _is_whole(score, number)
        for score, number, is_counted in zip(scores, questions, given, strict=True)
    ]
    asked = [
        not is_empty(score) and not is_counted
        for score, is_counted in zip(scores, given, strict=True)
    ]
    doubtful = set(code[np.array(asked) & ~np.array(keep)].tolist())
    keep = [kept and index not in doubtful for kept, index in zip(keep, code.tolist(), strict=True)]
    return cells_module.objects(
        [int(number) if kept else None for number, kept in zip(questions, keep, strict=True)]
    )


def _is_whole(score: object, questions: float) -> bool:
    """Whether a score, in the digits in which it is given, is a whole number of questions."""
    text = str(score).strip()
    try:
        value = float(text)
    except ValueError:
        return False
    if not 0 <= value <= 1:
        return False
    mantissa, _, exponent = text.casefold().partition("e")
    digits = len(mantissa.partition(".")[2]) - int(exponent or 0)
    return abs(round(value * questions) / questions - value) <= 0.5 * 10.0**-digits * (1 + 1e-6)


def _lower(metrics: Objects, code: Integers, facts: Sequence[TaskFacts | None]) -> tuple[str, ...]:
    """The metrics of which less is better in every task that has them."""
    orientation: dict[str, bool] = {}
    for metric, index in set(zip(metrics, code.tolist(), strict=True)):
        of, plain = facts[index], str(metric).partition(",")[0]
        is_lower = of is not None and of.lower_is_better and plain == of.metric
        orientation[str(metric)] = is_lower and orientation.get(str(metric), True)
    return tuple(sorted(metric for metric, is_lower in orientation.items() if is_lower))
