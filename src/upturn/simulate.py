"""simulate: tables of results whose truth is known, drawn from any model and design.

Parameters are drawn from their priors by SciPy and scores by NumPy, from the definitions: of what
samplers do fast, only the expected score is used here. What calibrates a sampler is independent of
it.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from upturn.arguments import curves_of, table_of
from upturn.arrays.compiled import MEAN_MARGIN
from upturn.arrays.namespaces import NUMPY
from upturn.arrays.types import Floats
from upturn.checks.arguments import known, whole
from upturn.checks.errors import DataError, shown
from upturn.design import Design, numbered
from upturn.formulas.curve import DOMAINS, plain_name
from upturn.formulas.likelihoods import autocorrelation
from upturn.formulas.likelihoods.registry import BY_KIND, LIKELIHOODS
from upturn.formulas.scaling import Scaling, bounded_of, native, scaling_of
from upturn.model import Model
from upturn.posterior import emergence as em
from upturn.posterior.emergence import turning
from upturn.questions.classify.classify import models_of
from upturn.questions.classify.criteria import Criteria, judged
from upturn.sampling.density.target import Target
from upturn.tables.axis import Axis
from upturn.tables.curves import Curves
from upturn.tables.flags import data_flags
from upturn.tables.results import Results, read
from upturn.tables.rules import MAX_ROWS

if TYPE_CHECKING:
    import pandas as pd

TASKS = 100

type Fixed = Mapping[str, float | Floats]


@dataclass(frozen=True)
class Drawn:
    """Curves with scores drawn from one model.

    Attributes
    ----------
    curves : Curves
    parameters : dict of array (curve,)
        On the model's scale; nan where a curve's likelihood has no such parameter.
    offset : array (curve, group)
        Of each scatter group along the unit axis; 0 where there is none.
    mean : array (curve, point)
        Expected scores on the model's scale, offsets included; nan in padding.
    scaling : Scaling
        How native scores map to the model's scale.
    """

    curves: Curves
    parameters: dict[str, Floats]
    offset: Floats
    mean: Floats
    scaling: Scaling


def draw(
    model: Model,
    design: Curves,
    rng: np.random.Generator,
    *,
    fixed: Fixed | None = None,
    scaling: Scaling | None = None,
) -> Drawn:
    """Draw parameters from their priors and scores from the likelihood.

    Parameters
    ----------
    model : Model
    design : Curves
        Whose scores are replaced. Scatter groups have offsets, as in a fit.
    rng : Generator
    fixed : mapping, optional
        Parameters that are given and not drawn, on the model's scale: numbers, or arrays (curve,).
    scaling : Scaling, optional
        How native scores of continuous metrics map to the model's scale; by default as if they
        filled its middle half, from 0.25 to 0.75, where they are from 0 to 1 in native units.

    Returns
    -------
    Drawn
    """
    unit = Scaling(np.zeros(len(design)), np.ones(len(design)))
    scaling = unit if scaling is None else scaling
    parts = []
    for kind in dict.fromkeys(design.kind.tolist()):
        index = np.flatnonzero(design.kind == kind)
        parts.append(
            (index, _of_kind(model, design, index, rng, fixed=fixed or {}, scaling=scaling))
        )
    return _in_order(parts)


def _of_kind(
    model: Model,
    design: Curves,
    index: Any,
    rng: np.random.Generator,
    *,
    fixed: Fixed,
    scaling: Scaling,
) -> Drawn:
    """Curves of one kind."""
    curves, own = design.take(index), scaling.take(index)
    likelihood = model.likelihood_for(str(curves.kind[0]))
    target = Target(model, curves, likelihood, scaling=own)
    given = {
        name: np.broadcast_to(np.asarray(value, dtype=np.float64), len(design))[index]
        for name, value in fixed.items()
        if name in target.names
    }
    p = _parameters(target, rng) | given
    likelihood = target.likelihood
    offset = rng.standard_normal((len(curves), max(int(curves.groups.max(initial=0)), 1)))
    offset *= p["scatter"][:, None] if target.grouped else 0.0
    apart = np.take_along_axis(offset, np.maximum(curves.group, 0), axis=1)
    u = target.u + np.where(curves.group >= 0, apart, 0.0)
    at = {name: value[:, None, None] for name, value in p.items()}
    mean = model.mean(NUMPY, at, u[:, :, None], target.ceiling[:, None, None])
    mean = np.broadcast_to(mean, (*u.shape, 1))[:, :, 0]
    mean = np.clip(mean, MEAN_MARGIN, 1 - MEAN_MARGIN) if likelihood.bounded else mean
    noise = {name: np.broadcast_to(value[:, None], u.shape) for name, value in p.items()}
    if target.likelihood.plain is None:
        y = target.likelihood.draw(rng, mean, noise, curves.trials)
    else:
        y = _in_turn(target, rng, mean, noise)
    span, start = own.span[:, None], own.offset[:, None]
    response = y if likelihood.counted else start + span * y
    response = np.where(curves.mask, response, 0.0)
    flags = data_flags(curves.x, curves.mask, response, curves.trials, curves.kind)
    measured = replace(curves, response=response, flags=flags)
    return Drawn(measured, p, offset, np.where(curves.mask, mean, np.nan), own)


def _in_turn(
    target: Target, rng: np.random.Generator, mean: Floats, noise: Mapping[str, Floats]
) -> Floats:
    """Scores (curve, point) that follow one another along runs, each drawn given those before."""
    curves, chain = target.curves, target.curves.chain
    rows = np.arange(len(curves))
    at, variance = (np.full((len(curves), int(chain.max()) + 1), x) for x in (0.0, 1.0))
    y = np.zeros(mean.shape)
    for i, mine in enumerate(chain.T):
        p = {name: value[:, i] for name, value in noise.items()}
        before = at[rows, mine], variance[rows, mine]
        moved, given, scale = autocorrelation.conditional(NUMPY, mean[:, i], p, *before)
        trials = curves.trials[:, i]
        y[:, i] = target.likelihood.draw(rng, moved, given, trials)
        state = autocorrelation.updated(NUMPY, (moved, given, scale), before, y[:, i], trials)
        at[rows, mine], variance[rows, mine] = state
    return y


def _parameters(target: Target, rng: np.random.Generator) -> dict[str, Floats]:
    """Each curve's parameters from their priors; several changepoints are ordered draws of one."""
    out = {name: target.priors[name].draw(rng, target.chance) for name in target.names}
    several = target.model.changepoints
    if len(several) > 1:
        out |= dict(zip(several, np.sort([out[name] for name in several], axis=0), strict=True))
    return out


