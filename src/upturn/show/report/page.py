"""The page: a report's answers as one HTML file that loads nothing.

Every text from the table passes through `text`; what the script draws is in a block of JSON, and
the page's security policy lets no other script run than the one whose hash it names.
"""

import base64
import hashlib
from collections.abc import Sequence
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING

import numpy as np

from upturn.checks.errors import counted
from upturn.checks.numbers import percent, signed
from upturn.posterior.outcomes import SURE
from upturn.show.report.answers import GROUPS, UNKNOWN, TaskAnswer, Turn
from upturn.show.report.axes import axes_note, axes_table
from upturn.show.report.diagnostics import diagnostics_of, problems_of
from upturn.show.report.forest import FOREST, forest
from upturn.show.report.markup import table_of, text
from upturn.show.report.payload import POINTS, embedded, payload
from upturn.show.report.provenance import provenance_of
from upturn.show.report.wording import sure_words

if TYPE_CHECKING:
    from upturn.show.report.contents import Contents

_WIDE = 1000  # units of the drawing of a scale
_SHAPES = {
    "flat": "flat: no change over the observed scales",
    "smooth": "smooth: rises along an S-shaped curve or a straight line",
    "changepoint": "changepoint: flat up to a scale, then a sudden change",
    "inverse": "inverse: falls",
    "u-shaped": "u-shaped: falls, then rises",
    "humped": "humped: rises, then falls",
}


def page(report: "Contents") -> str:
    """The whole file."""
    given, axis = report.answers, report.axis
    noun = report.noun
    style, script = _asset("style.css"), _asset("page.js")
    lead, *rest = report.verdict
    classification = report.classification
    return Template(_asset("template.html")).substitute(
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
        version=text(report.version),
        noun=noun[0],
        title=text(report.title),
        subtitle=text(_subtitle(report)),
        lead=text(lead),
        rest="".join(f"<p>{text(sentence)}</p>" for sentence in rest),
        meaning=text(_meaning(report)),
        groups=_groups(given),
        where_title="Where, and how sure" if classification else "Where it changes",
        where_note=_where_note(report),
        forest=forest(given, axis, report.limits, report.ci),
        table_note=_table_note(report),
        table=_table(report),
        panels_note=_panels_note(report),
        tasks=_tasks(report),
        shapes=_shapes(report),
        axes_note=axes_note(report),
        axes=axes_table(report),
        diagnostics_note=(
            "Every answer is an average over random draws. These numbers show whether the draws "
            "are reliable."
        ),
        diagnostics=table_of(*diagnostics_of(report.fit, report.checked)),
        problems=problems_of(report.fit),
        provenance=provenance_of(report),
        data=embedded(payload(report.fit, given, report.ci)),
    )


def _asset(name: str) -> str:
    return (files(__package__) / name).read_text("utf-8")


def _hash(content: str) -> str:
    return base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


def slug(group: str) -> str:
    """The class of a group in the style sheet."""
    return group.replace(" ", "-")


# ---- the first screen ----------------------------------------------------------------------------


def _subtitle(report: "Contents") -> str:
    curves = report.fit.curves
    names = dict.fromkeys(axis.title for axis in curves.axes)
    return " · ".join(
        [
            counted(len(report.answers), report.noun[0]),
            counted(len({m for row in curves.model for m in row if m}), "model"),
            f"scale measured as {', '.join(names)}",
            *(
                [f"a task counts once for each {' and '.join(report.apart)}"]
                if report.apart
                else []
            ),
        ]
    )


def _meaning(report: "Contents") -> str:
    """What emergence means, with the numbers of the criteria."""
    classification = report.classification
    if classification is None:
        return (
            f"Percentages are the probability of a change under the model {report.fit.model.name}; "
            f"intervals contain the true scale with a probability of {percent(report.ci)}."
        )
    rules = classification.criteria
    return (
        "An ability emerges if its score first stays flat near chance over at least "
        f"{percent(rules.min_flat)} of the scales, {rules.flat_scales} of them and "
        f"{rules.flat_decades:g} decades, and then rises by at least {rules.min_rise:g} (of the "
        "score, which goes up to 1, or of its range). Percentages are the probability of that, "
        "given these scores; a scale is where the expected score first stands "
        f"{rules.delta:g} above chance, and intervals contain it with a probability of "
        f"{percent(report.ci)}."
    )


