"""The loops over particles of the mixtures, once by the compiled kernels and once by formulas.

Both give the same numbers but for rounding. The formulas hold one component's particles at a time,
where the kernels hold one row's.
"""

from typing import Any

import numpy as np

from upturn.sampling import mixture_kernels as kernels
from upturn.sampling.mixture_kernels import DEGREES, LEAST
from upturn.validate import Floats


class Kernels:
    """By numba, for NumPy's arrays; see `mixture_kernels` for the arguments."""

    @staticmethod
    def add_densities(
        z: Floats, lower: Floats, shift: Floats, coefficient: Floats, start: Floats
    ) -> Floats:
        """The density of a sum of Student-t's, added to `start`."""
        kernels.add_densities(np.ascontiguousarray(z), lower, shift, coefficient, start)
        return start

    @staticmethod
    def expect(y: Floats, weights: Floats, *how: Floats) -> tuple[Floats, Floats]:
        """The expectation step of a fit; the last two arguments are overwritten."""
        kernels.expect(np.ascontiguousarray(y), weights, *how)
        return how[-2], how[-1]

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

    def expect(
        self, y: Any, weights: Any, lower: Any, shift: Any, coefficient: Any, *_: Any
    ) -> tuple[Any, Any]:
        """The expectation step of a fit."""
        dimension = y.shape[1]
        distance = self._distance(y[:, None], lower, shift[..., None])
        density = coefficient[:, :, None] * self._power(distance, dimension)
        share = density * (weights / (LEAST + density.sum(axis=1)))[:, None]
        return share, share * ((DEGREES + dimension) / (DEGREES + distance))

    def place(
        self, normal: Any, tail: Any, choice: Any, edges: Any, means: Any, roots: Any,
        defense: float,
    ) -> Any:  # fmt: skip
        """Draws of the mixture from standard normals."""
        xp = self.xp
        chosen = (choice[:, None, :] > edges[:, :, None]).sum(axis=1)

        def put(k: Any, z: Any) -> Any:
            spread = xp.module.stack(self._linear(normal, roots[:, k]), axis=1)
            own = (chosen == k) & (choice >= defense)
            return xp.where(own[:, None], means[:, k, :, None] + tail[:, None] * spread, z)

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
        return sum((one - shift[..., i, :]) ** 2 for i, one in enumerate(linear))

    def _power(self, distance: Any, dimension: int) -> Any:
        """(1 + distance / DEGREES)^(-(DEGREES + dimension) / 2)."""
        base = 1.0 / (1.0 + distance * (1.0 / DEGREES))
        out = self.xp.sqrt(base) if dimension % 2 else 1.0
        for _ in range((int(DEGREES) + dimension) // 2):
            out = out * base
        return out
