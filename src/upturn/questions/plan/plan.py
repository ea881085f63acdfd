"""plan: how many models, and how many test questions, locate an emergence scale well enough?"""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

from upturn.arrays.types import Floats
from upturn.checks.arguments import check_numbers, known, whole
from upturn.checks.errors import DataError, shown
from upturn.formulas.scaling import ceiling_of
from upturn.model import Model
from upturn.posterior.criteria import MIN_RISE
from upturn.posterior.emergence import DELTA, expected
from upturn.questions.arguments import made_by
from upturn.questions.plan.result import Plan
from upturn.questions.simulate.design import numbered
from upturn.questions.simulate.draw import Drawn, draw
from upturn.questions.simulate.simulate import check_fixed
from upturn.sampling import batch
from upturn.sampling.batch import Progress
from upturn.tables.axis import Axis
from upturn.tables.curves import Curves
from upturn.tables.results import read
from upturn.tables.rules import MAX_COUNT, MAX_POINTS

LAYOUTS = ("even", "near")
NEAR = 1.0  # decades on either side that hold half of the models of the layout "near"
LEAST_MODELS = 3
ROUNDS = 20  # times that tasks are drawn, at most, until enough of them rise
DRAWS = 400


def plan(
    *,
    models: int | Sequence[int] = (6, 10, 20, 40),
    trials: int | Sequence[int] = (100, 1000),
    layouts: str | Sequence[str] = LAYOUTS,
    around: float | None = None,
    limits: tuple[float, float] = (1e19, 1e25),
    axis: str | Axis = "flops",
    model: str | Model = "hinge",
    chance: float = 0.25,
    within: float = 0.2,
    probability: float = 0.8,
    tasks: int = 100,
    fixed: Mapping[str, float] | None = None,
    seed: int = 0,
    threads: int | None = None,
    progress: Progress | None = None,
) -> "Plan":
    """Say, by simulation, which designs locate the scale at which a task emerges.

    Tasks are drawn from the priors of a model, except for the parameters that are fixed, and
    measured with each design. The model is fitted, and the posterior median of its changepoint is
    compared with the true one. A design is enough if the distance is at most `within` decades with
    the probability asked for. The lower limit of a one-sided 95 % interval of that probability
    decides, because the estimated probability of the best of many designs is too high. Tasks that
    rise by less than 0.1 over the axis have no scale to locate, and are drawn again.

    Parameters
    ----------
    models, trials : int or several
        Numbers of models, and numbers of test questions behind each score, to try.
    layouts : str or several
        "even": models evenly along the axis. "near": half of them evenly, half within a decade
        of `around`.
    around : float, optional
        Scale at which the task is expected to emerge, in native units; the middle of the axis by
        default. The simulated tasks of all designs emerge within a decade of it, unless the model
        has several changepoints.
    limits : (float, float)
        Smallest and largest scale, in native units.
    axis : str or Axis
        A logarithmic axis.
    model : str or Model
        A curve model with a changepoint.
    chance : float
        Score of random guessing; nan if unknown.
    within : float
        Largest error of the estimated scale, in decades.
    probability : float
        Probability with which the estimate should be that close.
    tasks : int
        Number of simulated tasks for each design.
    fixed : mapping of str to float, optional
        Parameters that have this value instead of being drawn, on the model's scale, for example
        ``{"height": 0.6}``.
    seed : int
        Random seed.
    threads : int, optional
        Number of threads; all cores by default.
    progress : callable, optional
        Called with (designs done, designs in all).

    Returns
    -------
    Plan

    Raises
    ------
    DataError
        For arguments that do not describe a design.

    Examples
    --------
    >>> import upturn
    >>> plan = upturn.plan(models=[5, 30], trials=300, layouts="even", tasks=20, seed=1)
    >>> p = plan.summary()["p_within"]
    >>> bool(p.iloc[0] < p.iloc[1])
    True
    """
    check_numbers(draws=DRAWS, seed=seed, delta=DELTA, threads=threads)
    whole("tasks", tasks, 1, 100_000)
    counts = _whole_numbers("models", models, LEAST_MODELS, MAX_POINTS)
    examples = _whole_numbers("trials", trials, 1, MAX_COUNT)
    chosen = [layouts] if isinstance(layouts, str) else list(layouts)
    for name in chosen:
        known(name, LAYOUTS, kind="layout", where="layouts")
    if not chosen:
        raise DataError("layouts: expected at least one, but got none")
    for name, value, most in (("within", within, 100.0), ("probability", probability, 1.0)):
        if not (_is_number(value) and 0 < value < most):
            raise DataError(f"{name}: expected a number in (0, {most:g}), but got {shown(value)}")
    curve = Model.read(model)
    if not curve.changepoints:
        raise DataError(
            f"model: expected one with a changepoint, but got {shown(curve.name)}; "
            "use hinge or step"
        )
    check_fixed([curve], fixed or {})
    parsed = Axis.parse(axis)
    ends, middle = _ends(parsed, limits, around)
    rng = np.random.default_rng(seed)
    rows = []
    designs = list(product(chosen, counts, examples))
    for done, (layout, count, n) in enumerate(designs):
        x = places(layout, count, ends, middle)
        drawn = _rising(
            curve, parsed, x, rng, trials=n, chance=chance, tasks=tasks, middle=middle,
            fixed=fixed or {},
        )  # fmt: skip
        rows.append(
            {"layout": layout, "models": count, "trials": n}
            | _accuracy(curve, drawn, within, seed, threads)
        )
        if progress is not None:
            progress(done + 1, len(designs))
    meta = {
        **made_by(seed),
        "arguments": {
            "axis": parsed.name, "limits": list(limits), "around": float(parsed.value(middle)),
            "model": curve.name, "chance": chance, "within": within, "probability": probability,
            "tasks": tasks, "fixed": dict(fixed or {}),
        },
        "priors": curve.all_priors(),
    }  # fmt: skip
    return Plan(tuple(rows), float(within), float(probability), parsed, meta)


