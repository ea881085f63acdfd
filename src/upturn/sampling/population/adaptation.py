"""Adaptation: from the prior to a mixture that is near the posterior.

Each tempered stage fits a Student-t mixture to the weighted particles of the stages before, and the
next particles are drawn from it (Cappé et al. 2008), with weights of the deterministic mixture of
the stages (Cornuet et al. 2012). The last mixture is fitted to the particles of all adaptations of
a curve.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from upturn.arrays.namespaces import NUMPY
from upturn.arrays.types import Booleans, Floats, Index
from upturn.sampling.particles import sobol, weights
from upturn.sampling.population.budget import Budget
from upturn.sampling.population.request import ADAPTATIONS, LEVEL_STREAM, Request
from upturn.sampling.population.stages import Stages
from upturn.sampling.proposals import mixtures
from upturn.sampling.proposals.intervals import Interval
from upturn.sampling.proposals.mixtures import Mixture, Near

# The last mixture is fitted to this number of equally weighted particles of each adaptation, and to
# shares of it at inverse temperature HALF, which represent tails and small modes better, and at
# COLD, which represent the thin ends of narrow ridges better.
FINAL_PARTICLES, HOTTER, HALF, COLDER, COLD = 2048, 0.4, 0.5, 0.2, 2.0
WINDOW = 3  # stages whose particles a mixture is fitted to
STAGE_SIZE = 0.1  # effective share of a stage's particles that the next temperature keeps
FITTED = 512  # equally weighted particles that a mixture of a stage is fitted to
ITERATIONS = 6
FINAL_ITERATIONS = 10
# A mixture fitted to a few dozen effective particles misses the tails, and one fitted to its draws
# misses more: without widening, 11 % of real fits ended with k̂ > 0.7, with it 2 %.
WIDEN_STAGE = 1.5

COLD_STREAM = 500


def adapt(request: Request, budget: Budget) -> tuple[Mixture, Booleans, Floats]:
    """Temper from the prior to the posterior.

    Returns
    -------
    mixture : Mixture
        Of each curve, near its posterior.
    reached : array (row,)
        Whether the temperature reached 1; a row is an adaptation.
    evaluations : array (row,)
    """
    target = request.target.with_nodes(budget.nodes, shifted=False)
    engine = target.engine
    stream = LEVEL_STREAM * budget.level
    rows, keys = request.adaptations
    drawn = Stages(engine)
    uniform = engine.uniforms(keys, stream, target.dimension, 0, budget.prior)
    z = engine.run(_from_prior, uniform)
    drawn.add(z, target.log_likelihood(rows, z), None)
    active = np.arange(len(rows))
    heat = np.zeros(len(rows))
    spent = np.full(len(rows), float(budget.prior))
    finished: list[tuple[Index, Floats, Floats]] = []
    for stage in range(1, budget.stages + 1):
        z, log_likelihood, offset = drawn.joined()
        before = heat[active]
        now, share, evidence = engine.run(
            _warmer, offset, log_likelihood, engine.put(before), size=STAGE_SIZE * budget.stage
        )
        heat[active] = engine.get(now, len(active))
        # done one stage after temperature 1, with particles that were drawn for it
        done = ((before >= 1) & (stage > 1)) | (stage == budget.stages)
        if done.any():
            index, keep = np.flatnonzero(done), np.flatnonzero(~done)
            arrays = engine.take((z, share, offset, log_likelihood, now, evidence), index)
            seen, evidence = engine.run(_seen, *arrays[:5]), arrays[5]
            seen, evidence = engine.get((seen, evidence), len(index))
            if budget.colder:
                some = active[index]
                more = _beyond(request, budget, rows[some], keys[some], drawn.take(index))
                seen = np.concatenate([seen, more], axis=2)
                spent[some] += budget.colder * (budget.stage // 2)
            finished.append((active[index], seen, evidence))
            active = active[keep]
            if not len(active):
                break
            drawn, (z, share) = drawn.take(keep), engine.take((z, share), keep)
        mixture = fit(request, rows[active], z, share, budget, final=False)
        uniform = engine.uniforms(
            keys[active], stream + stage, target.dimension + 2, 0, budget.stage
        )
        fresh = engine.run(Mixture.draw, mixture, uniform)
        drawn = drawn.window(WINDOW - 1)
        drawn.add(fresh, target.log_likelihood(rows[active], fresh), mixture)
        spent[active] += budget.stage
    z, share = engine.put(_together(finished))
    mixture = fit(request, request.curves, z, share, budget, final=True)
    return engine.get(mixture, len(request.curves)), heat >= 1, spent


def _beyond(
    request: Request, budget: Budget, rows: Index, keys: sobol.Keys, drawn: Stages
) -> Floats:
    """Equally weighted particles colder than the posterior, from stages that represent it.

    Where the noise parameter is small, the posterior has a narrow ridge of high likelihood and
    little mass; a colder posterior is concentrated there.

    Returns
    -------
    array (row, dimension, particle)
    """
    target, engine, size = request.target, request.target.engine, budget.stage // 2
    stream = LEVEL_STREAM * budget.level + COLD_STREAM
    heat = engine.put(np.ones(len(rows)))
    z, log_likelihood, offset = drawn.joined()
    how: dict[str, Any] = {"size": STAGE_SIZE * size, "limit": COLD}
    heat, share, _ = engine.run(_warmer, offset, log_likelihood, heat, **how)
    for stage in range(budget.colder):
        mixture = fit(request, rows, z, share, budget, final=False)
        uniform = engine.uniforms(keys, stream + stage, target.dimension + 2, 0, size)
        fresh = engine.run(Mixture.draw, mixture, uniform)
        drawn = drawn.window(WINDOW)
        drawn.add(fresh, target.log_likelihood(rows, fresh), mixture)
        z, log_likelihood, offset = drawn.joined()
        heat, share, _ = engine.run(_warmer, offset, log_likelihood, heat, **how)
    cold = engine.run(_thinned, z, share, count=int(COLDER * FINAL_PARTICLES))
    particles: Floats = engine.get(cold, len(rows))
    return particles


def _together(parts: Sequence[tuple[Index, Floats, Floats]]) -> tuple[Floats, Floats]:
    """The particles of all adaptations of each curve, weighted by the evidence of each.

    Parameters
    ----------
    parts : sequence
        For rows in any order: their numbers, particles of equal weight, log evidence.

    Returns
    -------
    z : array (curve, dimension, ADAPTATIONS * particle)
    weights : array (curve, ADAPTATIONS * particle)
    """
    order = np.argsort(np.concatenate([rows for rows, _, _ in parts]), kind="stable")
    z = np.concatenate([seen for _, seen, _ in parts])[order]
    evidence = np.concatenate([level for _, _, level in parts])[order].reshape(-1, ADAPTATIONS)
    _, dimension, count = z.shape
    z = z.reshape(-1, ADAPTATIONS, dimension, count).swapaxes(1, 2)
    share = np.repeat(weights.normalised(evidence) / count, count, axis=1)
    return z.reshape(len(z), dimension, -1), share


def fit(
    request: Request, rows: Index, z: Floats, share: Floats, budget: Budget, *, final: bool
) -> Mixture:
    """Fit a mixture to equally weighted particles, a fraction of all weighted ones."""
    engine, places = request.target.engine, request.target.marks
    components = budget.final_components if final else budget.components
    how = (FINAL_ITERATIONS, budget.widen) if final else (ITERATIONS, WIDEN_STAGE)
    kept = engine.run(_thinned, z, share, count=FITTED * max(1, components // 4))
    students: Mixture = engine.run(_fitted, kept, *how, components=components)
    if not budget.near or places is None:
        return students
    marks = engine.put(places[rows])
    near = engine.run(_fitted_near, z, share, kept, marks, *how, components=budget.near)
    both: Mixture = engine.run(mixtures.with_interval, students, near, kept)
    return both


def _from_prior(uniform: Floats, xp: Any = NUMPY) -> Floats:
    z: Floats = xp.ndtri(uniform)
    return z


def _warmer(
    offset: Floats,
    log_likelihood: Floats,
    before: Floats,
    *,
    size: float,
    limit: float = 1.0,
    xp: Any = NUMPY,
) -> tuple[Floats, Floats, Floats]:
    """The next inverse temperature up to a limit, the weights at it, and the log evidence."""
    now = limit * weights.temperature(offset, limit * log_likelihood, before / limit, size, xp)
    log_weights = offset + now[:, None] * log_likelihood
    return now, weights.normalised(log_weights, xp), weights.log_mean_exp(log_weights, xp)


def _seen(
    z: Floats, share: Floats, offset: Floats, log_likelihood: Floats, now: Floats, xp: Any = NUMPY
) -> Floats:
    """Tilted particles at an inverse temperature, and some at HALF of it."""
    hotter = weights.normalised(offset + HALF * now[:, None] * log_likelihood, xp)
    more = _thinned(z, hotter, count=int(HOTTER * FINAL_PARTICLES), xp=xp)
    share = tilted(z, share, xp)
    particles: Floats = xp.module.concatenate(
        [_thinned(z, share, count=FINAL_PARTICLES, xp=xp), more], axis=2
    )
    return particles


def tilted(z: Floats, share: Floats, xp: Any = NUMPY) -> Floats:
    """Weights times sqrt(1 + d^2), d the distance of the first coordinate from its mean in sds.

    The best proposal for the mean of f is the posterior times |f - E f| (Hesterberg 1988), the best
    for the evidence is the posterior; this is a compromise. With the posterior alone, nine tenths
    of the variance of a changepoint's mean came from a mode with 1 % of the mass, eight sds away.
    """
    first = z[:, 0]
    square = (first - (share * first).sum(axis=1, keepdims=True)) ** 2
    variance = (share * square).sum(axis=1, keepdims=True) + weights.LEAST_VARIANCE
    out: Floats = share * xp.sqrt(1 + square / variance)
    return out / out.sum(axis=1, keepdims=True)


def _thinned(z: Floats, share: Floats, *, count: int, xp: Any = NUMPY) -> Floats:
    """Equally weighted particles, by systematic resampling."""
    half = xp.module.full(share.shape[0], 0.5)
    index = weights.systematic(share, half, count, xp)
    particles: Floats = xp.module.take_along_axis(z, index[:, None], axis=2)
    return particles


def _fitted(
    kept: Floats, iterations: int, widen: float, *, components: int, xp: Any = NUMPY
) -> Mixture:
    """A mixture fitted to particles of equal weight."""
    even = xp.module.full((kept.shape[0], kept.shape[2]), 1 / kept.shape[2])
    return mixtures.fit(kept, even, components, iterations, widen=widen, xp=xp)


def _fitted_near(
    z: Floats,
    share: Floats,
    particles: Floats,
    marks: Floats,
    iterations: int,
    widen: float,
    *,
    components: int,
    xp: Any = NUMPY,
) -> Near:
    """A Student-t mixture of an interval, fitted to the particles in it."""
    interval = Interval.before_observation(particles, marks, xp)
    inside = interval.holds(z[:, 0]) * share
    mass = inside.sum(axis=1)
    kept = _thinned(z, inside / mass[:, None], count=FITTED * max(1, components // 4), xp=xp)
    odds, _ = interval.odds(kept, xp)
    students = _fitted(odds, iterations, widen, components=components, xp=xp)
    return Near(interval, xp.minimum(mass, 0.5), students)  # a starting value
