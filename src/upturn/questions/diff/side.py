"""Side: the headline scales of one of the two results that are compared."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from upturn.arrays.types import Floats, Index
from upturn.checks.arguments import interval_levels
from upturn.checks.errors import DataError, shown
from upturn.questions.classify.result import Classification
from upturn.questions.fit.result import Fit
from upturn.tables.curves import Curves

DRAWS = 1000  # of each curve that probabilities are counted from


@dataclass(frozen=True, eq=False)
class Side:
    """Draws of every curve's headline scale, as coordinates.

    Attributes
    ----------
    curves : Curves
        On one axis each.
    x : array (curve, draw)
        -inf where the ability is there at the smallest scale, inf where it is at none.
    quantiles : callable
        From a probability to the interval's low end, the median and the high end: (3, curve).
    failed : tuple of str
        Names of the curves whose answer is not reliable.
    notes : tuple of str
    arguments : mapping
        How it was made.
    """

    curves: Curves
    x: Floats
    quantiles: Callable[[float], Floats]
    failed: tuple[str, ...]
    notes: tuple[str, ...]
    arguments: dict[str, Any]

    @classmethod
    def of(cls, result: Fit | Classification, seed: int) -> Self:
        """The scales of a fit or a classification."""
        return cls._of_fit(result, seed) if isinstance(result, Fit) else cls._averaged(result, seed)

    @classmethod
    def _of_fit(cls, fit: Fit, seed: int) -> Self:
        mixed = next((axis for axis in fit.curves.axes if axis.components), None)
        if mixed is not None:
            raise DataError(
                f"diff: expected fits on single axes, but got {shown(mixed.name)}; "
                "fit on one of its axes"
            )
        x, p_change = fit.scales()
        few = _spread(x, seed)
        # the last draws stand for no change, so that all have the same weight
        changed = np.arange(few.shape[1]) < np.round(p_change * few.shape[1])[:, None]
        given = fit.meta["arguments"]
        model = fit.model.name

        def quantiles(ci: float) -> Floats:
            return fit._contents.quantiles("threshold_scale", interval_levels(ci))

        return cls(
            fit.curves, np.where(changed, few, np.inf), quantiles,
            tuple(fit.failed), fit.notes, {**given, "models": [model]},
        )  # fmt: skip

    @classmethod
    def _averaged(cls, result: Classification, seed: int) -> Self:
        x, _ = result.drawn(DRAWS, seed)
        given = {**result.meta["arguments"], "delta": result.criteria.delta}
        return cls(result.curves, x, result.scale_x, tuple(result.failed), result.notes, given)

    def take(self, index: Index) -> Self:
        """Some of the curves, in this order."""
        curves = self.curves.take(index)
        names = set(curves.name.tolist())
        return replace(
            self,
            curves=curves,
            x=self.x[index],
            quantiles=lambda ci: self.quantiles(ci)[:, index],
            failed=tuple(name for name in self.failed if name in names),
        )


def _spread(x: Floats, seed: int) -> Floats:
    """At most `DRAWS` draws of each curve, evenly over the chains, in random order."""
    few = x[:, :: max(1, x.shape[1] // DRAWS)][:, :DRAWS]
    return np.random.Generator(np.random.Philox(seed)).permuted(few, axis=1)
