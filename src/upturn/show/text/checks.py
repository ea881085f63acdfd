"""The answer of a check as text: one row a finding."""

from typing import TYPE_CHECKING

from upturn.show.text.answer import AnswerOf, rows_of, without_notes
from upturn.show.text.sheet import Block, Column, Sheet, heading_of, texts
from upturn.show.text.text import one_line

if TYPE_CHECKING:
    import pandas as pd

    from upturn.questions.check.result import Check


class CheckAnswer(AnswerOf["Check"]):
    """A check, one row a finding."""

    @property
    def count(self) -> int:
        return len(self.result.curves)

    def sheet(self, ci: float) -> Sheet:
        return sheet_of(self.result)

    def records(self, ci: float) -> "pd.DataFrame":
        return self.result.summary()

    def parts(self, ci: float) -> dict[str, object]:
        result = self.result
        return {
            "verdict": result.verdict,
            "fits": rows_of(result.texts().reset_index()),
            "residuals": rows_of(result.residuals()),
            "totals": result.totals(),
            "meta": without_notes(result.meta),
            "notes": result.notes,
        }


def sheet_of(result: "Check") -> Sheet:
    """What is printed of a check: its findings."""
    rows = result.summary()
    what = (f"model {result.meta['model']}",)
    heading = heading_of(result.curves, result.meta["arguments"], what)
    columns = (
        Column("curve", texts(rows["curve"].replace("", "all tasks")), label=True),
        Column("finding", texts(rows["finding"])),
        Column("p", [_small(p) for p in rows["p"]], right=True),
        Column("what", texts(rows["says"])),
    )
    block = Block(one_line(result.verdict), columns if len(rows) else ())
    return Sheet(heading, (block,), _legend(rows))


def _legend(rows: "pd.DataFrame") -> tuple[str, ...]:
    """What p is, and what to do about each kind of finding."""
    if not len(rows):
        return ()
    remedies = dict(zip(rows["finding"], rows["remedy"], strict=True))
    width = max(map(len, remedies))
    return (
        f"{'p':<{width}}  probability of so much by chance in any curve of the table",
        *(f"{kind:<{width}}  next: {remedy}" for kind, remedy in remedies.items()),
    )


def _small(p: float) -> str:
    """A probability with the digits that a small one needs."""
    return "< 0.0001" if p < 1e-4 else f"{p:.2g}"
