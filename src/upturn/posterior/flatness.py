"""Flatness: the scale at which the flat stretch of each draw of a curve begins.

A curve emerges if it is flat near chance over a stretch of the scales, and then rises. The stretch
may begin at any scale, so that one model far below the others can neither hide it nor make it.
"""

from collections.abc import Mapping

import numpy as np

from upturn.arrays.compiled import compiled
from upturn.arrays.types import Floats, Integers
from upturn.formulas.curve import CurveModel
from upturn.posterior.emergence import expected
from upturn.posterior.functionals import FLAT_SHARE


def heights_at(model: CurveModel, p: Mapping[str, Floats], u: Floats, ceiling: Floats) -> Floats:
    """Expected scores at the scales u (curve, scale) of each draw: (curve, scale, draw)."""
    return np.ascontiguousarray(expected(model, p, u, ceiling))


def flat_starts(
    heights: Floats,
    count: Integers,
    until: Integers,
    *,
    chance: Floats,
    near: Floats,
    rise: Floats,
) -> Integers:
    """The first scale from which a draw is flat near chance and then rises: (curve, draw).

    Its place among the distinct scales; -1 where there is none. A draw that is further from chance
    at a smaller scale is not flat near chance: what was there already does not emerge.

    Parameters
    ----------
    heights : array (curve, scale, draw)
        Expected scores at the distinct scales, ascending; those beyond `count` are not looked at.
    count : array of int (curve,)
        How many distinct scales a curve has.
    until : array of int (curve, scale)
        The place at which a flat stretch that begins at each scale ends at the earliest; -1 where
        too few scales are left.
    chance : array (curve,)
        nan where unknown: the expected score at the smallest scale stands in.
    near : array (curve,)
        How far from chance a draw may be up to where a flat stretch begins.
    rise : array (curve,)
        By how much the score at the largest scale must stand above the flat stretch. Within the
        stretch it may rise by a tenth of that difference.

    Examples
    --------
    >>> heights = np.array([[[0.0], [0.05], [0.05], [0.06], [0.9]]])
    >>> one = np.ones(1)
    >>> until = np.array([[2, 3, 4, -1, -1]], dtype=np.int32)
    >>> flat_starts(heights, np.array([5]), until, chance=0 * one, near=0.1 * one, rise=0.1 * one)
    array([[0]], dtype=int32)
    """
    out = np.empty((len(heights), heights.shape[2]), dtype=np.int32)
    return _flat_starts(
        heights, np.asarray(count, dtype=np.int64), np.asarray(until, dtype=np.int64),
        np.stack([chance, near, rise]), out,
    )  # fmt: skip


@compiled
def _flat_starts(
    heights: Floats, count: Integers, until: Integers, rules: Floats, out: Integers
) -> Integers:
    for c in range(heights.shape[0]):
        chance, near, rise = rules[0, c], rules[1, c], rules[2, c]
        for d in range(heights.shape[2]):
            out[c, d] = -1
            end = heights[c, count[c] - 1, d]
            reference = heights[c, 0, d] if np.isnan(chance) else chance
            for first in range(count[c]):
                last = until[c, first]
                if last < 0:
                    break
                start = heights[c, first, d]
                if abs(start - reference) > near:
                    break
                if end - start < rise:
                    continue
                top = start + FLAT_SHARE * (end - start)
                k = first + 1
                while k <= last and heights[c, k, d] <= top:
                    k += 1
                if k > last:
                    out[c, d] = first
                    break
    return out
