"""Adapting: from the prior to a mixture that is near the posterior.

Tempered stages fit a Student-t mixture to the weighted particles of the stages before and draw the
next from it (Cappé et al. 2008), weighted as the deterministic mixture of the stages (Cornuet et
al. 2012). The last mixture is fitted to what a curve's adaptations have found together.
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

# What the last mixture is fitted to: equally weighted particles of each adaptation, and shares more
# from half way to the prior, which know of tails and small modes of which others see little, and
# from as far beyond the posterior, which know of the thin ends of necks.
SEEN, HOTTER, HALF, COLDER, COLD = 2048, 0.4, 0.5, 0.2, 2.0
WINDOW = 3  # stages whose particles a mixture is fitted to
STAGE_SIZE = 0.1  # effective share of a stage's particles that a temperature must leave
CLOUD = 512  # equally weighted particles that expectation maximisation sees in a stage
ITERATIONS = 6
FINAL_ITERATIONS = 10
# A mixture fitted to a few dozen effective particles sees no tails, and a next one fitted to what
# it drew sees less: without widening, 11 % of real fits ended with k̂ > 0.7, with it 2 %.
WIDEN_STAGE = 1.5

COLD_STREAM = 500


def adapt(request: Request, budget: Budget) -> tuple[Mixture, Booleans, Floats]:
    """Temper from the prior to the posterior.

    Returns
    -------
    mixture : Mixture
        Each curve's, for its posterior.
    reached : array (row,)
        Whether the temperature came to 1; a row is an adaptation.
    evaluations : array (row,)
    """
    target = request.target.with_nodes(budget.nodes, shifted=False)
    engine = target.engine
    stream = LEVEL_STREAM * budget.level
    rows, keys = request.adaptations
    cloud = Stages(engine)
    uniform = engine.uniforms(keys, stream, target.dimension, 0, budget.prior)
    z = engine.run(_from_prior, uniform)
    cloud.add(z, target.log_likelihood(rows, z), None)
    active = np.arange(len(rows))
    heat = np.zeros(len(rows))
    spent = np.full(len(rows), float(budget.prior))
    finished: list[tuple[Index, Floats, Floats]] = []
    for stage in range(1, budget.stages + 1):
        z, log_likelihood, offset = cloud.joined()
        before = heat[active]
        now, share, evidence = engine.run(
            _warmer, offset, log_likelihood, engine.put(before), size=STAGE_SIZE * budget.stage
        )
        heat[active] = engine.get(now, len(active))
        # done one stage after reaching temperature 1, when particles drawn for it are there
        done = ((before >= 1) & (stage > 1)) | (stage == budget.stages)
        if done.any():
            index, keep = np.flatnonzero(done), np.flatnonzero(~done)
            arrays = engine.take((z, share, offset, log_likelihood, now, evidence), index)
            seen, evidence = engine.run(_seen, *arrays[:5]), arrays[5]
            seen, evidence = engine.get((seen, evidence), len(index))
            if budget.colder:
                some = active[index]
                more = _beyond(request, budget, rows[some], keys[some], cloud.take(index))
                seen = np.concatenate([seen, more], axis=2)
                spent[some] += budget.colder * (budget.stage // 2)
            finished.append((active[index], seen, evidence))
            active = active[keep]
            if not len(active):
                break
            cloud, (z, share) = cloud.take(keep), engine.take((z, share), keep)
        mixture = fit(request, rows[active], z, share, budget, final=False)
        uniform = engine.uniforms(
            keys[active], stream + stage, target.dimension + 2, 0, budget.stage
        )
        fresh = engine.run(Mixture.draw, mixture, uniform)
        cloud = cloud.window(WINDOW - 1)
        cloud.add(fresh, target.log_likelihood(rows[active], fresh), mixture)
        spent[active] += budget.stage
    z, share = engine.put(_together(finished))
    mixture = fit(request, request.curves, z, share, budget, final=True)
    return engine.get(mixture, len(request.curves)), heat >= 1, spent


def _beyond(
    request: Request, budget: Budget, rows: Index, keys: sobol.Keys, cloud: Stages
) -> Floats:
    """Equally weighted particles colder than the posterior, from a cloud that represents it.

    Where noise vanishes, a neck is thin, and of little mass for the depth of its likelihood: it is
    there that a colder posterior lies.

    Returns
    -------
    array (row, dimension, particle)
    """
    target, engine, size = request.target, request.target.engine, budget.stage // 2
    stream = LEVEL_STREAM * budget.level + COLD_STREAM
    heat = engine.put(np.ones(len(rows)))
    z, log_likelihood, offset = cloud.joined()
    how: dict[str, Any] = {"size": STAGE_SIZE * size, "limit": COLD}
    heat, share, _ = engine.run(_warmer, offset, log_likelihood, heat, **how)
    for stage in range(budget.colder):
        mixture = fit(request, rows, z, share, budget, final=False)
        uniform = engine.uniforms(keys, stream + stage, target.dimension + 2, 0, size)
        fresh = engine.run(Mixture.draw, mixture, uniform)
        cloud = cloud.window(WINDOW)
        cloud.add(fresh, target.log_likelihood(rows, fresh), mixture)
        z, log_likelihood, offset = cloud.joined()
        heat, share, _ = engine.run(_warmer, offset, log_likelihood, heat, **how)
    cold = engine.run(_thinned, z, share, count=int(COLDER * SEEN))
    particles: Floats = engine.get(cold, len(rows))
    return particles


def _together(parts: Sequence[tuple[Index, Floats, Floats]]) -> tuple[Floats, Floats]:
    """What a curve's adaptations have found as one cloud, each counted by its evidence.

    Parameters
    ----------
    parts : sequence
        Of rows, in any order: their numbers, particles of equal weight, log evidence.

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
    """Fit to an equally weighted thinning of the cloud, at a fraction of the cost of all of it."""
    engine, places = request.target.engine, request.target.marks
    components = budget.final_components if final else budget.components
    how = (FINAL_ITERATIONS, budget.widen) if final else (ITERATIONS, WIDEN_STAGE)
    cloud = engine.run(_thinned, z, share, count=CLOUD * max(1, components // 4))
    students: Mixture = engine.run(_fitted, cloud, *how, components=components)
    if not budget.near or places is None:
        return students
    marks = engine.put(places[rows])
    near = engine.run(_fitted_near, z, share, cloud, marks, *how, components=budget.near)
    both: Mixture = engine.run(mixtures.with_interval, students, near, cloud)
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
    """Particles at an inverse temperature, tilted, and some at a part of it."""
    hotter = weights.normalised(offset + HALF * now[:, None] * log_likelihood, xp)
    more = _thinned(z, hotter, count=int(HOTTER * SEEN), xp=xp)
    share = tilted(z, share, xp)
    particles: Floats = xp.module.concatenate([_thinned(z, share, count=SEEN, xp=xp), more], axis=2)
    return particles


def tilted(z: Floats, share: Floats, xp: Any = NUMPY) -> Floats:
    """Weights times sqrt(1 + d^2), d the distance from the mean of the first coordinate in sds.

    The best proposal for the mean of f is posterior times |f - E f| (Hesterberg 1988), that for the
    evidence the posterior: this is between. With the posterior alone, nine tenths of the variance
    of a changepoint's mean came from a mode of one percent of the mass, eight sds away.
    """
    first = z[:, 0]
    square = (first - (share * first).sum(axis=1, keepdims=True)) ** 2
    variance = (share * square).sum(axis=1, keepdims=True) + weights.LEAST_VARIANCE
    out: Floats = share * xp.sqrt(1 + square / variance)
    return out / out.sum(axis=1, keepdims=True)


def _thinned(z: Floats, share: Floats, *, count: int, xp: Any = NUMPY) -> Floats:
    """As many particles, each standing for as much weight."""
    half = xp.module.full(share.shape[0], 0.5)
    index = weights.systematic(share, half, count, xp)
    particles: Floats = xp.module.take_along_axis(z, index[:, None], axis=2)
    return particles


def _fitted(
    cloud: Floats, iterations: int, widen: float, *, components: int, xp: Any = NUMPY
) -> Mixture:
    """A mixture fitted to particles of equal weight."""
    even = xp.module.full((cloud.shape[0], cloud.shape[2]), 1 / cloud.shape[2])
    return mixtures.fit(cloud, even, components, iterations, widen=widen, xp=xp)


def _fitted_near(
    z: Floats,
    share: Floats,
    cloud: Floats,
    marks: Floats,
    iterations: int,
    widen: float,
    *,
    components: int,
    xp: Any = NUMPY,
) -> Near:
    """Student-t's of an interval, fitted to what lies in it."""
    interval = Interval.before_observation(cloud, marks, xp)
    inside = interval.holds(z[:, 0]) * share
    mass = inside.sum(axis=1)
    kept = _thinned(z, inside / mass[:, None], count=CLOUD * max(1, components // 4), xp=xp)
    odds, _ = interval.odds(kept, xp)
    students = _fitted(odds, iterations, widen, components=components, xp=xp)
    return Near(interval, xp.minimum(mass, 0.5), students)  # a share to start from
