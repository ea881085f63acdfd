"""Mixtures: densities against SciPy's, draws against densities, fits against known truths."""

import itertools
import os

import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import logsumexp, ndtri

from tests.support.mixtures import random_mixture
from upturn.sampling.particles import sobol
from upturn.sampling.proposals import mixtures
from upturn.sampling.proposals.mixtures import DEFENSE, DEGREES, Mixture

SEED = int(os.environ.get("UPTURN_TEST_SEED", "0"))


def components_of(mixture, row):
    """(weight, location, scale matrix) of a row's Student-t's, in z."""
    scale = mixture.scale[row]
    for k, weight in enumerate(mixture.weights[row]):
        root = scale @ mixture.roots[row, k]
        yield weight, mixture.centre[row] + scale @ mixture.means[row, k], root @ root.T


def scipys_log_density(mixture, row, z):
    """The same density from scipy.stats, at z (dimension, particle)."""
    dimension = len(z)
    parts = [
        np.log((1 - DEFENSE) * weight)
        + stats.multivariate_t(loc, shape, df=DEGREES).logpdf(z.T).reshape(-1)
        for weight, loc, shape in components_of(mixture, row)
    ]
    prior = stats.multivariate_normal(np.zeros(dimension)).logpdf(z.T).reshape(-1)
    return logsumexp([*parts, np.log(DEFENSE) + prior], axis=0)


# --- densities ------------------------------------------------------------------------------------


@pytest.mark.parametrize("dimension", [1, 2, 3, 6])
def test_density_is_scipys(dimension):
    """And SciPy's parts are normalised, so ours integrates to one in every dimension."""
    mixture = random_mixture(3, dimension, 4)
    z = 3 * np.random.default_rng(0).normal(size=(3, dimension, 200))
    z[:, :, :5] *= 1e3
    got = mixture.log_density(z)
    for row in range(3):
        expected = scipys_log_density(mixture, row, z[row])
        np.testing.assert_allclose(got[row], expected, rtol=1e-10, atol=1e-10)


def test_density_integrates_to_one():
    mixture = random_mixture(1, 1, 5)
    # t's of four degrees of freedom: beyond 1,000 lies some 10^-12
    edges = [-1e3, -20, -5, -2, 0, 2, 5, 20, 1e3]
    total = sum(
        integrate.quad(lambda z: np.exp(mixture.log_density(np.full((1, 1, 1), z))[0, 0]), a, b)[0]
        for a, b in itertools.pairwise(edges)
    )
    assert total == pytest.approx(1, abs=1e-8)


def test_density_of_no_component_far_out_is_that_of_the_prior_at_least():
    """The defence: weights are bounded by 1 / DEFENSE wherever the mixture has not been."""
    mixture = random_mixture(2, 3, 2)
    z = 8 * np.random.default_rng(0).normal(size=(2, 3, 500))
    ratio = mixtures.log_standard_normal(z) - mixture.log_density(z)
    assert ratio.max() <= -np.log(DEFENSE) + 1e-12


def test_log_standard_normal():
    z = np.random.default_rng(0).normal(size=(2, 3, 5))
    np.testing.assert_allclose(mixtures.log_standard_normal(z), stats.norm.logpdf(z).sum(axis=1))


# --- draws ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("dimension", [1, 2, 4])
def test_draws_follow_the_density(dimension):
    """Projections on lines are mixtures of univariate t's and a normal, known in closed form.

    Kolmogorov-Smirnov on 20,000 independent draws and five lines: each 1 in 10^6 by chance.
    """
    mixture = random_mixture(1, dimension, 3)
    rng = np.random.default_rng(SEED)
    z = mixture.draw(rng.random((1, dimension + 2, 20_000)))[0]
    for line in rng.normal(size=(5, dimension)):

        def cdf(x, line=line):
            total = DEFENSE * stats.norm.cdf(x, scale=np.linalg.norm(line))
            for weight, loc, shape in components_of(mixture, 0):
                spread = np.sqrt(line @ shape @ line)
                total = total + (1 - DEFENSE) * weight * stats.t.cdf(x, DEGREES, line @ loc, spread)
            return total

        assert stats.kstest(line @ z, cdf).pvalue > 1e-6
        # negative control: the same draws, a tenth of an sd aside
        assert stats.kstest(line @ z + 0.1 * np.std(line @ z), cdf).pvalue < 1e-6


