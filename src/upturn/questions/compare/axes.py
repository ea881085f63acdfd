"""compare_axes: on which axis of scale does emergence show most clearly?"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from upturn.arrays.types import Floats
from upturn.checks.arguments import check_names, check_numbers
from upturn.checks.errors import DataError, counted, listed, shown
from upturn.model import Model
from upturn.questions.arguments import curves_of, models_of, table_of
from upturn.questions.classify.classify import classification_of
from upturn.questions.classify.result import Classification
from upturn.questions.compare import separability as orders
from upturn.questions.compare.columns import failures, loo_columns, meta_of, named
from upturn.questions.compare.differences import Clusters, clusters_of, difference_error, half_width
from upturn.questions.compare.leave_one_out import Effort, Scores, averaged, canonical_order, score
from upturn.sampling.batch import Progress
from upturn.tables.axis import Axis
from upturn.tables.curves import Curves, curve_names
from upturn.tables.results import Results

if TYPE_CHECKING:
    import pandas as pd

DRAWS = 2000
FEWEST_FAMILIES = 4  # to leave one out at a time


def compare_axes(
    results: "Results | pd.DataFrame | str | os.PathLike[str]",
    *,
    axes: Sequence[str | Axis] = ("flops", "params", "perplexity"),
    model: str | Model | Sequence[str | Model] = "hinge",
    by: str | None = None,
    metric: str | Sequence[str] | None = None,
    scatter: str = "auto",
    cluster: str = "auto",
    refit: bool = True,
    families: bool = True,
    draws: int = DRAWS,
    seed: int = 0,
    threads: int | None = None,
    progress: Progress | None = None,
) -> "AxesComparison":
    """Compare axes of scale by how well curves on them explain and predict the same points.

    Only rows that have every axis count. Scores are densities of the same scores, so that they
    can be compared; whether they can differ for another reason than shape depends on how far the
    axes order the points differently, which is told first.

    Parameters
    ----------
    results : Results, Curves, DataFrame, path or name of a bundled data set
        As for `upturn.fit`.
    by : str, optional
        A label to split curves by, such as "family".
    metric : str or several, optional
        Use only these metrics.
    scatter : str
        Which points share an offset: "auto", "none", "family" or "run".
    draws : int
        Posterior draws of each curve and model.
    seed : int
        Random seed.
    threads : int, optional
        Number of threads; all cores by default.
    progress : callable, optional
        Called with (fits done, fits in all).
    axes : sequence of str or Axis
        Two or more; no mix.
    model : str or Model, or several
        Several, or "all" for all built-ins, are averaged by evidence, each class of shapes having
        the same prior probability, and within it each model.
    cluster : str
        What points share beyond the curve: "family", "run" or "model". "auto" takes families where
        there are five or more, else runs likewise, else models.
    refit : bool
        Whether a curve is fitted without a point whose k̂ is above 0.7.
    families : bool
        Whether families are left out one by one, where there are four or more.

    Returns
    -------
    AxesComparison

    Raises
    ------
    DataError
        For anything wrong with the table or the arguments.

    Examples
    --------
    >>> import upturn
    >>> table = upturn.read("gpt3").where("setting=few-shot", "task=arithmetic_3da")
    >>> comparison = upturn.compare_axes(
    ...     table, axes=["flops", "params"], refit=False, families=False, draws=100
    ... )
    >>> sorted(comparison.summary().index)
    ['flops', 'params']
    """
    check_names(sampler="population", backend="numpy", scatter=scatter, by=by, cluster=cluster)
    check_numbers(draws=draws, seed=seed, delta=0.1, threads=threads)
    models = models_of(model)
    table = table_of(results)
    if isinstance(table, Curves):
        raise DataError(
            "results: expected a table, from which to take the rows that have every axis, but got "
            "curves; pass what they were made from"
        )
    curves, notes = shared_curves(table, axes, by, metric, scatter)
    chosen = tuple(dict.fromkeys(curves.axes))
    present = dict.fromkeys(curves.family[curves.mask].tolist())
    held_out = sorted(name for name in present if name) if families else []
    held_out = held_out if len(held_out) >= FEWEST_FAMILIES else []
    order = canonical_order(curves)
    index = np.arange(len(curves)).reshape(len(chosen), -1)
    first = curves.take(index[0])
    clusters = clusters_of(first, order[index[0]], table, cluster)
    scores, samples = score(
        models, curves, Effort(draws, seed, threads),
        progress=progress, refit=refit, families=held_out,
    )  # fmt: skip
    together = averaged(models, scores).sorted(order)
    u = np.take_along_axis(curves.u[0], order, axis=1)
    return AxesComparison(
        data=curves,
        axes=chosen,
        models=tuple(models),
        scores=tuple(together.take(places) for places in index),
        pairs=orders.pairs(named(chosen), u.reshape(*index.shape, -1), first.mask),
        clusters=clusters,
        families=tuple(held_out),
        classification=classification_of(
            curves, list(zip(models, samples, strict=True)), seed=seed
        ),
        failed=failures(curves, models, samples),
        notes=(*curves.notes, *notes),
        meta=meta_of(
            table, metric=metric, seed=seed, axes=list(named(chosen)),
            model=[m.name for m in models], draws=int(draws), scatter=scatter, by=by,
            cluster=cluster, refit=refit, families=families,
        ),
    )  # fmt: skip


def shared_curves(
    table: Results,
    axes: Sequence[str | Axis],
    by: str | None,
    metric: str | Sequence[str] | None,
    scatter: str,
) -> tuple[Curves, list[str]]:
    """The curves of the rows that have every axis, all of one axis before those of the next."""
    several = [axes] if isinstance(axes, (str, Axis)) else list(axes)
    if len(several) < 2:
        raise DataError(
            f"axes: expected two or more, but got {listed(several)}; for example flops and params"
        )
    all_curves = curves_of(table, several, by, metric, scatter)
    chosen = tuple(dict.fromkeys(all_curves.axes))
    mixed = next((axis for axis in chosen if axis.components), None)
    if mixed is not None:
        raise DataError(f"axes: expected single axes, but got {shown(mixed.name)}")
    placed = np.all([~np.isnan(table.coordinates(axis)[0]) for axis in chosen], axis=0)
    wanted = table.metrics() if metric is None else [metric] if isinstance(metric, str) else metric
    asked = np.isin(table.metric.astype(np.str_), list(wanted))
    if not (placed & asked).any():
        raise DataError(
            f"{table.name}: expected rows with a value on each of the axes "
            f"{listed(named(chosen))}, but got none; compare fewer of them"
        )
    dropped = int((asked & ~placed).sum())
    several_names = ", ".join(named(chosen))
    notes = [f"{counted(dropped, 'row')} without all of {several_names} left out"] * bool(dropped)
    curves = curves_of(table.select(placed), list(chosen), by, metric, scatter)
    return curves, notes


@dataclass(frozen=True)
class AxesComparison:
    """Axes on the same points.

    Attributes
    ----------
    axes : tuple of Axis
    models : tuple of Model
    pairs : tuple of Pair
        How far each two axes can be told apart.
    clusters : Clusters
        What the errors of differences are clustered by.
    families : tuple of str
        Those left out one by one.
    classification : Classification
        Of all curves on all axes under these models.
    failed : list of str
        What did not converge.
    notes : tuple of str
    meta : dict
    """

    axes: tuple[Axis, ...]
    models: tuple[Model, ...]
    pairs: tuple[orders.Pair, ...]
    clusters: Clusters
    families: tuple[str, ...]
    classification: Classification
    failed: list[str]
    notes: tuple[str, ...]
    meta: dict[str, Any]
    scores: tuple[Scores, ...]
    data: Curves

    def __repr__(self) -> str:
        return f"AxesComparison({', '.join(self.names)}; {counted(self.count, 'curve')})"

    @property
    def names(self) -> tuple[str, ...]:
        """Of the axes."""
        return named(self.axes)

    @property
    def count(self) -> int:
        """The number of curves on each axis."""
        return len(self.data) // len(self.axes)

    # --- what it adds up to -----------------------------------------------------------------------

    @cached_property
    def _mask(self) -> np.ndarray:
        return self.data.mask[: self.count]

    @cached_property
    def elpd(self) -> Floats:
        """Leave-one-out log density of every point on every axis: (axis, obs)."""
        return np.stack([s.elpd[self._mask] for s in self.scores])

    @cached_property
    def best(self) -> int:
        """The axis with the highest ELPD."""
        return int(self.elpd.sum(axis=1).argmax())

    def summary(self, ci: float = 0.9) -> "pd.DataFrame":
        """One row an axis, over all curves.

        Differences are to the axis with the highest ELPD.

        Returns
        -------
        DataFrame
            `log_evidence` with its Monte Carlo error and difference; `elpd` likewise, errors
            clustered; `lofo`, the log density of each family given the others, likewise, where
            families were left out; `weight` (stacking); `relative_width`: the median, over curves
            that emerge on any of the axes, of the interval of the headline scale as a share of the
            axis, all of it (1) where the scale is beyond the axis; `high_k`, the share of points
            whose k̂ is above 0.7.
        """
        import pandas as pd

        curves = self.curve_summary(ci)
        width = curves["relative_width"].to_numpy().reshape(len(self.axes), -1)
        seen = np.isfinite(width).any(axis=0)
        width = np.where(np.isnan(width), 1.0, width)[:, seen]
        columns = loo_columns(
            self.scores,
            self.elpd,
            code=self.clusters.code,
            best=self.best,
            mask=self._mask,
            families=self.families,
        )
        columns["relative_width"] = (
            np.median(width, axis=1) if seen.any() else np.full(len(self.axes), np.nan)
        )
        return pd.DataFrame(columns, index=pd.Index(self.names, name="axis"))

    @property
    def curves(self) -> "pd.DataFrame":
        """The same per curve, with the headline scale in native units and a 90 % interval."""
        return self.curve_summary()

    def curve_summary(self, ci: float = 0.9) -> "pd.DataFrame":
        """One row a curve and axis; differences are to the axis that is best in total.

        `scale` is where the expected score first stands delta above chance, as `upturn.classify`
        has it, averaged over these models.
        """
        import pandas as pd

        seen = self.classification.summary(ci)
        kept = ("scale", "scale_low", "scale_high", "censored")
        columns = (
            dict(self.data.labels)
            | {"points": self.data.points}
            | self._scored
            | {name: seen[name].to_numpy() for name in kept}
            | {"relative_width": self._relative_width(seen)}
            | {"flags": seen["flags"].to_numpy()}
        )
        return pd.DataFrame(columns, index=pd.Index(self._curve_names(), name="curve"))

    @cached_property
    def _scored(self) -> dict[str, Floats]:
        """The columns of scores, one entry a curve and axis."""
        obs = np.nonzero(self._mask)[0]
        rows: dict[str, list[Any]] = {}
        for i in range(self.count):
            here = obs == i
            part = loo_columns(
                [s.take(np.array([i])) for s in self.scores],
                self.elpd[:, here],
                code=self.clusters.code[here],
                best=self.best,
                mask=self._mask[[i]],
            )
            for name, values in part.items():
                rows.setdefault(name, []).append(values)
        return {name: np.stack(values, axis=1).reshape(-1) for name, values in rows.items()}

    def _curve_names(self) -> list[str]:
        """Names of curves whatever the axis: those of one curve on each are the same."""
        labels = {k: v[: self.count] for k, v in self.data.labels.items() if k != "axis"}
        return curve_names(labels).tolist() * len(self.axes)

    def _relative_width(self, seen: "pd.DataFrame") -> Floats:
        """The interval of the headline scale as a share of the axis; NaN where it is beyond."""
        low, high = self.data.limits[:, 0]
        ends = seen[["scale_low", "scale_high"]].to_numpy()
        with np.errstate(divide="ignore"):
            x = np.stack([a.coordinate(e) for a, e in zip(self.data.axes, ends, strict=True)])
        inside = np.clip(x, low[:, None], high[:, None])
        extent = np.where(high > low, high - low, 1.0)
        width = np.abs(inside[:, 1] - inside[:, 0]) / extent
        return np.where(seen["censored"].to_numpy(), np.nan, width)

    @property
    def order(self) -> "pd.DataFrame":
        """How far each two axes can be told apart.

        Returns
        -------
        DataFrame
            `spearman`, the rank correlation of coordinates pooled within curves; `alike`, the share
            of curves whose points both order identically; `linear`, that in which all points stand
            at one place within 0.02 of the axis; `kind`.
        """
        import pandas as pd

        index = pd.MultiIndex.from_tuples(
            [(p.first, p.second) for p in self.pairs], names=["axis", "other"]
        )
        columns = {
            name: [getattr(p, name) for p in self.pairs]
            for name in ("spearman", "alike", "linear", "kind")
        }
        return pd.DataFrame(columns, index=index)

    # --- the verdict ------------------------------------------------------------------------------

    @property
    def verdict(self) -> str:
        """Which axis explains the points best, in one sentence that says first whether it can."""
        others = [int(i) for i in np.argsort(-self.elpd.sum(axis=1)) if i != self.best]
        start = f"On {counted(self.count, 'curve')}"
        if all(self._pair(i).kind != orders.APART for i in others):
            start += " order cannot tell these axes apart"
        return f"{start}: {'; '.join(map(self._against, others))}"

    def _pair(self, other: int) -> orders.Pair:
        ends = {self.names[self.best], self.names[other]}
        return next(pair for pair in self.pairs if {pair.first, pair.second} == ends)

    def _against(self, other: int) -> str:
        """What is to be said of the best axis against another."""
        best, name, pair = self.names[self.best], self.names[other], self._pair(other)
        gap = self.elpd[self.best] - self.elpd[other]
        by_chance = np.append(self.scores[self.best].elpd_error, self.scores[other].elpd_error)
        error = difference_error(gap, self.clusters.code, by_chance)
        lead = f"{gap.sum():.1f} ± {error:.1f} nats of ELPD"
        decided = gap.sum() > half_width(self.clusters.count) * error
        if pair.kind == orders.SAME:
            return f"{best} and {name} are linear in each other, a tie by construction ({lead})"
        if pair.kind == orders.SHAPE:
            what = f"the {lead} that {best} gains are about shape"
            what = what if decided else f"{best} leads by {lead}, within the error: a tie"
            return f"{name} orders the points as {best} does, and {what}"
        order = f"rank correlation {pair.spearman:.2f}"
        if decided:
            return f"{best} beats {name} by {lead} ({order})"
        return f"{best} and {name} are a tie, {lead} being within the error ({order})"
