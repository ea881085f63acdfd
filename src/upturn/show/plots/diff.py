"""plot_diff: the emergence scales of two results, one above the other for each curve."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from upturn.arrays.types import Floats
from upturn.checks.errors import DataError
from upturn.show.panels import Index, chosen, titles_of
from upturn.show.plots.scales import set_axis
from upturn.show.plots.style import CHANGE, FAINT, INK, figure, name_rows, plain, style
from upturn.tables.axis import Axis

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from upturn.questions.diff.result import Diff

MOST = 200  # rows of one figure
MOVED = ("emerged", "vanished", "earlier", "later")
_ROW, _APART = 0.28, 0.16  # inches of a row; a part of it between before and after
_EDGE = 0.03  # of the axis: where what lies beyond it is drawn


def plot_diff(
    diff: "Diff",
    curves: str | Sequence[str] | None = None,
    *,
    axis: str | None = None,
    ci: float = 0.9,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw the emergence scale of each curve before (grey, hollow) and after.

    After is in colour where the curve changed. An arrow means that the interval extends beyond the
    tested scales; without a dot, the median lies beyond them too.

    Parameters
    ----------
    diff : Diff
        The answer of `upturn.diff`.
    curves : str or several, optional
        Names of curves or of tasks; all by default.
    axis : str, optional
        One of the axes; the first by default.
    ci : float
        Probability of the intervals.
    ax : matplotlib Axes, optional
        What to draw in; a new figure by default.

    Returns
    -------
    Axes

    Raises
    ------
    DataError
        For an unknown curve or axis, and for more than 200 curves.
    """
    data = diff.curves
    index = chosen(data, curves)
    index = np.intersect1d(index, chosen(data, axis=axis or data.axes[index[0]].name))
    if len(index) > MOST:
        raise DataError(
            f"curves: expected at most {MOST} in one figure, but got {len(index)}; name some"
        )
    with style():
        ax = figure(6.4, 1.1 + _ROW * len(index)).add_subplot() if ax is None else ax
        ends = _ends(diff, index)
        set_axis(ax, data.axes[index[0]], *ends)
        moved = np.isin(np.array(diff.changes)[index], MOVED)
        colours = {"before": np.full(len(index), FAINT), "after": np.where(moved, CHANGE, INK)}
        for name, side in (("before", diff.before), ("after", diff.after)):
            x = side.quantiles(ci)[:, index]
            _drawn(ax, x, ends, name=name, axis=data.axes[index[0]], colours=colours[name])
        titles = titles_of(data)
        name_rows(ax, [plain(f"{titles[i]}  {diff.changes[i]}", 60) for i in index])
        ax.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, frameon=False)
    return ax


def _ends(diff: "Diff", index: Index) -> tuple[float, float]:
    """The ends of the axis over both results, as coordinates."""
    limits = np.stack([side.curves.limits[:, 0, index] for side in (diff.before, diff.after)])
    return float(limits[:, 0].min()), float(limits[:, 1].max())


def _drawn(
    ax: "Axes",
    x: Floats,
    ends: tuple[float, float],
    *,
    name: str,
    axis: Axis,
    colours: "np.ndarray",
) -> None:
    """The intervals and medians of one result, x being its quantiles (3, curve)."""
    room = _EDGE * (ends[1] - ends[0]) or 0.5
    inside = axis.value(np.clip(x, ends[0] - room, ends[1] + room))
    rows = np.arange(x.shape[1]) + (_APART if name == "after" else -_APART)
    ax.hlines(rows, inside[0], inside[2], color=colours, linewidth=1.2, gid=name)
    seen = np.isfinite(x[1])
    ax.scatter(
        inside[1, seen], rows[seen], s=20, zorder=3, edgecolors=colours[seen], clip_on=False,
        facecolors=colours[seen] if name == "after" else "white", gid=f"{name}-scale", label=name,
    )  # fmt: skip
    for there, end, marker in ((np.isposinf(x[2]), 2, ">"), (np.isneginf(x[0]), 0, "<")):
        if there.any():
            ax.scatter(
                inside[end, there], rows[there], marker=marker, s=16, color=colours[there],
                clip_on=False, gid=f"{name}-beyond",
            )  # fmt: skip
