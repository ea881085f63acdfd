"""Limits of an axis: the ends of the scale on which a curve is described."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from upturn.arrays.types import Floats
from upturn.checks.arguments import known
from upturn.checks.errors import DataError, shown
from upturn.tables.axis import Axis
from upturn.tables.curves import Curves, Limits


def with_limits(curves: Curves, limits: Limits) -> Curves:
    """Curves with other limits.

    Parameters
    ----------
    curves
        Of any axes.
    limits
        Low and high in native units by column, or curves whose limits to take, matched by the
        labels that both have.

    Raises
    ------
    DataError
        For limits that do not hold every point, or that are of no axis or no curve.
    """
    if isinstance(limits, Curves):
        chosen = _limits_of(curves, limits)
    else:
        chosen = _native_limits(curves, limits)
    low, high = chosen[..., None]
    outside = curves.mask & ((curves.x < low) | (curves.x > high))
    if outside.any():
        component, curve, point = (int(i[0]) for i in np.nonzero(outside))
        axis = curves.axes[curve].parts[component]
        value = axis.value(curves.x[component, curve, point])
        raise DataError(
            f"limits: expected limits that hold every point of the axis {axis.name}, but got "
            f"{axis.format(float(value))} outside them in {shown(str(curves.name[curve]))}; "
            "widen them"
        )
    return replace(curves, limits=chosen)


def _native_limits(curves: Curves, limits: Mapping[str, tuple[float, float]]) -> Floats:
    parts = {part.name: part for axis in dict.fromkeys(curves.axes) for part in axis.parts}
    chosen = curves.limits.copy()
    for name, ends in limits.items():
        known(name, list(parts), kind="axis", where="limits")
        x = _ends(parts[name], ends)
        for curve, axis in enumerate(curves.axes):
            for component, part in enumerate(axis.parts):
                if part.name == name:
                    chosen[:, component, curve] = x
    return chosen


def _ends(axis: Axis, ends: tuple[float, float]) -> Floats:
    """The low and the high coordinate of two native values."""
    native = np.asarray(ends, dtype=np.float64)
    smallest = 0.0 if axis.is_log else -np.inf
    if native.shape != (2,) or not np.isfinite(native).all() or (native <= smallest).any():
        above = " above 0" if axis.is_log else ""
        raise DataError(
            f"limits: expected two finite numbers{above} for the axis {axis.name}, "
            f"but got {shown(ends)}; give its low and high in native units"
        )
    return np.sort(axis.coordinate(native))


def _limits_of(curves: Curves, other: Curves) -> Floats:
    """The limits of the other curves with the same labels, so far as those have them."""
    shared = [label for label in curves.labels if label in other.labels]
    places = {key: i for i, key in enumerate(zip(*(other.labels[s] for s in shared), strict=True))}
    keys = list(zip(*(curves.labels[label] for label in shared), strict=True))
    missing = [key for key in keys if key not in places]
    if missing:
        raise DataError(
            "limits: expected curves with the same labels to take limits from, but got none for "
            f"{shown(' | '.join(missing[0]))}; build both from one table"
        )
    return other.limits[:, :, [places[key] for key in keys]]
