"""pool: emergence scales of tasks, and how much earlier or later each family is."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from upturn.arrays.types import Floats
from upturn.checks.arguments import check_names, check_numbers
from upturn.checks.errors import DataError, listed, shown
from upturn.formulas.priors import Prior
from upturn.model import Model
from upturn.posterior import emergence as em
from upturn.questions.arguments import COMPUTING, made_by, origin_of, part_of, table_of
from upturn.questions.pool.hierarchy import SPREADS, Pooled, compile_hierarchy, coordinates
from upturn.questions.pool.leave_family_out import DRAWS as DRAWS_LEFT_OUT
from upturn.questions.pool.leave_family_out import leave_family_out
from upturn.questions.pool.on_axis import OnAxis
from upturn.questions.pool.result import Pool
from upturn.sampling import batch
from upturn.sampling.batch import Progress, joined_chains
from upturn.sampling.nuts.sample import CHAINS, Run, check_available
from upturn.tables.axis import Axis
from upturn.tables.curves import Curves
from upturn.tables.results import Results

if TYPE_CHECKING:
    import pandas as pd

# Average acceptance that the step size is tuned to, and a multiple of the draws. The second run
# is made only where the first has not converged.
RUNS = ((0.8, 1), (0.95, 2))
PHASES = (
    "fitting each task alone", "compiling the model", "sampling by NUTS",
    "sampling again, with smaller steps",
)  # fmt: skip
PILOT = 1000  # draws of the population sampler from which the coordinates are computed
DRAWS = 8000
FEWEST_FAMILIES = 2


def pool(
    results: "Results | Curves | pd.DataFrame | str | os.PathLike[str]",
    *,
    over: str = "family",
    axis: str | Axis | Sequence[str | Axis] = "flops",
    model: str | Path | Model = "hinge",
    metric: str | Sequence[str] | None = None,
    draws: int = DRAWS,
    seed: int = 0,
    nuts: str = "nutpie",
    priors: Mapping[str, str] | None = None,
    delta: float = em.DELTA,
    threads: int | None = None,
    progress: Progress | None = None,
) -> "Pool":
    """Pool families partially: each family has one offset along the axis, shared by its tasks.

    The emergence scale of task t in family f is tau_tf = tau_t + delta_f + epsilon_tf, with
    delta_f ~ N(0, sigma_family) and epsilon_tf ~ N(0, sigma_task). The offset of a family with one
    model is drawn towards zero; no family is left out. All tasks share the limits of the axis. The
    posterior is sampled by NUTS.

    Parameters
    ----------
    results : Results, Curves, DataFrame, path or name of a bundled data set
        As for `upturn.fit`.
    over : str
        The label whose values are the families: "family", "run", or another label.
    axis : str or Axis, or several
        With several axes, only rows that have a value on all of them are used, and `Pool.axes`
        ranks them.
    model : str, Path or Model
        The curve model of all tasks.
    metric : str or several, optional
        Use only these metrics.
    draws : int
        Posterior draws, over four chains; twice as many where the chains have not converged.
    seed : int
        Random seed.
    nuts : str
        Library that runs NUTS: "nutpie", "numpyro", "blackjax" or "pymc".
    priors : mapping of str to str, optional
        Priors of the model's parameters, and of `sigma_family` and `sigma_task` as shares of the
        axis, for example ``{"sigma_family": "HalfNormal(0.2)"}``.
    delta : float
        As for `upturn.fit`, where the model has no changepoint.
    threads : int, optional
        Number of threads; all cores by default.
    progress : callable, optional
        Called with (phases done, phases in all), of which each axis has four: see `PHASES`.

    Returns
    -------
    Pool

    Raises
    ------
    DataError
        For anything wrong with the table or the arguments, and where there are fewer than two
        families.

    Examples
    --------
    >>> import upturn
    >>> table = upturn.read("open-models").where("task=arithmetic_3da")
    >>> pooled = upturn.pool(table, draws=400, seed=1)  # doctest: +SKIP
    >>> pooled.offsets()[["family", "offset", "p_later"]]  # doctest: +SKIP
    """
    check_names(sampler="nuts", backend="numpy", scatter="none", over=over, nuts=nuts)
    check_numbers(draws=draws, seed=seed, delta=delta, threads=threads)
    check_available(nuts)
    curve_priors, spreads = _split(priors or {})
    chosen = Model.read(model).with_priors(curve_priors)
    data = table_of(results)
    tables = _tables(data, over, axis, metric)
    settings = _Settings(chosen, spreads, draws, seed, nuts, delta, threads)
    phases = len(PHASES) * len(tables)
    parts = [
        _on_axis(settings, curves, part_of(progress, i * len(PHASES), phases))
        for i, curves in enumerate(tables)
    ]
    meta = {
        **made_by(seed, tuple(dict.fromkeys((*COMPUTING, "pymc", nuts)))),
        "arguments": {
            **origin_of(data, metric),
            "over": over, "axis": [part.axis.name for part in parts], "model": chosen.name,
            "draws": int(draws), "nuts": nuts, "delta": float(delta),
            "priors": {**chosen.given, **{name: str(prior) for name, prior in spreads.items()}},
        },
        "model": chosen.to_toml(),
        "notes": list(dict.fromkeys(note for curves in tables for note in curves.notes)),
    }  # fmt: skip
    return Pool(tuple(parts), meta)


def _split(given: Mapping[str, str]) -> tuple[dict[str, str], dict[str, Prior]]:
    """The priors of the curve model, and those of the standard deviations of offsets."""
    texts = {name: given.get(name, text) for name, text in SPREADS.items()}
    spreads = {name: Prior.parse(text, f"prior {name!r}") for name, text in texts.items()}
    for name, prior in spreads.items():
        if prior.support()[0] < 0 or prior.choices[0].needs_chance:
            raise DataError(
                f"prior {name!r}: expected a distribution of positive numbers, but got "
                f"{shown(texts[name])}; for example HalfNormal(0.1)"
            )
    return {name: text for name, text in given.items() if name not in SPREADS}, spreads


# --- the data -------------------------------------------------------------------------------------


def _tables(
    data: Results | Curves,
    over: str,
    axis: str | Axis | Sequence[str | Axis],
    metric: str | Sequence[str] | None,
) -> list[Curves]:
    """The tasks on each axis, with their families and common limits."""
    if isinstance(data, Curves):
        if over != "family":
            raise DataError(
                f"over: expected 'family' for curves, but got {shown(over)}; pass the table"
            )
        names = np.array([a.name for a in data.axes])
        tables = [data.take(names == name) for name in dict.fromkeys(names.tolist())]
    else:
        specs = [axis] if isinstance(axis, (str, Axis)) else list(axis)
        given = _labelled(data, over)
        if len(specs) > 1:
            given = _complete(given, specs)
        tables = [given.curves(spec, metric=metric, scatter="none") for spec in specs]
    return [_usable(table, over) for table in tables]


def _labelled(data: Results, over: str) -> Results:
    """The table with the label that is pooled over as its family."""
    data._check_label(over, "over")
    if over == "family":
        return data
    return replace(data, frame=data.frame.assign(family=data.texts(over)))


def _complete(data: Results, axes: Sequence[str | Axis]) -> Results:
    """The rows that have a value on every axis."""
    there = [np.isfinite(data.coordinates(data._axis(a))).all(axis=0) for a in axes]
    keep = np.logical_and.reduce(there)
    if not keep.any():
        raise DataError(
            f"{data.name}: expected rows with a value on each of {len(axes)} axes, but got none; "
            "leave one out"
        )
    return data.select(keep)


def _usable(curves: Curves, over: str) -> Curves:
    """The curves of the most frequent kind, on common limits, with at least two families."""
    if any(len(axis.parts) > 1 for axis in curves.axes):
        raise DataError("axis: expected single axes, but got a mix; name one of its axes")
    kinds = curves.kind.tolist()
    kind = max(dict.fromkeys(kinds), key=kinds.count)
    kept = curves.take(curves.kind == kind)
    left = [str(name) for name in curves.name[curves.kind != kind]]
    notes = curves.notes
    if left:
        notes += (f"left out, because their scores are not of the kind {kind}: {listed(left)}",)
    families = {str(name) for name in kept.family[kept.mask] if name}
    if len(families) < FEWEST_FAMILIES:
        raise DataError(
            f"over: expected at least {FEWEST_FAMILIES} values of {over!r} to pool, but got "
            f"{listed(families) or 'none'}; pool over another label"
        )
    limits = kept.limits.copy()
    limits[0, 0], limits[1, 0] = limits[0, 0].min(), limits[1, 0].max()
    if not limits[1, 0, 0] > limits[0, 0, 0]:
        raise DataError(
            f"axis: expected at least 2 scales on {kept.axes[0].name}, but got 1; choose another"
        )
    return replace(kept, limits=limits, notes=notes)


# --- one axis -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Settings:
    """What every axis is pooled with."""

    model: Model
    spreads: dict[str, Prior]
    draws: int
    seed: int
    nuts: str
    delta: float
    threads: int | None


def _on_axis(settings: _Settings, curves: Curves, progress: Progress | None) -> OnAxis:
    report = progress or (lambda done, total: None)
    report(0, len(PHASES))
    pooled = Pooled.of(settings.model, curves)
    pilot = batch.sample(
        settings.model, grouped(pooled), draws=PILOT, seed=settings.seed, threads=settings.threads
    )
    at = coordinates(pooled, joined_chains(pilot.parameters))
    report(1, len(PHASES))
    compiled = compile_hierarchy(pooled, at, settings.spreads, settings.nuts)
    for number, (accept, factor) in enumerate(RUNS):
        report(2 + number, len(PHASES))
        run = compiled.run(
            draws=factor * -(-settings.draws // CHAINS), seed=settings.seed + number,
            cores=settings.threads, accept=accept, dense=True,
        )  # fmt: skip
        part = answer(pooled, run, settings.delta)
        if part.converged:
            break
    report(len(PHASES), len(PHASES))
    return part


def grouped(pooled: Pooled) -> Curves:
    """The tasks with their families as scatter groups, as the population sampler takes them."""
    curves = pooled.curves
    group = np.full(curves.mask.shape, -1, dtype=np.int32)
    for i, mask in enumerate(curves.mask):
        family = pooled.family[pooled.observations.curve == i]
        families, number = np.unique(family, return_inverse=True)
        if len(families) > 1:
            group[i, mask] = number
    return replace(curves, group=group)


def answer(pooled: Pooled, run: Run, delta: float = em.DELTA) -> OnAxis:
    """The answer on one axis, from draws of NUTS."""
    flat = {name: v.reshape(-1, *v.shape[2:]) for name, v in run.draws.items()}
    scale = _scale(pooled, flat, delta)
    thin = np.linspace(0, len(scale) - 1, min(DRAWS_LEFT_OUT, len(scale))).astype(int)
    elpd, khat = leave_family_out(pooled, {name: value[thin] for name, value in flat.items()})
    names, tasks = pooled.target.names, len(pooled.curves)
    rhat, ess = run.diagnosed(names)
    family_rhat, family_ess = run.diagnosed(["offset"])
    spread_rhat, spread_ess = run.diagnosed(list(SPREADS))
    return OnAxis(
        pooled,
        scale,
        scale[:, pooled.cell_task] + flat["cell_offset"],
        flat["offset"],
        {name: flat[name] for name in SPREADS},
        elpd,
        khat,
        rhat.reshape(len(names), tasks).max(axis=0),
        ess.reshape(len(names), tasks).min(axis=0),
        family_rhat,
        family_ess,
        float(spread_rhat.max()),
        float(spread_ess.min()),
        run.divergences,
    )


def _scale(pooled: Pooled, flat: Mapping[str, Floats], delta: float) -> Floats:
    """Emergence scale u of each task (draw, curve): the first changepoint, or the threshold."""
    target = pooled.target
    if target.model.changepoints:
        return flat[target.model.changepoints[0]]
    emergence = em.emergence(
        target.model,
        {name: flat[name].T for name in target.model.parameters},
        chance=target.chance,
        ceiling=target.ceiling,
        delta=np.full(len(pooled.curves), delta if target.likelihood.bounded else delta / 2),
        end=np.ones(len(pooled.curves)),
    )
    return emergence.threshold.T
