"""Native scores and scales to those of the models, and back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from upturn.arrays.types import Booleans, Floats, Index
from upturn.formulas.curve import CurveModel
from upturn.tables.curves import Curves


@dataclass(frozen=True)
class Scaling:
    """How native scores map to the scale of the models: y = (native - offset) / span.

    Counts and proportions keep their scale. A continuous metric is oriented so that more is better,
    and its observed range is mapped to the middle half of [0, 1]. Scores that are all equal have no
    range; a tenth of their size stands for it, or the distance to chance if that is larger.

    Attributes
    ----------
    offset, span : array (curve,)
    """

    offset: Floats
    span: Floats

    @classmethod
    def of(cls, curves: Curves, *, bounded: bool) -> Self:
        """The scaling of each curve: offset and span (curve,), oriented native units."""
        if bounded:
            return cls(np.zeros(len(curves)), np.ones(len(curves)))
        score = proportions(curves)
        low = np.where(curves.mask, score, np.inf).min(axis=1, initial=np.inf)
        high = np.where(curves.mask, score, -np.inf).max(axis=1, initial=-np.inf)
        constant = ~(high > low)
        away = np.nan_to_num(np.abs(low - curves.orientation * curves.chance))
        usual = np.maximum(0.1 * np.maximum(np.abs(low), 1e-6), away)
        spread = np.where(constant, usual, high - low)
        return cls(low - 0.5 * spread - np.where(constant, 0.5 * spread, 0), 2 * spread)

    def to_model(self, native: Floats) -> Floats:
        """Oriented native values (curve, …) on the scale of the models."""
        shape = (-1, *[1] * (native.ndim - 1))
        return (native - self.offset.reshape(shape)) / self.span.reshape(shape)

    def to_native(self, values: Floats) -> Floats:
        """Values (curve, …) on the scale of the models, as oriented native values."""
        shape = (-1, *[1] * (values.ndim - 1))
        return self.offset.reshape(shape) + self.span.reshape(shape) * values

    def take(self, curves: Index) -> Self:
        """The scaling of some of the curves."""
        return type(self)(self.offset[curves], self.span[curves])

    @classmethod
    def concatenate(cls, parts: "Sequence[Scaling]") -> Self:
        """The scaling of the curves of several parts, in their order."""
        return cls(
            np.concatenate([part.offset for part in parts]),
            np.concatenate([part.span for part in parts]),
        )


@dataclass(frozen=True)
class UnitAxis:
    """The unit axis of the models on the axis of the data: x = low + u (high - low).

    Attributes
    ----------
    low, high : array (curve, draw) or (curve, 1)
        The coordinates x at which u is 0 and 1. Where they are equal, u is the distance from them.
    """

    low: Floats
    high: Floats

    @classmethod
    def of(cls, curves: Curves) -> Self:
        """The unit axis of curves on one axis each."""
        low, high = curves.limits[:, 0, :, None]
        return cls(low, high)

    @property
    def end(self) -> Floats:
        """The u of the largest scale: 1, or 0 where an axis has one value only."""
        return np.where(self.high > self.low, 1.0, 0.0)

    @property
    def _length(self) -> Floats:
        return np.where(self.high > self.low, self.high - self.low, 1.0)

    def x(self, u: Floats) -> Floats:
        """Coordinates of points u (curve, any)."""
        return self.low + u * self._length

    def u(self, x: Floats) -> Floats:
        """Points on the unit axis of coordinates x (curve, any)."""
        return (x - self.low) / self._length

    def take(self, curves: Index) -> Self:
        """The axis of some of the curves."""
        return type(self)(self.low[curves], self.high[curves])


def proportions(curves: Curves) -> Floats:
    """Scores as proportions, or oriented native values of continuous metrics; 0 in padding."""
    return np.where(
        curves.trials > 0, curves.response / np.maximum(curves.trials, 1), curves.response
    )


def native(
    model: CurveModel,
    flat: Mapping[str, Floats],
    scaling: Scaling,
    orientation: Floats,
    axis: UnitAxis,
) -> dict[str, Floats]:
    """Parameters of a model in native units: changepoints as coordinates x, floor and sigma.

    Parameters
    ----------
    model : CurveModel
    flat : mapping of array (curve, draw)
        Parameters on the model's scale.
    scaling : Scaling
    orientation : array (curve,)
        See `orientation_of`.
    axis : UnitAxis
    """
    out = {name: axis.x(flat[name]) for name in model.changepoints}
    out |= {name: value for name, value in flat.items() if name not in out}
    if "floor" in out:
        out["floor"] = scaling.to_native(out["floor"]) * orientation[:, None]
    if "sigma" in out:
        out["sigma"] = out["sigma"] * scaling.span[:, None]
    return out


def on_model_scale(
    model: CurveModel,
    flat: Mapping[str, Floats],
    scaling: Scaling,
    orientation: Floats,
    axis: UnitAxis,
) -> dict[str, Floats]:
    """Parameters in native units on the model's scale: the inverse of `native`."""
    out = dict(flat)
    out |= {name: axis.u(flat[name]) for name in model.changepoints}
    if "floor" in out:
        out["floor"] = scaling.to_model(out["floor"] * orientation[:, None])
    if "sigma" in out:
        out["sigma"] = out["sigma"] / scaling.span[:, None]
    return out


def log_jacobian_of(model: CurveModel, curves: Curves, scaling: Scaling) -> Floats:
    """What log densities of all scores of a curve gain in native units: (curve,)."""
    return np.where(bounded_of(model, curves), 0.0, -curves.points * np.log(scaling.span))


def orientation_of(model: CurveModel, curves: Curves) -> Floats:
    """1, or -1 for a metric of which less is better, under an unbounded likelihood: (curve,)."""
    return np.where(bounded_of(model, curves), 1.0, curves.orientation)


def chance_of(model: CurveModel, curves: Curves, scaling: Scaling) -> Floats:
    """The score of random guessing on the scale of the models: (curve,)."""
    return scaling.to_model(orientation_of(model, curves) * curves.chance)


def range_share_of(model: CurveModel, curves: Curves) -> Floats:
    """The range of a curve's scores as a share of the models' scale: (curve,).

    1 for proportions; 0.5 for continuous metrics, whose observed scores fill the middle half.
    """
    return np.where(bounded_of(model, curves), 1.0, 0.5)


def bounded_of(model: CurveModel, curves: Curves) -> Booleans:
    """Whether each curve's expected score is a proportion: (curve,)."""
    return np.array([model.likelihood_for(kind).bounded for kind in curves.kind.tolist()])


def ceiling_of(model: CurveModel, curves: Curves) -> Floats:
    """The ceiling of each curve on the model's scale: (curve,)."""
    known = bounded_of(model, curves) & ~np.isnan(curves.ceiling)
    return np.where(known, curves.ceiling, 1.0)


def scaling_of(model: CurveModel, curves: Curves) -> Scaling:
    """The scaling of each curve under the likelihood of its kind."""
    bounded = bounded_of(model, curves)
    inside, outside = (Scaling.of(curves, bounded=b) for b in (True, False))
    return Scaling(
        np.where(bounded, inside.offset, outside.offset),
        np.where(bounded, inside.span, outside.span),
    )
