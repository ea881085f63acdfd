"""Published: what is said of GPT-3's few-shot tasks, and of MMLU on the Pythia suite.

`python -m benchmarks published` takes minutes on two cores. The figures of docs/classify.md.
"""

import json
from argparse import ArgumentParser
from time import process_time
from typing import Any

import numpy as np

from benchmarks.output import report

FRAGILE = 0.1  # what leaving one model out may move p_emergent by
TASKS = ("arithmetic_3da", "hellaswag")
CLASSES = ("flat", "smooth", "changepoint", "inverse", "u_shaped")


def run() -> dict[str, Any]:
    """Verdicts, their stability, the time they take, floors."""
    import upturn

    few_shot = upturn.read("gpt3").where("setting=few-shot")
    start = process_time()
    classification = upturn.classify(few_shot, metric="acc", progress=_told)
    seconds = process_time() - start
    summary: Any = classification.summary()
    floors = upturn.floor_test(classification)
    columns = [c for c in floors.summary().columns if c not in summary.columns]
    return {
        "curves": len(classification.curves),
        "cpu_seconds_a_fit": seconds / len(classification.curves) / len(classification.models),
        "tasks": {
            task: {name: float(summary.loc[task, name]) for name in ("p_emergent", "p_emergent_se")}
            for task in TASKS
        },
        "stability": {
            "prevalence learned": _stability(classification),
            "equal odds": _stability(classification.with_prevalence(False)),
        },
        "floors": floors.verdict,
        "floor of addition": floors.summary().loc[TASKS[0], columns].to_dict(),
        "pythia mmlu": {scatter: _mmlu(scatter) for scatter in ("auto", "none")},
    }


def _stability(results: Any) -> dict[str, Any]:
    """On how many curves p_emergent moves by less than 0.1, whichever model is left out."""
    p, _ = results.probability("emergent")
    moved = np.abs(results.without_each_model - p[:, None]).max(axis=1)
    unsteady = np.flatnonzero(moved >= FRAGILE)
    names = results.curves.name[unsteady].tolist()
    return {
        "steady": len(p) - len(unsteady),
        "moved": dict(zip(names, moved[unsteady].tolist(), strict=True)),
    }


def _mmlu(scatter: str) -> dict[str, Any]:
    """Whether flat is the likeliest class of a task that stays near chance, and why not."""
    import upturn

    mmlu = upturn.read("pythia").where("task=mmlu")
    classification = upturn.classify(mmlu, scatter=scatter, progress=_told)
    row: Any = classification.summary().iloc[0]
    against: Any = classification.bayes_factors().iloc[0]
    names = [f"p_{name}" for name in CLASSES]
    factors = [float(against[f"log_bf_{name}"]) for name in CLASSES[1:]]
    return {
        **{name: float(row[name]) for name in ("p_emergent", "rise", *names)},
        "best_model": row["best_model"],
        "nats against flat": max(factors),
    }


def _told(done: int, total: int) -> None:
    if done == total or done % 100 == 0:
        report.note(f"classify: {done} of {total} fits")


def add_arguments(parser: ArgumentParser) -> None:
    """Add no options: there are none."""


def main() -> None:
    results = run()
    print(json.dumps(results, indent=1, default=float))
    report.note(f"written to {report.save('published', results)}")
