"""plot_curve: one curve, its scores, the expected score, and the scale at which it rises."""

from typing import TYPE_CHECKING, Any

import numpy as np

from upturn.show.panels import Panel, chosen, panels, single
from upturn.show.plots.scales import set_axis
from upturn.show.plots.style import BAND, CHANGE, FAINT, INK, figure, looks, plain, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from upturn.questions.fit.result import Fit

DENSITY = 0.22  # of the height of the panel, at the peak of the narrowest density
_INSIDE = 5  # most families whose legend fits inside the panel
_WORDS = 0.14  # of the height: room above the points for text


def plot_curve(
    fit: "Fit",
    curve: str | None = None,
    *,
    axis: str | None = None,
    ci: float = 0.9,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw one curve.

    Points are scores with their binomial (Wilson) intervals, in a colour and a marker for each
    family; line and band are the posterior median and interval of the expected score; the
    density along the axis is that of the scale at which the score rises, and its area is the
    probability that it does; the dotted line is chance. If the ability has probably not emerged by
    the largest scale, the panel is hatched and says so.

    Parameters
    ----------
    fit : Fit
        The answer of `upturn.fit`.
    curve : str, optional
        The name of a curve or of a task; not needed if there is only one.
    axis : str, optional
        One of the axes of the task; the first by default.
    ci : float
        Probability of the band and the intervals.
    ax : matplotlib Axes, optional
        What to draw in; a new figure's by default.

    Returns
    -------
    Axes
        Horizontal numbers are native units.

    Raises
    ------
    DataError
        For an unknown curve, and if several are selected.
    """
    index = chosen(fit.curves, curve, axis=axis)
    if axis is None:
        first = fit.curves.axes[index[0]]
        index = np.array([i for i in index if fit.curves.axes[i] == first], dtype=np.intp)
    single(fit.curves, index, remedy="name one, or use plot_grid")
    (panel,) = panels(fit, index, ci=ci)
    with style():
        ax = figure(5.2, 3.6).add_subplot() if ax is None else ax
        draw(ax, panel, looks(_families([panel])))
        ax.set_title(plain(panel.title), parse_math=False)
        ax.set_ylabel("score")
        legend(ax)
    return ax


def draw(ax: "Axes", panel: Panel, families: dict[str, dict[str, Any]]) -> None:
    """Draw a panel without its title and legend."""
    set_axis(ax, panel.axis, *panel.limits)
    _expected(ax, panel)
    _points(ax, panel, families)
    if np.isfinite(panel.chance):
        ax.axhline(panel.chance, color=FAINT, linestyle=(0, (1, 2)), linewidth=1, gid="chance")
    _heights(ax, panel)
    _change(ax, panel)
    if panel.not_yet:
        _not_yet(ax, panel)


def legend(ax: "Axes") -> None:
    """Add a legend of families, if there are several."""
    handles = named(ax)
    if len(handles) > 1:
        beside: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.02)}
        place = {"loc": "best"} if len(handles) <= _INSIDE else beside
        names = [handle.get_label() for handle in handles]
        box = ax.legend(handles, names, handletextpad=0.2, labelspacing=0.35, **place)
        for text in box.get_texts():
            text.set_parse_math(False)


def named(ax: "Axes") -> list[Any]:
    """The artists that represent families in a legend."""
    return [line for line in ax.lines if line.get_gid() == "family"]


def _families(drawn: list[Panel]) -> list[str]:
    """Families of all panels, in the order of their first appearance."""
    return list(dict.fromkeys(str(name) for panel in drawn for name in panel.family))


def _expected(ax: "Axes", panel: Panel) -> None:
    x = panel.axis.value(panel.grid)
    ax.fill_between(
        x, panel.expected_low, panel.expected_high, color=BAND, alpha=0.55, linewidth=0, gid="band"
    )
    ax.plot(x, panel.expected, color=INK, gid="expected")


def _points(ax: "Axes", panel: Panel, families: dict[str, dict[str, Any]]) -> None:
    """Draw the scores by family, with intervals if the number of trials is known."""
    x = panel.axis.value(panel.x)
    for name in _families([panel]):
        members = panel.family == name
        look = families[name]
        (line,) = ax.plot(
            x[members], panel.score[members], linestyle="none", markeredgecolor="white",
            markeredgewidth=0.4, zorder=3, gid="family", **look,
        )  # fmt: skip
        # set afterwards, because matplotlib ignores labels that begin with an underscore
        line.set_label(plain(name, 24) if name else "no family")
        known = members & np.isfinite(panel.low)
        if known.any():
            ax.vlines(
                x[known], panel.low[known], panel.high[known], color=look["color"],
                linewidth=0.9, alpha=0.75, zorder=2.5, gid="interval",
            )  # fmt: skip


def _heights(ax: "Axes", panel: Panel) -> None:
    """Set vertical limits that hold all scores; those of proportions begin at 0."""
    values = [panel.score, panel.low, panel.high, panel.expected_low, panel.expected_high]
    drawn = np.concatenate([v[np.isfinite(v)] for v in values])
    low, high = float(drawn.min()), float(drawn.max())
    if np.isfinite(panel.chance):
        low, high = min(low, panel.chance), max(high, panel.chance)
    if low >= 0 and high <= 1:
        low, high = 0.0, min(1.0, max(0.1, 1.06 * high))
    if panel.not_yet:
        high += (high - low) * _WORDS
    room = (high - low) * 0.05 or 0.5
    ax.set_ylim(low - room, high + room)


def _change(ax: "Axes", panel: Panel) -> None:
    """Draw the density of the emergence scale along the bottom, with its own vertical scale."""
    height = panel.relative_density * DENSITY
    ax.fill_between(
        panel.axis.value(panel.density_x), 0, height, transform=ax.get_xaxis_transform(),
        color=CHANGE, alpha=0.45, linewidth=0, zorder=1.5, gid="density",
    )  # fmt: skip


def _not_yet(ax: "Axes", panel: Panel) -> None:
    """Hatch the panel, and write what that means."""
    ends = panel.axis.value(np.array(panel.limits))
    ax.axvspan(
        float(ends[0]), float(ends[1]), facecolor="none", edgecolor="#E3E3E3", hatch="///",
        linewidth=0, zorder=0, gid="not by",
    )  # fmt: skip
    p = min(panel.beyond, 0.99)
    sign = ">" if panel.beyond > 0.99 else "="
    ax.text(
        0.98, 0.95, f"not by {panel.top} (p {sign} {p:.2f})", transform=ax.transAxes, ha="right",
        va="top", fontsize="small", gid="not by", parse_math=False,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5, "alpha": 0.85},
    )  # fmt: skip
