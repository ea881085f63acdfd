"""Predictive: scores that the fitted model, or its prior, would show at the same scales."""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from upturn.arrays.compiled import MEAN_MARGIN
from upturn.arrays.namespaces import NUMPY
from upturn.arrays.types import Floats, Index
from upturn.checks.arguments import known, whole
from upturn.questions.fit.contents import Contents
from upturn.questions.fit.mix import coordinates
from upturn.questions.fit.pointwise import STORED_LOG_LIKELIHOOD
from upturn.sampling.batch import label_keys
from upturn.sampling.density import replicate
from upturn.sampling.density.pointwise import draw_offsets
from upturn.sampling.density.target import Target
from upturn.tables.curves import Curves

type Groups = Literal["same", "new"]
type Parameters = dict[str, Floats]
type Of = Callable[[Curves, int, Index], tuple[Target, Parameters, Floats]]


def scores(
    fit: Contents, draws: int | None, *, groups: Groups, prior: bool, seed: int
) -> dict[str, Floats]:
    """Replicated scores (chain, draw, obs) by group of the tree; see `upturn.Fit.predictive`."""
    chains, held = fit.chains_and_draws
    room = max(1, STORED_LOG_LIKELIHOOD // (8 * chains * max(fit.observations, 1)))
    whole("seed", seed, 0, 2**63 - 1)
    known(groups, ("same", "new"), kind="choice of groups", where="predictive")
    if draws is not None:
        whole("draws", draws, 1, held)
    kept = min(held, room if draws is None else draws)
    places = np.linspace(0, held - 1, kept).round().astype(np.intp)
    index = (np.arange(chains)[:, None] * held + places).reshape(-1)
    flat = {"posterior_predictive": posterior(fit, index, seed, groups)}
    if prior:
        flat["prior_predictive"] = before_data(fit, len(index), seed)
    return {name: y.reshape(chains, kept, -1) for name, y in flat.items()}


def posterior(fit: Contents, draws: Index, seed: int, groups: Groups = "same") -> Floats:
    """Replicated scores at some draws of the posterior: (draw, obs).

    Parameters
    ----------
    fit : Contents
    draws : array of int (draw,)
    seed : int
    groups : {"same", "new"}
        Whether the replicated models belong to the families and runs that were fitted, whose
        offsets are drawn given their scores, or to new ones, whose offsets are drawn from their
        prior.
    """
    generators = _generators(fit, seed, "posterior")

    def of(curves: Curves, i: int, places: Index) -> tuple[Target, Parameters, Floats]:
        return at_draws(fit, curves, i, draws[places], generators[i], groups=groups)

    return _replicated(fit, list(fit.by_axis(draws)), len(draws), generators, of)


def at_draws(
    fit: Contents,
    curves: Curves,
    i: int,
    places: Index,
    rng: np.random.Generator,
    *,
    groups: Groups = "same",
) -> tuple[Target, Parameters, Floats]:
    """The target of one curve, and its parameters and groups' offsets at some draws.

    Parameters
    ----------
    fit : Contents
    curves : Curves
        All of them, on one axis each.
    i : int
    places : array of int (draw,)
    rng : Generator
    groups : {"same", "new"}
        See `posterior`.
    """
    target, p = fit.target(curves, i, places)
    flat = {name: value[0, 0] for name, value in p.items()}
    offset = _new_offsets(target, rng, len(places))
    if target.grouped and groups == "same" and curves.groups[i] > 0:
        uniform = rng.uniform(size=offset.shape)
        known = draw_offsets(target, 0, flat, uniform)
        offset[: len(known)] = known
    return target, flat, offset


def before_data(fit: Contents, count: int, seed: int) -> Floats:
    """Scores at draws from the prior, before any data: (draw, obs)."""
    generators = _generators(fit, seed, "prior")

    def of(curves: Curves, i: int, places: Index) -> tuple[Target, Parameters, Floats]:
        curve = curves.take(np.array([i]))
        target = Target(
            fit.model, curve, fit.model.likelihood_for(str(curve.kind[0])),
            scaling=fit.scaling.take(np.array([i])),
        )  # fmt: skip
        chance = np.full(len(places), target.chance[0])
        p = replicate.parameters(target, generators[i], chance)
        return target, p, _new_offsets(target, generators[i], len(places))

    return _replicated(fit, _prior_axes(fit, count, seed), count, generators, of)


def _replicated(
    fit: Contents,
    axes: list[tuple[Curves, Any]],
    count: int,
    generators: list[np.random.Generator],
    of: Of,
) -> Floats:
    """Scores (draw, obs) at parameters and offsets that `of` gives for the draws of a curve."""
    points = fit.curves.points
    end = np.cumsum(points)
    out = np.empty((count, int(points.sum())))
    for curves, places in axes:
        for i in range(len(curves)):
            target, p, offset = of(curves, i, places)
            y = _scores(target, p, offset, generators[i])
            out[places, end[i] - points[i] : end[i]] = curves.orientation[i] * y[:, : points[i]]
    return out


def _scores(target: Target, p: Parameters, offset: Floats, rng: np.random.Generator) -> Floats:
    """Scores of one curve in native units, as in `observed_data`: (draw, point)."""
    y = replicated(target, p, means(target, p, offset), rng)
    if target.likelihood.counted:
        return y
    return np.asarray(target.scaling.to_native(y[None])[0])


def means(target: Target, p: Parameters, offset: Floats) -> Floats:
    """Expected scores of one curve on the model's scale: (draw, point).

    Parameters
    ----------
    target : Target
        Of one curve.
    p : mapping of array (draw,)
    offset : array (group, draw)
        Of the groups, in standard deviations.
    """
    group = target.curves.group[0]
    u = np.broadcast_to(target.u[0][:, None], (len(group), offset.shape[1]))
    if target.grouped:
        u = u + p["scatter"] * np.where(group[:, None] >= 0, offset[group], 0.0)
    at = {name: value[None, None] for name, value in p.items()}
    mean = np.broadcast_to(
        target.model.mean(NUMPY, at, u[None], target.ceiling[:, None, None]), (1, *u.shape)
    )[0].T
    return np.clip(mean, MEAN_MARGIN, 1 - MEAN_MARGIN) if target.likelihood.bounded else mean


def replicated(target: Target, p: Parameters, mean: Floats, rng: np.random.Generator) -> Floats:
    """Scores of one curve about expected ones, on the model's scale: (draw, point).

    Successes are divided by trials.
    """
    trials, chain = (
        np.broadcast_to(v[0], mean.shape) for v in (target.curves.trials, target.curves.chain)
    )
    likelihood = target.likelihood
    noise = {name: np.broadcast_to(p[name][:, None], mean.shape) for name in likelihood.parameters}
    y = replicate.scores(likelihood, rng, mean, noise, trials=trials, chain=chain)
    return y / np.maximum(trials, 1) if likelihood.counted else y


def _new_offsets(target: Target, rng: np.random.Generator, count: int) -> Floats:
    """Offsets of groups that are not in the data, in standard deviations: (group, draw)."""
    shape = max(int(target.curves.groups[0]), 1), count
    return rng.standard_normal(shape) if target.grouped else np.zeros(shape)


def _prior_axes(fit: Contents, count: int, seed: int) -> list[tuple[Curves, Any]]:
    """The curves on one axis each; on a mix, by weights that are drawn from their prior."""
    if fit.weights is None:
        return [(fit.curves, np.arange(count))]
    rng = np.random.default_rng([seed, count])
    prior = fit.weights.prior / fit.weights.prior.sum()
    chosen = fit.weights.weights[rng.choice(len(prior), size=count, p=prior)]
    return [
        (coordinates.along(fit.curves, weights[None]), places)
        for weights, places in coordinates.by_weights(chosen)
    ]


def _generators(fit: Contents, seed: int, purpose: str) -> list[np.random.Generator]:
    """A generator for each curve by its own labels: its numbers do not depend on other curves."""
    keys = label_keys(fit.curves, fit.model, seed).reshape(len(fit.curves), -1)[:, 0]
    stream = int.from_bytes(purpose.encode()[:4])
    return [np.random.default_rng([int(key), stream]) for key in keys]
