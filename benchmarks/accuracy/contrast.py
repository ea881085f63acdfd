"""Contrast: techniques against their baselines on published results.

`python -m benchmarks contrast` fits chain of thought against direct answers on GSM8K, and few-shot
chain of thought against few-shot answers on the tasks of BIG-Bench Hard, and prints both as tables.
A task of 75 models takes some 20 seconds of one core. Answers are kept in results/contrast; with
--page a table goes into docs/contrast.md, in its place there, and its figures beside the page.
"""

import json
import re
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from time import process_time
from typing import Any

import upturn
from benchmarks.output import report
from upturn.checks.numbers import probability
from upturn.questions.contrast.result import Contrast
from upturn.show.text.formats import escape_markdown, to_markdown

TABLE = Path("../shared/data/obsscaling_prompting.csv")
FOLDER = Path("results/contrast")
PAGE = Path("docs/contrast.md")
DOUBT = re.compile(r"not converged \(([\d.]+)\)")
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


def kept_of(contrast: Contrast, seconds: float) -> dict[str, Any]:
    """What is written down."""
    summary, written = contrast.summary(), contrast.texts()
    frame = summary.join(written.add_suffix("_text"))
    return {
        "seconds": seconds,
        "meta": {"version": contrast.meta["version"], "seed": contrast.meta["seed"]},
        "verdict": contrast.verdict,
        "notes": list(contrast.notes),
        "totals": contrast.totals(),
        "tasks": frame.to_dict(orient="records"),
        "crossings": contrast.crossings().to_dict(orient="records"),
        "average": contrast.average().to_dict(orient="records")[0],
    }


def text(kept: dict[str, Any]) -> str:
    """One table in Markdown: what helps first comes first, what never does last."""
    heads = [
        "task", "models", "gain grows", "from", "break-even", "p(hurts) smallest",
        "p(helps) largest", "points at the largest", "doubt",
    ]  # fmt: skip
    rows = sorted(kept["tasks"], key=lambda row: (float(row["break_even"]), row["task"]))
    return to_markdown(heads, [_cells(row) for row in rows], (1, 2, 5, 6, 8))


def _cells(row: dict[str, Any]) -> list[str]:
    scales = (
        row[f"{name}_text"]
        if row[f"{name}_text"] == row[f"{name}_interval_text"]
        else f"{row[f'{name}_text']} ({row[f'{name}_interval_text']})"
        for name in ("gain_change", "break_even")
    )
    low, middle, high = (100 * row[f"gain_largest{end}"] for end in ("_low", "", "_high"))
    doubt = DOUBT.search(row["flags"])
    return [
        row["task"], str(row["models"]), probability(row["p_growing"]), *scales,
        probability(row["p_hurts"]), probability(row["p_helps"]),
        f"{middle:+.0f} ({low:+.0f} to {high:+.0f})", doubt[1] if doubt else "",
    ]  # fmt: skip


def section(kept: dict[str, Any]) -> str:
    """The table with what it adds up to, in sentences."""
    average = kept["average"]
    even = (average[f"break_even{end}"] for end in ("", "_low", "_high"))
    middle, low, high = (f"{value:.1e}".replace("e+", "e") for value in even)
    points = {
        place: "{:+.1f} points ({:+.1f} to {:+.1f})".format(
            *(100 * average[f"gain_{place}{end}"] for end in ("", "_low", "_high"))
        )
        for place in ("smallest", "largest")
    }
    return (
        f"{text(kept)}\n> {escape_markdown(kept['verdict'])}\n\n"
        f"On average over the {average['tasks']} tasks it adds {points['smallest']} at the "
        f"smallest scale, which is below 0 with probability {probability(average['p_hurts'])}, and "
        f"{points['largest']} at the largest; it breaks even at {middle} FLOPs "
        f"({low} – {high}). Seed {kept['meta']['seed']}, upturn {kept['meta']['version']}, "
        f"{kept['seconds']:.0f} s of one core.\n"
    )


def put(page: str, name: str, kept: dict[str, Any]) -> str:
    """A page with a section in the place that its comments keep for it."""
    return report.put(page, f"python -m benchmarks contrast --only {name} --page", section(kept))


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--only", choices=list(RUNS), action="append")
    parser.add_argument("--task", action="append", default=[])
    parser.add_argument("--page", action="store_true", help=f"put it into {PAGE}")
    parser.add_argument("--threads", type=int, help="of the sampler; one a core by default")


def main(
    *, only: Sequence[str] | None, task: Sequence[str], page: bool, threads: int | None
) -> None:
    """Run or read what was asked for, and print it."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in only or RUNS:
        path = FOLDER / f"{'-'.join([name, *task])}.json"
        if not path.exists():
            begun = process_time()
            results = run(name, list(task), threads=threads)
            path.write_text(json.dumps(kept_of(results, process_time() - begun), default=str))
        kept = json.loads(path.read_text())
        print(section(kept), flush=True)
        if page:
            PAGE.write_text(put(PAGE.read_text("utf-8"), name, kept), "utf-8")
            stored = PAGE.with_name(f"contrast-{name}.json")
            stored.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", "utf-8")
