"""calibrate: are the intervals and probabilities right, on this model, likelihood and design?

Simulation-based calibration (Talts et al. 2018): parameters drawn from their priors, scores drawn
given them, posteriors of the scores; then the rank of each true parameter among its posterior's
draws is uniform. The same holds of every function of the draws, of the index of the model, and of
the probability that a curve is emergent.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from upturn.arguments import curves_of, made_by, origin_of, table_of
from upturn.arrays.types import Booleans, Floats, Integers
from upturn.calibrated import Calibration, Check, Scale
from upturn.checks.arguments import check_names, check_numbers, interval_levels, whole
from upturn.formulas.scaling import scaling_of
from upturn.model import Model
from upturn.posterior import emergence as em
from upturn.posterior.averaging import prior_odds
from upturn.posterior.emergence import turning
from upturn.questions.classify.classify import models_of, part_of
from upturn.questions.classify.criteria import Criteria, judged
from upturn.questions.simulate.design import Design, numbered
from upturn.questions.simulate.result import Simulation
from upturn.questions.simulate.simulate import deal, kind_of
from upturn.sampling import batch
from upturn.sampling.batch import Progress
from upturn.tables.axis import Axis
from upturn.tables.curves import Curves
from upturn.tables.results import Results

if TYPE_CHECKING:
    import pandas as pd

SIMULATIONS = 400
DRAWS = 1000
MOST = 1_000_000
PIT_STREAM = 1  # beside the seed: where ranks tie, chance decides


def calibrate(
    design: "Design | Results | Curves | pd.DataFrame | str | os.PathLike[str] | None" = None,
    *,
    model: str | Path | Model | Sequence[str | Model] = "hinge",
    simulations: int = SIMULATIONS,
    axis: str | Axis = "flops",
    by: str | None = None,
    metric: str | Sequence[str] | None = None,
    scatter: str = "auto",
    likelihood: str | None = None,
    priors: Mapping[str, str] | None = None,
    ci: float = 0.9,
    draws: int = DRAWS,
    seed: int = 0,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Calibration:
    """Check by simulation that posteriors are calibrated.

    One model is checked with its no-change twin, each with prior probability 1/2: that is what
    `p_change` of `upturn.fit` is about. Several are averaged over as in `upturn.classify`, with
    equal odds of their classes.

    Parameters
    ----------
    design : Design, or a table as for `upturn.fit`
        By default `Design(models_per_task=(8, 16))`. Of a table its models, scales, trials, chance
        levels and groups are taken, each of its curves in turn.
    model : str, Path or Model, or several
    simulations : int
        Simulated curves.
    axis, by, metric, scatter, likelihood, priors, threads
        As for `upturn.fit`.
    ci : float
        Probability of the intervals of scales, whose width is told.
    draws : int
        Posterior draws of each curve and model.
    seed : int
    progress : callable, optional
        Called with (fits done, fits in all).

    Returns
    -------
    Calibration

    Raises
    ------
    DataError
        For anything wrong with the design or the arguments.

    Examples
    --------
    >>> import upturn
    >>> found = upturn.calibrate(model="flat", simulations=40, draws=100, seed=1)
    >>> found.passed
    True
    >>> found.summary()["check"].tolist()
    ['flat: level', 'flat: overdispersion', 'p_emergent', 'p_sharp']
    """
    check_names(sampler="population", backend="numpy", scatter=scatter, by=by)
    check_numbers(draws=draws, seed=seed, delta=em.DELTA, threads=threads)
    interval_levels(ci)
    whole("simulations", simulations, 20, MOST)
    models = _models(model, likelihood, priors)
    rng = np.random.default_rng(seed)
    data: Results | Curves | None = None
    scaling = None
    if design is None or isinstance(design, Design):
        made_up = design or Design(models_per_task=(8, 16))
        curves = made_up.curves(simulations, kind=kind_of(models), rng=rng)
    else:
        data = table_of(design)
        found = curves_of(data, axis, by, metric, scatter)
        scaling = scaling_of(models[0], found).take(np.arange(simulations) % len(found))
        curves = numbered(found, simulations)
    which = rng.choice(len(models), simulations, p=prior_odds(models))
    drawn = deal(models, which, curves, rng, scaling=scaling)
    meta = {
        **made_by(seed),
        "arguments": {
            **(origin_of(data, metric) if data is not None else {"table": None}),
            "axis": list(dict.fromkeys(a.name for a in curves.axes)),
            "models": [one.name for one in models],
            "likelihood": list(
                dict.fromkeys(models[0].likelihood_for(str(k)).name for k in curves.kind)
            ),
            "simulations": int(simulations),
            "draws": int(draws),
            "scatter": scatter,
            "by": by,
        },
        "priors": {one.name: one.all_priors() for one in models},
    }
    return examine(
        drawn, ci=ci, draws=draws, seed=seed, threads=threads, progress=progress, meta=meta
    )


def _models(
    model: str | Path | Model | Sequence[str | Model],
    likelihood: str | None,
    priors: Mapping[str, str] | None,
) -> list[Model]:
    """The models that are drawn from and averaged over: one has its twin beside it."""
    chosen = models_of(Model.names() if model == "all" else model)  # type: ignore[arg-type]
    if likelihood is not None:
        chosen = [one.with_likelihood(likelihood) for one in chosen]
    if priors is not None:
        chosen = [one.with_priors(priors) for one in chosen]
    twin = chosen[0].twin()
    alone = len(chosen) == 1 and (twin.segments, twin.range) != (
        chosen[0].segments, chosen[0].range,
    )  # fmt: skip
    return [*chosen, twin] if alone else chosen


# ---- examining -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Answer:
    """What one model's draws say of every curve, on the unit axis: (curve, draw)."""

    parameters: dict[str, Floats]
    log_evidence: Floats
    converged: Booleans
    first: Floats
    emergent: Booleans
    sharp: Booleans
    flat_until: Floats


