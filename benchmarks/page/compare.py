"""Compare: the figures of docs/compare.md, on published tables.

`python -m benchmarks compare gpt3 pythia olmo brier mmlu control` takes ten to thirty minutes on
two cores; each part can be asked for alone. olmo, brier and mmlu read the folder of published
results (`--data`, by default ../shared/data).
"""

from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd

import upturn
from upturn.questions.compare import AxesComparison, MetricsComparison
from upturn.show.text import comparison
from upturn.show.text.sheet import to_document

FOUR = ("flops", "params", "tokens", "perplexity")
OLMO = ("mmlu_other_val_mc", "mmlu_other_val_rc", "arc_challenge_val_rc", "hellaswag_val_rc")
BRIER = (
    "mmlu", "parsinlu_qa_mc", "arithmetic", "hindu_knowledge", "analogical_similarity",
    "conceptual_combinations", "hellaswag", "arc", "abstract_narrative_understanding",
)  # fmt: skip
DRAWS = 1000
SOME = ("flat", "logistic", "gompertz", "hinge", "inverse")  # of shapes: runs are long


def gpt3(_: Path) -> AxesComparison:
    """One family, one data size, few-shot."""
    table = upturn.read("gpt3").where("setting=few-shot")
    return upturn.compare_axes(table, axes=FOUR[:2] + FOUR[3:], metric="acc")


def pythia(_: Path) -> AxesComparison:
    """Sizes and checkpoints."""
    return upturn.compare_axes("pythia", axes=FOUR, draws=DRAWS)


def olmo(data: Path) -> AxesComparison:
    """Sizes, token multiples and checkpoints; four tasks. Families are not left out: 33 runs."""
    table = upturn.read(data / "olmo_ladder.csv").where(*(f"task={task}" for task in OLMO))
    return upturn.compare_axes(table, axes=FOUR, draws=DRAWS, families=False)


def control(_: Path) -> AxesComparison:
    """GPT-3's FLOPs against the same shuffled among its models."""
    table = upturn.read("gpt3").where("setting=few-shot").frame
    models = table["model"].unique()
    other = dict(zip(models, np.random.default_rng(0).permutation(models), strict=True))
    flops = table.groupby("model")["flops"].first()
    shuffled = table.assign(shuffled=table["model"].map(other).map(flops))
    return upturn.compare_axes(shuffled, axes=("flops", "shuffled"), metric="acc", draws=DRAWS)


def brier(data: Path) -> MetricsComparison:
    """Accuracy and Brier loss on the same outputs, nine tasks."""
    table = upturn.read(data / "brier.csv").where(*(f"task={task}" for task in BRIER))
    return upturn.compare_metrics(table, metrics=("acc", "tc_brier_loss"), models=SOME, draws=400)


def mmlu(data: Path) -> MetricsComparison:
    """OLMo2-7B: multiple choice against the bits per byte of the right answers."""
    return upturn.compare_metrics(
        formats_as_metrics(data), metrics=("acc_mc", "bits_per_byte"), learn_prevalence=False
    )


def formats_as_metrics(data: Path) -> pd.DataFrame:
    """The checkpoints of OLMo2-7B on one task, what were tasks and a column now metrics of it."""
    table = pd.read_csv(data / "olmo_ladder.csv")
    run = table[table["run"] == "peteish7_eval_full"].drop(columns="setting")
    mc, rc = (run[run["task"] == f"mmlu_other_val_{kind}"] for kind in ("mc", "rc"))
    bits = rc.assign(
        metric="bits_per_byte", score=rc["bits_per_byte"], trials=np.nan, chance=np.nan
    )
    parts = [mc.assign(metric="acc_mc"), rc.assign(metric="acc_rc"), bits]
    return pd.concat(parts).assign(task="mmlu_other")


PARTS = {f.__name__: f for f in (gpt3, pythia, olmo, brier, mmlu, control)}


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("parts", nargs="+", choices=PARTS)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))


def main(*, parts: Sequence[str], data: Path) -> None:
    for part in parts:
        start = perf_counter()
        results = PARTS[part](data)
        print(f"## {part}, {perf_counter() - start:.0f} s\n\n{results.verdict}\n")
        print(to_document(comparison.sheet_of(results, 0.9)))
        for note in results.notes:
            print(f"note: {note}")
        if isinstance(results, AxesComparison):
            worst = max(np.ptp([score.log_evidence for score in results.scores[:2]], axis=0))
            first, second = results.names[:2]
            print(f"largest |Δ log evidence| of a curve, {first} to {second}: {worst:.3f}\n")
