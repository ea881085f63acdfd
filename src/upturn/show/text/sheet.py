"""An answer as text for people: a heading, a table for each axis, and a legend."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from upturn.checks.errors import counted
from upturn.show.text.formats import escape_markdown, to_markdown
from upturn.show.text.sparkline import Sparkline, sparklines
from upturn.show.text.text import one_line
from upturn.tables.curves import Curves

if TYPE_CHECKING:
    from upturn.tables.axis import Axis


@dataclass(frozen=True)
class Column:
    """One column of text.

    Attributes
    ----------
    header : str
    cells : sequence of str or Sparkline
    right : bool
        Whether it is aligned to the right.
    faint : bool
        Whether it is printed faintly.
    label : bool
        Whether it may be shortened on a narrow page.
    """

    header: str
    cells: Sequence[str | Sparkline]
    right: bool = False
    faint: bool = False
    label: bool = False


@dataclass(frozen=True)
class Block:
    """The curves on one axis: a title and columns."""

    title: str
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Sheet:
    """What is printed for people."""

    heading: tuple[str, ...]
    blocks: tuple[Block, ...]
    legend: tuple[str, ...]


def blocks_of(
    curves: Curves,
    answers: Callable[[list[int]], list[Column]],
    *,
    title: str = "",
    drawn: Curves | None = None,
    order: Sequence[int] | None = None,
) -> tuple[Block, ...]:
    """One block an axis: the labels of the curves, their scores, and the answers.

    Parameters
    ----------
    curves : Curves
    answers : callable
        From the curves of an axis to further columns.
    title : str
        Before that of the axis.
    drawn : Curves, optional
        The same curves on the axis along which scores are drawn, if that is another one.
    order : sequence of int, optional
        The curves to show, in this order; all by default.
    """
    lines = sparklines(curves if drawn is None else drawn)
    labels = telling(curves)
    places = range(len(curves)) if order is None else order
    blocks = []
    for axis in dict.fromkeys(curves.axes):
        chosen = [index for index in places if curves.axes[index] == axis]
        if not chosen:
            continue
        columns = [Column(name, texts(curves.labels[name][chosen]), label=True) for name in labels]
        score = Column("score", [lines[index] for index in chosen])
        heading = title + _title(axis, curves, chosen)
        blocks.append(Block(heading, (*columns, score, *answers(chosen))))
    return tuple(blocks)


def telling(curves: Curves) -> list[str]:
    """The labels to show: the task, and as few others as distinguish curves of one task and axis.

    A label that adds nothing to those before it, such as shots besides settings, is left out.
    """
    shown = ["task"]
    names = [label for label in curves.labels if label not in {"task", "axis"}]
    apart = _kinds(curves, shown)
    for label in names:
        more = _kinds(curves, [*shown, label])
        if more > apart:
            shown, apart = [*shown, label], more
    return shown


def _kinds(curves: Curves, labels: Sequence[str]) -> int:
    """Number of curves that the labels and the axis distinguish."""
    columns = (curves.labels[label].tolist() for label in labels)
    return len(set(zip((axis.name for axis in curves.axes), *columns, strict=True)))


def texts(values: Iterable[object]) -> list[str]:
    """Cells of one line each."""
    return [one_line(str(value)) for value in values]


def _title(axis: "Axis", curves: Curves, chosen: Sequence[int]) -> str:
    if axis.components:
        return axis.title
    low, high = curves.limits[0, 0, chosen].min(), curves.limits[1, 0, chosen].max()
    ends = [axis.format(float(end)) for end in axis.value(np.array([low, high]))]
    return f"{axis.title}, {ends[0]} to {ends[1]}" if low < high else f"{axis.title}, {ends[0]}"


def heading_of(
    curves: Curves, arguments: Mapping[str, Any], what: Iterable[str]
) -> tuple[str, ...]:
    """The line above the tables: the data, and what was done."""
    scattered = int((curves.groups > 0).sum())
    some = f" in {scattered:,} of them" if scattered < len(curves) else ""
    scatter = f"scatter between groups{some}" if scattered else ""
    points = counted(int(curves.points.sum()), "point")
    data = [_origin(arguments), f"{counted(len(curves), 'curve')}, {points}"]
    return (" · ".join(one_line(part) for part in [*data, *what, scatter] if part),)


def _origin(arguments: Mapping[str, Any]) -> str:
    """The table and the selected rows."""
    chosen = [f"metric={name}" for name in arguments.get("metric", ())]
    parts = [arguments.get("table"), *arguments.get("where", ()), *chosen]
    return ", ".join(part for part in parts if part)


def to_document(sheet: Sheet) -> str:
    """The sheet as Markdown."""
    parts = [escape_markdown(line) + "\n" for line in sheet.heading]
    for block in sheet.blocks:
        rows = zip(*([str(cell) for cell in column.cells] for column in block.columns), strict=True)
        table = to_markdown(
            [column.header for column in block.columns],
            rows,
            [index for index, column in enumerate(block.columns) if column.right],
        )
        parts.append(f"**{escape_markdown(block.title)}**\n\n{table}")
    return "\n".join(parts)
