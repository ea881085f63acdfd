"""Criteria of emergence, and what draws of a curve say by them.

The criteria describe the curve at the scales that were measured. Distances are counted in decades
and stretches in distinct scales: as shares of the axis they would change with one model far below
or far above the others.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from upturn.arrays.types import Booleans, Floats, Integers
from upturn.formulas.curve import CurveModel
from upturn.formulas.scaling import Scaling, ceiling_of, chance_of, range_share_of
from upturn.posterior.emergence import DELTA, pieces
from upturn.posterior.flatness import flat_starts, heights_at
from upturn.posterior.functionals import Functionals, functionals
from upturn.posterior.gap import Gap
from upturn.posterior.outcomes import outcomes
from upturn.tables.axis import Axis
from upturn.tables.curves import Curves

MIN_RISE = DELTA
CENTRE = (0.1, 0.9)  # quantiles of the scales, the range between which stands in for decades


@dataclass(frozen=True)
class Criteria:
    """What counts as emergent and as sharp; see `upturn.classify`.

    Attributes
    ----------
    min_rise : float
        Least rise from the flat stretch to the largest scale, as a score; of a continuous metric,
        as a share of its range.
    min_flat : float
        Least share of the distinct scales that must lie in the flat stretch, which may begin at
        any of them.
    near_chance : float
        How far from chance the flat stretch may begin.
    flat_scales : int
        Least number of distinct scales that must lie in the flat stretch.
    flat_decades : float
        How far the flat stretch must reach, in decades. A gap between neighbouring scales counts
        for at most half of this, so that one scale far below the others is worth as much as one
        just below them. On an axis without decades, so many times `central_width`.
    max_width : float
        Greatest width W of a sharp rise, in decades of any axis that has them. Models of one
        family and one data size grow in FLOPs as they do in parameters, and both then say the same.
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
    gap: Gap | None = None,
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
    gap : Gap, optional
        Of curves that were fitted with their smallest scale elsewhere.
    """
    unit = range_share_of(model, curves)  # thresholds are shares of the range
    chance, ceiling = chance_of(model, curves, scaling), ceiling_of(model, curves)
    scales = Scales.of(curves, rules)
    draws = next(iter(flat.values())).shape[1]
    first = np.empty((len(curves), draws), dtype=np.int32)
    for piece in pieces(len(curves), draws, scales.u.shape[1]):
        parameters = {name: flat[name][piece] for name in model.parameters}
        at = scales.u[piece] if gap is None else gap.take(piece).fitted(scales.u[piece])
        heights = heights_at(model, parameters, at, ceiling[piece])
        first[piece] = scales.take(piece).flat_starts(heights, rules, chance[piece], unit[piece])
    emergent = first >= 0
    per_draw = functionals(
        model, flat, ceiling, scales.end, begin=scales.begin, chance=chance,
        flat_from=np.take_along_axis(scales.u, np.maximum(first, 0), axis=1),
        delta=rules.delta * unit, gap=gap,
    )  # fmt: skip
    reference = np.where(np.isnan(chance)[:, None], per_draw.start, chance[:, None])
    sharp = emergent & (per_draw.width <= scales.sharp[:, None])
    what = outcomes(
        per_draw, emergent, reference, rise=rules.min_rise * unit, delta=rules.delta * unit
    )
    return Judgement(per_draw, emergent, sharp, what)


@dataclass(frozen=True)
class Scales:
    """What the scales of each curve make of the criteria, on the unit axis.

    Attributes
    ----------
    u : array (curve, scale)
        The distinct scales, ascending, the last repeated where a curve has fewer than others.
    count : array of int (curve,)
        How many there are.
    until : array of int (curve, scale)
        The place at which a flat stretch that begins at each scale ends at the earliest; -1 where
        too few scales are left.
    sharp : array (curve,)
        The greatest width of a sharp rise.
    """

    u: Floats
    count: Integers
    until: Integers
    sharp: Floats

    @property
    def begin(self) -> Floats:
        """The smallest scale of each curve."""
        return self.u[:, 0]

    @property
    def end(self) -> Floats:
        """The largest scale of each curve."""
        return self.u[:, -1]

    def take(self, index: slice) -> "Scales":
        """Those of some of the curves."""
        return Scales(*(getattr(self, f.name)[index] for f in fields(self)))

    def flat_starts(
        self, heights: Floats, rules: Criteria, chance: Floats, unit: Floats
    ) -> Integers:
        """The scale at which each draw begins to be flat, -1 for none: (curve, draw).

        Parameters
        ----------
        heights : array (curve, scale, draw)
            Expected scores at the scales.
        rules : Criteria
        chance, unit : array (curve,)
            On the model's scale; thresholds are shares of `unit`.
        """
        return flat_starts(
            heights, self.count, self.until, chance=chance, near=rules.near_chance * unit,
            rise=rules.min_rise * unit,
        )  # fmt: skip

    @classmethod
    def of(cls, curves: Curves, rules: Criteria) -> "Scales":
        extent = curves.limits[1, 0] - curves.limits[0, 0]
        distinct = [np.unique(u[m]) for u, m in zip(curves.u[0], curves.mask, strict=True)]
        most = max((len(u) for u in distinct), default=1)
        places = np.zeros((len(curves), max(most, 1)))
        until = np.full(places.shape, -1, dtype=np.int64)
        sharp = np.empty(len(curves))
        for i, (axis, u) in enumerate(zip(curves.axes, distinct, strict=True)):
            reach, sharp[i] = _extents(axis, u, float(extent[i]) or 1.0, rules)
            places[i] = np.pad(u, (0, places.shape[1] - len(u)), mode="edge") if len(u) else 0.0
            until[i, : len(u)] = _until(u, rules, reach)
        return cls(places, np.array([max(len(u), 1) for u in distinct]), until, sharp)


def _extents(axis: Axis, u: Floats, span: float, rules: Criteria) -> tuple[float, float]:
    """How far a flat stretch must reach, and the greatest width of a sharp rise."""
    if has_decades(axis):
        return rules.flat_decades / span, rules.max_width / span
    centre = float(np.subtract(*np.quantile(u, CENTRE)[::-1])) if len(u) else 0.0
    width = centre * rules.central_width
    return width * rules.flat_decades, width


def has_decades(axis: Axis) -> bool:
    """Whether decades of an axis mean something: it is logarithmic, and more of it is better.

    Perplexities and other columns of which less is better run over a decade or two in all.

    Examples
    --------
    >>> [has_decades(Axis.parse(name)) for name in ("flops", "params", "perplexity")]
    [True, True, False]
    """
    return axis.transform == "log10"


def _until(u: Floats, rules: Criteria, reach: float) -> Integers:
    """Where a flat stretch from each of the distinct scales u on ends at the earliest; -1: nowhere.

    It holds enough scales, and reaches far enough, a gap counting for half of that at most.
    """
    least = max(rules.flat_scales, int(np.ceil(rules.min_flat * len(u) - 1e-9)), 1)
    covered = np.cumsum(np.minimum(np.diff(u, prepend=u[:1]), reach / 2))
    far = np.searchsorted(covered, covered + reach * (1 - 1e-9))
    last = np.maximum(far, np.arange(len(u)) + least - 1)
    return np.where(last < len(u), last, -1)