def test_draws_are_weighted_to_any_expectation():
    """Importance weights of N(0, I) have mean one: z-score over 30,000 draws, 6 in 10^7 by chance.

    Not seen by projections: how the coordinates of one draw depend on each other.
    """
    mixture = random_mixture(1, 3, 3)
    rng = np.random.default_rng(SEED)
    z = mixture.draw(rng.random((1, 5, 30_000)))
    weights = np.exp(mixtures.log_standard_normal(z) - mixture.log_density(z))[0]

    def score(value, expected):
        return (value.mean() - expected) / (value.std() / np.sqrt(len(value)))

    assert abs(score(weights, 1)) < 5
    assert abs(score(weights * z[0, 0] * z[0, 1], 0)) < 5
    assert abs(score(weights * z[0, 2] ** 2, 1)) < 5
    # negative control: the density of another mixture
    other = random_mixture(1, 3, 3, seed=4)
    wrong = np.exp(mixtures.log_standard_normal(z) - other.log_density(z))[0]
    assert abs(score(wrong, 1)) > 5


def test_draws_of_a_net_keep_its_evenness():
    """The share of each component is right to two points in 4,096, not to a chance's 60."""
    mixture = Mixture(
        centre=np.zeros((1, 1)),
        scale=np.ones((1, 1, 1)),
        weights=np.array([[0.2, 0.5, 0.3]]),
        means=np.array([[[-1e6], [0.0], [1e6]]]),
        roots=np.ones((1, 3, 1, 1)),
    )
    u = sobol.uniforms(sobol.keys(SEED, ["task"], 1), 0, 3, 0, 4096)
    z = mixture.draw(u)[0, 0]
    low, high = (z < -5e5).mean(), (z > 5e5).mean()
    assert low == pytest.approx(0.95 * 0.2, abs=2.5 / 4096)
    assert high == pytest.approx(0.95 * 0.3, abs=2.5 / 4096)


# --- fits -----------------------------------------------------------------------------------------


def even(rows, particles):
    return np.full((rows, particles), 1 / particles)


@pytest.fixture(scope="module")
def two_modes():
    """Draws (1, 2, 4000) of .3 t(-3, 0; narrow) + .7 t(2, 1; correlated), 4 degrees of freedom."""
    rng = np.random.default_rng(SEED)
    locs = np.array([[-3.0, 0.0], [2.0, 1.0]])
    shapes = np.array([[[0.25, 0.0], [0.0, 0.04]], [[0.5, 0.4], [0.4, 0.6]]])
    which = (rng.random(4000) > 0.3).astype(int)
    tail = np.sqrt(DEGREES / rng.chisquare(DEGREES, 4000))
    roots = np.linalg.cholesky(shapes)
    steps = np.einsum("nij,nj->ni", roots[which], rng.normal(size=(4000, 2)))
    z = locs[which] + steps * tail[:, None]
    return z.T[None], locs, shapes


def test_a_fit_recovers_two_modes(two_modes):
    """Within five standard errors of what 4,000 draws tell: 0.02 of locations and weights."""
    z, locs, shapes = two_modes
    found = sorted(
        components_of(mixtures.fit(z, even(1, 4000), 2, 30), 0), key=lambda part: part[1][0]
    )
    for (weight, loc, shape), true, truth, share in zip(
        found, locs, shapes, (0.3, 0.7), strict=True
    ):
        assert weight == pytest.approx(share, abs=0.04)
        np.testing.assert_allclose(loc, true, atol=0.1)
        np.testing.assert_allclose(shape, truth, rtol=0.25, atol=0.02)


