"""Figures: one function each, which takes and returns matplotlib's own objects.

They are made without pyplot, so that none outlives its last reference and no window opens.
"""

from upturn.show.plots.calibration import plot_calibration
from upturn.show.plots.check import plot_check
from upturn.show.plots.choose import plot
from upturn.show.plots.curve import plot_curve
from upturn.show.plots.diff import plot_diff
from upturn.show.plots.families import plot_families
from upturn.show.plots.forecast import plot_forecast
from upturn.show.plots.forest import plot_forest
from upturn.show.plots.gain import plot_gain
from upturn.show.plots.grid import plot_axes, plot_grid
from upturn.show.plots.plan import plot_plan
from upturn.show.plots.shapes import plot_shapes
from upturn.show.plots.style import check_figure_path, save, style

__all__ = [
    "check_figure_path",
    "plot",
    "plot_axes",
    "plot_calibration",
    "plot_check",
    "plot_curve",
    "plot_diff",
    "plot_families",
    "plot_forecast",
    "plot_forest",
    "plot_gain",
    "plot_grid",
    "plot_plan",
    "plot_shapes",
    "save",
    "style",
]