def examine(
    simulation: Simulation,
    models: Sequence[Model] | None = None,
    *,
    ci: float = 0.9,
    draws: int = DRAWS,
    seed: int = 0,
    threads: int | None = None,
    progress: Progress | None = None,
    meta: Mapping[str, Any] | None = None,
) -> Calibration:
    """Fit what was simulated, and see where the truth lies in the posteriors.

    Parameters
    ----------
    simulation : Simulation
    models : sequence of Model, optional
        Those that are fitted in the place of the ones that were drawn from, one for each: to see
        what a wrong likelihood or prior does.
    ci, draws, seed, threads, progress, meta
        As for `calibrate`.
    """
    fitted = simulation.models if models is None else tuple(models)
    curves = simulation.curves
    answers = []
    for number, one in enumerate(fitted):
        told = part_of(progress, number * len(curves), len(fitted) * len(curves))
        answers.append(
            _answer(one, simulation, draws=draws, seed=seed, threads=threads, progress=told)
        )
    truth = _Truth.of(simulation)
    rng = np.random.default_rng([PIT_STREAM, seed])
    odds = np.log(prior_odds(fitted))
    log_evidence = np.stack([answer.log_evidence for answer in answers], axis=1)
    share = np.exp(log_evidence + odds - np.max(log_evidence + odds, axis=1, keepdims=True))
    share /= share.sum(axis=1, keepdims=True)
    checks = [
        *_of_parameters(fitted, answers, simulation, rng),
        *_of_models(fitted, share, simulation, rng),
        *_of_emergence(answers, share, truth, rng),
    ]
    scales = _of_scales(answers, share, simulation, truth, _Telling(interval_levels(ci), rng))
    converged = np.logical_and.reduce([answer.converged for answer in answers])
    return Calibration(
        checks=tuple(checks + [scale.check for scale in scales]),
        scales=tuple(scales),
        curves=curves,
        failed=tuple(str(name) for name in curves.name[~converged]),
        ci=ci,
        meta=dict(meta or {}),
    )


