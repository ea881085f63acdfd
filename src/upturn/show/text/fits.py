"""The answer of a fit as text: a block for each axis, and the weights of a mix."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from upturn.checks.numbers import percent, probability, signed
from upturn.posterior.files import SUFFIXES
from upturn.questions.fit.flags import LIKELY
from upturn.show.text.answer import AnswerOf, with_names, without_notes
from upturn.show.text.sheet import Block, Column, Sheet, blocks_of, heading_of, texts
from upturn.show.text.text import one_line

if TYPE_CHECKING:
    import pandas as pd

    from upturn.questions.fit.result import Fit
    from upturn.tables.axis import Axis


class FitAnswer(AnswerOf["Fit"]):
    """A fit, which is saved as NetCDF or Zarr too."""

    @property
    def count(self) -> int:
        return len(self.result)

    def sheet(self, ci: float) -> Sheet:
        return sheet_of(self.result, ci, self.order)

    def records(self, ci: float) -> "pd.DataFrame":
        return self.ordered(records(self.result, ci))

    def parts(self, ci: float) -> dict[str, object]:
        fit = self.result
        parts: dict[str, object] = {"totals": fit.totals(), "meta": without_notes(fit.meta)}
        parts["notes"] = self.notes
        if fit.broken is not None:
            likely = fit.broken[fit.broken["p_broken"] > LIKELY]
            parts["broken"] = likely.to_dict(orient="records")
        if fit.verdict is None:
            return parts
        weights = fit.weights_table(ci).reset_index().to_dict(orient="records")
        return {"verdict": fit.verdict_with(ci), "weights": weights, **parts}

    def save(self, path: Path, ci: float) -> None:
        if path.suffix.lower() in SUFFIXES:
            self.result.save(path)
        else:
            super().save(path, ci)


def records(fit: "Fit", ci: float) -> "pd.DataFrame":
    """The summary with the curve's name first and the scales as text last, one row a curve."""
    texts = fit.texts(ci=ci)
    return with_names(fit.summary(ci=ci)).assign(
        scale_text=texts["scale"],
        interval_text=texts["interval"],
        changepoint_text=texts["changepoint"],
    )


def sheet_of(fit: "Fit", ci: float, order: Sequence[int] | None = None) -> Sheet:
    """What is printed of a fit.

    Parameters
    ----------
    fit
        Done, or loaded.
    ci
        The probability that intervals hold, between 0 and 1.
    order
        The curves to show, in this order; all by default.
    """
    curves = fit.curves
    summary = records(fit, ci)
    blocks = blocks_of(
        curves,
        lambda chosen: _answers(summary.iloc[chosen], ci),
        drawn=fit.one_axis,
        order=order,
    )
    shown = summary if order is None else summary.iloc[list(order)]
    legend = _legend(shown, fit.curves.axes, ci)
    if (verdict := fit.verdict_with(ci)) is None:
        return Sheet(_heading(fit), blocks, legend)
    learned = _weights(verdict, fit.weights_table(ci), ci)
    return Sheet(_heading(fit), (*blocks, learned), (*legend, *_legend_of_weights()))


def _answers(rows: "pd.DataFrame", ci: float) -> list[Column]:
    columns = [
        Column("verdict", texts(rows["verdict"])),
        Column("p(change)", [probability(p) for p in rows["p_change"]], right=True),
        Column("scale", texts(rows["scale_text"]), right=True),
        Column(f"{percent(ci)} interval", texts(rows["interval_text"])),
        Column("gain", [signed(gain) for gain in rows["gain"]], right=True),
    ]
    flags = Column("flags", texts(rows["flags"]), faint=True)
    return [*columns, flags] if any(flags.cells) else columns


def _heading(fit: "Fit") -> tuple[str, ...]:
    likelihoods = dict.fromkeys(fit.model.likelihood_for(str(k)).name for k in fit.curves.kind)
    what = (f"model {fit.model.name}", ", ".join(likelihoods))
    return heading_of(fit.curves, fit.meta["arguments"], what)


def _legend(rows: "pd.DataFrame", axes: "Sequence[Axis]", ci: float) -> tuple[str, ...]:
    """What the columns mean; signs are explained only if they are shown."""
    interval = f"{percent(ci)} interval"
    scales = [*rows["scale_text"], *rows["interval_text"]]
    beyond = any(sign in text for text in scales for sign in "<>")
    falling = list(dict.fromkeys(a.name for a in axes if a.transform.startswith("-")))
    rising = len(falling) < len({axis.name for axis in axes})
    signs = ["> not yet at the largest model; < already at the smallest"] if rising else []
    if falling:
        names = one_line(", ".join(falling))
        signs.append(f"{names}: < not yet at the best model; > already at the worst")
    return (
        "score      mean score along the axis, from 0 to the ceiling; · means no model there",
        "p(change)  probability that the score leaves its floor, against staying on it",
        "verdict    of this model, compared with no change, one level and a falling line",
        f"scale      where the expected score is delta above chance: median and {interval}"
        f"{';' if beyond else ''}",
        *(f"           {line}" for line in signs if beyond),
        *(
            f"           {one_line(name)} falls along its axis: intervals begin at the higher end"
            for name in falling
        ),
        "gain       rise of the expected score from its floor to the largest model",
    )


def _weights(verdict: str, weights: "pd.DataFrame", ci: float) -> Block:
    """What was learned of the weights of a mix, below the curves on it."""
    low, high = f"{percent(ci)} interval", "of the exponent"
    columns = [
        Column("axis", texts(weights.index), label=True),
        Column("weight", [f"{w:.2f}" for w in weights["weight"]], right=True),
        Column(low, _ranges(weights, "weight")),
    ]
    if weights["exponent"].notna().all():
        columns += [
            Column("exponent", [f"{e:.2f}" for e in weights["exponent"]], right=True),
            Column(high, _ranges(weights, "exponent")),
        ]
    columns.append(Column("mix − alone", [signed(a) for a in weights["advantage"]], right=True))
    return Block(one_line(verdict), tuple(columns))


def _ranges(weights: "pd.DataFrame", name: str) -> list[str]:
    ends = zip(weights[f"{name}_low"], weights[f"{name}_high"], strict=True)
    return [f"{low:.2f} – {high:.2f}" for low, high in ends]


def _legend_of_weights() -> tuple[str, ...]:
    return (
        "weight     of each axis, rescaled to 0-1, in the weighted sum u; the same for all curves",
        "exponent   of each axis in its own units; the exponents sum to 1",
        "mix − alone  nats by which the evidence for the mix exceeds that for the axis alone",
    )
