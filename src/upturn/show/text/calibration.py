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

    found: "Calibration"

    @property
    def notes(self) -> tuple[str, ...]:
        return self.found.notes

    @property
    def failed(self) -> tuple[str, ...]:
        return self.found.wrong

    @property
    def count(self) -> int:
        return len(self.found.judged)

    def sheet(self, ci: float) -> Sheet:
        found = self.found
        blocks = (_checks(found), *([_scales(found)] if found.scales else []))
        return Sheet(_heading(found), blocks, _legend(found))

    def records(self, ci: float) -> "pd.DataFrame":
        return self.found.summary()

    def parts(self, ci: float) -> dict[str, object]:
        found = self.found
        return {
            "verdict": found.verdict,
            "passed": found.passed,
            "checks": found.summary().to_dict(orient="records"),
            "scales": found.scale_summary().to_dict(orient="records"),
            "not_converged": list(found.failed),
            "meta": {**found.meta, "ci": found.ci, "least_p": found.least_p},
            "notes": list(found.notes),
        }

    def text(self, form: str, ci: float) -> str:
        """JSON has checks instead of curves."""
        return to_object(**self.parts(ci)) if form == "json" else super().text(form, ci)


def _heading(found: "Calibration") -> tuple[str, ...]:
    arguments: Any = found.meta["arguments"]
    what = (f"model {', '.join(arguments['models'])}", ", ".join(arguments["likelihood"]))
    (line,) = heading_of(found.curves, arguments, what)
    return line, *texts([found.verdict])


def _checks(found: "Calibration") -> Block:
    rows = found.summary()
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


def _scales(found: "Calibration") -> Block:
    rows = found.scale_summary()
    unit = "decades" if found.curves.axes[0].is_log else "units of the axis"
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
    return Block(f"{percent(found.ci)} intervals of scales, in {unit}", columns)


def _p(p: float) -> str:
    """A small probability with its exponent, as it is compared with smaller ones."""
    return f"{p:.0e}" if p < 0.005 else probability(p)


def _number(value: float) -> str:
    return f"{value:.2f}" if np.isfinite(value) else ""


def _legend(found: "Calibration") -> tuple[str, ...]:
    return (
        f"calibrated  whether p is at least {found.least_p:.1e}: 1 % over all checks together",
        "p           probability of ranks this far from uniform if the posterior is right",
        "shift       of the mean rank, in standard errors; above 0: posteriors are too low",
        "in 90 %     share of true values in central intervals of that probability",
        "held        share of true scales in the printed intervals, open ones included",
        "closed      share of intervals with both ends on the axis; width, off by: medians; bias:",
        "            mean of the posterior median minus the truth",
    )
