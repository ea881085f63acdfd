"""The population sampler: adaptive importance sampling of all curves of a batch at once.

From the prior, tempered stages fit a Student-t mixture to the weighted particles of the stages
before and draw the next from it, until the particles represent the posterior; a last mixture is
then drawn from until the effective sample size suffices. Each curve adapts twice, independently;
the last mixture is fitted to what both have found, each counted by its evidence, so that a mode
that one of them has missed is in it, and to some hotter and some colder particles beside, which see
more of tails and of thin necks. Four replicates draw from it, each a net of its own. What
importance sampling cannot do is done with a larger budget, then by tempered SMC.

`adapting` makes the mixtures, `drawing` draws from them, `budget` says how much a curve may cost,
`smc` is the last resort; here is who gets what, and which answer is kept.
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

PILOT = 64  # particles of an adaptation by which nodes are dealt out to groups
PILOT_STREAM = 4_000

MISSED = 1.0  # nats of evidence by which an answer may be below one that it replaces

METHODS = ("importance sampling", "importance sampling, larger budget", "tempered SMC")


def sample(
    target: Target, *, keys: sobol.Keys, draws: int, size: float, attempts: int = 2
) -> Population:
    """Sample every curve of a target, escalating where that is needed.

    Parameters
    ----------
    target : Target
    keys : array (curve * replicate,)
        See `points.keys`.
    draws : int
        In each replicate.
    size : float
        Effective sample size, over all replicates, at which a curve is done.
    attempts : int
        How far to escalate where that is needed: not at all, to a larger budget, to tempered SMC.
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
    """Which curves' second answers are to replace those with some log evidence.

    An estimate of evidence is unbiased, so that it rarely is far too high: more than c times the
    truth with probability 1/c at most (Markov). One far lower has missed what the other found.
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
    """With nodes over groups' offsets as close as the posterior wants them."""
    rows, keys = request.adaptations
    dimension = request.target.dimension + 2
    stream = LEVEL_STREAM * budget.level + PILOT_STREAM
    z = mixture.draw(sobol.uniforms(keys, stream, dimension, 0, PILOT))
    return replace(request, target=request.target.resolving(rows, z, budget.step))


def _larger(request: Request) -> Population:
    return _importance(request, budgets.larger(request.target))


def _tempered(request: Request) -> Population:
    """Tempered SMC, then importance sampling from a mixture fitted to its particles.

    Where the mixture is good its draws are the better ones, and their k̂ is a check of both; where
    it is not, SMC's own are returned.
    """
    cloud, engine = (
        tempered_smc.temper(request.target.host, request.rows, request.keys),
        request.target.engine,
    )
    even = np.full((len(request.rows), cloud.z.shape[2]), 1 / cloud.z.shape[2])
    z, even = engine.put((cloud.z, even))
    fitted = adaptation.fit(request, request.rows, z, even, budgets.AFTER_SMC, final=True)
    mixture = engine.get(fitted, len(request.rows))
    result = importance.draw(request, mixture, budgets.AFTER_SMC)
    result.evaluations[:] += cloud.evaluations.reshape(-1, REPLICATES).sum(axis=1)
    worse = np.flatnonzero(~result.converged)
    if len(worse):
        result.put(worse, _from_smc(request.take(worse), cloud.take(rows_of(worse))))
    return result


def _from_smc(request: Request, cloud: tempered_smc.Cloud) -> Population:
    """SMC's particles as a population: equal weights, thinned along a space-filling curve."""
    even = np.full((len(request.rows), cloud.z.shape[2]), 1 / cloud.z.shape[2])
    by_curve = len(request.curves), REPLICATES
    return chains.diagnosed(
        *chains.resample(cloud.z, even, request.keys, request.draws),
        by_replicate=cloud.log_evidence.reshape(by_curve),
        khat=cloud.khat.reshape(by_curve).max(axis=1),
        ess=cloud.distinct.reshape(by_curve).sum(axis=1),
        evaluations=np.zeros(len(request.curves)),  # the caller has counted them
        size=0.0,
    )
