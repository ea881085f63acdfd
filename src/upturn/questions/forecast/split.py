"""The points that a forecast is fitted to, and those that are held out."""

from dataclasses import replace
from typing import Any

import numpy as np

from upturn.arrays.types import Booleans, Floats
from upturn.checks.errors import DataError, counted, listed
from upturn.tables.curves import Curves
from upturn.tables.flags import data_flags

FEWEST = 4  # points to fit, and points below which scores of predictions mean little

STEPS = 4  # the fitted share of the axis is rounded down to 2^(-1/4), 2^(-2/4) …


def bounded(curves: Curves) -> Curves:
    """Curves without continuous metrics, whose errors have no common unit."""
    proportions = curves.kind != "continuous"
    if not proportions.any():
        raise DataError(
            "metric: expected proportions to forecast, but got only continuous metrics; "
            "name one with metric"
        )
    if proportions.all():
        return curves
    note = f"{counted(int((~proportions).sum()), 'curve')} of continuous metrics left out"
    return replace(curves.take(proportions), notes=(*curves.notes, note))


def held_out(curves: Curves, train_below: float | None, largest: int | None) -> Booleans:
    """The points to predict: (curve, point)."""
    x = curves.x[0]
    if train_below is not None:
        axis = curves.axes[0]
        return np.asarray(curves.mask & (x >= float(axis.coordinate(train_below)) - 1e-12))
    if largest is None:
        return np.zeros_like(curves.mask)
    # points are in order of scale: count the scales from the largest downwards
    fresh = curves.mask & (np.diff(x, axis=1, prepend=-np.inf) > 0)
    rank = fresh.sum(axis=1, keepdims=True) - np.cumsum(fresh, axis=1)
    return np.asarray(curves.mask & (rank < largest))


def usable(
    curves: Curves, held: Booleans, wanted: bool
) -> tuple["np.ndarray[Any, Any]", list[str]]:
    """Indices of the curves with enough points on both sides, and notes on the others."""
    fitted = curves.mask & ~held
    x = np.where(fitted, curves.x[0], np.nan)
    with np.errstate(invalid="ignore"):
        spread = np.fmax.reduce(x, axis=1) > np.fmin.reduce(x, axis=1)
    few = (fitted.sum(axis=1) < FEWEST) | ~spread
    none = ~few & ~held.any(axis=1) & (not wanted)
    notes = []
    for left, why in (
        (few, f"fewer than {FEWEST} points to fit, or all at one scale"),
        (none, "no point to predict"),
    ):
        if left.any():
            names = listed(curves.name[left], most=3)
            notes.append(f"{counted(int(left.sum()), 'curve')} with {why} left out: {names}")
    keep = np.flatnonzero(~few & ~none)
    if not len(keep):
        raise DataError(
            f"split: expected a curve with at least {FEWEST} points at different scales to fit and "
            f"one to predict, but got none; {'; '.join(notes)}; split elsewhere"
        )
    predicted = int(held[keep].sum())
    if 0 < predicted < FEWEST:
        notes.append(
            f"scores of the predictions rest on {counted(predicted, 'point')}: fewer than {FEWEST} "
            "tell almost nothing"
        )
    return keep, notes


def fitted_ends(curves: Curves, held: Booleans) -> Floats:
    """The lowest and the highest coordinate of the fitted points: (2, curve)."""
    fitted, x = curves.mask & ~held, curves.x[0]
    low, high = np.where(fitted, x, np.inf), np.where(fitted, x, -np.inf)
    return np.stack([low.min(axis=1), high.max(axis=1)])


def known_share(ends: Floats, far: Floats) -> Floats:
    """The share of the axis that the fitted points cover: (curve,).

    The axis extends to the farthest scale that is asked for, and a little beyond: shares are
    rounded down to a quarter of an octave. Curves with about the same share then have the same
    prior and are sampled together, and the answer for a curve does not depend on other curves.

    Parameters
    ----------
    ends : array (2, curve)
        The lowest and the highest fitted coordinate.
    far : array (curve,)
        The farthest coordinate asked for.

    Returns
    -------
    array (curve,)

    Examples
    --------
    >>> known_share(np.array([[20.0], [23.0]]), np.array([24.0])).round(4).tolist()
    [0.7071]
    """
    exact = (ends[1] - ends[0]) / np.maximum(far - ends[0], ends[1] - ends[0])
    steps = np.maximum(np.ceil(-STEPS * np.log2(exact) - 1e-9), 1)
    return np.asarray(2.0 ** (-steps / STEPS))


def limits(ends: Floats, share: Floats) -> Floats:
    """Limits of the axis, with room beyond the fitted points: (2, curve)."""
    return np.stack([ends[0], ends[0] + (ends[1] - ends[0]) / share])


def flagged(curves: Curves) -> Curves:
    """Curves with flags for the points that are left."""
    flags = data_flags(curves.x, curves.mask, curves.response, curves.trials, curves.kind)
    return replace(curves, flags=flags)
