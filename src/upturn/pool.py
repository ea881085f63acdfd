"""pool: emergence scales of tasks, of families within tasks, and how far families lie apart."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import upturn
from upturn.arguments import table_of
from upturn.arrays.types import Floats, Integers
from upturn.checks.arguments import check_names, check_numbers, interval_levels, known
from upturn.checks.errors import DataError, counted, listed, shown
from upturn.formulas.priors import Prior
from upturn.hierarchy import SPREADS, Pooled, compile_hierarchy, coordinates
from upturn.left_out import DRAWS as DRAWS_LEFT_OUT
from upturn.left_out import left_out
from upturn.model import Model
from upturn.posterior import emergence as em
from upturn.sampling import batch
from upturn.sampling.batch import Progress
from upturn.sampling.nuts.sample import CHAINS, LARGEST_RHAT, LEAST_ESS, Run, check_available
from upturn.tables.axis import Axis
from upturn.tables.curves import Curves
from upturn.tables.results import Results

if TYPE_CHECKING:
    import pandas as pd

# What the step size is tuned to accept, and a multiple of the draws; the second where the first
# has not converged.
EFFORTS = ((0.8, 1), (0.95, 2))
PILOT = 1000  # draws of the population sampler that the coordinates come from
DRAWS = 8000
FEWEST_FAMILIES = 2
LARGEST_K = 0.7


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
    """Pool families partially: one offset along the axis of each family, shared by its tasks.

    The emergence scale of task t in family f is tau_tf = tau_t + delta_f + epsilon_tf, with
    delta_f ~ N(0, sigma_family), epsilon_tf ~ N(0, sigma_task). A family with one model is shrunk
    towards the others, not dropped. All tasks share the axis' limits. Sampled by NUTS.

    Parameters
    ----------
    results : Results, Curves, DataFrame, path or name of a bundled data set
    over : str
        The label that says which points are of one family: "family", "run", another label.
    axis : str or Axis, or several
        Of several, only rows that have all are taken, and `axes` ranks them.
    model : str, Path or Model
    metric : str or several, optional
    draws : int
        Over four chains; twice as many where they have not converged.
    seed : int
    nuts : str
        "nutpie", "numpyro", "blackjax" or "pymc".
    priors : mapping, optional
        Of the model's parameters, `sigma_family` and `sigma_task`, as shares of the axis.
    delta : float
        As for `upturn.fit`, where the model has no changepoint.
    threads : int, optional
    progress : callable, optional
        Called with (steps done, steps in all).

    Returns
    -------
    Pool

    Raises
    ------
    DataError
        For anything wrong with the table or the arguments, and where there are no two families.
    """
    check_names(sampler="nuts", backend="numpy", scatter="none", over=over, nuts=nuts)
    check_numbers(draws=draws, seed=seed, delta=delta, threads=threads)
    check_available(nuts)
    own, spreads = _split(priors or {})
    chosen = Model.read(model).with_priors(own)
    tables = _tables(table_of(results), over, axis, metric)
    order = _Order(chosen, spreads, draws, seed, nuts, delta, threads)
    parts = [
        _on_axis(order, curves, _steps(progress, i, len(tables))) for i, curves in enumerate(tables)
    ]
    meta = {
        "version": upturn.__version__,
        "seed": int(seed),
        "arguments": {
            "over": over, "axis": [part.axis.name for part in parts], "model": chosen.name,
            "draws": int(draws), "nuts": nuts, "delta": float(delta),
            "priors": {**chosen.given, **{name: str(prior) for name, prior in spreads.items()}},
        },
        "model": chosen.to_toml(),
        "notes": list(dict.fromkeys(note for curves in tables for note in curves.notes)),
    }  # fmt: skip
    return Pool(tuple(parts), meta)


def _steps(progress: Progress | None, axis: int, axes: int) -> Callable[[int], None] | None:
    """Progress on one axis as progress over all: two steps each."""
    if progress is None:
        return None
    tell = progress
    return lambda done: tell(2 * axis + done, 2 * axes)


def _split(given: Mapping[str, str]) -> tuple[dict[str, str], dict[str, Prior]]:
    """Priors of the curve model, and those of the spreads."""
    texts = {name: given.get(name, text) for name, text in SPREADS.items()}
    spreads = {name: Prior.parse(text, f"prior {name!r}") for name, text in texts.items()}
    for name, prior in spreads.items():
        if prior.support()[0] < 0 or prior.choices[0].needs_chance:
            raise DataError(
                f"prior {name!r}: expected one of positive numbers, but got "
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
    """The rows that have a coordinate on every axis."""
    there = [np.isfinite(data.coordinates(data._axis(a))).all(axis=0) for a in axes]
    keep = np.logical_and.reduce(there)
    if not keep.any():
        raise DataError(
            f"{data.name}: expected rows with a value on each of {len(axes)} axes, but got none; "
            "leave one out"
        )
    return data.select(keep)


def _usable(curves: Curves, over: str) -> Curves:
    """The curves of the commonest kind, on common limits, with at least two families."""
    if any(len(axis.parts) > 1 for axis in curves.axes):
        raise DataError("axis: expected single axes, but got a mix; pool over one of them")
    kinds = curves.kind.tolist()
    kind = max(dict.fromkeys(kinds), key=kinds.count)
    kept = curves.take(curves.kind == kind)
    left = [str(name) for name in curves.name[curves.kind != kind]]
    notes = curves.notes
    if left:
        notes += (f"not of the kind {kind} and left out: {listed(left)}",)
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
class OnAxis:
    """The pooled posterior on one axis, on the unit axis that all tasks share.

    Attributes
    ----------
    pooled : Pooled
    scale : array (draw, curve)
        Emergence scale of each task, in a family without offset.
    cell_scale : array (draw, cell)
        Of each task in each family.
    offset : array (draw, family)
    sigma : mapping of array (draw,)
    elpd, khat : array (family,)
        Log predictive density of each family given the others.
    rhat, ess : array (curve,)
        Of the worst parameter of each task.
    family_rhat, family_ess : array (family,)
    spread_rhat, spread_ess : float
        Of the worse of the two standard deviations.
    divergences : int
    """

    pooled: Pooled
    scale: Floats
    cell_scale: Floats
    offset: Floats
    sigma: Mapping[str, Floats]
    elpd: Floats
    khat: Floats
    rhat: Floats
    ess: Floats
    family_rhat: Floats
    family_ess: Floats
    spread_rhat: float
    spread_ess: float
    divergences: int

    @property
    def axis(self) -> Axis:
        """The axis."""
        return self.pooled.curves.axes[0]

    @property
    def ends(self) -> tuple[float, float]:
        """The coordinates of u = 0 and u = 1."""
        low, high = self.pooled.curves.limits[:, 0, 0]
        return float(low), float(high)

    @property
    def width(self) -> float:
        """The length of the axis: decades where it is logarithmic."""
        return self.ends[1] - self.ends[0]

    @property
    def worst_rhat(self) -> float:
        """R̂ of the worst of all parameters."""
        return float(max(self.rhat.max(), self.family_rhat.max(), self.spread_rhat))

    @property
    def least_ess(self) -> float:
        """Effective size of the worst of all parameters."""
        return float(min(self.ess.min(), self.family_ess.min(), self.spread_ess))

    @property
    def converged(self) -> bool:
        """Whether nothing speaks against the draws."""
        return (
            self.worst_rhat < LARGEST_RHAT and self.least_ess >= LEAST_ESS and self.divergences == 0
        )


@dataclass(frozen=True)
class _Order:
    """What is asked for on every axis."""

    model: Model
    spreads: dict[str, Prior]
    draws: int
    seed: int
    nuts: str
    delta: float
    threads: int | None


def _on_axis(order: _Order, curves: Curves, told: Callable[[int], None] | None) -> OnAxis:
    tell = told or (lambda done: None)
    pooled = Pooled.of(order.model, curves)
    pilot = batch.sample(
        order.model, grouped(pooled), draws=PILOT, seed=order.seed, threads=order.threads
    )
    at = coordinates(pooled, {n: v.reshape(len(curves), -1) for n, v in pilot.parameters.items()})
    tell(1)
    compiled = compile_hierarchy(pooled, at, order.spreads, order.nuts)
    for number, (accept, more) in enumerate(EFFORTS):
        run = compiled.run(
            draws=more * -(-order.draws // CHAINS), seed=order.seed + number,
            cores=order.threads, accept=accept, dense=True,
        )  # fmt: skip
        found = answer(pooled, run, order.delta)
        if found.converged:
            break
    tell(2)
    return found


def grouped(pooled: Pooled) -> Curves:
    """The tasks with their families as scatter groups, as the population sampler takes them."""
    curves = pooled.curves
    group = np.full(curves.mask.shape, -1, dtype=np.int32)
    for i, mask in enumerate(curves.mask):
        mine = pooled.family[pooled.observations.curve == i]
        families, own = np.unique(mine, return_inverse=True)
        if len(families) > 1:
            group[i, mask] = own
    return replace(curves, group=group)


def answer(pooled: Pooled, run: Run, delta: float = em.DELTA) -> OnAxis:
    """What NUTS's draws say."""
    flat = {name: v.reshape(-1, *v.shape[2:]) for name, v in run.draws.items()}
    scale = _scale(pooled, flat, delta)
    thin = np.linspace(0, len(scale) - 1, min(DRAWS_LEFT_OUT, len(scale))).astype(int)
    elpd, khat = left_out(pooled, {name: value[thin] for name, value in flat.items()})
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
    found = em.emergence(
        target.model,
        {name: flat[name].T for name in target.model.parameters},
        chance=target.chance,
        ceiling=target.ceiling,
        delta=np.full(len(pooled.curves), delta if target.likelihood.bounded else delta / 2),
        end=np.ones(len(pooled.curves)),
    )
    return found.threshold.T


