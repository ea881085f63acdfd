"""Contrast: techniques against their baselines on published results.

`python -m benchmarks.contrast` fits chain of thought against direct answers on GSM8K, and few-shot
chain of thought against few-shot answers on the tasks of BIG-Bench Hard, and prints both as tables.
A task of 75 models takes some 20 seconds of one core. Answers are kept in results/contrast.
"""

import argparse
import json
from pathlib import Path
from time import process_time
from typing import Any

import upturn
from upturn.contrasted import Contrast

TABLE = Path("../shared/data/obsscaling_prompting.csv")
FOLDER = Path("results/contrast")
SHAPES = ("flat", "logistic", "logit-line", "hinge")  # of the many tasks' baselines

RUNS: dict[str, dict[str, Any]] = {
    "gsm8k": {"setting": "cot:direct", "models": None},
    "bbh": {"setting": "cot_fewshot:fewshot", "models": SHAPES},
}


def run(name: str, tasks: list[str], *, draws: int = 200, threads: int | None = None) -> Contrast:
    """One table's contrast."""
    results = upturn.read(TABLE)
    if tasks:
        results = results.where(*(f"task={task}" for task in tasks))
    return upturn.contrast(results, draws=draws, seed=0, threads=threads, **RUNS[name])


def kept_of(found: Contrast, seconds: float) -> dict[str, Any]:
    """What is written down."""
    summary, written = found.summary(), found.texts()
    frame = summary.join(written.add_suffix("_text"))
    return {
        "seconds": seconds,
        "meta": {"version": found.meta["version"], "seed": found.meta["seed"]},
        "verdict": found.verdict,
        "notes": list(found.notes),
        "totals": found.totals(),
        "tasks": frame.to_dict(orient="records"),
        "crossings": found.crossings().to_dict(orient="records"),
        "average": found.average().to_dict(orient="records")[0],
    }


def text(kept: dict[str, Any]) -> str:
    """One table in Markdown."""
    lines = [
        "| task | models | gain grows | from | break-even | p(hurts) smallest | p(helps) largest "
        "| gain largest |",
        "|---|---:|---:|---|---|---:|---:|---|",
    ]
    for row in kept["tasks"]:
        change, even = (
            f"{row[f'{name}_text']} ({row[f'{name}_interval_text']})"
            if row[f"{name}_text"] != row[f"{name}_interval_text"]
            else row[f"{name}_text"]
            for name in ("gain_change", "break_even")
        )
        gain = f"{row['gain_largest']:+.2f} ({row['gain_largest_low']:+.2f} – "
        gain += f"{row['gain_largest_high']:+.2f})"
        lines.append(
            f"| {row['task']} | {row['models']} | {row['p_growing']:.2f} | {change} | {even} "
            f"| {row['p_hurts']:.2f} | {row['p_helps']:.2f} | {gain} |"
        )
    return "\n".join(lines) + "\n\n" + kept["verdict"] + "\n"


def main() -> None:
    """Run or read what was asked for, and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=list(RUNS), action="append")
    parser.add_argument("--task", action="append", default=[])
    parser.add_argument("--threads", type=int, help="of the sampler; one a core by default")
    options = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in options.only or RUNS:
        path = FOLDER / f"{'-'.join([name, *options.task])}.json"
        if not path.exists():
            begun = process_time()
            found = run(name, options.task, threads=options.threads)
            path.write_text(json.dumps(kept_of(found, process_time() - begun), default=str))
        print(text(json.loads(path.read_text())), flush=True)


if __name__ == "__main__":
    main()
