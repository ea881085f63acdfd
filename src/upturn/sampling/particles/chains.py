"""Chains of draws from the weighted particles of replicates, with diagnostics."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from upturn.arrays.namespaces import NUMPY
from upturn.arrays.types import Booleans, Floats, Index, Integers
from upturn.sampling.particles import diagnostics, pareto, sobol, thinning, weights
from upturn.sampling.particles.engine import Host

REPLICATES = 4
LEAST = 0.25  # share of the requested effective size below which a curve has not converged
HOST = Host()
HALVINGS = 4  # 2^4 times as many particles are resampled as there will be draws
RESAMPLING_STREAM, COIN_STREAM, SHUFFLE_STREAM = 2_000, 2_500, 3_000


@dataclass(frozen=True)
class Population:
    """Draws, evidence and diagnostics of a batch of curves.

    Attributes
    ----------
    z : array (curve, parameter, chain, draw)
        Draws in whitened coordinates.
    weight : array (curve, chain, draw)
        Of the particle that a draw was made from, up to a constant for each chain.
    log_evidence, log_evidence_se, khat, ess, rhat : array (curve,)
    evaluations : array (curve,)
        Of the likelihood, over all replicates and attempts.
    converged : array (curve,)
    method : array (curve,)
        0, or how often the curve was sampled again, with a larger budget each time.
    """

    z: Floats
    weight: Floats
    log_evidence: Floats
    log_evidence_se: Floats
    khat: Floats
    ess: Floats
    rhat: Floats
    evaluations: Floats
    converged: Booleans
    method: Integers

    def take(self, curves: Index) -> "Population":
        """Some of the curves."""
        return Population(*(getattr(self, f.name)[curves] for f in fields(self)))

    def put(self, curves: Index, better: "Population") -> None:
        """Replace the results of some curves, but for `evaluations` and `method`."""
        for f in fields(self):
            if f.name not in ("evaluations", "method"):
                getattr(self, f.name)[curves] = getattr(better, f.name)


def from_weighted(
    z: Floats,
    log_weights: Floats,
    keys: sobol.Keys,
    *,
    draws: int,
    size: float,
    engine: Host = HOST,
) -> Population:
    """Draws and diagnostics of importance samples.

    Weights are smoothed over all replicates of a curve together, which gives the Pareto fit four
    times as many tail weights; each replicate is then resampled into its own chain.

    Parameters
    ----------
    z : array (row, dimension, particle)
    log_weights : array (row, particle)
    keys : array (row,)
    draws : int
        In each replicate.
    size : float
        The effective size that was requested.
    engine : Host
        The engine of z and log_weights.
    """
    curves = len(keys) // REPLICATES
    log_weights = engine.get(log_weights, len(keys))
    pooled = log_weights.reshape(curves, -1)
    smooth, khat = pareto.smoothed(pooled)
    share = weights.normalised(smooth.reshape(log_weights.shape))
    return diagnosed(
        *resample(z, share, keys, draws, engine),
        by_replicate=weights.log_mean_exp(log_weights).reshape(curves, REPLICATES),
        khat=khat,
        ess=weights.effective_size(pooled),
        evaluations=np.full(curves, float(pooled.shape[1])),
        size=size,
    )


def diagnosed(
    z: Floats,
    weight: Floats,
    *,
    by_replicate: Floats,
    khat: Floats,
    ess: Floats,
    evaluations: Floats,
    size: float,
) -> Population:
    """Chains (row, dimension, draw) and weights of their particles, with diagnostics."""
    curves = len(khat)
    chains = z.reshape(curves, REPLICATES, *z.shape[1:]).swapaxes(1, 2)
    rhat = diagnostics.rhat(chains)
    log_evidence, error = diagnostics.log_evidence(by_replicate, ess)
    agree = diagnostics.agree(by_replicate, ess, rhat, z.shape[2])
    return Population(
        z=chains,
        weight=weight.reshape(curves, REPLICATES, -1),
        log_evidence=log_evidence,
        log_evidence_se=error,
        khat=khat,
        ess=ess,
        rhat=rhat,
        evaluations=evaluations,
        converged=(khat <= weights.LARGEST_K) & agree & (ess >= LEAST * size),
        method=np.zeros(curves, dtype=np.int64),
    )


def resample(
    z: Floats, share: Floats, keys: sobol.Keys, draws: int, engine: Host = HOST
) -> tuple[Floats, Floats]:
    """Systematic resampling along a space-filling curve, thinning to the draws, and a shuffle.

    Parameters
    ----------
    z : array (row, dimension, particle)
        An array of the engine; the results are NumPy's.
    share : array (row, particle)
    keys : array (row,)
    draws : int
    engine : Host

    Returns
    -------
    array (row, dimension, draw)
    array (row, draw)
        The share of each draw's particle.
    """
    rows = len(keys)
    comb = sobol.uniform(keys, RESAMPLING_STREAM)
    marks = engine.run(_marked, z, *engine.put((share, comb)), count=draws << HALVINGS)
    z, marks = engine.get((z, marks), rows)
    coins = [sobol.uniform(keys, COIN_STREAM + i) for i in range(HALVINGS)]
    index = thinning.thinned(z, marks, np.stack(coins, axis=1), together=REPLICATES)
    index = np.take_along_axis(index, sobol.shuffles(keys, SHUFFLE_STREAM, draws), axis=1)
    return np.take_along_axis(z, index[:, None], axis=2), np.take_along_axis(share, index, axis=1)


def _marked(z: Floats, share: Floats, comb: Floats, *, count: int, xp: Any = NUMPY) -> Index:
    """Particles of equal weight, in the order of the curve."""
    take = xp.module.take_along_axis
    order = weights.along_curve(z, share, xp)
    index = weights.systematic(take(share, order, axis=1), comb, count, xp)
    along: Index = take(order, index, axis=1)
    return along


def join(parts: Sequence[tuple[Index, Population]]) -> Population:
    """One population from those of several sets of curves, in the order of the curves."""
    order = np.argsort(np.concatenate([curves for curves, _ in parts]), kind="stable")
    return Population(
        *(np.concatenate([getattr(p, f.name) for _, p in parts])[order] for f in fields(Population))
    )
