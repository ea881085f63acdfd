"""Weights: effective sizes, temperatures, resampling, and the Pareto shape of tails."""

import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from upturn.sampling.particles import sobol, weights

SEED = int(os.environ.get("UPTURN_TEST_SEED", "0"))


@pytest.fixture
def rng():
    return np.random.default_rng(SEED)


# --- what weights say -----------------------------------------------------------------------------


def test_normalised(rng):
    log_weights = rng.normal(size=(4, 50)) * 20
    got = weights.normalised(log_weights)
    np.testing.assert_allclose(got.sum(axis=1), 1, rtol=1e-14)
    np.testing.assert_allclose(got / got[:, :1], np.exp(log_weights - log_weights[:, :1]))
    np.testing.assert_allclose(weights.normalised(log_weights - 1e5), got, atol=1e-11)


def test_log_mean_exp():
    assert weights.log_mean_exp(np.log([[1.0, 2.0, 3.0]])) == pytest.approx(np.log(2))
    assert weights.log_mean_exp(np.array([[-1e5, -1e5]])) == pytest.approx(-1e5)
    assert weights.log_mean_exp(np.array([[0.0, -np.inf]])) == pytest.approx(-np.log(2))


@pytest.mark.parametrize(
    ("relative", "size"),
    [([1, 1, 1, 1], 4), ([1, 0, 0, 0], 1), ([1, 1, 0, 0], 2), ([3, 1, 0, 0], 1.6)],
)
def test_effective_size(relative, size):
    with np.errstate(divide="ignore"):
        log_weights = np.log(np.array([relative], dtype=float))
    assert weights.effective_size(log_weights) == pytest.approx(size)
    assert weights.effective_size(log_weights - 1e4) == pytest.approx(size)


# --- temperature ----------------------------------------------------------------------------------


def by_brute_force(offset, log_likelihood, before, size):
    """The highest of 4,001 temperatures from `before` to 1 that keeps the size, and their step."""
    grid = np.linspace(before, 1, 4001)
    sizes = weights.effective_size(offset + grid[:, None] * log_likelihood)
    enough = np.flatnonzero(sizes >= size)
    return (grid[enough[-1]] if len(enough) else before), grid[1] - grid[0]


@pytest.mark.parametrize("size", [20.0, 51.2, 200.0])
@pytest.mark.parametrize("peak", [2.0, 30.0, 1000.0])
def test_temperature_is_the_highest_that_keeps_the_size(rng, peak, size):
    """Likelihoods from broad to sharp; the effective size falls with the temperature."""
    x = rng.normal(size=(5, 512))
    log_likelihood = -peak * (x - 0.5) ** 2
    got = weights.temperature(np.zeros((5, 512)), log_likelihood, np.zeros(5), size)
    for row in range(5):
        expected, step = by_brute_force(np.zeros(512), log_likelihood[row], 0.0, size)
        assert got[row] == pytest.approx(expected, rel=0.02, abs=1.01 * step)


def test_temperature_never_goes_back(rng):
    """Where even the last temperature keeps too little, the answer is that one."""
    log_likelihood = -1e4 * rng.normal(size=(2, 256)) ** 2
    before = np.array([0.3, 0.7])
    np.testing.assert_array_equal(
        weights.temperature(np.zeros((2, 256)), log_likelihood, before, 100.0), before
    )


def test_temperature_is_one_where_the_posterior_keeps_the_size(rng):
    log_likelihood = 0.01 * rng.normal(size=(3, 256))
    got = weights.temperature(np.zeros((3, 256)), log_likelihood, np.array([0, 0.5, 1.0]), 100.0)
    np.testing.assert_array_equal(got, 1.0)
    # also by way of an offset that the likelihood cancels
    offset = 5 * rng.normal(size=(1, 256))
    np.testing.assert_array_equal(weights.temperature(offset, -offset, np.zeros(1), 100.0), 1.0)


def test_temperature_of_a_row_is_its_own(rng):
    log_likelihood = -30 * rng.normal(size=(6, 256)) ** 2
    offset = 0.1 * rng.normal(size=(6, 256))
    whole = weights.temperature(offset, log_likelihood, np.zeros(6), 50.0)
    for row in range(6):
        part = slice(row, row + 1)
        alone = weights.temperature(offset[part], log_likelihood[part], np.zeros(1), 50.0)
        np.testing.assert_array_equal(alone, whole[part])


# --- resampling -----------------------------------------------------------------------------------


def copies(index, particles):
    return np.array([np.bincount(row, minlength=particles) for row in index])


@given(
    st.lists(st.floats(0, 1) | st.just(0.0), min_size=1, max_size=40).filter(lambda w: sum(w) > 0),
    st.floats(1e-9, 1 - 1e-9),
    st.integers(1, 100),
)
def test_systematic_gives_each_particle_its_share_to_within_one(relative, offset, count):
    share = np.array([relative]) / sum(relative)
    index = weights.systematic(share, np.array([offset]), count)
    assert index.shape == (1, count)
    assert (np.diff(index[0]) >= 0).all()
    got = copies(index, share.shape[1])[0]
    assert (np.abs(got - count * share[0]) < 1 + 1e-6).all()
    assert (got[share[0] == 0] == 0).all()


