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
from upturn.formulas.scaling import Scaling
from upturn.model import Model
from upturn.posterior.criteria import Criteria, judged
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


def ends_of(
    model: Model, curves: Curves, flat: Mapping[str, Floats], rules: Criteria, scaling: Scaling
) -> Ends:
    """What a model's draws say of the curves without one of the smallest or largest scales.

    Parameters
    ----------
    model : Model
    curves : Curves
    flat : mapping of array (curve, draw)
        Parameters on the model's scale.
    rules : Criteria
    scaling : Scaling
    """
    every = next(iter(flat.values())).shape[1]
    step = max(1, every // DRAWS)
    few = {name: value[:, ::step] for name, value in flat.items()}
    density = _densities(model, curves, few)
    drop = dropped(curves)
    whole = judged(model, curves, few, rules, scaling)
    ratio, emergent, khat = np.zeros((3, len(curves), len(drop)))
    khat[:] = -np.inf
    for k, points in enumerate(drop):
        left = curves.without(points)
        same = None if _shorter(curves, left) else whole
        holds = judged(model, left, few, rules, scaling, before=same).emergent
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


def _shorter(curves: Curves, left: Curves) -> bool:
    """Whether any curve begins or ends elsewhere without the points that were left out."""
    before, after = (np.where(c.mask, c.x[0], np.nan) for c in (curves, left))
    return any(
        not np.array_equal(end(before, axis=1), end(after, axis=1), equal_nan=True)
        for end in (np.fmin.reduce, np.fmax.reduce)
    )


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
