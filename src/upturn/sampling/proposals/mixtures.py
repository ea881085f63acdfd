"""Student-t mixtures, the proposals of the population sampler.

The loops over particles are compiled (`kernels`), except for the moments of expectation
maximisation: those are matrix products of responsibilities and features (1, y_i, y_i y_j).
"""

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from upturn.arrays.namespaces import NUMPY
from upturn.arrays.types import Floats
from upturn.formulas.priors import Prior
from upturn.formulas.quantiles import Quantiles
from upturn.sampling.particles.engine import over
from upturn.sampling.proposals.formulas import Formulas, Kernels
from upturn.sampling.proposals.intervals import Interval
from upturn.sampling.proposals.kernels import DEGREES, LEAST

DEFENSE = 0.05  # share of the prior in every proposal, which bounds the weights (Hesterberg 1995)
SHARINGS = 20  # iterations that find the share of an interval's mixture
MOST_NEAR = 0.9  # the largest such share
# OpenBLAS divides larger products among threads, which is 20 times slower with our own threads
# running; this is half the size from which it does.
PRODUCT = 131_072


@dataclass(frozen=True)
class Mixture:
    """For each row, DEFENSE × N(0, 1) + (1 - DEFENSE) × sum of weighted Student-t's.

    Attributes
    ----------
    centre : array (row, dimension)
    scale : array (row, dimension, dimension)
        Lower triangular: z = centre + scale y.
    weights : array (row, component)
    means : array (row, component, dimension)
        In y.
    roots : array (row, component, dimension, dimension)
        Lower Cholesky factors of the components' scale matrices, in y.
    near : Near, optional
        The mixture of an observation interval, which has its share of the Student-t's.
    """

    centre: Floats
    scale: Floats
    weights: Floats
    means: Floats
    roots: Floats
    near: "Near | None" = None

    def take(self, rows: NDArray[np.intp]) -> "Mixture":
        """Some of the rows."""
        out: Mixture = over(self, lambda array: array[rows])
        return out

    def log_density(self, z: Floats, prior: Floats | None = None, xp: Any = NUMPY) -> Floats:
        """Log density at z (row, dimension, particle): (row, particle).

        `prior` is the log density of N(0, 1) there, where that is known.
        """
        density = DEFENSE * xp.exp(log_standard_normal(z) if prior is None else prior)
        loops, near = _loops(xp), self.near
        if near is None:
            density = loops.add_densities(z, *self._standard(1 - DEFENSE, xp), density)
        else:
            share = (1 - DEFENSE) * near.share[:, None]
            density = loops.add_densities(z, *self._standard(1 - DEFENSE - share, xp), density)
            how = near.students._standard(share, xp)
            density = loops.add_odds_densities(z, near.interval, *how, density)
        out: Floats = xp.log(density)
        return out

    def _standard(self, factor: Any, xp: Any) -> tuple[Floats, Floats, Floats]:
        """The maps that standardise each component, and its height times a factor."""
        lower, shift, height = _loops(xp).standardise(self.weights, *self._placed())
        return lower, shift, height * (factor * math.exp(_student_constant(self.means.shape[2])))

    def _placed(self) -> tuple[Floats, Floats]:
        """Means and roots of the components in z."""
        roots = self.scale[:, None] @ self.roots
        return self.centre[:, None] + (self.scale[:, None] @ self.means[..., None])[..., 0], roots

    def draw(self, uniform: Floats, xp: Any = NUMPY) -> Floats:
        """Points of the mixture from points of the unit cube.

        Parameters
        ----------
        uniform : array (row, dimension + 2, particle)
            The last two coordinates give the tail and the component.

        Returns
        -------
        array (row, dimension, particle)
        """
        dimension = self.centre.shape[1]
        normal = xp.ndtri(uniform[:, : dimension + 1])
        tail = xp.sqrt(1 / _gamma()(xp, np.zeros(len(normal), np.intp), normal[:, dimension]))
        weights, (means, roots) = self.weights, self._placed()
        if self.near is not None:
            join, share = xp.module.concatenate, self.near.share[:, None]
            students = self.near.students
            weights = join([(1 - share) * weights, share * students.weights], axis=1)
            more, wider = students._placed()
            means, roots = join([means, more], axis=1), join([roots, wider], axis=1)
        edges = DEFENSE + (1 - DEFENSE) * xp.module.cumsum(weights, axis=1)[:, :-1]
        z, choice = normal[:, :dimension], uniform[:, dimension + 1]
        draws: Floats = _loops(xp).place(z, tail, choice, edges, means, roots, DEFENSE)
        if self.near is not None:
            last = edges[:, self.weights.shape[1] - 1, None]
            draws = self.near.interval.placed(draws, choice > last, xp)
        return draws


