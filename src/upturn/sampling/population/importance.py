"""Importance sampling from the last mixtures, in rounds, until the effective size suffices."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from upturn.arrays.namespaces import NUMPY
from upturn.arrays.types import Floats, Index
from upturn.sampling.particles import chains, weights
from upturn.sampling.particles.chains import REPLICATES, Population
from upturn.sampling.population import adaptation
from upturn.sampling.population.budget import Budget
from upturn.sampling.population.request import LEVEL_STREAM, Request, rows_of
from upturn.sampling.population.stages import Stages
from upturn.sampling.proposals.mixtures import Mixture

# Effective share of the first round's particles below which there is always a second round: with
# unequal weights the error of a mean comes from the weights, not from the number of draws.
THIN = 0.4
EFFICIENT = 0.25  # effective share below which a better mixture is fitted
FINAL_STREAM = 1_000


@dataclass(frozen=True)
class _Round:
    """Curves with the same number of rounds, whose mixtures were refitted after the same ones."""

    curves: Index
    stages: Stages
    mixture: Mixture
    number: int


def draw(request: Request, mixture: Mixture, budget: Budget) -> Population:
    """Draw from the mixtures in rounds until each curve has its effective size.

    At least two rounds if the first round's weights are unequal, whatever size is requested (see
    `THIN`). Curves whose mixture is poor get a better one, fitted to the particles so far. They are
    then sampled separately from the others, so that results do not depend on batching.
    """
    parts: list[tuple[Index, Population]] = []
    engine = request.target.engine
    waiting = [_Round(np.arange(len(request.curves)), Stages(engine), engine.put(mixture), 0)]
    starts = np.concatenate([[0], np.cumsum(budget.rounds)])
    stream = LEVEL_STREAM * budget.level + FINAL_STREAM
    while waiting:
        now = waiting.pop()
        here = request.take(now.curves)
        uniform = engine.uniforms(
            here.keys, stream, request.target.dimension + 2,
            int(starts[now.number]), budget.rounds[now.number],
        )  # fmt: skip
        fresh = engine.run(Mixture.draw, now.mixture, uniform)
        now.stages.add(fresh, request.target.log_likelihood(here.rows, fresh), now.mixture)
        z, log_likelihood, offset = now.stages.joined()
        log_weights, effective = engine.run(_weighed, offset, log_likelihood)
        effective = engine.get(effective, len(now.curves))
        share = effective / (z.shape[2] * REPLICATES)
        enough = (effective >= request.size) & ((share >= THIN) | (now.number > 0))
        done = enough | (now.number + 1 == len(budget.rounds))
        poor = ~done & (effective < request.size) & (share < EFFICIENT)
        if done.any():
            index = np.flatnonzero(done)
            rows = rows_of(index)
            ready, its_weights = engine.take((z, log_weights), rows)
            population = chains.from_weighted(
                ready, its_weights, here.keys[rows], draws=request.draws, size=request.size,
                engine=engine,
            )  # fmt: skip
            parts.append((now.curves[index], population))
        for some in (np.flatnonzero(poor), np.flatnonzero(~done & ~poor)):
            if len(some):
                rows = rows_of(some)
                stages = now.stages.take(rows)
                better = stages.sources[-1]
                if poor[some[0]] or better is None:
                    kept, mass = engine.take((z, log_weights), rows)
                    mass = engine.run(adaptation.tilted, kept, engine.run(weights.normalised, mass))
                    better = adaptation.fit(
                        request, here.rows[rows], kept, mass, budget, final=True
                    )
                waiting.append(_Round(now.curves[some], stages, better, now.number + 1))
    return chains.join(parts)


def _weighed(offset: Floats, log_likelihood: Floats, xp: Any = NUMPY) -> tuple[Floats, Floats]:
    """Log weights at temperature 1, and the effective size of all replicates of each curve."""
    log_weights = offset + log_likelihood
    pooled = log_weights.reshape(-1, REPLICATES * log_weights.shape[1])
    return log_weights, weights.effective_size(pooled, xp)
