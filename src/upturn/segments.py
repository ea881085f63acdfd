"""Segments: the pieces that curve models are made of, one class each."""

from upturn.formulas.segments import (
    KINDS,
    Floor,
    Gompertz,
    Level,
    Line,
    Logistic,
    Ramp,
    Rise,
    Segment,
    Stand,
    share,
)

__all__ = [
    "KINDS",
    "Floor",
    "Gompertz",
    "Level",
    "Line",
    "Logistic",
    "Ramp",
    "Rise",
    "Segment",
    "Stand",
    "share",
]
