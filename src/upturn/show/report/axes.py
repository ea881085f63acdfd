"""The axes: whether they can be told apart, and which explains the scores best."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from upturn.arrays.types import Floats
from upturn.checks.errors import counted
from upturn.checks.numbers import percent
from upturn.questions.compare import separability as orders
from upturn.questions.compare.leave_one_out import canonical_order
from upturn.show.report.markup import table_of, text
from upturn.show.report.wording import span_words
from upturn.tables.axis import Axis

if TYPE_CHECKING:
    from upturn.show.report.contents import Contents

WITHIN = 2.0  # standard errors; a smaller difference is a tie


@dataclass(frozen=True, eq=False)
class Shared:
    """The curves that have the same points on every axis.

    Attributes
    ----------
    axes : tuple of Axis
    index : array (axis, curve)
        Their places in the fit.
    pairs : tuple of Pair
        How far each two axes can be told apart.
    log_evidence, error : array (axis, curve)
        With its Monte Carlo error.
    """

    axes: tuple[Axis, ...]
    index: NDArray[np.intp]
    pairs: tuple[orders.Pair, ...]
    log_evidence: Floats
    error: Floats

    @cached_property
    def best(self) -> int:
        """The axis with the highest evidence of all curves together."""
        return int(self.log_evidence.sum(axis=1).argmax())

    def behind(self, axis: int) -> tuple[float, float]:
        """By how many nats an axis is behind the best, with the standard error over curves."""
        gap = self.log_evidence[self.best] - self.log_evidence[axis]
        noise = (self.error[self.best] ** 2 + self.error[axis] ** 2).sum()
        across = len(gap) * gap.var(ddof=1) if len(gap) > 1 else np.nan
        return float(gap.sum()), float(np.sqrt(across + noise))


def shared(report: "Contents") -> Shared | None:
    """What can be compared; None for a single axis, or without curves that all axes share."""
    fit = report.fit
    curves, axes = fit.curves, tuple(dict.fromkeys(fit.curves.axes))
    if len(axes) < 2 or any(axis.components for axis in axes):
        return None
    order = canonical_order(curves)
    model, response, u = (
        np.take_along_axis(values, order, axis=1)
        for values in (curves.model, curves.response, curves.u[0])
    )
    names = [axis.name for axis in axes]
    held = [[a.curves[n] for n in names] for a in report.answers if set(names) <= set(a.curves)]
    same = [
        at
        for at in held
        if all(np.array_equal(model[i], model[at[0]]) for i in at)
        and all(np.array_equal(response[i], response[at[0]]) for i in at)
    ]
    if not same:
        return None
    index = np.array(same, dtype=np.intp).T
    mask = curves.mask[index[0]]
    stats = fit.tree["sample_stats"]
    return Shared(
        axes,
        index,
        orders.pairs(tuple(names), np.where(mask, u[index], 0.0), mask),
        *(stats[name].to_numpy()[index] for name in ("log_evidence", "log_evidence_se")),
    )


def axes_note(report: "Contents") -> str:
    """What the table shows, and whether the axes can be told apart at all."""
    start = (
        "The same curves under the same model on every axis of scale. A narrower interval, as a "
        "share of the axis, means that the rise is located more precisely on that axis."
    )
    comparison = shared(report)
    return start if comparison is None else f"{start}</p><p>{text(verdict(comparison))}"


def verdict(comparison: Shared) -> str:
    """Which axis explains the scores best, and whether the axes can be told apart, in words."""
    best = comparison.axes[comparison.best]
    others = [_against(comparison, i) for i in range(len(comparison.axes)) if i != comparison.best]
    curves = counted(comparison.index.shape[1], "curve")
    return (
        f"On the {curves} with the same models on every axis, {best.title} explains the scores "
        f"at least as well as any other: {'; '.join(others)}. The errors assume that curves are "
        "independent; upturn compare --axes allows for the models that they share."
    )


def _against(comparison: Shared, axis: int) -> str:
    best, other = comparison.axes[comparison.best], comparison.axes[axis]
    pair = next(p for p in comparison.pairs if {p.first, p.second} == {best.name, other.name})
    gap, error = comparison.behind(axis)
    decided = gap > WITHIN * error
    ahead = f"{gap:.1f} ± {error:.1f} nats of log evidence"
    if pair.kind == orders.SAME:
        return f"{other.title} is the same axis in another unit ({ahead})"
    if pair.kind == orders.SHAPE:
        how = f"{ahead} come from the shape" if decided else f"a tie, {ahead}"
        same = "puts the models in the same order, so that only the shape can tell them apart"
        return f"{other.title} {same}: {how}"
    order = f"rank correlation {pair.spearman:.2f}"
    return f"{other.title} {f'is behind by {ahead}' if decided else f'ties, {ahead}'} ({order})"


def axes_table(report: "Contents") -> str:
    """One row an axis."""
    comparison = shared(report)
    headers = ["axis", "range", "curves", "change with p ≥ 95 %", "scale beyond the axis"]
    headers.append("median width of the interval")
    rows = [_row(report, axis) for axis in dict.fromkeys(report.fit.curves.axes)]
    if comparison is not None:
        headers.append("log evidence, compared with the best")
        for i, row in enumerate(rows):
            gap, error = comparison.behind(i)
            row.append("" if i == comparison.best else f"−{gap:.1f} ± {error:.1f}")
    return table_of(headers, rows, range(2, len(headers)))


def _row(report: "Contents", axis: Axis) -> list[str]:
    curves, summary = report.fit.curves, report.fit.summary(report.ci)
    index = np.array([i for i, values in enumerate(curves.axes) if values == axis])
    low, high = curves.limits[:, 0, index]
    ends = np.array([report.turns[i].ends for i in index])
    width = np.where(high > low, high - low, np.nan)
    share = (np.clip(ends[:, 1], low, high) - np.clip(ends[:, 0], low, high)) / width
    changed = summary["p_change"].to_numpy()[index] >= 0.95
    clear = share[changed & np.isfinite(share)]
    return [
        text(axis.title),
        text(span_words(axis, np.array([low.min(), high.max()]))),
        f"{len(index):,}",
        f"{int(changed.sum()):,}",
        f"{int(summary['censored'].to_numpy()[index].sum()):,}",
        percent(float(round(np.median(clear), 3))) if len(clear) else "",
    ]
