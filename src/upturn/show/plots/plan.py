"""plot_plan: how well designs locate an emergence scale."""

from typing import TYPE_CHECKING

from matplotlib.ticker import FixedLocator, NullLocator

from upturn.show.plots.style import FAINT, figure, looks, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from upturn.questions.plan.result import Plan


def plot_plan(plan: "Plan", *, ax: "Axes | None" = None) -> "Axes":
    """Draw the probability of a close estimate by the number of models.

    There is a line with standard errors for each layout and number of test questions; the dashed
    line is the probability that was asked for.

    Parameters
    ----------
    plan : Plan
        The answer of `upturn.plan`.
    ax : matplotlib Axes, optional
        What to draw in; a new figure by default.

    Returns
    -------
    Axes
    """
    table = plan.summary()
    groups = list(table.groupby(["layout", "trials"], sort=False))
    names = [f"{layout}, {trials:,} questions" for (layout, trials), _ in groups]
    with style():
        ax = figure(5.2, 3.4).add_subplot() if ax is None else ax
        for name, (_, rows) in zip(names, groups, strict=True):
            ax.errorbar(
                rows["models"], rows["p_within"], rows["p_within_se"], label=name, capsize=2,
                markersize=4, gid="design", **looks(names)[name],
            )  # fmt: skip
        ax.axhline(plan.probability, color=FAINT, linestyle="--", linewidth=1, gid="asked")
        ax.set_xscale("log")
        counts = sorted(set(table["models"].tolist()))
        ax.xaxis.set_major_locator(FixedLocator(counts))
        ax.xaxis.set_minor_locator(NullLocator())
        ax.xaxis.set_major_formatter(lambda value, _: f"{value:.0f}")
        ax.set_ylim(-0.02, 1.02)
        ax.set_xlabel("models")
        ax.set_ylabel(f"p(within {plan.within:g} decades)")
        ax.legend(loc="best", fontsize="small")
    return ax
