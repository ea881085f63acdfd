"""Wording: scales, intervals and probabilities as text for readers without statistics."""

import math
import re

import numpy as np

from upturn.arrays.types import Floats
from upturn.show.ticks import power
from upturn.tables.axis import Axis

_UNIT = re.compile(r"(?<=\d)(?=[TBMK]$)")
_THIN = "\N{NARROW NO-BREAK SPACE}"
_POWER = re.compile(r"(.*)×(10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)")


def value_words(axis: Axis, value: float) -> str:
    """A native value: "2.3×10²²", "13 B", "8.6".

    Examples
    --------
    >>> value_words(Axis.parse("flops"), 2.31e22), value_words(Axis.parse("perplexity"), 8.63)
    ('2.3×10²²', '8.6')
    """
    text = axis.format(value)
    if re.fullmatch(r"-?\d(\.\d)?e-?\d+", text):
        return power(float(text))
    return _UNIT.sub(_THIN, text) if axis.name in {"params", "tokens"} else text


def scale_words(axis: Axis, limits: Floats, x: float) -> str:
    """A scale of coordinate x; one beyond the axis as what it is beyond."""
    if math.isfinite(x):
        return value_words(axis, float(axis.value(x)))
    end = value_words(axis, float(axis.value(limits[1] if x > 0 else limits[0])))
    return f"{'beyond' if x > 0 else 'before'} {end}"


def interval_words(axis: Axis, limits: Floats, low: float, high: float) -> str:
    """An interval of scales: "2.1 – 2.7×10²²", "1.6×10²² – beyond"."""
    if math.isfinite(low) and math.isfinite(high):
        first, last = scale_words(axis, limits, low), scale_words(axis, limits, high)
        low_power, high_power = _POWER.fullmatch(first), _POWER.fullmatch(last)
        if first == last:
            return first
        if low_power and high_power and low_power[2] == high_power[2]:
            return f"{low_power[1]} – {last}"
        return f"{first} – {last}"
    if math.isinf(low) and math.isinf(high):
        first, last = scale_words(axis, limits, low), scale_words(axis, limits, high)
        return first if low == high else f"{first}, or {last}"
    if math.isinf(high):
        return f"{scale_words(axis, limits, low)} – beyond"
    return f"before – {scale_words(axis, limits, high)}"


def sure_words(p: float) -> str:
    """A probability in percent that never claims to be certain.

    Examples
    --------
    >>> sure_words(0.9712), sure_words(0.9999), sure_words(0.001)
    ('97 %', '> 99 %', '< 1 %')
    """
    if math.isnan(p):
        return ""
    if p > 0.99:
        return "> 99 %"
    return "< 1 %" if p < 0.01 else f"{100 * p:.0f} %"


def span_words(axis: Axis, limits: Floats) -> str:
    """Where an axis begins and ends: "2.2×10²⁰ to 3.1×10²³"."""
    ends = [value_words(axis, float(v)) for v in axis.value(np.array([limits[0], limits[1]]))]
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"
