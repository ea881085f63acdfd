"""Request: what the population sampler is to do; each replicate of a curve is a row."""

from dataclasses import dataclass, replace

import numpy as np

from upturn.arrays.types import Index
from upturn.sampling.density.target import Target
from upturn.sampling.particles import sobol
from upturn.sampling.particles.chains import REPLICATES

ADAPTATIONS = 2  # of each curve
# Random streams are numbered from 0 within each level of budget.
LEVEL_STREAM = 10_000


@dataclass(frozen=True)
class Request:
    """Curves of a target, their keys, the draws of a replicate, and the effective size."""

    target: Target
    curves: Index
    keys: sobol.Keys
    draws: int
    size: float

    @property
    def rows(self) -> Index:
        """The curve of each row."""
        return np.repeat(self.curves, REPLICATES)

    @property
    def adaptations(self) -> tuple[Index, sobol.Keys]:
        """The rows that adapt, and their keys."""
        step = REPLICATES // ADAPTATIONS
        return self.rows[::step], self.keys[::step]

    def take(self, some: Index) -> "Request":
        return replace(self, curves=self.curves[some], keys=self.keys[rows_of(some)])


def rows_of(curves: Index) -> Index:
    """The rows of some curves' replicates."""
    return (curves[:, None] * REPLICATES + np.arange(REPLICATES)).reshape(-1)
