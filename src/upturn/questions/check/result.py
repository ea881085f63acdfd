"""Check: what was found of every curve, and its residuals."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from upturn.checks.errors import counted
from upturn.questions.check.findings import KINDS, Finding
from upturn.questions.check.of_curve import Checked
from upturn.questions.fit.result import Fit
from upturn.questions.notebook import InNotebooks
from upturn.tables.curves import Curves

if TYPE_CHECKING:
    import pandas as pd

FITS = "the curve fits"
_SAID = {
    "scatter": "scatter",
    "outlier": "a model that does not belong",
    "trend": "residuals that run along the axis",
    "autocorrelation": "correlation within runs",
    "chance": "a chance that the scores contradict",
    "calibration": "another distribution of noise",
}


class Check(InNotebooks):
    """In what the curves of a fit do not fit.

    Attributes
    ----------
    fit : Fit
    findings : tuple of Finding
        At the level of the table; none where all fits.
    meta : dict
        Version, seed, and the arguments of the fit.
    """

    def __init__(
        self,
        fit: Fit,
        findings: tuple[Finding, ...],
        checked: tuple[Checked, ...],
        *,
        few: int,
        meta: Mapping[str, Any],
    ) -> None:
        self.fit, self.findings, self.meta = fit, findings, dict(meta)
        self._checked, self._few = checked, few

    def __repr__(self) -> str:
        return f"Check({self.verdict})"

    @property
    def curves(self) -> Curves:
        """The data."""
        return self.fit.curves

    def summary(self) -> "pd.DataFrame":
        """One row a finding; none where all curves fit.

        Returns
        -------
        DataFrame
            `curve` and its labels ("" for a finding over all tasks); `finding`: "scatter",
            "outlier", "trend", "autocorrelation", "shared", "chance" or "calibration"; `where`, the
            model or the scale; `p`, the probability of so much by chance in any curve of the table;
            `says`, the same in words; `remedy`, what to type or to look at next.
        """
        import pandas as pd

        labels = self.curves.labels
        rows = [
            {
                "curve": str(self.curves.name[f.curve]) if f.curve >= 0 else "",
                **{k: str(v[f.curve]) if f.curve >= 0 else "" for k, v in labels.items()},
                "finding": f.kind,
                "where": f.where,
                "p": f.p,
                "says": f.says,
                "remedy": f.remedy,
            }
            for f in self.findings
        ]
        columns = ["curve", *labels, "finding", "where", "p", "says", "remedy"]
        return pd.DataFrame(rows, columns=columns)

    def texts(self) -> "pd.DataFrame":
        """One row a curve: `fits`, "the curve fits" or what is off, in words."""
        import pandas as pd

        said = [
            "; ".join(f.says for f in self.findings if f.curve == i) or FITS
            for i in range(len(self.curves))
        ]
        index = pd.Index(self.curves.name.astype(object), name="curve")
        return pd.DataFrame({"fits": said}, index=index)

    def residuals(self) -> "pd.DataFrame":
        """Every residual: one row a point.

        Returns
        -------
        DataFrame
            `curve`, `model`, `scale` (native units), `score` and `expected` score (native units;
            the posterior mean), and `residual`, in standard deviations of what it would be by
            chance.
        """
        import pandas as pd

        points, curves = self.curves.points, self.curves
        parts = [
            pd.DataFrame(
                {
                    "curve": str(curves.name[i]),
                    "model": curves.model[i, :n],
                    "scale": curves.axes[i].value(curves.x[0, i, :n]),
                    "score": curves.score[i, :n],
                    "expected": seen.expected,
                    "residual": seen.residual,
                }
            )
            for i, (n, seen) in enumerate(zip(points.tolist(), self._checked, strict=True))
        ]
        return pd.concat(parts, ignore_index=True)

    @property
    def verdict(self) -> str:
        """One sentence: how many curves fit, and what is off in the others."""
        off = {f.curve for f in self.findings if f.curve >= 0}
        total = len(self.curves)
        kinds = [kind for kind in KINDS if kind in {f.kind for f in self.findings if f.curve >= 0}]
        shared = [f.where for f in self.findings if f.curve < 0]
        fit = "it fits" if total == 1 else "all fit"
        parts = [f"{total - len(off)} fit, {len(off)} do not" if off else fit]
        if off:
            parts.append(", ".join(f"{_SAID[kind]}: {self._count(kind)}" for kind in kinds))
        if shared:
            parts.append(f"off across tasks: {', '.join(shared[:3])}")
        return f"{counted(total, 'curve')}: {'; '.join(parts)}"

    def _count(self, kind: str) -> int:
        return len({f.curve for f in self.findings if f.kind == kind and f.curve >= 0})

    def totals(self) -> dict[str, Any]:
        """Counts over all curves."""
        off = {f.curve for f in self.findings if f.curve >= 0}
        return {
            "curves": len(self.curves),
            "fit": len(self.curves) - len(off),
            **{kind: self._count(kind) for kind in KINDS if kind != "shared"},
            "shared": sum(f.kind == "shared" for f in self.findings),
            "failed": self.failed,
        }

    @property
    def worst(self) -> str:
        """The name of the curve with the least probable finding; of the first where all fit."""
        of_curves = [f for f in self.findings if f.curve >= 0]
        place = min(of_curves, key=lambda f: f.p).curve if of_curves else 0
        return str(self.curves.name[place])

    @property
    def notes(self) -> tuple[str, ...]:
        """What the fit notes, and what could not be checked."""
        few = (f"{counted(self._few, 'curve')} of fewer than 5 points not checked",)
        return (*self.fit.notes, *(few if self._few else ()))

    @property
    def failed(self) -> list[str]:
        """Names of the curves whose sampling did not converge."""
        return self.fit.failed

    @property
    def standardised(self) -> tuple[np.ndarray, ...]:
        """The residuals of each curve, in the order of its points."""
        return tuple(seen.residual for seen in self._checked)
