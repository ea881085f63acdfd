"""Items: rows of single answers added up to counts, clustered questions to effective trials.

A row is an item where the scores are all 0 or 1 and a column names the question. The answers of a
curve's point are added up. Where questions come in clusters (several about one passage), answers
within a cluster depend on each other and the variance of their mean is that of Miller (2024,
arXiv:2411.00640, equation 4),

    Var = Σ_c (Σ_{i in c} (s_i − s̄))² / n²,

so the point counts as n_eff = s̄ (1 − s̄) / Var questions. A single point has few clusters, so one
design effect n / n_eff is pooled over the points of a task, weighted by their variance, and never
below 1.
"""

from typing import TYPE_CHECKING

import numpy as np

from upturn.arrays.types import Floats, Integers
from upturn.checks.errors import counted
from upturn.tables.cells import Cells, is_unknown, number
from upturn.tables.readers.schema import LABELS, SCALES, cells_of

if TYPE_CHECKING:
    import pandas as pd

QUESTIONS = ("question", "question_id", "sample_id", "item", "item_id", "doc_id")
CLUSTERS = ("cluster", "cluster_id", "passage", "passage_id", "group_id")
_REPEATS = ("seed", "repeat", "epoch", "attempt", "sample")


def summed(cells: "pd.DataFrame", name: str) -> tuple["pd.DataFrame", list[str]]:
    """Rows of single answers as one row of counts a model and task; other tables as they are.

    Repeated answers to one question are a cluster of their own.
    """
    names = set(map(str, cells.columns))
    if not {"task", "model", "score"} <= names or names & {"trials", "stderr"}:
        return cells, []
    question = next((c for c in QUESTIONS if c in names), None)
    if question is None and not _has_attempts(cells):
        return cells, []
    score = _answers(cells_of(cells, name, "score"))
    if score is None:
        return _by_metric(cells, name) if "metric" in names else (cells, [])
    cluster = next((c for c in CLUSTERS if c in names), question)
    answered = ~np.isnan(score)
    rows, score = cells[answered], score[answered]
    keys = [c for c in (*LABELS, "step", *SCALES) if c in names]
    others = [c for c in map(str, rows.columns) if c not in {*keys, *_REPEATS}]
    keys += [column for column in others if _is_shared(rows, column, keys)]
    point = _codes(rows, keys)
    family = _codes(rows, [*keys, cluster]) if cluster else np.arange(len(rows))
    effective, effect = effective_trials(score, point, family, _codes(rows, ["task"]))
    first = np.unique(point, return_index=True)[1]
    count = np.bincount(point)
    mean = np.bincount(point, weights=score) / count
    trials = np.maximum(np.rint(effective), 1)
    summary = rows.iloc[first].drop(
        columns=[c for c in (question, cluster, *_REPEATS) if c in rows]
    )
    summary = summary[[c for c in summary if c in {*keys, "score"}]]
    summary = summary.assign(score=mean, trials=trials)
    notes = [f"{counted(len(rows), 'answer')} added up to {counted(len(summary), 'row')}"]
    if (~answered).any():
        notes.append(f"{counted(int((~answered).sum()), 'row')} without an answer left out")
    if effect > 1.005:
        notes.append(
            f"questions in clusters ({cluster}): trials divided by a design effect of {effect:.2f}"
        )
    return summary, notes


def _by_metric(cells: "pd.DataFrame", name: str) -> tuple["pd.DataFrame", list[str]]:
    """Answers of those metrics added up that are all 0 or 1; rows of others as they are."""
    import pandas as pd

    groups = [rows for _, rows in cells.groupby("metric", sort=False)]
    if len(groups) < 2:
        return cells, []
    parts = [summed(rows, name) for rows in groups]
    notes = [note for _, of_part in parts for note in of_part]
    return (pd.concat([rows for rows, _ in parts]), notes) if notes else (cells, [])


def _has_attempts(cells: "pd.DataFrame") -> bool:
    """Whether one model answered one task several times, and no column numbers repeats."""
    labels = [c for c in LABELS if c in cells and c != "source"]
    rows = list(zip(*([str(v) for v in cells[label]] for label in labels), strict=True))
    return "repeat" not in cells and len(set(rows)) < len(rows)


def effective_trials(
    score: Floats, point: Integers, cluster: Integers, task: Integers
) -> tuple[Floats, float]:
    """The number of independent questions that clustered ones are worth.

    Parameters
    ----------
    score
        0 or 1, shape (answer,).
    point, cluster, task
        Codes 0, 1, … of each answer; a cluster belongs to one point. Shape (answer,).

    Returns
    -------
    ndarray, shape (point,)
        Effective trials.
    float
        The largest design effect of a task.
    """
    count = np.bincount(point).astype(np.float64)
    mean = np.bincount(point, weights=score) / count
    residual = np.bincount(cluster, weights=score - mean[point])
    first = np.unique(cluster, return_index=True)[1]
    clusters = np.bincount(point[first])
    correction = np.where(clusters > 1, clusters / np.maximum(clusters - 1, 1), 1.0)
    clustered = np.bincount(point[first], weights=residual**2) * correction
    independent = count * mean * (1 - mean)
    task_of = task[np.unique(point, return_index=True)[1]]
    is_clustered = np.bincount(task_of, weights=count) > np.bincount(task_of, weights=clusters)
    ratio = np.bincount(task_of, weights=clustered) / np.maximum(
        np.bincount(task_of, weights=independent), 1e-300
    )
    effect = np.where(is_clustered, np.maximum(ratio, 1.0), 1.0)
    return count / effect[task_of], float(effect.max())


def _answers(cells: Cells) -> Floats | None:
    """Scores of single answers, or None where some are neither 0 nor 1."""
    words = {"true": 1.0, "false": 0.0, "c": 1.0, "i": 0.0}
    raw = [
        float(v) if isinstance(v, (bool, np.bool_)) else words.get(str(v).casefold(), v)
        for v in cells.raw
    ]
    try:
        plain = Cells(cells.table, cells.column, np.array(raw, dtype=object), cells.rows)
        values = number(plain)
    except ValueError:
        return None
    known = values[~np.isnan(values)]
    return values if len(known) and bool(np.isin(known, [0.0, 1.0]).all()) else None


def _codes(rows: "pd.DataFrame", columns: list[str]) -> Integers:
    texts = [["" if is_unknown(v) else str(v) for v in rows[column]] for column in columns]
    numbers: dict[tuple[str, ...], int] = {}
    codes = [numbers.setdefault(key, len(numbers)) for key in zip(*texts, strict=True)]
    return np.array(codes, dtype=np.int64)


def _is_shared(rows: "pd.DataFrame", column: str, keys: list[str]) -> bool:
    """Whether a column says the same of all answers of a point."""
    labels = [c for c in keys if c in LABELS]
    if (
        column in {*QUESTIONS, *CLUSTERS, "score"}
        or rows[column].map(type).isin([dict, list]).any()
    ):
        return False
    return int(_codes(rows, [*labels, column]).max()) == int(_codes(rows, labels).max())
