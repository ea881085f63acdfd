"""The forest of a report: the scale of each task that emerges, with its interval."""

from collections.abc import Sequence

import numpy as np

from upturn.checks.numbers import percent
from upturn.posterior.outcomes import SURE
from upturn.show.report.answers import TaskAnswer, listed_first
from upturn.show.report.markup import text
from upturn.show.report.wording import sure_words
from upturn.show.ticks import ticks
from upturn.tables.axis import Axis

FOREST = 40  # rows; all tasks are in the table


def forest(given: Sequence[TaskAnswer], axis: Axis, limits: tuple[float, float], ci: float) -> str:
    """One row a task that emerges: where, and how sure that is."""
    rows = listed_first(given)[:FOREST]
    if not rows:
        return '<p class="soft">No task emerges: see the table for what each does.</p>'
    low, high = limits
    room = (high - low) or 1.0
    marks = [(t.x, t.label) for t in ticks(axis, low, high)] if high > low else []
    grid = "".join(
        f'<line x1="{place}" x2="{place}" y1="0" y2="100%" class="rule"/>'
        for place in (_place(x, low, room) for x, _ in marks)
    )
    body = "".join(
        f"<tr{'' if a.p >= SURE else ' class=faint'}>"
        f'<td class="name">{text(a.title)}</td>'
        f'<td class="graph"><svg aria-hidden="true">{grid}{_span(a, low, room)}</svg></td>'
        f'<td class="nowrap">{text(a.scale)}</td><td class="nowrap soft">{text(a.interval)}</td>'
        f'<td class="n">{text(sure_words(a.p))}</td></tr>'
        for a in rows
    )
    labels = "".join(
        f'<text x="{_place(x, low, room)}" y="14" text-anchor="middle">{text(label)}</text>'
        for x, label in marks
    )
    return (
        '<div class="scroll"><table class="forest"><thead><tr><th scope="col"></th>'
        f'<th scope="col" class="graph">{text(axis.title)} →</th><th scope="col">scale</th>'
        f'<th scope="col">{percent(ci)} interval</th><th scope="col" class="n">how sure</th></tr>'
        f'<tr class="axis"><th></th><th class="graph"><svg aria-hidden="true">{labels}</svg></th>'
        f"<th></th><th></th><th></th></tr></thead><tbody>{body}</tbody></table></div>"
    )


def _place(x: float, low: float, room: float) -> str:
    """A place along the drawing in percent, so that it takes any width."""
    return f"{100 * min(max((x - low) / room, 0.0), 1.0):.2f}%"


def _span(answer: TaskAnswer, low: float, room: float) -> str:
    """The interval, its dot, and arrows where it continues beyond the axis."""
    first, middle, last = (_place(float(x), low, room) for x in answer.x)
    parts = [f'<line x1="{first}" x2="{last}" y1="10" y2="10" class="span"/>']
    if np.isposinf(answer.x[2]):
        parts.append(_tip(last, "M0 5 L8 10 L0 15z"))
    if np.isneginf(answer.x[0]):
        parts.append(_tip(first, "M0 5 L-8 10 L0 15z"))
    if np.isfinite(answer.x[1]):
        parts.append(f'<circle cx="{middle}" cy="10" r="4.5" class="dot"/>')
    return "".join(parts)


def _tip(x: str, path: str) -> str:
    return f'<svg x="{x}" overflow="visible"><path d="{path}" class="tip"/></svg>'
