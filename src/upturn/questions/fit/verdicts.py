"""Verdicts: what a fit says of each curve, from its model, its twin, a falling line and a level."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from upturn.arrays.types import Booleans, Floats
from upturn.formulas.curve import noise_parameters
from upturn.formulas.scaling import Scaling, ceiling_of, proportions
from upturn.formulas.segments import Line
from upturn.model import Model
from upturn.posterior.criteria import MIN_RISE, Criteria, judged
from upturn.posterior.emergence import expected
from upturn.posterior.outcomes import OUTCOMES, verdict_of
from upturn.sampling import batch
from upturn.sampling.batch import joined_chains
from upturn.tables.axis import Axis
from upturn.tables.curves import Curves

DRAWS = 250  # of each curve that verdicts are taken from
ALTERNATIVE_DRAWS = 64  # of a falling line and of a level, of which the evidence is wanted
LEVEL_CHANGE = 2 * MIN_RISE  # along the least-squares line, up to which a curve may be a level
GROWING = frozenset({"flops", "params", "tokens", "date"})  # axes on which more is never worse


@dataclass(frozen=True)
class Alternatives:
    """What may explain a curve instead of the model and its twin: arrays (curve,).

    Attributes
    ----------
    falling : array
        Log evidence of a falling line in the log odds; -inf where it was not considered.
    falls : array
        The share of its draws that end so far below their start as counts as a fall.
    level : array
        Log evidence of one level, wherever it is; -inf where it was not considered.
    """

    falling: Floats
    falls: Floats
    level: Floats

    @classmethod
    def none(cls, curves: int) -> Self:
        """Nothing was considered."""
        return cls(np.full(curves, -np.inf), np.zeros(curves), np.full(curves, -np.inf))

    def probabilities(self, log_evidence: Floats, twin: Floats) -> tuple[Floats, Floats]:
        """That a curve falls, and that it is a level off its floor, all having equal prior odds.

        A falling line that hardly falls counts as a level.

        Parameters
        ----------
        log_evidence, twin : array (curve,)
            Of the model and of its twin.
        """
        total = np.logaddexp.reduce([log_evidence, twin, self.falling, self.level], axis=0)
        line, level = np.exp(self.falling - total), np.exp(self.level - total)
        return line * self.falls, line * (1 - self.falls) + level


def alternatives(
    model: Model, curves: Curves, *, seed: int, threads: int | None, backend: str
) -> Alternatives:
    """What a falling line and a level say of curves that they could explain.

    The line of curves whose least-squares line falls; the level of those whose score changes
    little along it. Not under models that fall themselves, and no level under models whose twin
    is one.
    """
    out = Alternatives.none(len(curves))
    if any(isinstance(s, Line) and s.down for s in model.segments):
        return out
    noise = {k: v for k, v in model.given.items() if k in noise_parameters()}
    change = _change(curves)
    how: dict[str, Any] = {"seed": seed, "threads": threads, "backend": backend}

    def sampled(name: str, holds: Booleans) -> tuple[np.ndarray, Model, batch.Sample | None]:
        index = np.flatnonzero(holds & (curves.points > 1))
        other = Model.read(name)
        other = replace(other, likelihood=model.likelihood, given={**other.given, **noise})
        if not len(index):
            return index, other, None
        part = curves.take(index)
        return index, other, batch.sample(other, part, draws=ALTERNATIVE_DRAWS, **how)

    index, line, sample = sampled("inverse", change < 0)
    if sample is not None:
        out.falling[index] = sample.population.log_evidence
        out.falls[index] = _share_falling(line, curves.take(index), sample)
    if model.twin().range == "floor":
        index, _, sample = sampled("flat", np.abs(change) < LEVEL_CHANGE)
        if sample is not None:
            out.level[index] = sample.population.log_evidence
    return out


def _change(curves: Curves) -> Floats:
    """By how much the least-squares line through the scores changes along each axis: (curve,)."""
    weight = curves.mask / np.maximum(curves.points, 1)[:, None]
    x, y = curves.u[0], proportions(curves)
    centred = x - (weight * x).sum(axis=1, keepdims=True)
    spread = (weight * centred**2).sum(axis=1)
    return (weight * centred * y).sum(axis=1) / np.where(spread > 0, spread, np.inf)


def _share_falling(line: Model, curves: Curves, sample: batch.Sample) -> Floats:
    """The share of a falling line's draws that fall by as much as counts: (curve,)."""
    flat = joined_chains(sample.parameters)
    ends = np.broadcast_to([0.0, 1.0], (len(curves), 2))
    first, last = expected(line, flat, ends, ceiling_of(line, curves)).swapaxes(0, 1)
    return (first - last >= MIN_RISE).mean(axis=1)


def verdicts(
    model: Model,
    curves: Curves,
    flat: Mapping[str, Floats],
    scaling: Scaling,
    *,
    p_change: Floats,
    falls: Floats,
    level: Floats,
    delta: float,
) -> list[str]:
    """The verdict on each curve under one model, its no-change twin, a falling line and a level.

    Parameters
    ----------
    model : Model
    curves : Curves
        On one axis each.
    flat : mapping of array (curve, draw)
        Parameters on the model's scale.
    scaling : Scaling
    p_change : array (curve,)
        Of the model against its twin.
    falls, level : array (curve,)
        Of a fall, and of a level off the floor, against both.
    delta : float
        How far above chance a score is an ability.
    """
    draws = next(iter(flat.values())).shape[1]
    few = {name: value[:, :: max(1, draws // DRAWS)] for name, value in flat.items()}
    outcome = judged(model, curves, few, Criteria(delta=delta), scaling).outcome
    of_model = np.stack([(outcome == k).mean(axis=1) for k in range(len(OUTCOMES))], axis=1)
    unchanged = np.eye(len(OUTCOMES))[_unchanged(curves, delta)]
    p = p_change[:, None] * of_model + (1 - p_change[:, None]) * unchanged
    p = (1 - falls - level)[:, None] * p + level[:, None] * unchanged
    p[:, OUTCOMES.index("falls")] += falls
    return verdict_of(p)


def _unchanged(curves: Curves, delta: float) -> "np.ndarray":
    """What each curve does where it does not change: the place in `OUTCOMES`, (curve,)."""
    weight = curves.mask / np.maximum(curves.points, 1)[:, None]
    above = (weight * proportions(curves)).sum(axis=1) > curves.orientation * curves.chance + delta
    return np.where(above, OUTCOMES.index("no change"), OUTCOMES.index("not yet"))


def falling_flag(p: float, axis: Axis) -> str:
    """What is said of a curve that falls, with the direction of the axis that may be meant."""
    said = f"falls (p = {p:.2f})"
    natural = axis.transform in {"log10", "linear"} and axis.name not in GROWING
    return f"{said}: if less is better, --axis {axis.name}:down" if natural else said
