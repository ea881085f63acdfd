"""plot_forecast: a curve fitted to small models, and its predictions for large ones."""

from typing import TYPE_CHECKING

import numpy as np

from upturn.arrays.types import Floats
from upturn.checks.arguments import interval_levels, known
from upturn.posterior.scoring import quantiles
from upturn.show.panels import chosen, single
from upturn.show.plots.scales import set_axis
from upturn.show.plots.style import BAND, CHANGE, FAINT, INK, figure, plain, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from upturn.questions.forecast.result import Forecast

GRID = 81


def plot_forecast(
    forecast: "Forecast",
    curve: str | None = None,
    *,
    baseline: str | None = None,
    ci: float = 0.9,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw one curve of a forecast.

    Filled points were fitted, open points were held out. The line is the posterior median of the
    expected score, the dark band its interval, and the light band the interval of new scores with
    their noise. The dashed line marks the end of the fitted points.

    Parameters
    ----------
    forecast : Forecast
        The answer of `upturn.forecast`.
    curve : str, optional
        The name of a curve or of a task; not needed if there is only one.
    baseline : str, optional
        A method of `Forecast.scores` to draw too, as a dotted line.
    ci : float
        Probability of the bands, at each scale.
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
    i = single(forecast.curves, chosen(forecast.curves, curve))
    if baseline is not None:
        known(baseline, list(forecast.baselines), kind="baseline", where="baseline")
    data, axis = forecast.curves, forecast.curves.axes[i]
    mask, held = data.mask[i], forecast.held[i]
    low, high = (
        float(forecast.ends[0, i]),
        max(float(forecast.far[i]), float(data.x[0, i, mask].max())),
    )
    grid = np.linspace(low, high, GRID)
    levels = interval_levels(ci)
    expected, scores = _bands(forecast, i, grid, levels)
    with style():
        ax = figure(5.2, 3.6).add_subplot() if ax is None else ax
        set_axis(ax, axis, low, high)
        x = axis.value(grid)
        ax.fill_between(x, scores[0], scores[2], color=BAND, alpha=0.35, linewidth=0, gid="scores")
        ax.fill_between(x, expected[0], expected[2], color=BAND, alpha=0.8, linewidth=0, gid="band")
        ax.plot(x, expected[1], color=INK, gid="expected")
        if baseline is not None:
            y = forecast.baseline(baseline, i, grid)
            ax.plot(x, y, color=FAINT, linestyle=(0, (1, 1.5)), label=baseline, gid="baseline")
        for part, filled in ((mask & ~held, True), (held, False)):
            ax.plot(
                axis.value(data.x[0, i, part]), data.score[i, part], linestyle="none", marker="o",
                color=INK if filled else CHANGE, markerfacecolor=INK if filled else "white",
                markersize=4, gid="fitted" if filled else "held out",
            )  # fmt: skip
        ax.axvline(float(axis.value(forecast.ends[1, i])), color=FAINT, linestyle="--", linewidth=1,
                   gid="end")  # fmt: skip
        if np.isfinite(data.chance[i]):
            ax.axhline(data.chance[i], color=FAINT, linestyle=(0, (1, 2)), linewidth=1,
                       gid="chance")  # fmt: skip
        ax.set_ylim(-0.03, 1.03)
        ax.set_ylabel("score")
        ax.set_title(plain(str(data.name[i])), parse_math=False)
    return ax


def _bands(forecast: "Forecast", i: int, x: Floats, levels: Floats) -> tuple[Floats, Floats]:
    """Quantiles of the expected score and of scores: (level, place) each."""
    mixture = forecast.mixtures[i]
    trials = np.full(len(x), np.median(mixture.curve.trials[0, mixture.curve.mask[0]]))
    alone = np.full(len(x), -1)
    scores, _ = mixture.scored(x, alone, np.zeros(len(x)), np.round(trials), seed=0)
    expected = mixture.expected(x)
    return quantiles(expected, mixture.weight, levels), quantiles(scores, mixture.weight, levels)
