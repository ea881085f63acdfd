"""Criteria of emergence, and what draws of a curve say by them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from upturn.arrays.types import Booleans, Floats
from upturn.formulas.scaling import Scaling, ceiling_of, chance_of, range_share_of
from upturn.model import Model
from upturn.posterior.emergence import DELTA
from upturn.posterior.functionals import Functionals, functionals
from upturn.tables.curves import Curves

MIN_RISE = DELTA  # R at least this, as a score

MIN_FLAT = 0.25  # F at least this share of the axis

NEAR_CHANCE = 0.1

FLAT_SCALES = 3  # distinct scales that must lie in the flat stretch

MAX_WIDTH = 0.25  # W at most this share of the axis, for a sharp rise


@dataclass(frozen=True)
class Criteria:
    """What counts as emergent and as sharp; see `upturn.classify`.

    Attributes
    ----------
    min_rise : float
        Least rise R over the axis, as a score; of a continuous metric, as a share of its range.
    min_flat : float
        Least flat stretch F, as a share of the axis.
    near_chance : float
        How far from chance the curve may begin.
    flat_scales : int
        Distinct scales that must lie in the flat stretch.
    max_width : float
        Greatest width W of a sharp rise, as a share of the axis.
    """

    min_rise: float = MIN_RISE
    min_flat: float = MIN_FLAT
    near_chance: float = NEAR_CHANCE
    flat_scales: int = FLAT_SCALES
    max_width: float = MAX_WIDTH


def judged(
    model: Model, curves: Curves, flat: Mapping[str, Floats], rules: Criteria, scaling: Scaling
) -> tuple[Functionals, Booleans, Booleans]:
    """Functionals of each draw (curve, draw), and whether it is emergent, and sharply so.

    Parameters
    ----------
    model : Model
    curves : Curves
    flat : mapping of array (curve, draw)
        Parameters on the model's scale.
    rules : Criteria
    scaling : Scaling
    """
    end = np.where(curves.limits[1, 0] > curves.limits[0, 0], 1.0, 0.0)
    found = functionals(model, flat, ceiling_of(model, curves), end)
    unit = range_share_of(model, curves)[:, None]  # thresholds are shares of the range
    chance = chance_of(model, curves, scaling)[:, None]
    from_chance = np.abs(found.start - np.where(np.isnan(chance), found.start, chance))
    emergent = (
        (found.rise >= rules.min_rise * unit)
        & (found.flat_until >= np.maximum(rules.min_flat, _needed(curves, rules)[:, None]))
        & (from_chance <= rules.near_chance * unit)
    )
    return found, emergent, emergent & (found.width <= rules.max_width)


def _needed(curves: Curves, rules: Criteria) -> Floats:
    """The u before which as many distinct scales lie as a flat stretch needs: (curve,)."""
    u = np.where(curves.mask, curves.u[0], 2.0)
    fresh = np.diff(u, axis=1, prepend=-1) > 0
    reached = curves.mask & (np.cumsum(fresh, axis=1) >= rules.flat_scales)
    first = np.take_along_axis(u, reached.argmax(axis=1)[:, None], axis=1)[:, 0]
    return np.where(reached.any(axis=1), first, np.inf)
