"""Verdicts: what a fit says of each curve, from its model, its twin and a falling line."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from upturn.arrays.types import Booleans, Floats
from upturn.formulas.curve import noise_parameters
from upturn.formulas.scaling import Scaling, proportions
from upturn.formulas.segments import Line
from upturn.model import Model
from upturn.posterior.criteria import Criteria, judged
from upturn.posterior.outcomes import OUTCOMES, verdict_of
from upturn.sampling import batch
from upturn.tables.axis import Axis
from upturn.tables.curves import Curves

DRAWS = 250  # of each curve that verdicts are taken from
FALLING_DRAWS = 64  # of the falling line, of which only the evidence is wanted
GROWING = frozenset({"flops", "params", "tokens", "date"})  # of which more is never less capable


def falling_evidence(
    model: Model, curves: Curves, *, seed: int, threads: int | None, backend: str
) -> Floats:
    """Log evidence of a falling line in the log odds, for curves whose scores fall: (curve,).

    nan for other curves, where it could not be the better explanation, and under models that
    fall themselves.
    """
    out = np.full(len(curves), np.nan)
    index = np.flatnonzero(_fall(curves))
    if any(isinstance(s, Line) and s.down for s in model.segments) or not len(index):
        return out
    inverse = Model.read("inverse")
    noise = {k: v for k, v in model.given.items() if k in noise_parameters()}
    line = replace(inverse, likelihood=model.likelihood, given={**inverse.given, **noise})
    sample = batch.sample(
        line, curves.take(index), draws=FALLING_DRAWS, seed=seed, threads=threads, backend=backend
    )
    out[index] = sample.population.log_evidence
    return out


def _fall(curves: Curves) -> Booleans:
    """Whether the least-squares line through the scores of each curve falls."""
    weight = curves.mask / np.maximum(curves.points, 1)[:, None]
    x, y = curves.x[0], proportions(curves)
    centred = x - (weight * x).sum(axis=1, keepdims=True)
    slope = (weight * centred * y).sum(axis=1)
    return (slope < 0) & (curves.points > 1)


def p_falls(log_evidence: Floats, twin: Floats, falling: Floats) -> Floats:
    """Probability of the falling line against the model and its twin, equal prior odds: (curve,).

    Parameters
    ----------
    log_evidence, twin, falling : array (curve,)
        Log evidences; of the falling line nan where it was not considered, which is as 0.
    """
    against = np.logaddexp(log_evidence, twin)
    return np.where(np.isnan(falling), 0.0, 1 / (1 + np.exp(np.clip(against - falling, -500, 500))))


def verdicts(
    model: Model,
    curves: Curves,
    flat: Mapping[str, Floats],
    scaling: Scaling,
    *,
    p_change: Floats,
    falls: Floats,
    delta: float,
) -> list[str]:
    """The verdict on each curve under one model, its no-change twin and a falling line.

    Parameters
    ----------
    model : Model
    curves : Curves
        On one axis each.
    flat : mapping of array (curve, draw)
        Parameters on the model's scale.
    scaling : Scaling
    p_change, falls : array (curve,)
        Of the model against its twin, and of the falling line against both.
    delta : float
        How far above chance a score is an ability.
    """
    draws = next(iter(flat.values())).shape[1]
    few = {name: value[:, :: max(1, draws // DRAWS)] for name, value in flat.items()}
    outcome = judged(model, curves, few, Criteria(delta=delta), scaling).outcome
    of_model = np.stack([(outcome == k).mean(axis=1) for k in range(len(OUTCOMES))], axis=1)
    of_twin = np.eye(len(OUTCOMES))[_unchanged(model, curves, delta)]
    p = p_change[:, None] * of_model + (1 - p_change[:, None]) * of_twin
    p *= 1 - falls[:, None]
    p[:, OUTCOMES.index("falls")] += falls
    return verdict_of(p)


def _unchanged(model: Model, curves: Curves, delta: float) -> "np.ndarray":
    """What each curve does where it does not change: the place in `OUTCOMES`, (curve,)."""
    first = model.twin().segments[0]
    if isinstance(first, Line):
        word = "falls" if first.down else "grows from the first model"
        return np.full(len(curves), OUTCOMES.index(word))
    weight = curves.mask / np.maximum(curves.points, 1)[:, None]
    above = (weight * proportions(curves)).sum(axis=1) > curves.orientation * curves.chance + delta
    return np.where(above, OUTCOMES.index("no change"), OUTCOMES.index("not yet"))


def falling_flag(p: float, axis: Axis) -> str:
    """What is said of a curve that falls, with the direction of the axis that may be meant."""
    said = f"falls (p = {p:.2f})"
    natural = axis.transform in {"log10", "linear"} and axis.name not in GROWING
    return f"{said}: if less is better, --axis {axis.name}:down" if natural else said
