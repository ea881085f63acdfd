"""Comparisons as text: the verdict, the figures behind it, and each curve."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from upturn.checks.errors import counted
from upturn.checks.numbers import percent, probability, signed
from upturn.show.text.answer import AnswerOf, with_names
from upturn.show.text.sheet import Block, Column, Sheet
from upturn.show.text.text import one_line

if TYPE_CHECKING:
    import pandas as pd

    from upturn.questions.compare.axes import AxesComparison
    from upturn.questions.compare.metrics import MetricsComparison
    from upturn.questions.compare.models import ModelsComparison
    from upturn.tables.axis import Axis

    type Comparison = AxesComparison | ModelsComparison | MetricsComparison


class ComparisonAnswer(AnswerOf["Comparison"]):
    """A comparison of axes, curve models or metrics."""

    @property
    def count(self) -> int:
        from upturn.questions.compare.metrics import MetricsComparison

        result = self.result
        if isinstance(result, MetricsComparison):
            return len(result.metrics) * len(result.first.curves)
        return len(result.models) * len(result.data)

    def sheet(self, ci: float) -> Sheet:
        return sheet_of(self.result, ci)

    def records(self, ci: float) -> "pd.DataFrame":
        """One row a curve (and axis, or model), the curve's name first."""
        return with_names(_rows(self.result, ci))

    def parts(self, ci: float) -> dict[str, object]:
        from upturn.questions.compare.axes import AxesComparison
        from upturn.questions.compare.models import ModelsComparison

        result = self.result
        said: dict[str, object] = {"verdict": result.verdict}
        if isinstance(result, AxesComparison):
            said["order"] = result.order.reset_index().to_dict(orient="records")
        if isinstance(result, AxesComparison | ModelsComparison):
            totals = result.summary(ci) if isinstance(result, AxesComparison) else result.summary()
            said["totals"] = totals.reset_index().to_dict(orient="records")
            said["clusters"] = {"label": result.clusters.label, "count": result.clusters.count}
        if isinstance(result, ModelsComparison):
            said["priors"] = result.priors
        return said | {"failed": result.failed, "meta": result.meta, "notes": result.notes}


def _rows(result: "Comparison", ci: float) -> "pd.DataFrame":
    """One row a curve (and axis, or model)."""
    from upturn.questions.compare.axes import AxesComparison
    from upturn.questions.compare.metrics import MetricsComparison

    if isinstance(result, AxesComparison):
        return result.curve_summary(ci)
    return result.summary(ci) if isinstance(result, MetricsComparison) else result.curves


def sheet_of(result: "Comparison", ci: float) -> Sheet:
    """What is printed of a comparison."""
    from upturn.questions.compare.axes import AxesComparison
    from upturn.questions.compare.models import ModelsComparison

    if isinstance(result, AxesComparison):
        return _axes(result, ci)
    return _models(result) if isinstance(result, ModelsComparison) else _metrics(result, ci)


# ---- axes ----------------------------------------------------------------------------------------


def _axes(result: "AxesComparison", ci: float) -> Sheet:
    totals = result.summary(ci)
    pairs = result.order.reset_index()
    separability = Block(
        "How far the axes can be told apart",
        (
            Column(
                "axes", [f"{a}, {b}" for a, b in zip(pairs["axis"], pairs["other"], strict=True)]
            ),
            Column("rank correlation", _fixed(pairs["spearman"], 3), right=True),
            Column("curves ordered alike", [percent(v) for v in pairs["alike"]], right=True),
            Column("linear in each other", [percent(v) for v in pairs["linear"]], right=True),
        ),
    )
    block = Block(
        one_line(result.verdict),
        (
            Column("axis", _texts(totals.index)),
            *_scored(totals),
            *_held_out(totals),
            Column("width", _shares(totals["relative_width"]), right=True),
        ),
    )
    curves = result.curve_summary(ci)
    by_axis = [_axis_block(result, curves, axis, ci) for axis in result.axes]
    width = f"width      {percent(ci)} interval of the scale as a share of the axis"
    return Sheet(
        _heading(result.meta, f"model {', '.join(m.name for m in result.models)}", result.count),
        (separability, block, *by_axis),
        (*_score_legend(result.clusters.label, result.clusters.count), width,
         "scale      where the expected score has risen by a tenth of its rise, if it emerges"),
    )  # fmt: skip


