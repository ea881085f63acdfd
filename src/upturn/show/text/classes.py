"""The answer of a classification as text: emergence, shapes, and further questions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from upturn.checks.errors import counted
from upturn.checks.numbers import percent, probability, signed
from upturn.questions.classify.result import CLASS_COLUMNS
from upturn.show.text.answer import AnswerOf, with_names
from upturn.show.text.sheet import Block, Column, Sheet, blocks_of, heading_of, texts

if TYPE_CHECKING:
    import pandas as pd

    from upturn.questions.classify.floor_test import FloorTest
    from upturn.questions.classify.result import Classification
    from upturn.questions.classify.verdicts import Verdicts

SHORT = {"p_changepoint": "change", "p_u_shaped": "u-shaped", "p_humped": "humped"}


@dataclass(frozen=True)
class ClassAnswer(AnswerOf["Classification"]):
    """A classification, with the companion questions that were asked of it by name."""

    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def notes(self) -> tuple[str, ...]:
        verdicts = [f"{name.replace('_', ' ')}: {m.verdict}" for name, m in self.more.items()]
        return (*super().notes, *verdicts)

    @property
    def count(self) -> int:
        return len(self.result.curves)

    def sheet(self, ci: float) -> Sheet:
        sheet = sheet_of(self.result, ci, self.order)
        blocks, legend = list(sheet.blocks), list(sheet.legend)
        for name, companion in self.more.items():
            more, lines = (
                _floors(companion, self.order)
                if name == "floor"
                else _flips(companion, name, self.order)
            )
            blocks += more
            legend += [line for line in lines if line not in legend]
        return Sheet(sheet.heading, tuple(blocks), tuple(legend))

    def records(self, ci: float) -> "pd.DataFrame":
        return self.ordered(records(self.result, ci))

    def parts(self, ci: float) -> dict[str, object]:
        parts: dict[str, object] = {name: _plain(m) for name, m in self.more.items()}
        if "flat" in self.result.classes:
            parts["bayes_factors"] = _named(self.result.bayes_factors())
        totals = {"totals": self.result.totals(), **parts}
        return totals | {"meta": self.result.meta, "notes": self.notes}

    def columns(self, ci: float) -> "pd.DataFrame":
        """The records with a column or more of each companion."""
        frame = self.records(ci)
        for name, companion in self.more.items():
            summary = companion.summary()
            if name == "floor":
                added = [c for c in summary.columns if c not in frame.columns]
                frame = frame.join(summary[added])
            else:
                frame = frame.assign(**{f"{name}_flips": summary["flips"]})
        return frame


def _named(frame: "pd.DataFrame") -> list[Any]:
    """Records with the curve's name first."""
    return frame.reset_index().to_dict(orient="records")


def _plain(companion: Any) -> dict[str, Any]:
    parts = {"verdict": companion.verdict, "curves": _named(companion.summary())}
    if hasattr(companion, "table"):
        parts["changes"] = companion.table().to_dict(orient="records")
    return parts


def records(result: "Classification", ci: float) -> "pd.DataFrame":
    """The summary with the curve's name first and the scales as text last, one row a curve."""
    written = result.texts(ci=ci)
    frame = with_names(result.summary(ci=ci))
    return frame.assign(scale_text=written["scale"], interval_text=written["interval"])


def sheet_of(result: "Classification", ci: float, order: Sequence[int] | None = None) -> Sheet:
    """What is printed of a classification: for each axis what emerges, then what shape it has."""
    rows = records(result, ci)
    emergence = blocks_of(
        result.curves, lambda chosen: _emergence(rows.iloc[chosen], ci), order=order
    )
    shapes = blocks_of(
        result.curves, lambda chosen: _shapes(rows.iloc[chosen]), title="Shapes, ", order=order
    )
    blocks = [b for pair in zip(emergence, map(_undrawn, shapes), strict=True) for b in pair]
    return Sheet(_heading(result), tuple(blocks), _legend(result, ci))


def _undrawn(block: Block) -> Block:
    """A block without the scores, which the one before it shows."""
    return Block(block.title, tuple(c for c in block.columns if c.header != "score"))


def _emergence(rows: "pd.DataFrame", ci: float) -> list[Column]:
    columns = [
        Column("verdict", texts(rows["verdict"])),
        Column("p(emergent)", [probability(p) for p in rows["p_emergent"]], right=True),
        Column("p(sharp)", [probability(p) for p in rows["p_sharp"]], right=True),
        Column("scale", texts(rows["scale_text"]), right=True),
        Column(f"{percent(ci)} interval", texts(rows["interval_text"])),
        Column("rise", [signed(rise) for rise in rows["rise"]], right=True),
    ]
    flags = Column("flags", texts(rows["flags"]), faint=True)
    return [*columns, flags] if any(flags.cells) else columns


