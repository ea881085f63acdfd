"""Scales of emergence against brute force: dense grids, weighted draws, plain formulas."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.priors import from_prior
from upturn.model import Model
from upturn.posterior import emergence as em

CEILING = np.array([1.0])


def parameters(name, count=256, chance=0.25):
    """Draws from a model's prior: (curve, draw)."""
    model = Model.read(name)
    p = from_prior(model, count, chance=chance)
    return model, {parameter: p[parameter][0] for parameter in model.parameters}


def emerge(model, p, *, chance=0.25, delta=0.1, end=1.0, ceiling=1.0):
    curves = len(next(iter(p.values())))
    one_each = [np.full(curves, value) for value in (chance, ceiling, delta, end)]
    return em.emergence(
        model, p, chance=one_each[0], ceiling=one_each[1], delta=one_each[2], end=one_each[3]
    )


# --- where a curve exceeds chance -----------------------------------------------------------------


@pytest.mark.parametrize("chance", [0.25, np.nan])
@pytest.mark.parametrize("name", Model.names())
def test_threshold_is_the_first_crossing(name, chance):
    """A grid of 20,001 points sees the same, but for what lies within one of its cells."""
    model, p = parameters(name)
    found = emerge(model, p, chance=chance)
    u = np.linspace(0, 1, 20_001)
    score = em.expected(model, p, u[None, :], CEILING)[0]
    reference = (score[0] if np.isnan(chance) else chance) + 0.1
    above = score > reference
    first = u[above.argmax(axis=0)]
    from_start = above[0]
    expected = np.where(above.any(axis=0), np.where(from_start, -np.inf, first), np.inf)
    threshold = found.threshold[0]
    np.testing.assert_array_equal(np.isposinf(threshold), np.isposinf(expected))
    np.testing.assert_array_equal(np.isneginf(threshold), np.isneginf(expected))
    np.testing.assert_array_equal(found.above_from_start[0], from_start)
    inside = np.isfinite(expected)
    np.testing.assert_allclose(threshold[inside], expected[inside], rtol=0, atol=6e-5)


def test_the_first_crossing_of_a_step_is_its_changepoint():
    model, p = parameters("step")
    found = emerge(model, p).threshold
    changepoint = p["changepoint"]
    there = np.isfinite(found) & (changepoint <= 1)
    assert there.sum() > 20
    np.testing.assert_array_equal(found[there], changepoint[there])


@pytest.mark.parametrize("name", Model.names())
def test_gain_is_over_the_floor(name):
    model, p = parameters(name)
    end, start = em.expected(model, p, np.array([[1.0, 0.0]]), CEILING)[0]
    base = p["floor"][0] if "floor" in p else start
    np.testing.assert_allclose(emerge(model, p).gain[0], end - base, atol=1e-12)


def test_delta_ceiling_and_chance_move_the_threshold():
    model, p = parameters("ramp", 64)
    p |= {"changepoint": np.full((1, 64), 0.5), "slope": np.full((1, 64), 0.4)}
    p |= {"floor": np.full((1, 64), 0.2)}
    for delta, chance, ceiling in ((0.1, 0.2, 1.0), (0.05, 0.2, 1.0), (0.1, 0.15, 0.9)):
        slope = 0.4 * (ceiling - 0.2)
        expected = 0.5 + (chance + delta - 0.2) / slope
        found = emerge(model, p, chance=chance, delta=delta, ceiling=ceiling).threshold
        assert np.isposinf(found).all() if expected > 1 else found == pytest.approx(expected, 1e-4)


def test_where_all_points_stand_at_one_scale_nothing_lies_beyond_it():
    """The largest scale is the smallest: an ability is there, or not on this axis."""
    model, p = parameters("logit-line")
    found = emerge(model, p, end=0.0)
    start = em.expected(model, p, np.zeros((1, 1)), CEILING)[0, 0]
    np.testing.assert_array_equal(found.threshold[0], np.where(start > 0.35, -np.inf, np.inf))
    np.testing.assert_allclose(found.gain[0], start - p["floor"][0], atol=1e-12)