def _axis_block(result: "AxesComparison", curves: "pd.DataFrame", axis: "Axis", ci: float) -> Block:
    rows = curves[curves["axis"] == axis.name]
    limits = result.data.limits[:, 0, np.flatnonzero(curves["axis"] == axis.name)].T
    shown = [
        tuple(_scale(axis, rows[name].iloc[i], limits[i]) for name in
              ("scale", "scale_low", "scale_high"))
        for i in range(len(rows))
    ]  # fmt: skip
    return Block(
        axis.title,
        (
            Column("curve", _texts(rows.index), label=True),
            Column("ΔELPD", _differences(rows, "elpd"), right=True),
            Column("Δlog evidence", _differences(rows, "log_evidence"), right=True),
            Column("weight", _fixed(rows["weight"], 2), right=True),
            Column("scale", [middle for middle, _, _ in shown], right=True),
            Column(f"{percent(ci)} interval", [a if a == b else f"{a} – {b}" for _, a, b in shown]),
            Column("width", _shares(rows["relative_width"]), right=True),
        ),
    )


def _scale(axis: "Axis", value: float, limits: "np.ndarray") -> str:
    """A scale in native units as text, or the end of the axis beyond which it lies."""
    with np.errstate(divide="ignore"):
        x = float(axis.coordinate(value))
    return axis.text(x, *map(float, limits))


# ---- models and metrics --------------------------------------------------------------------------


def _models(result: "ModelsComparison") -> Sheet:
    totals, curves = result.summary(), result.curves
    block = Block(
        one_line(result.verdict),
        (
            Column("model", _texts(totals.index)),
            Column("shape", _texts(totals["shape"])),
            *_scored(totals),
            Column("best on", [f"{n:,}" for n in totals["best_on"]], right=True),
        ),
    )
    by_model = [curves[curves["model"] == name] for name in result.names]
    probabilities = Block(
        "Posterior probability of each model, equal prior odds",
        (
            Column("curve", _texts(result.data.name), label=True),
            *(
                Column(name, [probability(p) for p in rows["probability"]], right=True)
                for name, rows in zip(result.names, by_model, strict=True)
            ),
        ),
    )
    priors = [
        f"priors of {name}: " + ", ".join(f"{k} {v}" for k, v in given.items())
        for name, given in result.priors.items()
    ]
    legend = _score_legend(result.clusters.label, result.clusters.count)
    return Sheet(
        _heading(result.meta, f"axis {result.meta['arguments']['axis']}", len(result.data)),
        (block, probabilities),
        (*legend, *priors),
    )


def _metrics(result: "MetricsComparison", ci: float) -> Sheet:
    frame, axis = result.summary(ci), result.first.curves.axes[0]
    blocks = []
    for metric, suffix in zip(result.metrics, ("", "_2"), strict=True):
        limits = result.first.curves.limits[:, 0].T
        shown = [
            tuple(_scale(axis, frame[f"{name}{suffix}"].iloc[i], limits[i]) for name in
                  ("scale", "scale_low", "scale_high"))
            for i in range(len(frame))
        ]  # fmt: skip
        columns = (
            Column("curve", _texts(frame.index), label=True),
            Column(
                "p(emergent)", [probability(p) for p in frame[f"p_emergent{suffix}"]], right=True
            ),
            Column("p(sharp)", [probability(p) for p in frame[f"p_sharp{suffix}"]], right=True),
            Column("scale", [middle for middle, _, _ in shown], right=True),
            Column(f"{percent(ci)} interval", [a if a == b else f"{a} – {b}" for _, a, b in shown]),
            Column("rise", [signed(v) for v in frame[f"rise{suffix}"]], right=True),
        )
        blocks.append(Block(one_line(metric), columns))
    a, b = (one_line(metric) for metric in result.metrics)
    shift = [
        "" if np.isnan(m) else f"{signed(m)} ({signed(low)} to {signed(high)})"
        for m, low, high in zip(
            frame["shift"], frame["shift_low"], frame["shift_high"], strict=True
        )
    ]
    line_up = Block(
        one_line(result.verdict),
        (
            Column("curve", _texts(frame.index), label=True),
            Column("emergent under", [_outcome(o, a, b) for o in frame["outcome"]]),
            Column(f"{b} after {a}", shift, right=True),
            Column(f"p({b} first)", [probability(p) for p in frame["p_second_first"]], right=True),
        ),
    )
    unit = "decades" if axis.is_log else "units of the axis"
    legend = (
        "p(emergent)  flat near chance, then a clear rise: see `upturn classify`",
        f"after        delay of the emergence under the second, in {unit}, {percent(ci)} interval",
    )
    models = result.meta["arguments"]["models"]
    heading = _heading(
        result.meta, f"axis {axis.name} · {counted(len(models), 'model')}", len(frame)
    )
    return Sheet(heading, (line_up, *blocks), legend)