def _in_order(parts: Sequence[tuple[Any, Drawn]]) -> Drawn:
    """Sets of curves as one, in the order of all."""
    if len(parts) == 1:
        return parts[0][1]
    back = np.argsort(np.concatenate([index for index, _ in parts]), kind="stable")
    drawn = [part for _, part in parts]
    curves = Curves.concatenate(part.curves for part in drawn).take(back)
    names = dict.fromkeys(name for part in drawn for name in part.parameters)
    parameters = {
        name: np.concatenate(
            [d.parameters.get(name, np.full(len(d.curves), np.nan)) for d in drawn]
        )[back]
        for name in names
    }
    groups = max(part.offset.shape[1] for part in drawn)
    points = max(part.mean.shape[1] for part in drawn)
    return Drawn(
        curves,
        parameters,
        np.concatenate([_wider(part.offset, groups, 0.0) for part in drawn])[back],
        np.concatenate([_wider(part.mean, points, np.nan) for part in drawn])[back],
        Scaling(
            np.concatenate([part.scaling.offset for part in drawn])[back],
            np.concatenate([part.scaling.span for part in drawn])[back],
        ),
    )


def _wider(array: Floats, columns: int, padding: float) -> Floats:
    return np.pad(array, ((0, 0), (0, columns - array.shape[1])), constant_values=padding)


# ---- what there is to be found -------------------------------------------------------------------


