"""Ticks are round, inside, few, and written as people write them."""

import datetime

import numpy as np
import pytest

from upturn.show.ticks import MOST, tick_label, ticks
from upturn.tables.axis import Axis


def labels(spec, low, high, **options):
    axis = Axis.parse(spec)
    ends = np.sort(axis.coordinate(np.array([low, high])))
    return [tick.label for tick in ticks(axis, *ends.tolist(), **options)]


@pytest.mark.parametrize(
    ("spec", "low", "high", "expected"),
    [
        ("flops", 2.3e20, 3.1e23, ["10²¹", "10²²", "10²³"]),
        ("flops", 1e21, 9e21, ["10²¹", "2×10²¹", "5×10²¹"]),
        ("flops", 1e16, 1e26, ["10¹⁶", "10¹⁸", "10²⁰", "10²²", "10²⁴", "10²⁶"]),
        ("params", 1.25e8, 1.75e11, ["1\u202fB", "10\u202fB", "100\u202fB"]),
        ("params", 6e9, 8e10, ["10\u202fB", "20\u202fB", "50\u202fB"]),
        ("perplexity", 18.6, 3.0, ["10", "5"]),
        ("perplexity", 3.4, 3.1, ["3.4", "3.35", "3.3", "3.25", "3.2", "3.15", "3.1"][::2]),
        ("loss", 2.0, 4.0, ["4", "3.5", "3", "2.5", "2"]),
        ("year:linear", 2018, 2024, ["2018", "2020", "2022", "2024"]),
    ],
)  # fmt: skip
def test_ticks_are_round(spec, low, high, expected):
    assert labels(spec, low, high) == expected


def test_dates_are_firsts_of_months_and_years():
    axis = Axis.parse("released").as_date()
    day = datetime.date(1970, 1, 1).toordinal()
    ends = [datetime.date(*ymd).toordinal() - day for ymd in [(2019, 2, 14), (2023, 5, 1)]]
    assert [t.label for t in ticks(axis, *ends)] == ["2020", "2021", "2022", "2023"]
    ends = [datetime.date(*ymd).toordinal() - day for ymd in [(2022, 11, 14), (2023, 3, 2)]]
    assert [t.label for t in ticks(axis, *ends)] == ["2022-12", "2023", "2023-02", "2023-03"]


@pytest.mark.parametrize("spec", ["flops", "params", "perplexity", "loss", "elo:linear"])
def test_any_stretch_has_a_few_ticks_inside_it(spec):
    axis = Axis.parse(spec)
    random = np.random.default_rng(5)
    for _ in range(300):
        start, length = random.uniform(-3, 25), 10 ** random.uniform(-3, 1.3)
        found = ticks(axis, start, start + length)
        x = np.array([tick.x for tick in found])
        assert 2 <= len(x) <= MOST + 1, (start, length, x)
        assert (np.diff(x) > 0).all()
        assert (x >= start - 1e-6 * abs(start)).all()
        assert (x <= start + length + 1e-6 * abs(start + length)).all()


def test_a_label_tells_its_value():
    assert tick_label(Axis.parse("params"), 7e9) == "7\u202fB"
    assert tick_label(Axis.parse("flops"), 1e22) == "10²²"
    assert tick_label(Axis.parse("perplexity"), 2.5) == "2.5"
