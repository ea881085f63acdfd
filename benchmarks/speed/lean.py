"""How far the verdict of a report moves with few models: `python -m benchmarks lean`.

Nothing is sampled twice: the lean answer is the full one with models left out.
"""

from argparse import ArgumentParser

import numpy as np

import upturn
from upturn.show.report.report import LEAN

DRAWS = 400


def tables() -> dict[str, "upturn.Results"]:
    """The tables of docs/report.md."""
    few = upturn.read("gpt3").where("setting=few-shot")
    return {"gpt3, few-shot": few, "open-models": upturn.read("open-models")}


def moved(results: "upturn.Results", draws: int = DRAWS, seed: int = 0) -> dict[str, float]:
    """How much p_emergent differs, and how many verdicts do."""
    every = upturn.classify(results, draws=draws, seed=seed)
    lean = every.without(*(m.name for m in every.models if m.name not in LEAN))
    full, few = (c.summary()["p_emergent"].to_numpy() for c in (every, lean))
    change = np.abs(full - few)
    return {
        "curves": len(full),
        "largest": float(change.max()),
        "mean": float(change.mean()),
        "cross 0.5": int(((full >= 0.5) != (few >= 0.5)).sum()),
        "cross 0.95": int(((full >= 0.95) != (few >= 0.95)).sum()),
    }


def add_arguments(parser: ArgumentParser) -> None:
    """Add no options: there are none."""


def main() -> None:
    """Print one line a table."""
    for name, results in tables().items():
        measured = moved(results)
        print(f"{name}: {', '.join(f'{key} {value:.3g}' for key, value in measured.items())}")
