"""Matplotlib axes in native units: logarithmic, of dates, reversed where lower is better."""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import Formatter, Locator, LogLocator, NullFormatter

from upturn.show.ticks import MOST, tick_label, ticks
from upturn.tables.axis import Axis

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ROOM = 0.03  # of the axis, on either side
_MINOR_DECADES = 8


def set_axis(ax: "Axes", axis: Axis, low: float, high: float, most: int = MOST) -> None:
    """Make the horizontal axis an axis of scale between two coordinates, in native units.

    Capability grows to the right, so that perplexity falls to the right.
    """
    ax.set_xscale("log" if axis.is_log else "linear")
    room = (high - low) * _ROOM if high > low else 0.5
    left, right = axis.value(np.array([low - room, high + room]))
    ax.set_xlim(float(left), float(right))
    ax.xaxis.set_major_locator(ScaleLocator(axis, most))
    ax.xaxis.set_major_formatter(ScaleFormatter(axis))
    if axis.is_log and high - low < _MINOR_DECADES:
        ax.xaxis.set_minor_locator(LogLocator(subs=tuple(range(2, 10)), numticks=99))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_xlabel(axis.title, parse_math=False)


class ScaleLocator(Locator):
    """Round values on an axis of scale for any view."""

    def __init__(self, scale: Axis, most: int = MOST) -> None:
        self.scale, self.most = scale, most

    def __call__(self) -> list[float]:
        assert self.axis is not None
        return self.tick_values(*self.axis.get_view_interval())

    def tick_values(self, vmin: float, vmax: float) -> list[float]:
        low, high = np.sort(self.scale.coordinate(np.array([vmin, vmax])))
        return [tick.value for tick in ticks(self.scale, float(low), float(high), self.most)]


class ScaleFormatter(Formatter):
    """Native values as people write them."""

    def __init__(self, scale: Axis) -> None:
        self.scale = scale

    def __call__(self, x: float, pos: int | None = None) -> str:
        return tick_label(self.scale, x)
