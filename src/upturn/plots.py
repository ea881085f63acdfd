"""Figures: one function each, which takes and returns matplotlib's own objects."""

from upturn.show.plots import (
    check_figure_path,
    plot,
    plot_axes,
    plot_calibration,
    plot_curve,
    plot_families,
    plot_forecast,
    plot_forest,
    plot_gain,
    plot_grid,
    plot_plan,
    plot_shapes,
    save,
    style,
)

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
