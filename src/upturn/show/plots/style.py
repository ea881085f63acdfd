"""The style of the figures, and how they are written to files."""

import os
import warnings
from collections.abc import Sequence
from contextlib import AbstractContextManager
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

from upturn.posterior.files import check_writable
from upturn.posterior.scratch import whole
from upturn.show.text.text import one_line, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SUFFIXES = (".svg", ".png", ".pdf")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")
INK, BAND, CHANGE, FAINT = "#222222", "#BBBBBB", "#D55E00", "#777777"
NAME = 60  # the most characters of a name in a figure


def style() -> AbstractContextManager[None]:
    """The style, while a ``with`` block lasts; every function of `upturn.plots` draws in it.

    Nothing outside the block changes. A style of one's own goes inside:

    >>> import matplotlib as mpl
    >>> with style(), mpl.rc_context({"font.size": 12}):
    ...     mpl.rcParams["font.size"], mpl.rcParams["axes.spines.top"]
    (12.0, False)
    """
    from matplotlib.style import context

    return context(Path(__file__).with_name("upturn.mplstyle"))


def figure(width: float, height: float) -> "Figure":
    """A figure of this size in inches, independent of pyplot."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def looks(names: list[str]) -> dict[str, dict[str, Any]]:
    """A colour and a marker for each group: the markers alone distinguish groups in grey."""
    import matplotlib as mpl

    colours = [entry["color"] for entry in mpl.rcParams["axes.prop_cycle"]]
    pairs = zip(names, cycle(colours), cycle(MARKERS), strict=False)
    return {name: {"color": colour, "marker": marker} for name, colour, marker in pairs}


def plain(text: str, most: int = NAME) -> str:
    """A name on one line; the middle of a long name is left out."""
    return shorten(one_line(text), most)


def name_rows(ax: "Axes", names: Sequence[str]) -> None:
    """Write the names of rows on the left, the first at the top, without an axis line."""
    ax.set_yticks(range(len(names)), names, parse_math=False)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)


def check_figure_path(path: str | os.PathLike[str]) -> Path:
    """A path that a figure can be written to, checked before the figure is computed.

    Raises
    ------
    DataError
        For another ending than .svg, .png or .pdf, and where nothing can be written.
    """
    return check_writable(path, SUFFIXES)


def save(figure: "Figure", path: str | os.PathLike[str]) -> None:
    """Write a figure as SVG, PNG or PDF, by the ending of the file, completely or not at all.

    The same figure is the same file, whenever it is written.

    Raises
    ------
    DataError
        For another ending, and where the operating system refuses.
    """
    target = check_figure_path(path)
    kind = target.suffix.lower()[1:]
    dateless: dict[str, dict[str, Any]] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
    with whole(target) as draft, style(), warnings.catch_warnings():
        # a script that the font lacks is drawn as boxes, which are visible enough
        warnings.filterwarnings("ignore", r"Glyph .* missing from font")
        figure.savefig(draft, format=kind, metadata=dateless.get(kind))