# --- answers --------------------------------------------------------------------------------------


class Pool:
    """Emergence scales of tasks and families, and how far families lie apart, by axis.

    Attributes
    ----------
    parts : tuple of OnAxis
    meta : dict
        Version, seed, arguments, the model, notes.
    """

    def __init__(self, parts: tuple[OnAxis, ...], meta: dict[str, Any]) -> None:
        self.parts, self.meta = parts, meta

    def __repr__(self) -> str:
        one = self.parts[0].pooled
        what = f"{counted(len(one.curves), 'task')}, {len(one.families)} families"
        return f"Pool({what}; axis {', '.join(part.axis.name for part in self.parts)})"

    @property
    def notes(self) -> tuple[str, ...]:
        """What was derived, rounded or dropped on the way from the table, with counts."""
        return tuple(self.meta["notes"])

    @property
    def failed(self) -> list[str]:
        """The axes on which sampling did not converge."""
        return [part.axis.name for part in self.parts if not part.converged]

    def totals(self) -> dict[str, Any]:
        """Counts, and diagnostics of the worst axis."""
        one = self.parts[0].pooled
        return {
            "tasks": len(one.curves),
            "families": len(one.families),
            "points": len(one.cell),
            "failed": self.failed,
            "rhat": max(part.worst_rhat for part in self.parts),
            "ess": min(part.least_ess for part in self.parts),
            "divergences": sum(part.divergences for part in self.parts),
        }

    def summary(self, ci: float = 0.9) -> "pd.DataFrame":
        """Emergence scale of each task in a family without offset, one row a task and axis.

        Returns
        -------
        DataFrame
            Labels, `points`, `families`, `scale`, `scale_low`, `scale_high` in native units (inf or
            0 beyond the axis), `censored`, `rhat`, `ess`, `flags`.
        """
        import pandas as pd

        frames = []
        for part in self.parts:
            curves = part.pooled.curves
            cells = np.bincount(part.pooled.cell_task, minlength=len(curves))
            labels = {name: v for name, v in curves.labels.items() if name != "axis"}
            frames.append(
                pd.DataFrame(
                    {
                        **labels,
                        "axis": part.axis.name,
                        "points": curves.points,
                        "families": cells,
                        **_native(part, part.scale, ci),
                        "rhat": part.rhat,
                        "ess": part.ess,
                        "flags": _flags(part),
                    },
                    index=pd.Index(curves.name.astype(object), name="curve"),
                )
            )
        return pd.concat(frames)

    def by_family(self, ci: float = 0.9) -> "pd.DataFrame":
        """Emergence scale of each task in each family that was measured on it.

        Returns
        -------
        DataFrame
            `task` (the curve's name), `family`, `axis`, `points`, and as in `summary`.
        """
        import pandas as pd

        frames = []
        for part in self.parts:
            one = part.pooled
            frames.append(
                pd.DataFrame(
                    {
                        "task": one.curves.name[one.cell_task],
                        "family": one.families[one.cell_family],
                        "axis": part.axis.name,
                        "points": np.bincount(one.cell),
                        **_native(part, part.cell_scale, ci),
                    }
                )
            )
        return pd.concat(frames, ignore_index=True)

    @property
    def families(self) -> "pd.DataFrame":
        """Offset of each family with its 90 % interval; see `offsets`."""
        return self.offsets()

    def offsets(self, ci: float = 0.9) -> "pd.DataFrame":
        """Offset of each family's emergence scales, one row a family and axis.

        Returns
        -------
        DataFrame
            `family`, `axis`, `models`, `points`, `offset`, `offset_low`, `offset_high` (decades of
            the axis, or its units where it is no logarithm; above 0 is later), `share` (of the
            axis), `p_later`, `elpd` (log predictive density given the other families), `khat`,
            `rhat`, `ess`.
        """
        import pandas as pd

        frames = []
        for part in self.parts:
            one = part.pooled
            low, middle, high = np.quantile(part.offset, interval_levels(ci), axis=0)
            frames.append(
                pd.DataFrame(
                    {
                        "family": one.families,
                        "axis": part.axis.name,
                        "models": _models(one),
                        "points": np.bincount(one.family, minlength=len(one.families)),
                        "offset": middle * part.width,
                        "offset_low": low * part.width,
                        "offset_high": high * part.width,
                        "share": middle,
                        "p_later": (part.offset > 0).mean(axis=0),
                        "elpd": part.elpd,
                        "khat": part.khat,
                        "rhat": part.family_rhat,
                        "ess": part.family_ess,
                    }
                )
            )
        return pd.concat(frames, ignore_index=True)

    @property
    def sigma_family(self) -> "pd.DataFrame":
        """The spread of families on each axis with its 90 % interval; see `spread`."""
        return self.spread()

    def spread(self, ci: float = 0.9) -> "pd.DataFrame":
        """Standard deviations of families' offsets, one row an axis.

        Returns
        -------
        DataFrame
            By axis: `sigma_family` with its interval in decades (or units of the axis), `share`
            with its interval as a share of the axis, `sigma_task` (of a family from task to task),
            `unit`.
        """
        import pandas as pd

        rows = []
        for part in self.parts:
            low, middle, high = np.quantile(part.sigma["sigma_family"], interval_levels(ci))
            rows.append(
                {
                    "axis": part.axis.name,
                    "sigma_family": middle * part.width,
                    "sigma_family_low": low * part.width,
                    "sigma_family_high": high * part.width,
                    "share": middle,
                    "share_low": low,
                    "share_high": high,
                    "sigma_task": float(np.median(part.sigma["sigma_task"])) * part.width,
                    "unit": _unit(part.axis),
                }
            )
        return pd.DataFrame(rows).set_index("axis")

    @property
    def axes(self) -> "pd.DataFrame":
        """Axes ranked by how well each family is predicted by the others.

        Returns
        -------
        DataFrame
            By axis, the best first: `elpd` (sum over families left out), `difference` from the best
            and its standard error over families, `sigma_family` and `unit`, `share`, `khat` (the
            worst family's) and `unsure` (families whose k̂ exceeds 0.7).
        """
        import pandas as pd

        spread = self.spread()
        best = max(self.parts, key=lambda part: part.elpd.sum())
        rows = []
        for part in sorted(self.parts, key=lambda part: -part.elpd.sum()):
            apart = part.elpd - best.elpd
            rows.append(
                {
                    "axis": part.axis.name,
                    "elpd": part.elpd.sum(),
                    "difference": apart.sum(),
                    "difference_se": np.sqrt(len(apart)) * apart.std(ddof=1),
                    "sigma_family": spread.loc[part.axis.name, "sigma_family"],
                    "unit": spread.loc[part.axis.name, "unit"],
                    "share": spread.loc[part.axis.name, "share"],
                    "khat": part.khat.max(),
                    "unsure": int((part.khat > LARGEST_K).sum()),
                }
            )
        return pd.DataFrame(rows).set_index("axis")

    def difference(self, family: str, other: str, ci: float = 0.9) -> "pd.DataFrame":
        """How much later one family gets there than another, one row an axis.

        Returns
        -------
        DataFrame
            By axis: `later`, `later_low`, `later_high` (decades or units; below 0 is earlier),
            `p_later`.

        Raises
        ------
        DataError
            For a family that is not there.
        """
        import pandas as pd

        rows = []
        for part in self.parts:
            names = part.pooled.families.tolist()
            a, b = (
                names.index(known(name, names, kind="family", where="difference"))
                for name in (family, other)
            )
            apart = part.offset[:, a] - part.offset[:, b]
            low, middle, high = np.quantile(apart, interval_levels(ci)) * part.width
            rows.append(
                {
                    "axis": part.axis.name, "later": middle, "later_low": low, "later_high": high,
                    "p_later": float((apart > 0).mean()),
                }
            )  # fmt: skip
        return pd.DataFrame(rows).set_index("axis")


