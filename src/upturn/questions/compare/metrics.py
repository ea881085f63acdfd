"""compare_metrics: does emergence survive another metric of the same outputs?"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from upturn.arrays.types import Booleans, Floats
from upturn.checks.arguments import check_names, check_numbers, known
from upturn.checks.errors import DataError, counted, listed, shown
from upturn.model import Model
from upturn.questions.arguments import curves_of, models_of, table_of
from upturn.questions.classify.classify import classify
from upturn.questions.classify.result import Classification
from upturn.questions.compare.columns import meta_of, one_axis
from upturn.sampling.batch import Progress
from upturn.tables.axis import Axis
from upturn.tables.curves import Curves, curve_names
from upturn.tables.readers.schema import ids_of
from upturn.tables.results import Results

if TYPE_CHECKING:
    import pandas as pd

DRAWS = 1000
PAIRS = 4000  # of independent draws of the two scales
LIKELY = 0.5  # from which probability on a curve is called emergent in the verdict
ENOUGH_PAIRS = 0.05  # of draws that turn up under both metrics, to tell how the scales line up

_MATCHED = ("task", "model", "setting", "shots", "family", "run")
OUTCOMES = {  # emergent under the first, under the second
    (True, True): "both",
    (True, False): "first only",
    (False, True): "second only",
    (False, False): "neither",
}


def compare_metrics(
    results: "Results | pd.DataFrame | str | os.PathLike[str]",
    *,
    metrics: Sequence[str],
    axis: str | Axis | Sequence[str | Axis] = "flops",
    models: str | Model | Sequence[str | Model] = "all",
    by: str | None = None,
    scatter: str = "auto",
    learn_prevalence: bool = True,
    draws: int = DRAWS,
    seed: int = 0,
    threads: int | None = None,
    progress: Progress | None = None,
) -> "MetricsComparison":
    """Compare the emergence of the same tasks on the same models under two metrics.

    Schaeffer, Miranda & Koyejo (2023) hold that sharp emergence comes of discontinuous metrics and
    goes away under continuous ones. Here each curve is classified under both, on exactly the points
    that both have: is what is emergent under the first still flat, then well above, under the
    second, and does it begin at the same scale?

    Parameters
    ----------
    results : Results, Curves, DataFrame, path or name of a bundled data set
        As for `upturn.fit`.
    axis : str or Axis
        Axis of scale.
    by : str, optional
        A label to split curves by, such as "family".
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
    metrics : two of str
        The one under suspicion first, such as ("acc", "brier").
    models : str or Model, or several
        Curve models to average; all built-in models by default.
    learn_prevalence : bool
        As for `upturn.classify`.

    Returns
    -------
    MetricsComparison

    Raises
    ------
    DataError
        For anything wrong with the table or the arguments; where no point has both metrics.

    Examples
    --------
    >>> import pandas as pd, upturn
    >>> rows = [{"task": "add", "model": f"m{i}", "flops": 10.0 ** (20 + i / 2), "metric": metric,
    ...          "score": min(0.1 * i, 1), "trials": 100}
    ...         for i in range(8) for metric in ("acc", "exact")]
    >>> comparison = upturn.compare_metrics(
    ...     pd.DataFrame(rows), metrics=["acc", "exact"], models=["flat", "hinge"], draws=100
    ... )
    >>> comparison.metrics
    ('acc', 'exact')
    """
    check_names(sampler="population", backend="numpy", scatter=scatter, by=by)
    check_numbers(draws=draws, seed=seed, delta=0.1, threads=threads)
    chosen = models_of(models)
    table = table_of(results)
    if isinstance(table, Curves):
        raise DataError(
            "results: expected a table, whose rows to match, but got curves; "
            "pass what they were made from"
        )
    first, second = _two(metrics)
    joined, notes = matched(table, first, second)
    curves = [curves_of(joined, axis, by, metric, scatter) for metric in (first, second)]
    one_axis(curves[0], "metrics")
    curves, more = _paired(*curves)
    rows = [
        classify(
            metric_name,
            models=chosen,
            learn_prevalence=learn_prevalence,
            draws=draws,
            seed=seed,
            threads=threads,
            progress=_half(progress, i),
        )
        for i, metric_name in enumerate(curves)
    ]
    both = dict.fromkeys((*curves[0].notes, *curves[1].notes, *notes, *more))
    return MetricsComparison(
        metrics=(first, second),
        first=rows[0],
        second=rows[1],
        seed=seed,
        notes=tuple(both),
        meta=meta_of(
            table, metric=[first, second], seed=seed, axis=curves[0].axes[0].name,
            models=[m.name for m in chosen], draws=int(draws), scatter=scatter, by=by,
            learn_prevalence=learn_prevalence,
        ),
    )  # fmt: skip


def _half(progress: Progress | None, which: int) -> Progress | None:
    """Progress under one metric as progress under both."""
    return progress and (lambda done, total: progress(which * total + done, 2 * total))


def _two(metrics: Sequence[str]) -> tuple[str, str]:
    given = [metrics] if isinstance(metrics, str) else list(metrics)
    if len(given) != 2 or given[0] == given[1]:
        raise DataError(
            f"metrics: expected two different ones, but got {listed(given)}; "
            "for example acc and brier"
        )
    return given[0], given[1]


def matched(table: Results, first: str, second: str) -> tuple[Results, list[str]]:
    """The rows of two metrics that have a counterpart in the other; what was left out.

    Counterparts agree in task, model, setting, shots, family and run.
    """
    pair = table.select(table.metric == _known(table, first))
    other = table.select(table.metric == _known(table, second))
    columns = [c for c in _MATCHED if c in table.columns]
    asked = np.isin(table.metric.astype(np.str_), [first, second])
    both = table.select(asked)
    ids = ids_of(both.frame, columns)
    is_first = both.metric == first
    shared = np.intersect1d(ids[is_first], ids[~is_first])
    if not len(shared):
        raise DataError(
            f"{table.name}: expected rows with the same {listed(columns)} under {shown(first)} and "
            f"{shown(second)}, but got none; give the counterparts the same labels"
        )
    kept = np.isin(ids, shared)
    notes = [
        f"{counted(dropped, 'row')} of {metric} without a counterpart left out"
        for metric, rows in ((first, pair), (second, other))
        if (dropped := len(rows) - len(shared))
    ]
    return both.select(kept), notes


def _known(table: Results, metric: str) -> str:
    return known(metric, table.metrics(), kind="metric", where=table.name)


def _paired(first: Curves, second: Curves) -> tuple[list[Curves], list[str]]:
    """The curves that both metrics have, in the same order, with the same points."""
    keys = [_keys(curves) for curves in (first, second)]
    shared = [key for key in keys[0] if key in keys[1]]
    if not shared:
        raise DataError("metrics: expected curves under both, but got none on this axis")
    picked = [
        curves.take(np.array([keys_of[key] for key in shared]))
        for curves, keys_of in zip((first, second), keys, strict=True)
    ]
    cut = [_with_points_of(picked[0], picked[1]), _with_points_of(picked[1], picked[0])]
    dropped = int(sum(a.mask.sum() - b.mask.sum() for a, b in zip(picked, cut, strict=True)))
    note = f"{counted(dropped, 'point')} that only one metric has on this axis left out"
    return cut, [note] * bool(dropped)


def _keys(curves: Curves) -> dict[tuple[str, ...], int]:
    """Where each curve stands, by its labels but the metric."""
    columns = [values.tolist() for name, values in curves.labels.items() if name != "metric"]
    return {key: i for i, key in enumerate(zip(*columns, strict=True))}


def _with_points_of(curves: Curves, other: Curves) -> Curves:
    """Curves without the points that the other has not."""
    drop = np.zeros(curves.mask.shape, dtype=np.bool_)
    for i, mask in enumerate(curves.mask):
        points, theirs = _points(curves, i), set(_points(other, i))
        drop[i, mask] = [point not in theirs for point in points]
    return curves.without(drop) if drop.any() else curves


def _points(curves: Curves, i: int) -> list[tuple[str, str, float]]:
    mask = curves.mask[i]
    parts = (curves.model[i, mask], curves.family[i, mask], curves.x[0, i, mask])
    return list(zip(*(part.tolist() for part in parts), strict=True))


@dataclass(frozen=True)
class MetricsComparison:
    """The same curves under two metrics.

    Attributes
    ----------
    metrics : pair of str
    first, second : Classification
        Of the curves under each, in the same order.
    seed : int
    notes : tuple of str
    meta : dict
    """

    metrics: tuple[str, str]
    first: Classification
    second: Classification
    seed: int
    notes: tuple[str, ...]
    meta: dict[str, Any]

    def __repr__(self) -> str:
        curves = counted(len(self.first.curves), "curve")
        return f"MetricsComparison({', '.join(self.metrics)}; {curves})"

    @property
    def failed(self) -> list[str]:
        """Curves, with the metric, of which a model did not converge."""
        return [
            f"{name} ({metric})"
            for metric, result in zip(self.metrics, (self.first, self.second), strict=True)
            for name, flags in zip(result.curves.name.tolist(), result.flags, strict=True)
            if any("not converged" in flag for flag in flags)
        ]

    def _drawn(self) -> tuple[tuple[Floats, Booleans], tuple[Floats, Booleans]]:
        """Independent draws of either metric: where the curve turns up, and whether it emerges."""
        seeds = np.random.SeedSequence(self.seed).generate_state(2)
        return (
            self.first.drawn(PAIRS, int(seeds[0])),
            self.second.drawn(PAIRS, int(seeds[1])),
        )

    def summary(self, ci: float = 0.9) -> "pd.DataFrame":
        """One row a curve, columns of the second metric with the suffix `_2`.

        Returns
        -------
        DataFrame
            Labels, `points`; `p_emergent`, `p_sharp`, `verdict`, `scale` with interval and
            `censored`, `rise`, `flat_until`, `width` under each metric, as `upturn.classify` has
            them. `p_survives`: the probability that the curve is emergent under the second, where
            it is likely to be under the first, else NaN. `shift` with interval: how far the second
            turns up after the first (before, where negative), in decades of the axis, or its
            coordinate where it is linear, where both rise by as much as counts. `p_second_first`:
            the probability that the second turns up before the first. `outcome`.
        """
        import pandas as pd

        seen = [result.summary(ci) for result in (self.first, self.second)]
        shared = ("p_emergent", "p_sharp", "verdict", "scale", "scale_low", "scale_high",
                  "censored", "rise", "flat_until", "width")  # fmt: skip
        labels = {k: v for k, v in self.first.curves.labels.items() if k != "metric"}
        columns: dict[str, Any] = labels | {"points": self.first.curves.points}
        columns |= {
            f"{name}{suffix}": frame[name].to_numpy()
            for suffix, frame in zip(("", "_2"), seen, strict=True)
            for name in shared
        }
        a, b = columns["p_emergent"], columns["p_emergent_2"]
        columns["p_survives"] = np.where(a > LIKELY, b, np.nan)
        columns |= self._shifts(ci)
        columns["outcome"] = [
            OUTCOMES[p > LIKELY, q > LIKELY] for p, q in zip(a.tolist(), b.tolist(), strict=True)
        ]
        columns["flags"] = [
            "; ".join(dict.fromkeys(text for text in pair if text))
            for pair in zip(seen[0]["flags"], seen[1]["flags"], strict=True)
        ]
        return pd.DataFrame(columns, index=pd.Index(_names(self.first.curves), name="curve"))

    def _shifts(self, ci: float) -> dict[str, Floats]:
        """How the two scales line up, from independent draws of both."""
        (a, _), (b, _) = self._drawn()
        both = np.isfinite(a) & np.isfinite(b)
        enough = both.mean(axis=1) >= ENOUGH_PAIRS
        gap = np.where(both, b - np.where(both, a, 0.0), np.nan)
        gap[~enough] = np.nan
        levels = [(1 - ci) / 2, 0.5, (1 + ci) / 2]
        quantiles = np.full((3, len(a)), np.nan)
        earlier = np.full(len(a), np.nan)
        if enough.any():
            quantiles[:, enough] = np.nanquantile(gap[enough], levels, axis=1)
            earlier[enough] = (gap[enough] < 0).sum(axis=1) / both[enough].sum(axis=1)
        return {
            "shift": quantiles[1], "shift_low": quantiles[0], "shift_high": quantiles[2],
            "p_second_first": earlier,
        }  # fmt: skip

    @property
    def verdict(self) -> str:
        """Whether emergence survives the second metric, in one sentence."""
        frame = self.summary()
        a, b = self.metrics
        outcome = frame["outcome"]
        stays, goes, new = (
            frame.index[outcome == o] for o in ("both", "first only", "second only")
        )
        curves = counted(len(frame), "curve")
        emergent = len(stays) + len(goes)
        if not emergent:
            start = f"Nothing to survive: none of {curves} is emergent under {a}"
        else:
            start = f"Of {curves}, {emergent} emergent under {a}: under {b} {_some(stays)} still"
            start += f", {_some(goes)} not" if len(goes) else ""
        sharp = frame["p_sharp"] > LIKELY
        if sharp.any():
            still = int((sharp & (frame["p_sharp_2"] > LIKELY)).sum())
            start += f"; of {int(sharp.sum())} sharp, {still} still"
        return start + (f"; under {b} only, {_some(new)}" if len(new) else "")


def _some(names: "pd.Index[Any]") -> str:
    """How many, and the first of them."""
    return f"{len(names)} ({listed(names, most=3)})" if len(names) else "none"


def _names(curves: Curves) -> list[str]:
    """Names of curves whatever the metric."""
    return curve_names({k: v for k, v in curves.labels.items() if k != "metric"}).tolist()
