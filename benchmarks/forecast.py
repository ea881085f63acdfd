"""Forecast: how good are predictions of large models, on real tables, beside other curves?

`python -m benchmarks.forecast` holds the largest models of four tables out, fits the rest, and
prints one table a data set. Checkpoints of a run are many and alike, so of each run only a few are
kept. `--only NAME` takes one data set; answers are kept in results/forecast.
"""

import argparse
import json
from pathlib import Path
from time import process_time
from typing import Any

import pandas as pd

import upturn
from upturn.forecasted import Forecast
from upturn.results import Results

DATA = Path("../shared/data")
FOLDER = Path("results/forecast")

# table, conditions, metrics, one checkpoint in how many, what is held out
SETS: dict[str, dict[str, Any]] = {
    "gpt3": {
        "source": "gpt3",
        "where": ("setting=few-shot",),
        "metric": ["acc", "f1"],
        "split": {"holdout_largest": 2},
    },
    "open-models": {
        "source": "open-models",
        "where": (),
        "metric": ["acc", "exact_match"],
        "split": {"train_below": 8.4e22},
    },
    "olmo_ladder": {
        "source": DATA / "olmo_ladder.csv",
        "where": (),
        "metric": None,
        "every": 3,
        "split": {"train_below": 1.5e22},
    },
    "pythia": {
        "source": DATA / "pythia.csv",
        "where": ("metric=acc",),
        "metric": None,
        "every": 9,
        "split": {"train_below": 5e21},
    },
}


def thinned(frame: pd.DataFrame, every: int) -> pd.DataFrame:
    """Of each run the last checkpoint, and before it one in so many."""
    frame = frame[frame["flops"] > 0]
    models = frame[["run", "model", "flops"]].drop_duplicates("model").sort_values("flops")
    from_last = models.groupby("run").cumcount(ascending=False)
    return frame[frame["model"].isin(models["model"][from_last % every == 0])]


def table_of(name: str) -> Results:
    """The rows of a data set that are used."""
    own = SETS[name]
    source = own["source"]
    if isinstance(source, Path):
        frame = thinned(pd.read_csv(source), own["every"])
        results = upturn.read(frame, name=source.name)
    else:
        results = upturn.read(source)
    return results.where(*own["where"]) if own["where"] else results


def run(name: str, *, draws: int = 400) -> Forecast:
    """One data set's forecast."""
    own = SETS[name]
    return upturn.forecast(
        table_of(name), metric=own["metric"], draws=draws, seed=0, **own["split"]
    )


def kept_of(found: Forecast, seconds: float) -> dict[str, Any]:
    """What is written down of a forecast."""
    return {
        "seconds": seconds,
        "verdict": found.verdict,
        "notes": list(found.notes),
        "totals": found.totals(),
        "scores": found.scores.reset_index().to_dict(orient="records"),
        "mae": found.by_curve("mae").reset_index().to_dict(orient="records"),
        "log_score": found.by_curve("log_score").reset_index().to_dict(orient="records"),
        "coverage_90": found.by_curve("coverage_90").reset_index().to_dict(orient="records"),
        "curves": found.summary().reset_index().to_dict(orient="records"),
    }


def text(name: str, kept: dict[str, Any]) -> str:
    """The scores of one data set as a Markdown table."""
    split = ", ".join(f"{key} {value:g}" for key, value in SETS[name]["split"].items())
    held, curves = kept["totals"]["held_out"], kept["totals"]["curves"]
    head = f"**{name}**, {split}: {held} scores of {curves} curves held out\n\n"
    lines = ["| method | mae | crps | log score | 50 % | 90 % | noise | no fit |"]
    lines += ["|---|---:|---:|---:|---:|---:|---|---:|"]
    for row in kept["scores"]:
        lines.append(
            f"| {row['method']} | {row['mae']:.2f} | {row['crps']:.2f} | {row['log_score']:.2f} "
            f"| {row['coverage_50']:.0%} | {row['coverage_90']:.0%} | {row['noise']} "
            f"| {row['failed'] or ''} |"
        )
    return head + "\n".join(lines) + "\n"


def main() -> None:
    """Run or read what was asked for, and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=list(SETS), action="append")
    options = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in options.only or SETS:
        path = FOLDER / f"{name}.json"
        if not path.exists():
            begun = process_time()
            found = run(name)
            path.write_text(json.dumps(kept_of(found, process_time() - begun), default=str))
        print(text(name, json.loads(path.read_text())))


if __name__ == "__main__":
    main()