def test_pieces_change_no_bit(monkeypatch):
    model, p = parameters("hinge", 512)
    many = {name: value.reshape(8, 64) for name, value in p.items()}
    whole = emerge(model, many)
    monkeypatch.setattr(em, "CELLS", 3 * 64 * em.GRID)
    assert [s.start for s in em.pieces(8, 64)] == [0, 3, 6]
    cut = emerge(model, many)
    for name in ("threshold", "gain", "above_from_start"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(cut, name))


def test_a_piece_is_one_curve_at_least():
    assert list(em.pieces(2, 10**9)) == [slice(0, 1), slice(1, 2)]


# --- the probability of a change ------------------------------------------------------------------


def test_p_change_and_its_error():
    """The error is what errors of both log evidences make of it: simulated, to its own error."""
    evidence, error = np.array([-10.0, -10.0, 500.0]), np.array([0.05, 0.02, 0.1])
    twin, twin_error = np.array([-11.0, -9.5, -500.0]), np.array([0.04, 0.03, 0.1])
    p, p_error = em.p_change(evidence, error, twin, twin_error)
    np.testing.assert_allclose(p[:2], 1 / (1 + np.exp([-1.0, 0.5])), rtol=1e-12)
    assert (p[2], p_error[2]) == (1.0, 0.0)
    generator = np.random.default_rng(0)
    noisy, _ = em.p_change(
        evidence + error * generator.normal(size=(20_000, 3)), error,
        twin + twin_error * generator.normal(size=(20_000, 3)), twin_error,
    )  # fmt: skip
    # the sd of 20,000 draws is known to 0.5 %; 3 % are six of that, and the curvature of p
    np.testing.assert_allclose(noisy.std(axis=0)[:2], p_error[:2], rtol=0.03)


# --- quantiles of the mixture ---------------------------------------------------------------------


def brute_force(values, p, level):
    """The quantile of weighted draws: p shared among the draws, the rest at infinity."""
    ordered = np.append(np.sort(values), np.inf)
    weight = np.append(np.full(len(values), p / len(values)), 1 - p)
    reached = np.cumsum(weight) >= level - 1e-12
    return ordered[reached.argmax()]


@given(
    seed=st.integers(0, 2**32 - 1),
    p=st.floats(0, 1),
    level=st.floats(0.001, 0.999),
    below=st.floats(0, 1),
    above=st.floats(0, 1),
)
def test_quantiles_are_those_of_weighted_draws(seed, p, level, below, above):
    """Within the gap between two draws, and in the same atom but within one draw of its edge."""
    generator = np.random.default_rng(seed)
    values = generator.normal(size=(1, 500))
    values[generator.uniform(size=values.shape) < below] = -np.inf
    values[generator.uniform(size=values.shape) < above] = np.inf
    got = em.quantiles(values, np.array([p]), np.array([level]))[0, 0]
    steps = -1.5 * p / 500, 0, 1.5 * p / 500
    near = [brute_force(values[0], p, min(level + step, 1)) for step in steps]
    assert min(near) <= got <= max(near)


def test_the_two_atoms():
    """40 draws below the axis, 40 on it, 20 above it, and as much again for no change."""
    values = np.concatenate([np.full(40, -np.inf), np.linspace(0, 1, 40), np.full(20, np.inf)])
    levels = np.array([0.05, 0.19, 0.3, 0.41, 0.5, 0.95])
    found = em.quantiles(values[None, :], np.array([0.5]), levels)[:, 0]
    assert np.isneginf(found[:2]).all()
    assert found[2] == pytest.approx(0.5, abs=0.02)
    assert np.isposinf(found[3:]).all()


def test_no_change_and_certain_change():
    values = np.linspace(0, 1, 101)[None, :].repeat(2, axis=0)
    found = em.quantiles(values, np.array([0.0, 1.0]), np.array([0.05, 0.5, 0.95]))
    assert np.isposinf(found[:, 0]).all()
    np.testing.assert_allclose(found[:, 1], [0.05, 0.5, 0.95])


def test_a_changepoint_has_the_atoms_of_its_curve():
    u = np.array([[0.2, 0.7], [0.2, 0.7]])
    above = np.array([[True, False], [False, False]])
    found = em.with_atoms(u, above, np.array([1.0, 0.0]))
    np.testing.assert_array_equal(found, [[-np.inf, 0.7], [np.inf, np.inf]])
