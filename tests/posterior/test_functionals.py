"""Functionals: rise, flat_until and width against closed forms and against all pairs."""

import numpy as np
import pytest

from upturn.model import Model
from upturn.posterior.functionals import FLAT_SHARE, GRID, STEEP_SHARE, functionals, rise_of_curves

CELL = 1 / (GRID - 1)


def of(model, ceiling=1.0, end=1.0, **parameters):
    """Start, rise, flat_until and width of one curve of a built-in model."""
    p = {name: np.array([[float(value)]]) for name, value in parameters.items()}
    found = functionals(Model.read(model), p, np.array([ceiling]), np.array([end]))
    return tuple(float(v[0, 0]) for v in (found.start, found.rise, found.flat_until, found.width))


# ---- closed forms --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tau", "level", "floor"), [(0.6, 0.8, 0.1), (0.31, 0.2, 0.25), (1e-3, 1, 0)]
)
def test_a_step_is_flat_up_to_it_and_has_no_width(tau, level, floor):
    start, rise, flat_until, width = of("step", changepoint=tau, level=level, floor=floor)
    assert start == floor
    assert rise == pytest.approx((1 - floor) * level)
    assert flat_until == pytest.approx(tau, abs=CELL)
    assert 0 < width <= CELL


def test_a_ramp_to_the_end_of_the_axis():
    start, rise, flat_until, width = of("ramp", changepoint=0.4, slope=1.0, floor=0.2)
    assert start == 0.2
    assert rise == pytest.approx(0.8 * 0.6)
    assert flat_until == pytest.approx(0.4 + 0.1 * 0.6)
    assert width == pytest.approx(0.8 * 0.6)


def test_a_ramp_that_the_ceiling_ends():
    """From 0.3 to 0.5 it does all of its way: the width is of that stretch only."""
    _, rise, flat_until, width = of("ramp", ceiling=0.9, changepoint=0.3, slope=5.0, floor=0.1)
    assert rise == pytest.approx(0.8)
    assert flat_until == pytest.approx(0.32, abs=CELL)
    assert width == pytest.approx(0.16, abs=CELL)


def test_a_hinge():
    """Both are logarithms, and the steepest stretch is the first."""
    tau, rate = 0.25, 4.0
    _, rise, flat_until, width = of("hinge", changepoint=tau, height=0.9, rate=rate, floor=0.05)
    whole = 1 - np.exp(-rate * (1 - tau))
    assert rise == pytest.approx(0.95 * 0.9 * whole)
    assert flat_until == pytest.approx(tau - np.log1p(-0.1 * whole) / rate, abs=1e-4)
    assert width == pytest.approx(-np.log1p(-0.8 * whole) / rate, abs=1e-4)


def test_a_logistic_curve_in_the_middle_of_the_axis():
    """Symmetric, and complete: the middle four fifths lie between log odds of -+ log 9."""
    _, rise, flat_until, width = of("logistic", height=0.6, midpoint=0.5, width=0.03, floor=0)
    assert rise == pytest.approx(0.6, abs=1e-6)
    assert flat_until == pytest.approx(0.5 - 0.03 * np.log(9), abs=1e-3)
    assert width == pytest.approx(2 * 0.03 * np.log(9), abs=2 * CELL)


def test_takeoff():
    parameters = {"changepoint": 0.5, "changepoint_2": 0.75, "slope": 2.0, "floor": 0.0}
    _, rise, flat_until, width = of("takeoff", **parameters)
    assert rise == pytest.approx(0.5)
    assert flat_until == pytest.approx(0.525)
    assert width == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("model", "parameters"),
    [
        ("chance", {"floor": 0.25}),
        ("flat", {"level": 0.7}),
        ("inverse", {"intercept": 0.3, "slope": 2.0}),
        ("u-shaped", {"changepoint": 0.8, "intercept": 0.0, "slope": 4.0, "slope_2": 1.0}),
        ("step", {"changepoint": 0.5, "level": 0.0, "floor": 0.1}),
    ],
)
def test_a_curve_that_does_not_rise_is_flat_to_the_end(model, parameters):
    _, rise, flat_until, width = of(model, **parameters)
    assert rise <= 0
    assert (flat_until, width) == (1.0, 1.0)


