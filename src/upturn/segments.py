"""Segments: the pieces that curve models are made of, one class each."""

from upturn.formulas.segments import *  # noqa: F403
from upturn.formulas.segments import __all__  # noqa: F401
