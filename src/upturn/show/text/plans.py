"""The answer of a plan as text: one row a design."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from upturn.checks.numbers import percent
from upturn.show.text.answer import Answer
from upturn.show.text.sheet import Block, Column, Sheet
from upturn.show.text.text import one_line

if TYPE_CHECKING:
    import pandas as pd

    from upturn.questions.plan.result import Plan


@dataclass(frozen=True)
class PlanAnswer(Answer):
    """A plan, one row a design."""

    result: "Plan"

    @property
    def notes(self) -> tuple[str, ...]:
        around = self.result.axis.format(self.result.meta["arguments"]["around"])
        return (f"simulated tasks emerge within a decade of {around}, and rise by 0.1 or more",)

    @property
    def failed(self) -> list[str]:
        return []

    @property
    def count(self) -> int:
        return len(self.result.rows)

    def sheet(self, ci: float) -> Sheet:
        table = self.result.summary()
        columns = (
            Column("layout", [str(v) for v in table["layout"]], label=True),
            Column("models", [f"{v:,}" for v in table["models"]], right=True),
            Column("questions", [f"{v:,}" for v in table["trials"]], right=True),
            Column(f"within {self.result.within:g}", _percents(table["p_within"]), right=True),
            Column("± se", _percents(table["p_within_se"]), right=True),
            Column("at least", _percents(table["p_within_low"]), right=True),
            Column("enough", ["yes" if v else "" for v in table["enough"]]),
            Column("error", [f"{v:.2f}" for v in table["error"]], right=True),
            Column("half width", [f"{v:.2f}" for v in table["half_width"]], right=True),
        )  # fmt: skip
        arguments = self.result.meta["arguments"]
        heading = f"model {one_line(arguments['model'])} · {arguments['tasks']} tasks a design"
        return Sheet((heading,), (Block(one_line(self.result.verdict), columns),), _LEGEND)

    def records(self, ci: float) -> "pd.DataFrame":
        return self.result.summary()

    def parts(self, ci: float) -> dict[str, object]:
        return {"verdict": self.result.verdict, "meta": dict(self.result.meta), "notes": self.notes}


def _percents(values: "pd.Series[float]") -> list[str]:
    return [percent(round(float(value), 2)) for value in values]


_LEGEND = (
    "within     share of simulated tasks whose estimate is at most that many decades off",
    "at least   lower limit of that share, with probability .95; enough: it reaches the target",
    "error      median distance of the estimate from the truth, in decades",
    "half width median half width of the 90 % interval, in decades",
)
