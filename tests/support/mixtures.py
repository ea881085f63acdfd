"""Proposals made up: mixtures of Student-t's, with and without an observation interval."""

import numpy as np

from upturn.sampling.proposals.intervals import Interval
from upturn.sampling.proposals.mixtures import Mixture, Near


def random_mixture(rows, dimension, components, seed=3):
    """Any mixture: separated components of different shapes, off the origin."""
    rng = np.random.default_rng(seed)

    def factors(*shape):
        raw = 0.3 * rng.normal(size=(*shape, dimension, dimension))
        diagonal = np.exp(0.3 * rng.normal(size=(*shape, dimension)))
        return np.tril(raw, -1) + diagonal[..., None] * np.eye(dimension)

    return Mixture(
        centre=rng.normal(size=(rows, dimension)),
        scale=0.7 * factors(rows),
        weights=rng.dirichlet(np.full(components, 2.0), size=rows),
        means=1.5 * rng.normal(size=(rows, components, dimension)),
        roots=0.6 * factors(rows, components),
    )


def with_a_gap(rows, dimension, low=-0.4, high=0.3, share=0.4):
    """A mixture of which three Student-t's are of log odds."""
    interval = Interval(np.full(rows, low), np.full(rows, high))
    near = Near(interval, np.full(rows, share), random_mixture(rows, dimension, 3, seed=8))
    mixture = random_mixture(rows, dimension, 4)
    return type(mixture)(
        mixture.centre, mixture.scale, mixture.weights, mixture.means, mixture.roots, near
    )
