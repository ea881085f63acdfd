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

TABLES = ("gpt3", "open-models", "pythia", "olmo-mmlu", "brier", "prompting")
METRICS = ("acc", "acc_len_norm", "exact_match")
PART = 12  # curves in a part
MODELS = 12
TRIALS = 200
TOKENS = 3e11
FAR = 4.0  # decades
SLACK = 0.1  # of a probability
LEVEL = 0.9
FORMS = ("line", "late", "step", "smooth", "flat")


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--tables", nargs="*", default=[*TABLES, "simulated"])
    parser.add_argument("--curves", type=int, default=200, help="simulated")
    parser.add_argument("--draws", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int)


def run(
    tables: Sequence[str] = (*TABLES, "simulated"),
    curves: int = 200,
    draws: int = 400,
    seed: int = 0,
    threads: int | None = None,
) -> dict[str, Any]:
    """The properties on bundled tables and on simulated curves; see `table`."""
    results: dict[str, Any] = {}
    for name in tables:
        frame = simulated(curves, seed) if name == "simulated" else bundled(name)
        names = frame["task"].unique()
        parts = [names[i : i + PART] for i in range(0, len(names), PART)]

        def part(number: int) -> dict[str, Any]:
            rows = frame[frame["task"].isin(parts[number])]  # noqa: B023
            return properties(rows, draws=draws, seed=seed, threads=threads)

        results[name] = report.in_parts("invariance", f"{name}-{draws}-{seed}", len(parts), part)
    return results


def bundled(name: str) -> pd.DataFrame:
    """Scores of a bundled table with a known chance, one curve a task and setting."""
    curves = read(datasets.path(name)).curves("flops")
    metrics = curves.labels.get("metric", np.full(len(curves), METRICS[0]))
    frames = [
        pd.DataFrame({
            "task": curves.name[i], "model": curves.model[i, here],
            "flops": 10 ** curves.x[0, i, here], "score": curves.score[i, here],
            "trials": np.where(curves.trials > 0, curves.trials, np.nan)[i, here],
            "chance": curves.chance[i], "family": curves.family[i, here],
            "run": np.where(curves.run >= 0, curves.run, np.nan)[i, here],
        })
        for i, here in enumerate(curves.mask)
        if not np.isnan(curves.chance[i]) and metrics[i] in METRICS
    ]  # fmt: skip
    frame = pd.concat(frames)
    return frame.drop(columns=[k for k in ("family", "run") if not _named(frame[k])])


def _named(column: pd.Series) -> bool:
    return bool((column.notna() & (column != "")).any())


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


def properties(
    frame: pd.DataFrame, *, draws: int, seed: int, threads: int | None = None
) -> dict[str, Any]:
    """By how much each curve breaks each property: 0 or less, or within the slack, keeps it."""

    def said(table: pd.DataFrame, axis: str = "flops") -> Classification:
        curves: Curves = read(table).curves(axis)
        fits = model_fits(
            curves, models_of(None), Criteria(), draws=draws, seed=seed, threads=threads,
            ends=False,
        )  # fmt: skip
        return Classification(curves, fits, Criteria(), False, seed)

    base, near, far = said(frame), said(with_low(frame, None)), said(with_low(frame, FAR))
    p, p_near, p_far = (f.probability("emergent")[0] for f in (base, near, far))
    sharp, sharp_far = (f.probability("sharp")[0] for f in (base, far))
    plateau = said(with_plateau(frame))
    low, middle, high = base.scale_x(LEVEL)
    moved = plateau.scale_x(LEVEL)[1]
    held = (moved >= low) & (moved <= high) | (middle == moved)
    by_params = said(frame.assign(params=frame["flops"] / (6 * TOKENS)), "params")
    first = frame["task"] == frame["task"].iloc[0]
    alone = said(frame[first])
    other = [a != b for a, b in zip(base.verdicts, by_params.verdicts, strict=True)]
    return {
        "curves": base.curves.name.tolist(),
        "far below, no more than just below": np.abs(p_far - p) - np.abs(p_near - p) - SLACK,
        "far below, no sharper": sharp_far - sharp - SLACK,
        "far above, scale within its interval": np.where(held, 0.0, _apart(moved, middle)),
        "emergent on FLOPs as on parameters": _apart(by_params.probability("emergent")[0], p)
        - SLACK,
        "sharp on FLOPs as on parameters": _apart(by_params.probability("sharp")[0], sharp) - SLACK,
        "verdict on FLOPs as on parameters": np.array(other, dtype=float),
        "alone as in the table": _apart(alone.probability("emergent")[0], p[:1]),
    }


def with_low(frame: pd.DataFrame, decades: float | None) -> pd.DataFrame:
    """Every curve with one more model at chance, decades (by default a usual gap) below."""
    rows = []
    for _, group in frame.groupby("task", sort=False):
        x = np.sort(np.log10(group["flops"].unique()))
        gap = float(np.median(np.diff(x))) if decades is None else decades
        row = _added(group.iloc[[0]], 10 ** (x[0] - gap))
        rows.append(pd.concat([row.assign(score=group["chance"].iloc[0]), group]))
    return pd.concat(rows)


def with_plateau(frame: pd.DataFrame, decades: float = 3.0) -> pd.DataFrame:
    """Every curve with one more model, as good as the largest, far above it."""
    rows = []
    for _, group in frame.groupby("task", sort=False):
        largest = group.sort_values("flops").iloc[[-1]]
        rows.append(pd.concat([group, _added(largest, largest["flops"] * 10**decades)]))
    return pd.concat(rows)


def _added(row: pd.DataFrame, flops: Any) -> pd.DataFrame:
    """The row of a model of its own, of no run and of a family of its own."""
    names = {"family": "added"} if "family" in row else {}
    return row.assign(model="added", flops=flops, **names).drop(columns="run", errors="ignore")


def _apart(a: Any, b: Any) -> Any:
    finite = np.isfinite(a) & np.isfinite(b)
    return np.where(finite, np.abs(np.where(finite, a, 0) - np.where(finite, b, 0)), 0.0)


def table(results: dict[str, Any]) -> str:
    """How many curves keep each property, and which breaks it most, by how much."""
    rows: list[list[Any]] = []
    for name, parts in results.items():
        if not isinstance(parts, list):
            continue
        curves = [curve for part in parts for curve in part["curves"]]
        for what in [key for key in parts[0] if key != "curves"]:
            excess = np.array([value for part in parts for value in part[what]])
            worst = curves[int(excess.argmax())] if (excess > 0).any() else ""
            kept = f"{int((excess <= 0).sum())} of {len(excess)}"
            rows.append([name, what, kept, float(excess.max()), worst])
    return report.table(["table", "property", "kept", "excess", "worst"], rows) + "\n"
