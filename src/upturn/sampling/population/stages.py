"""Stages: particles with their likelihoods and the distributions that they were drawn from."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from upturn.arrays.namespaces import NUMPY
from upturn.arrays.types import Floats, Index
from upturn.sampling.particles import weights
from upturn.sampling.particles.engine import Host
from upturn.sampling.proposals.mixtures import Mixture, log_standard_normal

type Source = Mixture | None  # None is the prior


@dataclass
class Stages:
    """Particles of a set of rows, in parts that were drawn one after the other.

    Attributes
    ----------
    engine : Host
        The engine of the arrays.
    z : list of array (row, dimension, particle)
    log_likelihood, prior : list of array (row, particle)
        For each part; `prior` is the log density of N(0, 1).
    sources : list of Source
        The distributions that parts were drawn from, each once.
    origin : list of int
        The source of each part.
    density : list of list of array (row, particle)
        For each source, the log density of each part, computed once.
    """

    engine: Host
    z: list[Floats] = field(default_factory=list)
    log_likelihood: list[Floats] = field(default_factory=list)
    prior: list[Floats] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)
    origin: list[int] = field(default_factory=list)
    density: list[list[Floats]] = field(default_factory=list)

    def add(self, z: Floats, log_likelihood: Floats, source: Source) -> None:
        """Add a part that was drawn from the last source or from a new one."""
        prior = self.engine.run(_log_prior, z)
        if not self.sources or self.sources[-1] is not source:
            parts = zip(self.z, self.prior, strict=True)
            self.density.append([self._density(source, old, p) for old, p in parts])
            self.sources.append(source)
        for known, density in zip(self.sources, self.density, strict=True):
            density.append(self._density(known, z, prior))
        self.z.append(z)
        self.log_likelihood.append(log_likelihood)
        self.prior.append(prior)
        self.origin.append(len(self.sources) - 1)

    def window(self, parts: int) -> "Stages":
        """The last parts and their sources."""
        first = self.origin[-parts:][0]
        return Stages(
            self.engine,
            self.z[-parts:],
            self.log_likelihood[-parts:],
            self.prior[-parts:],
            self.sources[first:],
            [i - first for i in self.origin[-parts:]],
            [density[-parts:] for density in self.density[first:]],
        )

    def take(self, rows: Index) -> "Stages":
        """Some of the rows."""
        arrays = self.z, self.log_likelihood, self.prior, self.sources, self.density
        z, log_likelihood, prior, sources, density = self.engine.take(arrays, rows)
        return Stages(self.engine, z, log_likelihood, prior, sources, list(self.origin), density)

    def joined(self) -> tuple[Floats, Floats, Floats]:
        """All particles, their log likelihoods, and their log weights at temperature 0.

        The weight is the prior over the deterministic mixture of the sources, each counted by the
        particles drawn from it (Owen & Zhou 2000; Cornuet et al. 2012).
        """
        counts = np.zeros(len(self.sources))
        for origin, z in zip(self.origin, self.z, strict=True):
            counts[origin] += z.shape[2]
        shares = tuple((counts / counts.sum()).tolist())
        arrays = self.z, self.log_likelihood, self.prior, self.density
        out: tuple[Floats, Floats, Floats] = self.engine.run(_joined, *arrays, shares=shares)
        return out

    def _density(self, source: Source, z: Floats, prior: Floats) -> Floats:
        if source is None:
            return prior
        out: Floats = self.engine.run(Mixture.log_density, source, z, prior)
        return out


def _log_prior(z: Any, xp: Any = NUMPY) -> Any:
    return log_standard_normal(z)


def _joined(
    z: list[Any],
    log_likelihood: list[Any],
    prior: list[Any],
    density: list[list[Any]],
    *,
    shares: tuple[float, ...],
    xp: Any = NUMPY,
) -> tuple[Any, Any, Any]:
    join = xp.module.concatenate
    offset = join(prior, axis=1) - weights.log_mixture(
        [join(parts, axis=1) for parts in density], shares, xp
    )
    return join(z, axis=2), join(log_likelihood, axis=1), offset
