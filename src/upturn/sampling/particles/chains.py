"""Draws: weighted particles of replicates made into chains, with diagnostics."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from upturn.arrays.namespaces import NUMPY
from upturn.arrays.types import Booleans, Floats, Index, Integers
from upturn.sampling.particles import diagnostics, pareto, sobol, thinning, weights
from upturn.sampling.particles.engine import Host

REPLICATES = 4
LEAST = 0.25  # of the effective size asked for, below which a curve is not done
HOST = Host()
HALVINGS = 4  # so many times are twice as many particles resampled as there are to be draws
RESAMPLING_STREAM, COIN_STREAM, SHUFFLE_STREAM = 2_000, 2_500, 3_000


@dataclass(frozen=True)
class Population:
    """What sampling a batch of curves gives.

    Attributes
    ----------
    z : array (curve, parameter, chain, draw)
        Draws in whitened coordinates.
    weight : array (curve, chain, draw)
        Of the particle that a draw was made from, each chain's up to a constant.
    log_evidence, log_evidence_se, khat, ess, rhat : array (curve,)
    evaluations : array (curve,)
        Of the likelihood, over all replicates and attempts.
    converged : array (curve,)
    method : array (curve,)
        How often the curve had to be tried again, with more effort each time.
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
        """Replace some curves' results, but for what has been spent on them and how often."""
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

    Weights are smoothed over all replicates of a curve together, whose tail is four times as long
    as that of one; each replicate is then resampled into a chain of its own.

    Parameters
    ----------
    z : array (row, dimension, particle)
    log_weights : array (row, particle)
    keys : array (row,)
    draws : int
        In each replicate.
    size : float
        The effective size that was asked for.
    engine : Host
        Whose arrays z and log_weights are.
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
    """Chains (row, dimension, draw) and their particles' weights, with what these say of them."""
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
    """Systematic resampling along a space-filling curve, halved to the draws, and shuffled.

    Parameters
    ----------
    z : array (row, dimension, particle)
        The engine's; the results are NumPy's.
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
    """Populations of sets of curves as one, in the order of the curves."""
    order = np.argsort(np.concatenate([curves for curves, _ in parts]), kind="stable")
    return Population(
        *(np.concatenate([getattr(p, f.name) for _, p in parts])[order] for f in fields(Population))
    )