def _whole_numbers(name: str, given: Any, least: int, most: int) -> list[int]:
    several = list(given) if isinstance(given, (list, tuple)) else [given]
    if not several:
        raise DataError(f"{name}: expected at least one number, but got none")
    for value in several:
        whole(name, value, least, most)
    return [int(value) for value in several]


def _ends(axis: Axis, limits: Any, around: float | None) -> tuple[Floats, float]:
    """The coordinates of the limits, and of the scale at which tasks are expected to emerge."""
    native = np.asarray(limits, dtype=np.float64)
    if not axis.is_log or axis.components:
        raise DataError(f"axis: expected a logarithmic axis, but got {shown(axis.name)}")
    if native.shape != (2,) or not (np.isfinite(native).all() and (native > 0).all()):
        raise DataError(f"limits: expected two numbers above 0, but got {shown(limits)}")
    ends = np.sort(axis.coordinate(native))
    if not ends[1] > ends[0]:
        raise DataError(f"limits: expected two different scales, but got {shown(limits)}")
    if around is None:
        return ends, float(ends.mean())
    usable = _is_number(around) and np.isfinite(around) and around > 0
    middle = float(axis.coordinate(around)) if usable else np.nan
    if not ends[0] <= middle <= ends[1]:
        raise DataError(f"around: expected a scale within the limits, but got {shown(around)}")
    return ends, middle


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def places(layout: str, count: int, ends: Floats, middle: float) -> Floats:
    """The coordinates of the models: (model,).

    Examples
    --------
    >>> places("near", 6, np.array([19.0, 25.0]), 22.0).tolist()
    [19.0, 21.0, 22.0, 22.0, 23.0, 25.0]
    """
    if layout == "even":
        return np.linspace(ends[0], ends[1], count)
    close = count // 2
    low, high = np.clip([middle - NEAR, middle + NEAR], *ends)
    return np.sort(
        np.concatenate(
            [np.linspace(ends[0], ends[1], count - close), np.linspace(low, high, close)]
        )
    )


def _design(axis: Axis, x: Floats, trials: int, chance: float, tasks: int) -> Curves:
    """Curves of this design, with placeholders for the scores."""
    import pandas as pd

    count = len(x)
    frame = pd.DataFrame(
        {
            "task": np.repeat([f"task {i}" for i in range(tasks)], count),
            "model": np.tile([f"model {i}" for i in range(count)], tasks),
            axis.name: np.tile(axis.value(x), tasks),
            "successes": 0, "trials": trials, "chance": chance,
        }
    )  # fmt: skip
    return read(frame, name="plan").curves(axis)


