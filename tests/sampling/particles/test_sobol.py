"""Points: nets that fill the cube evenly, and random where they should be.

Tests of randomness say with which probability they fail by chance; their seed is fixed, and
UPTURN_TEST_SEED sweeps it.
"""

import os

import numpy as np
import pytest
from scipy import stats

from upturn.sampling.particles import sobol
from upturn.sampling.particles.directions import sobol_words

SEED = int(os.environ.get("UPTURN_TEST_SEED", "0"))
FIVE_SIGMA = 5.0  # 6 in 10^7

# of seed 0 and the label "arithmetic", two replicates
PINNED_KEYS = ["0xd0d9eadbf91157cb", "0xecde5b6192e47ef8"]
PINNED_POINTS = [
    [
        [0.8245811107335612, 0.0433918401831761, 0.3571348850382492],
        [0.5372086364077404, 0.4676252299686894, 0.7659005766035989],
    ],
    [
        [0.26630376500543207, 0.9717710911063477, 0.6121931587113068],
        [0.5306266212137416, 0.47693117626477033, 0.7927726734196767],
    ],
]
PINNED_SHUFFLES = [[4, 5, 1, 3, 0, 2], [3, 0, 5, 4, 2, 1]]
PINNED_ONES = [0.7383999226124645, 0.23248653125404745]


def keys(count, replicates=1, seed=SEED):
    return sobol.keys(seed, [f"task {i}" for i in range(count)], replicates)


# --- nets -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("log2", [5, 9, 12, 14])
def test_every_dimension_has_one_point_in_every_cell(log2):
    """A (0, m, 1)-net in each dimension: 2^m points, one in each of 2^m equal cells."""
    count = 2**log2
    u = sobol.uniforms(keys(3), 0, 6, 0, count)
    assert u.shape == (3, 6, count)
    cells = np.sort(np.floor(u * count).astype(int), axis=2)
    np.testing.assert_array_equal(cells, np.broadcast_to(np.arange(count), cells.shape))


@pytest.mark.parametrize("split", range(11))
def test_two_dimensions_have_one_point_in_every_box(split):
    """A (0, m, 2)-net in the first two: one point in each box of every shape of area 2^-m."""
    u = sobol.uniforms(keys(4), 3, 2, 0, 1024)
    across, up = 2**split, 2 ** (10 - split)
    box = np.floor(u[:, 0] * across) * up + np.floor(u[:, 1] * up)
    np.testing.assert_array_equal(np.sort(box, axis=1), np.broadcast_to(np.arange(1024), box.shape))


def test_points_lie_inside_the_open_cube():
    u = sobol.uniforms(keys(50), 0, 8, 0, 4096)
    assert u.min() > 0
    assert u.max() < 1


@pytest.mark.parametrize("start", [0, 512, 4096 - 128, 4096, 10_000])
def test_a_net_can_be_extended(start):
    """Points from `start` on are those of the longer net, also beyond the 4,096 kept at hand."""
    key = keys(2)
    whole = sobol.uniforms(key, 7, 3, 0, 16_384)
    np.testing.assert_array_equal(
        sobol.uniforms(key, 7, 3, start, 256), whole[:, :, start : start + 256]
    )
    np.testing.assert_array_equal(
        sobol.uniforms(key, 7, 2, start, 256), whole[:, :2, start : start + 256]
    )


@pytest.mark.parametrize("dimensions", [1, 2, 24, 25])
def test_the_net_is_scipys(dimensions):
    """Joe & Kuo's direction numbers, by our recurrence up to 24 dimensions and by SciPy beyond."""
    expected = stats.qmc.Sobol(dimensions, scramble=False, bits=32).random_base2(12).T * 2.0**32
    np.testing.assert_array_equal(sobol_words(dimensions, 4096), expected)


def smooth(u):
    """An integrand with mean 1, of every dimension."""
    return np.prod(1 + 0.7 * (u - 0.5), axis=1)


@pytest.mark.parametrize(
    ("dimensions", "count", "ratio"),
    [(1, 512, 1e-4), (3, 512, 1e-3), (3, 4096, 2e-5), (6, 1024, 2e-3)],
)
def test_means_vary_far_less_than_those_of_independent_points(dimensions, count, ratio):
    """Variance over 400 keys, as a share of what independent points have: some 10^-3 to 10^-6."""
    u = sobol.uniforms(keys(400), 1, dimensions, 0, count)
    means = smooth(u).mean(axis=1)
    independent = ((1 + 0.49 / 12) ** dimensions - 1) / count
    assert means.var(ddof=1) / independent < ratio
    # unbiased: false alarm 6 in 10^7
    assert abs(means.mean() - 1) < FIVE_SIGMA * means.std(ddof=1) / 20


# --- randomness -----------------------------------------------------------------------------------


@pytest.mark.parametrize("index", [0, 1, 2, 511, 4095])
def test_each_point_is_uniform_over_keys(index):
    """Kolmogorov-Smirnov over 4,000 keys in 3 dimensions; fails by chance 3 times in 10^6 each."""
    u = sobol.uniforms(keys(4000), 0, 3, index, 1)[:, :, 0]
    for d in range(3):
        assert stats.kstest(u[:, d], "uniform").pvalue > 1e-6


def correlated(a, b):
    """Whether two samples correlate by more than 5 standard errors, 6 in 10^7 by chance."""
    return abs(np.corrcoef(a, b)[0, 1]) > FIVE_SIGMA / np.sqrt(len(a))


