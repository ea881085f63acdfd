"""The expected score over the axis, with its band."""

from typing import TYPE_CHECKING

import numpy as np

from upturn.arrays.types import Floats
from upturn.checks.arguments import interval_levels
from upturn.formulas.scaling import UnitAxis
from upturn.posterior import emergence as em
from upturn.questions.fit.contents import Contents

if TYPE_CHECKING:
    from numpy.typing import NDArray


def band(
    fit: Contents, chosen: "NDArray[np.intp]", *, points: int, ci: float, draws: int | None
) -> tuple[Floats, Floats, Floats, Floats]:
    """Coordinates, low, median and high of some curves; see `upturn.Fit.expected`."""
    p = {name: fit.parameters[name] for name in fit.model.parameters}
    held = next(iter(p.values())).shape[1]
    kept = np.linspace(0, held - 1, min(draws or held, held)).round().astype(np.intp)
    axis = UnitAxis.of(fit.one_axis).take(chosen)
    x = axis.x(np.linspace(0, 1, points) * axis.end)
    quantiles = np.empty((3, *x.shape))
    for i in em.pieces(len(x), len(kept), points):
        score = np.empty((*x[i].shape, len(kept)))
        for curves, places in fit.by_axis(kept):
            u = UnitAxis.of(curves).take(chosen[i]).u(x[i])
            part = {name: value[chosen[i, None], kept[places]] for name, value in p.items()}
            score[:, :, places] = em.expected(fit.model, part, u, fit.ceiling[chosen[i]])
        quantiles[:, i] = np.quantile(score, interval_levels(ci), axis=2)
    scaling, orientation = fit.scaling.take(chosen), fit.orientation[chosen, None]
    native = [scaling.to_native(quantile) * orientation for quantile in quantiles]
    # where less is better, the highest expected score is the lowest native one
    low, median, high = np.sort(native, axis=0)
    return x, low, median, high
