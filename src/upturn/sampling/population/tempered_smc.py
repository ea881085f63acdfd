"""Tempered sequential Monte Carlo with differential moves: slow, for narrow, curved posteriors.

Particles go from the prior to the posterior through temperatures; at each they are resampled and
moved by differential evolution (ter Braak 2006): a step along the difference of two particles of
the other half of the population, which follows a curved ridge. Moving one half by differences of
the other keeps the target invariant.

Del Moral, Doucet & Jasra (2006) for the sampler and its evidence.
"""

from dataclasses import dataclass, fields

import numpy as np
from scipy.special import ndtri

from upturn.arrays.types import Floats, Index
from upturn.sampling.density.target import Target
from upturn.sampling.particles import pareto, sobol, weights
from upturn.sampling.proposals.mixtures import log_standard_normal

PARTICLES = 2048
KEEP = 0.7  # effective share that each temperature keeps
SWEEPS = 6  # at each temperature
LAST_SWEEPS = 24
MAX_TEMPERATURES = 200
STREAM = 9_000


@dataclass(frozen=True)
class Particles:
    """Particles at temperature 1: z (row, dimension, particle), the rest (row,) or as named."""

    z: Floats
    log_likelihood: Floats
    log_evidence: Floats
    khat: Floats
    distinct: Floats
    evaluations: Floats

    def take(self, rows: Index) -> "Particles":
        """Some of the rows."""
        return Particles(*(getattr(self, f.name)[rows] for f in fields(self)))


def temper(target: Target, rows: Index, keys: sobol.Keys) -> Particles:
    """Run every row independently, with a generator for each.

    `khat` is the worst over the reweighting steps, `distinct` the number of different particles
    at the end.
    """
    parts = [_temper_row(target, rows[i : i + 1], keys[i : i + 1]) for i in range(len(rows))]
    return Particles(
        *(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Particles))
    )


def _temper_row(target: Target, row: Index, key: sobol.Keys) -> Particles:
    generator = np.random.Generator(np.random.Philox(key=int(key[0])))
    z = ndtri(sobol.uniforms(key, STREAM, target.dimension, 0, PARTICLES))
    log_likelihood = target.log_likelihood(row, z)
    heat, log_evidence, khat, spent = np.zeros(1), np.zeros(1), -np.inf, PARTICLES
    for _ in range(MAX_TEMPERATURES):
        flat = np.zeros_like(log_likelihood)
        new = weights.temperature(
            flat, (1 - heat)[:, None] * log_likelihood, np.zeros(1), KEEP * PARTICLES
        )
        step = (1 - heat) * new
        heat = heat + step
        log_weights = step[:, None] * log_likelihood
        log_evidence += weights.log_mean_exp(log_weights)
        khat = max(khat, float(pareto.smoothed(log_weights[0])[1]))
        comb = generator.random(1)
        index = weights.systematic(weights.normalised(log_weights), comb, PARTICLES)
        z, log_likelihood = z[:, :, index[0]], log_likelihood[:, index[0]]
        last = heat[0] >= 1
        for sweep in range(LAST_SWEEPS if last else SWEEPS):
            z, log_likelihood = _move(target, row, z, log_likelihood, heat, generator, sweep)
            spent += PARTICLES
        if last:
            break
    distinct = len(np.unique(log_likelihood[0]))
    return Particles(
        z, log_likelihood, log_evidence, np.array([khat]), np.array([float(distinct)]),
        np.array([float(spent)]),
    )  # fmt: skip


def _move(
    target: Target,
    row: Index,
    z: Floats,
    log_likelihood: Floats,
    heat: Floats,
    generator: np.random.Generator,
    sweep: int,
) -> tuple[Floats, Floats]:
    """One sweep: each half of the particles moves by differences of the other."""
    dimension, half = z.shape[1], z.shape[2] // 2
    halves = generator.permutation(z.shape[2]).reshape(2, half)
    # mostly the best step for a normal target, in turn with smaller ones, and with whole
    # differences, which jump between modes (ter Braak 2006, section 2)
    length = (1.0, 0.5, 0.25)[sweep % 3] * 2.38 / np.sqrt(2 * dimension) if sweep % 4 != 3 else 1.0
    z, log_likelihood = z.copy(), log_likelihood.copy()
    for moved, other in (halves, halves[::-1]):
        a, b = generator.integers(half, size=half), generator.integers(half - 1, size=half)
        b = np.where(b >= a, b + 1, b)
        jump = length * (z[:, :, other[a]] - z[:, :, other[b]])
        proposal = z[:, :, moved] + jump + 1e-4 * generator.standard_normal(jump.shape)
        new = target.log_likelihood(row, proposal)
        gain = log_standard_normal(proposal) - log_standard_normal(z[:, :, moved])
        gain = gain + heat[:, None] * (new - log_likelihood[:, moved])
        accept = np.log(generator.random(gain.shape)) < gain
        z[:, :, moved] = np.where(accept[:, None], proposal, z[:, :, moved])
        log_likelihood[:, moved] = np.where(accept, new, log_likelihood[:, moved])
    return z, log_likelihood
