"""Classification: what `classify` knows and answers of every curve, over all models."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from upturn.arrays.types import Floats
from upturn.checks.errors import DataError
from upturn.formulas.curve import SHAPES
from upturn.posterior.averaging import DOUBTFUL
from upturn.questions.classify.averaged import Averaged
from upturn.questions.classify.baselines import baselines
from upturn.questions.classify.families import Families, families

if TYPE_CHECKING:
    import pandas as pd

FRAGILE = 0.1  # a p_emergent that moves so far when one curve model is left out is flagged
CLASS_COLUMNS = {shape: f"p_{shape.replace('-', '_')}" for shape in SHAPES}


class Classification(Averaged):
    """Emergence and shape of every curve, averaged over models by evidence.

    Attributes
    ----------
    curves : Curves
    models : tuple of Model
    criteria : Criteria
    average : ModelAverage
        Probabilities of the models and of the classes of shapes.
    meta : dict
        Version, seed, arguments, and every prior that the answers rest on.
    """

    def summary(
        self,
        ci: float = 0.9,
        *,
        only: str | Sequence[str] | None = None,
        sort: str = "table",
    ) -> "pd.DataFrame":
        """One row a curve.

        Parameters
        ----------
        ci : float
            Probability of the equal-tailed intervals.
        only : str or several, optional
            The verdicts whose curves are wanted; all by default.
        sort : str
            "table", "verdict", "scale" or "name".

        Returns
        -------
        DataFrame
            Labels, `points`, `verdict`, `p_emergent` and `p_sharp` with their Monte Carlo errors,
            `scale` and `onset_scale` with their intervals in native units, `censored` where the
            median of `scale` lies beyond the axis, the medians of `rise`, `flat_until` (a share of
            the axis) and `width` (in decades, or units of the axis where it has none), `hangs_on`
            (the models without which the verdict would be another), the classes' probabilities
            and their Monte Carlo errors, the best model, the three baselines, and `flags`.
        """
        p_emergent, error = self.probability("emergent")
        p_sharp, sharp_error = self.probability("sharp")
        x = self.scale_x(ci)
        columns: dict[str, Any] = dict(self.curves.labels) | {
            "points": self.curves.points,
            "verdict": self.verdicts,
            "p_emergent": p_emergent,
            "p_emergent_se": error,
            "p_sharp": p_sharp,
            "p_sharp_se": sharp_error,
            **self._interval("scale", "scale", x),
            "censored": np.isinf(x[1]),
            **self._interval("onset_scale", "onset", self.onset_interval_x(ci)),
            "rise": self._median("rise"),
            "flat_until": self._median("flat_until"),
            "width": self._median("width") * (self.curves.limits[1, 0] - self.curves.limits[0, 0]),
            "hangs_on": self.hangs_on,
            **self._of_classes("", self.p_class),
            **self._of_classes("_se", self.p_class_se),
            "best_model": [self.models[i].name for i in self.p_model.argmax(axis=1)],
            **baselines(self.curves),
            "flags": ["; ".join(flags) for flags in self.flags],
        }
        frame = self._frame(columns)
        return frame.iloc[self.selected(only=only, sort=sort)]

    def _frame(self, columns: Mapping[str, Any]) -> "pd.DataFrame":
        """A table of one row a curve."""
        import pandas as pd

        return pd.DataFrame(columns, index=pd.Index(self.curves.name.astype(object), name="curve"))

    def _interval(self, name: str, prefix: str, x: Floats) -> dict[str, Floats]:
        """Columns of a scale in native units, x (3, curve) being its quantiles."""
        with np.errstate(over="ignore", under="ignore"):
            by_curve = [axis.value(x[:, i]) for i, axis in enumerate(self.curves.axes)]
        low, middle, high = np.stack(by_curve, axis=1)
        ends = np.minimum(low, high), np.maximum(low, high)
        return {name: middle, f"{prefix}_low": ends[0], f"{prefix}_high": ends[1]}

    def texts(
        self,
        ci: float = 0.9,
        *,
        only: str | Sequence[str] | None = None,
        sort: str = "table",
    ) -> "pd.DataFrame":
        """The headline scale and its interval as people read them: "2.3e22", "> 3.6e25"."""
        x = self.scale_x(ci)
        columns: dict[str, list[str]] = {"scale": [], "interval": []}
        for i, axis in enumerate(self.curves.axes):
            low, middle, high = (axis.text(float(q), *self.curves.limits[:, 0, i]) for q in x[:, i])
            columns["scale"].append(middle)
            columns["interval"].append(low if low == high else f"{low} – {high}")
        return self._frame(columns).iloc[self.selected(only=only, sort=sort)]

    def bayes_factors(self) -> "pd.DataFrame":
        """Log Bayes factors of the classes against the flat one, with their Monte Carlo errors.

        Natural logarithms of ratios of the classes' evidences, their models equally likely: what
        the data alone say, whatever the prevalence. They rest on the priors in `meta`.

        Returns
        -------
        DataFrame
            One row a curve; `log_bf_smooth`, `log_bf_smooth_se` and so on for each class but flat.

        Raises
        ------
        DataError
            Where no model stands for the flat class.
        """
        if "flat" not in self.classes:
            raise DataError(
                "models: expected a flat one to compare with, but got none; add flat or chance"
            )
        flat = self.classes.index("flat")
        evidence, factors = self.average.class_evidence, {}
        for c, shape in enumerate(self.classes):
            if c != flat:
                column = CLASS_COLUMNS[shape].replace("p_", "log_bf_", 1)
                factors[column] = evidence[:, c] - evidence[:, flat]
                factors[f"{column}_se"] = np.hypot(*self.average.class_evidence_se[:, [c, flat]].T)
        return self._frame(factors)

    def families(self) -> Families:
        """Which models look like families that the table does not name: `families.families`."""
        return families(self)

    @property
    def failed(self) -> list[str]:
        """Names of the curves of which models that did not converge could change the answer."""
        return [str(name) for name in self.curves.name[self._unconverged() >= DOUBTFUL]]

    def _unconverged(self) -> Floats:
        """The probability that models that did not converge hold together: (curve,)."""
        converged = np.stack([fit.converged for fit in self._fits], axis=1)
        return (self.p_model * ~converged).sum(axis=1)

    def totals(self) -> dict[str, Any]:
        """Counts over all curves."""
        p, _ = self.probability("emergent")
        sharp, _ = self.probability("sharp")
        return {
            "curves": len(self.curves),
            "points": int(self.curves.points.sum()),
            "emergent": int((p > 0.5).sum()),
            "sharp": int((sharp > 0.5).sum()),
            "failed": self.failed,
        }

    @property
    def flags(self) -> list[list[str]]:
        """What the data and the samplers say of each curve that a reader should know."""
        out = [list(flags) for flags in self.curves.flags]
        for fit in self._fits:
            for i in np.flatnonzero(~fit.converged):
                out[i].append(f"{fit.model.name} not converged")
        p, _ = self.probability("emergent")
        without = self.without_each_model
        moved = np.nan_to_num(np.abs(without - p[:, None]))
        for i in np.flatnonzero(moved.max(axis=1) >= FRAGILE):
            most = moved[i].argmax()
            out[i].append(f"p_emergent {without[i, most]:.2f} without {self.models[most].name}")
        for flags, hangs in zip(out, self._hangs_on[1], strict=True):
            flags.extend([hangs] if hangs else [])
        return out

    @property
    def hangs_on(self) -> list[str]:
        """The models without whose scale the verdict on emergence would be another; "" for none."""
        return self._hangs_on[0]

    @cached_property
    def _hangs_on(self) -> tuple[list[str], list[str]]:
        p, _ = self.probability("emergent")
        return self.without_ends.names(self.curves, p)

    def _of_classes(self, suffix: str, values: Floats) -> dict[str, Any]:
        """Columns of a quantity (curve, class); 0 for a class that no model stands for."""
        return {
            column + suffix: values[:, self.classes.index(shape)] if shape in self.classes else 0.0
            for shape, column in CLASS_COLUMNS.items()
        }
