"""Criteria: what the scales of a curve make of them, and what each draw does in words."""

import numpy as np
import pandas as pd
import pytest

from upturn.formulas.scaling import scaling_of
from upturn.model import Model
from upturn.posterior.criteria import Criteria, Scales, judged
from upturn.posterior.functionals import functionals
from upturn.posterior.outcomes import OUTCOMES, UNDECIDED, verdict_of
from upturn.tables.results import read


def curves(x, axis="flops"):
    """One curve of scores at chance on scales 10^x."""
    frame = pd.DataFrame({
        "task": "t", "model": [f"m{i}" for i in range(len(x))], "score": 0.25, "trials": 100,
        "chance": 0.25, axis: 10.0 ** np.asarray(x, dtype=float),
    })  # fmt: skip
    return read(frame).curves(axis)


def needed(x):
    """The coordinate that a flat stretch must reach."""
    found = curves(x)
    low, high = found.limits[:, 0, 0]
    scales = Scales.of(found, Criteria())
    return low + float(scales.u[0, scales.until[0, 0]]) * (high - low)


def test_the_flat_stretch_is_counted_in_scales():
    twelve = 21 + 3 * np.arange(12) / 11
    assert needed(twelve) == pytest.approx(twelve[2])
    assert needed(21 + 0.1 * np.arange(40)) == pytest.approx(21 + 0.1 * 9)  # a quarter of 40


@pytest.mark.parametrize("far", [20.7, 18, 12])
def test_one_scale_far_below_is_worth_as_much_as_one_just_below(far):
    dense = 21 + 0.1 * np.arange(12)
    assert needed([far, *dense]) == pytest.approx(needed([20.7, *dense]))


@pytest.mark.parametrize("top", [25, 30])
def test_one_scale_far_above_moves_no_bound(top):
    x = 21 + 0.3 * np.arange(8)
    assert needed([*x, top]) == pytest.approx(needed(x))


@pytest.mark.parametrize("axis", ["flops", "params"])
def test_a_sharp_rise_is_within_a_decade_of_flops_or_of_parameters(axis):
    """Of models of one data size both are the same, so that a verdict is too."""
    data = curves(np.array([13, 14, 15, 17.0]) - (0 if axis == "flops" else 5), axis)
    assert float(Scales.of(data, Criteria()).sharp[0]) * 4 == pytest.approx(1.0)


def judgement(name, **parameters):
    """Of one draw of a model over eight scales, a decade apart, where chance is 0.25."""
    data = curves(21 + np.arange(8.0))
    p = {k: np.array([[float(v)]]) for k, v in parameters.items()}
    model = Model.read(name)
    return judged(model, data, p, Criteria(), scaling_of(model, data))


def draw(name, **parameters):
    """What it does, in words."""
    return OUTCOMES[int(judgement(name, **parameters).outcome[0, 0])]


@pytest.mark.parametrize(("rise", "emergent"), [(0.09, False), (0.11, True)])
def test_the_least_rise_is_a_tenth(rise, emergent):
    found = judgement("step", changepoint=0.6, level=rise / 0.75, floor=0.25)
    assert found.emergent[0, 0] == emergent


@pytest.mark.parametrize(
    ("floor", "emergent"), [(0.14, False), (0.16, True), (0.34, True), (0.36, False)]
)
def test_it_begins_within_a_tenth_of_chance(floor, emergent):
    found = judgement("step", changepoint=0.6, level=0.6, floor=floor)
    assert found.emergent[0, 0] == emergent


@pytest.mark.parametrize(("slope", "sharp"), [(5.3, False), (5.9, True)])
def test_four_fifths_of_a_sharp_rise_are_within_a_decade(slope, sharp):
    """A ramp from 0 to 1 over 7 decades: 0.8 / slope of them."""
    found = judgement("ramp", changepoint=0.5, slope=slope, floor=0.25)
    assert found.emergent[0, 0]
    assert found.sharp[0, 0] == sharp


def test_a_quarter_of_the_central_range_on_an_axis_without_decades():
    frame = pd.DataFrame({
        "task": "t", "model": [f"m{i}" for i in range(11)], "score": 0.25, "trials": 100,
        "chance": 0.25, "loss": np.linspace(4.0, 2.0, 11),
    })  # fmt: skip
    scales = Scales.of(read(frame).curves("loss"), Criteria())
    assert scales.sharp[0] == pytest.approx(0.25 * 0.8)
    assert scales.until[0, 0] == 2  # 3 of 11 scales, which reach half of that


def test_the_flat_stretch_reaches_half_a_decade():
    dense = 21 + 0.1 * np.arange(8)
    assert needed(dense) == pytest.approx(21.5)
    assert needed(21 + 0.2 * np.arange(8)) == pytest.approx(21.6)  # 0.4 is too little


@pytest.mark.parametrize(
    ("name", "parameters", "word"),
    [
        ("step", {"changepoint": 0.6, "level": 0.5, "floor": 0.25}, "emerges"),
        ("step", {"changepoint": 0.6, "level": 0.05, "floor": 0.25}, "not yet"),
        ("logit-line", {"intercept": -1, "slope": 3, "floor": 0.1}, "grows from the first model"),
        ("inverse", {"intercept": 0, "slope": 3}, "falls"),
        ("u-shaped", {"changepoint": 0.5, "intercept": 0, "slope": 4, "slope_2": 4}, "U-shaped"),
        (
            "rise-and-fall",
            {"changepoint": 0.5, "intercept": -1, "slope": 4, "slope_2": 4},
            "rises and falls",
        ),
        ("flat", {"level": 0.8}, "no change"),
        ("chance", {"floor": 0.25}, "not yet"),
    ],
)
def test_what_a_draw_does_in_words(name, parameters, word):
    assert draw(name, **parameters) == word


def test_verdicts_need_more_than_half():
    p = np.zeros((3, len(OUTCOMES)))
    p[0, 0], p[0, 4] = 0.96, 0.04
    p[1, 0], p[1, 4] = 0.94, 0.06
    p[2, 0], p[2, 4] = 0.5, 0.5
    assert verdict_of(p) == ["emerges", "probably emerges", UNDECIDED]


@pytest.mark.parametrize("chance", [0.25, np.nan])
def test_the_headline_scale_is_the_first_crossing(chance):
    """0.25 + 0.75 · 2 (u − 0.4) is 0.35 at u = 0.4667."""
    p = {"changepoint": [[0.4]], "slope": [[2.0]], "floor": [[0.25]]}
    found = functionals(
        Model.read("ramp"), {k: np.array(v) for k, v in p.items()}, np.ones(1), np.ones(1),
        chance=np.array([chance]),
    )  # fmt: skip
    assert found.threshold[0, 0] == pytest.approx(0.4 + 0.1 / 1.5, abs=1e-3)
    high = functionals(
        Model.read("flat"), {"level": np.full((1, 1), 0.8)}, np.ones(1), np.ones(1),
        chance=np.array([chance]),
    )  # fmt: skip
    assert high.threshold[0, 0] == (np.inf if np.isnan(chance) else -np.inf)
