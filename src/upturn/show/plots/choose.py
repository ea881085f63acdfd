"""plot: the figure that the number of curves suggests."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from upturn.checks.arguments import known
from upturn.checks.errors import DataError
from upturn.show.panels import chosen
from upturn.show.plots.curve import plot_curve
from upturn.show.plots.forest import plot_forest
from upturn.show.plots.grid import plot_axes, plot_grid

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from upturn.questions.fit.result import Fit

KINDS = ("curve", "grid", "axes", "forest")
GRID = 36  # panels; a forest is easier to read for more curves


def plot(
    fit: "Fit",
    *,
    kind: str | None = None,
    curves: str | Sequence[str] = (),
    where: Sequence[str] = (),
    axis: str | None = None,
    by: str | None = None,
    ci: float = 0.9,
) -> "Figure":
    """Draw a fit, or selected curves of it.

    Parameters
    ----------
    fit : Fit
        What is drawn.
    kind : str, optional
        "curve", "grid", "axes" or "forest". By default one curve is drawn alone, one task on all
        of its axes, up to 36 curves as a grid, and more as a forest.
    curves : str or several
        Names of curves or of tasks.
    where : several str
        ``LABEL=VALUE``: two values of one label mean either; two labels mean both.
    axis : str, optional
        Only the curves on this axis.
    by : str, optional
        A label to colour a forest by.
    ci : float
        Probability of the intervals.

    Returns
    -------
    Figure

    Raises
    ------
    DataError
        For an unknown kind, curve, axis or label, and if no curve is left.
    """
    data = fit.curves
    index = chosen(data, curves or None, axis=axis, where=where)
    names = data.name[index].tolist()
    tasks = {tuple(str(v[i]) for n, v in data.labels.items() if n != "axis") for i in index}
    if kind is None:
        few = "grid" if len(index) <= GRID else "forest"
        kind = "curve" if len(index) == 1 else "axes" if len(tasks) == 1 else few
    known(kind, KINDS, kind="kind of figure", where="kind")
    if by is not None and kind != "forest":
        raise DataError(f"by: expected it with a forest, but got it with kind {kind}; leave it out")
    if kind == "axes":
        return plot_axes(fit, names[0] if len(tasks) == 1 else None, ci=ci)
    if kind == "grid":
        return plot_grid(fit, names, ci=ci)
    drawn = (
        plot_forest(fit, names, axis=axis, by=by, ci=ci)
        if kind == "forest"
        else plot_curve(fit, names[0] if len(tasks) == 1 else None, axis=axis, ci=ci)
    )
    result: Figure = drawn.figure  # type: ignore[assignment]
    return result