def test_streams_replicates_dimensions_and_seeds_are_independent():
    """The same point of two of them, over 4,000 keys: 35 tests, each 6 in 10^7 by chance."""
    key = keys(4000)
    first = sobol.uniforms(key, 0, 4, 5, 1)[:, :, 0]
    others = {
        "stream": sobol.uniforms(key, 1, 4, 5, 1)[:, :, 0],
        "far stream": sobol.uniforms(key, 10_001, 4, 5, 1)[:, :, 0],
        "replicate": sobol.uniforms(keys(4000, 2)[1::2], 0, 4, 5, 1)[:, :, 0],
        "seed": sobol.uniforms(keys(4000, seed=SEED + 1), 0, 4, 5, 1)[:, :, 0],
    }
    for name, other in others.items():
        for d in range(4):
            assert not correlated(first[:, d], other[:, d]), name
            assert not correlated((first[:, d] - 0.5) ** 2, (other[:, d] - 0.5) ** 2), name
    for d in range(3):
        assert not correlated(first[:, d], first[:, d + 1])
    # negative control: in a net, the next point lies where this one does not
    after = sobol.uniforms(key, 0, 4, 6, 1)[:, :, 0]
    assert any(correlated(first[:, d], after[:, d]) for d in range(4))


def test_errors_of_means_are_independent_between_replicates_and_streams():
    """What the spread of replicates is a measure of; 400 keys, 6 in 10^7 by chance each."""
    key = keys(400, 2)
    means = smooth(sobol.uniforms(key, 0, 3, 0, 256)).mean(axis=1)
    assert not correlated(means[::2], means[1::2])
    again = smooth(sobol.uniforms(key, 1, 3, 0, 256)).mean(axis=1)
    assert not correlated(means, again)
    assert correlated(means, smooth(sobol.uniforms(key, 0, 3, 0, 256)).mean(axis=1))


def test_keys_are_distinct():
    labels = ["", "a", "b", "ab", "a\x1fb", "task 1", "task 2", "é", "🙂"]
    every = np.concatenate([sobol.keys(seed, labels, 4) for seed in (0, 1, -1, 10, 2**70)])
    assert len(np.unique(every)) == 5 * 9 * 4


# --- determinism ----------------------------------------------------------------------------------


def test_the_same_bits_every_time():
    """Pinned: a saved fit can be computed again by another version on another machine."""
    key = sobol.keys(0, ["arithmetic"], 2)
    assert [hex(k) for k in key.tolist()] == PINNED_KEYS
    u = sobol.uniforms(key, 0, 2, 0, 3)
    np.testing.assert_array_equal(u, np.array(PINNED_POINTS))
    assert sobol.shuffles(key, 0, 6).tolist() == PINNED_SHUFFLES
    assert sobol.uniform(key, 0).tolist() == PINNED_ONES


def test_neighbours_do_not_matter():
    key = keys(6, 4)
    whole = sobol.uniforms(key, 2, 3, 0, 64)
    order = np.random.default_rng(0).permutation(24)
    np.testing.assert_array_equal(sobol.uniforms(key[order], 2, 3, 0, 64), whole[order])
    np.testing.assert_array_equal(sobol.uniforms(key[7:8], 2, 3, 0, 64), whole[7:8])
    np.testing.assert_array_equal(sobol.shuffles(key[7:8], 2, 9), sobol.shuffles(key, 2, 9)[7:8])
    np.testing.assert_array_equal(sobol.uniform(key[7:8], 2), sobol.uniform(key, 2)[7:8])
    # nor do the other curves of a table, or how many replicates there are
    np.testing.assert_array_equal(sobol.keys(SEED, ["task 3"], 2), key.reshape(6, 4)[3, :2])


def test_no_keys():
    assert sobol.keys(0, [], 4).shape == (0,)
    none = sobol.keys(0, [], 4)
    assert sobol.uniforms(none, 0, 3, 0, 16).shape == (0, 3, 16)


# --- shuffles and single numbers ------------------------------------------------------------------


def test_shuffles_are_permutations():
    got = sobol.shuffles(keys(20), 0, 101)
    assert got.shape == (20, 101)
    np.testing.assert_array_equal(np.sort(got, axis=1), np.tile(np.arange(101), (20, 1)))


def test_shuffles_are_uniform():
    """All 24 orders of four equally often: chi-squared over 24,000 keys, 1 in 10^6 by chance."""
    got = sobol.shuffles(keys(24_000), 3, 4)
    _, counts = np.unique(got @ np.array([64, 16, 4, 1]), return_counts=True)
    assert len(counts) == 24
    assert stats.chisquare(counts).pvalue > 1e-6


def test_shuffles_break_neighbourhoods():
    """Mean step between neighbours is a third of the length, as of a random order (5 sigma)."""
    got = sobol.shuffles(keys(40), 0, 1000)
    step = np.abs(np.diff(got, axis=1)).mean() / 1000
    assert step == pytest.approx(1 / 3, abs=FIVE_SIGMA * 0.2357 * np.sqrt(2) / np.sqrt(40 * 999))


def test_one_is_uniform_and_independent_of_streams():
    """Kolmogorov-Smirnov over 20,000 keys, 1 in 10^6 by chance."""
    key = keys(20_000)
    first, second = sobol.uniform(key, 0), sobol.uniform(key, 1)
    assert first.min() > 0
    assert first.max() < 1
    assert stats.kstest(first, "uniform").pvalue > 1e-6
    assert not correlated(first, second)
    assert not correlated(first, sobol.uniforms(key, 0, 1, 0, 1)[:, 0, 0])
