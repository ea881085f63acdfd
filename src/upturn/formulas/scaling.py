"""Native scores to the model's scale and back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from upturn.arrays.types import Booleans, Floats, Index
from upturn.formulas.curve import CurveModel
from upturn.tables.curves import Curves


@dataclass(frozen=True)
class Scaling:
    """How native scores map to the scale of the models: y = (native - offset) / span.

    Counts and proportions are what they are. A continuous metric is oriented so that more is
    better, and its observed range is laid on the middle half of [0, 1]. Scores that are all the
    same have a tenth of their size for a range, or the distance to chance where that is larger.
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
        # scores that are all one number have no range; how far chance lies says what size they have
        away = np.nan_to_num(np.abs(low - curves.orientation * curves.chance))
        usual = np.maximum(0.1 * np.maximum(np.abs(low), 1e-6), away)
        spread = np.where(constant, usual, high - low)
        return cls(low - 0.5 * spread - np.where(constant, 0.5 * spread, 0), 2 * spread)

    def to_model(self, native: Floats) -> Floats:
        """Oriented native values (curve, …) on the scale of the models."""
        shape = (-1, *[1] * (native.ndim - 1))
        return (native - self.offset.reshape(shape)) / self.span.reshape(shape)

    def take(self, curves: Index) -> Self:
        """That of some of the curves."""
        return type(self)(self.offset[curves], self.span[curves])


def proportions(curves: Curves) -> Floats:
    """Scores as proportions, or oriented native values of continuous metrics; 0 in padding."""
    return np.where(
        curves.trials > 0, curves.response / np.maximum(curves.trials, 1), curves.response
    )


def native(
    model: CurveModel,
    flat: Mapping[str, Floats],
    scaling: Scaling,
    sign: Floats,
    x_of: Callable[[Floats], Floats],
) -> dict[str, Floats]:
    """Parameters (curve, draw): changepoints by x_of, floor and sigma in native units."""
    out = {name: x_of(flat[name]) for name in model.changepoints}
    out |= {name: value for name, value in flat.items() if name not in out}
    if "floor" in out:
        score = scaling.offset[:, None] + scaling.span[:, None] * out["floor"]
        out["floor"] = score * sign[:, None]
    if "sigma" in out:
        out["sigma"] = out["sigma"] * scaling.span[:, None]
    return out


def orientation_of(model: CurveModel, curves: Curves) -> Floats:
    """The sign that makes more better, on the scale of the models: (curve,)."""
    return np.where(bounded_of(model, curves), 1.0, curves.orientation)


def chance_of(model: CurveModel, curves: Curves, scaling: Scaling) -> Floats:
    """The score of guessing on the scale of the models: (curve,)."""
    return scaling.to_model(orientation_of(model, curves) * curves.chance)


def range_share_of(model: CurveModel, curves: Curves) -> Floats:
    """How much of the models' scale a curve's range takes: (curve,).

    All of it for proportions, half of it for continuous metrics, whose observed scores fill its
    middle half.
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
