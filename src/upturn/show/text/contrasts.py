"""The answer of a contrast as text: from which scale a technique helps, task by task."""

from typing import TYPE_CHECKING

from upturn.checks.errors import counted
from upturn.checks.numbers import percent, probability, signed
from upturn.show.text.answer import AnswerOf, with_names
from upturn.show.text.sheet import Block, Column, Sheet, texts
from upturn.show.text.text import one_line

if TYPE_CHECKING:
    import pandas as pd

    from upturn.questions.contrast.result import Contrast


class ContrastAnswer(AnswerOf["Contrast"]):
    """A contrast."""

    @property
    def count(self) -> int:
        return len(self.result.curves)

    def sheet(self, ci: float) -> Sheet:
        return sheet_of(self.result, ci)

    def records(self, ci: float) -> "pd.DataFrame":
        return with_names(self.result.summary(ci)).join(self.result.texts(ci).add_suffix("_text"))

    def parts(self, ci: float) -> dict[str, object]:
        result = self.result
        return {
            "verdict": result.verdict,
            "crossings": result.crossings(ci).to_dict(orient="records"),
            "average": result.average(ci).to_dict(orient="records")[0],
            "totals": result.totals(),
            "meta": result.meta,
            "notes": result.notes,
        }


def sheet_of(result: "Contrast", ci: float) -> Sheet:
    """What is printed of a contrast: the tasks, and their average where there are several."""
    arguments = result.meta["arguments"]
    table = one_line(str(arguments["table"] or ""))
    models = counted(int(result.curves.points.sum()) // 2, "pair") + " of scores"
    heading = " · ".join(part for part in (table, one_line(result.setting), models) if part)
    blocks = [_tasks(result, ci)]
    if len(result.curves) > 1:
        blocks.append(_average(result, ci))
    return Sheet((heading,), tuple(blocks), _legend(ci))


def _tasks(result: "Contrast", ci: float) -> Block:
    rows, written = result.summary(ci), result.texts(ci)
    low, high = f"{percent(ci)} interval", f"{percent(ci)} of gain"
    columns = [
        Column("task", texts(result.curves.name), label=True),
        Column("models", [str(m) for m in rows["models"]], right=True),
        Column("p(grows)", [probability(p) for p in rows["p_growing"]], right=True),
        Column("from", texts(written["gain_change"]), right=True),
        Column("break-even", texts(written["break_even"]), right=True),
        Column(low, texts(written["break_even_interval"])),
        Column("p(hurts)", [probability(p) for p in rows["p_hurts"]], right=True),
        Column("p(helps)", [probability(p) for p in rows["p_helps"]], right=True),
        Column("gain", [signed(g) for g in rows["gain_largest"]], right=True),
        Column(high, [f"{signed(a)} – {signed(b)}" for a, b in
                      zip(rows["gain_largest_low"], rows["gain_largest_high"], strict=True)]),
    ]  # fmt: skip
    flags = Column("flags", texts(rows["flags"]), faint=True)
    more = (flags,) if any(flags.cells) else ()
    return Block(one_line(result.verdict), (*columns, *more))


def _average(result: "Contrast", ci: float) -> Block:
    row = result.average(ci).iloc[0]
    axis = result.curves.axes[0]
    low, high = result.curves.limits[0, 0].min(), result.curves.limits[1, 0].max()
    scale = [
        axis.text(float("-inf") if value == 0 else float(axis.coordinate(value)), low, high)
        if value != float("inf")
        else axis.text(float("inf"), low, high)
        for value in (row["break_even"], row["break_even_low"], row["break_even_high"])
    ]
    columns = [
        Column("tasks", [str(int(row["tasks"]))], right=True),
        Column("break-even", [scale[0]], right=True),
        Column(f"{percent(ci)} interval", [f"{scale[1]} – {scale[2]}"]),
        Column("p(hurts)", [probability(row["p_hurts"])], right=True),
        Column("p(helps)", [probability(row["p_helps"])], right=True),
        Column("gain", [signed(row["gain_largest"])], right=True),
        *(
            Column(kind, [percent(round(float(row[f"share_{kind}"]), 3))], right=True)
            for kind in ("steady", "growing", "fading")
        ),
    ]
    return Block("The average over tasks, and the shares of kinds of gain", tuple(columns))


def _legend(ci: float) -> tuple[str, ...]:
    return (
        "p(grows)   probability that the gain, in log odds, grows with scale",
        "from       scale at which it begins to grow: median; > is beyond the axis, or never",
        f"break-even scale from which the technique helps: median and {percent(ci)} interval; < "
        "is from the start",
        "p(hurts)   probability that it hurts at the smallest scale",
        "p(helps)   probability that it helps at the largest scale",
        "gain       increase of the expected score by the technique at the largest scale",
    )
