"""Ends: what a model would say of a curve without one of its smallest or largest scales.

The draws are reweighted by the inverse likelihood of the scores at that scale (importance sampling,
Gelfand, Dey & Chang 1992; smoothed as by Vehtari et al. 2024), which also gives the evidence of
the others. Nothing is sampled again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from upturn.arrays.types import Booleans, Floats
from upturn.formulas.scaling import Scaling, ceiling_of, chance_of, range_share_of
from upturn.model import Model
from upturn.posterior.criteria import Criteria, Scales
from upturn.posterior.flatness import heights_at
from upturn.posterior.gap import Gap
from upturn.sampling.density.pointwise import pointwise
from upturn.sampling.density.target import Target
from upturn.sampling.particles.pareto import smoothed
from upturn.sampling.particles.weights import normalised
from upturn.tables.curves import Curves

AT_EACH_END = 3
DRAWS = 400  # that are reweighted
EVEN = 0.5  # effective share of the draws from which on weights have no tail to smooth


@dataclass(frozen=True)
class Ends:
    """The answer of one model without each of some scales: arrays (curve, scale).

    The scales are those of `dropped`.

    Attributes
    ----------
    log_ratio : array
        Log evidence of the scores that are left, less that of all.
    emergent : array
        Probability that the curve is emergent, given the model.
    khat : array
        Of the weights; above 0.7 the answer is not to be trusted.
    """

    log_ratio: Floats
    emergent: Floats
    khat: Floats

    def take(self, index: Any) -> "Ends":
        """Those of some of the curves."""
        return Ends(*(getattr(self, f.name)[index] for f in fields(self)))

    def put(self, index: Any, other: "Ends") -> "Ends":
        """The same with those of another for some of the curves."""
        arrays = [getattr(self, f.name).copy() for f in fields(self)]
        for values, f in zip(arrays, fields(self), strict=True):
            values[index] = getattr(other, f.name)
        return Ends(*arrays)


def nothing(curves: int) -> Ends:
    """The ends of curves that nothing was left out of."""
    unknown = np.full((curves, 2 * AT_EACH_END), np.nan)
    return Ends(np.zeros_like(unknown), unknown, np.full_like(unknown, -np.inf))


def dropped(curves: Curves) -> Booleans:
    """The points at each of the three smallest and largest scales: (scale, curve, point).

    Nothing for scales that a curve has not.
    """
    out = np.zeros((2 * AT_EACH_END, *curves.mask.shape), dtype=np.bool_)
    for i, mask in enumerate(curves.mask):
        scales = np.unique(curves.x[0, i, mask])
        chosen = np.unique(np.r_[scales[:AT_EACH_END], scales[-AT_EACH_END:]])
        for k, x in enumerate(chosen if len(scales) > 1 else ()):
            out[k, i] = mask & (curves.x[0, i] == x)
    return out


@dataclass(frozen=True)
class Leaving:
    """Curves without each of their smallest and largest scales, which all models share.

    Attributes
    ----------
    curves : Curves
    rules : Criteria
    whole : Scales
        Of the curves with all their scales.
    gap : Gap
        With which they were fitted.
    drop : array of bool (scale, curve, point)
    left : tuple of Curves
    scales : tuple of Scales
        Of those.
    """

    curves: Curves
    rules: Criteria
    whole: Scales
    gap: Gap
    drop: Booleans
    left: tuple[Curves, ...]
    scales: tuple[Scales, ...]

    @classmethod
    def of(cls, curves: Curves, rules: Criteria) -> "Leaving":
        drop = dropped(curves)
        left = tuple(curves.without(points) for points in drop)
        scales = tuple(Scales.of(part, rules) for part in left)
        return cls(curves, rules, Scales.of(curves, rules), Gap.of(curves), drop, left, scales)

    def emergent(self, k: int, model: Model, heights: Floats, scaling: Scaling) -> Booleans:
        """Whether each draw is emergent without the k-th scale: (curve, draw).

        Parameters
        ----------
        k : int
        model : Model
        heights : array (curve, scale, draw)
            Expected scores at all scales.
        scaling : Scaling
        """
        scales = self.scales[k]
        places = [np.searchsorted(u, some) for u, some in zip(self.whole.u, scales.u, strict=True)]
        kept = np.take_along_axis(heights, np.array(places)[:, :, None], axis=1)
        chance = chance_of(model, self.curves, scaling)
        unit = range_share_of(model, self.left[k])
        return scales.flat_starts(kept, self.rules, chance, unit) >= 0


def ends_of(model: Model, leaving: Leaving, flat: Mapping[str, Floats], scaling: Scaling) -> Ends:
    """What a model's draws say of the curves without one of the smallest or largest scales.

    Parameters
    ----------
    model : Model
    leaving : Leaving
    flat : mapping of array (curve, draw)
        Parameters on the model's scale.
    scaling : Scaling
    """
    every = next(iter(flat.values())).shape[1]
    step = max(1, every // DRAWS)
    few = {name: value[:, ::step] for name, value in flat.items()}
    curves = leaving.curves
    density = _densities(model, leaving.gap.shortened(curves), few)
    u = leaving.gap.fitted(leaving.whole.u)
    heights = heights_at(model, few, u, ceiling_of(model, curves))
    ratio, emergent, khat = np.zeros((3, len(curves), len(leaving.drop)))
    khat[:] = -np.inf
    for k, points in enumerate(leaving.drop):
        holds = leaving.emergent(k, model, heights, scaling)
        for i in range(len(curves)):
            if not points[i].any():
                emergent[i, k] = np.nan
                continue
            weights = -density[i][points[i][: len(density[i])]].sum(axis=0)
            # the mean of the inverse likelihood is the ratio of the evidences
            smooth, khat[i, k] = _smoothed(weights)
            ratio[i, k] = np.logaddexp.reduce(smooth) - np.log(len(smooth))
            emergent[i, k] = normalised(smooth) @ holds[i]
    return Ends(ratio, emergent, khat)


def _densities(model: Model, curves: Curves, p: Mapping[str, Floats]) -> list[Floats]:
    """Log density of each point of each curve: (point, draw)."""
    out: list[Floats] = [np.zeros((0, 0))] * len(curves)
    for kind in dict.fromkeys(curves.kind.tolist()):
        index = np.flatnonzero(curves.kind == kind)
        target = Target(model, curves.take(index), model.likelihood_for(str(kind)))
        for place, i in enumerate(index.tolist()):
            parameters = {name: p[name][i][None, None] for name in target.names}
            out[i] = pointwise(target, place, parameters)[: curves.points[i]]
    return out


def _smoothed(log_weights: Floats) -> tuple[Floats, Any]:
    """Smoothed log weights, the mean of which stays what it is, and their k̂."""
    weights = normalised(log_weights)
    if 1 / (weights**2).sum() > EVEN * len(weights):
        return log_weights, -np.inf
    return smoothed(log_weights)