def _answer(
    model: Model,
    simulation: Simulation,
    *,
    draws: int,
    seed: int,
    threads: int | None,
    progress: Progress | None,
) -> _Answer:
    curves, scaling = simulation.curves, simulation.drawn.scaling
    sample = batch.sample(
        model, curves, draws=draws, seed=seed, threads=threads, progress=progress, scaling=scaling
    )
    flat = {name: value.reshape(len(curves), -1) for name, value in sample.parameters.items()}
    found, emergent, sharp = judged(model, curves, flat, Criteria(), scaling)
    _, first = turning(
        model, curves, flat, delta=em.DELTA, scaling=scaling, end=np.ones(len(curves))
    )
    population = sample.population
    return _Answer(
        flat, population.log_evidence, population.converged, first, emergent, sharp,
        found.flat_until,
    )  # fmt: skip


@dataclass(frozen=True)
class _Truth:
    """What is true of every curve: (curve,)."""

    first: Floats
    emergent: Booleans
    sharp: Booleans
    flat_until: Floats

    @classmethod
    def of(cls, simulation: Simulation) -> "_Truth":
        count = len(simulation.curves)
        parts: dict[str, Any] = {
            "first": np.empty(count),
            "emergent": np.zeros(count, dtype=np.bool_),
            "sharp": np.zeros(count, dtype=np.bool_),
            "flat_until": np.empty(count),
        }
        for number, one in enumerate(simulation.models):
            index = np.flatnonzero(simulation.which == number)
            if not len(index):
                continue
            curves = simulation.curves.take(index)
            scaling = simulation.drawn.scaling.take(index)
            names = [n for n in simulation.drawn.parameters if n in one.parameters]
            flat = {n: simulation.drawn.parameters[n][index, None] for n in names}
            found, emergent, sharp = judged(one, curves, flat, Criteria(), scaling)
            _, first = turning(
                one, curves, flat, delta=em.DELTA, scaling=scaling, end=np.ones(len(index))
            )
            for name, value in (
                ("first", first), ("emergent", emergent), ("sharp", sharp),
                ("flat_until", found.flat_until),
            ):  # fmt: skip
                parts[name][index] = value[:, 0]
        return cls(**parts)


def _of_parameters(
    models: Sequence[Model],
    answers: Sequence[_Answer],
    simulation: Simulation,
    rng: np.random.Generator,
) -> list[Check]:
    """Each parameter of each model, on the curves that were drawn from it."""
    out = []
    for number, (one, answer) in enumerate(zip(models, answers, strict=True)):
        own = simulation.which == number
        for name, drawn in answer.parameters.items():
            true = simulation.drawn.parameters.get(name)
            if true is None:
                continue
            there = own & np.isfinite(true) & np.isfinite(drawn[:, 0])
            if there.any():
                pit = _ranked(true[there], drawn[there], rng)
                out.append(Check(f"{one.name}: {name}", pit))
    return out


def _of_models(
    models: Sequence[Model], share: Floats, simulation: Simulation, rng: np.random.Generator
) -> list[Check]:
    """The index of the model."""
    if len(models) == 1:
        return []
    before = np.cumsum(share, axis=1) - share
    rows = np.arange(len(share))
    below, own = before[rows, simulation.which], share[rows, simulation.which]
    return [Check("model", below + rng.uniform(size=len(rows)) * own)]


def _of_emergence(
    answers: Sequence[_Answer], share: Floats, truth: _Truth, rng: np.random.Generator
) -> list[Check]:
    """The probabilities that a curve is emergent, and sharply so."""
    out = []
    for name in ("emergent", "sharp"):
        by_model = np.stack([getattr(answer, name).mean(axis=1) for answer in answers], axis=1)
        p = (share * by_model).sum(axis=1)
        uniform = rng.uniform(size=len(p))
        pit = np.where(getattr(truth, name), 1 - p + uniform * p, uniform * (1 - p))
        out.append(Check(f"p_{name}", pit, p=p, happened=getattr(truth, name)))
    return out


# ---- scales --------------------------------------------------------------------------------------


