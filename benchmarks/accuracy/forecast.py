"""Forecast: how good are predictions of large models, on real tables, beside other curves?

`python -m benchmarks forecast` holds the largest models of four tables out, fits the rest, and
prints one table a data set. Checkpoints of a run are many and alike, so of each run only a few are
kept. `--only NAME` takes one data set; answers are kept in results/forecast. With --page the tables
go into docs/forecast.md, in their place there, and the figures beside the page. It takes three
minutes of one core.
"""

import json
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from time import process_time
from typing import Any

import pandas as pd

import upturn
from benchmarks.output import report
from upturn.questions.forecast.extrapolate import METHODS
from upturn.questions.forecast.result import Forecast
from upturn.show.text.formats import to_markdown
from upturn.tables.results import Results

DATA = Path("../shared/data")
FOLDER = Path("results/forecast")
PAGE = Path("docs/forecast.md")
COMMAND = "python -m benchmarks forecast --page"
STORED = ("version", "seconds", "totals", "scores", "mae", "log_score", "coverage_90")
BEHIND = {"mae": 5.0, "log_score": 1.0}  # points, and nats a score: from where on a task is named

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
    data_set = SETS[name]
    source = data_set["source"]
    if isinstance(source, Path):
        frame = thinned(pd.read_csv(source), data_set["every"])
        results = upturn.read(frame, name=source.name)
    else:
        results = upturn.read(source)
    return results.where(*data_set["where"]) if data_set["where"] else results


def run(name: str, *, draws: int = 400, threads: int | None = None) -> Forecast:
    """One data set's forecast."""
    data_set = SETS[name]
    return upturn.forecast(
        table_of(name),
        metric=data_set["metric"],
        draws=draws,
        seed=0,
        threads=threads,
        **data_set["split"],
    )


def kept_of(forecast: Forecast, seconds: float) -> dict[str, Any]:
    """What is written down of a forecast."""
    return {
        "version": upturn.__version__,
        "seconds": seconds,
        "verdict": forecast.verdict,
        "notes": list(forecast.notes),
        "totals": forecast.totals(),
        "scores": forecast.scores.reset_index().to_dict(orient="records"),
        "mae": forecast.by_curve("mae").reset_index().to_dict(orient="records"),
        "log_score": forecast.by_curve("log_score").reset_index().to_dict(orient="records"),
        "coverage_90": forecast.by_curve("coverage_90").reset_index().to_dict(orient="records"),
        "curves": forecast.summary().reset_index().to_dict(orient="records"),
    }


def text(name: str, kept: dict[str, Any]) -> str:
    """The scores of one data set as a Markdown table."""
    data_set = SETS[name]
    split = ", ".join(f"{key} {value:g}" for key, value in data_set["split"].items())
    held, curves = kept["totals"]["held_out"], kept["totals"]["curves"]
    where = f" ({', '.join(data_set['where'])})" if data_set["where"] else ""
    head = f"**{name}**{where}, {split}: {held} scores of {curves} curves held out\n\n"
    heads = ["method", "mae", "crps", "log score", "50 %", "90 %", "noise", "no fit"]
    rows = [
        [row["method"], *(f"{row[column]:.2f}" for column in ("mae", "crps", "log_score")),
         *(f"{row[column]:.0%}" for column in ("coverage_50", "coverage_90")),
         row["noise"] or "its own", str(row["failed"] or "")]
        for row in kept["scores"]
    ]  # fmt: skip
    return head + to_markdown(heads, rows, (1, 2, 3, 4, 5, 7))


def behind(results: dict[str, dict[str, Any]], score: str) -> list[dict[str, Any]]:
    """The curves on which a baseline is better by as much as `BEHIND` says, by data set.

    Parameters
    ----------
    found : dict
        What is kept of each data set.
    score : str
        "mae" or "log_score".
    """
    sign = -1 if score == "mae" else 1
    rows = []
    for name, kept in results.items():
        coverage = {row["curve"]: row["upturn"] for row in kept["coverage_90"]}
        for row in kept[score]:
            theirs, best = max((sign * row[method], method) for method in METHODS)
            if theirs - sign * row["upturn"] >= BEHIND[score]:
                rows.append(
                    {"data": name, "curve": row["curve"], "ours": row["upturn"], "best": best,
                     "theirs": sign * theirs, "coverage_90": coverage[row["curve"]]}
                )  # fmt: skip
    return rows


def behind_table(rows: Sequence[dict[str, Any]], unit: str) -> str:
    """The same as a Markdown table."""
    heads = ["data", "curve", f"upturn, {unit}", "best baseline", unit, "our 90 % intervals hold"]
    lines = [
        [row["data"], row["curve"], f"{row['ours']:.1f}", row["best"], f"{row['theirs']:.1f}",
         f"{row['coverage_90']:.0%}"]
        for row in rows
    ]  # fmt: skip
    return to_markdown(heads, lines, (2, 4, 5))


def rounded(value: Any) -> Any:
    """What is stored beside the page: six digits are enough for it."""
    if isinstance(value, dict):
        return {name: rounded(v) for name, v in value.items()}
    if isinstance(value, list):
        return [rounded(v) for v in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


def section(results: dict[str, dict[str, Any]]) -> str:
    """What is put into the page."""
    curves = sum(kept["totals"]["curves"] for kept in results.values())
    points, nats = behind(results, "mae"), behind(results, "log_score")
    versions = sorted({kept["version"] for kept in results.values()})
    seconds = sum(kept["seconds"] for kept in results.values())
    tables = "\n".join(text(name, kept) for name, kept in results.items())
    return (
        f"{tables}\nOf the {curves} curves, those on which the error of the best of five baselines "
        f"is smaller by {BEHIND['mae']:g} points or more ({len(points)}):\n\n"
        f"{behind_table(points, 'points')}\nand on which its log score, with the best of four "
        f"noises, is better by {BEHIND['log_score']:g} or more ({len(nats)}):\n\n"
        f"{behind_table(nats, 'log score')}\nSeed 0, upturn {', '.join(versions)}, {seconds:.0f} s "
        "of one core.\n"
    )


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--only", choices=list(SETS), action="append")
    parser.add_argument("--page", action="store_true", help=f"put all into {PAGE}")
    parser.add_argument("--threads", type=int, help="of the sampler; one a core by default")


def main(*, only: Sequence[str] | None, page: bool, threads: int | None) -> None:
    """Run or read what was asked for, and print it."""
    results = {}
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in SETS if page else only or SETS:
        path = FOLDER / f"{name}.json"
        if not path.exists():
            begun = process_time()
            made = run(name, threads=threads)
            path.write_text(json.dumps(kept_of(made, process_time() - begun), default=str))
        results[name] = json.loads(path.read_text())
        print(text(name, results[name]), flush=True)
    if page:
        stored = {
            name: {part: rounded(kept[part]) for part in STORED} for name, kept in results.items()
        }
        PAGE.write_text(report.put(PAGE.read_text("utf-8"), COMMAND, section(stored)), "utf-8")
        PAGE.with_suffix(".json").write_text(json.dumps(stored, indent=1) + "\n", "utf-8")
