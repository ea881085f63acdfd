"""What a report says about each task, from fits on every axis and a verdict on one of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from upturn.arrays.types import Floats
from upturn.posterior.outcomes import VERDICTS
from upturn.show.panels import titles_of
from upturn.show.report.wording import interval_words, scale_words
from upturn.tables.axis import Axis

if TYPE_CHECKING:
    from upturn.questions.classify.result import Classification
    from upturn.questions.fit.result import Fit

UNKNOWN = "not judged"
GROUPS = (*VERDICTS, UNKNOWN)
EMERGENT = VERDICTS[:2]


@dataclass(frozen=True, eq=False)
class TaskAnswer:
    """One task (with its metric, setting …) and what is known about it.

    Attributes
    ----------
    title : str
    group : str
        One of `GROUPS`.
    p : float
        Probability that it is emergent, or, without a classification, that it changes.
    x : array (3,)
        Low, median and high coordinate of the scale, infinite beyond the axis.
    scale, interval : str
        The same in words.
    rise : float
        How far the expected score rises, in its own units; NaN where not judged.
    shapes : array (class,)
        Probabilities; empty where nothing was classified.
    best : str
        The likeliest model.
    curves : dict of int
        The place in the fit of the curve on each axis.
    flags : tuple of str
    """

    group: str = UNKNOWN
    p: float = np.nan
    x: Floats = field(default_factory=lambda: np.full(3, np.nan))
    scale: str = ""
    interval: str = ""
    rise: float = np.nan
    shapes: Floats = field(default_factory=lambda: np.empty(0))
    best: str = ""
    title: str = ""
    curves: dict[str, int] = field(default_factory=dict)
    flags: tuple[str, ...] = ()

    @property
    def emergent(self) -> bool:
        """Whether it emerges, at least probably."""
        return self.group in EMERGENT


def answers_of(fit: "Fit", classification: "Classification | None", ci: float) -> list[TaskAnswer]:
    """One answer a task, in the order of the table.

    Parameters
    ----------
    fit : Fit
        On one axis or several.
    classification : Classification, optional
        Of the fit's curves on its first axis.
    ci : float
    """
    judged = (
        _judged_by_change(fit, ci)
        if classification is None
        else _judged_by_shape(classification, ci)
    )
    curves, titles = fit.curves, titles_of(fit.curves)
    flags = fit.flags
    together: dict[tuple[str, ...], dict[str, int]] = {}
    names = [name for name in curves.labels if name != "axis"]
    for i, axis in enumerate(curves.axes):
        key = tuple(str(curves.labels[name][i]) for name in names)
        together.setdefault(key, {})[axis.name] = i
    answers = []
    for by_axis in together.values():
        first = by_axis.get(curves.axes[0].name)
        flags_of = dict.fromkeys(flag for i in by_axis.values() for flag in flags[i])
        what = TaskAnswer() if first is None else judged[first]
        title = titles[next(iter(by_axis.values()))]
        answers.append(replace(what, title=title, curves=by_axis, flags=tuple(flags_of)))
    return answers


def first_axis(fit: "Fit") -> np.ndarray:
    """The places of the curves on the first axis, which come first."""
    axis = fit.curves.axes[0]
    return np.array([i for i, other in enumerate(fit.curves.axes) if other == axis], dtype=np.intp)


def _judged_by_shape(classification: "Classification", ci: float) -> list[TaskAnswer]:
    """From the classification: emergent or not, whatever the formula."""
    curves, frame = classification.curves, classification.summary(ci)
    native = frame[["scale_low", "scale", "scale_high"]].to_numpy(np.float64)
    rise = frame["rise"].to_numpy(np.float64)
    p = frame["p_emergent"].to_numpy(np.float64)
    judged = []
    for i, axis in enumerate(curves.axes):
        x = _coordinates(axis, native[i])
        limits = curves.limits[:, 0, i]
        judged.append(
            TaskAnswer(
                group=str(frame["verdict"].iloc[i]),
                p=float(p[i]),
                x=x,
                scale=scale_words(axis, limits, float(x[1])),
                interval=interval_words(axis, limits, float(x[0]), float(x[2])),
                rise=float(rise[i]),
                shapes=classification.p_class[i],
                best=str(frame["best_model"].iloc[i]),
            )
        )
    return judged


def _judged_by_change(fit: "Fit", ci: float) -> list[TaskAnswer]:
    """From the fit alone: what the curve does, and where, under its one model."""
    frame, by_axis = fit.summary(ci), turns(fit, ci)
    gain, verdicts = frame["gain"].tolist(), frame["verdict"].tolist()
    judged = []
    for i in first_axis(fit):
        turn = by_axis[i]
        judged.append(
            TaskAnswer(
                group=str(verdicts[i]),
                p=turn.p,
                x=np.array([turn.ends[0], turn.x, turn.ends[1]]),
                scale=turn.scale,
                interval=turn.interval,
                rise=gain[i],
                best=fit.model.name,
            )
        )
    return judged


def _coordinates(axis: Axis, native: Floats) -> Floats:
    with np.errstate(divide="ignore"):
        return np.sort(axis.coordinate(native))


@dataclass(frozen=True)
class Turn:
    """The scale at which one curve rises under the model of the fit.

    Attributes
    ----------
    x : float
        The median, infinite beyond the axis.
    ends : tuple of float
        Of the interval.
    scale, interval : str
    p : float
        Probability that it changes on this axis at all.
    """

    x: float
    ends: tuple[float, float]
    scale: str
    interval: str
    p: float


def turns(fit: "Fit", ci: float) -> list[Turn]:
    """The scale at which each curve rises, in the order of the fit."""
    frame = fit.summary(ci)
    native = frame[["scale_low", "scale", "scale_high"]].to_numpy(np.float64)
    scales = []
    for i, (axis, p) in enumerate(zip(fit.curves.axes, frame["p_change"].tolist(), strict=True)):
        low, middle, high = _coordinates(axis, native[i]).tolist()
        limits = fit.curves.limits[:, 0, i]
        scale, interval = (
            scale_words(axis, limits, middle),
            interval_words(axis, limits, low, high),
        )
        scales.append(Turn(middle, (low, high), scale, interval, float(p)))
    return scales


def by_verdict(given: Sequence[TaskAnswer]) -> list[TaskAnswer]:
    """The surest verdict first, and within each the more probably emergent."""
    return sorted(given, key=lambda a: (GROUPS.index(a.group), -np.nan_to_num(a.p, nan=-1.0)))


def listed_first(given: Sequence[TaskAnswer]) -> list[TaskAnswer]:
    """Those that emerge, the surest group first, within it by scale."""
    order = {group: place for place, group in enumerate(GROUPS)}
    there = [answer for answer in given if answer.emergent]
    return sorted(there, key=lambda a: (order[a.group], float(a.x[1]), -a.p))
