"""The answer of a forecast as text: the prediction for each curve, and how good it was."""

from typing import TYPE_CHECKING

from upturn.checks.errors import counted
from upturn.checks.numbers import percent, probability
from upturn.questions.forecast.scored import OURS
from upturn.show.text.answer import AnswerOf, rows_of, with_names, without_notes
from upturn.show.text.sheet import Block, Column, Sheet, blocks_of, heading_of, texts
from upturn.show.text.text import one_line

if TYPE_CHECKING:
    import pandas as pd

    from upturn.questions.forecast.result import Forecast


class ForecastAnswer(AnswerOf["Forecast"]):
    """A forecast, one row a curve."""

    @property
    def count(self) -> int:
        return len(self.result.curves)

    def sheet(self, ci: float) -> Sheet:
        return sheet_of(self.result, ci)

    def records(self, ci: float) -> "pd.DataFrame":
        return with_names(self.result.summary(ci))

    def parts(self, ci: float) -> dict[str, object]:
        result = self.result
        return {
            "verdict": result.verdict,
            "scores": rows_of(result.scores.reset_index()),
            "predictions": rows_of(result.predictions(ci)),
            "jumps": rows_of(result.jumps()),
            "totals": result.totals(),
            "meta": without_notes(result.meta),
            "notes": result.notes,
        }


def sheet_of(result: "Forecast", ci: float) -> Sheet:
    """What is printed of a forecast: curves, then the methods' scores."""
    rows = result.summary(ci)
    what = (f"{counted(int(result.held.sum()), 'point')} held out",)
    heading = heading_of(result.curves, result.meta["arguments"], what)
    blocks = blocks_of(result.curves, lambda chosen: _predicted(result, rows.iloc[chosen], ci))
    scores = (_scores(result),) if result.held.any() else ()
    return Sheet(heading, (*blocks, *scores), _legend(ci))


def _predicted(result: "Forecast", rows: "pd.DataFrame", ci: float) -> list[Column]:
    axis = result.curves.axes[0]
    ends = zip(rows["expected_low"], rows["expected_high"], strict=True)
    columns = [
        Column("fitted to", [axis.format(float(x)) for x in rows["train_end"]], right=True),
        Column("so far", texts(rows["state"])),
        Column("target", [axis.format(float(x)) for x in rows["target"]], right=True),
        Column("p(jump)", [probability(p) for p in rows["p_jump"]], right=True),
        Column("expected", [f"{y:.2f}" for y in rows["expected"]], right=True),
        Column(f"{percent(ci)} interval", [f"{low:.2f} – {high:.2f}" for low, high in ends]),
    ]
    if result.held.any():
        errors = [f"{e:.1f}".replace("nan", "") for e in rows["mae"]]
        columns.append(Column("error", errors, right=True))
    flags = Column("flags", texts(rows["flags"]), faint=True)
    return [*columns, flags] if any(flags.cells) else columns


def _scores(result: "Forecast") -> Block:
    table = result.scores
    noise = [name or ("likelihood" if method == OURS else "") for method, name in
             zip(table.index, table["noise"], strict=True)]  # fmt: skip
    columns = [
        Column("method", texts(table.index), label=True),
        Column("mae", [f"{v:.2f}" for v in table["mae"]], right=True),
        Column("crps", [f"{v:.2f}" for v in table["crps"]], right=True),
        Column("log score", [f"{v:.2f}" for v in table["log_score"]], right=True),
        Column("50 %", [f"{100 * v:.0f} %" for v in table["coverage_50"]], right=True),
        Column("90 %", [f"{100 * v:.0f} %" for v in table["coverage_90"]], right=True),
        Column("noise", noise),
        Column("no fit", [str(v) if v else "" for v in table["failed"]], right=True),
    ]
    return Block(one_line(result.verdict), tuple(columns))


def _legend(ci: float) -> tuple[str, ...]:
    return (
        "so far     whether the expected score has risen by 0.1 within the fitted points",
        "p(jump)    probability that it rises by 0.1 beyond them, up to the target",
        f"expected   expected score at the target: median and {percent(ci)} interval",
        "error      mean absolute error of the held-out scores, in points; mae: over all curves",
        "log score  mean log probability of a held-out score; higher is better",
        "50 %, 90 % share of held-out scores within the predictive intervals",
        "noise      residual noise under which a baseline does best, chosen afterwards",
    )
