"""plot_forest: emergence scales of many curves with their intervals."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from upturn.arrays.types import Floats
from upturn.checks.arguments import known
from upturn.checks.errors import DataError
from upturn.show.panels import Index, chosen, single_axes, titles_of
from upturn.show.plots.scales import set_axis
from upturn.show.plots.style import INK, figure, looks, name_rows, plain, style
from upturn.tables.curves import Curves

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from upturn.questions.fit.result import Fit

MOST = 400  # rows of one figure
SURE = 0.5  # a p(change) below this is drawn faint
_ROW = 0.2  # inches
_EDGE = 0.03  # of the axis: where what lies beyond it is drawn


def plot_forest(
    fit: "Fit",
    curves: str | Sequence[str] | None = None,
    *,
    axis: str | None = None,
    by: str | None = None,
    sort: bool = True,
    points: Mapping[str, float] | None = None,
    ci: float = 0.9,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw the emergence scale of each curve with its interval, the smallest at the top.

    An arrow means that the interval extends beyond the observed scales; without a dot, the median
    lies beyond them too. A curve that has probably not changed is drawn faint.

    Parameters
    ----------
    fit : Fit
        The answer of `upturn.fit`.
    curves : str or several, optional
        Names of curves or of tasks; all by default.
    axis : str, optional
        One of the axes; the first by default.
    by : str, optional
        A label, such as "family" or "setting", to colour by.
    sort : bool
        Whether to sort by scale; otherwise the order is that of the table.
    points : mapping, optional
        Published scales in native units by task, drawn as open diamonds.
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
        For an unknown curve, axis or label, and for more than 400 curves.
    """
    data = fit.curves
    index = chosen(data, curves)
    first = data.axes[index[0]].name if axis is None else axis
    index = np.intersect1d(index, chosen(data, axis=first))
    if not len(index):
        raise DataError(f"axis: expected curves on {first}, but got none; name another")
    if len(index) > MOST:
        raise DataError(
            f"curves: expected at most {MOST} in one figure, but got {len(index)}; name some"
        )
    if by is not None:
        known(by, list(data.labels), kind="label", where="by")
    single_axes(data.take(index))
    x = _scales(fit, index, ci)
    if sort:
        order = np.lexsort((x[0], x[2], x[1]))
        index, x = index[order], x[:, order]
    with style():
        ax = figure(6.4, 0.9 + _ROW * len(index)).add_subplot() if ax is None else ax
        _drawn(ax, data, index, x, p=fit.scales(index)[1], by=by)
        for task, value in (points or {}).items():
            _published(ax, data, index, task, value)
        if points:
            _legend_of_points(ax)
    return ax


def _scales(fit: "Fit", index: Index, ci: float) -> Floats:
    """Low, median and high x of each curve, infinite beyond the axis: (3, curve)."""
    axes = [fit.curves.axes[i] for i in index]
    frame = fit.summary(ci).iloc[index]
    native = frame[["scale_low", "scale", "scale_high"]].to_numpy(dtype=np.float64).T
    with np.errstate(divide="ignore"):
        x = np.stack([a.coordinate(native[:, i]) for i, a in enumerate(axes)], axis=1)
    return np.sort(x, axis=0)


def _drawn(ax: "Axes", data: Curves, index: Index, x: Floats, *, p: Floats, by: str | None) -> None:
    """One row a curve."""
    axis = data.axes[index[0]]
    low = float(data.limits[0, 0, index].min())
    high = float(data.limits[1, 0, index].max())
    set_axis(ax, axis, low, high)
    room = _EDGE * (high - low) or 0.5
    clipped = np.clip(x, low - room, high + room)
    rows = np.arange(len(index))
    values = data.labels[by][index] if by else np.full(len(index), "")
    colours = looks(list(dict.fromkeys(values.tolist())))
    for name, look in colours.items():
        members = values == name
        colour = look["color"] if by else INK
        alpha = np.where(p[members] >= SURE, 1.0, 0.4)
        ends = axis.value(clipped[:, members])
        ax.hlines(rows[members], ends[0], ends[2], color=colour, alpha=alpha, gid="interval")
        seen = np.isfinite(x[1, members])
        dots = ax.scatter(
            ends[1, seen], rows[members][seen], color=colour, alpha=alpha[seen], s=22,
            marker=look["marker"] if by else "o", zorder=3, clip_on=False, gid="scale",
        )  # fmt: skip
        dots.set_label(plain(name, 24) or "none")
    _arrows(ax, x, axis.value(clipped), rows)
    titles = titles_of(data)
    name_rows(ax, [plain(titles[i], 44) for i in index])
    ax.grid(axis="x", color="#E4E4E4", linewidth=0.6)
    ax.set_axisbelow(True)
    if by:
        box = ax.legend(loc="lower right", title=by, frameon=True, framealpha=0.9, edgecolor="none")
        for text in box.get_texts():
            text.set_parse_math(False)


def _arrows(ax: "Axes", x: Floats, native: Floats, rows: np.ndarray) -> None:
    """Draw an arrow where an interval continues beyond the axis."""
    right, left = np.isposinf(x[2]), np.isneginf(x[0])
    for there, end, marker in ((right, native[2], ">"), (left, native[0], "<")):
        if there.any():
            ax.plot(
                end[there], rows[there], linestyle="none", marker=marker, color=INK,
                markersize=4.5, clip_on=False, gid="beyond",
            )  # fmt: skip


def _published(ax: "Axes", data: Curves, index: Index, task: str, value: float) -> None:
    """Draw a published scale in the row of each curve of its task."""
    known(task, list(dict.fromkeys(data.labels["task"].tolist())), kind="task", where="points")
    rows = np.flatnonzero(data.labels["task"][index] == task)
    ax.plot(
        np.full(len(rows), value), rows, linestyle="none", marker="D", markerfacecolor="white",
        markeredgecolor="#0072B2", markersize=5.5, markeredgewidth=1.2, zorder=4, gid="published",
    )  # fmt: skip


def _legend_of_points(ax: "Axes") -> None:
    """Explain the open diamonds, next to a legend if there is one."""
    from matplotlib.artist import Artist

    there: Artist | None = ax.get_legend()
    diamond = next((line for line in ax.lines if line.get_gid() == "published"), None)
    if diamond is not None:
        ax.legend([diamond], ["as published"], loc="upper right", frameon=True, edgecolor="none")
        if there is not None:
            ax.add_artist(there)
