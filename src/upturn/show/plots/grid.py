"""plot_grid and plot_axes: many curves, and one task on every axis."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from upturn.checks.errors import DataError, listed
from upturn.show.panels import Index, Panel, chosen, panels, titles_of
from upturn.show.plots.curve import draw, named
from upturn.show.plots.style import figure, looks, plain, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from upturn.questions.fit.result import Fit

MOST = 100  # panels of one figure
_TICKS = 4
_WIDTH, _HEIGHT = 2.7, 2.05  # inches of a panel
_NAME = 34


def plot_grid(
    fit: "Fit",
    curves: str | Sequence[str] | None = None,
    *,
    axis: str | None = None,
    ci: float = 0.9,
    columns: int | None = None,
    fig: "Figure | None" = None,
) -> "Figure":
    """Draw many curves, a panel each, as `plot_curve` does.

    Parameters
    ----------
    fit : Fit
        The answer of `upturn.fit`.
    curves : str or several, optional
        Names of curves or of tasks; all by default.
    axis : str, optional
        One of the axes; all by default, a row for each task.
    ci : float
        Probability of bands and intervals.
    columns : int, optional
        Panels side by side; by default as many as make the figure about one page.
    fig : matplotlib Figure, optional
        What to draw in; a new one by default.

    Returns
    -------
    Figure

    Raises
    ------
    DataError
        For an unknown curve, and for more than 100 curves.
    """
    index = chosen(fit.curves, curves, axis=axis)
    titles = titles_of(fit.curves)
    several = len(dict.fromkeys(fit.curves.axes[i] for i in index))
    if several > 1:
        order = list(dict.fromkeys(titles[i] for i in index))
        index = np.array(sorted(index, key=lambda i: order.index(titles[i])), dtype=np.intp)
        columns = columns or several
    return _drawn(fit, index, [titles[i] for i in index], ci=ci, columns=columns, fig=fig)


def plot_axes(
    fit: "Fit", curve: str | None = None, *, ci: float = 0.9, fig: "Figure | None" = None
) -> "Figure":
    """Draw one task on every axis that it was fitted on, side by side.

    Parameters
    ----------
    fit : Fit
        The answer of `upturn.fit`.
    curve : str, optional
        The name of a task, or of one of its curves; not needed if there is only one.
    ci : float
        Probability of the intervals.
    fig : matplotlib Figure, optional
        What to draw in; a new figure by default.

    Returns
    -------
    Figure

    Raises
    ------
    DataError
        For an unknown curve, and if several are selected.
    """
    data = fit.curves
    labels = [name for name in data.labels if name != "axis"]
    keys = list(zip(*(data.labels[name].tolist() for name in labels), strict=True))
    wanted = list(dict.fromkeys(keys[i] for i in chosen(data, curve)))
    if len(wanted) > 1:
        raise DataError(
            f"curve: expected one to draw, but got {len(wanted)}: "
            f"{listed([' | '.join(filter(None, key)) for key in wanted])}; name one"
        )
    index = np.array([i for i, key in enumerate(keys) if key == wanted[0]], dtype=np.intp)
    titles = ["" for _ in index]
    result = _drawn(fit, index, titles, ci=ci, columns=len(index), fig=fig)
    with style():
        title = " · ".join(dict.fromkeys(filter(None, wanted[0])))
        result.suptitle(plain(title), parse_math=False, x=0.01, ha="left", weight="bold")
    return result


def _drawn(
    fit: "Fit",
    index: Index,
    titles: Sequence[str],
    *,
    ci: float,
    columns: int | None,
    fig: "Figure | None",
) -> "Figure":
    """Panels, row by row, under their titles, with one legend for all."""
    if len(index) > MOST:
        raise DataError(
            f"curves: expected at most {MOST} in one figure, but got {len(index)}; name some, "
            "or choose an axis"
        )
    drawn = panels(fit, index, ci=ci)
    across = columns or min(len(drawn), 3 if len(drawn) <= 12 else 5)
    down = -(-len(drawn) // across)
    families = list(dict.fromkeys(str(name) for panel in drawn for name in panel.family))
    with style():
        fig = figure(_WIDTH * across, _HEIGHT * down + 0.3) if fig is None else fig
        axes = fig.subplots(down, across, squeeze=False)
        for ax in axes.flat[len(drawn) :]:
            ax.remove()
        for ax, panel, title in zip(axes.flat, drawn, titles, strict=False):
            draw(ax, panel, looks(families))
            ax.xaxis.get_major_locator().most = _TICKS
            ax.set_title(plain(title, _NAME), parse_math=False)
        _label(axes, drawn, across)
        handles = {h.get_label(): h for ax in axes.flat[: len(drawn)] for h in named(ax)}
        if len(families) > 1:
            box = fig.legend(
                list(handles.values()), list(handles), loc="outside lower center",
                ncols=min(len(handles), 2 * across), handletextpad=0.2,
            )  # fmt: skip
            for text in box.get_texts():
                text.set_parse_math(False)
    return fig


def _label(axes: np.ndarray, drawn: Sequence[Panel], across: int) -> None:
    """Label scores on the left, and scales below, once for each column that shares an axis."""
    shared = len({panel.axis for panel in drawn}) == 1 and across > 1
    if shared:
        axes.flat[0].figure.supxlabel(drawn[0].axis.title, fontsize="medium", parse_math=False)
    for place, panel in enumerate(drawn):
        ax = axes.flat[place]
        ax.set_ylabel("score" if place % across == 0 else "")
        if shared:
            ax.set_xlabel("")
            continue
        below = place + across
        if below < len(drawn) and drawn[below].axis == panel.axis:
            ax.set_xlabel("")
