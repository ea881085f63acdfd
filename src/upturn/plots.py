"""Figures: one function each, which takes and returns matplotlib's own objects."""

from upturn.show import plots as _plots
from upturn.show.plots import *  # noqa: F403

__all__ = _plots.__all__
