"""Halving keeps one of each pair, by a fair coin, and every parameter's distribution."""

import numpy as np
import pytest

from upturn.sampling.particles import chains, sobol, thinning, weights


@pytest.fixture
def rng():
    return np.random.default_rng(11)


def particles_of(rng, rows=3, dimensions=5, particles=2048):
    """Correlated normals, and where a space-filling curve passes through them."""
    z = rng.normal(size=(rows, dimensions, particles))
    z[:, 1:] += z[:, :1]
    return z, weights.along_curve(z, np.full((rows, particles), 1 / particles))


def test_one_of_each_pair_is_left(rng):
    z, order = particles_of(rng)
    left = thinning.thinned(z, order, rng.uniform(size=(3, 1)))
    pairs = order.reshape(3, -1, 2)
    assert ((left == pairs[:, :, 0]) | (left == pairs[:, :, 1])).all()


def test_each_is_kept_by_one_side_of_the_coin_and_dropped_by_the_other(rng):
    """So that each is kept half of the time, whatever the others are."""
    z, order = particles_of(rng)
    heads, tails = (thinning.thinned(z, order, np.full((3, 1), coin)) for coin in (0.1, 0.9))
    both = np.sort(np.concatenate([heads, tails], axis=1), axis=1)
    np.testing.assert_array_equal(both, np.sort(order, axis=1))


def test_halving_thrice_is_three_halvings(rng):
    z, order = particles_of(rng, dimensions=1)
    assert thinning.thinned(z, order, rng.uniform(size=(3, 3))).shape == (3, 256)
    np.testing.assert_array_equal(thinning.thinned(z, order, np.empty((3, 0))), order)


def test_every_parameter_keeps_its_distribution(rng):
    """256 of 2,048: the largest step between distribution functions, and that of a random choice.

    The latter is 1.36 / 16 with a probability of a twentieth (Kolmogorov); seeded.
    """
    z, order = particles_of(rng, rows=8)
    left = thinning.thinned(z, order, rng.uniform(size=(8, 3)))
    by_chance = rng.permuted(order, axis=1)[:, :256]

    def steps(index):
        kept = np.sort(np.take_along_axis(z, index[:, None], axis=2), axis=2)
        below = (z[:, :, None] <= kept[..., None]).mean(axis=3)
        return np.abs(below - np.arange(1, 257) / 256).max(axis=2)

    assert np.median(steps(left)) < 0.4 * np.median(steps(by_chance))
    assert steps(left).max() < np.median(steps(by_chance))


def test_every_parameter_keeps_its_mean(rng):
    """Of a mode of 1 % ten sds away too, whose few particles are in a cell or two.

    Errors in sds of a mean of as many independent ones, over 64 rows: .18 where that mode is and
    .08 elsewhere; .39 and .25 by cells alone. Seeded.
    """
    z, _ = particles_of(rng, rows=64)
    z[:, 0, ::100] += 10 + 4 * rng.normal(size=z[:, 0, ::100].shape)
    order = weights.along_curve(z, np.full((64, 2048), 1 / 2048))
    left = thinning.thinned(z, order, rng.uniform(size=(64, 3)))
    kept = np.take_along_axis(z, left[:, None], axis=2)
    error = (kept.mean(axis=2) - z.mean(axis=2)) / z.std(axis=2) * np.sqrt(256)
    rms = np.sqrt((error**2).mean(axis=0))
    assert rms[0] < 0.25
    assert rms[1:].max() < 0.1


def test_parameters_keep_depending_on_one_another(rng):
    z, order = particles_of(rng, rows=64)
    left = thinning.thinned(z, order, rng.uniform(size=(64, 3)))
    by_chance = rng.permuted(order, axis=1)[:, :256]

    def error(index):
        kept = np.take_along_axis(z, index[:, None], axis=2)
        return ((kept[:, 1] * kept[:, 2]).mean(axis=1) - (z[:, 1] * z[:, 2]).mean(axis=1)).std()

    assert error(left) < error(by_chance) / 2


