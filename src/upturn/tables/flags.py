"""Flags that say what is doubtful about the data of a curve."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from upturn.arrays.types import Booleans, Floats
from upturn.tables.curves import Curves, Texts

# a threshold above chance is then counted from the floor that is fitted
CHANCE_UNKNOWN = "chance unknown"
CHANCE_NOTE = (
    "chance unknown: delta is counted from the fitted score at the smallest model; a column chance "
    "states the score of random guessing"
)
FAMILY_NOTE = (
    "no families named: intervals assume that models differ in scale only, and are too narrow if "
    "they do not; a column family names them"
)


def chance_notes(flags: Iterable[Iterable[str]]) -> tuple[str, ...]:
    """A note for curves whose chance is unknown, from the flags of each curve; none for others."""
    return (CHANCE_NOTE,) if any(CHANCE_UNKNOWN in of_curve for of_curve in flags) else ()


FEWEST_POINTS = 5  # of a curve from which on its models are likely of several families


def family_notes(curves: Curves) -> tuple[str, ...]:
    """A note where curves of several models name neither families nor runs; none for others."""
    unnamed = (curves.run < 0).all(axis=1) & (curves.family == "").all(axis=1)
    if not (unnamed & (curves.points >= FEWEST_POINTS)).any():
        return ()
    return (FAMILY_NOTE,)


def data_flags(
    x: Floats, mask: Booleans, response: Floats, trials: Floats, kind: Texts
) -> tuple[tuple[str, ...], ...]:
    """What the data say of each curve before any model does.

    "1 point" to "3 points"; "1 scale" or "2 scales" where the points stand at fewer than three
    different scales; "constant" where several points share one score, and "all zeros" or
    "all ones" beside it where that proportion is 0 or 1.

    Parameters
    ----------
    x
        Shape (component, curve, point).
    mask, response, trials
        Shape (curve, point).
    kind
        Shape (curve,).
    """
    points = mask.sum(axis=1)
    scales = _distinct_scales(x, mask)
    score = np.where(trials > 0, response / np.maximum(trials, 1), response)
    low = np.where(mask, score, np.inf).min(axis=1, initial=np.inf)
    high = np.where(mask, score, -np.inf).max(axis=1, initial=-np.inf)
    constant = (low == high) & (points > 1)
    proportion = kind != "continuous"
    tests = {
        "1 point": points == 1,
        "2 points": points == 2,
        "3 points": points == 3,
        "1 scale": scales == 1,
        "2 scales": scales == 2,
        "constant": constant,
        "all zeros": constant & proportion & (low == 0),
        "all ones": constant & proportion & (low == 1),
    }
    flags_of: list[list[str]] = [[] for _ in points]
    for flag, holds in tests.items():
        for index in np.flatnonzero(holds):
            flags_of[index].append(flag)
    return tuple(tuple(flags) for flags in flags_of)


def _distinct_scales(x: Floats, mask: Booleans) -> NDArray[np.int64]:
    """The number of different scales (of a mix: of different vectors), shape (curve,)."""
    curve = np.nonzero(mask)[0]
    rows = np.unique(np.column_stack([curve, *x[:, mask]]), axis=0)
    return np.bincount(rows[:, 0].astype(np.int64), minlength=len(mask))
