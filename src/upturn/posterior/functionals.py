"""Functionals: what can be said of an expected curve whatever the formula behind it.

Emergence is a property of the curve. For each posterior draw of the expected score on the observed
axis: by how much it rises, until where it is flat, and on how short a stretch the rise happens.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from upturn.arrays.compiled import compiled
from upturn.arrays.types import Floats, Integers
from upturn.formulas.curve import CurveModel
from upturn.posterior.emergence import DELTA, expected, pieces
from upturn.posterior.gap import Gap

GRID = 161
FLAT_SHARE = 0.1  # of the rise: what a stretch may rise and still be called flat
STEEP_SHARE = 0.8  # of the rise: what the width is the width of


@dataclass(frozen=True)
class Functionals:
    """Of each draw of each expected curve, on the model's scale and the unit axis.

    Attributes
    ----------
    start : array (curve, draw)
        mu at the smallest scale.
    rise : array (curve, draw)
        R, by how much mu is larger at the largest scale than at the smallest.
    flat_until : array (curve, draw)
        F, the last u before mu has risen by a tenth of what it rises by from where it is flat to
        the largest scale; 1 where that is not positive.
    width : array (curve, draw)
        W, the shortest stretch of the axis that holds four fifths of R; 1 where R is not positive.
    threshold : array (curve, draw)
        First u at which mu stands delta above the reference, which is chance, or where that is
        unknown mu at the smallest scale; inf where it never does, -inf where it does from the
        start.
    lowest, highest : array (curve, draw)
        The least and the greatest mu.
    """

    start: Floats
    rise: Floats
    flat_until: Floats
    width: Floats
    threshold: Floats
    lowest: Floats
    highest: Floats


def functionals(
    model: CurveModel,
    p: Mapping[str, Floats],
    ceiling: Floats,
    end: Floats,
    *,
    begin: Floats | None = None,
    flat_from: Floats | None = None,
    chance: Floats | None = None,
    delta: Floats | float = DELTA,
    gap: Gap | None = None,
) -> Functionals:
    """Functionals of a model's draws.

    Parameters
    ----------
    model : CurveModel
    p : mapping of array (curve, draw)
        Parameters on the model's scale.
    ceiling : array (curve,)
    end : array (curve,)
        U of the largest scale: 1, or 0 where all points stand at one scale, and nothing rises.
    begin : array (curve,), optional
        U of the smallest scale; 0 by default.
    flat_from : array (curve, draw), optional
        U at which each draw begins to be flat; that of the smallest scale by default.
    chance : array (curve,), optional
        On the model's scale, nan where unknown; unknown by default.
    delta : array (curve,) or float
        How far above chance the threshold lies, on the model's scale.
    gap : Gap, optional
        Of curves that were fitted with their smallest scale elsewhere.

    Examples
    --------
    >>> from upturn.model import Model
    >>> step = Model.read("step")
    >>> draw = {"changepoint": [[0.61]], "level": [[0.8]], "floor": [[0.1]]}
    >>> found = functionals(step, {k: np.array(v) for k, v in draw.items()}, np.ones(1), np.ones(1))
    >>> bool(found.width[0, 0] < 0.01), round(float(found.flat_until[0, 0]), 2)
    (True, 0.61)
    """
    curves, draws = next(iter(p.values())).shape
    begin = np.zeros(curves) if begin is None else begin
    reference = np.full(curves, np.nan) if chance is None else chance + delta
    delta = np.broadcast_to(delta, curves)
    first = np.zeros((curves, draws), dtype=np.int64)
    if flat_from is not None:
        room = np.where(end > begin, end - begin, 1.0)[:, None]
        first += np.ceil((flat_from - begin[:, None]) / room * (GRID - 1) - 1e-6).astype(np.int64)
    out = np.empty((7, curves, draws))
    for piece in pieces(curves, draws, GRID):
        parameters = {name: p[name][piece] for name in model.parameters}
        extent = (end - begin)[piece, None]
        u = begin[piece, None] + np.linspace(0, 1, GRID) * extent
        at = u if gap is None else gap.take(piece).fitted(u)
        score = expected(model, parameters, at, ceiling[piece])
        by_draw = np.ascontiguousarray(score.swapaxes(1, 2)).reshape(-1, GRID)
        levels = np.repeat(reference[piece], draws), np.repeat(delta[piece], draws)
        rises = rise_of_curves(by_draw, first[piece].ravel(), FLAT_SHARE, STEEP_SHARE)
        out[:4, piece] = rises.reshape(4, -1, draws)
        out[4:, piece] = heights_of_curves(by_draw, *levels).reshape(3, -1, draws)
        # a tenth of a rise in the last bit of a double is none, and its place 0 / 0
        np.nan_to_num(out[:, piece], copy=False, nan=1.0, posinf=np.inf, neginf=-np.inf)
        span = np.where(extent > 0, extent, 1.0)
        out[2, piece] = begin[piece, None] + out[2, piece] * span
        out[3, piece] *= span
        out[4, piece] = begin[piece, None] + out[4, piece] * span
    return Functionals(*out)


@compiled
def heights_of_curves(score: Floats, reference: Floats, delta: Floats) -> Floats:
    """First crossing of a threshold, least and greatest height of curves on an even grid.

    Parameters
    ----------
    score : array (curve, node)
    reference : array (curve,)
        The threshold; nan where it lies delta above the first node.
    delta : array (curve,)

    Returns
    -------
    array (3, curve)
        The crossing between nodes by linear interpolation; inf for none, -inf for one before the
        first node, which a threshold that hangs on the first node cannot have.
    """
    curves, nodes = score.shape
    step = 1.0 / (nodes - 1)
    out = np.empty((3, curves))
    for c in range(curves):
        s = score[c]
        out[0, c], out[1, c], out[2, c] = np.inf, s.min(), s.max()
        threshold = s[0] + delta[c] if np.isnan(reference[c]) else reference[c]
        if s[0] > threshold:
            out[0, c] = -np.inf
            continue
        for i in range(1, nodes):
            if s[i] > threshold:
                out[0, c] = step * (i - 1 + (threshold - s[i - 1]) / (s[i] - s[i - 1]))
                break
    return out


@compiled
def rise_of_curves(score: Floats, first: Integers, flat_share: float, steep_share: float) -> Floats:
    """Start, rise, flat_until and width of curves on an even grid.

    Parameters
    ----------
    score : array (curve, node)
    first : array of int (curve,)
        The node at which each begins to be flat.
    flat_share, steep_share : float

    Returns
    -------
    array (4, curve)
    """
    curves, nodes = score.shape
    step = 1.0 / (nodes - 1)
    out = np.empty((4, curves))
    for c in range(curves):
        s = score[c]
        rise = s[nodes - 1] - s[0]
        out[0, c], out[1, c], out[2, c], out[3, c] = s[0], rise, 1.0, 1.0
        if rise <= 0.0:
            continue
        steep = steep_share * rise
        base = s[first[c]]
        if s[nodes - 1] > base:
            flat = base + flat_share * (s[nodes - 1] - base)
            i = first[c] + 1
            while s[i] < flat:
                i += 1
            out[2, c] = step * (i - 1 + (flat - s[i - 1]) / (s[i] - s[i - 1]))
        b = 0
        width = 1.0
        for a in range(nodes):
            if a > 0 and s[a] < s[a - 1]:
                b = a  # the curve fell, and the end of the stretch may come sooner
            goal = s[a] + steep
            while b < nodes and s[b] < goal:
                b += 1
            if b < nodes and b > a:
                end = b - 1 + (goal - s[b - 1]) / (s[b] - s[b - 1])
                width = min(width, step * (end - a))
        out[3, c] = width
    return out
