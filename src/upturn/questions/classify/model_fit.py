"""ModelFit: what one curve model says of every curve."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from upturn.arrays.types import Booleans, Floats, Integers
from upturn.formulas.scaling import Scaling, ceiling_of, scaling_of
from upturn.model import Model
from upturn.posterior.criteria import Criteria, judged
from upturn.posterior.emergence import expected
from upturn.posterior.gap import Gap
from upturn.questions.arguments import part_of
from upturn.questions.classify.ends import Ends, Leaving, ends_of, nothing
from upturn.sampling import batch
from upturn.sampling.batch import Progress, Sample, joined_chains
from upturn.tables.curves import Curves

DRAWS = 1000
MEAN_DRAWS = 100  # of which the expected score is the mean
STEP = 0.05  # of the axis, over which the slope is taken


@dataclass(frozen=True)
class ModelFit:
    """One model's answer for every curve: arrays (curve,) or (curve, draw).

    Attributes
    ----------
    model : Model
    log_evidence, log_evidence_se : array (curve,)
    converged : array of bool (curve,)
    emergent, sharp : array of bool (curve, draw)
    outcome : array of int (curve, draw)
        Place in `upturn.posterior.outcomes.OUTCOMES`.
    rise : array (curve, draw)
        In native units of the score, oriented.
    flat_until, width, threshold : array (curve, draw)
        On the unit axis; see `upturn.posterior.functionals`.
    mean, slope : array (curve, point)
        Of the expected score, in native units, oriented, and of its slope on the unit axis.
    ends : Ends
        What it would say without one of the smallest or the largest scales.
    """

    model: Model
    log_evidence: Floats
    log_evidence_se: Floats
    converged: Booleans
    emergent: Booleans
    sharp: Booleans
    outcome: Integers
    rise: Floats
    flat_until: Floats
    width: Floats
    threshold: Floats
    mean: Floats
    slope: Floats
    ends: Ends

    @classmethod
    def of(
        cls,
        model: Model,
        curves: Curves,
        sample: Sample,
        rules: Criteria,
        leaving: Leaving | None = None,
        *,
        gap: Gap | None = None,
    ) -> "ModelFit":
        """What a sample under a model says of the curves, and without their ends where wanted."""
        flat = joined_chains(sample.parameters)
        scaling = scaling_of(model, curves)
        judgement = judged(model, curves, flat, rules, scaling, gap=gap)
        per_draw = judgement.functionals
        u = curves.u[0] if gap is None else gap.fitted(curves.u[0])
        return cls(
            model,
            sample.population.log_evidence,
            sample.population.log_evidence_se,
            sample.population.converged,
            judgement.emergent,
            judgement.sharp,
            judgement.outcome,
            per_draw.rise * scaling.span[:, None],
            per_draw.flat_until,
            per_draw.width,
            per_draw.threshold,
            *_mean_and_slope(model, curves, flat, u, scaling),
            ends_of(model, leaving, flat, scaling) if leaving else nothing(len(curves)),
        )

    def take(self, index: Any) -> "ModelFit":
        """Its answer for some of the curves."""
        chosen = {name: getattr(self, name)[index] for name in (*self.arrays(), "mean", "slope")}
        return replace(self, ends=self.ends.take(index), **chosen)

    def put(self, index: Any, other: "ModelFit") -> "ModelFit":
        """The same with the answers of another for some of the curves."""
        changed = {name: getattr(self, name).copy() for name in self.arrays()}
        for name, values in changed.items():
            values[index] = getattr(other, name)
        return replace(self, ends=self.ends.put(index, other.ends), **changed)

    @classmethod
    def arrays(cls) -> list[str]:
        """The names of the arrays that do not depend on how many points the longest curve has."""
        apart = ("model", "mean", "slope", "ends")
        return [f.name for f in fields(cls) if f.name not in apart]


def _mean_and_slope(
    model: Model, curves: Curves, flat: Mapping[str, Floats], u: Floats, scaling: Scaling
) -> tuple[Floats, Floats]:
    """Posterior means of the expected score and of its slope at places u (curve, point)."""
    every = next(iter(flat.values())).shape[1]
    few = {name: value[:, :: max(1, every // MEAN_DRAWS)] for name, value in flat.items()}
    below, middle, above = (
        scaling.to_native(expected(model, few, u + step, ceiling_of(model, curves)).mean(axis=2))
        for step in (-STEP, 0.0, STEP)
    )
    return middle, (above - below) / (2 * STEP)


def model_fits(
    curves: Curves,
    models: Sequence[Model],
    rules: Criteria,
    *,
    draws: int = DRAWS,
    seed: int = 0,
    threads: int | None = None,
    progress: Progress | None = None,
    ends: bool = True,
) -> tuple[ModelFit, ...]:
    """What each model says of the curves, and without their ends, sampled one after the other."""
    total = len(models) * len(curves)
    leaving = Leaving.of(curves, rules) if ends else None
    gap = Gap.of(curves)
    near = gap.shortened(curves)
    out = []
    for i, model in enumerate(models):
        part = part_of(progress, i * len(curves), total)
        sample = batch.sample(model, near, draws=draws, seed=seed, threads=threads, progress=part)
        out.append(ModelFit.of(model, curves, sample, rules, leaving, gap=gap))
    return tuple(out)
