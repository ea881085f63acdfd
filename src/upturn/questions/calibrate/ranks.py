"""Ranks of true values among posterior draws, which are uniform if the posterior is right."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from upturn.arrays.types import Booleans, Floats, Integers
from upturn.model import Model
from upturn.posterior import emergence as em
from upturn.posterior.criteria import Criteria, judged
from upturn.posterior.emergence import turning
from upturn.questions.calibrate.result import Check, Scale
from upturn.questions.simulate.result import Simulation


@dataclass(frozen=True)
class ModelDraws:
    """Posterior draws of one model for every curve, on the unit axis: (curve, draw)."""

    parameters: dict[str, Floats]
    log_evidence: Floats
    converged: Booleans
    first: Floats
    emergent: Booleans
    sharp: Booleans
    flat_until: Floats


@dataclass(frozen=True)
class Truth:
    """The true values of every curve: (curve,)."""

    first: Floats
    emergent: Booleans
    sharp: Booleans
    flat_until: Floats

    @classmethod
    def of(cls, simulation: Simulation) -> "Truth":
        count = len(simulation.curves)
        parts: dict[str, Any] = {
            "first": np.empty(count),
            "emergent": np.zeros(count, dtype=np.bool_),
            "sharp": np.zeros(count, dtype=np.bool_),
            "flat_until": np.empty(count),
        }
        for number, model in enumerate(simulation.models):
            index = np.flatnonzero(simulation.which == number)
            if not len(index):
                continue
            curves = simulation.curves.take(index)
            scaling = simulation.drawn.scaling.take(index)
            names = [n for n in simulation.drawn.parameters if n in model.parameters]
            flat = {n: simulation.drawn.parameters[n][index, None] for n in names}
            judgement = judged(model, curves, flat, Criteria(), scaling)
            _, first = turning(
                model, curves, flat, delta=em.DELTA, scaling=scaling, end=np.ones(len(index))
            )
            for name, value in (
                ("first", first), ("emergent", judgement.emergent), ("sharp", judgement.sharp),
                ("flat_until", judgement.functionals.flat_until),
            ):  # fmt: skip
                parts[name][index] = value[:, 0]
        return cls(**parts)


def of_parameters(
    models: Sequence[Model],
    answers: Sequence[ModelDraws],
    simulation: Simulation,
    rng: np.random.Generator,
) -> list[Check]:
    """Ranks of each parameter of each model, on the curves that were drawn from that model."""
    out = []
    for number, (model, answer) in enumerate(zip(models, answers, strict=True)):
        from_model = simulation.which == number
        for name, drawn in answer.parameters.items():
            true = simulation.drawn.parameters.get(name)
            if true is None:
                continue
            usable = from_model & np.isfinite(true) & np.isfinite(drawn[:, 0])
            if usable.any():
                pit = _ranked(true[usable], drawn[usable], rng)
                out.append(Check(f"{model.name}: {name}", pit))
    return out


def of_models(
    models: Sequence[Model], share: Floats, simulation: Simulation, rng: np.random.Generator
) -> list[Check]:
    """Ranks of the index of the true model."""
    if len(models) == 1:
        return []
    before = np.cumsum(share, axis=1) - share
    rows = np.arange(len(share))
    below, tied = before[rows, simulation.which], share[rows, simulation.which]
    return [Check("model", below + rng.uniform(size=len(rows)) * tied)]


def of_emergence(
    answers: Sequence[ModelDraws], share: Floats, truth: Truth, rng: np.random.Generator
) -> list[Check]:
    """Ranks of the events that a curve is emergent, and sharply emergent."""
    out = []
    for name in ("emergent", "sharp"):
        by_model = np.stack([getattr(answer, name).mean(axis=1) for answer in answers], axis=1)
        p = (share * by_model).sum(axis=1)
        uniform = rng.uniform(size=len(p))
        pit = np.where(getattr(truth, name), 1 - p + uniform * p, uniform * (1 - p))
        out.append(Check(f"p_{name}", pit, p=p, happened=getattr(truth, name)))
    return out


def of_scales(
    answers: Sequence[ModelDraws],
    share: Floats,
    simulation: Simulation,
    truth: Truth,
    checker: "ScaleCheck",
) -> list[Scale]:
    """Ranks of the scale at which a curve changes, as in a fit, and at which it emerges."""
    curves, out = simulation.curves, []
    decades = curves.limits[1, 0] - curves.limits[0, 0]
    if simulation.with_twin and simulation.models[0].moves:
        first = answers[0].first
        weight = np.broadcast_to(share[:, [0]] / first.shape[1], first.shape)
        true = np.where(simulation.which == 0, truth.first, np.inf)
        mixed = _Weighted(first, weight, never=share[:, 1])
        out.append(checker.scale("scale", true, mixed, decades))
        changing = np.flatnonzero(simulation.which == 0)
        given = mixed.take(changing).given_change
        out.append(checker.scale("scale, given a change", true[changing], given, decades[changing]))
    # draws of each model count by its probability; draws without emergence do not count
    weight = np.concatenate(
        [np.where(a.emergent, share[:, [m]], 0.0) for m, a in enumerate(answers)], axis=1
    )
    values = np.concatenate([answer.flat_until for answer in answers], axis=1)
    there = np.flatnonzero(truth.emergent & (weight.sum(axis=1) > 0))
    until = _Weighted(values, weight, never=np.zeros(len(values))).take(there)
    name = "emergence scale, given emergence"
    out.append(checker.scale(name, truth.flat_until[there], until, decades[there]))
    return [scale for scale in out if len(scale.error)]


@dataclass(frozen=True)
class _Weighted:
    """Weighted draws (curve, draw), and the weight of no change (curve,), which counts as inf."""

    values: Floats
    weight: Floats
    never: Floats

    def take(self, index: Any) -> "_Weighted":
        return _Weighted(self.values[index], self.weight[index], self.never[index])

    @property
    def given_change(self) -> "_Weighted":
        return _Weighted(self.values, self.weight, np.zeros_like(self.never))

    def pit(self, true: Floats, rng: np.random.Generator) -> Floats:
        """The share of draws below the true value (curve,); ties are broken at random."""
        sum_of = self.weight.sum(axis=1)
        total = sum_of + self.never
        below = (self.weight * (self.values < true[:, None])).sum(axis=1)
        same = (self.weight * (self.values == true[:, None])).sum(axis=1)
        same += np.where(np.isposinf(true), self.never, 0.0)
        weight_of_truth = (self.weight**2).sum(axis=1) / np.where(sum_of > 0, sum_of, 1.0)
        tied = same + weight_of_truth  # the truth ranks like one more draw
        ranks = (below + rng.uniform(size=len(true)) * tied) / (total + weight_of_truth)
        return np.clip(ranks, 0.0, 1.0)

    def quantiles(self, levels: Floats) -> Floats:
        """Quantiles of the draws together with no change: (level, curve)."""
        values = np.column_stack([self.values, np.full(len(self.values), np.inf)])
        weight = np.column_stack([self.weight, self.never])
        order = np.argsort(values, axis=1, kind="stable")
        ordered = np.take_along_axis(values, order, axis=1)
        share = np.cumsum(np.take_along_axis(weight, order, axis=1), axis=1)
        share /= share[:, -1:]
        reached = [(share >= level - 1e-12).argmax(axis=1) for level in levels]
        return np.stack([ordered[np.arange(len(values)), at] for at in reached])


@dataclass(frozen=True)
class ScaleCheck:
    """How scales are checked: levels of the intervals, and random numbers that break ties."""

    levels: Floats
    rng: np.random.Generator

    def scale(self, name: str, true: Floats, draws: _Weighted, decades: Floats) -> Scale:
        """The rank of the true scale (curve,) among the draws, and the width of intervals."""
        low, middle, high = draws.quantiles(self.levels)
        with np.errstate(invalid="ignore"):
            return Scale(
                Check(name, draws.pit(true, self.rng)),
                error=(middle - true) * decades,
                width=(high - low) * decades,
                held=(low <= true) & (true <= high),
            )


def _ranked(true: Floats, draws: Floats, rng: np.random.Generator) -> Floats:
    """Ranks of true values (curve,) among draws (curve, draw), as shares; ties at random."""
    below: Integers = (draws < true[:, None]).sum(axis=1)
    same = (draws == true[:, None]).sum(axis=1)
    return np.asarray((below + rng.uniform(size=len(true)) * (same + 1)) / (draws.shape[1] + 1))
