"""The population sampler: adaptive importance sampling of all curves of a batch at once.

From the prior, tempered stages fit a Student-t mixture to the weighted particles of the stages
before and draw the next from it, until the particles represent the posterior; a last mixture is
then drawn from until the effective sample size suffices. Each curve adapts twice, independently;
the last mixture is fitted to what both have found, each counted by its evidence, so that a mode
that one of them has missed is in it, and to some hotter and some colder particles beside, which see
more of tails and of thin necks. Four replicates draw from it, each a net of its own. What
importance sampling cannot do is done with a larger budget, then by tempered SMC
(`upturn.sampling.smc`).

Cappé et al. (2008) for the mixtures, Cornuet et al. (2012) for the weights by the deterministic
mixture of stages, Vehtari et al. (2024) for the smoothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from upturn.arrays import NUMPY
from upturn.sampling import draws as chains
from upturn.sampling import mixtures, points, smc, weights
from upturn.sampling.cloud import Cloud
from upturn.sampling.draws import REPLICATES, Population
from upturn.sampling.gaps import Gap
from upturn.sampling.mixtures import Mixture, Near
from upturn.sampling.offsets import Index
from upturn.sampling.target import Target
from upturn.validate import Booleans, Floats

WITNESSES = 2  # adaptations of a curve
# What the last mixture is fitted to: equally weighted particles of each adaptation, and shares more
# from half way to the prior, which know of tails and small modes of which others see little, and
# from as far beyond the posterior, which know of the thin ends of necks.
SEEN, HOTTER, HALF, COLDER, COLD = 2048, 0.4, 0.5, 0.2, 2.0
EFFICIENT = 0.25  # share of effective draws below which a better mixture is worth fitting
WINDOW = 3  # stages whose particles a mixture is fitted to
STAGE_SIZE = 0.1  # effective share of a stage's particles that a temperature must leave
CLOUD = 512  # equally weighted particles that expectation maximisation sees in a stage
ITERATIONS = 6
FINAL_ITERATIONS = 10
# A mixture fitted to a few dozen effective particles sees no tails, and a next one fitted to what
# it drew sees less: without widening, 11 % of real fits ended with k̂ > 0.7, with it 2 %.
WIDEN_STAGE = 1.5

# What each stage's points are keyed by: streams of stages count up from 0 within a level.
COLD_STREAM = 500
FINAL_STREAM = 1_000
PILOT_STREAM = 4_000
LEVEL_STREAM = 10_000


@dataclass(frozen=True)
class Effort:
    """How much a curve may cost: points of an adaptation, components, stages, points a replicate.

    `near` are the components of the gap before an observation where a neck may be (see `gaps`), and
    `colder` the stages of half the size beyond the posterior: 0 where none are wanted. `widen` is a
    factor on the scale of the last mixture's components: the fewer particles it is fitted to, the
    wider. For curves with groups also the nodes over offsets while adapting, when they are not
    shifted, and the distance of those afterwards (see `offsets.nodes_for`).
    """

    level: int
    prior: int
    stage: int
    components: int
    final_components: int
    stages: int
    rounds: tuple[int, ...]
    near: int = 0
    colder: int = 0
    widen: float = 1.25
    nodes: int = 13
    step: float = 1.5


# Smaller efforts gave posteriors that were too narrow, and nothing that said so: on GPT-3's
# three-digit addition they lost the thin neck of the ridge, 5 % of the posterior mass.
ORDINARY = Effort(0, 4096, 2048, 8, 24, 30, (8192, 8192, 16384), near=4, colder=3, widen=1.2)
# Where 1,000 draws or fewer are asked for, their own error hides what more points would say. (With
# as few points first under 4,000 draws, the sd of that addition's log rate was 2 % lower still.)
FEW = replace(ORDINARY, final_components=16, colder=0, rounds=(1024, 1024, 2048, 4096, 8192, 16384))
FEW_SIZE = 750.0
LARGE = Effort(1, 8192, 4096, 8, 24, 60, (8192, 8192, 16384, 32768), near=8, colder=3)
# Enough for up to three parameters, where quadrature confirms it. With 1,024 points a stage, 4 of
# 64 fits of a step to counts of thousands (open models, arithmetic_2dm, binomial) ended between the
# wrong two models, 1,008 nats too low and with nothing that said so.
LIGHT = Effort(0, 2048, 2048, 4, 8, 30, (512, 512, 512, 512, 1024, 2048, 4096))
LIGHT_DIMENSION = 3
# A level and its noise: most of the no-change twins, whose posteriors have one smooth mode.
LEAST = replace(LIGHT, prior=1024, stage=512, final_components=4)
LEAST_DIMENSION = 2
# Curves with groups cost thirty times as much a particle, and are long enough to have no necks.
GROUPED = Effort(0, 768, 384, 4, 8, 30, (512,) * 20)
GROUPED_LARGE = Effort(1, 2048, 1024, 4, 8, 30, (1024,) * 16, nodes=33, step=0.75)
# Where noise is correlated along runs, differences of neighbours say precisely where a run stands,
# and a mixture fitted on 33 nodes misses: see docs/decisions.md.
SERIAL_LARGE = replace(GROUPED_LARGE, final_components=16, nodes=97)
AFTER_SMC = Effort(2, 0, 0, 0, 24, 0, (8192, 8192, 16384), near=8)
PILOT = 64  # particles of an adaptation by which nodes are dealt out to groups

MISSED = 1.0  # nats of evidence by which an answer may be below one that it replaces

METHODS = ("importance sampling", "importance sampling, larger budget", "tempered SMC")


@dataclass(frozen=True)
class _Order:
    """What is asked for: curves of a target, their keys, draws a replicate, effective size."""

    target: Target
    curves: Index
    keys: points.Keys
    draws: int
    size: float

    @property
    def rows(self) -> Index:
        """The curve of each row."""
        return np.repeat(self.curves, REPLICATES)

    @property
    def witnesses(self) -> tuple[Index, points.Keys]:
        """The rows that adapt, and their keys."""
        step = REPLICATES // WITNESSES
        return self.rows[::step], self.keys[::step]

    def take(self, some: Index) -> "_Order":
        return replace(self, curves=self.curves[some], keys=self.keys[_rows_of(some)])


def sample(
    target: Target, *, keys: points.Keys, draws: int, size: float, attempts: int = 2
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
    order = _Order(target, np.arange(len(target.curves)), keys, draws, size)
    result = _importance(order, _effort(target, size))
    for level, attempt in ((1, _larger), (2, _tempered))[:attempts]:
        doubtful = np.flatnonzero(~result.converged)
        if len(doubtful):
            again = attempt(order.take(doubtful))
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


def _effort(target: Target, size: float) -> Effort:
    """What a curve gets first."""
    if target.grouped:
        return GROUPED
    if target.dimension <= LEAST_DIMENSION:
        return LEAST
    if target.dimension <= LIGHT_DIMENSION:
        return LIGHT
    return FEW if size <= FEW_SIZE else ORDINARY


def _importance(order: _Order, effort: Effort) -> Population:
    mixture, reached, spent = _adapt(order, effort)
    each = np.arange(len(order.curves))
    if order.target.grouped:
        order = _resolved(order, mixture.take(np.repeat(each, WITNESSES)), effort)
    result = _draw(order, mixture.take(np.repeat(each, REPLICATES)), effort)
    result.evaluations[:] += spent.reshape(-1, WITNESSES).sum(axis=1)
    result.converged[:] &= reached.reshape(-1, WITNESSES).all(axis=1)
    return result


def _resolved(order: _Order, mixture: Mixture, effort: Effort) -> _Order:
    """With nodes over groups' offsets as close as the posterior wants them."""
    rows, keys = order.witnesses
    dimension = order.target.dimension + 2
    stream = LEVEL_STREAM * effort.level + PILOT_STREAM
    z = mixture.draw(points.uniforms(keys, stream, dimension, 0, PILOT))
    return replace(order, target=order.target.resolving(rows, z, effort.step))


