"""plot_gain: the gain of a technique over its baseline, along the axis of scale."""

from typing import TYPE_CHECKING

import numpy as np

from upturn.checks.arguments import interval_levels
from upturn.posterior.scoring import quantiles
from upturn.questions.contrast.pairing import both_scores
from upturn.questions.contrast.task import GRID
from upturn.show.panels import chosen, single
from upturn.show.plots.scales import set_axis
from upturn.show.plots.style import BAND, CHANGE, FAINT, INK, figure, plain, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from upturn.questions.contrast.result import Contrast


def plot_gain(
    contrast: "Contrast", task: str | None = None, *, ci: float = 0.9, ax: "Axes | None" = None
) -> "Axes":
    """Draw the gain in score by a technique on one task as a function of scale.

    Points are differences between scores of the same model; line and band are the posterior median
    and interval of the difference of the expected scores. The bar along the bottom is the part of
    the interval of the break-even scale that lies within the axis.

    Parameters
    ----------
    contrast : Contrast
        The answer of `upturn.contrast`.
    task : str, optional
        Name of a task; not needed if there is only one.
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
        For an unknown task, and if several are selected.
    """
    i = single(contrast.curves, chosen(contrast.curves, task), "task")
    data, axis, seen = contrast.curves, contrast.curves.axes[i], contrast.tasks[i]
    low, high = data.limits[:, 0, i]
    levels = interval_levels(ci)
    x, before, after = both_scores(data, i)
    band = quantiles(seen.gain, seen.weight, levels)
    grid = axis.value(low + np.linspace(0, 1, GRID) * (high - low))
    with style():
        ax = figure(5.2, 3.4).add_subplot() if ax is None else ax
        set_axis(ax, axis, float(low), float(high))
        ax.axhline(0, color=FAINT, linewidth=1, gid="even")
        ax.fill_between(grid, band[0], band[2], color=BAND, alpha=0.6, linewidth=0, gid="band")
        ax.plot(grid, band[1], color=INK, gid="gain")
        ax.plot(axis.value(x), after - before, linestyle="none", marker="o", markersize=3.5,
                color=INK, markeredgecolor="white", markeredgewidth=0.3, gid="models")  # fmt: skip
        ends = low + np.clip(quantiles(seen.helps[None], seen.weight, levels)[[0, 2], 0], 0, 1) * (
            high - low
        )
        if ends[1] > ends[0]:
            ax.plot(axis.value(ends), [0.02, 0.02], transform=ax.get_xaxis_transform(),
                    color=CHANGE, linewidth=4, solid_capstyle="butt", gid="break-even")  # fmt: skip
        ax.set_ylabel(plain(f"{contrast.setting.split(':')[0]}: gain in score"), parse_math=False)
        ax.set_title(plain(str(data.name[i])), parse_math=False)
    return ax
