"""The population sampler: adaptive importance sampling of all curves of a batch at once.

Starting from the prior, tempered stages fit a Student-t mixture to the weighted particles of the
stages before and draw the next particles from it, until they represent the posterior. Importance
sampling then draws from a last mixture until the effective sample size suffices. Each curve adapts
twice, independently; the last mixture is fitted to the particles of both, weighted by evidence, so
that it includes a mode that one of them missed. It is also fitted to some hotter and some colder
particles, which represent tails and narrow ridges better. Four replicates draw from it, each with
its own points. Curves that have not converged are sampled again with a larger budget, and then by
tempered SMC.

`adaptation` makes the mixtures, `importance` draws from them, `budget` sets the sizes, and
`tempered_smc` is the last resort. This module decides which curves are sampled again, and which
result is kept.
"""

from dataclasses import replace

import numpy as np

from upturn.arrays.types import Floats, Index
from upturn.sampling.density.target import Target
from upturn.sampling.particles import chains, sobol
from upturn.sampling.particles.chains import REPLICATES, Population
from upturn.sampling.population import adaptation, importance, tempered_smc
from upturn.sampling.population import budget as budgets
from upturn.sampling.population.budget import Budget
from upturn.sampling.population.request import ADAPTATIONS, LEVEL_STREAM, Request, rows_of
from upturn.sampling.proposals.mixtures import Mixture

PILOT = 64  # particles of an adaptation that decide on the nodes of each group
PILOT_STREAM = 4_000

MISSED = 1.0  # nats by which the evidence of a new result may be below that of the old one

METHODS = ("importance sampling", "importance sampling, larger budget", "tempered SMC")


def sample(
    target: Target, *, keys: sobol.Keys, draws: int, size: float, attempts: int = 2
) -> Population:
    """Sample every curve of a target, escalating where that is needed.

    Parameters
    ----------
    target : Target
    keys : array (curve * replicate,)
        See `sobol.keys`.
    draws : int
        In each replicate.
    size : float
        The effective sample size, over all replicates, that is enough.
    attempts : int
        0: no second try; 1: a larger budget; 2: then tempered SMC.
    """
    request = Request(target, np.arange(len(target.curves)), keys, draws, size)
    result = _importance(request, budgets.first(target, size))
    for level, attempt in ((1, _larger), (2, _tempered))[:attempts]:
        doubtful = np.flatnonzero(~result.converged)
        if len(doubtful):
            again = attempt(request.take(doubtful))
            result.evaluations[doubtful] += again.evaluations
            result.method[doubtful] = level
            better = _better(again, result.log_evidence[doubtful])
            result.put(doubtful[better], again.take(better))
    return result


def _better(again: Population, log_evidence: Floats) -> Index:
    """The curves whose new result replaces the old one, which had this log evidence.

    An estimate of the evidence is unbiased, so it is more than c times the truth with probability
    1/c at most (Markov's inequality). A result with far lower evidence has missed a mode.
    """
    higher = again.log_evidence - log_evidence
    return np.flatnonzero((higher >= 0) | (again.converged & (higher > -MISSED)))


def _importance(request: Request, budget: Budget) -> Population:
    mixture, reached, spent = adaptation.adapt(request, budget)
    curves = np.arange(len(request.curves))
    if request.target.grouped:
        request = _resolved(request, mixture.take(np.repeat(curves, ADAPTATIONS)), budget)
    result = importance.draw(request, mixture.take(np.repeat(curves, REPLICATES)), budget)
    result.evaluations[:] += spent.reshape(-1, ADAPTATIONS).sum(axis=1)
    result.converged[:] &= reached.reshape(-1, ADAPTATIONS).all(axis=1)
    return result


def _resolved(request: Request, mixture: Mixture, budget: Budget) -> Request:
    """The request with nodes over groups' offsets as close as the posterior needs."""
    rows, keys = request.adaptations
    dimension = request.target.dimension + 2
    stream = LEVEL_STREAM * budget.level + PILOT_STREAM
    z = mixture.draw(sobol.uniforms(keys, stream, dimension, 0, PILOT))
    return replace(request, target=request.target.resolving(rows, z, budget.step))


def _larger(request: Request) -> Population:
    return _importance(request, budgets.larger(request.target))


def _tempered(request: Request) -> Population:
    """Tempered SMC, then importance sampling from a mixture fitted to its particles.

    If the mixture is good, its draws are better, and their k̂ is a check of both; otherwise the
    result is SMC's own particles.
    """
    particles, engine = (
        tempered_smc.temper(request.target.host, request.rows, request.keys),
        request.target.engine,
    )
    even = np.full((len(request.rows), particles.z.shape[2]), 1 / particles.z.shape[2])
    z, even = engine.put((particles.z, even))
    fitted = adaptation.fit(request, request.rows, z, even, budgets.AFTER_SMC, final=True)
    mixture = engine.get(fitted, len(request.rows))
    result = importance.draw(request, mixture, budgets.AFTER_SMC)
    result.evaluations[:] += particles.evaluations.reshape(-1, REPLICATES).sum(axis=1)
    worse = np.flatnonzero(~result.converged)
    if len(worse):
        result.put(worse, _from_smc(request.take(worse), particles.take(rows_of(worse))))
    return result


def _from_smc(request: Request, particles: tempered_smc.Particles) -> Population:
    """SMC's particles as a population: equal weights, thinned along a space-filling curve."""
    even = np.full((len(request.rows), particles.z.shape[2]), 1 / particles.z.shape[2])
    by_curve = len(request.curves), REPLICATES
    return chains.diagnosed(
        *chains.resample(particles.z, even, request.keys, request.draws),
        by_replicate=particles.log_evidence.reshape(by_curve),
        khat=particles.khat.reshape(by_curve).max(axis=1),
        ess=particles.distinct.reshape(by_curve).sum(axis=1),
        evaluations=np.zeros(len(request.curves)),  # the caller has counted them
        size=0.0,
    )