def _larger(order: _Order) -> Population:
    """More particles and components, or a likelihood with less noise where that is the trouble."""
    if order.target.grouped:
        serial = order.target.likelihood.plain is not None
        return _importance(order, SERIAL_LARGE if serial else GROUPED_LARGE)
    return _importance(order, LARGE)


def _tempered(order: _Order) -> Population:
    """Tempered SMC, then importance sampling from a mixture fitted to its particles.

    Where the mixture is good its draws are the better ones, and their k̂ is a check of both; where
    it is not, SMC's own are returned.
    """
    cloud, engine = smc.temper(order.target.host, order.rows, order.keys), order.target.engine
    even = np.full((len(order.rows), cloud.z.shape[2]), 1 / cloud.z.shape[2])
    z, even = engine.put((cloud.z, even))
    fitted = _fit(order, order.rows, z, even, AFTER_SMC, final=True)
    mixture = engine.get(fitted, len(order.rows))
    result = _draw(order, mixture, AFTER_SMC)
    result.evaluations[:] += cloud.evaluations.reshape(-1, REPLICATES).sum(axis=1)
    worse = np.flatnonzero(~result.converged)
    if len(worse):
        result.put(worse, _from_smc(order.take(worse), cloud.take(_rows_of(worse))))
    return result


def _from_smc(order: _Order, cloud: smc.Cloud) -> Population:
    """SMC's particles as a population: equal weights, thinned along a space-filling curve."""
    even = np.full((len(order.rows), cloud.z.shape[2]), 1 / cloud.z.shape[2])
    by_curve = len(order.curves), REPLICATES
    return chains.diagnosed(
        *chains.resample(cloud.z, even, order.keys, order.draws),
        by_replicate=cloud.log_evidence.reshape(by_curve),
        khat=cloud.khat.reshape(by_curve).max(axis=1),
        ess=cloud.distinct.reshape(by_curve).sum(axis=1),
        evaluations=np.zeros(len(order.curves)),  # the caller has counted them
        size=0.0,
    )


