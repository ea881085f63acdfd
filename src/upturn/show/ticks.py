"""Ticks: round places on an axis of scale, written as people write them."""

import datetime
import math
from dataclasses import dataclass

import numpy as np

from upturn.tables.axis import Axis
from upturn.tables.cells import EPOCH

MOST = 6
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_MANTISSAS = ((1, 2, 3, 4, 5, 6, 7, 8, 9), (1, 2, 5), (1, 3), (1,))
_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120)
_THIN = "\N{NARROW NO-BREAK SPACE}"


@dataclass(frozen=True)
class Tick:
    """A place on an axis: its coordinate x, its native value, and its label."""

    x: float
    value: float
    label: str


def ticks(axis: Axis, low: float, high: float, most: int = MOST) -> list[Tick]:
    """Round places between two coordinates, in order of x.

    Parameters
    ----------
    axis
        Which says what is round: decades on a logarithmic axis, months on one of dates.
    low, high
        Coordinates x; low < high.
    most
        No more than so many, but for two where none fit.

    Examples
    --------
    >>> [tick.label for tick in ticks(Axis.parse("flops"), 20.3, 23.5)]
    ['10²¹', '10²²', '10²³']
    >>> [tick.value for tick in ticks(Axis.parse("perplexity"), -1.0, -0.5)]
    [10.0, 9.0, 8.0, 7.0, 6.0, 5.0, 4.0]
    """
    if axis.components:
        values = _linear(low, high, most)
        return [Tick(v, v, f"{v:g}") for v in values]
    ends = sorted(float(v) for v in axis.value(np.array([low, high])))
    if axis.transform == "date":
        values = _days(ends[0], ends[1], most)
    else:
        values = (_logarithmic if axis.is_log else _linear)(ends[0], ends[1], most)
    places = [Tick(float(axis.coordinate(v)), v, tick_label(axis, v)) for v in values]
    return sorted(places, key=lambda tick: tick.x)


def tick_label(axis: Axis, value: float) -> str:
    """A native value as the label of a tick.

    Examples
    --------
    >>> tick_label(Axis.parse("flops"), 3e22), tick_label(Axis.parse("perplexity"), 20.0)
    ('3×10²²', '20')
    """
    if axis.transform == "date":
        day = datetime.date.fromordinal(int(value) + EPOCH)
        return f"{day:%Y}" if (day.month, day.day) == (1, 1) else f"{day:%Y-%m}"
    if axis.name in {"params", "tokens"}:
        text = axis.format(value)
        return f"{text[:-1]}{_THIN}{text[-1]}" if text[-1:].isalpha() else text
    if axis.is_log and not 1e-3 <= value < 1e5:
        return power(value)
    return f"{value:.6g}"


def power(value: float) -> str:
    """A value with its power of ten written out."""
    mantissa, exponent = f"{value:.2e}".split("e")
    power = "10" + str(int(exponent)).translate(_SUPERSCRIPTS)
    short = f"{float(mantissa):g}"
    return power if short == "1" else f"{short}×{power}"


def _logarithmic(low: float, high: float, most: int) -> list[float]:
    """Decades where there are three or more, else parts of them, else round numbers."""
    decades = _of_decades(low, high, (1,))
    if len(decades) >= 3:
        stride = math.ceil(len(decades) / most)
        return decades[-1::-stride][::-1]
    for mantissas in _MANTISSAS:
        places = _of_decades(low, high, mantissas)
        if 2 <= len(places) <= most + (mantissas == _MANTISSAS[0]):
            return places
    return _linear(low, high, most)


def _of_decades(low: float, high: float, mantissas: tuple[int, ...]) -> list[float]:
    """The multiples of powers of ten between two numbers, which may lie on one."""
    first, last = math.floor(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    values = [float(f"{m}e{e}") for e in range(first, last + 1) for m in mantissas]
    return [v for v in values if low * (1 - 1e-9) <= v <= high * (1 + 1e-9)]


def _linear(low: float, high: float, most: int) -> list[float]:
    """Multiples of 1, 2, 2.5 or 5 times a power of ten."""
    rough = (high - low) / most
    if not rough > 0:
        return [low]
    power = 10.0 ** math.floor(math.log10(rough))
    for factor in (1, 2, 2.5, 5, 10, 20):
        step = factor * power
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first + 1 <= most:
            break
    return [float(f"{i * step:.12g}") for i in range(first, last + 1)]


def _days(low: float, high: float, most: int) -> list[float]:
    """First days of months, of years where those are enough; single days on a short stretch."""
    earliest = datetime.date.min.toordinal() - EPOCH
    latest = datetime.date.max.toordinal() - EPOCH
    if high - low < 62 or low < earliest or high > latest:
        return _linear(low, high, most)
    start = datetime.date.fromordinal(math.floor(low) + EPOCH)
    months = (high - low) / 30.44
    stride = next((m for m in _MONTHS if months / m <= most), _MONTHS[-1])
    first = (start.year * 12 + start.month - 1) // stride * stride
    count = int(months / stride) + 3
    days = [_first_of(first + i * stride) for i in range(count)]
    return [d for d in days if low <= d <= high]


def _first_of(month: int) -> float:
    """The first day of a month that is counted from the year 0."""
    year, index = divmod(month, 12)
    return float(datetime.date(min(year, 9999), index + 1, 1).toordinal() - EPOCH)
