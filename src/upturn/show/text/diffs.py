"""The answer of a diff as text: what changed, curve by curve."""

from typing import TYPE_CHECKING

from upturn.checks.numbers import percent, probability
from upturn.show.text.answer import AnswerOf, with_names, without_notes
from upturn.show.text.sheet import Block, Column, Sheet, telling, texts
from upturn.show.text.text import one_line

if TYPE_CHECKING:
    import pandas as pd

    from upturn.questions.diff.result import Diff


class DiffAnswer(AnswerOf["Diff"]):
    """A diff, one row a curve."""

    @property
    def count(self) -> int:
        return len(self.result.curves)

    def sheet(self, ci: float) -> Sheet:
        result = self.result
        blocks = [
            Block(axis.title, _columns(result, ci, [i for i, a in enumerate(axes) if a == axis]))
            for axes in (result.curves.axes,)
            for axis in dict.fromkeys(axes)
        ]
        return Sheet((_heading(result),), tuple(blocks), _legend(result))

    def records(self, ci: float) -> "pd.DataFrame":
        return with_names(self.result.summary(ci)).join(self.result.texts(ci).add_suffix("_text"))

    def parts(self, ci: float) -> dict[str, object]:
        result = self.result
        return {
            "verdict": result.verdict,
            "totals": result.totals(),
            "meta": without_notes(result.meta),
            "notes": result.notes,
        }


def _heading(result: "Diff") -> str:
    tables = [str(result.meta["arguments"][side]["table"] or side.upper()) for side in ("a", "b")]
    return f"{one_line(tables[0])} → {one_line(tables[1])} · {one_line(result.verdict)}"


def _columns(result: "Diff", ci: float, chosen: list[int]) -> tuple[Column, ...]:
    rows, written = result.summary(ci).iloc[chosen], result.texts(ci).iloc[chosen]
    labels = [Column(name, texts(rows[name]), label=True) for name in telling(result.curves)]
    interval = f"{percent(ci)} interval"
    return (
        *labels,
        Column("before", texts(written["before"]), right=True),
        Column(interval, texts(written["before_interval"])),
        Column("after", texts(written["after"]), right=True),
        Column(interval, texts(written["after_interval"])),
        Column("change", texts(rows["change"])),
        Column("p", [probability(p) for p in rows["p"]], right=True),
    )


def _legend(result: "Diff") -> tuple[str, ...]:
    arguments = result.meta["arguments"]
    delta, within = arguments["delta"], arguments["within"]
    return (
        f"before, after  scale where the expected score stands {delta:g} above chance; > and < are "
        "beyond",
        "               the scales that were tested",
        "change         emerged: at no tested scale before, at some scale after; vanished: the "
        "reverse;",
        f"               earlier, later: by more than a factor of {within:g}; undecided: none is "
        "likelier",
        "               than not; untested: no later model is as large as the scale before",
        "p              probability of that change, the two results taken as independent",
    )