def _groups(given: Sequence[TaskAnswer]) -> str:
    """The share of each group as a bar, and its key."""
    count = {group: sum(a.group == group for a in given) for group in GROUPS}
    bars, keys, left = [], [], 0.0
    for group, n in count.items():
        if not n:
            continue
        width = _WIDE * n / len(given)
        bars.append(
            f'<rect x="{left:.2f}" width="{max(width - 2, 0.5):.2f}" height="16" '
            f'class="g-{slug(group)}"><title>{group}: {n}</title></rect>'
        )
        keys.append(f"<li>{_swatch(f'g-{slug(group)}')}<b>{n}</b> {group}</li>")
        left += width
    return (
        f'<svg class="bar" viewBox="0 0 {_WIDE} 16" preserveAspectRatio="none" role="img" '
        f'aria-label="shares of the verdicts">{"".join(bars)}</svg>'
        f'<ul class="keys">{"".join(keys)}</ul>'
    )


def _swatch(cls: str) -> str:
    return (
        '<svg viewBox="0 0 10 10" aria-hidden="true">'
        f'<rect width="10" height="10" rx="2" class="{cls}"/></svg>'
    )


def _where_note(report: "Contents") -> str:
    there = sum(answer.emergent for answer in report.answers)
    some = f" The first {FOREST} of {there} are shown." if there > FOREST else ""
    return (
        "The scale at which each task that emerges stands clear of chance: the dot is the best "
        "estimate, the line contains the true scale with a probability of "
        f"{percent(report.ci)}, and an arrow means that it continues beyond the observed models. "
        f"The smallest scale comes first.{some}"
    )


# ---- the table -----------------------------------------------------------------------------------


def _table_note(report: "Contents") -> str:
    judged = "verdict and scale are about" if report.classification else "the scale is about"
    return text(
        f"Click on the name of a column to sort by it. The small picture shows the score by "
        f"{report.axis.title}, from the smallest model to the largest; {judged} that axis. The "
        f"columns on the right show at which scale of each axis the score rises under the model "
        f"{report.fit.model.name}, with the probability of a change if it is below 95 %."
    )