def truth_of(
    model: Model, drawn: Drawn, *, delta: float = em.DELTA, rules: Criteria | None = None
) -> dict[str, Any]:
    """What fits and classifications of drawn curves should find, by the names they use.

    Parameters
    ----------
    model : Model
        That was drawn from.
    drawn : Drawn
    delta : float
        As for `upturn.fit`.
    rules : Criteria, optional
        As for `upturn.classify`.

    Returns
    -------
    dict of array (curve,)
        Parameters as in the posterior of a fit: changepoints in coordinates of the axis, floor and
        sigma in native units. `scale`, `threshold_scale` and `emergence_scale` in native units: inf
        beyond the largest (0 on an axis of less is better), nan for no emergence. `rise`, `gain`,
        `emergent`, `sharp`.
    """
    curves, scaling = drawn.curves, drawn.scaling
    flat = {name: value[:, None] for name, value in drawn.parameters.items()}
    low, high = curves.limits[:, 0, :, None]
    end = np.where(high > low, 1.0, 0.0)[:, 0]
    sign = np.where(bounded_of(model, curves), 1.0, curves.orientation)

    def x_of(u: Floats) -> Floats:
        return low + u * np.where(high > low, high - low, 1.0)

    turned, first = turning(model, curves, flat, delta=delta, scaling=scaling, end=end)
    found, emergent, sharp = judged(model, curves, flat, rules or Criteria(), scaling)
    out = {
        **native(model, flat, scaling, sign, x_of),
        "scale": _values(curves, x_of(first)),
        "threshold_scale": _values(curves, x_of(turned.threshold)),
        "emergence_scale": np.where(emergent, _values(curves, x_of(found.flat_until)), np.nan),
        "rise": found.rise * scaling.span[:, None],
        "gain": turned.gain * scaling.span[:, None],
        "emergent": emergent,
        "sharp": sharp,
    }
    return {name: value[:, 0] for name, value in out.items()}


def _values(curves: Curves, x: Floats) -> Floats:
    """Coordinates (curve, draw) in native units."""
    out = np.empty_like(x)
    for axis in dict.fromkeys(curves.axes):
        here = np.array([other == axis for other in curves.axes])
        out[here] = axis.value(x[here])
    return out


# ---- tables --------------------------------------------------------------------------------------


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
        Several are dealt out to the tasks in turn.
    design : Design, or a table as for `upturn.fit`
        By default `Design()`: 12 models from 1e19 to 1e25 FLOPs, 500 trials. Of a table its models,
        scales, trials, chance levels and groups are taken, each of its curves in turn.
    tasks : int, optional
        By default 100, or as many as the table has curves.
    axis, by, metric, scatter
        Of a table, as for `upturn.fit`.
    likelihood : str, optional
        "beta-binomial", "binomial", "beta" (proportions without trials), "normal" or "student-t"
        (a continuous metric), or the first three with "-robust", of which some scores are broken.
        By default the model's, which by default goes by the kind of curves.
    priors : mapping, optional
        Such as ``{"changepoint": "Uniform(0.2, 0.9)"}``.
    fixed : mapping, optional
        Parameters that all tasks share, on the model's scale (a changepoint is a share of the
        axis), such as ``{"overdispersion": 0.02, "scatter": 0.1}``.
    seed : int

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
        chosen = [one.with_likelihood(likelihood) for one in chosen]
    if priors is not None:
        chosen = [one.with_priors(priors) for one in chosen]
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
    for number, one in enumerate(models):
        index = np.flatnonzero(which == number)
        if not len(index):
            continue
        given = {
            name: np.broadcast_to(np.asarray(value, dtype=np.float64), len(design))[index]
            for name, value in (fixed or {}).items()
        }
        own = None if scaling is None else scaling.take(index)
        drawn = draw(one, design.take(index), rng, fixed=given, scaling=own)
        parts.append((index, drawn))
        truths.append((index, truth_of(one, drawn)))
    truth: dict[str, Any] = {}
    for index, found in truths:
        for name, value in found.items():
            truth.setdefault(name, np.full(len(design), np.nan)).__setitem__(index, value)
    return Simulation(tuple(models), np.asarray(which), _in_order(parts), truth)


def check_fixed(models: Sequence[Model], fixed: Fixed) -> None:
    """Refuse fixed values of what no model has, and those that have no meaning."""
    noise = sorted({name for one in LIKELIHOODS.values() for name in one.parameters})
    names = dict.fromkeys(name for one in models for name in one.parameters)
    for name, value in fixed.items():
        known(name, [*names, *noise, "scatter"], kind="parameter", where="fixed")
        low, high = DOMAINS.get(plain_name(name), (-np.inf, np.inf))
        number = np.asarray(value, dtype=np.float64)
        if not (np.isfinite(number) & (number >= low) & (number <= high)).all():
            raise DataError(
                f"fixed, {name}: expected a number within [{low:g}, {high:g}], "
                f"but got {shown(value)}"
            )


