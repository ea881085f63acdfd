"""Request: what is asked of the population sampler, and the rows that its replicates are."""

from dataclasses import dataclass, replace

import numpy as np

from upturn.arrays.types import Index
from upturn.sampling.density.target import Target
from upturn.sampling.particles import sobol
from upturn.sampling.particles.chains import REPLICATES

ADAPTATIONS = 2  # adaptations of a curve
# What points are keyed by: streams of stages count up from 0 within a level of budget.
LEVEL_STREAM = 10_000


@dataclass(frozen=True)
class Request:
    """What is asked for: curves of a target, their keys, draws a replicate, effective size."""

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