def _table(report: "Contents") -> str:
    """A row a task; data-key is what a column sorts by."""
    classified = report.classification is not None
    names = list(dict.fromkeys(axis.name for axis in report.fit.curves.axes))
    titles = {axis.name: axis.title for axis in report.fit.curves.axes}
    headers: list[tuple[str, str, str]] = [(report.noun[0], "", "ascending"), ("score", "-", "")]
    headers += [("verdict", "", "ascending"), ("emerges" if classified else "changes", "n", "")]
    headers += [("scale", "", "ascending"), (f"{percent(report.ci)} interval", "-", "")]
    headers += [("rise", "n", "")]
    headers += [("shape", "-", "")] if classified else []
    headers += [(f"on {titles[name]}", "", "ascending") for name in names]
    flagged = any(answer.flags for answer in report.answers)
    headers += [("flags", "", "ascending")] if flagged else []
    rows = []
    for place, a in enumerate(report.answers):
        cells = [
            f'<td class="name"><button type="button" class="open">{text(a.title)}</button></td>',
            f'<td><svg class="thumb" viewBox="0 0 92 30" data-row="{place}" aria-hidden="true">'
            "</svg></td>",
            f'<td data-key="{GROUPS.index(a.group)}"><span class="dotted">'
            f"{_swatch(f'g-{slug(a.group)}')}{a.group}</span></td>",
            f'<td class="n" data-key="{_key(a.p)}">{text(sure_words(a.p))}</td>',
            f'<td class="nowrap" data-key="{_key(float(a.x[1]))}">'
            f"{text(a.scale) if a.group != UNKNOWN else '–'}</td>",
            f'<td class="nowrap soft">{text(a.interval)}</td>',
            f'<td class="n" data-key="{_key(a.rise)}">{text(signed(a.rise))}</td>',
        ]
        if classified:
            cells.append(f"<td>{_mix(report, a)}</td>")
        for name in names:
            i = a.curves.get(name)
            cells.append("<td></td>" if i is None else _turning(report.turns[i]))
        if flagged:
            cells.append(f'<td class="flags">{text("; ".join(a.flags))}</td>')
        rows.append(f'<tr data-row="{place}">{"".join(cells)}</tr>')
    return (
        f'<table class="results"><thead><tr>{"".join(map(_header, headers))}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def _header(header: tuple[str, str, str]) -> str:
    """A column's name, a button where it sorts."""
    name, kind, first = header
    if kind == "-":
        return f'<th scope="col">{text(name)}</th>'
    cls = ' class="n"' if kind == "n" else ""
    data = f' data-first="{first}"' if first else ""
    return f'<th scope="col"{cls}{data}><button type="button">{text(name)}</button></th>'


def _key(value: float) -> str:
    """A number to sort by; infinite ones come first or last, unknown ones are empty."""
    if np.isnan(value):
        return ""
    return f"{np.clip(value, -1e300, 1e300):.6g}"


def _turning(turn: Turn) -> str:
    """The scale at which a curve rises under the model of the fit."""
    doubt = "" if turn.p >= SURE else f' <span class="soft">({text(sure_words(turn.p))})</span>'
    return f'<td data-key="{_key(turn.x)}">{text(turn.scale)}{doubt}</td>'


def _mix(report: "Contents", answer: TaskAnswer) -> str:
    """The probabilities of the shapes as one bar."""
    classification = report.classification
    if classification is None or not len(answer.shapes):
        return ""
    bars, left = [], 0.0
    for name, p in zip(classification.classes, answer.shapes.tolist(), strict=True):
        if p >= 0.005:
            bars.append(
                f'<rect x="{left:.1f}" width="{84 * p:.1f}" height="11" class="s-{name}">'
                f"<title>{name} {text(sure_words(p))}</title></rect>"
            )
            left += 84 * p
    return f'<svg class="mix" viewBox="0 0 84 11" role="img">{"".join(bars)}</svg>'


# ---- panels, shapes ------------------------------------------------------------------------------


def _panels_note(report: "Contents") -> str:
    return (
        "Each point is the score of a model; its bar is the interval given the number of test "
        "questions. Line and band are the expected score under the model "
        f"<code>{text(report.fit.model.name)}</code>. The orange density shows where the score "
        "rises. The dotted line is random guessing. In a grey panel the score has probably not "
        "risen yet on this axis. On every axis the more capable models are on the right, so "
        f"perplexity falls to the right.{_thinned(report)}"
    )


def _thinned(report: "Contents") -> str:
    """A sentence that says so if not all points are drawn."""
    most = int(report.fit.curves.points.max(initial=0))
    return (
        f" Of curves with more than {POINTS} points, {POINTS} are drawn." if most > POINTS else ""
    )


def _tasks(report: "Contents") -> str:
    names = list(dict.fromkeys(axis.name for axis in report.fit.curves.axes))
    titles = {axis.name: axis.title for axis in report.fit.curves.axes}
    cards = []
    for place, a in enumerate(report.answers):
        figures = "".join(
            f"<figure><figcaption><b>{text(titles[name])}</b><br>"
            f"{_caption(report.turns[a.curves[name]])}"
            "</figcaption>"
            f'<svg viewBox="0 0 360 200" data-axis="{number}" role="img" '
            f'aria-label="{text(a.title)} against {text(titles[name])}"></svg></figure>'
            for number, name in enumerate(names)
            if name in a.curves
        )
        judged = f" · emerges: {sure_words(a.p)}" if report.classification and a.best else ""
        caption = a.group + judged
        cards.append(
            f'<article class="task" data-row="{place}"><h3>{text(a.title)}'
            f'<span>{text(caption)}</span></h3><div class="panels">{figures}</div>'
            f"{_fits(report, a)}</article>"
        )
    return "".join(cards)


def _fits(report: "Contents", answer: TaskAnswer) -> str:
    """A line that says whether the curve on the first axis fits, and in what it does not."""
    place = answer.curves.get(report.axis.name)
    if place is None or not report.fits:
        return ""
    said = report.fits[place]
    return f'<p class="note">{text(said[0].upper() + said[1:])}.</p>'


def _caption(turn: Turn) -> str:
    """The scale with its range, and the probability of a change where it is in doubt."""
    caption = turn.scale if turn.scale == turn.interval else f"{turn.scale} ({turn.interval})"
    doubt = "" if turn.p >= SURE else f", probability of a change: {sure_words(turn.p)}"
    return text(caption + doubt)


def _shapes(report: "Contents") -> str:
    """The shapes of the curves of the whole table."""
    classification = report.classification
    if classification is None:
        return ""
    share = classification.p_class.mean(axis=0)
    rows = [
        [
            f'<span class="dotted">{_swatch(f"s-{name}")}{_SHAPES[name]}</span>',
            text(sure_words(float(p))),
            text(", ".join(m.name for m in classification.models if m.shape == name)),
        ]
        for name, p in zip(classification.classes, share, strict=True)
    ]
    note = (
        "These shapes describe the curves; the verdict does not use them. Which formula explains a "
        "curve best depends on which formulas were tried, and a steep smooth curve emerges as much "
        "as one with a break. The verdict is an average over all formulas, weighted by how well "
        "each explains the data."
    )
    return (
        f'<h2 id="shapes">Shapes</h2><p class="note">{note}</p><div class="scroll">'
        + table_of(["shape", "share of the curves", "curve models"], rows, [1])
        + "</div>"
    )