def test_a_fit_is_nearly_as_likely_as_the_truth(two_modes):
    """Expected log density, on draws the fit has not seen: 0.02 nats short at most."""
    z, locs, shapes = two_modes
    fitted = mixtures.fit(z[:, :, :2000], even(1, 2000), 2, 30)
    fresh = z[0, :, 2000:]
    truth = logsumexp(
        [
            np.log(share) + stats.multivariate_t(loc, shape, df=DEGREES).logpdf(fresh.T)
            for share, loc, shape in zip((0.3, 0.7), locs, shapes, strict=True)
        ],
        axis=0,
    )
    ours = [
        np.log(weight) + stats.multivariate_t(loc, shape, df=DEGREES).logpdf(fresh.T)
        for weight, loc, shape in components_of(fitted, 0)
    ]
    assert (truth - logsumexp(ours, axis=0)).mean() < 0.02


def test_more_iterations_are_more_likely(two_modes):
    """Expectation maximisation climbs, but for what the shrinkage of small components takes."""
    z, _, _ = two_modes
    scores = [
        mixtures.fit(z, even(1, 4000), 4, iterations).log_density(z).mean()
        for iterations in (0, 1, 3, 10, 30)
    ]
    assert (np.diff(scores) > -1e-3).all()
    assert scores[-1] > scores[0] + 0.05


def test_weights_count_as_copies(two_modes):
    """A particle of weight 3/n is three particles, but for the trust that repetition would earn."""
    z, _, _ = two_modes
    times = np.random.default_rng(1).integers(1, 4, 1000)
    some = z[:, :, :1000]
    weighted = mixtures.fit(some, (times / times.sum())[None], 3, 8)
    repeated = mixtures.fit(np.repeat(some, times, axis=2), even(1, times.sum()), 3, 8)
    np.testing.assert_allclose(weighted.centre, repeated.centre, rtol=1e-10)
    np.testing.assert_allclose(weighted.scale, repeated.scale, rtol=1e-10)
    np.testing.assert_allclose(weighted.weights, repeated.weights, atol=0.02)
    np.testing.assert_allclose(weighted.means, repeated.means, atol=0.05)


def test_a_fit_moves_with_its_cloud(two_modes):
    """Shifted, stretched and sheared (first coordinate first): the same fit, moved."""
    z, _, _ = two_modes
    shear, shift = np.array([[3.0, 0.0], [-2.0, 0.5]]), np.array([10.0, -4.0])
    one = mixtures.fit(z, even(1, 4000), 3, 10)
    other = mixtures.fit(shear @ z + shift[:, None], even(1, 4000), 3, 10)
    for (weight, loc, shape), (w, m, s) in zip(
        components_of(one, 0), components_of(other, 0), strict=True
    ):
        assert w == pytest.approx(weight, rel=1e-3)
        np.testing.assert_allclose(m, shear @ loc + shift, rtol=1e-3, atol=1e-3)
        np.testing.assert_allclose(s, shear @ shape @ shear.T, rtol=1e-2, atol=1e-3)


def test_widen_scales_the_components(two_modes):
    z, _, _ = two_modes
    plain = mixtures.fit(z, even(1, 4000), 3, 5)
    wide = mixtures.fit(z, even(1, 4000), 3, 5, widen=1.5)
    np.testing.assert_allclose(wide.roots, 1.5 * plain.roots)
    np.testing.assert_array_equal(wide.means, plain.means)


