"""The verdict of a report, in sentences."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from upturn.tables.axis import Axis

if TYPE_CHECKING:
    from upturn.show.report.answers import TaskAnswer

# What the tasks of each other group do: of one of them, of several, and what that means.
OTHERS = {
    "grows from the first model": (
        "improves", "improve", " from the first model on, without a flat stretch near chance"
    ),
    "rises and falls": ("rises and falls again", "rise and fall again", ""),
    "U-shaped": ("falls and rises again", "fall and rise again", ""),
    "falls": ("gets worse", "get worse", ""),
    "not yet": (
        "has not emerged yet", "have not emerged yet",
        " at these scales, which says nothing about larger ones",
    ),
    "no change": ("does not change", "do not change", " at these scales"),
    "undecided": ("is undecided", "are undecided", ""),
    "not judged": ("has no value on this axis", "have no value on this axis", ""),
}  # fmt: skip
ONE_MODEL = "These verdicts are of one curve model; --shapes lean averages over seven."


def verdict(
    given: "Sequence[TaskAnswer]", axis: Axis, span: str, noun: tuple[str, str], *, classified: bool
) -> list[str]:
    """The verdict in sentences; the first can be read by itself.

    Parameters
    ----------
    given : sequence of TaskAnswer
    axis : Axis
        The axis of the verdict.
    span : str
        Where the axis begins and ends, in words.
    noun : two str
        Singular and plural of what is judged: ("task", "tasks").
    classified : bool
        Whether verdicts are averaged over curve models, or of the one of the fit.
    """
    count: dict[str, int] = {}
    for answer in given:
        count[answer.group] = count.get(answer.group, 0) + 1
    total = len(given)
    where = f"over {axis.title} from {span}"
    sentences = [_headline(count, total, noun, where), *_ends(given, axis), *_others(count)]
    return sentences if classified else [*sentences, ONE_MODEL]


def _ends(given: "Sequence[TaskAnswer]", axis: Axis) -> list[str]:
    """The tasks that emerge at the smallest and at the largest scale."""
    sure = sorted(
        (a for a in given if a.group == "emerges" and math.isfinite(a.x[1])),
        key=lambda a: float(a.x[1]),
    )
    counted = axis.name in {"flops", "params", "tokens"}
    sentences = [
        f"{a.title}, at {f'{a.scale} {axis.title}' if counted else f'{axis.title} {a.scale}'} "
        f"({a.interval})"
        for a in sure
    ]
    if len(sentences) < 2:
        return [f"That is {sentences[0]}."] if sentences else []
    return [f"The first of them is {sentences[0]}; the last is {sentences[-1]}."]


def _headline(count: Mapping[str, int], total: int, noun: tuple[str, str], where: str) -> str:
    surely, probably = count.get("emerges", 0), count.get("probably emerges", 0)
    some = "emerges" if surely == 1 else "emerge"
    if total == 1 and surely:
        return f"The {noun[0]} emerges {where}, with a probability of 95 % or more."
    adverb = "" if surely == 1 else "each "
    begin = f"{_of(surely, total, noun)} {some} {where}, {adverb}with a probability of 95 % or more"
    if not surely:
        begin = (
            f"None of the {total} {noun[1]} emerges {where} with a probability of 95 % or more"
            if total > 1
            else (f"The {noun[0]} does not emerge {where} with a probability of 95 % or more")
        )
    if probably:
        more = " more" if surely else ""
        return f"{begin}; {probably}{more} probably {'does' if probably == 1 else 'do'}."
    return f"{begin}."


def _of(count: int, total: int, noun: tuple[str, str]) -> str:
    return f"{count} of {total} {noun[1]}" if total > 1 else f"{count} of 1 {noun[0]}"


def _others(count: Mapping[str, int]) -> list[str]:
    """What the tasks do that do not emerge."""
    parts = []
    for group, (singular, plural, extra) in OTHERS.items():
        if n := count.get(group, 0):
            parts.append(f"{n} {singular if n == 1 else plural}{extra}")
    if not parts:
        return []
    if sum(count.values()) == 1:
        return [f"It {parts[0].removeprefix('1 ')}."]
    some = count.get("emerges", 0) + count.get("probably emerges", 0)
    return [f"{'Of the others' if some else 'Of them'}, {_joined(parts)}."]


def _joined(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{'; '.join(parts[:-1])}; and {parts[-1]}"
