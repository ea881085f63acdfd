"""plot_check: the residuals of a curve along its axis."""

from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np

from upturn.show.panels import chosen, single
from upturn.show.plots.scales import set_axis
from upturn.show.plots.style import BAND, CHANGE, FAINT, INK, figure, plain, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from upturn.questions.check.result import Check

WIDTH = 66  # characters of a line of the title
INSIDE = 2.0  # standard deviations of the band, which holds 95 % of residuals that are noise


def plot_check(check: "Check", curve: str | None = None, *, ax: "Axes | None" = None) -> "Axes":
    """Draw the residuals of a curve, in standard deviations of what they would be by chance.

    About 95 % of the points lie in the band if the curve fits. Models that do not belong are in
    colour; what was found is in the title.

    Parameters
    ----------
    check : Check
        The answer of `upturn.check`.
    curve : str, optional
        Name of a curve or of a task; not needed if there is only one.
    ax : matplotlib Axes, optional
        What to draw in; a new figure by default.

    Returns
    -------
    Axes

    Raises
    ------
    DataError
        For an unknown curve, and if several are selected.
    """
    data = check.curves
    i = single(data, chosen(data, curve), "curve")
    axis, points = data.axes[i], int(data.points[i])
    x, z = data.x[0, i, :points], check.standardised[i]
    models = {f.where for f in check.findings if f.kind == "outlier" and f.curve == i}
    named = np.isin(data.model[i, :points].astype(str), list(models))
    with style():
        ax = figure(5.2, 3.0).add_subplot() if ax is None else ax
        low, high = data.limits[:, 0, i].tolist()
        set_axis(ax, axis, low, high)
        ax.axhspan(-INSIDE, INSIDE, color=BAND, alpha=0.4, linewidth=0, gid="band")
        ax.axhline(0, color=FAINT, linewidth=1)
        for of, colour, gid in ((~named, INK, "residuals"), (named, CHANGE, "outliers")):
            ax.plot(
                axis.value(x[of]), z[of], "o", markersize=4, color=colour, clip_on=False, gid=gid
            )
        reach = max(3.0, 1.1 * float(np.abs(z).max(initial=0.0)))
        ax.set_ylim(-reach, reach)
        ax.set_ylabel("residual, standard deviations")
        says = check.texts()["fits"].iloc[i]
        title = fill(plain(f"{data.name[i]}: {says}", 3 * WIDTH), WIDTH)
        ax.set_title(title, parse_math=False, fontsize="medium", fontweight="normal")
    return ax