@pytest.mark.parametrize(("dimension", "particles"), [(1, 512), (3, 500), (5, 513), (4, 4096)])
def test_a_row_alone_has_the_same_bits_as_in_a_batch(dimension, particles):
    """Fit, density and draws; also in another batch, at another place."""
    rng = np.random.default_rng(5)
    z = rng.normal(size=(5, dimension, particles)) * np.exp(rng.normal(size=(5, dimension, 1)))
    weights = rng.dirichlet(np.ones(particles), size=5)
    uniform = rng.random((5, dimension + 2, particles))
    whole = mixtures.fit(z, weights, 8, 4)
    density, drawn = whole.log_density(z), whole.draw(uniform)
    for rows in (np.array([3]), np.array([4, 0, 3])):
        part = mixtures.fit(z[rows], weights[rows], 8, 4)
        for name in ("centre", "scale", "weights", "means", "roots"):
            np.testing.assert_array_equal(getattr(part, name), getattr(whole, name)[rows])
        np.testing.assert_array_equal(part.log_density(z[rows]), density[rows])
        np.testing.assert_array_equal(part.draw(uniform[rows]), drawn[rows])
        np.testing.assert_array_equal(whole.take(rows).log_density(z[rows]), density[rows])


# --- clouds that have collapsed -------------------------------------------------------------------


def collapsed():
    """Clouds that a hard posterior leaves behind, by name: (z, weights)."""
    rng = np.random.default_rng(9)
    z = rng.normal(size=(1, 3, 512))
    flat = even(1, 512)
    one = np.zeros((1, 512))
    one[0, 7] = 1
    two = np.zeros((1, 512))
    two[0, [7, 9]] = 0.5
    nearly = np.full((1, 512), 1e-12)
    nearly[0, 7] = 1 - nearly.sum()
    thin = z.copy()
    thin[:, 1] = 2 * thin[:, 0]
    thin[:, 2] = -thin[:, 0]
    still = z.copy()
    still[:, 1] = 4.0
    return {
        "one point": (np.full((1, 3, 512), 5.0), flat),
        "all weight on one": (z, one),
        "all weight on two": (z, two),
        "nearly all weight on one": (z, nearly),
        "a few points repeated": (np.repeat(z[:, :, :4], 128, axis=2), flat),
        "on a line": (thin, flat),
        "one coordinate constant": (still, flat),
        "tiny": (1e-9 * z + 3, flat),
        "far out": (1e-3 * z + 30, flat),
        "huge": (1e6 * z, flat),
        "one outlier": (np.concatenate((z[:, :, 1:], np.full((1, 3, 1), 1e5)), axis=2), flat),
    }


@pytest.mark.parametrize("components", [1, 8, 24])
@pytest.mark.parametrize("name", collapsed())
def test_collapsed_clouds_still_give_a_mixture(name, components):
    z, weights = collapsed()[name]
    mixture = mixtures.fit(z, weights, components, 10, widen=1.25)
    assert mixture.weights.sum() == pytest.approx(1)
    assert (mixture.weights > 0).all()
    normal = np.random.default_rng(0).normal(size=(1, 3, 300))
    for at in (z, normal):
        density = mixture.log_density(at)
        assert np.isfinite(density).all()
    uniform = np.random.default_rng(0).random((1, 5, 2000))
    drawn = mixture.draw(uniform)
    assert np.isfinite(drawn).all()
    # the mixture covers the cloud it was fitted to better than the prior alone does
    assert (weights * mixture.log_density(z)).sum() > (
        weights * (mixtures.log_standard_normal(z) + np.log(DEFENSE))
    ).sum()


def test_a_draw_from_the_corners_of_the_cube_is_finite():
    """The smallest and largest numbers that a net holds."""
    ends = np.array([2.0**-33, 1 - 2.0**-33])
    uniform = np.array(np.meshgrid(*[ends] * 4)).reshape(4, -1)[None]
    mixture = random_mixture(1, 2, 3)
    z = mixture.draw(uniform)
    assert np.isfinite(z).all()
    assert np.isfinite(mixture.log_density(z)).all()
    assert np.abs(z).max() < 1e4
    assert np.abs(ndtri(ends)).max() < 6.4
