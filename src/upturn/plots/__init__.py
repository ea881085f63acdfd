"""Figures: one function each, which takes and returns matplotlib's own objects.

They are made without pyplot, so that none outlives its last reference and no window opens.
"""

from upturn.plots.calibration import plot_calibration
from upturn.plots.choose import plot
from upturn.plots.curve import plot_curve
from upturn.plots.families import plot_families
from upturn.plots.forecast import plot_forecast
from upturn.plots.forest import plot_forest
from upturn.plots.gain import plot_gain
from upturn.plots.grid import plot_axes, plot_grid
from upturn.plots.plan import plot_plan
from upturn.plots.shapes import plot_shapes
from upturn.plots.style import check_figure_path, save, style

__all__ = [
    "check_figure_path",
    "plot",
    "plot_axes",
    "plot_calibration",
    "plot_curve",
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
