"""Tempered sequential Monte Carlo with differential moves: slower, for posteriors thin and curved.

Particles go from the prior to the posterior through temperatures; at each they are resampled and
moved by differential evolution (ter Braak 2006): a step along the difference of two particles of
the other half of the population, which follows a ridge whatever way it bends. Moving one half by
differences of the other keeps the target invariant.

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
KEEP = 0.7  # effective share that each temperature leaves
SWEEPS = 6  # at each temperature
LAST_SWEEPS = 24
MAX_TEMPERATURES = 200
STREAM = 9_000


@dataclass(frozen=True)
class Cloud:
    """Particles at temperature 1: z (row, dimension, particle), the rest (row,) or as named."""

    z: Floats
    log_likelihood: Floats
    log_evidence: Floats
    khat: Floats
    distinct: Floats
    evaluations: Floats

    def take(self, rows: Index) -> "Cloud":
        """Some of the rows."""
        return Cloud(*(getattr(self, f.name)[rows] for f in fields(self)))


def temper(target: Target, rows: Index, keys: sobol.Keys) -> Cloud:
    """Run each row; rows are independent, each with a generator of its own.

    `khat` is the worst over the reweighting steps, `distinct` the number of different particles
    at the end.
    """
    parts = [_one(target, rows[i : i + 1], keys[i : i + 1]) for i in range(len(rows))]
    return Cloud(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Cloud)))


def _one(target: Target, row: Index, key: sobol.Keys) -> Cloud:
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
    return Cloud(
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
    # mostly the step that is right for a normal target, by turns smaller ones, and whole
    # differences, which jump between modes (ter Braak 2006, section 2)
    length = (1.0, 0.5, 0.25)[sweep % 3] * 2.38 / np.sqrt(2 * dimension) if sweep % 4 != 3 else 1.0
    z, log_likelihood = z.copy(), log_likelihood.copy()
    for mine, other in (halves, halves[::-1]):
        a, b = generator.integers(half, size=half), generator.integers(half - 1, size=half)
        b = np.where(b >= a, b + 1, b)
        jump = length * (z[:, :, other[a]] - z[:, :, other[b]])
        proposal = z[:, :, mine] + jump + 1e-4 * generator.standard_normal(jump.shape)
        new = target.log_likelihood(row, proposal)
        gain = log_standard_normal(proposal) - log_standard_normal(z[:, :, mine])
        gain = gain + heat[:, None] * (new - log_likelihood[:, mine])
        accept = np.log(generator.random(gain.shape)) < gain
        z[:, :, mine] = np.where(accept[:, None], proposal, z[:, :, mine])
        log_likelihood[:, mine] = np.where(accept, new, log_likelihood[:, mine])
    return z, log_likelihood