@dataclass(frozen=True)
class Near:
    """Student-t's of an interval, with the first coordinate as log odds: see `intervals`.

    Attributes
    ----------
    interval : Interval
    share : array (row,)
        Of all Student-t's.
    students : Mixture
    """

    interval: Interval
    share: Floats
    students: Mixture


def fit(
    z: Floats,
    weights: Floats,
    components: int,
    iterations: int,
    *,
    widen: float = 1.0,
    xp: Any = NUMPY,
) -> Mixture:
    """Fit a mixture to weighted particles, by expectation maximisation for Student-t's.

    Peel & McLachlan (2000), "Robust mixture modelling using the t distribution", equations 20-31,
    with fixed degrees of freedom. The covariance of a component with few effective particles is
    shrunk to that of all particles.

    Parameters
    ----------
    z : array (row, dimension, particle)
    weights : array (row, particle)
        Normalised.
    components, iterations : int
    widen : float
        Factor on the components' scale in the result.
    """
    centre, scale = _moments(z, weights, xp)
    y = _whiten(centre, scale, z, xp)
    features = _features(y, xp)
    share = _slices(y, weights, components, xp) * weights[:, None]
    size = 1 / (weights * weights).sum(axis=1)
    loops = _loops(xp)

    def maximised(share: Floats, pulled: Floats) -> tuple[Floats, Floats, Floats]:
        moments = _moments_of(pulled, features, xp)
        out: tuple[Floats, Floats, Floats] = loops.maximise(share.sum(axis=2), moments, size)
        return out

    def iterated(_: Any, now: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
        how = loops.standardise(*maximised(*now))
        out: tuple[Floats, Floats] = loops.expect(y, weights, *how, *now)
        return out

    shares, means, roots = maximised(*xp.repeat(iterations, iterated, (share, share.copy())))
    return Mixture(centre, scale, shares, means, widen * roots)


def with_interval(students: Mixture, near: Near, z: Floats, xp: Any = NUMPY) -> Mixture:
    """Join a mixture and that of an interval, with the shares of maximum likelihood.

    Only the shares are fitted, by expectation maximisation. Without a narrow ridge the mixture of
    the interval gets almost no share.

    Parameters
    ----------
    students : Mixture
    near : Near
        With the share to start from.
    z : array (row, dimension, particle)
        Of equal weight.
    """
    loops, none = _loops(xp), xp.module.full((z.shape[0], z.shape[2]), LEAST)
    plain = loops.add_densities(z, *students._standard(1.0, xp), none + 0.0)
    by_odds = loops.add_odds_densities(z, near.interval, *near.students._standard(1.0, xp), none)

    def likelier(_: Any, share: Floats) -> Floats:
        near_density = share[:, None] * by_odds
        out: Floats = (near_density / (near_density + (1 - share[:, None]) * plain)).mean(axis=1)
        return out

    share = xp.minimum(xp.repeat(SHARINGS, likelier, near.share), MOST_NEAR)
    return replace(students, near=replace(near, share=share))


def log_standard_normal(z: Floats) -> Floats:
    """Log density of N(0, 1) in each dimension: the prior in whitened coordinates."""
    return -0.5 * (z * z).sum(axis=1) - 0.5 * math.log(2 * math.pi) * z.shape[1]


def _loops(xp: Any) -> Any:
    """The loops over particles: compiled for NumPy's arrays, by formulas for others."""
    return Kernels if xp is NUMPY else Formulas(xp)


def _moments(z: Floats, weights: Floats, xp: Any) -> tuple[Floats, Floats]:
    """Weighted mean and the Cholesky factor of the weighted covariance."""
    mean = (z * weights[:, None]).sum(axis=2)
    off = z - mean[:, :, None]
    covariance = (off * weights[:, None]) @ off.swapaxes(1, 2)
    # positive definite also if the weight is on a few particles
    floor = 1e-12 + 1e-6 * xp.module.diagonal(covariance, axis1=1, axis2=2)
    return mean, xp.module.linalg.cholesky(covariance + floor[:, :, None] * np.eye(z.shape[1]))


def _whiten(centre: Floats, scale: Floats, z: Floats, xp: Any) -> Floats:
    """Y with z = centre + scale y."""
    out: Floats = xp.inverse_of_lower(scale) @ (z - centre[:, :, None])
    return out


def _features(y: Floats, xp: Any) -> Floats:
    """(1, y_i, y_i y_j for j <= i): (row, feature, particle)."""
    products = [y[:, : i + 1] * y[:, i, None] for i in range(y.shape[1])]
    out: Floats = xp.module.concatenate([1.0 + 0.0 * y[:, :1], y, *products], axis=1)
    return out


def _moments_of(share: Floats, features: Floats, xp: Any) -> Floats:
    """Sums over particles of share times feature: (row, component, feature)."""
    if xp is not NUMPY:
        return share @ features.swapaxes(1, 2)
    pieces = _pieces(share.shape[2], share.shape[1] * features.shape[1])
    total: Floats = sum(
        share[:, :, piece] @ features[:, :, piece].swapaxes(1, 2) for piece in pieces
    )  # type: ignore[assignment]
    return total


def _pieces(particles: int, work: int) -> list[slice]:
    """Pieces of the particles, so that a product of this work a particle stays below PRODUCT."""
    size = max(16, PRODUCT // work)
    return [slice(i, i + size) for i in range(0, particles, size)]


def _slices(y: Floats, weights: Floats, components: int, xp: Any) -> Floats:
    """Starting values of expectation maximisation: equal slices along the first coordinate.

    That is the first changepoint of a model that has one, along which posteriors are curved and
    multimodal.
    """
    take, first = xp.module.take_along_axis, y[:, 0]
    order = xp.module.argsort(first, axis=1)
    summed = xp.module.cumsum(take(weights, order, axis=1), axis=1)[:, None]
    wanted = np.arange(1, components)[:, None] / components
    edges = take(first, take(order, (summed < wanted).sum(axis=2), axis=1), axis=1)
    beyond = (first[:, None] > edges[:, :, None]).astype(np.float64)
    nothing = 0.0 * first[:, None]
    join = xp.module.concatenate
    out: Floats = join([1.0 + nothing, beyond], axis=1) - join([beyond, nothing], axis=1)
    return out


def _student_constant(dimension: int) -> float:
    return (
        math.lgamma((DEGREES + dimension) / 2)
        - math.lgamma(DEGREES / 2)
        - 0.5 * dimension * math.log(DEGREES * math.pi)
    )


@lru_cache(maxsize=1)
def _gamma() -> Quantiles:
    """Quantiles of Gamma(nu/2, nu/2): a normal divided by its square root is a Student-t."""
    prior = Prior.parse(f"Gamma({DEGREES / 2}, {DEGREES / 2})", "tail")
    return Quantiles(prior, np.array([math.nan]))