def _outcome(outcome: str, first: str, second: str) -> str:
    """An outcome with the metrics' names."""
    return {"first only": f"{first} only", "second only": f"{second} only"}.get(outcome, outcome)


# ---- what they share -----------------------------------------------------------------------------


def _scored(totals: "pd.DataFrame") -> list[Column]:
    return [
        Column("ELPD", _fixed(totals["elpd"], 1), right=True),
        Column("difference", _differences(totals, "elpd"), right=True),
        Column("log evidence", _fixed(totals["log_evidence"], 1), right=True),
        Column("difference", _differences(totals, "log_evidence"), right=True),
        Column("weight", _fixed(totals["weight"], 2), right=True),
        Column("k̂ high", _shares(totals["high_k"]), right=True),
    ]


def _held_out(totals: "pd.DataFrame") -> list[Column]:
    if "lofo" not in totals:
        return []
    return [Column("families out", _differences(totals, "lofo"), right=True)]


def _differences(rows: "pd.DataFrame", name: str) -> list[str]:
    """Differences with their errors; nothing where it is the best itself."""
    pairs = zip(rows[f"{name}_diff"], rows[f"{name}_diff_se"], strict=True)
    return ["" if gap == 0 and error in {0} else _with_error(gap, error) for gap, error in pairs]


def _with_error(value: float, error: float) -> str:
    known = np.isfinite(error)
    return f"{signed(value)} ± {signed(error).lstrip('+')}" if known else signed(value)


def _fixed(values: "pd.Series[float]", decimals: int) -> list[str]:
    return ["" if np.isnan(v) else f"{v:.{decimals}f}" for v in values]


def _shares(values: "pd.Series[float]") -> list[str]:
    """Shares in whole percent; nothing where there is none."""
    texts = ["< 1 %" if 0 < v < 0.005 else f"{100 * v:.0f} %" for v in values]
    return ["" if np.isnan(v) else text for v, text in zip(values, texts, strict=True)]


def _texts(values: Iterable[object]) -> list[str]:
    return [one_line(str(value)) for value in values]


def _heading(meta: dict[str, object], what: str, curves: int) -> tuple[str, ...]:
    arguments = meta["arguments"]
    assert isinstance(arguments, dict)
    chosen = [f"metric={name}" for name in arguments["metric"]]
    origin = ", ".join(p for p in [arguments["table"], *arguments["where"], *chosen] if p)
    pieces = [origin, counted(curves, "curve"), what]
    return (" · ".join(one_line(piece) for piece in pieces if piece),)


def _score_legend(label: str, count: int) -> tuple[str, ...]:
    return (
        "ELPD       log density of each point predicted from the others, summed; higher is better",
        f"           differences from the best with standard errors clustered by {label} ({count})",
        "log evidence  ± is the error of the sampler alone, and not of the answer",
        "weight     stacking: weight of each in the best combined prediction",
        "k̂ high     share of points for which importance sampling is not reliable (k̂ > 0.7)",
    )
