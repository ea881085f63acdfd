"""Draw curves and their scores from models."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from upturn.arrays.compiled import MEAN_MARGIN
from upturn.arrays.namespaces import NUMPY
from upturn.arrays.types import Floats
from upturn.formulas.scaling import Scaling, UnitAxis, native, orientation_of
from upturn.model import Model
from upturn.posterior import emergence as em
from upturn.posterior.criteria import Criteria, judged
from upturn.posterior.emergence import turning
from upturn.sampling.density import replicate
from upturn.sampling.density.target import Target
from upturn.tables.curves import Curves
from upturn.tables.flags import data_flags

type Fixed = Mapping[str, float | Floats]


@dataclass(frozen=True)
class Drawn:
    """Curves with scores drawn from one model.

    Attributes
    ----------
    curves : Curves
    parameters : dict of array (curve,)
        On the model's scale; nan where a curve's likelihood has no such parameter.
    offset : array (curve, group)
        The offset of each scatter group along the unit axis; 0 where there is none.
    mean : array (curve, point)
        Expected scores on the model's scale, offsets included; nan in padding.
    scaling : Scaling
        How native scores map to the model's scale.
    """

    curves: Curves
    parameters: dict[str, Floats]
    offset: Floats
    mean: Floats
    scaling: Scaling


def draw(
    model: Model,
    design: Curves,
    rng: np.random.Generator,
    *,
    fixed: Fixed | None = None,
    scaling: Scaling | None = None,
) -> Drawn:
    """Draw parameters from their priors and scores from the likelihood.

    Parameters
    ----------
    model : Model
    design : Curves
        Its scores are replaced. Scatter groups have offsets, as in a fit.
    rng : Generator
    fixed : mapping, optional
        Parameters that are not drawn, on the model's scale: numbers, or arrays (curve,).
    scaling : Scaling, optional
        How native scores of continuous metrics map to the model's scale; by default as if they
        filled its middle half, from 0.25 to 0.75, where they are from 0 to 1 in native units.

    Returns
    -------
    Drawn
    """
    unit = Scaling(np.zeros(len(design)), np.ones(len(design)))
    scaling = unit if scaling is None else scaling
    parts = []
    for kind in dict.fromkeys(design.kind.tolist()):
        index = np.flatnonzero(design.kind == kind)
        parts.append(
            (index, _of_kind(model, design, index, rng, fixed=fixed or {}, scaling=scaling))
        )
    return in_order(parts)


def _of_kind(
    model: Model,
    design: Curves,
    index: Any,
    rng: np.random.Generator,
    *,
    fixed: Fixed,
    scaling: Scaling,
) -> Drawn:
    """Curves of one kind."""
    curves, scaling = design.take(index), scaling.take(index)
    likelihood = model.likelihood_for(str(curves.kind[0]))
    target = Target(model, curves, likelihood, scaling=scaling)
    given = {
        name: np.broadcast_to(np.asarray(value, dtype=np.float64), len(design))[index]
        for name, value in fixed.items()
        if name in target.names
    }
    p = replicate.parameters(target, rng, target.chance) | given
    likelihood = target.likelihood
    offset = rng.standard_normal((len(curves), max(int(curves.groups.max(initial=0)), 1)))
    offset *= p["scatter"][:, None] if target.grouped else 0.0
    apart = np.take_along_axis(offset, np.maximum(curves.group, 0), axis=1)
    u = target.u + np.where(curves.group >= 0, apart, 0.0)
    at = {name: value[:, None, None] for name, value in p.items()}
    mean = model.mean(NUMPY, at, u[:, :, None], target.ceiling[:, None, None])
    mean = np.broadcast_to(mean, (*u.shape, 1))[:, :, 0]
    mean = np.clip(mean, MEAN_MARGIN, 1 - MEAN_MARGIN) if likelihood.bounded else mean
    noise = {name: np.broadcast_to(value[:, None], u.shape) for name, value in p.items()}
    y = replicate.scores(likelihood, rng, mean, noise, trials=curves.trials, chain=curves.chain)
    response = y if likelihood.counted else scaling.to_native(y)
    response = np.where(curves.mask, response, 0.0)
    flags = data_flags(curves.x, curves.mask, response, curves.trials, curves.kind)
    measured = replace(curves, response=response, flags=flags)
    return Drawn(measured, p, offset, np.where(curves.mask, mean, np.nan), scaling)


def in_order(parts: Sequence[tuple[Any, Drawn]]) -> Drawn:
    """Several sets of curves as one, in their original order."""
    if len(parts) == 1:
        return parts[0][1]
    back = np.argsort(np.concatenate([index for index, _ in parts]), kind="stable")
    drawn = [part for _, part in parts]
    curves = Curves.concatenate(part.curves for part in drawn).take(back)
    names = dict.fromkeys(name for part in drawn for name in part.parameters)
    parameters = {
        name: np.concatenate(
            [d.parameters.get(name, np.full(len(d.curves), np.nan)) for d in drawn]
        )[back]
        for name in names
    }
    groups = max(part.offset.shape[1] for part in drawn)
    points = max(part.mean.shape[1] for part in drawn)
    return Drawn(
        curves,
        parameters,
        np.concatenate([_wider(part.offset, groups, 0.0) for part in drawn])[back],
        np.concatenate([_wider(part.mean, points, np.nan) for part in drawn])[back],
        Scaling.concatenate([part.scaling for part in drawn]).take(back),
    )


def _wider(array: Floats, columns: int, padding: float) -> Floats:
    return np.pad(array, ((0, 0), (0, columns - array.shape[1])), constant_values=padding)


def truth_of(
    model: Model, drawn: Drawn, *, delta: float = em.DELTA, rules: Criteria | None = None
) -> dict[str, Any]:
    """The truth about drawn curves, by the names that fits and classifications use.

    Parameters
    ----------
    model : Model
        The model of the curves.
    drawn : Drawn
    delta : float
        As for `upturn.fit`.
    rules : Criteria, optional
        As for `upturn.classify`.

    Returns
    -------
    dict of array (curve,)
        Parameters as in the posterior of a fit: changepoints in coordinates of the axis, floor and
        sigma in native units. `scale`, `changepoint_scale` and `onset_scale` in native units: inf
        beyond the largest (0 on an axis of less is better), nan for no emergence. `rise`, `gain`,
        `emergent`, `sharp`.
    """
    curves, scaling = drawn.curves, drawn.scaling
    flat = {name: value[:, None] for name, value in drawn.parameters.items()}
    axis = UnitAxis.of(curves)
    turned, first = turning(model, curves, flat, delta=delta, scaling=scaling, end=axis.end[:, 0])
    judgement = judged(model, curves, flat, rules or Criteria(), scaling)
    functionals = judgement.functionals
    onset = _values(curves, axis.x(functionals.flat_until))
    out = {
        **native(model, flat, scaling, orientation_of(model, curves), axis),
        "scale": _values(curves, axis.x(turned.threshold)),
        "changepoint_scale": _values(curves, axis.x(first)),
        "onset_scale": np.where(judgement.emergent, onset, np.nan),
        "rise": functionals.rise * scaling.span[:, None],
        "gain": turned.gain * scaling.span[:, None],
        "emergent": judgement.emergent,
        "sharp": judgement.sharp,
    }
    return {name: value[:, 0] for name, value in out.items()}


def _values(curves: Curves, x: Floats) -> Floats:
    """Coordinates (curve, draw) in native units."""
    out = np.empty_like(x)
    for axis in dict.fromkeys(curves.axes):
        here = np.array([other == axis for other in curves.axes])
        out[here] = axis.value(x[here])
    return out
