"""The answer of `pool` as text: tasks, families, and the axes."""

from typing import TYPE_CHECKING

import numpy as np

from upturn.checks.errors import counted
from upturn.checks.numbers import percent, probability, signed
from upturn.show.text.answer import AnswerOf, rows_of, with_names, without_notes
from upturn.show.text.sheet import Block, Column, Sheet
from upturn.show.text.text import one_line

if TYPE_CHECKING:
    import pandas as pd

    from upturn.questions.pool.on_axis import OnAxis
    from upturn.questions.pool.result import Pool
    from upturn.tables.axis import Axis


class PoolAnswer(AnswerOf["Pool"]):
    """The answer of `pool`: tasks, families and axes."""

    @property
    def count(self) -> int:
        return len(self.result.parts)

    def sheet(self, ci: float) -> Sheet:
        return sheet_of(self.result, ci)

    def records(self, ci: float) -> "pd.DataFrame":
        return with_names(self.result.summary(ci))

    def parts(self, ci: float) -> dict[str, object]:
        result = self.result
        return {
            "by_family": rows_of(result.by_family(ci)),
            "families": rows_of(result.offsets(ci)),
            "axes": rows_of(result.axes.reset_index()),
            "sigma_family": rows_of(result.spread(ci).reset_index()),
            "totals": result.totals(),
            "meta": without_notes(result.meta),
            "notes": result.notes,
        }

    def columns(self, ci: float) -> "pd.DataFrame":
        """The tasks in each family."""
        return self.result.by_family(ci)


def sheet_of(result: "Pool", ci: float) -> Sheet:
    """What is printed."""
    first = result.parts[0].pooled
    arguments = result.meta["arguments"]
    heading = " · ".join(
        (
            counted(len(first.curves), "task"),
            f"{len(first.families)} values of {one_line(str(arguments['over']))}",
            counted(len(first.cell), "point"),
            f"model {one_line(arguments['model'])}",
        )
    )
    blocks = [_axes(result, ci)]
    for part in result.parts:
        blocks += [_tasks(result, part, ci), _families(result, part, ci)]
    warnings = (f"warning: {one_line(warning)}" for warning in result.warnings)
    return Sheet((heading, *warnings), tuple(blocks), _legend(ci, single=len(result.parts) == 1))


def _axes(result: "Pool", ci: float) -> Block:
    spread, axes = result.spread(ci), result.axes
    rows = [(name, spread.loc[name], axes.loc[name]) for name in axes.index]
    columns = [
        Column("axis", [one_line(str(name)) for name, _, _ in rows], label=True),
        Column("sigma", [f"{s['sigma_family']:.2f} {s['unit']}" for _, s, _ in rows], right=True),
        Column(
            f"{percent(ci)} interval",
            [f"{s['sigma_family_low']:.2f} – {s['sigma_family_high']:.2f}" for _, s, _ in rows],
        ),
        Column("of the axis", [percent(round(float(s["share"]), 3)) for _, s, _ in rows],
               right=True),
        Column("task to task", [f"{s['sigma_task']:.2f}" for _, s, _ in rows], right=True),
    ]  # fmt: skip
    if len(rows) > 1:
        elpd = [f"{a['elpd']:.1f}" for _, _, a in rows]
        columns.append(Column("elpd", elpd, right=True))
        apart = [f"{a['difference']:.1f} ± {a['difference_se']:.1f}" for _, _, a in rows]
        columns.append(Column("from the best", apart, right=True))
    return Block("Spread of families", tuple(columns))


def _tasks(result: "Pool", part: "OnAxis", ci: float) -> Block:
    rows = result.summary(ci)
    rows = rows[rows["axis"] == part.axis.name]
    columns = [
        Column("task", [one_line(str(name)) for name in rows.index], label=True),
        Column("families", [str(n) for n in rows["families"]], right=True),
        Column("scale", _scales(part, rows["scale"]), right=True),
        Column(
            f"{percent(ci)} interval",
            [
                f"{low} – {high}"
                for low, high in zip(
                    _scales(part, rows["scale_low"]),
                    _scales(part, rows["scale_high"]),
                    strict=True,
                )
            ],
        ),
    ]
    if any(rows["flags"]):
        columns.append(Column("flags", [one_line(str(f)) for f in rows["flags"]], faint=True))
    return Block(f"{part.axis.title}: emergence scale of each task", tuple(columns))


def _scales(part: "OnAxis", values: "pd.Series") -> list[str]:
    return [_scale(part.axis, part.ends, float(value)) for value in values]


def _scale(axis: "Axis", ends: tuple[float, float], value: float) -> str:
    """A scale as text, "> limit" beyond the axis."""
    low, high = sorted(float(axis.value(end)) for end in ends)
    if np.isposinf(value):
        return f"> {axis.format(high)}"
    beyond = np.isneginf(value) or (axis.is_log and value == 0)
    return f"< {axis.format(low)}" if beyond else axis.format(value)


def _families(result: "Pool", part: "OnAxis", ci: float) -> Block:
    rows = result.offsets(ci)
    rows = rows[rows["axis"] == part.axis.name].sort_values("offset")
    columns = [
        Column("family", [one_line(str(name)) for name in rows["family"]], label=True),
        Column("models", [str(n) for n in rows["models"]], right=True),
        Column("points", [str(n) for n in rows["points"]], right=True),
        Column("later by", [signed(value) for value in rows["offset"]], right=True),
        Column(
            f"{percent(ci)} interval",
            [
                f"{signed(low)} to {signed(high)}"
                for low, high in zip(rows["offset_low"], rows["offset_high"], strict=True)
            ],
        ),
        Column("p(later)", [probability(p) for p in rows["p_later"]], right=True),
    ]
    unit = str(result.spread(ci)["unit"][part.axis.name])
    return Block(f"{part.axis.title}: offset of each family, {unit}", tuple(columns))


def _legend(ci: float, *, single: bool) -> tuple[str, ...]:
    lines = (
        "sigma     standard deviation of the families' offsets along the axis",
        "elpd      how well each family is predicted from the others (log score, summed)",
        f"scale     of a family without offset: median and {percent(ci)} interval",
        "later by  above 0: the family needs more scale than others; below 0: less",
    )
    return tuple(line for line in lines if not (single and line.startswith("elpd")))
