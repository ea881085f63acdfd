"""The answer of `calibrate` as text: a verdict, the checks, the scales."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from upturn.checks.numbers import percent, probability, signed
from upturn.questions.calibrate.result import LEVELS
from upturn.show.text.answer import Answer
from upturn.show.text.formats import to_object
from upturn.show.text.sheet import Block, Column, Sheet, heading_of, texts

if TYPE_CHECKING:
    import pandas as pd

    from upturn.questions.calibrate.result import Calibration


@dataclass(frozen=True)
class CalibrationAnswer(Answer):
    """Checks of calibration; those that fail are its failures."""

    result: "Calibration"

    @property
    def notes(self) -> tuple[str, ...]:
        return self.result.notes

    @property
    def failed(self) -> tuple[str, ...]:
        return self.result.wrong

    @property
    def count(self) -> int:
        return len(self.result.judged)

    def sheet(self, ci: float) -> Sheet:
        result = self.result
        blocks = (_checks(result), *([_scales(result)] if result.scales else []))
        return Sheet(_heading(result), blocks, _legend(result))

    def records(self, ci: float) -> "pd.DataFrame":
        return self.result.summary()

    def parts(self, ci: float) -> dict[str, object]:
        result = self.result
        return {
            "verdict": result.verdict,
            "passed": result.passed,
            "checks": result.summary().to_dict(orient="records"),
            "scales": result.scale_summary().to_dict(orient="records"),
            "not_converged": list(result.failed),
            "meta": {**result.meta, "ci": result.ci, "least_p": result.least_p},
            "notes": list(result.notes),
        }

    def text(self, form: str, ci: float) -> str:
        """JSON has checks instead of curves."""
        return to_object(**self.parts(ci)) if form == "json" else super().text(form, ci)


def _heading(result: "Calibration") -> tuple[str, ...]:
    arguments: Any = result.meta["arguments"]
    what = (f"model {', '.join(arguments['models'])}", ", ".join(arguments["likelihood"]))
    (line,) = heading_of(result.curves, arguments, what)
    return line, *texts([result.verdict])


def _checks(result: "Calibration") -> Block:
    rows = result.summary()
    said = {None: "too few", True: "yes", False: "NO"}
    columns = [
        Column("check", texts(rows["check"]), label=True),
        Column("truths", [str(n) for n in rows["curves"]], right=True),
        Column("calibrated", [said[c] for c in rows["calibrated"]]),
        Column("p", [_p(p) for p in rows["p_value"]], right=True),
        Column("shift", [signed(shift) for shift in rows["shift"]], right=True),
    ]
    for level in LEVELS:
        share = rows[f"covered_{100 * level:.0f}"]
        columns.append(
            Column(f"in {percent(level)}", [f"{100 * s:.0f} %" for s in share], right=True)
        )
    return Block("Where the truth lies in its posterior", tuple(columns))


def _scales(result: "Calibration") -> Block:
    rows = result.scale_summary()
    unit = "decades" if result.curves.axes[0].is_log else "units of the axis"
    bias = [
        f"{signed(b)} ± {e:.2f}" if np.isfinite(e) else signed(b)
        for b, e in zip(rows["bias"], rows["bias_se"], strict=True)
    ]
    columns = (
        Column("scale", texts(rows["scale"]), label=True),
        Column("truths", [str(n) for n in rows["curves"]], right=True),
        Column("held", [f"{100 * share:.0f} %" for share in rows["held"]], right=True),
        Column("closed", [f"{100 * share:.0f} %" for share in rows["closed"]], right=True),
        Column("width", [_number(width) for width in rows["width"]], right=True),
        Column("off by", [_number(error) for error in rows["median_error"]], right=True),
        Column("bias", bias, right=True),
    )
    return Block(f"{percent(result.ci)} intervals of scales, in {unit}", columns)


def _p(p: float) -> str:
    """A small probability with its exponent, as it is compared with smaller ones."""
    return f"{p:.0e}" if p < 0.005 else probability(p)


def _number(value: float) -> str:
    return f"{value:.2f}" if np.isfinite(value) else ""


def _legend(result: "Calibration") -> tuple[str, ...]:
    return (
        f"calibrated  whether p is at least {result.least_p:.1e}: 1 % over all checks together",
        "p           probability of ranks this far from uniform if the posterior is right",
        "shift       of the mean rank, in standard errors; above 0: posteriors are too low",
        "in 90 %     share of true values in central intervals of that probability",
        "held        share of true scales in the printed intervals, open ones included",
        "closed      share of intervals with both ends on the axis; width, off by: medians; bias:",
        "            mean of the posterior median minus the truth",
    )
