"""contrast: the gain of a technique over its baseline, as a function of scale."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from upturn.arrays.types import Floats
from upturn.checks.arguments import check_names, check_numbers
from upturn.checks.errors import DataError, shown
from upturn.model import Model
from upturn.posterior.averaging import log_priors, probabilities
from upturn.posterior.emergence import DELTA
from upturn.questions.arguments import curves_of, made_by, models_of, origin_of, table_of
from upturn.questions.contrast.gains import GAINS, KINDS, Gain, Paired
from upturn.questions.contrast.pairing import paired, settings_of
from upturn.questions.contrast.result import Contrast
from upturn.questions.contrast.task import Joint
from upturn.sampling import batch
from upturn.sampling.batch import Progress, Sample, joined_chains
from upturn.sampling.particles.weights import normalised
from upturn.tables.axis import Axis
from upturn.tables.curves import Curves
from upturn.tables.results import Results

if TYPE_CHECKING:
    import pandas as pd

DRAWS = 400
SCREEN = 10.0  # nats behind the best on the baseline alone, beyond which a shape is left out
WINDOW = 0.01  # posterior probability under a growing gain, below which it is left out
MATTERS = 0.05  # posterior probability from which on a difficult fit is done with more effort
RICHEST = next(gain for gain in GAINS if gain.name == "growing")


def contrast(
    results: "Results | Curves | pd.DataFrame | str | os.PathLike[str]",
    setting: str | Sequence[str],
    *,
    axis: str | Axis = "flops",
    models: str | Model | Sequence[str | Model] | None = None,
    by: str | None = None,
    metric: str | Sequence[str] | None = None,
    pool: bool = False,
    draws: int = DRAWS,
    seed: int = 0,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Contrast:
    """Say from which scale on a technique helps, and where its gain begins to grow.

    Both curves of a task are fitted together, on the models that have both scores. In log odds the
    technique's expected score is the baseline's plus a gain, which is 0 or a constant (often below
    0) up to a changepoint, and grows from there on; or never changes; or grows and falls back; or
    falls. The baseline is averaged over all shapes, and over all gains, by evidence. Each model has
    one offset along the axis for both of its scores, which pairs them.

    Shapes of the baseline that the data refute are not fitted with every gain (Occam's window,
    Madigan & Raftery 1994): those more than 10 nats behind the best on the baseline's scores alone,
    and those below 1 % together with a growing gain.

    Parameters
    ----------
    results : Results, Curves, DataFrame, path or name of a bundled data set
        As for `upturn.fit`. Continuous metrics are left out.
    by : str, optional
        A label to split curves by, such as "family".
    metric : str or several, optional
        Use only these metrics.
    seed : int
        Random seed.
    threads : int, optional
        Number of threads; all cores by default.
    setting : str or two of them
        "TECHNIQUE:BASELINE", both values of the column `setting`.
    axis : str or Axis
    models : str or Model, or several
        Shapes of the baseline; all built-ins by default.
    pool : bool
        Learn from all tasks together how common each kind of gain is. Their average is in
        `Contrast.average` in any case.
    draws : int
        Posterior draws of each task, shape and gain.
    progress : callable, optional
        Called with (fits done, fits in all), of which there may turn out to be fewer.

    Returns
    -------
    Contrast

    Raises
    ------
    DataError
        For a setting that is not there or has no partner; where no task has four models in both.

    Examples
    --------
    >>> import upturn
    >>> few = upturn.read("gpt3").where("task=arithmetic_2da")
    >>> found = upturn.contrast(few, "few-shot:zero-shot", models=["logit-line"], draws=100)
    >>> bool(found.summary().loc["arithmetic_2da", "p_helps"] > 0.9)
    True
    """
    check_names(sampler="population", backend="numpy", scatter="none", by=by)
    check_numbers(draws=draws, seed=seed, delta=DELTA, threads=threads)
    technique, baseline = settings_of(setting)
    chosen = models_of(models)
    if not isinstance(axis, (str, Axis)):
        raise DataError(f"axis: expected one, but got {shown(axis)}; name one")
    data = table_of(results)
    curves = paired(curves_of(data, axis, by, metric, "none"), technique, baseline)
    fits = _Fits(curves, draws, seed, threads, progress, len(chosen))
    screened = _screened(fits, chosen)
    joints = _window(fits, chosen, screened)
    meta = {
        **made_by(seed),
        "arguments": {
            **origin_of(data, metric),
            "setting": f"{technique}:{baseline}",
            "axis": [curves.axes[0].name],
            "models": [model.name for model in chosen],
            "by": by,
            "pool": bool(pool),
            "draws": int(draws),
        },
        "priors": {model.name: model.all_priors() for model in chosen},
    }
    return Contrast(curves, joints, pool=pool, seed=seed, meta=meta)


@dataclass
class _Fits:
    """Fits of some tasks under some models, counted."""

    curves: Curves
    draws: int
    seed: int
    threads: int | None
    progress: Progress | None
    models: int
    done: int = 0

    def joint(
        self, model: Paired, tasks: "np.ndarray[Any, Any]", *, attempts: int = 0
    ) -> list[Joint]:
        """Both curves of the tasks under a joint model."""
        sample = batch.sample(
            model, self.curves.take(tasks), draws=self.draws, seed=self.seed, threads=self.threads,
            attempts=attempts,
        )  # fmt: skip
        self._tell(len(tasks))
        flat = joined_chains(sample.parameters)
        state = sample.population
        return [
            Joint(
                model,
                {name: value[place] for name, value in flat.items()},
                float(state.log_evidence[place]),
                float(state.log_evidence_se[place]),
                bool(state.converged[place]),
            )
            for place in range(len(tasks))
        ]

    def alone(self, model: Model) -> Sample:
        """The baseline of every task by itself, without offsets: a screening."""
        half = baseline_of(self.curves)
        sample = batch.sample(model, half, draws=40, seed=self.seed, threads=self.threads)
        self._tell(0)
        return sample

    def _tell(self, more: int) -> None:
        self.done += more
        if self.progress is not None:
            total = len(self.curves) * self.models * len(GAINS)
            self.progress(min(self.done, total), total)


def baseline_of(joint: Curves) -> Curves:
    """The baseline's points alone, without groups."""
    from dataclasses import replace

    rank = np.cumsum(joint.mask, axis=1)
    half = joint.without(rank > joint.points[:, None] // 2)
    return replace(half, group=np.full_like(half.group, -1))


def _screened(fits: _Fits, models: Sequence[Model]) -> "np.ndarray[Any, Any]":
    """Whether each shape is worth a joint fit: (task, model)."""
    evidence = np.stack([fits.alone(m).population.log_evidence for m in models], axis=1)
    return np.asarray(evidence >= evidence.max(axis=1, keepdims=True) - SCREEN)


def _window(
    fits: _Fits, models: Sequence[Model], screened: "np.ndarray[Any, Any]"
) -> tuple[tuple[Joint, ...], ...]:
    """The joint fits of each task: with a growing gain first, then those that matter with all."""
    joints: list[list[Joint]] = [[] for _ in range(len(fits.curves))]
    evidence = np.full(screened.shape, -np.inf)
    for m in range(len(models)):
        evidence[:, m] = _fit(fits, models[m], RICHEST, screened[:, m], joints)
    inside = probabilities(models, evidence) >= WINDOW
    for gain in GAINS:
        if gain != RICHEST:
            for m in range(len(models)):
                _fit(fits, models[m], gain, inside[:, m], joints)
    prior = _prior(models)
    known = [
        [joint.with_prior(prior[joint.model.base.name, joint.model.gain.name]) for joint in task]
        for task in joints
    ]
    return tuple(tuple(task) for task in _again(fits, known))


def _fit(
    fits: _Fits,
    base: Model,
    gain: Gain,
    wanted: "np.ndarray[Any, Any]",
    joints: list[list[Joint]],
) -> Floats:
    """Fit the tasks that are wanted, and keep them; log evidences, -inf of the others: (task,)."""
    tasks = np.flatnonzero(wanted)
    evidence = np.full(len(wanted), -np.inf)
    if len(tasks):
        fitted = fits.joint(Paired.of(base, gain), tasks)
        for task, joint in zip(tasks.tolist(), fitted, strict=True):
            joints[task].append(joint)
            evidence[task] = joint.log_evidence
    return evidence


def _again(fits: _Fits, joints: list[list[Joint]]) -> list[list[Joint]]:
    """With more effort for those that are difficult and matter."""
    difficult: dict[str, list[tuple[int, int]]] = {}
    for task, of_task in enumerate(joints):
        weight = normalised(np.array([j.log_evidence + j.log_prior for j in of_task]))
        for k, joint in enumerate(of_task):
            if not joint.converged and weight[k] >= MATTERS:
                difficult.setdefault(joint.model.name, []).append((task, k))
    for places in difficult.values():
        model = joints[places[0][0]][places[0][1]].model
        better = fits.joint(model, np.array([task for task, _ in places]), attempts=1)
        for (task, k), joint in zip(places, better, strict=True):
            joints[task][k] = joint.with_prior(joints[task][k].log_prior)
    return joints


def _prior(models: Sequence[Model]) -> dict[tuple[str, str], float]:
    """Log prior probabilities: kinds of gain alike, and within each its gains; shapes likewise."""
    shapes = log_priors(models)
    kinds = [gain.kind for gain in GAINS]
    return {
        (model.name, gain.name): float(shape) - float(np.log(len(KINDS) * kinds.count(gain.kind)))
        for model, shape in zip(models, shapes, strict=True)
        for gain in GAINS
    }
