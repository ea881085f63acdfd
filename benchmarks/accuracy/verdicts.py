"""Verdicts: are falling curves called so, and flat ones neither falling nor changing?

`python -m benchmarks verdicts` simulates curves of 8 models and 500 trials, some with a fall of .15
to .5 and some flat, and counts the verdicts of `fit`; and flat tasks at chance, of which it
counts how often each built-in model with a changepoint or a floor says that they change (p > .5).
It takes a minute of one core; with --page the tables go into docs/statistics.md.
"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import upturn
from benchmarks.output import report
from upturn.model import Model

MODELS, TRIALS = 8, 500
FALLS = (0.15, 0.5)
FLAT_MODELS, FLAT_TRIALS = 12, 200
CHANCES = (0.0, 0.25, 0.5)
DRAWS = 200
PAGE = Path("docs/statistics.md")
COMMAND = "python -m benchmarks verdicts --page"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--curves", type=int, default=40, help="of each sort")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--page", action="store_true", help=f"put them into {PAGE}")


def _frame(name: str, p: Any, trials: int, chance: float, rng: Any) -> pd.DataFrame:
    """Scores of models a third of a decade apart, binomial about the expected ones."""
    return pd.DataFrame({
        "task": name, "model": [f"m{i}" for i in range(len(p))],
        "flops": 10 ** (20 + np.arange(len(p)) / 3), "score": rng.binomial(trials, p) / trials,
        "trials": trials, "chance": chance,
    })  # fmt: skip


def falling(curves: int, seed: int) -> pd.DataFrame:
    """Curves whose expected score falls by .15 or more: on a line, on a logistic, or in a step."""
    rng, x, frames = np.random.default_rng([seed, 1]), np.linspace(0, 1, MODELS), []
    for number in range(curves):
        fall, low = rng.uniform(*FALLS), rng.uniform(0.05, 0.4)
        middle = rng.uniform(0.3, 0.7)
        left = (1 - x, 1 / (1 + np.exp((x - middle) / 0.08)), (x < middle).astype(float))
        share = left[number % 3]
        share = (share - share[-1]) / (share[0] - share[-1])
        frames.append(_frame(f"falls {number}", low + fall * share, TRIALS, 0.0, rng))
    return pd.concat(frames)


def flat(curves: int, seed: int) -> pd.DataFrame:
    """Curves of one level each."""
    rng, frames = np.random.default_rng([seed, 2]), []
    for number in range(curves):
        level = np.full(MODELS, rng.uniform(0.05, 0.9))
        frames.append(_frame(f"flat {number}", level, TRIALS, 0.0, rng))
    return pd.concat(frames)


def at_chance(curves: int, seed: int) -> pd.DataFrame:
    """Tasks on which no model is better than guessing, which is at 0, 1/4 or 1/2."""
    rng, frames = np.random.default_rng([seed, 3]), []
    for number in range(curves):
        chance = CHANCES[number % len(CHANCES)]
        level = np.full(FLAT_MODELS, chance)
        frames.append(_frame(f"chance {number}", level, FLAT_TRIALS, chance, rng))
    return pd.concat(frames)


def run(
    curves: int = 40, seed: int = 1, threads: int | None = None, page: bool = False
) -> dict[str, Any]:
    """Fit what was simulated; see `table`."""
    how: dict[str, Any] = {"draws": DRAWS, "seed": seed, "threads": threads}
    results: dict[str, Any] = {"curves": curves, "falls": {}, "changes": {}}
    for name, frame in (("falling", falling(curves, seed)), ("flat", flat(curves, seed))):
        results["falls"][name] = int(
            (upturn.fit(frame, **how).summary()["verdict"] == "falls").sum()
        )
    tasks = at_chance(curves, seed)
    for name in Model.names():
        model = Model.read(name)
        if model.changepoints or "floor" in model.parameters:
            report.note(f"verdicts: {name}")
            p = upturn.fit(tasks, model=name, **how).summary()["p_change"]
            results["changes"][name] = int((p > 0.5).sum())
    if page:
        text = report.put(PAGE.read_text("utf-8"), COMMAND, table(results))
        PAGE.write_text(text, "utf-8")
    return results


def table(results: dict[str, Any]) -> str:
    """Counts, as Markdown."""
    count = results["curves"]
    falls = [[name, f"{n} of {count}"] for name, n in results["falls"].items()]
    changes = [[name, f"{n} of {count}"] for name, n in results["changes"].items()]
    return "\n\n".join([
        report.table(["curves", 'called "falls"'], falls),
        report.table(["model, on tasks at chance", "p(change) > .5"], changes),
    ]) + "\n"  # fmt: skip
