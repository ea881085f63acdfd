"""Repeated measurements: several rows of one model on one task, and what is done about them."""

from dataclasses import replace
from shlex import quote
from typing import TYPE_CHECKING

import numpy as np

from upturn.arrays.types import Booleans, Integers
from upturn.checks.errors import DataError, counted, shown
from upturn.tables.readers.schema import LABELS, MEASURES, SCALES, Clean, ids_of

if TYPE_CHECKING:
    import pandas as pd


POLICIES = ("refuse", "pool", "mean", "latest")
KNOWN = ("seed", "repeat")  # columns that tell repeats apart
IDENTITY = ("task", "model", "metric", "setting", "shots", "run", "family")
_FEW = 20  # settings
_NO_SETTING = {"source", "question", "id", "eval_id", "date"}
_TELL_APART = (
    "params", "step", "revision", "checkpoint", "data", "recipe", "variant", "version",
)  # fmt: skip


def settled(clean: Clean, policy: str) -> Clean:
    """A table in which every measurement stands once.

    Parameters
    ----------
    clean
        The rows; their trials are known where they can be.
    policy
        "pool" adds the counts up, "mean" takes the mean score and the mean number of trials,
        "latest" the last row. "refuse" refuses repeats that no column `seed` or `repeat` explains,
        and adds up those that one does.

    Raises
    ------
    DataError
        With the number of all repeated rows and the first few.
    """
    clean, notes = _runs_read(clean)
    labels = [column for column in IDENTITY if column in clean.frame]
    ids = ids_of(clean.frame, labels)
    count = np.bincount(ids)
    repeated = count[ids] > 1
    if not repeated.any():
        return _with(clean, notes)
    known = [column for column in KNOWN if column in clean.frame]
    if policy == "refuse":
        explained = ids_of(clean.frame.astype(dict.fromkeys(known, str)), [*labels, *known])
        if not known or len(np.unique(explained)) < len(explained):
            _refuse(clean, ids if not known else explained, labels)
        policy = "pool"
    done = _latest(clean, ids) if policy == "latest" else _combined(clean, ids, policy)
    done = replace(done, frame=done.frame.drop(columns=known))
    word = {"pool": "added up", "mean": "averaged", "latest": "left out for a later one"}[policy]
    rows = len(clean) - len(done) if policy == "latest" else int(repeated.sum())
    points = int((count > 1).sum())
    notes = [*notes, f"{counted(rows, 'repeated row')} of {counted(points, 'measurement')} {word}"]
    return _with(done, notes)


def _with(clean: Clean, notes: list[str]) -> Clean:
    return replace(clean, remarks=(*clean.remarks, *notes)) if notes else clean


def _runs_read(clean: Clean) -> tuple[Clean, list[str]]:
    """A column ``run`` that numbers repeats, taken as such.

    A training run has one size. Where one model stands in several runs, each of which has models
    of several sizes, the column numbers repeated evaluations.
    """
    frame = clean.frame
    if "run" not in frame or "params" not in frame or "repeat" in frame:
        return clean, []
    runs = frame[frame["run"] != ""]
    sizes = runs.groupby("run", sort=False)["params"].nunique()
    shared = runs.groupby("model", sort=False)["run"].nunique()
    if not len(runs) or sizes.min() < 2 or shared.min() < 2:
        return clean, []
    note = "column 'run' numbers repeats, since every run has models of several sizes"
    return replace(clean, frame=frame.rename(columns={"run": "repeat"})), [note]


def _refuse(clean: Clean, ids: Integers, labels: list[str]) -> None:
    frame, cells = clean.frame, clean.cells("score")
    _, first, inverse = np.unique(ids, return_index=True, return_inverse=True)
    again: Booleans = first[inverse] != np.arange(len(ids))
    index = int(np.argmax(again))
    before = int(first[inverse[index]])
    rows, models = int(again.sum()), frame["model"][again].nunique()
    more = f" ({counted(rows, 'repeated row')} of {counted(models, 'model')})" if rows > 1 else ""
    apart, choose = _apart(frame, ids), "choose by --repeats latest, pool or mean"
    raise DataError(
        f"{clean.name}, {cells.row(index)}: expected each measurement once ({', '.join(labels)}), "
        f"but got {_described(frame, index, labels)} again, after {cells.row(before)}: "
        f"{_scores(frame, before)} and {_scores(frame, index)}{more}; "
        f"{f'{apart}, or {choose}' if apart else choose}"
    )


def _apart(frame: "pd.DataFrame", ids: Integers) -> str:
    """How a column that differs among repeated rows sets them apart, as checkpoints do."""
    for column in _TELL_APART:
        if column in frame and (frame[column].groupby(ids).nunique() > 1).any():
            return f"name the models apart by --column model=model+{column}"
    others = [c for c in frame if c not in {*LABELS, *MEASURES, *SCALES} and c not in _NO_SETTING]
    for column in (c for c in map(str, others) if frame[c].dtype.kind != "f"):
        different = frame[column].groupby(ids).nunique().to_numpy()
        if (different == np.bincount(ids)).all() and frame[column].nunique() <= _FEW:
            return f"take them for settings by --column {quote(f'setting={column}')}"
    return ""


def _described(frame: "pd.DataFrame", index: int, labels: list[str]) -> str:
    row = frame.iloc[index]
    return ", ".join(f"{label} {shown(row[label])}" for label in labels if row[label])


def _scores(frame: "pd.DataFrame", index: int) -> str:
    row = frame.iloc[index]
    place = f" in {shown(row['source'])}" if row.get("source") else ""
    return f"{shown(row['score'])}{place}"


def _latest(clean: Clean, ids: Integers) -> Clean:
    last = len(ids) - 1 - np.unique(ids[::-1], return_index=True)[1]
    keep = np.zeros(len(ids), dtype=np.bool_)
    keep[last] = True
    return clean.select(keep)


def _combined(clean: Clean, ids: Integers, policy: str) -> Clean:
    """One row a measurement: counts added up, or scores averaged."""
    frame = clean.frame
    first = np.sort(np.unique(ids, return_index=True)[1])
    order = ids[first]
    count = np.bincount(ids)
    trials = frame["trials"].to_numpy(dtype=np.float64)
    score = frame["score"].to_numpy(dtype=np.float64)
    sums = {"trials": np.bincount(ids, weights=trials)}
    with_trials = ~np.isnan(sums["trials"])
    weight = np.where(with_trials[ids], np.nan_to_num(trials), 1.0)
    weight = np.ones_like(weight) if policy == "mean" else weight
    mean = np.bincount(ids, weights=weight * score) / np.bincount(ids, weights=weight)
    share = count if policy == "mean" else np.ones_like(count)
    changed = {"score": mean[order], "trials": np.rint(sums["trials"] / share)[order]}
    given = frame["successes"].to_numpy(dtype=np.float64)
    changed["successes"] = (
        np.bincount(ids, weights=given)[order]
        if policy == "pool"
        else np.where(count > 1, np.nan, np.bincount(ids, weights=given))[order]
    )
    if "stderr" in frame:
        error = frame["stderr"].to_numpy(dtype=np.float64)
        changed["stderr"] = (np.sqrt(np.bincount(ids, weights=error**2)) / count)[order]
    keep = np.zeros(len(ids), dtype=np.bool_)
    keep[first] = True
    kept = clean.select(keep)
    marks = {str(c): np.bincount(ids, weights=clean.marks[c])[order] > 0 for c in clean.marks}
    return replace(kept, frame=kept.frame.assign(**changed), marks=kept.marks.assign(**marks))