def _of_scales(
    answers: Sequence[_Answer],
    share: Floats,
    simulation: Simulation,
    truth: _Truth,
    telling: "_Telling",
) -> list[Scale]:
    """The scale at which a curve changes, as a fit has it, and at which it emerges."""
    curves, out = simulation.curves, []
    decades = curves.limits[1, 0] - curves.limits[0, 0]
    if simulation.with_twin and simulation.models[0].moves:
        first = answers[0].first
        weight = np.broadcast_to(share[:, [0]] / first.shape[1], first.shape)
        true = np.where(simulation.which == 0, truth.first, np.inf)
        mixed = _Weighted(first, weight, never=share[:, 1])
        out.append(telling.scale("scale", true, mixed, decades))
        own = np.flatnonzero(simulation.which == 0)
        given = mixed.take(own).given_change
        out.append(telling.scale("scale, given a change", true[own], given, decades[own]))
    # each model's draws by its probability, of which those that are no emergence count nothing
    weight = np.concatenate(
        [np.where(a.emergent, share[:, [m]], 0.0) for m, a in enumerate(answers)], axis=1
    )
    values = np.concatenate([answer.flat_until for answer in answers], axis=1)
    there = np.flatnonzero(truth.emergent & (weight.sum(axis=1) > 0))
    until = _Weighted(values, weight, never=np.zeros(len(values))).take(there)
    name = "emergence scale, given emergence"
    out.append(telling.scale(name, truth.flat_until[there], until, decades[there]))
    return [one for one in out if len(one.error)]


@dataclass(frozen=True)
class _Weighted:
    """Weighted draws (curve, draw), and the weight of none at all, which lies at inf: (curve,)."""

    values: Floats
    weight: Floats
    never: Floats

    def take(self, index: Any) -> "_Weighted":
        return _Weighted(self.values[index], self.weight[index], self.never[index])

    @property
    def given_change(self) -> "_Weighted":
        return _Weighted(self.values, self.weight, np.zeros_like(self.never))

    def pit(self, true: Floats, rng: np.random.Generator) -> Floats:
        """The share of draws below the truth (curve,); ties fall by chance."""
        sum_of = self.weight.sum(axis=1)
        total = sum_of + self.never
        below = (self.weight * (self.values < true[:, None])).sum(axis=1)
        same = (self.weight * (self.values == true[:, None])).sum(axis=1)
        same += np.where(np.isposinf(true), self.never, 0.0)
        one = (self.weight**2).sum(axis=1) / np.where(sum_of > 0, sum_of, 1.0)  # worth of a draw
        ranks = (below + rng.uniform(size=len(true)) * (same + one)) / (total + one)
        return np.clip(ranks, 0.0, 1.0)

    def quantiles(self, levels: Floats) -> Floats:
        """Of the mixture of draws and none: (level, curve)."""
        values = np.column_stack([self.values, np.full(len(self.values), np.inf)])
        weight = np.column_stack([self.weight, self.never])
        order = np.argsort(values, axis=1, kind="stable")
        ordered = np.take_along_axis(values, order, axis=1)
        share = np.cumsum(np.take_along_axis(weight, order, axis=1), axis=1)
        share /= share[:, -1:]
        reached = [(share >= level - 1e-12).argmax(axis=1) for level in levels]
        return np.stack([ordered[np.arange(len(values)), at] for at in reached])


@dataclass(frozen=True)
class _Telling:
    """How scales are told of: the levels of intervals, and what ties fall by."""

    levels: Floats
    rng: np.random.Generator

    def scale(self, name: str, true: Floats, found: _Weighted, decades: Floats) -> Scale:
        """Where the truth (curve,) lies among the draws, and how far they spread."""
        low, middle, high = found.quantiles(self.levels)
        with np.errstate(invalid="ignore"):
            return Scale(
                Check(name, found.pit(true, self.rng)),
                error=(middle - true) * decades,
                width=(high - low) * decades,
                held=(low <= true) & (true <= high),
            )


def _ranked(true: Floats, draws: Floats, rng: np.random.Generator) -> Floats:
    """Ranks of the truth (curve,) among draws (curve, draw), as shares; ties fall by chance."""
    below: Integers = (draws < true[:, None]).sum(axis=1)
    same = (draws == true[:, None]).sum(axis=1)
    return np.asarray((below + rng.uniform(size=len(true)) * (same + 1)) / (draws.shape[1] + 1))
