"""Pairing: the results of a technique and of its baseline on the same models, as one batch."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from upturn.checks.errors import DataError, counted, listed, shown
from upturn.questions.contrast.gains import APART
from upturn.tables.curves import Curves, curve_names
from upturn.tables.flags import data_flags

FEWEST = 4  # models in both settings
_OF_SETTING = ("setting", "shots")


def settings_of(setting: Any) -> tuple[str, str]:
    """Technique and baseline of "cot:direct", or of two names.

    Raises
    ------
    DataError
    """
    names = setting.split(":") if isinstance(setting, str) else setting
    if not isinstance(names, Sequence) or len(names) != 2 or not all(
        isinstance(name, str) and name for name in names
    ):  # fmt: skip
        raise DataError(
            f"setting: expected a technique and its baseline, but got {shown(setting)}; "
            "for example cot:direct, or two names where one has a colon"
        )
    technique, baseline = names
    if technique == baseline:
        raise DataError(f"setting: expected two settings, but got {shown(technique)} twice")
    return technique, baseline


def paired(curves: Curves, technique: str, baseline: str) -> Curves:
    """One curve a task of both settings' points, technique's `APART` lengths to the right.

    Points of a model make a group. Models in one setting only, tasks without a partner or with
    fewer than four models at two scales, and continuous metrics are left out, and counted in the
    notes.

    Parameters
    ----------
    curves : Curves
        Of both settings and others, without groups.
    technique, baseline : str

    Raises
    ------
    DataError
        For a setting that is not there; where nothing is left; for a task that has one of the
        settings with several numbers of shots.
    """
    if "setting" not in curves.labels:
        raise DataError(
            "setting: expected a column of settings, but got none; name the technique in one"
        )
    here = list(dict.fromkeys(curves.labels["setting"].tolist()))
    for name in (technique, baseline):
        if name not in here:
            raise DataError(
                f"setting: expected one of {listed(here)}, but got {shown(name)}; "
                "name a technique and its baseline"
            )
    tasks = _by_task(curves, technique, baseline)
    parts, notes = [], _Counts()
    for key, by_technique in tasks.items():
        if len(by_technique) < 2:
            notes.add("without a partner", key[0])
        elif "continuous" in curves.kind[list(by_technique.values())]:
            notes.add("of continuous metrics", key[0])
        else:
            pair, dropped = _joined(curves, by_technique[technique], by_technique[baseline])
            notes.dropped += dropped
            if pair is None:
                notes.add(f"with fewer than {FEWEST} models at two scales in both settings", key[0])
            else:
                parts.append(pair)
    if not parts:
        raise DataError(
            f"setting: expected tasks with at least {FEWEST} models both in {shown(technique)} and "
            f"in {shown(baseline)}, but got none; {'; '.join(notes.texts())}"
        )
    joint = Curves.concatenate(parts)
    return replace(joint, notes=(*curves.notes, *notes.texts()))


class _Counts:
    """What was left out."""

    def __init__(self) -> None:
        self.dropped = 0
        self.tasks: dict[str, list[str]] = {}

    def add(self, why: str, task: str) -> None:
        self.tasks.setdefault(why, []).append(task)

    def texts(self) -> list[str]:
        index = [
            f"{counted(len(names), 'task')} {why} left out: {listed(names, most=3)}"
            for why, names in self.tasks.items()
        ]
        if self.dropped:
            index.insert(0, f"{counted(self.dropped, 'score')} of models in one setting only "
                            "left out")  # fmt: skip
        return index


def _by_task(
    curves: Curves, technique: str, baseline: str
) -> dict[tuple[str, ...], dict[str, int]]:
    """The curves of both settings for each task, metric and axis."""
    names = [name for name in curves.labels if name not in _OF_SETTING]
    tasks: dict[tuple[str, ...], dict[str, int]] = {}
    for i, setting in enumerate(curves.labels["setting"].tolist()):
        if setting not in {technique, baseline}:
            continue
        techniques = tasks.setdefault(tuple(str(curves.labels[n][i]) for n in names), {})
        if setting in techniques:
            raise DataError(
                f"setting: expected one curve of {shown(setting)} for a task, but got several of "
                f"{shown(str(curves.labels['task'][i]))}, with different shots; take those of one "
                "number, as with where shots=8"
            )
        techniques[setting] = i
    return tasks


def _joined(curves: Curves, technique: int, baseline: int) -> tuple[Curves | None, int]:
    """Both curves of a task as one, and how many scores had no partner."""
    first, second = _places(curves, baseline), _places(curves, technique)
    common = [key for key in first if key in second]
    dropped = len(first) + len(second) - 2 * len(common)
    x = np.array([key[1] for key in common])
    if len(common) < FEWEST or np.ptp(x) == 0:
        return None, dropped
    count = len(common)
    points = [first[k] for k in common], [second[k] for k in common]
    curve = curves.take([baseline])
    low, high = x.min(), x.max()
    counts = (curves.kind[[baseline, technique]] == "counts").all()
    response, trials = (
        np.concatenate([_values(curves, i, p, counts)[j] for i, p in
                        zip((baseline, technique), points, strict=True)])[None]
        for j in range(2)
    )  # fmt: skip
    labels = {name: v for name, v in curve.labels.items() if name not in _OF_SETTING}
    mask = np.ones((1, 2 * count), dtype=np.bool_)
    twice = [points[0], points[0]]
    arrays: dict[str, Any] = {
        name: np.concatenate([getattr(curves, name)[baseline, p] for p in twice])[None]
        for name in ("model", "family", "run")
    }
    kind = np.array(["counts" if counts else "proportion"])
    flags = data_flags(x[None, None], mask[:, :count], response[:, :count], trials[:, :count], kind)
    return (
        replace(
            curve,
            name=curve_names(labels),
            labels=labels,
            x=np.concatenate([x, x + APART * (high - low)])[None, None],
            limits=np.array([low, high])[:, None, None],
            response=response,
            trials=trials,
            mask=mask,
            group=np.tile(np.arange(count, dtype=np.int32), 2)[None],
            kind=kind,
            flags=flags,
            notes=(),
            **arrays,
        ),
        dropped,
    )


def _places(curves: Curves, i: int) -> dict[tuple[str, float, int], int]:
    """The points of a curve by model, coordinate and run."""
    keys = zip(
        curves.model[i].tolist(), curves.x[0, i].tolist(), curves.run[i].tolist(), strict=True
    )
    return {key: p for p, key in enumerate(keys) if curves.mask[i, p]}


def _values(curves: Curves, i: int, points: list[int], counts: bool) -> tuple[Any, Any]:
    """Responses and trials; scores and none where the settings are not both counted."""
    if counts:
        return curves.response[i, points], curves.trials[i, points]
    return curves.score[i, points], np.zeros(len(points))


def both_scores(joint: Curves, i: int) -> tuple[Any, Any, Any]:
    """Coordinates, baseline's and technique's scores of a joint curve: (model,) each."""
    count = int(joint.points[i]) // 2
    score = joint.score[i]
    return joint.x[0, i, :count], score[:count], score[count : 2 * count]