def kind_of(models: Sequence[Model]) -> str:
    """The kind of curves that the models' likelihoods were made for."""
    kinds = {
        "counts" if one.likelihood in BY_KIND else LIKELIHOODS[one.likelihood].kinds[0]
        for one in models
    }
    if len(kinds) > 1:
        raise DataError(
            f"model: expected models of one kind of curve, but got {', '.join(sorted(kinds))}; "
            "choose one likelihood"
        )
    return kinds.pop()


@dataclass(frozen=True, eq=False)
class Simulation:
    """A simulated table and its truth.

    Attributes
    ----------
    models : tuple of Model
    which : array of int (curve,)
        The model that each curve was drawn from.
    drawn : Drawn
    """

    models: tuple[Model, ...]
    which: Any
    drawn: Drawn
    _truth: Mapping[str, Any]

    def __repr__(self) -> str:
        names = ", ".join(one.name for one in self.models)
        return f"Simulation({names}; {self.curves!r})"

    @property
    def with_twin(self) -> bool:
        """Whether it was drawn from a model and its no-change twin, and nothing else."""
        return len(self.models) == 2 and self.models[1] == self.models[0].twin()

    @property
    def curves(self) -> Curves:
        """What was drawn, as curves that every question takes."""
        return self.drawn.curves

    @cached_property
    def frame(self) -> "pd.DataFrame":
        """What was drawn, as a table that `upturn.read` reads."""
        return to_table(self.curves)

    @cached_property
    def results(self) -> Results:
        """What was drawn, as results."""
        continuous = self.curves.kind == "continuous"
        metrics = self.curves.labels.get("metric", np.full(len(self.curves), "score"))
        lower = continuous & (self.curves.orientation < 0)
        return read(
            self.frame,
            name="simulated",
            continuous=tuple(dict.fromkeys(metrics[continuous].tolist())),
            lower_is_better=tuple(dict.fromkeys(metrics[lower].tolist())),
        )

    @cached_property
    def truth(self) -> "pd.DataFrame":
        """What there is to be found: one row a task; see `truth_of`.

        `task`, `drawn_from` (the model), parameters by name, `scale`, `threshold_scale`,
        `emergence_scale`, `rise`, `gain`, `emergent`, `sharp`.
        """
        import pandas as pd

        labels = {"task": self.curves.labels["task"]}
        names = np.array([one.name for one in self.models])[self.which]
        values = dict(self._truth)
        for name in ("emergent", "sharp"):
            values[name] = np.asarray(values[name]).astype(bool)
        last = ("scale", "threshold_scale", "emergence_scale", "rise", "gain", "emergent", "sharp")
        order = [*(name for name in values if name not in last), *last]
        columns = {name: values[name] for name in order}
        index = pd.Index(self.curves.name.astype(object), name="curve")
        return pd.DataFrame({**labels, "drawn_from": names, **columns}, index=index)


def to_table(curves: Curves) -> "pd.DataFrame":
    """Curves on one axis as a table of results, one row a point.

    Parameters
    ----------
    curves : Curves
    """
    import pandas as pd

    axis = curves.axes[0]
    if set(curves.axes) != {axis}:
        raise DataError("axis: expected curves on one axis to make a table of, but got several")
    curve, point = np.nonzero(curves.mask)
    at = (curve, point)
    columns: dict[str, Any] = {"task": curves.labels["task"][curve], "model": curves.model[at]}
    for name in ("metric", "setting", "shots"):
        if name in curves.labels:
            columns[name] = curves.labels[name][curve]
    if (curves.family[at] != "").any():
        columns["family"] = curves.family[at]
    if (curves.run >= 0).any():
        names = np.char.add("run ", (curves.run[at] + 1).astype(str))
        columns["run"] = np.where(curves.run[at] >= 0, names, "")
    columns |= {part.name: part.value(x[at]) for part, x in zip(axis.parts, curves.x, strict=False)}
    counts = curves.kind[curve] == "counts"
    if not counts.all():
        columns["score"] = np.where(counts, np.nan, curves.score[at])
    for name, values in (("successes", curves.response[at]), ("trials", curves.trials[at])):
        if counts.all():
            columns[name] = values.astype(np.int64)
        elif counts.any():
            columns[name] = np.where(counts, values, np.nan)
    for name in ("chance", "ceiling"):
        values = getattr(curves, name)
        if not np.isnan(values).all():
            columns[name] = values[curve]
    return pd.DataFrame(columns)