# --- adapting -------------------------------------------------------------------------------------


def _adapt(order: _Order, effort: Effort) -> tuple[Mixture, Booleans, Floats]:
    """Temper from the prior to the posterior.

    Returns
    -------
    mixture : Mixture
        Each curve's, for its posterior.
    reached : array (row,)
        Whether the temperature came to 1; a row is an adaptation.
    evaluations : array (row,)
    """
    target = order.target.with_nodes(effort.nodes, shifted=False)
    engine = target.engine
    stream = LEVEL_STREAM * effort.level
    rows, keys = order.witnesses
    cloud = Cloud(engine)
    uniform = engine.uniforms(keys, stream, target.dimension, 0, effort.prior)
    z = engine.run(_from_prior, uniform)
    cloud.add(z, target.log_likelihood(rows, z), None)
    active = np.arange(len(rows))
    heat = np.zeros(len(rows))
    spent = np.full(len(rows), float(effort.prior))
    finished: list[tuple[Index, Floats, Floats]] = []
    for stage in range(1, effort.stages + 1):
        z, log_likelihood, offset = cloud.joined()
        before = heat[active]
        now, share, evidence = engine.run(
            _warmer, offset, log_likelihood, engine.put(before), size=STAGE_SIZE * effort.stage
        )
        heat[active] = engine.get(now, len(active))
        # done one stage after reaching temperature 1, when particles drawn for it are there
        done = ((before >= 1) & (stage > 1)) | (stage == effort.stages)
        if done.any():
            index, keep = np.flatnonzero(done), np.flatnonzero(~done)
            found = engine.take((z, share, offset, log_likelihood, now, evidence), index)
            seen, evidence = engine.run(_seen, *found[:5]), found[5]
            seen, evidence = engine.get((seen, evidence), len(index))
            if effort.colder:
                some = active[index]
                more = _beyond(order, effort, rows[some], keys[some], cloud.take(index))
                seen = np.concatenate([seen, more], axis=2)
                spent[some] += effort.colder * (effort.stage // 2)
            finished.append((active[index], seen, evidence))
            active = active[keep]
            if not len(active):
                break
            cloud, (z, share) = cloud.take(keep), engine.take((z, share), keep)
        mixture = _fit(order, rows[active], z, share, effort, final=False)
        uniform = engine.uniforms(
            keys[active], stream + stage, target.dimension + 2, 0, effort.stage
        )
        fresh = engine.run(Mixture.draw, mixture, uniform)
        cloud = cloud.window(WINDOW - 1)
        cloud.add(fresh, target.log_likelihood(rows[active], fresh), mixture)
        spent[active] += effort.stage
    z, share = engine.put(_together(finished))
    mixture = _fit(order, order.curves, z, share, effort, final=True)
    return engine.get(mixture, len(order.curves)), heat >= 1, spent


def _beyond(order: _Order, effort: Effort, rows: Index, keys: points.Keys, cloud: Cloud) -> Floats:
    """Equally weighted particles colder than the posterior, from a cloud that represents it.

    Where noise vanishes, a neck is thin, and of little mass for the depth of its likelihood: it is
    there that a colder posterior lies.

    Returns
    -------
    array (row, dimension, particle)
    """
    target, engine, size = order.target, order.target.engine, effort.stage // 2
    stream = LEVEL_STREAM * effort.level + COLD_STREAM
    heat = engine.put(np.ones(len(rows)))
    z, log_likelihood, offset = cloud.joined()
    how: dict[str, Any] = {"size": STAGE_SIZE * size, "limit": COLD}
    heat, share, _ = engine.run(_warmer, offset, log_likelihood, heat, **how)
    for stage in range(effort.colder):
        mixture = _fit(order, rows, z, share, effort, final=False)
        uniform = engine.uniforms(keys, stream + stage, target.dimension + 2, 0, size)
        fresh = engine.run(Mixture.draw, mixture, uniform)
        cloud = cloud.window(WINDOW)
        cloud.add(fresh, target.log_likelihood(rows, fresh), mixture)
        z, log_likelihood, offset = cloud.joined()
        heat, share, _ = engine.run(_warmer, offset, log_likelihood, heat, **how)
    cold = engine.run(_thinned, z, share, count=int(COLDER * SEEN))
    found: Floats = engine.get(cold, len(rows))
    return found


def _together(parts: Sequence[tuple[Index, Floats, Floats]]) -> tuple[Floats, Floats]:
    """What a curve's adaptations have found as one cloud, each counted by its evidence.

    Parameters
    ----------
    parts : sequence
        Of rows, in any order: their numbers, particles of equal weight, log evidence.

    Returns
    -------
    z : array (curve, dimension, WITNESSES * particle)
    weights : array (curve, WITNESSES * particle)
    """
    order = np.argsort(np.concatenate([rows for rows, _, _ in parts]), kind="stable")
    z = np.concatenate([seen for _, seen, _ in parts])[order]
    evidence = np.concatenate([level for _, _, level in parts])[order].reshape(-1, WITNESSES)
    _, dimension, count = z.shape
    z = z.reshape(-1, WITNESSES, dimension, count).swapaxes(1, 2)
    share = np.repeat(weights.normalised(evidence) / count, count, axis=1)
    return z.reshape(len(z), dimension, -1), share


def _fit(
    order: _Order, rows: Index, z: Floats, share: Floats, effort: Effort, *, final: bool
) -> Mixture:
    """Fit to an equally weighted thinning of the cloud, at a fraction of the cost of all of it."""
    engine, places = order.target.engine, order.target.marks
    components = effort.final_components if final else effort.components
    how = (FINAL_ITERATIONS, effort.widen) if final else (ITERATIONS, WIDEN_STAGE)
    cloud = engine.run(_thinned, z, share, count=CLOUD * max(1, components // 4))
    found: Mixture = engine.run(_fitted, cloud, *how, components=components)
    if not effort.near or places is None:
        return found
    marks = engine.put(places[rows])
    near = engine.run(_fitted_near, z, share, cloud, marks, *how, components=effort.near)
    both: Mixture = engine.run(mixtures.beside, found, near, cloud)
    return both


def _from_prior(uniform: Floats, xp: Any = NUMPY) -> Floats:
    found: Floats = xp.ndtri(uniform)
    return found


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
    share = _tilted(z, share, xp)
    found: Floats = xp.module.concatenate([_thinned(z, share, count=SEEN, xp=xp), more], axis=2)
    return found


def _tilted(z: Floats, share: Floats, xp: Any = NUMPY) -> Floats:
    """Weights times sqrt(1 + d^2), d the distance from the mean of the first coordinate in sds.

    The best proposal for the mean of f is posterior times |f - E f| (Hesterberg 1988), that for the
    evidence the posterior: this is between. With the posterior alone, nine tenths of the variance
    of a changepoint's mean came from a mode of one percent of the mass, eight sds away.
    """
    first = z[:, 0]
    square = (first - (share * first).sum(axis=1, keepdims=True)) ** 2
    variance = (share * square).sum(axis=1, keepdims=True) + weights.LEAST_VARIANCE
    tilted = share * xp.sqrt(1 + square / variance)
    found: Floats = tilted / tilted.sum(axis=1, keepdims=True)
    return found


def _thinned(z: Floats, share: Floats, *, count: int, xp: Any = NUMPY) -> Floats:
    """As many particles, each standing for as much weight."""
    half = xp.module.full(share.shape[0], 0.5)
    index = weights.systematic(share, half, count, xp)
    found: Floats = xp.module.take_along_axis(z, index[:, None], axis=2)
    return found


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
    """Student-t's of a gap, fitted to what lies in it."""
    gap = Gap.before_a_neck(cloud, marks, xp)
    inside = gap.holds(z[:, 0]) * share
    mass = inside.sum(axis=1)
    kept = _thinned(z, inside / mass[:, None], count=CLOUD * max(1, components // 4), xp=xp)
    odds, _ = gap.odds(kept, xp)
    students = _fitted(odds, iterations, widen, components=components, xp=xp)
    return Near(gap, xp.minimum(mass, 0.5), students)  # a share to start from


# --- drawing --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Round:
    """Curves that have come the same way: as many rounds, refitted after the same ones."""

    curves: Index
    cloud: Cloud
    mixture: Mixture
    number: int


def _draw(order: _Order, mixture: Mixture, effort: Effort) -> Population:
    """Draw from the mixtures in rounds until each curve has its effective size.

    Curves whose mixture turns out poor get a better one, fitted to what was drawn. They part from
    the others, so that nobody's numbers depend on whose company they are in.
    """
    parts: list[tuple[Index, Population]] = []
    engine = order.target.engine
    waiting = [_Round(np.arange(len(order.curves)), Cloud(engine), engine.put(mixture), 0)]
    starts = np.concatenate([[0], np.cumsum(effort.rounds)])
    stream = LEVEL_STREAM * effort.level + FINAL_STREAM
    while waiting:
        now = waiting.pop()
        here = order.take(now.curves)
        uniform = engine.uniforms(
            here.keys, stream, order.target.dimension + 2,
            int(starts[now.number]), effort.rounds[now.number],
        )  # fmt: skip
        fresh = engine.run(Mixture.draw, now.mixture, uniform)
        now.cloud.add(fresh, order.target.log_likelihood(here.rows, fresh), now.mixture)
        z, log_likelihood, offset = now.cloud.joined()
        log_weights, effective = engine.run(_weighed, offset, log_likelihood)
        effective = engine.get(effective, len(now.curves))
        done = (effective >= order.size) | (now.number + 1 == len(effort.rounds))
        poor = ~done & (effective < EFFICIENT * z.shape[2] * REPLICATES)
        if done.any():
            index = np.flatnonzero(done)
            rows = _rows_of(index)
            ready, its_weights = engine.take((z, log_weights), rows)
            found = chains.from_weighted(
                ready, its_weights, here.keys[rows], draws=order.draws, size=order.size,
                engine=engine,
            )  # fmt: skip
            parts.append((now.curves[index], found))
        for some in (np.flatnonzero(poor), np.flatnonzero(~done & ~poor)):
            if len(some):
                rows = _rows_of(some)
                cloud = now.cloud.take(rows)
                better = cloud.sources[-1]
                if poor[some[0]] or better is None:
                    kept, share = engine.take((z, log_weights), rows)
                    share = engine.run(_tilted, kept, engine.run(weights.normalised, share))
                    better = _fit(order, here.rows[rows], kept, share, effort, final=True)
                waiting.append(_Round(now.curves[some], cloud, better, now.number + 1))
    return chains.join(parts)


def _weighed(offset: Floats, log_likelihood: Floats, xp: Any = NUMPY) -> tuple[Floats, Floats]:
    """Log weights at temperature 1, and the effective size of each curve's replicates together."""
    log_weights = offset + log_likelihood
    pooled = log_weights.reshape(-1, REPLICATES * log_weights.shape[1])
    return log_weights, weights.effective_size(pooled, xp)


def _rows_of(curves: Index) -> Index:
    """The rows of some curves' replicates."""
    return (curves[:, None] * REPLICATES + np.arange(REPLICATES)).reshape(-1)
