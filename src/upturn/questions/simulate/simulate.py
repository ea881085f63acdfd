"""simulate: tables of results with a known truth, from any model and design.

Parameters are drawn from their priors by SciPy and scores by NumPy, by definition. Of the samplers'
code only the expected score is used, so that the calibration of a sampler is independent of it.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from upturn.checks.arguments import known, whole
from upturn.checks.errors import DataError, shown
from upturn.formulas.curve import noise_parameters
from upturn.formulas.likelihoods.registry import BY_KIND, LIKELIHOODS
from upturn.formulas.scaling import Scaling, scaling_of
from upturn.model import Model
from upturn.questions.arguments import curves_of, models_of, table_of
from upturn.questions.simulate.design import Design, numbered
from upturn.questions.simulate.draw import Fixed, draw, in_order, truth_of
from upturn.questions.simulate.result import Simulation
from upturn.tables.axis import Axis
from upturn.tables.curves import Curves
from upturn.tables.results import Results
from upturn.tables.rules import MAX_ROWS

if TYPE_CHECKING:
    import pandas as pd

TASKS = 100


def simulate(
    model: str | Path | Model | Sequence[str | Model] = "hinge",
    design: "Design | Results | Curves | pd.DataFrame | str | os.PathLike[str] | None" = None,
    *,
    tasks: int | None = None,
    axis: str | Axis = "flops",
    by: str | None = None,
    metric: str | Sequence[str] | None = None,
    scatter: str = "auto",
    likelihood: str | None = None,
    priors: Mapping[str, str] | None = None,
    fixed: Fixed | None = None,
    seed: int = 0,
) -> "Simulation":
    """Draw a table of results from a model, with its truth.

    Every parameter of every task is drawn from its prior, unless it is fixed.

    Parameters
    ----------
    model : str, Path or Model, or several
        Several are assigned to the tasks in turn.
    design : Design, or a table as for `upturn.fit`
        By default `Design()`: 12 models from 1e19 to 1e25 FLOPs, 500 trials. Each curve of a table
        in turn gives models, scales, trials, the chance level and groups.
    tasks : int, optional
        By default 100, or as many as the table has curves.
    axis : str or Axis
        Axis of scale.
    by : str, optional
        A label to split curves by, such as "family".
    metric : str or several, optional
        Use only these metrics.
    scatter : str
        Which points share an offset: "auto", "none", "family" or "run".
    likelihood : str, optional
        "beta-binomial", "binomial", "beta" (proportions without trials), "normal" or "student-t"
        (a continuous metric), or the first three with "-robust", where some scores are broken.
        By default the model's, which by default depends on the kind of curves.
    priors : mapping, optional
        Such as ``{"changepoint": "Uniform(0.2, 0.9)"}``.
    fixed : mapping, optional
        Parameters that all tasks share, on the model's scale (a changepoint is a share of the
        axis), such as ``{"overdispersion": 0.02, "scatter": 0.1}``.
    seed : int
        Random seed.

    Returns
    -------
    Simulation

    Raises
    ------
    DataError
        For anything wrong with the design or the arguments.

    Examples
    --------
    >>> import upturn
    >>> made = upturn.simulate("hinge", tasks=3, fixed={"changepoint": 0.5}, seed=1)
    >>> made.frame.columns.tolist()
    ['task', 'model', 'flops', 'successes', 'trials', 'chance', 'ceiling']
    >>> made.truth["changepoint"].tolist()
    [22.0, 22.0, 22.0]
    >>> upturn.read(made.frame)
    Results(table: 36 rows, 3 tasks, 12 models; axes flops)
    """
    chosen = models_of(model)  # type: ignore[arg-type]
    if likelihood is not None:
        chosen = [model.with_likelihood(likelihood) for model in chosen]
    if priors is not None:
        chosen = [model.with_priors(priors) for model in chosen]
    whole("seed", seed, 0, 2**63 - 1)
    check_fixed(chosen, fixed or {})
    rng = np.random.default_rng(seed)
    if design is None or isinstance(design, Design):
        kind = kind_of(chosen)
        curves = (design or Design()).curves(TASKS if tasks is None else tasks, kind=kind, rng=rng)
        scaling = None
    else:
        curves = curves_of(table_of(design), axis, by, metric, scatter)
        scaling = scaling_of(chosen[0], curves)
        if tasks is not None:
            whole("tasks", tasks, 1, MAX_ROWS)
            scaling = scaling.take(np.arange(tasks) % len(curves))
            curves = numbered(curves, tasks)
    which = np.arange(len(curves)) % len(chosen)
    return deal(chosen, which, curves, rng, fixed=fixed, scaling=scaling)


def deal(
    models: Sequence[Model],
    which: Any,
    design: Curves,
    rng: np.random.Generator,
    *,
    fixed: Fixed | None = None,
    scaling: Scaling | None = None,
) -> "Simulation":
    """Draw each curve of a design from one of several models.

    Parameters
    ----------
    models : sequence of Model
    which : array of int (curve,)
        The model of each.
    design, rng, fixed, scaling
        See `draw`.
    """
    parts, truths = [], []
    for number, model in enumerate(models):
        index = np.flatnonzero(which == number)
        if not len(index):
            continue
        given = {
            name: np.broadcast_to(np.asarray(value, dtype=np.float64), len(design))[index]
            for name, value in (fixed or {}).items()
        }
        part_scaling = None if scaling is None else scaling.take(index)
        drawn = draw(model, design.take(index), rng, fixed=given, scaling=part_scaling)
        parts.append((index, drawn))
        truths.append((index, truth_of(model, drawn)))
    truth: dict[str, Any] = {}
    for index, values in truths:
        for name, value in values.items():
            truth.setdefault(name, np.full(len(design), np.nan)).__setitem__(index, value)
    return Simulation(tuple(models), np.asarray(which), in_order(parts), truth)


def check_fixed(models: Sequence[Model], fixed: Fixed) -> None:
    """Refuse fixed values of unknown parameters, and values outside their domain."""
    names = dict.fromkeys(name for model in models for name in model.parameters)
    for name, value in fixed.items():
        known(name, [*names, *noise_parameters()], kind="parameter", where="fixed")
        least, most = zip(*(model.domain(name) for model in models), strict=True)
        low, high = max(least), min(most)
        number = np.asarray(value, dtype=np.float64)
        if not (np.isfinite(number) & (number >= low) & (number <= high)).all():
            raise DataError(
                f"fixed, {name}: expected a number within [{low:g}, {high:g}], "
                f"but got {shown(value)}"
            )


def kind_of(models: Sequence[Model]) -> str:
    """The kind of curves that the models' likelihoods are for."""
    kinds = {
        "counts" if model.likelihood in BY_KIND else LIKELIHOODS[model.likelihood].kinds[0]
        for model in models
    }
    if len(kinds) > 1:
        raise DataError(
            f"model: expected models of one kind of curve, but got {', '.join(sorted(kinds))}; "
            "choose one likelihood"
        )
    return kinds.pop()