def _rising(
    model: Model,
    axis: Axis,
    x: Floats,
    rng: np.random.Generator,
    *,
    trials: int,
    chance: float,
    tasks: int,
    middle: float,
    fixed: Mapping[str, float],
) -> Drawn:
    """Simulated tasks that rise, within a decade of the expected scale."""
    ends = x[[0, -1]]
    low, high = (np.clip([middle - NEAR, middle + NEAR], *ends) - ends[0]) / (ends[1] - ends[0])
    kept: list[Drawn] = []
    count = 0
    for _ in range(ROUNDS):
        design = _design(axis, x, trials, chance, tasks)
        drawn = draw(model, design, rng, fixed={**_onset(model, low, high, tasks, rng), **fixed})
        ok = _rise(model, drawn) >= MIN_RISE
        kept.append(_take(drawn, np.flatnonzero(ok)[: tasks - count]))
        count += len(kept[-1].curves)
        if count >= tasks:
            return _joined(kept)
    raise DataError(
        f"fixed: expected tasks that rise by {MIN_RISE:g} or more, but got {count} in "
        f"{ROUNDS * tasks:,}; fix other parameters"
    )


def _onset(
    model: Model, low: float, high: float, tasks: int, rng: np.random.Generator
) -> dict[str, Floats]:
    """Changepoints near the expected scale; several, which are ordered, are left to the prior."""
    if len(model.changepoints) > 1:
        return {}
    return {model.changepoints[0]: rng.uniform(low, high, tasks)}


def _rise(model: Model, drawn: Drawn) -> Floats:
    """How much the expected score of each task rises over the axis: (curve,)."""
    p = {name: value[:, None] for name, value in drawn.parameters.items()}
    ends = np.tile([0.0, 1.0], (len(drawn.curves), 1))
    score = expected(model, p, ends, ceiling_of(model, drawn.curves))[:, :, 0]
    return np.asarray(score[:, 1] - score[:, 0])


def _take(drawn: Drawn, index: Any) -> Drawn:
    parameters = {name: value[index] for name, value in drawn.parameters.items()}
    return Drawn(
        drawn.curves.take(index), parameters, drawn.offset[index], drawn.mean[index],
        drawn.scaling.take(index),
    )  # fmt: skip


def _joined(parts: list[Drawn]) -> Drawn:
    """All tasks that were kept, numbered again."""
    some = [part for part in parts if len(part.curves)]
    together = Curves.concatenate([part.curves for part in some])
    curves = numbered(together, len(together))  # tasks of two rounds have the same names
    parameters = {
        name: np.concatenate([part.parameters[name] for part in some])
        for name in some[0].parameters
    }
    offset, mean = (
        np.concatenate([getattr(part, name) for part in some]) for name in ("offset", "mean")
    )
    return Drawn(curves, parameters, offset, mean, some[0].scaling)


def _accuracy(
    model: Model, drawn: Drawn, within: float, seed: int, threads: int | None
) -> dict[str, Any]:
    """How close estimated changepoints of these tasks are to the true ones."""
    first = model.changepoints[0]
    sample = batch.sample(model, drawn.curves, draws=DRAWS, seed=seed, threads=threads)
    low, high = drawn.curves.limits[:, 0]
    u = sample.parameters[first].reshape(len(drawn.curves), -1)
    q = low + np.quantile(u, [0.05, 0.5, 0.95], axis=1) * (high - low)
    true = low + drawn.parameters[first] * (high - low)
    hit = np.abs(q[1] - true) <= within
    p, count = float(hit.mean()), len(hit)
    return {
        "p_within": p,
        "p_within_se": float(np.sqrt(max(p * (1 - p), 1 / count) / count)),
        "error": float(np.median(np.abs(q[1] - true))),
        "half_width": float(np.median((q[2] - q[0]) / 2)),
        "coverage_90": float(((q[0] <= true) & (true <= q[2])).mean()),
        "tasks": count,
        "failed": int((~sample.population.converged).sum()),
    }