def test_one_parameter_is_thinned_evenly(rng):
    """Then each pair stands for its quantile: nothing is left to choose but a side."""
    z, order = particles_of(rng, dimensions=1)
    left = thinning.thinned(z, order, np.full((3, 3), 0.1))
    rank = np.argsort(order, axis=1)
    assert (np.take_along_axis(rank, left, axis=1) // 8 == np.arange(256)).all()


@pytest.mark.parametrize("together", [1, 2])
def test_rows_do_not_depend_on_those_they_are_not_halved_with(rng, together):
    z, order = particles_of(rng, rows=4)
    coins = rng.uniform(size=(4, 3))
    all_of_them = thinning.thinned(z, order, coins, together=together)
    for r in range(0, 4, together):
        some = slice(r, r + together)
        alone = thinning.thinned(z[some], order[some], coins[some], together=together)
        np.testing.assert_array_equal(alone, all_of_them[some])


def test_rows_halved_together_make_up_for_one_another(rng):
    """Errors of quantiles of four rows side by side are smaller than of four by themselves.

    Of the first parameter, whose cells count most, .70 times as large, of the others .82. A ratio
    of two standard deviations of 100 numbers each is known to within 10 %, of 400 to within 5 %;
    seeded.
    """
    z, order = particles_of(rng, rows=200)
    coins = rng.uniform(size=(200, 3))

    def errors(together):
        left = thinning.thinned(z, order, coins, together=together)
        kept = np.take_along_axis(z, left[:, None], axis=2)
        side_by_side = np.concatenate(np.split(kept.reshape(50, 4, 5, -1), 4, axis=1), axis=3)
        whole = np.concatenate(np.split(z.reshape(50, 4, 5, -1), 4, axis=1), axis=3)
        low, exact = (np.quantile(values, (0.05, 0.95), axis=3) for values in (side_by_side, whole))
        off = low - exact
        return np.array([off[..., 0].std(), off[..., 1:].std()])

    assert (errors(4) < [0.85 * errors(1)[0], 0.9 * errors(1)[1]]).all()


def test_the_first_parameter_is_kept_best(rng):
    """Quantiles of the changepoint are read: errors in sds are .043 there, .057 to .061 elsewhere.

    .052 and .052 to .055 where all count alike. Of 1,600 numbers each, known to 2 %; seeded.
    """
    z, order = particles_of(rng, rows=800)
    left = thinning.thinned(z, order, rng.uniform(size=(800, 3)))
    kept = np.take_along_axis(z, left[:, None], axis=2)
    off = np.quantile(kept, (0.05, 0.95), axis=2) - np.quantile(z, (0.05, 0.95), axis=2)
    first, *others = off.std(axis=(0, 1)) / z.std(axis=(0, 2))
    assert first < 0.85 * min(others)


def test_particles_that_are_all_alike():
    z = np.zeros((1, 2, 16))
    index = np.repeat(np.arange(2), 8)[None]
    assert sorted(thinning.thinned(z, index, np.full((1, 3), 0.9))[0]) == [0, 1]


def test_draws_are_better_than_by_systematic_resampling_alone(rng):
    """Errors of means and of 5 % and 95 % quantiles of 50 curves are half as large, or less.

    A ratio of two standard deviations of 50 curves each is known to within 14 %; seeded.
    """
    rows, count = 200, 250
    z = rng.normal(size=(1, 5, 2048)).repeat(rows, axis=0)
    share = weights.normalised(0.5 * z[:, 0] - 0.3 * z[:, 1] ** 2)
    keys = np.arange(rows, dtype=np.uint64)
    order = weights.along_curve(z, share)
    marks = weights.systematic(
        np.take_along_axis(share, order, axis=1),
        sobol.uniform(keys, chains.RESAMPLING_STREAM),
        count,
    )
    plain = np.take_along_axis(z, np.take_along_axis(order, marks, axis=1)[:, None], axis=2)
    halved, _ = chains.resample(z, share, keys, count)

    def spread(kept):
        replicates = kept.reshape(-1, chains.REPLICATES, *kept.shape[1:]).swapaxes(1, 2)
        one = replicates.reshape(*replicates.shape[:2], -1)
        return np.stack([one.mean(axis=2), *np.quantile(one, (0.05, 0.95), axis=2)]).std(axis=1)

    assert (spread(halved) < spread(plain)).all()
    assert np.median(spread(halved) / spread(plain)) < 0.5
    exact = (z * share[:, None]).sum(axis=2)[0]
    error = np.abs(halved.mean(axis=2).mean(axis=0) - exact)
    assert (error < 5 * halved.mean(axis=2).std(axis=0) / np.sqrt(rows)).all()