def test_a_rise_too_small_for_a_double_is_none():
    """A tenth of it is lost in the start, and nothing may be divided by zero."""
    _, rise, flat_until, width = of("logistic", height=1e-16, midpoint=0.9, width=0.005, floor=0.2)
    assert 0 <= rise < 1e-15
    assert 0 <= flat_until <= 1
    assert 0 <= width <= 1


def test_where_all_points_stand_at_one_scale_nothing_rises():
    start, rise, flat_until, width = of("logit-line", end=0.0, intercept=-1, slope=3, floor=0)
    assert start == pytest.approx(1 / (1 + np.e))
    assert (rise, flat_until, width) == (0.0, 1.0, 1.0)


def test_a_curve_that_dips_first_is_flat_until_it_has_risen():
    """The last u before a tenth of R is gained, however deep it falls on the way."""
    parameters = {"changepoint": 0.5, "intercept": -1.0, "slope": 2.0, "slope_2": 8.0}
    _, rise, flat_until, width = of("u-shaped", **parameters)
    grid = np.linspace(0, 1, 100_001)
    score = 1 / (1 + np.exp(1 + 2 * np.minimum(grid, 0.5) - 8 * np.maximum(grid - 0.5, 0)))
    gained = score >= score[0] + 0.1 * (score[-1] - score[0])
    assert rise == pytest.approx(score[-1] - score[0])
    assert flat_until == pytest.approx(grid[gained.argmax()], abs=1e-3)
    assert 0 < width < 0.5


def test_draws_and_curves_keep_their_places():
    """Many curves and draws are cut into pieces; each cell is the one that stands alone."""
    rng = np.random.default_rng(0)
    shape = (5, 7000)
    p = {"changepoint": rng.uniform(size=shape), "level": rng.uniform(size=shape)}
    p["floor"] = np.full(shape, 0.1)
    found = functionals(Model.read("step"), p, np.ones(5), np.ones(5))
    np.testing.assert_allclose(found.flat_until, p["changepoint"], atol=CELL)
    np.testing.assert_allclose(found.rise, 0.9 * p["level"])


# ---- all pairs -----------------------------------------------------------------------------------


def by_all_pairs(score):
    """The definitions, read literally on the curve of straight lines through the nodes."""
    fine = np.linspace(0, 1, len(score))
    rise = score[-1] - score[0]
    if rise <= 0:
        return rise, 1.0, 1.0
    first = np.argmax(score >= score[0] + FLAT_SHARE * rise)
    part = (score[0] + FLAT_SHARE * rise - score[first - 1]) / (score[first] - score[first - 1])
    flat_until = fine[first - 1] + part * (fine[first] - fine[first - 1])
    gained = score[None, :] - score[:, None] >= STEEP_SHARE * rise - 1e-12
    apart = fine[None, :] - fine[:, None]
    return rise, flat_until, apart[gained & (apart > 0)].min()


def curves_of(kind, count, nodes, rng):
    steps = rng.gamma(0.1, size=(count, nodes - 1))
    if kind == "any":
        steps = rng.standard_normal((count, nodes - 1))
    if kind == "with plateaus":
        steps *= rng.uniform(size=steps.shape) < 0.1
    if kind == "falling and rising":
        steps *= np.where(np.arange(nodes - 1) < nodes // 3, -0.2, 1.0)
    return np.concatenate([np.zeros((count, 1)), np.cumsum(steps, axis=1)], axis=1)


@pytest.mark.parametrize("kind", ["rising", "any", "with plateaus", "falling and rising"])
def test_random_curves_against_all_pairs(kind):
    """The stretch may end between nodes, so that it is up to a cell shorter than node to node."""
    nodes = 61
    score = curves_of(kind, 400, nodes, np.random.default_rng(3))
    start, rise, flat_until, width = rise_of_curves(
        score, np.zeros(len(score), dtype=np.int64), FLAT_SHARE, STEEP_SHARE
    )
    expected = np.array([by_all_pairs(s) for s in score]).T
    np.testing.assert_array_equal(start, score[:, 0])
    np.testing.assert_allclose(rise, expected[0], atol=1e-12)
    np.testing.assert_allclose(flat_until, expected[1], atol=1e-12)
    assert (width <= expected[2] + 1e-12).all()
    assert (width >= expected[2] - 1 / (nodes - 1) - 1e-12).all()