def _shapes(rows: "pd.DataFrame") -> list[Column]:
    classes = [
        Column(
            SHORT.get(column, column.removeprefix("p_")),
            [probability(p) for p in rows[column]],
            right=True,
        )
        for column in CLASS_COLUMNS.values()
    ]
    return [
        *classes,
        Column("best model", texts(rows["best_model"])),
        Column("L", [signed(v) for v in rows["linearity"]], right=True),
        Column("B", [signed(v) for v in rows["breakthroughness"]], right=True),
        Column("D", [signed(v) for v in rows["discontinuity"]], right=True),
    ]


def _heading(result: "Classification") -> tuple[str, ...]:
    learned = result.learns_prevalence
    odds = "prevalence of shapes learned" if learned else "equal odds of shapes"
    what = (counted(len(result.models), "model"), odds)
    return heading_of(result.curves, result.meta.get("arguments", {}), what)


def _legend(result: "Classification", ci: float) -> tuple[str, ...]:
    rules = result.criteria
    return (
        "score        the mean along the axis, from 0 to the ceiling; · where there is no model",
        "verdict      emerges: the next column is 0.95 or more; probably: 0.5 or more; not yet: at "
        "chance",
        "             to the last model; otherwise what the curve more probably does than not",
        f"p(emergent)  flat for {percent(rules.min_flat)} of the scales, at least "
        f"{rules.flat_scales} and {rules.flat_decades:g} decades, then a rise of "
        f"{rules.min_rise:g} or more",
        f"p(sharp)     and 80 % of it within {rules.max_width:g} decades",
        f"scale        where the expected score stands {rules.delta:g} above chance: median and "
        f"{percent(ci)} interval;",
        "             > and < are beyond the axis",
        "flat …       probabilities of the classes of shapes, a description and not the verdict",
        "L, B, D      linearity, breakthroughness (BIG-bench) and discontinuity (PaLM), without "
        "errors",
    )


# ---- companions ----------------------------------------------------------------------------------


FLOOR_LEGEND = (
    "until        the last scale before the onset; the end, where nothing emerges",
    "grows        probability of growth before the onset against none, under binomial noise and",
    "             under the default's; slope in log odds over the stretch if it grows",
    "compatible   the largest rise over chance that a score at chance leaves open (95 %)",
    "detectable   the smallest rise that one model's trials would show (5 % level, 80 % power)",
)
FLIPS_LEGEND = ("flips        which verdicts, and under what",)


def _floors(
    result: "FloorTest", order: Sequence[int] | None
) -> tuple[list[Block], tuple[str, ...]]:
    """Growth before the onset: a table an axis, and its legend."""
    summary, axes = result.summary(), result.curves.axes

    def answers(chosen: list[int]) -> list[Column]:
        rows = summary.iloc[chosen]
        until = [
            ""
            if not result.tested[i]
            else axes[i].format(value)
            if result.emerged[i]
            else "the end"
            for i, value in zip(chosen, rows["floor_until"].tolist(), strict=True)
        ]
        return [
            Column("points", [str(n) for n in rows["floor_points"]], right=True),
            Column("until", until, right=True),
            Column("compatible", [_small(v) for v in rows["compatible_rise"]], right=True),
            Column("detectable", [_small(v) for v in rows["detectable_rise"]], right=True),
            Column("binomial: grows", list(map(probability, rows["p_grows_binomial"])), right=True),
            Column("slope", list(map(signed, rows["slope_binomial"])), right=True),
            Column("default: grows", list(map(probability, rows["p_grows_default"])), right=True),
            Column("slope", list(map(signed, rows["slope_default"])), right=True),
        ]

    blocks = blocks_of(result.curves, answers, title="Is the floor flat? ", order=order)
    return [_undrawn(block) for block in blocks], FLOOR_LEGEND


def _flips(
    result: "Verdicts", name: str, order: Sequence[int] | None
) -> tuple[list[Block], tuple[str, ...]]:
    """What flips under which change: a table an axis, and its legend."""
    summary = result.summary()

    def answers(chosen: list[int]) -> list[Column]:
        rows = summary.iloc[chosen]
        return [
            Column("p(emergent)", _range(rows, "p_emergent")),
            Column("p(sharp)", _range(rows, "p_sharp")),
            Column("flips", texts(rows["flips"]), faint=True),
        ]

    blocks = blocks_of(
        result.classification.curves,
        answers,
        title=f"{name.replace('_', ' ').capitalize()}, ",
        order=order,
    )
    return [_undrawn(block) for block in blocks], FLIPS_LEGEND


def _range(rows: "pd.DataFrame", name: str) -> list[str]:
    """The least and the greatest probability over all changes."""
    ends = zip(rows[f"{name}_low"], rows[f"{name}_high"], strict=True)
    pairs = [(probability(low), probability(high)) for low, high in ends]
    return [low if low == high else f"{low} – {high}" for low, high in pairs]


def _small(value: float) -> str:
    """A small share, with two digits that count."""
    return "" if value != value else f"{value:.2g}"  # noqa: PLR0124
