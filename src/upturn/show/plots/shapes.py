"""plot_shapes: the probability of each class of shapes, curve by curve."""

from typing import TYPE_CHECKING

import numpy as np

from upturn.checks.errors import DataError
from upturn.show.panels import chosen, titles_of
from upturn.show.plots.style import INK, figure, name_rows, plain, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from upturn.questions.classify.result import Classification

MOST = 400  # rows of one figure
# By lightness too: neighbours differ in grey.
COLOURS = {
    "flat": "#DDDDDD",
    "smooth": "#56B4E9",
    "changepoint": "#0072B2",
    "inverse": "#E69F00",
    "u-shaped": "#7A3B00",
    "humped": "#CC79A7",
}
HATCHES = {"inverse": "///", "u-shaped": "...", "humped": "xxx"}
_ROW = 0.2  # inches


def plot_shapes(
    classification: "Classification",
    *,
    axis: str | None = None,
    sort: bool = True,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw the probabilities of the classes of shapes as bars, and p(emergent) as a dot.

    Parameters
    ----------
    classification : Classification
        The answer of `upturn.classify`.
    axis : str, optional
        One of the axes; the first by default.
    sort : bool
        Whether to sort by p(emergent), the most probable at the top; otherwise the order is that of
        the table.
    ax : matplotlib Axes, optional
        What to draw in; a new figure by default.

    Returns
    -------
    Axes

    Raises
    ------
    DataError
        For an unknown axis, and for more than 400 curves.
    """
    data = classification.curves
    index = chosen(data, axis=data.axes[0].name if axis is None else axis)
    if len(index) > MOST:
        raise DataError(
            f"curves: expected at most {MOST} in one figure, but got {len(index)}; classify fewer"
        )
    emergent = classification.summary()["p_emergent"].to_numpy(dtype=np.float64)
    if sort:
        index = index[np.argsort(-emergent[index], kind="stable")]
    titles = titles_of(data)
    rows, left = np.arange(len(index)), np.zeros(len(index))
    with style():
        ax = figure(6.4, 1.2 + _ROW * len(index)).add_subplot() if ax is None else ax
        for name, p in zip(classification.classes, classification.p_class[index].T, strict=True):
            ax.barh(
                rows, p, left=left, height=0.78, color=COLOURS[name], hatch=HATCHES.get(name),
                edgecolor="white", linewidth=0.4, label=name,
            )  # fmt: skip
            left = left + p
        ax.plot(
            emergent[index], rows, linestyle="none", marker="o", markerfacecolor="white",
            markeredgecolor=INK, markersize=5, clip_on=False, label="p(emergent)", gid="emergent",
        )  # fmt: skip
        name_rows(ax, [plain(titles[i], 44) for i in index])
        ax.set_xlim(0, 1)
        ax.set_xlabel("probability")
        ax.legend(
            loc="lower left", bbox_to_anchor=(0, 1), ncols=6, handlelength=1, columnspacing=1,
            borderaxespad=0.3,
        )  # fmt: skip
    return ax
