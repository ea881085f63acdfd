"""Criteria of emergence, and what draws of a curve say by them.

The criteria describe the curve at the scales that were measured. Distances are counted in decades
and stretches in distinct scales: as shares of the axis they would change with one model far below
or far above the others.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from upturn.arrays.types import Booleans, Floats, Integers
from upturn.formulas.curve import CurveModel
from upturn.formulas.scaling import Scaling, ceiling_of, chance_of, range_share_of
from upturn.posterior.emergence import DELTA
from upturn.posterior.functionals import Functionals, functionals
from upturn.posterior.outcomes import outcomes
from upturn.tables.axis import Axis
from upturn.tables.curves import Curves

MIN_RISE = DELTA
CENTRE = (0.1, 0.9)  # quantiles of the scales, the range between which stands in for decades
# compute-optimal models grow in parameters and in tokens alike, so that FLOPs go by the square
HALF_DECADES = frozenset({"params", "tokens"})


@dataclass(frozen=True)
class Criteria:
    """What counts as emergent and as sharp; see `upturn.classify`.

    Attributes
    ----------
    min_rise : float
        Least rise R over the axis, as a score; of a continuous metric, as a share of its range.
    min_flat : float
        Least share of the distinct scales that must lie in the flat stretch.
    near_chance : float
        How far from chance the curve may begin.
    flat_scales : int
        Least number of distinct scales that must lie in the flat stretch.
    flat_decades : float
        How far the flat stretch must reach, in decades. A gap between neighbouring scales counts
        for at most half of this, so that one scale far below the others is worth as much as one
        just below them. On an axis without decades, so many times `central_width`.
    max_width : float
        Greatest width W of a sharp rise, in decades of FLOPs; half as much in parameters or tokens.
    central_width : float
        The same on axes without decades, as a share of the range between the 10 % and the 90 %
        quantile of the distinct scales.
    delta : float
        How far above chance the expected score stands at the headline scale.
    """

    min_rise: float = MIN_RISE
    min_flat: float = 0.25
    near_chance: float = 0.1
    flat_scales: int = 3
    flat_decades: float = 0.5
    max_width: float = 1.0
    central_width: float = 0.25
    delta: float = DELTA


@dataclass(frozen=True)
class Judgement:
    """What draws of curves say by the criteria: arrays (curve, draw).

    Attributes
    ----------
    functionals : Functionals
        On the model's scale and the unit axis.
    emergent, sharp : array of bool
    outcome : array of int
        Place in `upturn.posterior.outcomes.OUTCOMES`.
    """

    functionals: Functionals
    emergent: Booleans
    sharp: Booleans
    outcome: Integers


def judged(
    model: CurveModel,
    curves: Curves,
    flat: Mapping[str, Floats],
    rules: Criteria,
    scaling: Scaling,
    *,
    before: Judgement | None = None,
) -> Judgement:
    """Functionals of each draw, whether it is emergent, and sharply so, and what it does else.

    Parameters
    ----------
    model : CurveModel
    curves : Curves
        Some points may be masked: the curve is then judged between the scales that are left.
    flat : mapping of array (curve, draw)
        Parameters on the model's scale.
    rules : Criteria
    scaling : Scaling
    before : Judgement, optional
        Of the same draws and of curves that begin and end at the same scales, whose functionals
        are then not computed anew.
    """
    unit = range_share_of(model, curves)  # thresholds are shares of the range
    chance = chance_of(model, curves, scaling)
    scales = Scales.of(curves, rules)
    if before is None:
        found = functionals(
            model, flat, ceiling_of(model, curves), scales.end,
            begin=scales.begin, chance=chance, delta=rules.delta * unit,
        )  # fmt: skip
    else:
        found = before.functionals
    reference = np.where(np.isnan(chance)[:, None], found.start, chance[:, None])
    emergent = (
        (found.rise >= rules.min_rise * unit[:, None])
        & (found.flat_until >= scales.needed[:, None])
        & (np.abs(found.start - reference) <= rules.near_chance * unit[:, None])
    )
    sharp = emergent & (found.width <= scales.sharp[:, None])
    what = outcomes(
        found, emergent, reference, rise=rules.min_rise * unit, delta=rules.delta * unit
    )
    return Judgement(found, emergent, sharp, what)


@dataclass(frozen=True)
class Scales:
    """What the scales of each curve make of the criteria, on the unit axis: arrays (curve,).

    Attributes
    ----------
    begin, end : array
        The smallest and the largest scale.
    needed : array
        The scale that a flat stretch must reach; inf where there are too few scales.
    sharp : array
        The greatest width of a sharp rise.
    """

    begin: Floats
    end: Floats
    needed: Floats
    sharp: Floats

    @classmethod
    def of(cls, curves: Curves, rules: Criteria) -> "Scales":
        low, high = curves.limits[:, 0]
        extent = high - low
        out = np.empty((4, len(curves)))
        for i, axis in enumerate(curves.axes):
            u = np.unique(curves.u[0, i, curves.mask[i]])
            span = float(extent[i])
            centre = float(np.subtract(*np.quantile(u, CENTRE)[::-1])) if len(u) else 0.0
            decade = decade_of(axis)
            if decade is None:
                width = centre * rules.central_width
                reach = width * rules.flat_decades
            else:
                width = decade * rules.max_width / (span or 1.0)
                reach = rules.flat_decades / (span or 1.0)
            begin, end = (float(u[0]), float(u[-1])) if len(u) else (0.0, 0.0)
            out[:, i] = begin, end, _needed(u, rules, reach), width
        return cls(*out)


def decade_of(axis: Axis) -> float | None:
    """How far on an axis counts as much as a decade of FLOPs; None where decades mean nothing.

    Perplexities and other columns of which less is better run over a decade or two in all.

    Examples
    --------
    >>> [decade_of(Axis.parse(name)) for name in ("flops", "params", "perplexity")]
    [1.0, 0.5, None]
    """
    if axis.transform != "log10":
        return None
    return 0.5 if axis.name in HALF_DECADES else 1.0


def _needed(u: Floats, rules: Criteria, reach: float) -> float:
    """The first of the distinct scales u that a flat stretch may end at."""
    least = max(rules.flat_scales, int(np.ceil(rules.min_flat * len(u) - 1e-9)), 1)
    covered = np.cumsum(np.minimum(np.diff(u, prepend=u[:1]), reach / 2))
    enough = (np.arange(len(u)) >= least - 1) & (covered >= reach * (1 - 1e-9))
    return float(u[enough.argmax()]) if enough.any() else float("inf")
