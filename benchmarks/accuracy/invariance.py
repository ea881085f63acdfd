"""Invariance: a verdict is a property of the curve, and not of the scales that were tested.

`python -m benchmarks invariance` adds a model to every curve and looks at what changes: one at
chance just below the smallest or far below it, one on the plateau far above the largest. It asks
for the same on FLOPs and on parameters where all models saw as much data, and for each task by
itself. The prevalence of the classes, which the tasks of a table share, is not learned.
"""

from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.output import report
from upturn import Criteria, datasets, read
from upturn.questions.arguments import models_of
from upturn.questions.classify.model_fit import model_fits
from upturn.questions.classify.result import Classification
from upturn.tables.curves import Curves

TABLES: dict[str, Sequence[str]] = {"gpt3": ("setting=few-shot",)}
MODELS = 12
TRIALS = 200
TOKENS = 3e11
FAR = 4.0  # decades
SLACK = 0.1  # of a probability: Monte Carlo errors, and priors that stand on the axis
LEVEL = 0.9
FORMS = ("line", "late", "step", "smooth", "flat")


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--curves", type=int, default=200, help="simulated")
    parser.add_argument("--draws", type=int, default=400)


def run(curves: int = 40, draws: int = 400, seed: int = 0) -> dict[str, Any]:
    """The properties on the bundled tables and on simulated curves; see `table`."""
    results = {}
    for name, frame in [*_bundled(), ("simulated", simulated(curves, seed))]:
        report.note(f"invariance: {name}")
        results[name] = properties(frame, draws=draws, seed=seed)
    return results


def _bundled() -> list[tuple[str, pd.DataFrame]]:
    """Accuracies of bundled tables with a known chance, one curve a task."""
    out = []
    for name, conditions in TABLES.items():
        results = read(datasets.path(name)).where(*conditions)
        curves = results.curves("flops", metric="acc")
        frames = [
            pd.DataFrame({
                "task": curves.name[i], "model": curves.model[i, here],
                "flops": 10 ** curves.x[0, i, here], "score": curves.score[i, here],
                "trials": np.where(curves.trials > 0, curves.trials, np.nan)[i, here],
                "chance": curves.chance[i],
            })
            for i, here in enumerate(curves.mask)
            if not np.isnan(curves.chance[i])
        ]  # fmt: skip
        out.append((name, pd.concat(frames)))
    return out


def simulated(curves: int, seed: int) -> pd.DataFrame:
    """Curves of five forms over 1e21 to 1e24 FLOPs, binomial noise."""
    rng = np.random.default_rng(seed)
    x = np.linspace(0, 1, MODELS)
    frames = []
    for number in range(curves):
        form, chance = FORMS[number % len(FORMS)], float(rng.choice([0.0, 0.25]))
        begin, height = rng.uniform(0.1, 0.6), rng.uniform(0.3, 0.7)
        past = np.maximum(x - begin, 0) / (1 - begin)
        share = {
            "line": np.maximum(x - 0.1, 0) / 0.9,
            "late": past,
            "step": (past > 0).astype(float),
            "smooth": 1 / (1 + np.exp(-(x - begin - 0.2) / 0.06)),
            "flat": 0 * x,
        }[form]
        p = chance + height * share
        frames.append(pd.DataFrame({
            "task": f"{form} {number}", "model": [f"m{i}" for i in range(MODELS)],
            "flops": 10 ** (21 + 3 * x), "score": rng.binomial(TRIALS, np.clip(p, 0, 1)) / TRIALS,
            "trials": TRIALS, "chance": chance,
        }))  # fmt: skip
    return pd.concat(frames)


