"""What kernels compute, by formulas: over NumPy's arrays here, over JAX's where a test has JAX."""

from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

from tests.support.mixtures import random_mixture, with_a_gap
from tests.support.targets import target_of_two
from upturn.arrays.namespaces import NUMPY
from upturn.formulas.priors import Prior
from upturn.formulas.quantiles import Quantiles
from upturn.sampling.jax import likelihood as traced
from upturn.sampling.particles import sobol, weights
from upturn.sampling.proposals import mixtures
from upturn.sampling.proposals.formulas import Formulas, Kernels

PLAIN = SimpleNamespace(**vars(NUMPY))  # NumPy, not recognised as what kernels are for
ROWS, PARTICLES = 3, 200


CASES = [
    ("hinge", "beta-binomial", "none"),
    ("hinge", "beta-binomial", "family"),
    ("takeoff", "binomial", "none"),
    ("chance", "beta", "none"),
    ("hinge", "normal", "none"),
    ("hinge", "normal", "family"),
    ("logistic", "normal", "family"),
    ("u-shaped", "student-t", "none"),
]


@pytest.mark.parametrize(("model", "likelihood", "scatter"), CASES)
@pytest.mark.parametrize("shifted", [True, False])
def test_the_traced_likelihood_is_the_kernels(model, likelihood, scatter, shifted):
    target = target_of_two(model, likelihood, scatter).with_nodes(13, shifted=shifted)
    rows = np.array([0, 1, 1])
    z = np.random.default_rng(0).normal(size=(3, target.dimension, PARTICLES))
    expected = target.log_likelihood(rows, z)
    again = target.with_arrays(target.arrays())
    found = traced.log_likelihood(again, rows, z, NUMPY)
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-8)


def test_groups_may_have_nodes_of_their_own():
    target = target_of_two("hinge", "beta-binomial", "family")
    rows = np.array([0, 0, 1, 1])
    z = np.random.default_rng(0).normal(size=(4, target.dimension, PARTICLES))
    fitted = target.resolving(rows, 0.2 * z, 1.5)
    assert np.ptp(fitted.rule.nodes) > 0
    expected = fitted.log_likelihood(rows, z)
    found = traced.log_likelihood(fitted, rows, z, NUMPY)
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("dimension", [1, 2, 5])
@pytest.mark.parametrize("mixture_of", [partial(random_mixture, components=4), with_a_gap])
def test_densities_and_draws_are_the_kernels(dimension, mixture_of):
    mixture = mixture_of(ROWS, dimension)
    uniform = sobol.uniforms(sobol.keys(0, ["a"], ROWS), 0, dimension + 2, 0, PARTICLES)
    z = mixture.draw(uniform)
    np.testing.assert_allclose(mixture.draw(uniform, PLAIN), z, rtol=1e-12, atol=1e-12)
    expected = mixture.log_density(z)
    np.testing.assert_allclose(mixture.log_density(z, xp=PLAIN), expected, rtol=1e-12)


@pytest.mark.parametrize("dimension", [1, 4])
def test_expectations_are_the_kernels(dimension):
    mixture = random_mixture(ROWS, dimension, 4)
    rng = np.random.default_rng(0)
    y = rng.normal(size=(ROWS, dimension, PARTICLES))
    weights = rng.dirichlet(np.ones(PARTICLES), size=ROWS)
    how = Kernels.standardise(mixture.weights, mixture.means, mixture.roots)
    room = np.empty((2, ROWS, 4, PARTICLES))
    expected = Kernels.expect(y, weights, *how, *room)
    np.testing.assert_allclose(Formulas(PLAIN).expect(y, weights, *how), expected, rtol=1e-12)
    np.testing.assert_allclose(expected[0].sum(axis=1), weights)


def test_fits_are_the_kernels():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(ROWS, 3, PARTICLES)) + 3 * (np.arange(PARTICLES) % 2)
    weights = rng.dirichlet(np.ones(PARTICLES), size=ROWS)
    ours, theirs = (mixtures.fit(z, weights, 4, 6, xp=xp) for xp in (NUMPY, PLAIN))
    for name in ("centre", "scale", "weights", "means", "roots"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-7, atol=1e-9)


def test_bits_are_reversed_the_long_way_too():
    keys = sobol.keys(0, ["a", "b"], 1)
    net, seeds = sobol.net(3, 5, 40), sobol.seeds(keys, 2, 3)
    assert (sobol.scrambled(net, seeds, PLAIN) == sobol.uniforms(keys, 2, 3, 5, 40)).all()


def test_a_maximisation_is_the_kernels():
    """Also where no particle is left to a component."""
    rng = np.random.default_rng(3)
    share = rng.dirichlet(np.ones(4), size=(ROWS, PARTICLES)).swapaxes(1, 2) / PARTICLES
    share[0, 2] = 0.0
    features = mixtures._features(rng.normal(size=(ROWS, 3, PARTICLES)), NUMPY)
    moments = mixtures._moments_of(share, features, NUMPY)
    given = share.sum(axis=2), moments, np.array([20.0, 200.0, 3.0])
    ours, theirs = Kernels.maximise(*given), Formulas(PLAIN).maximise(*given)
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-10)
    ours, theirs = Kernels.standardise(*ours), Formulas(PLAIN).standardise(*theirs)
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-8, atol=1e-8)


def test_weights_are_the_kernels():
    """Temperatures, mixtures of densities, resampling and the space-filling order."""
    rng = np.random.default_rng(4)
    offset, log_likelihood = rng.normal(size=(2, ROWS, 3000)) * [[[1.0]], [[40.0]]]
    log_likelihood[:, :5] = -np.inf
    before = np.array([0.0, 1e-3, 0.9])
    for size in (20.0, 300.0, 2900.0):
        found, expected = (
            weights.temperature(offset, log_likelihood, before, size, xp) for xp in (NUMPY, PLAIN)
        )
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    logs = [offset, offset - 800, log_likelihood.clip(-1e4)]
    shares = (0.2, 0.5, 0.3)
    expected = weights.log_mixture(logs, shares, PLAIN)
    np.testing.assert_allclose(weights.log_mixture(logs, shares), expected, rtol=1e-13)
    share = weights.normalised(offset * 3)
    comb = np.array([2.0**-54, 0.5, 1 - 2.0**-53])
    for count in (10, 3001):
        expected = weights.systematic(share, comb, count, PLAIN)
        np.testing.assert_array_equal(weights.systematic(share, comb, count), expected)
    for dimension in (1, 3, 7):
        z = rng.normal(size=(ROWS, dimension, 3000)) * 1e-3 + 2
        expected = weights.along_curve(z, share, PLAIN)
        np.testing.assert_array_equal(weights.along_curve(z, share), expected)


def test_tables_of_quantiles_are_read_the_long_way_too():
    """Within the table, at its nodes, and beyond its ends."""
    prior = Prior.parse("Beta(0.5, 2)", "noise")
    quantiles, rows = Quantiles(prior, np.full(2, np.nan)), np.array([0, 1, 0])
    z = np.random.default_rng(5).normal(size=(3, PARTICLES)) * 4
    z[:, :5] = [-40.0, -16.0, 0.0, 16.0, 40.0]
    np.testing.assert_allclose(quantiles(NUMPY, rows, z), quantiles(PLAIN, rows, z), rtol=1e-13)
