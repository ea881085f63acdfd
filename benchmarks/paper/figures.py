"""Figures: the panels of the paper with a posterior in each, and the paper's point as a line."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from upturn.show.panels import panels
from upturn.show.plots.curve import draw
from upturn.show.plots.gain import plot_gain
from upturn.show.plots.style import figure, looks, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from benchmarks.paper.claims import Stated
    from upturn.questions.contrast.result import Contrast
    from upturn.questions.fit.result import Fit

PAPER = "#0072B2"
ADDITION = {"flops": 2.3e22, "params": 1.3e10}  # Table 1, three digits


@dataclass(frozen=True)
class Panel:
    """A panel of Figure 2: its letter and title, the curve, and the first model's FLOPs."""

    letter: str
    title: str
    source: str
    task: str
    flops: float


# The scales are those of Table 1 and, for B to D, of the lists of Appendix E.
FEW_SHOT = (
    Panel("A", "three-digit addition", "open-models, acc", "arithmetic_3da", 2.3e22),
    Panel("B", "IPA transliteration", "open-models, exact_match", "ipa_transliterate", 3.14e23),
    Panel("C", "word unscrambling", "open-models, exact_match", "word_unscrambling", 5.54e23),
    Panel("D", "Persian QA", "open-models, acc", "parsinlu_qa", 2.9e23),
    Panel("G", "MMLU", "brier", "mmlu", 3.1e23),
    Panel("H", "WiC, GPT-3", "gpt3", "wic", 2.5e24),
)


def few_shot(drawn: Sequence[tuple[Panel, "Fit"]]) -> "Figure":
    """Figure 2: a panel a task."""
    with style():
        made = figure(8.1, 4.8)
        for ax, (panel, fit) in zip(made.subplots(2, 3).flat, drawn, strict=True):
            _curve(ax, fit, 0)
            mark(ax, panel.flops)
            ax.set_title(f"{panel.letter}  {panel.title}", parse_math=False)
    return made


def techniques(drawn: Sequence[tuple["Stated", "Contrast"]]) -> "Figure":
    """Figure 3: what each technique adds to the score."""
    with style():
        made = figure(4.1 * len(drawn), 3.1)
        panels = made.subplots(1, len(drawn), squeeze=False).flat
        for ax, (stated, results) in zip(panels, drawn, strict=True):
            plot_gain(results, ax=ax)
            if stated.flops is not None:
                mark(ax, stated.flops)
            ax.set_title(results.setting.replace(":", " against "), parse_math=False)
            ax.set_ylabel("gain in score")
    return made


def axes(first: "Fit", second: "Fit") -> "Figure":
    """Figure 4: a task on its axes, a row a task; each has room for three."""
    with style():
        made = figure(8.1, 4.8)
        none: dict[str, float] = {}
        rows = (("three-digit addition", first, ADDITION), ("MMLU, other", second, none))
        for row, (title, fit, stated) in zip(made.subplots(2, 3), rows, strict=True):
            for ax in row[len(fit.curves) :]:
                ax.remove()
            for i, ax in enumerate(row[: len(fit.curves)]):
                _curve(ax, fit, i)
                point = stated.get(fit.curves.axes[i].name)
                if point is not None:
                    mark(ax, point)
                ax.set_title(title, parse_math=False)
    return made


def _curve(ax: "Axes", fit: "Fit", i: int) -> None:
    """One curve of a fit; of two dozen families no legend tells the markers apart."""
    import numpy as np

    (panel,) = panels(fit, np.array([i]))
    draw(ax, panel, looks(list(dict.fromkeys(panel.family.tolist()))))
    ax.set_ylabel("score")


def mark(ax: "Axes", flops: float) -> None:
    """The paper's point: a line, or an arrow to where it is beyond the axis."""
    low, high = ax.get_xlim()
    words: dict[str, Any] = {
        "color": PAPER, "fontsize": "small", "transform": ax.get_xaxis_transform(), "va": "top",
    }  # fmt: skip
    if low <= flops <= high:
        ax.axvline(flops, color=PAPER, linewidth=1.3, linestyle=(0, (4, 2)), gid="paper")
        return
    ax.text(high, 0.84, f"paper: {flops:.1e} → ".replace("e+", "e"), ha="right", **words)
