"""Scores: evidence and leave-one-out predictions of curves under models, points in one order."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from upturn.arrays.types import Booleans, Floats, Integers
from upturn.formulas.scaling import bounded_of, scaling_of
from upturn.model import Model
from upturn.posterior.averaging import log_priors, probabilities
from upturn.questions.arguments import part_of
from upturn.questions.compare.differences import largest_k, psis_loo
from upturn.sampling import batch
from upturn.sampling.batch import Progress, Sample
from upturn.sampling.density.pointwise import pointwise
from upturn.sampling.density.target import Target
from upturn.sampling.particles.chains import REPLICATES
from upturn.tables.curves import Curves

MATTERS = 0.01  # the probability of a model from which on its k̂ counts


@dataclass(frozen=True)
class Scores:
    """What a model says of the curves of a batch, or several averaged.

    Attributes
    ----------
    log_evidence, log_evidence_se : array (curve,)
        Of the scores in native units.
    elpd : array (curve, point)
        Log density of each point given the others; 0 in padding.
    elpd_error : array (curve,)
        Monte Carlo error of its sum over the points of a curve.
    khat : array (curve, point)
        Of importance sampling; of the worst of several models. -inf in padding.
    refitted : array of bool (curve, point)
        Where the curve was fitted again without the point.
    families : array (family, curve)
        Log density of a family's points given the others; 0 where a curve has none of them.
    """

    log_evidence: Floats
    log_evidence_se: Floats
    elpd: Floats
    elpd_error: Floats
    khat: Floats
    refitted: Booleans
    families: Floats

    def sorted(self, order: Integers) -> "Scores":
        """The same with the points of each curve in another order (curve, point)."""
        moved = {
            name: np.take_along_axis(getattr(self, name), order, axis=1)
            for name in ("elpd", "khat", "refitted")
        }
        return replace(self, **moved)

    def take(self, index: Integers) -> "Scores":
        """Some of the curves."""
        return Scores(
            self.log_evidence[index],
            self.log_evidence_se[index],
            self.elpd[index],
            self.elpd_error[index],
            self.khat[index],
            self.refitted[index],
            self.families[:, index],
        )


def canonical_order(curves: Curves) -> Integers:
    """The order of points that is the same on every axis: by model, family, run. (curve, point)."""
    out = np.empty(curves.mask.shape, dtype=np.int64)
    for i, mask in enumerate(curves.mask):
        texts = (curves.family[i].astype(np.str_), curves.model[i].astype(np.str_))
        out[i] = np.lexsort((curves.trials[i], curves.response[i], curves.run[i], *texts, ~mask))
    return out


@dataclass(frozen=True)
class Effort:
    """How curves are sampled: as `upturn.fit`."""

    draws: int
    seed: int
    threads: int | None


def score(
    models: Sequence[Model],
    curves: Curves,
    effort: Effort,
    *,
    progress: Progress | None = None,
    refit: bool = True,
    families: Sequence[str] = (),
    alone: bool = False,
) -> tuple[list[Scores], list[Sample]]:
    """Sample the curves under models, and score every point and every family left out.

    p(y_i | the others) is the ratio of the evidences with and without the point. Importance
    sampling estimates it; where k̂ is too
    high, above 0.7 or less with few draws, the curve is fitted without the point, and the
    ratio taken. The scale of a continuous metric, and with it the prior, hangs on the range
    observed, so that its points are never fitted again and its families not left out (NaN).

    Parameters
    ----------
    models : sequence of Model
    curves : Curves
    effort : Effort
    progress : callable, optional
    refit : bool
        Points where k̂ is too high under any of the models that matter, on any axis, are fitted
        again under all.
    families : sequence of str
        Those to leave out one by one.
    alone : bool
        Whether each model is asked about by itself, or they are to be averaged: points are then
        not fitted again under models that are improbable.
    """
    samples = []
    for i, model in enumerate(models):
        done, total = i * len(curves), len(models) * len(curves)
        samples.append(_sample(model, curves, effort, part_of(progress, done, total)))
    matters = np.ones((len(models), len(curves)), dtype=np.bool_)
    if not alone:
        evidence = np.stack([sample.population.log_evidence for sample in samples])
        matters = probabilities(models, evidence.T).T >= MATTERS
    smoothed = [_pointwise(m, curves, s) for m, s in zip(models, samples, strict=True)]
    high = np.stack([khat > largest_k(effort.draws) for _, khat, _ in smoothed])
    again = _on_all_axes(curves, (high & matters[:, :, None]).any(axis=0)) & refit
    results = [
        _scores(
            model,
            curves,
            sample,
            effort,
            smoothed=smoothed_of,
            again=again & here[:, None],
            families=families,
        )
        for model, sample, smoothed_of, here in zip(models, samples, smoothed, matters, strict=True)
    ]
    return results, samples


def _on_all_axes(curves: Curves, chosen: Booleans) -> Booleans:
    """Points of curves (curve, point) that are chosen on any axis: the same ones on all.

    Exact on one axis and smoothed on another, they would differ by the error of the smoothing.
    """
    axes = len(dict.fromkeys(curves.axes))
    order = canonical_order(curves)
    aligned = np.take_along_axis(chosen, order, axis=1).reshape(axes, -1, chosen.shape[1])
    shared = np.broadcast_to(aligned.any(axis=0), aligned.shape).reshape(chosen.shape)
    out = np.empty_like(chosen)
    np.put_along_axis(out, order, shared, axis=1)
    return out


def _sample(
    model: Model, curves: Curves, effort: Effort, progress: Progress | None = None
) -> Sample:
    return batch.sample(
        model,
        curves,
        draws=effort.draws,
        seed=effort.seed,
        threads=effort.threads,
        progress=progress,
    )


def _scores(
    model: Model,
    curves: Curves,
    sample: Sample,
    effort: Effort,
    *,
    smoothed: tuple[Floats, Floats, Floats],
    again: Booleans,
    families: Sequence[str],
) -> Scores:
    """Scores of one model, from smoothed ones; points `again` (curve, point) are fitted again."""
    elpd, khat, by_chain = smoothed
    evidence = sample.population.log_evidence
    bounded = bounded_of(model, curves)
    again = again & bounded[:, None]
    row, point = np.nonzero(again)
    drop = np.zeros((len(row), curves.mask.shape[1]), dtype=np.bool_)
    drop[np.arange(len(row)), point] = True
    elpd[again] = evidence[row] - _evidence_without(model, curves, row, drop, effort)
    left_out = np.zeros((len(families), len(curves)))
    for f, name in enumerate(families):
        member = (curves.family == name) & curves.mask
        row = np.flatnonzero(member.any(axis=1) & bounded)
        left_out[f, member.any(axis=1)] = np.nan
        without = _evidence_without(model, curves, row, member[row], effort)
        left_out[f, row] = evidence[row] - without
    jacobian = np.where(bounded, 0.0, -curves.points * np.log(scaling_of(model, curves).span))
    error = sample.population.log_evidence_se
    sums = np.where(again[:, None], 0.0, by_chain).sum(axis=2)
    smoothing = sums.std(axis=1, ddof=1) / np.sqrt(sums.shape[1])
    # a point fitted again is a difference of two evidences, of about the same error
    elpd_error = np.hypot(smoothing, error * np.sqrt(2 * again.sum(axis=1)))
    return Scores(evidence + jacobian, error, elpd, elpd_error, khat, again, left_out)


def _pointwise(model: Model, curves: Curves, sample: Sample) -> tuple[Floats, Floats, Floats]:
    """Leave-one-out densities of all points, their k̂, and those of each chain.

    The first two are (curve, point), the last (curve, chain, point).
    """
    elpd, khat = np.zeros(curves.mask.shape), np.full(curves.mask.shape, -np.inf)
    by_chain = np.zeros((len(curves), REPLICATES, curves.mask.shape[1]))
    for i, points in enumerate(curves.points):
        curve = curves.take(np.array([i]))
        target = Target(model, curve, model.likelihood_for(str(curve.kind[0])))
        p = {name: sample.parameters[name][i].reshape(1, 1, -1) for name in target.names}
        density = pointwise(target, 0, p)[:points]
        smoothed = psis_loo(density, REPLICATES)
        elpd[i, :points], khat[i, :points], by_chain[i, :, :points] = smoothed
        if not target.likelihood.bounded:
            elpd[i, :points] += target.log_jacobian[0] / max(int(points), 1)
    return elpd, khat, by_chain


def _evidence_without(
    model: Model, curves: Curves, index: Integers, drop: Booleans, effort: Effort
) -> Floats:
    """Log evidence of the curves of an index, each without some points: (row,)."""
    out = np.zeros(len(index))
    if not len(index):
        return out
    part = curves.take(index)
    left = part.without(drop[:, : part.mask.shape[1]])
    some = np.flatnonzero(left.points > 0)  # the evidence of no data is 1
    if len(some):
        out[some] = _sample(model, left.take(some), effort).population.log_evidence
    return out


def averaged(models: Sequence[Model], scores: Sequence[Scores]) -> Scores:
    """Scores of the average over models, each weighted by its evidence.

    Evidence is the prior mean of theirs; that without a point likewise, so that 1 / p(y_i | the
    others) is the posterior mean of theirs.
    """
    if len(scores) == 1:
        return scores[0]
    prior = log_priors(models)[:, None]
    by_model = np.stack([s.log_evidence for s in scores])
    evidence = np.logaddexp.reduce(prior + by_model, axis=0)
    log_weight = prior + by_model - evidence
    weight = np.exp(log_weight)
    error = np.sqrt(((weight * np.stack([s.log_evidence_se for s in scores])) ** 2).sum(axis=0))
    predicted = np.sqrt(((weight * np.stack([s.elpd_error for s in scores])) ** 2).sum(axis=0))
    matters = (weight >= MATTERS)[:, :, None]
    khat = np.where(matters, np.stack([s.khat for s in scores]), -np.inf)
    refitted = np.stack([s.refitted for s in scores])
    return Scores(
        evidence,
        error,
        -np.logaddexp.reduce(log_weight[:, :, None] - np.stack([s.elpd for s in scores]), axis=0),
        predicted,
        khat.max(axis=0),
        (refitted & matters).any(axis=0),
        -np.logaddexp.reduce(
            log_weight[:, None, :] - np.stack([s.families for s in scores]), axis=0
        ),
    )
