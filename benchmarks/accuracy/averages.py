"""Averages: do intervals of a technique's average gain hold where models have gains of their own?

`python -m benchmarks averages` simulates tables of tasks that share their models. Each model gains
more or less from the technique than its scale says, on all tasks alike (a normal effect in log
odds). It asks how often 90 % intervals contain the true average, which is the mean over the
models there could be, and how often the technique is wrongly said to hurt or to help (p ≥ .97).
Each table is kept in results/averages as soon as it is done. A table takes some 5 seconds of one
core.
"""

from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.output import report

MODELS, TASKS, TRIALS = 12, 6, 300
DECADES = (20.0, 24.0)
SHAPES = ("logit-line",)  # of the baselines, which are lines
DRAWS = 150
LEVEL = 0.9
SURE = 0.97
NODES = 41  # of the mean over models

type Floats = NDArray[np.float64]


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--tables", type=int, default=40)
    parser.add_argument("--effect", type=float, default=0.4, help="sd of models' own gains")
    parser.add_argument("--tasks", type=int, default=TASKS)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--threads", type=int)


def _logistic(eta: Any) -> Any:
    return 1 / (1 + np.exp(-eta))


def simulated(
    rng: np.random.Generator, effect: float, tasks: int = TASKS
) -> tuple[pd.DataFrame, dict[str, float]]:
    """A table, and the truth about the average gain at its smallest and largest scale.

    Of each task the log odds are a line, and with the technique a constant more up to a
    changepoint, and from there a growing gain, or none.
    """
    u = np.linspace(0, 1, MODELS)
    of_model = effect * rng.standard_normal(MODELS)
    place = u + 0.03 * rng.standard_normal(MODELS)
    rows, gains = [], []
    for task in range(tasks):
        start, slope = rng.normal(-2, 0.7), rng.uniform(1, 4)
        constant, change = rng.normal(0, 0.3), rng.uniform(0.1, 0.7)
        growth = rng.uniform(1, 3) if rng.random() < 0.7 else 0.0

        def log_odds(at: Floats, technique: bool) -> Floats:
            line = start + slope * at  # noqa: B023
            gain = constant + growth * np.maximum(at - change, 0) / (1 - change)  # noqa: B023
            return line + gain if technique else line

        for setting in ("direct", "cot"):
            technique = setting == "cot"
            p = _logistic(log_odds(place, technique) + (of_model if technique else 0))
            solved = rng.binomial(TRIALS, rng.beta(p * 300, (1 - p) * 300))
            rows.append(pd.DataFrame({
                "task": f"t{task}", "model": [f"m{i:02}" for i in range(MODELS)],
                "setting": setting, "score": solved / TRIALS, "trials": TRIALS,
                "flops": 10 ** (DECADES[0] + (DECADES[1] - DECADES[0]) * u),
            }))  # fmt: skip
        gains.append(_mean_gain(log_odds, effect))
    smallest, largest = np.mean(gains, axis=0)
    return pd.concat(rows), {"smallest": float(smallest), "largest": float(largest)}


def _mean_gain(log_odds: Any, effect: float) -> list[float]:
    """The gain in score at both ends, averaged over models' own gains."""
    nodes, weight = np.polynomial.hermite_e.hermegauss(NODES)
    out = []
    for end in (0.0, 1.0):
        at = np.array([end])
        treated = _logistic(log_odds(at, True) + effect * nodes) @ (weight / weight.sum())
        out.append(float(treated - _logistic(log_odds(at, False))[0]))
    return out


def run(
    tables: int = 40,
    effect: float = 0.4,
    tasks: int = TASKS,
    seed: int = 11,
    threads: int | None = None,
) -> dict[str, Any]:
    """Contrast simulated tables; see `table`."""
    kept = report.in_parts(
        "averages", f"{effect:g}-{tasks}-{seed}", tables,
        lambda number: _one([seed, number], effect, tasks, threads),
    )  # fmt: skip
    return {"effect": effect, "tables": kept}


def _one(seed: Sequence[int], effect: float, tasks: int, threads: int | None) -> dict[str, Any]:
    """One table: the truth, and what is said of it."""
    import upturn

    frame, truth = simulated(np.random.default_rng(seed), effect, tasks)
    contrast = upturn.contrast(
        frame, "cot:direct", models=SHAPES, draws=DRAWS, seed=seed[1], threads=threads
    )
    average = contrast.average(LEVEL).iloc[0]
    said = {k: float(average[k]) for k in average.index if k.startswith(("gain", "p_"))}
    return {"truth": truth, "said": said, "failed": len(contrast.failed)}


def table(results: dict[str, Any]) -> str:
    """How often intervals hold, with the error of the share, and what is wrongly said."""
    kept: Sequence[dict[str, Any]] = results["tables"]
    rows: list[list[Any]] = []
    for place in ("smallest", "largest"):
        true = np.array([entry["truth"][place] for entry in kept])
        low, middle, high = (
            np.array([entry["said"][f"gain_{place}{end}"] for entry in kept])
            for end in ("_low", "", "_high")
        )
        held = (low <= true) & (true <= high)
        name, wrong = ("hurts", true > 0) if place == "smallest" else ("helps", true < 0)
        sure = np.array([entry["said"][f"p_{name}"] for entry in kept]) >= SURE
        error = np.sqrt(held.mean() * (1 - held.mean()) / len(kept))
        rows.append([
            f"at the {place} scale", len(kept), int(held.sum()), 100 * float(held.mean()),
            100 * float(error), float(np.sqrt(np.mean((middle - true) ** 2))),
            float((high - low).mean()), f"{int((sure & wrong).sum())} of {int(wrong.sum())}",
        ])  # fmt: skip
    columns = [
        "average gain", "tables", "held", "%", "± s.e.", "error (rms)", "width", "wrongly sure",
    ]  # fmt: skip
    return report.table(columns, rows)
