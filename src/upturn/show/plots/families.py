"""plot_families: how much earlier or later each family is along the axis."""

from typing import TYPE_CHECKING

import numpy as np

from upturn.checks.arguments import known
from upturn.show.plots.style import INK, figure, name_rows, plain, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from upturn.questions.pool.result import Pool

BAND = "#E4E4E4"
_ROW = 0.24  # inches


def plot_families(
    pool: "Pool", *, axis: str | None = None, ci: float = 0.9, ax: "Axes | None" = None
) -> "Axes":
    """Draw the offset of each family with its interval, the smallest offset at the top.

    The area of a dot grows with the number of models in the family. The grey band is the estimated
    standard deviation of the offsets, to either side.

    Parameters
    ----------
    pool : Pool
        The answer of `upturn.pool`.
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
        For an unknown axis.
    """
    names = [part.axis.name for part in pool.parts]
    name = names[0] if axis is None else known(axis, names, kind="axis", where="axis")
    spread = pool.spread(ci).loc[name].to_dict()
    rows = pool.offsets(ci)
    rows = rows[rows["axis"] == name].sort_values("offset", kind="stable")
    place = np.arange(len(rows))
    with style():
        ax = figure(5.6, 1.0 + _ROW * len(rows)).add_subplot() if ax is None else ax
        sigma = float(spread["sigma_family"])
        ax.axvspan(-sigma, sigma, color=BAND, zorder=0, gid="spread")
        ax.axvline(0.0, color=INK, linewidth=0.8)
        ax.hlines(place, rows["offset_low"], rows["offset_high"], color=INK, gid="interval")
        ax.scatter(rows["offset"], place, s=10.0 + 6.0 * rows["models"], color=INK, zorder=3,
                   gid="offset")  # fmt: skip
        labels = [
            f"{plain(str(family), 36)} ({models})"
            for family, models in zip(rows["family"], rows["models"], strict=True)
        ]
        name_rows(ax, labels)
        title = next(part.axis.title for part in pool.parts if part.axis.name == name)
        ax.set_xlabel(f"earlier ← offset in {title}, {spread['unit']} → later")
    return ax