def properties(frame: pd.DataFrame, *, draws: int, seed: int) -> dict[str, Any]:
    """How many curves keep each property, and by how much the worst breaks it."""

    def said(table: pd.DataFrame, axis: str = "flops") -> Classification:
        curves: Curves = read(table).curves(axis)
        fits = model_fits(curves, models_of(None), Criteria(), draws=draws, seed=seed, ends=False)
        return Classification(curves, fits, Criteria(), False, seed)

    base, near, far = said(frame), said(with_low(frame, None)), said(with_low(frame, FAR))
    p, p_near, p_far = (f.probability("emergent")[0] for f in (base, near, far))
    sharp, sharp_far = (f.probability("sharp")[0] for f in (base, far))
    excess = np.abs(p_far - p) - np.maximum(np.abs(p_near - p), 0)
    plateau = said(with_plateau(frame))
    low, middle, high = base.scale_x(LEVEL)
    moved = plateau.scale_x(LEVEL)[1]
    held = (moved >= low) & (moved <= high) | (middle == moved)
    by_params = said(frame.assign(params=frame["flops"] / (6 * TOKENS)), "params")
    first = frame["task"] == frame["task"].iloc[0]
    alone = said(frame[first])
    return {
        "curves": len(p),
        "far below, no more than just below": _kept(excess, SLACK),
        "far below, no sharper": _kept(sharp_far - sharp, SLACK),
        "plateau far above, scale within its error": {
            "kept": int(held.sum()), "worst": float(np.nanmax(_apart(moved, middle))),
        },
        "FLOPs as parameters": _kept(np.abs(by_params.probability("emergent")[0] - p), SLACK),
        "sharp on FLOPs as on parameters": _kept(
            np.abs(by_params.probability("sharp")[0] - sharp), SLACK
        ),
        "verdict on FLOPs as on parameters": {
            "kept": sum(a == b for a, b in zip(base.verdicts, by_params.verdicts, strict=True)),
            "worst": 0.0,
        },
        "alone as in the table": _kept(np.abs(alone.probability("emergent")[0] - p[:1]), 0.0),
    }  # fmt: skip


def with_low(frame: pd.DataFrame, decades: float | None) -> pd.DataFrame:
    """Every curve with one more model at chance, decades (by default a usual gap) below."""
    rows = []
    for _, group in frame.groupby("task", sort=False):
        x = np.sort(np.log10(group["flops"].unique()))
        gap = float(np.median(np.diff(x))) if decades is None else decades
        row = group.iloc[[0]].assign(model="added", flops=10 ** (x[0] - gap))
        rows.append(pd.concat([row.assign(score=group["chance"].iloc[0]), group]))
    return pd.concat(rows)


def with_plateau(frame: pd.DataFrame, decades: float = 3.0) -> pd.DataFrame:
    """Every curve with one more model, as good as the largest, far above it."""
    rows = []
    for _, group in frame.groupby("task", sort=False):
        largest = group.sort_values("flops").iloc[[-1]]
        rows.append(pd.concat([
            group, largest.assign(model="added", flops=largest["flops"] * 10**decades)
        ]))  # fmt: skip
    return pd.concat(rows)


def _kept(excess: Any, slack: float) -> dict[str, Any]:
    return {"kept": int((excess <= slack).sum()), "worst": float(np.max(excess))}


def _apart(a: Any, b: Any) -> Any:
    finite = np.isfinite(a) & np.isfinite(b)
    return np.where(finite, np.abs(np.where(finite, a, 0) - np.where(finite, b, 0)), 0.0)


def table(results: dict[str, Any]) -> str:
    """How many curves keep each property; the worst in probability, or in decades of scale."""
    rows = ["| table | property | kept | worst |", "|---|---|---|---|"]
    for name, seen in results.items():
        if not isinstance(seen, dict):
            continue
        for what, numbers in seen.items():
            if isinstance(numbers, dict):
                total = 1 if what == "alone as in the table" else seen["curves"]
                rows.append(
                    f"| {name} | {what} | {numbers['kept']} of {total} | {numbers['worst']:.2f} |"
                )
    return "\n".join(rows) + "\n"
