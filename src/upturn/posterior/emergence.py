"""Emergence: from draws of a model's parameters to the scale at which an ability turns up.

Everything here is arrays, (curve, draw) on the unit axis u unless a name says otherwise.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields

import numpy as np

from upturn.arrays.namespaces import NUMPY
from upturn.arrays.types import Floats
from upturn.formulas.curve import CurveModel
from upturn.formulas.scaling import (
    Scaling,
    ceiling_of,
    chance_of,
    range_share_of,
)
from upturn.model import Model
from upturn.tables.curves import Curves

DELTA = 0.1  # a score this far above chance is an ability
GRID = 65  # even points at which a curve is looked at before the crossing is closed in on
BISECTIONS = 16
type Level = Callable[[Floats, Floats, Floats], Floats]

CELLS = 4_000_000  # grid points times draws looked at in one go: 32 MB


@dataclass(frozen=True)
class Emergence:
    """What a model says of where each curve turns up.

    Attributes
    ----------
    threshold : array (curve, draw)
        First u at which the expected score exceeds the reference by delta; inf where it never
        does, -inf where it does from the start.
    gain : array (curve, draw)
        Expected score at the largest scale minus the floor (or the start, for a model without).
    above_from_start : array of bool (curve, draw)
        Whether the expected score at the smallest scale exceeds chance by delta.
    """

    threshold: Floats
    gain: Floats
    above_from_start: np.ndarray


def expected(model: CurveModel, p: Mapping[str, Floats], u: Floats, ceiling: Floats) -> Floats:
    """Expected score (curve, u, draw) on the model's scale at points u.

    Points are (curve, u), the same for every draw, or (curve, u, draw).
    """
    parameters = {name: p[name][:, None, :] for name in model.parameters}
    draws = next(iter(p.values())).shape[1]
    points = u if u.ndim == 3 else u[:, :, None]
    mean = model.mean(NUMPY, parameters, points, ceiling[:, None, None])
    return np.broadcast_to(mean, (*u.shape[:2], draws))


def emergence(
    model: CurveModel,
    p: Mapping[str, Floats],
    *,
    chance: Floats,
    ceiling: Floats,
    delta: Floats,
    end: Floats,
) -> Emergence:
    """Where curves emerge under a model, a few curves at a time.

    Parameters
    ----------
    model : CurveModel
    p : mapping
        Parameters by name, (curve, draw).
    chance : array (curve,)
        On the model's scale; nan where unknown: the expected score at the smallest scale stands in.
    ceiling, delta : array (curve,)
    end : array (curve,)
        U of the largest scale: 1, or 0 where all points stand at one scale.
    """
    parts = [
        _emergence(
            model, {name: p[name][i] for name in model.parameters},
            chance=chance[i], ceiling=ceiling[i], delta=delta[i], end=end[i],
        )
        for i in pieces(*next(iter(p.values())).shape)
    ]  # fmt: skip
    return Emergence(
        *(np.concatenate([getattr(x, f.name) for x in parts]) for f in fields(Emergence))
    )


def pieces(curves: int, draws: int, grid: int = GRID) -> Iterator[slice]:
    """Slices of so few curves that (curve, grid point, draw) fits in a small memory."""
    step = max(1, CELLS // (grid * draws))
    yield from (slice(i, i + step) for i in range(0, curves, step))


def _emergence(
    model: CurveModel,
    p: Mapping[str, Floats],
    *,
    chance: Floats,
    ceiling: Floats,
    delta: Floats,
    end: Floats,
) -> Emergence:
    curves, draws = next(iter(p.values())).shape
    nodes = _nodes(model, p, end)
    score = expected(model, p, nodes, ceiling)
    start, last = score[:, 0], score[:, -1]
    known = ~np.isnan(chance)[:, None]
    reference = np.where(known, np.nan_to_num(chance)[:, None], start) + delta[:, None]
    from_start = known & (start > reference)
    threshold = _first_above(model, p, ceiling, reference, (nodes, score))
    threshold = np.where(from_start, -np.inf, threshold)
    base = np.broadcast_to(p["floor"], (curves, draws)) if model.range == "floor" else start
    return Emergence(threshold, last - base, from_start)


def crossings(
    model: CurveModel, p: Mapping[str, Floats], level: Level, *, ceiling: Floats, end: Floats
) -> Floats:
    """Where each draw of each curve first exceeds a level of its own: u (curve, draw).

    Parameters
    ----------
    model : CurveModel
    p : mapping
        Parameters by name, (curve, draw).
    level : callable
        From the floor (or the expected score at the smallest scale), the highest expected score
        and the ceiling, each (curve, draw) or (curve, 1), to the level.
    ceiling, end : array (curve,)
        As for `emergence`.

    Returns
    -------
    array (curve, draw)
        -inf where it does so from the start, inf where it never does.
    """
    parts = []
    for i in pieces(*next(iter(p.values())).shape):
        some = {name: p[name][i] for name in model.parameters}
        nodes = _nodes(model, some, end[i])
        score = expected(model, some, nodes, ceiling[i])
        base = some["floor"] if model.range == "floor" else score[:, 0]
        wanted = np.broadcast_to(level(base, score.max(axis=1), ceiling[i, None]), base.shape)
        u = _first_above(model, some, ceiling[i], wanted, (nodes, score))
        parts.append(np.where(score[:, 0] > wanted, -np.inf, u))
    return np.concatenate(parts)


def _first_above(
    model: CurveModel,
    p: Mapping[str, Floats],
    ceiling: Floats,
    reference: Floats,
    looked_at: tuple[Floats, Floats],
) -> Floats:
    """The first point above the reference, inf where there is none: (curve, draw)."""
    nodes, score = looked_at
    above = score > reference[:, None, :]
    place = _close_in(model, p, ceiling, reference, _bracket(nodes, above.argmax(axis=1)))
    return np.where(above.any(axis=1), place, np.inf)


def _nodes(model: CurveModel, p: Mapping[str, Floats], end: Floats) -> Floats:
    """Points at which each curve is looked at: an even grid, and the changepoints of each draw.

    Between two of them every segment is monotone, so that no peak and no jump is missed. Shaped
    (curve, node), or (curve, node, draw) where there are changepoints.
    """
    even = np.linspace(0, 1, GRID) * end[:, None]
    if not model.changepoints:
        return even
    kinks = np.stack([p[name] for name in model.changepoints], axis=1)
    grid = np.broadcast_to(even[:, :, None], (*even.shape, kinks.shape[2]))
    return np.sort(np.concatenate([grid, np.clip(kinks, 0, end[:, None, None])], axis=1), axis=1)


def _bracket(nodes: Floats, first: np.ndarray) -> tuple[Floats, Floats]:
    """The node before the first above the reference, and that node: (curve, draw) each."""
    by_draw = nodes if nodes.ndim == 3 else nodes[:, :, None]
    before = np.maximum(first - 1, 0)
    low, high = (np.take_along_axis(by_draw, i[:, None], axis=1)[:, 0] for i in (before, first))
    return low, high


def _close_in(
    model: CurveModel,
    p: Mapping[str, Floats],
    ceiling: Floats,
    reference: Floats,
    bracket: tuple[Floats, Floats],
) -> Floats:
    """The last point below the reference within a bracket, whose high end is above it.

    Of a jump that is the changepoint itself.
    """
    low, high = bracket
    # one point for each draw: u takes the place of the particles
    flat = {name: p[name][:, None, :] for name in model.parameters}
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        score = model.mean(NUMPY, flat, middle[:, None, :], ceiling[:, None, None])[:, 0]
        above = score > reference
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return low


def p_change(
    log_evidence: Floats, error: Floats, twin: Floats, twin_error: Floats
) -> tuple[Floats, Floats]:
    """Posterior probability of a model against its no-change twin, equal prior odds; its error.

    Parameters
    ----------
    log_evidence, error, twin, twin_error : array (curve,)
        Log evidences and their standard errors.
    """
    p = NUMPY.expit(log_evidence - twin)
    return p, p * (1 - p) * np.hypot(error, twin_error)


def with_atoms(u: Floats, above_from_start: np.ndarray, end: Floats) -> Floats:
    """Draws of a changepoint, at -inf where the curve is above chance from the start.

    Those beyond the largest scale, which there are where all points stand at one, are at inf.
    """
    return np.where(above_from_start, -np.inf, np.where(u > end[:, None], np.inf, u))


def quantiles(values: Floats, p: Floats, levels: Floats) -> Floats:
    """Quantiles of the mixture of draws (weight p) and an atom at inf (weight 1 - p).

    Parameters
    ----------
    values : array (curve, draw)
        May hold -inf and inf.
    p : array (curve,)
    levels : array (level,)

    Returns
    -------
    array (level, curve)
        -inf or inf where the quantile lies in an atom.
    """
    ordered = np.sort(values, axis=1)
    draws = values.shape[1]
    out = np.full((len(levels), len(values)), np.inf)
    for i, level in enumerate(levels):
        inside = level < p
        share = level / np.where(inside, p, 1.0)
        out[i] = np.where(inside, _at(ordered, share * (draws - 1)), np.inf)
    return out


def _at(ordered: Floats, place: Floats) -> Floats:
    """Linear interpolation between order statistics, except into an infinite one."""
    low = np.floor(place).astype(np.intp)[:, None]
    high = np.minimum(low + 1, ordered.shape[1] - 1)
    a = np.take_along_axis(ordered, low, axis=1)[:, 0]
    b = np.take_along_axis(ordered, high, axis=1)[:, 0]
    part = place - low[:, 0]
    finite = np.isfinite(a) & np.isfinite(b)
    mixed = np.where(finite, a, 0.0) * (1 - part) + np.where(finite, b, 0.0) * part
    return np.where(finite, mixed, np.where(part < 0.5, a, b))


def turning(
    model: Model,
    curves: Curves,
    flat: Mapping[str, Floats],
    *,
    delta: float,
    scaling: Scaling,
    end: Floats,
) -> tuple[Emergence, Floats]:
    """Where each draw of each curve turns up, on the unit axis.

    Parameters
    ----------
    model : Model
    curves : Curves
    flat : mapping of array (curve, draw)
        Parameters on the model's scale.
    delta : float
    scaling : Scaling
    end : array (curve,)
        U of the largest scale.

    Returns
    -------
    Emergence
    array (curve, draw)
        The first changepoint, or the threshold of a model without, with its atoms.
    """
    turned = emergence(
        model,
        flat,
        chance=chance_of(model, curves, scaling),
        ceiling=ceiling_of(model, curves),
        delta=delta * range_share_of(model, curves),
        end=end,
    )
    first = flat[model.changepoints[0]] if model.changepoints else turned.threshold
    return turned, with_atoms(first, turned.above_from_start, end)
