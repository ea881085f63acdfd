"""Coordinates on a mix of axes."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from upturn.arrays.types import Floats, Index
from upturn.checks.errors import DataError, listed
from upturn.formulas.scaling import UnitAxis
from upturn.tables.axis import Axis
from upturn.tables.curves import Curves, own_limits

WEIGHTS = "weights"  # the label, and the group of the tree

TOGETHER = 0.002  # of the axis: axes whose root mean square difference is less are the same


def is_mix(curves: Curves) -> bool:
    """Whether the curves are on a mix of axes."""
    return any(axis.components for axis in curves.axes)


def shared(curves: Curves) -> Curves:
    """Curves of one mix with shared limits, checked for axes that can be distinguished.

    The limits of each axis are the lowest and highest of all curves, so that a weight means the
    same on every curve.

    Raises
    ------
    DataError
        For a further axis beside the mix, for an axis with one value only, and for axes that are
        linear functions of each other on every curve, whose weights are not identifiable.
    """
    if len(names := list(dict.fromkeys(axis.name for axis in curves.axes))) > 1:
        mixed = next(axis.name for axis in curves.axes if axis.components)
        raise DataError(
            f"axis: expected a mix by itself, but got {listed(names)}; fit {mixed} alone: each of "
            "its axes is compared with it anyway"
        )
    low, high = curves.limits
    ends = np.stack([low.min(axis=1), high.max(axis=1)])
    out = replace(curves, limits=np.repeat(ends[:, :, None], len(curves), axis=2))
    _check_constant(out)
    _check_together(out)
    return out


def _check_constant(curves: Curves) -> None:
    for part, (low, high) in zip(curves.axes[0].parts, curves.limits[:, :, 0].T, strict=True):
        if not high > low:
            got = part.format(float(part.value(low)))
            raise DataError(
                f"axis {curves.axes[0].name}: expected values of {part.name} that differ, but got "
                f"{got} throughout; leave {part.name} out of the mix"
            )


def _within(curves: Curves) -> Floats:
    """The u of each axis less its mean in each curve: (point of any curve, axis)."""
    u, mask = curves.u, curves.mask
    mean = u.sum(axis=2) / np.maximum(curves.points, 1)
    return (u - mean[:, :, None])[:, mask].T


def _check_together(curves: Curves) -> None:
    """Refuse axes with a weighted sum that is constant along every curve."""
    parts = [part.name for part in curves.axes[0].parts]
    spread, directions = np.linalg.svd(_within(curves), full_matrices=False)[1:]
    if spread[-1] > TOGETHER * np.sqrt(curves.points.sum()):
        return
    alike = [name for name, share in zip(parts, directions[-1], strict=True) if abs(share) > 0.05]
    if len(alike) < 2:
        raise DataError(
            f"axis {curves.axes[0].name}: expected values of {alike[0]} that differ within a "
            f"curve, but got one on each; leave {alike[0]} out of the mix"
        )
    raise DataError(
        f"axis {curves.axes[0].name}: expected axes that vary apart, but got {listed(alike)} bound "
        "to one another on every curve, so that no data could tell their weights; leave "
        f"{alike[-1]} out"
    )


def notes_on(curves: Curves) -> list[str]:
    """Notes on axes that are nearly the same, or constant on some curves."""
    within, parts = _within(curves), curves.axes[0].parts
    size = np.sqrt((within**2).sum(axis=0))
    notes = [
        f"axes {parts[i].name} and {parts[j].name} rise together within curves (correlation "
        f"{r:.3f}): their weights can hardly be told apart"
        for i in range(len(parts))
        for j in range(i + 1, len(parts))
        if (r := float(within[:, i] @ within[:, j] / (size[i] * size[j]))) > 0.95
    ]
    u = curves.u
    low = np.where(curves.mask, u, np.inf).min(axis=2)
    high = np.where(curves.mask, u, -np.inf).max(axis=2)
    still = (high <= low) & (curves.points > 1)
    for part, on_curve in zip(parts, still, strict=True):
        if on_curve.any():
            names = listed(curves.name[on_curve].tolist(), most=3)
            notes.append(f"axis {part.name}: one value only in {names}")
    return notes


def along(curves: Curves, weights: Floats) -> Curves:
    """The curves on the axes of given weights: one copy of all curves for each.

    The limits of each curve are the lowest and highest u of its points, so that priors mean the
    same for all weights and on every single axis.

    Parameters
    ----------
    curves : Curves
        Of one mix, with shared limits.
    weights : array (copy, axis)

    Returns
    -------
    Curves
        Copy after copy, with one component, and the weights as a further label: random numbers,
        which depend on the labels, differ between copies.
    """
    copies, count = len(weights), len(curves)
    tiled = curves.take(np.tile(np.arange(count), copies))
    u = np.einsum("nk,kcp->ncp", weights, curves.u)[..., : tiled.mask.shape[1]]
    x = u.reshape(1, copies * count, -1)
    axis = Axis(curves.axes[0].name, "linear")
    texts = np.array([",".join(f"{w:.9g}" for w in row) for row in weights.tolist()], dtype=np.str_)
    return replace(
        tiled,
        labels=tiled.labels | {WEIGHTS: np.repeat(texts, count)},
        x=x,
        axes=(axis,) * len(tiled),
        limits=own_limits(x, tiled.mask),
    )


def by_weights(draws: Floats) -> Iterator[tuple[Floats, Index]]:
    """The distinct weights (axis,) of draws (…, axis), each with the positions of its draws."""
    different, which = np.unique(draws.reshape(-1, draws.shape[-1]), axis=0, return_inverse=True)
    for number, weights in enumerate(different):
        yield weights, np.flatnonzero(which.reshape(-1) == number)


def ends(curves: Curves, draws: Floats) -> UnitAxis:
    """From the lowest to the highest u of each curve, at the weights of each draw."""
    out = np.empty((2, len(curves), draws[..., 0].size))
    for weights, places in by_weights(draws):
        out[:, :, places] = along(curves, weights[None]).limits[:, 0, :, None]
    return UnitAxis(out[0], out[1])
