"""Payload: the panels of a report as small numbers, which the page draws when looked at."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from upturn.arrays.types import Floats
from upturn.show.panels import Panel, panels
from upturn.show.text.text import one_line
from upturn.show.ticks import ticks
from upturn.tables.axis import Axis

if TYPE_CHECKING:
    from upturn.questions.fit.result import Fit
    from upturn.show.report.answers import TaskAnswer

GRID, BINS = 33, 40
POINTS = 240  # of one panel; of more, every so many-th is drawn
UNITS = 1000  # steps of the axis, and of the score
_PIECE = 256  # curves in one go, which bounds the memory


def payload(fit: "Fit", given: "Sequence[TaskAnswer]", ci: float) -> dict[str, Any]:
    """The data that the page draws: panels by task and axis, ticks, families.

    Returns
    -------
    dict
        ``units``; ``ticks``, lists of [place, label]; ``families``; ``panels``, one list a task of
        [axis, panel]. A panel is a list in the order in which the page reads it.
    """
    axes = list(dict.fromkeys(axis.name for axis in fit.curves.axes))
    families: dict[str, int] = {}
    marks: dict[str, int] = {}
    packed: dict[int, list[Any]] = {}
    places = np.arange(len(fit.curves))
    for start in range(0, len(places), _PIECE):
        piece = places[start : start + _PIECE]
        for i, panel in zip(piece, panels(fit, piece, ci=ci, grid=GRID, bins=BINS), strict=True):
            packed[int(i)] = _packed(panel, families, marks)
    return {
        "units": UNITS,
        "axes": axes,
        "families": [one_line(name) for name in families],
        "ticks": [json.loads(text) for text in marks],
        "panels": [
            [[axes.index(name), packed[i]] for name, i in answer.curves.items()] for answer in given
        ],
    }


def _packed(panel: Panel, families: dict[str, int], marks: dict[str, int]) -> list[Any]:
    """One panel as a list of small whole numbers."""
    low, high = _heights(panel)

    def across(x: Floats) -> list[int]:
        width = panel.limits[1] - panel.limits[0]
        return _whole((x - panel.limits[0]) / width if width > 0 else np.full(len(x), 0.5))

    def up(y: Floats) -> list[int | None]:
        return [
            None if np.isnan(v) else round(UNITS * (v - low) / (high - low)) for v in y.tolist()
        ]

    kept = np.unique(np.linspace(0, len(panel.x) - 1, min(len(panel.x), POINTS)).round())
    index = kept.astype(np.intp)
    group = [families.setdefault(str(name), len(families)) for name in panel.family[index]]
    points: list[list[Any]] = [
        across(panel.x[index]),
        *(up(v[index]) for v in (panel.score, panel.low, panel.high)),
    ]
    if all(value is None for value in points[2]):
        points[2] = points[3] = []
    return [
        _mark(panel, marks),
        _heights_of(low, high),
        points,
        group if len(set(group)) > 1 else group[:1],
        [up(v) for v in (panel.expected_low, panel.expected, panel.expected_high)],
        _whole(panel.relative_density),
        up(np.array([panel.chance]))[0],
        1 if panel.not_yet else 0,
    ]


def _whole(shares: Floats) -> list[int]:
    return np.rint(UNITS * shares).astype(np.int64).tolist()


def _heights(panel: Panel) -> tuple[float, float]:
    """Bottom and top of the panel: 0 to 1 or the best of proportions, else what there is."""
    values = [panel.score, panel.expected_low, panel.expected_high, np.array([panel.chance])]
    drawn = np.concatenate([v[np.isfinite(v)] for v in values])
    low, high = float(drawn.min()), float(drawn.max())
    if low >= 0 and high <= 1:
        low, high = 0.0, min(1.0, max(0.1, 1.1 * high))
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _heights_of(low: float, high: float) -> list[list[Any]]:
    """Three or so round scores with their places."""
    linear = Axis("score", "linear")
    marks = ticks(linear, low, high, most=4)
    return [[round(UNITS * (t.x - low) / (high - low)), t.label] for t in marks]


def _mark(panel: Panel, marks: dict[str, int]) -> int:
    """The place of the panel's ticks in the list of all there are: most curves share theirs."""
    low, high = panel.limits
    of_axis = ticks(panel.axis, low, high, most=4) if high > low else []
    places = [[round(UNITS * (t.x - low) / (high - low)), t.label] for t in of_axis]
    return marks.setdefault(json.dumps(places, ensure_ascii=False), len(marks))


def embedded(value: Any) -> str:
    r"""JSON in which no text can end the surrounding element or act as markup.

    Examples
    --------
    >>> print(embedded({"task": "</script>&"}))
    {"task":"\u003c/script\u003e\u0026"}
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text
