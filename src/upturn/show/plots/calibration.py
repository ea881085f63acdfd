"""plot_calibration: the ranks of true values against the band of a right posterior."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from upturn.checks.arguments import known
from upturn.checks.errors import DataError
from upturn.questions.calibrate.uniformity import envelope, places
from upturn.show.plots.style import BAND, CHANGE, FAINT, INK, figure, plain, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from upturn.questions.calibrate.result import Calibration, Check

COLUMNS = 4
MOST = 60  # panels of one figure
_SIDE = 1.9  # inches


def plot_calibration(
    calibration: "Calibration", *, checks: Sequence[str] | None = None
) -> "Figure":
    """Draw, for each check, the distribution function of the ranks minus that of a uniform sample.

    If posteriors are right, the grey bands contain the lines in all panels with a probability of
    99 % (Säilynoja, Bürkner and Vehtari 2022). A line above zero on the left and below on the right
    means that posteriors are too narrow; the reverse means that they are too wide. A line above
    zero everywhere means that posteriors lie too high.

    Parameters
    ----------
    calibration : Calibration
        The answer of `upturn.calibrate`.
    checks : sequence of str, optional
        Names of the checks to draw; all by default.

    Returns
    -------
    Figure

    Raises
    ------
    DataError
        For an unknown check, and for more than 60 checks.
    """
    names = [check.name for check in calibration.checks]
    wanted = names if checks is None else list(checks)
    for name in wanted:
        known(name, names, kind="check", where="checks")
    if not 1 <= len(wanted) <= MOST:
        raise DataError(f"checks: expected 1 to {MOST} in one figure, but got {len(wanted)}")
    columns = min(COLUMNS, len(wanted))
    rows = -(-len(wanted) // columns)
    with style():
        fig = figure(0.6 + _SIDE * columns, 0.5 + _SIDE * rows)
        panels = fig.subplots(rows, columns, sharex=True, squeeze=False).reshape(-1)
        for ax, name in zip(panels, wanted, strict=False):
            _panel(
                ax,
                calibration[name],
                wrong=name in calibration.wrong,
                level=1 - calibration.least_p,
            )
        for ax in panels[len(wanted) :]:
            ax.remove()
        fig.supxlabel("rank of the true value in its posterior", fontsize="medium")
        fig.supylabel("share of true values below, minus the rank", fontsize="medium")
    return fig


def _panel(ax: "Axes", check: "Check", *, wrong: bool, level: float) -> None:
    """One check: the band, zero, and the difference."""
    count = len(check.pit)
    z, low, high = envelope(count, level) if count > 1 else (places(2),) * 3
    ends = np.concatenate([[0.0], z, [1.0]])
    below = np.searchsorted(np.sort(check.pit), z, side="right") / max(count, 1)
    between = [np.concatenate([[0.0], line - z, [0.0]]) for line in (low, high, below)]
    ax.fill_between(
        ends, between[0], between[1], step="mid", color=BAND, alpha=0.5, linewidth=0, gid="band"
    )
    ax.axhline(0, color=FAINT, linewidth=0.6)
    ax.step(ends, between[2], where="mid", color=CHANGE if wrong else INK, gid="ranks")
    first, _, rest = check.name.replace(", ", ": ").partition(": ")
    title = "\n".join(plain(part, 24) for part in (first, rest) if part)
    ax.set_title(title, fontsize="x-small", parse_math=False)
    ax.set_xticks([0, 0.5, 1])
    ax.set_xlim(0, 1)
    text = "not calibrated" if wrong else f"n = {count}"
    ax.text(
        0.97, 0.95, text, transform=ax.transAxes, ha="right", va="top", fontsize="x-small",
        color=CHANGE if wrong else FAINT,
    )  # fmt: skip
