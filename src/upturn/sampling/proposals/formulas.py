"""The loops over particles of the mixtures, by compiled kernels and by formulas.

Both give the same numbers up to rounding. The formulas work on one component at a time, the kernels
on one row.
"""

import math
from typing import Any

import numpy as np

from upturn.arrays.types import Floats
from upturn.sampling.proposals import kernels
from upturn.sampling.proposals.intervals import Interval
from upturn.sampling.proposals.kernels import DEGREES, JITTER, LEAST, LEAST_MASS


def dimension_of(features: int) -> int:
    """The dimension d with this number of features 1, y_i and y_i y_j for j <= i."""
    return math.isqrt(8 * features + 1) // 2 - 1


class Kernels:
    """By numba, for NumPy's arrays; see `kernels` for the arguments."""

    @staticmethod
    def add_densities(
        z: Floats, lower: Floats, shift: Floats, coefficient: Floats, start: Floats
    ) -> Floats:
        """The density of a sum of Student-t's, added to `start`."""
        kernels.add_densities(np.ascontiguousarray(z), lower, shift, coefficient, start)
        return start

    @staticmethod
    def add_odds_densities(z: Floats, interval: Interval, *how: Floats) -> Floats:
        """As `add_densities`, of log odds in an interval."""
        kernels.add_odds_densities(np.ascontiguousarray(z), interval.low, interval.high, *how)
        return how[-1]

    @staticmethod
    def expect(y: Floats, weights: Floats, *how: Floats) -> tuple[Floats, Floats]:
        """The expectation step of a fit; the last two arguments are overwritten."""
        kernels.expect(np.ascontiguousarray(y), weights, *how)
        return how[-2], how[-1]

    @staticmethod
    def maximise(mass: Floats, moments: Floats, size: Floats) -> tuple[Floats, Floats, Floats]:
        """The maximisation step: shares, means and roots of the components."""
        shape = (*mass.shape, dimension_of(moments.shape[2]))
        out = np.empty(mass.shape), np.empty(shape), np.empty((*shape, shape[2]))
        kernels.maximise(mass, moments, size, *out)
        return out

    @staticmethod
    def standardise(weights: Floats, means: Floats, roots: Floats) -> tuple[Floats, Floats, Floats]:
        """The maps that standardise each component, and its height."""
        out = np.empty_like(roots), np.empty_like(means), np.empty_like(weights)
        kernels.standardise(weights, means, roots, *out)
        return out

    @staticmethod
    def place(
        normal: Floats, tail: Floats, choice: Floats, edges: Floats, means: Floats, roots: Floats,
        defense: float,
    ) -> Floats:  # fmt: skip
        """Draws of the mixture from standard normals."""
        z = np.array(normal, order="C")
        kernels.place(z, tail, np.ascontiguousarray(choice), edges, means, roots, defense)
        return z


class Formulas:
    """By functions of a namespace."""

    def __init__(self, xp: Any) -> None:
        self.xp = xp

    def add_densities(self, z: Any, lower: Any, shift: Any, coefficient: Any, start: Any) -> Any:
        """The density of a sum of Student-t's, added to `start`."""
        dimension = z.shape[1]

        def add(k: Any, total: Any) -> Any:
            distance = self._distance(z, lower[:, k], shift[:, k, :, None])
            return total + coefficient[:, k, None] * self._power(distance, dimension)

        return self.xp.repeat(lower.shape[1], add, start)

    def add_odds_densities(
        self, z: Any, interval: Interval, lower: Any, shift: Any, coefficient: Any, start: Any
    ) -> Any:
        """As `add_densities`, of log odds in an interval."""
        odds, slope = interval.odds(z, self.xp)
        none = self.xp.module.zeros_like(start)
        return start + slope * self.add_densities(odds, lower, shift, coefficient, none)

    def expect(
        self, y: Any, weights: Any, lower: Any, shift: Any, coefficient: Any, *_: Any
    ) -> tuple[Any, Any]:
        """The expectation step of a fit."""
        dimension = y.shape[1]
        distance = self._distance(y[:, None], lower, shift[..., None])
        density = coefficient[:, :, None] * self._power(distance, dimension)
        share = density * (weights / (LEAST + density.sum(axis=1)))[:, None]
        return share, share * ((DEGREES + dimension) / (DEGREES + distance))

    def maximise(self, mass: Any, moments: Any, size: Any) -> tuple[Any, Any, Any]:
        """The maximisation step: shares, means and roots of the components."""
        dimension = dimension_of(moments.shape[2])
        mass, total = mass + LEAST_MASS, moments[:, :, 0] + LEAST_MASS
        means = moments[:, :, 1 : dimension + 1] / total[:, :, None]
        second = _square(moments[:, :, dimension + 1 :], dimension) / total[:, :, None, None]
        spread = second - means[:, :, :, None] * means[:, :, None, :]
        spread *= (total / mass)[:, :, None, None]
        trust = mass * size[:, None]
        trust = (trust / (trust + dimension + 1))[:, :, None, None]
        scale = trust * spread + (1 - trust + JITTER) * np.eye(dimension)
        return mass / mass.sum(axis=1, keepdims=True), means, self.xp.module.linalg.cholesky(scale)

    def standardise(self, weights: Any, means: Any, roots: Any) -> tuple[Any, Any, Any]:
        """The maps that standardise each component, and its height."""
        lower = self.xp.inverse_of_lower(roots)
        shift = (lower @ means[..., None])[..., 0]
        volume = self.xp.module.diagonal(roots, axis1=2, axis2=3).prod(axis=2)
        return lower, shift, weights / volume

    def place(
        self, normal: Any, tail: Any, choice: Any, edges: Any, means: Any, roots: Any,
        defense: float,
    ) -> Any:  # fmt: skip
        """Draws of the mixture from standard normals."""
        xp = self.xp
        chosen = (choice[:, None, :] > edges[:, :, None]).sum(axis=1)

        def put(k: Any, z: Any) -> Any:
            spread = xp.module.stack(self._linear(normal, roots[:, k]), axis=1)
            chosen_here = (chosen == k) & (choice >= defense)
            return xp.where(chosen_here[:, None], means[:, k, :, None] + tail[:, None] * spread, z)

        return xp.repeat(means.shape[1], put, normal)

    def _linear(self, z: Any, lower: Any) -> list[Any]:
        """Coordinates of lower z, each (…, particle), for z (…, dimension, particle)."""
        return [
            sum(lower[..., i, j, None] * z[..., j, :] for j in range(i + 1))
            for i in range(z.shape[-2])
        ]

    def _distance(self, z: Any, lower: Any, shift: Any) -> Any:
        """Squared length of lower z - shift: (…, particle)."""
        linear = self._linear(z, lower)
        return sum((coordinate - shift[..., i, :]) ** 2 for i, coordinate in enumerate(linear))

    def _power(self, distance: Any, dimension: int) -> Any:
        """(1 + distance / DEGREES)^(-(DEGREES + dimension) / 2)."""
        base = 1.0 / (1.0 + distance * (1.0 / DEGREES))
        out = self.xp.sqrt(base) if dimension % 2 else 1.0
        for _ in range((int(DEGREES) + dimension) // 2):
            out = out * base
        return out


def _square(packed: Any, dimension: int) -> Any:
    """Symmetric matrices from their packed lower triangles."""
    i, j = np.indices((dimension, dimension))
    low, high = np.minimum(i, j), np.maximum(i, j)
    return packed[..., high * (high + 1) // 2 + low]
