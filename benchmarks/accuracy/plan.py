"""Plan: designs for a task that is known to rise far, and whether the probability is right.

`python -m benchmarks plan` asks `upturn.plan` which designs locate the emergence scale of a task
that goes from 0 to 0.8, and of tasks drawn from the priors. Then the design that is recommended
is simulated again, with another seed and more tasks. It takes two minutes
of one core, and puts tables into docs/plan.md, the picture and the figures beside it.
"""

import json
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from time import process_time
from typing import Any

import upturn
from benchmarks.output import report
from upturn.questions.plan.result import Plan
from upturn.show import plots
from upturn.show.text.formats import escape_markdown, to_markdown

PAGE = Path("docs/plan.md")
COMMAND = "python -m benchmarks plan"
FAR: dict[str, Any] = {"chance": 0.0, "fixed": {"height": 0.8}}
ASKED: dict[str, dict[str, Any]] = {
    "far": {"models": (10, 15, 20, 40), "trials": (100, 1000), "tasks": 100, **FAR},
    "any": {"models": (20, 80), "trials": 1000, "layouts": "near", "tasks": 100},
}
AGAIN: dict[str, Any] = {"tasks": 400, "seed": 1}

type Facts = dict[str, Any]


def run(threads: int | None = None) -> tuple[Facts, Plan]:
    """The figures, and the plan that is drawn."""
    begun = process_time()
    plans = {name: upturn.plan(threads=threads, **asked) for name, asked in ASKED.items()}
    results = {name: facts_of(entry) for name, entry in plans.items()}
    first = recommended(results["far"])
    again = upturn.plan(
        models=first["models"], trials=first["trials"], layouts=first["layout"], threads=threads,
        **FAR, **AGAIN,
    )  # fmt: skip
    return {
        "plans": results, "again": facts_of(again), "version": upturn.__version__,
        "seconds": round(process_time() - begun, 1),
    }, plans["far"]  # fmt: skip


def facts_of(plan: Plan) -> Facts:
    """A plan as JSON has it."""
    return {
        "verdict": plan.verdict, "rows": plan.summary().to_dict(orient="records"),
        "seed": plan.meta["seed"], "probability": plan.probability, "within": plan.within,
    }  # fmt: skip


def recommended(plan: Mapping[str, Any]) -> Facts:
    """The design of the verdict: the fewest models, then test questions, that are enough."""
    enough = [row for row in plan["rows"] if row["enough"]]
    if not enough:
        raise SystemExit("plan: expected a design that is enough, but there is none")
    best: Facts = min(enough, key=lambda row: (row["models"], row["trials"]))
    return best


def table(plan: Mapping[str, Any]) -> str:
    """One row a design."""
    heads = ["layout", "models", "questions", f"within {plan['within']:g}", "± se", "at least",
             "enough", "error", "half width", "90 % intervals hold", "tasks"]  # fmt: skip
    rows = [
        [row["layout"], str(row["models"]), f"{row['trials']:,}", f"{100 * row['p_within']:.0f} %",
         f"{100 * row['p_within_se']:.0f} %", f"{100 * row['p_within_low']:.0f} %",
         "yes" if row["enough"] else "",
         f"{row['error']:.2f}", f"{row['half_width']:.2f}", f"{100 * row['coverage_90']:.0f} %",
         str(row["tasks"])]
        for row in plan["rows"]
    ]  # fmt: skip
    return to_markdown(heads, rows, (1, 2, 3, 4, 5, 7, 8, 9, 10))


def section(results: Mapping[str, Any]) -> str:
    """What is put into the page."""
    far, some = results["plans"]["far"], results["plans"]["any"]
    again, first = results["again"]["rows"][0], recommended(results["plans"]["far"])
    off = (again["p_within"] - first["p_within"]) / (
        again["p_within_se"] ** 2 + first["p_within_se"] ** 2
    ) ** 0.5
    kept = again["p_within"] >= far["probability"]
    return (
        f"A task that goes from 0 to 0.8 (`--chance 0 --fix height=0.8`), seed {far['seed']}:\n\n"
        f"{table(far)}\n> {escape_markdown(far['verdict'])}\n\n"
        f"The design that is recommended, simulated again with seed {results['again']['seed']} and "
        f"{again['tasks']} tasks:\n\n{table(results['again'])}\n"
        f"So the probability of {100 * far['probability']:.0f} % is {'' if kept else 'not '}"
        f"reached: "
        f"{100 * again['p_within']:.0f} ± {100 * again['p_within_se']:.0f} % where the plan said "
        f"{100 * first['p_within']:.0f} ± {100 * first['p_within_se']:.0f} %, {abs(off):.1f} "
        "standard errors apart.\n\n"
        f"Tasks drawn from the priors, chance 0.25, seed {some['seed']}:\n\n"
        f"{table(some)}\n> {escape_markdown(some['verdict'])}\n\n"
        f"upturn {results['version']}, {results['seconds']:.0f} s of one core.\n"
    )


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--threads", type=int)


def main(*, threads: int | None) -> None:
    """Run, and put it where it belongs."""
    results, drawn = run(threads)
    PAGE.write_text(report.put(PAGE.read_text("utf-8"), COMMAND, section(results)), "utf-8")
    text = json.dumps(results, indent=1, default=report.plain)
    PAGE.with_suffix(".json").write_text(text + "\n", "utf-8")
    picture: Any = plots.plot_plan(drawn).figure
    plots.save(picture, PAGE.with_name("plan-designs.svg"))
    report.note(f"written to {PAGE}")