def _unit(axis: Axis) -> str:
    if axis.is_log:
        return "decades"
    return "days" if axis.transform == "date" else axis.name


def _native(part: OnAxis, u: Floats, ci: float) -> dict[str, Any]:
    """Median and interval of scales u (draw, any) in native units; inf or 0 beyond the axis."""
    inside = np.where(u > 1, np.inf, np.where(u < 0, -np.inf, u))
    levels = em.quantiles(inside.T, np.ones(u.shape[1]), interval_levels(ci))
    low, high = part.ends
    with np.errstate(over="ignore", under="ignore"):
        scale = part.axis.value(low + levels * (high - low))
    return {
        "scale": scale[1],
        "scale_low": np.minimum(scale[0], scale[2]),
        "scale_high": np.maximum(scale[0], scale[2]),
        "censored": np.isinf(levels[1]),
    }


def _models(pooled: Pooled) -> Integers:
    """The number of different models of each family."""
    names = pooled.curves.model[pooled.curves.mask]
    pairs = {(int(f), str(m)) for f, m in zip(pooled.family, names, strict=True)}
    return np.bincount([f for f, _ in pairs], minlength=len(pooled.families)).astype(np.int64)


def _flags(part: OnAxis) -> list[str]:
    out = []
    for i, data in enumerate(part.pooled.curves.flags):
        flags = list(data)
        if part.rhat[i] >= LARGEST_RHAT or part.ess[i] < LEAST_ESS:
            flags.append(f"not converged (R̂ {part.rhat[i]:.3f}, ESS {part.ess[i]:.0f})")
        if part.divergences:
            flags.append(counted(part.divergences, "divergence"))
        out.append("; ".join(flags))
    return out