def test_systematic_is_unbiased(rng):
    """Over offsets that fill (0, 1) evenly, the mean number of copies is count times the weight."""
    share = weights.normalised(2 * rng.normal(size=(1, 30)))
    offsets = (np.arange(4000) + 0.5) / 4000
    index = weights.systematic(np.repeat(share, 4000, axis=0), offsets, 17)
    np.testing.assert_allclose(copies(index, 30).mean(axis=0), 17 * share[0], atol=1 / 4000)


def test_systematic_takes_particles_where_the_marks_fall():
    """The definition, mark by mark."""
    share = np.array([[0.1, 0.0, 0.45, 0.05, 0.4]])
    index = weights.systematic(share, np.array([0.3]), 7)[0]
    marks = (np.arange(7) + 0.3) / 7
    expected = [int(np.argmax(np.cumsum(share[0]) >= mark)) for mark in marks]
    assert index.tolist() == expected


def test_systematic_rows_do_not_depend_on_their_place(rng):
    """To the bit, also of the 20,000th row: a table cut otherwise has the same draws."""
    share = weights.normalised(rng.normal(size=(1, 64)))
    offset = rng.random(1)
    alone = weights.systematic(share, offset, 500)
    whole = weights.systematic(np.repeat(share, 20_000, axis=0), np.repeat(offset, 20_000), 500)
    assert (whole == alone).all()
    # a mark that lies on the edge between two particles to the last bit
    edge = weights.systematic(np.full((9000, 8), 0.125), np.full(9000, 0.5), 4)
    assert (edge == edge[0]).all()


def test_systematic_of_equal_weights_thins_evenly():
    index = weights.systematic(np.full((1, 1000), 1e-3), np.array([0.25]), 100)
    np.testing.assert_array_equal(np.diff(index[0]), 10)


@pytest.mark.parametrize("offset", [2.0**-54, 0.5, 1 - 2.0**-53])
def test_systematic_at_the_ends_of_offsets(offset):
    """The smallest and largest that `sobol.uniform` can give; weight only in front."""
    share = np.array([[0.5, 0.5, 0.0, 0.0]])
    index = weights.systematic(share, np.array([offset]), 1000)
    assert index.max() <= 1
    assert np.abs(copies(index, 4)[0, :2] - 500).max() <= 1


# --- the space-filling order ----------------------------------------------------------------------


def even(unit):
    """Equal weights of points (row, dimension, particle)."""
    return np.full((len(unit), unit.shape[2]), 1 / unit.shape[2])


@pytest.mark.parametrize("dimensions", [1, 2, 3, 6, 20, 40])
def test_along_curve_is_a_permutation(rng, dimensions):
    unit = rng.random((4, dimensions, 333))
    order = weights.along_curve(unit, even(unit))
    np.testing.assert_array_equal(np.sort(order, axis=1), np.tile(np.arange(333), (4, 1)))


def test_along_curve_sorts_one_dimension(rng):
    """To the 1,024 cells that its codes tell apart, at whose ends one is 0.016 to 0.02 sd wide."""
    unit = rng.random((1, 1, 500))
    passed = np.take_along_axis(unit[:, 0], weights.along_curve(unit, even(unit)), axis=1)
    assert np.diff(passed).min() > -0.02 * unit.std()
    assert np.diff(passed).min() < 0  # the cells are what the order is one of


@pytest.mark.parametrize(("dimensions", "share"), [(2, 0.15), (3, 0.35), (4, 0.5)])
def test_along_curve_keeps_neighbours_near(rng, dimensions, share):
    """Mean step between neighbours on the curve, as a share of that in an order by chance."""
    unit = rng.random((1, dimensions, 2000))

    def step(order):
        passed = np.take_along_axis(unit, order[:, None], axis=2)
        return np.sqrt((np.diff(passed, axis=2) ** 2).sum(axis=1)).mean()

    by_chance = rng.permutation(2000)[None]
    assert step(weights.along_curve(unit, even(unit))) < share * step(by_chance)


def test_resampling_along_the_curve_keeps_the_gain_of_a_net():
    """Means of 256 draws from 4,096 weighted points vary a tenth of what independent draws' do.

    In an order by chance, as much as two thirds. Over 300 keys and 3 dimensions each ratio is known
    to 5 %, so the bounds are 8 and 4 standard errors away.
    """
    key = sobol.keys(SEED, [f"task {i}" for i in range(300)], 1)
    unit = sobol.uniforms(key, 0, 3, 0, 4096)
    share = weights.normalised(-8 * ((unit - 0.4) ** 2).sum(axis=1))
    mean = (share[:, None] * unit).sum(axis=2)
    variance = (share[:, None] * (unit - mean[:, :, None]) ** 2).sum(axis=2)
    comb = sobol.uniform(key, 5)

    def spread(order):
        index = weights.systematic(np.take_along_axis(share, order, axis=1), comb, 256)
        drawn = np.take_along_axis(order, index, axis=1)
        error = np.take_along_axis(unit, drawn[:, None], axis=2).mean(axis=2) - mean
        return ((error**2).mean(axis=0) / (variance.mean(axis=0) / 256)).mean()

    assert spread(weights.along_curve(unit, share)) < 0.15
    assert spread(np.argsort(sobol.uniforms(key, 9, 1, 0, 4096)[:, 0], axis=1)) > 0.5


# --- smoothing ------------------------------------------------------------------------------------
