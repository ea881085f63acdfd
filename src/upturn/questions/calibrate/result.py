"""The answer of `calibrate`: one check for each quantity, and the widths of intervals."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from upturn.arrays.types import Booleans, Floats
from upturn.checks.errors import counted, listed
from upturn.checks.numbers import percent
from upturn.questions.calibrate import uniformity
from upturn.questions.notebook import InNotebooks
from upturn.tables.curves import Curves

if TYPE_CHECKING:
    import pandas as pd

FAMILY_ERROR = 0.01  # probability that any check fails although all posteriors are right
LEVELS = (0.5, 0.8, 0.9, 0.95)
FEWEST = 20  # true values that a check needs to be judged


@dataclass(frozen=True, eq=False)
class Check:
    """One quantity, whose true value should have a uniform rank in its posterior.

    Attributes
    ----------
    name : str
        The quantity.
    pit : array (curve,)
        Posterior probability of values below the true one.
    p, happened : array (curve,), optional
        For an event: its posterior probability, and whether it is true.
    """

    name: str
    pit: Floats
    p: Floats | None = None
    happened: Booleans | None = None

    @cached_property
    def p_value(self) -> float:
        """The probability of ranks at least this far from uniform if the posterior is right."""
        return uniformity.p_value(self.pit)

    def covered(self, level: float) -> float:
        """The share of true values within the central interval of that probability."""
        return float((np.abs(2 * self.pit - 1) <= level).mean())

    @property
    def shift(self) -> float:
        """Mean rank minus 1/2, in standard errors; above 0 if posteriors lie too low."""
        return float((self.pit.mean() - 0.5) * np.sqrt(12 * len(self.pit)))


@dataclass(frozen=True, eq=False)
class Scale:
    """A scale, in units of the axis (decades if it is logarithmic).

    Attributes
    ----------
    check : Check
        The ranks.
    error : array (curve,)
        Posterior median minus the true scale; not finite where either lies beyond the axis.
    width : array (curve,)
        Widths of the intervals; not finite where they are open.
    held : array of bool (curve,)
        Whether the interval, as it is printed, contains the true scale.
    """

    check: Check
    error: Floats
    width: Floats
    held: Booleans

    def row(self) -> dict[str, Any]:
        """Bias, error and sharpness."""
        error = self.error[np.isfinite(self.error)]
        count = len(error)
        closed = np.isfinite(self.width)
        nan = float("nan")
        return {
            "scale": self.check.name,
            "curves": len(self.error),
            "bias": error.mean() if count else nan,
            "bias_se": error.std(ddof=1) / np.sqrt(count) if count > 1 else nan,
            "median_error": np.median(np.abs(error)) if count else nan,
            "width": np.median(self.width[closed]) if closed.any() else nan,
            "closed": closed.mean(),
            "held": self.held.mean(),
        }


@dataclass(frozen=True, eq=False)
class Calibration(InNotebooks):
    """Whether posteriors are calibrated, for a model, likelihood and design.

    Attributes
    ----------
    checks : tuple of Check
        One for each quantity.
    scales : tuple of Scale
        Bias and width of intervals of scales.
    curves : Curves
        The simulated curves.
    failed : tuple of str
        Curves on which the sampler did not converge. They are counted like all others.
    ci : float
        Probability of the intervals of scales.
    meta : dict
        Versions, seed, arguments, priors.
    """

    checks: tuple[Check, ...]
    scales: tuple[Scale, ...]
    curves: Curves
    failed: tuple[str, ...]
    ci: float
    meta: Mapping[str, Any]

    def __repr__(self) -> str:
        said = "passed" if self.passed else "failed"
        return f"Calibration({len(self.checks)} checks, {len(self.curves)} simulations: {said})"

    def __getitem__(self, name: str) -> Check:
        return next(check for check in self.checks if check.name == name)

    @property
    def judged(self) -> tuple[Check, ...]:
        """The checks that have enough values to be judged."""
        return tuple(check for check in self.checks if len(check.pit) >= FEWEST)

    @property
    def least_p(self) -> float:
        """The p-value below which a check fails: Bonferroni, family-wise error 1 %."""
        return FAMILY_ERROR / max(len(self.judged), 1)

    @property
    def wrong(self) -> tuple[str, ...]:
        """The names of the checks that fail."""
        return tuple(check.name for check in self.judged if check.p_value < self.least_p)

    @property
    def passed(self) -> bool:
        """Whether no check fails."""
        return not self.wrong

    @property
    def complete(self) -> bool:
        """Whether more than half of the checks had enough true values to be judged."""
        return len(self.judged) > len(self.checks) / 2

    def summary(self) -> "pd.DataFrame":
        """One row a check.

        Returns
        -------
        DataFrame
            `check`, `curves` (number of true values), `p_value`, `calibrated` (missing if there
            are fewer than 20), `shift` (mean rank minus 1/2, in standard errors; above 0 if
            posteriors lie below the true values), and the share of true values within central
            intervals of 50, 80, 90 and 95 %: `covered_50` …
        """
        import pandas as pd

        rows = []
        for check in self.checks:
            enough = len(check.pit) >= FEWEST
            rows.append(
                {
                    "check": check.name,
                    "curves": len(check.pit),
                    "p_value": check.p_value,
                    "calibrated": check.name not in self.wrong if enough else None,
                    "shift": check.shift,
                    **{f"covered_{100 * level:.0f}": check.covered(level) for level in LEVELS},
                }
            )
        return pd.DataFrame(rows)

    def scale_summary(self) -> "pd.DataFrame":
        """Bias and sharpness of the emergence scale.

        Returns
        -------
        DataFrame
            One row for the scale of a change and one for the emergence scale, if there is one:
            `scale`, `curves`, `bias` (mean of posterior median minus true scale) and its standard
            error `bias_se`, `median_error` (absolute), `width` (median over intervals), all in
            units of the axis; `closed` (the share of intervals with both ends on the axis), `held`
            (the share of intervals, as printed, that contain the true scale).
        """
        import pandas as pd

        return pd.DataFrame([scale.row() for scale in self.scales])

    @property
    def verdict(self) -> str:
        """Whether posteriors are calibrated, in a few sentences."""
        many = counted(len(self.judged), "check")
        on = f"on {counted(len(self.curves), 'simulated curve')} of this design"
        if self.passed and not self.complete:
            few = len(self.checks) - len(self.judged)
            first = (
                f"Too few simulations: {on}, {few} of {counted(len(self.checks), 'check')} have "
                f"fewer than {FEWEST} true values and are not judged; none of the others fails. "
                "Simulate more curves."
            )
        elif self.passed:
            first = (
                f"Calibrated: {on}, none of {many} differs from what a right posterior gives by "
                "more than chance allows (family-wise error 1 %)."
            )
        else:
            first = (
                f"Not calibrated: {on}, {len(self.wrong)} of {many} "
                f"{'differs' if len(self.wrong) == 1 else 'differ'} from what a right posterior "
                f"gives: {listed(self.wrong)}."
            )
        return " ".join([first, *self._scales_in_words()])

    def _scales_in_words(self) -> list[str]:
        out = []
        unit = "decades" if self.curves.axes[0].is_log else "units of the axis"
        for scale in self.scales:
            row = scale.row()
            if row["curves"] < FEWEST:
                continue
            name = scale.check.name[0].upper() + scale.check.name[1:]
            sharp = ""
            if np.isfinite(row["width"]):
                sharp = (
                    f", are {row['width']:.2g} {unit} wide (median) and off by {row['bias']:+.2g} "
                    f"± {row['bias_se']:.1g}"
                )
            held = f"contain the true scale in {100 * row['held']:.0f} %"
            out.append(f"{name}: {percent(self.ci)} intervals {held}{sharp}.")
        return out

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know in addition to the verdict."""
        few = [check.name for check in self.checks if len(check.pit) < FEWEST]
        notes = list(self.curves.notes)
        if self.failed:
            notes.append(
                f"the sampler did not converge on {len(self.failed)} of {len(self.curves)} curves, "
                "which are counted all the same"
            )
        if few:
            notes.append(
                f"fewer than {FEWEST} true values, not judged: {listed(few)}; simulate more curves"
            )
        if (self.curves.kind == "continuous").any():
            notes.append(
                "the range of continuous scores was that of the design; in a fit, the priors "
                "depend on the range of the scores themselves"
            )
        return tuple(notes)
