"""Field: real files of people who evaluate models, each with the command that a person would type.

The files lie in ../shared/field, which is no part of the repository; where it is absent there is
nothing to run. A case is as expected where the exit code and what is printed are.
`python -m benchmarks field --page docs/field.md` writes the table of the docs.
"""

import argparse
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parents[3] / "shared" / "field"
FAST = ("--draws", "200", "--threads", "1")


@dataclass(frozen=True)
class Case:
    """A command in the folder of a case, and what it should do.

    Parameters
    ----------
    folder
        Of ``../shared/field``.
    command
        What a person types after ``upturn``.
    expected
        A pattern that what is printed has to match, anywhere.
    code
        The exit code.
    """

    folder: str
    command: str
    expected: str
    code: int = 0


@dataclass(frozen=True)
class Outcome:
    """What a command did."""

    case: Case
    code: int
    printed: str

    @property
    def is_expected(self) -> bool:
        """Whether the exit code and what was printed are what the case wants."""
        match = re.search(self.case.expected, self.printed, re.DOTALL)
        return self.code == self.case.code and match is not None

    @property
    def summary(self) -> str:
        """The error, or the heading of the answer."""
        lines = [line for line in self.printed.splitlines() if line.strip()]
        errors = [line for line in lines if line.startswith("Error")]
        return (errors or [line for line in lines if " · " in line] or lines or [""])[0]


V1, V2, RERUNS, STEPS = (
    "01-open-llm-v1", "02-open-llm-v2-details", "03-lm-eval-reruns", "04-lm-eval-checkpoints",
)  # fmt: skip
LIGHTEVAL, EVALS, LOGS, METR = (
    "06-lighteval", "07-inspect-evals-df", "08-inspect-logs", "09-metr-runs",
)  # fmt: skip
EPOCH, RECIPES, CODE, LIVE, HELM = (
    "10-epoch-benchmark", "12-datadecide", "14-evalplus", "15-livebench", "19-helm",
)  # fmt: skip
UNITS, FALLING, REPEATS, VARIANTS = (
    "21-units", "23-falling", "24-repeats", "25-lm-eval-variants",
)  # fmt: skip

ONE_CURVE = r"1 curve, \d+ points"
CASES = (
    Case(V1, "fit leaderboard.csv --axis params", r"type: upturn fit leaderboard.csv --wide", 2),
    Case(
        V1,
        "fit leaderboard.csv --wide --percent all --repeats latest --ignore params --axis params",
        "upturn facts leaderboard.csv -o models.csv",
        2,
    ),
    Case(V1, "fit pct.csv --axis params --percent score --repeats mean", "4 curves, 28 points"),
    Case(V2, "fit results --axis params", "groups left out beside their members"),
    Case(V2, "fit cards --axis params", "groups left out beside their members"),
    Case(RERUNS, "fit results --axis params --metric acc", r"4 repeated rows.*--repeats latest", 2),
    Case(RERUNS, "fit results --axis params --metric acc --repeats latest", "1 curve, 4 points"),
    Case(STEPS, "fit results --axis tokens", "1 curve, 6 points"),
    Case(STEPS, "fit local --axis step", "1 curve, 6 points"),
    Case(LIGHTEVAL, "fit results --axis params", "2 curves, 10 points"),
    Case(LIGHTEVAL, "convert results", "task,model"),
    Case(LIGHTEVAL, "convert lm-eval results", "expected results of 'lm-eval', but got none", 2),
    Case(EVALS, "fit evals.csv --axis release_date", r"task_name → task.*score_headline_v"),
    Case(LOGS, "convert inspect rer", r"security_guide.*security_guide"),
    Case(METR, "fit bymodel.csv --axis human_minutes", "falls"),
    Case(METR, "fit bymodel.csv --axis human_minutes:-log10 --delta 0.5", r"chance\s+unknown"),
    Case(
        METR,
        "fit runs.jsonl --column task=alias --column model=task_id --axis human_minutes:-log10",
        "480 answers added up to 240 rows",
    ),
    Case(EPOCH, "fit g1.csv", r"Training compute \(FLOP\) → flops"),
    Case(EPOCH, "fit gpqa_diamond.csv --axis compute,date", r"2 curves.*mean_score → score"),
    Case(EPOCH, "fit g1.csv --axis nonsense", r"there are: (?!.*Best score)(?!.*Started)", 2),
    Case(
        EPOCH,
        "fit g2.csv --facts ../11-epoch-models-facts/notable_ai_models.csv --axis flops",
        "taken for one model: 'llama-3.1-8B' = 'Llama 3.1-8B'",
    ),
    Case(
        RECIPES,
        "fit datadecide-eval-results.csv --axis params",
        "--column model=params.data.seed.step",
        2,
    ),
    Case(
        RECIPES,
        "fit datadecide-eval-results.csv --axis params --column model=params+data+seed+step "
        "--metric acc_per_char",
        "1 curve, 84 points",
    ),
    Case(CODE, "fit results.json --axis size", "4 curves"),
    Case(LIVE, "fit table_2024_11_25.csv", "--wide --percent all", 2),
    Case(HELM, "fit lite.tsv --axis params", "type: upturn fit lite.tsv --wide", 2),
    Case(HELM, "fit lite.tsv --axis params --wide", "3 curves"),
    Case(UNITS, "fit mixed.csv --axis params", "in a column that mixes units", 2),
    Case(UNITS, "fit BT.csv --axis params", "expected absolute params, at least 1e4", 2),
    Case(UNITS, "fit tokT.csv --axis tokens", "expected absolute tokens, at least 1e6", 2),
    Case(UNITS, "fit zf.csv", "expected absolute flops, at least 1e12", 2),
    Case(UNITS, "fit zf.csv --unit flops=ZFLOP", ONE_CURVE),
    Case(UNITS, "fit B7b.csv --axis params", ONE_CURVE),
    Case(UNITS, "fit thou.csv --axis params", ONE_CURVE),
    Case(UNITS, "fit colB.csv --axis params", ONE_CURVE),
    Case(UNITS, "fit pfd.csv", ONE_CURVE),
    Case(UNITS, "fit euro.csv --axis params", ONE_CURVE),
    Case(UNITS, "fit usdate.csv --axis released", "write dates as year-month-day", 2),
    Case(UNITS, "fit stderrrows.csv --axis params", "8 rows of standard errors joined"),
    Case(UNITS, "fit suffix.csv --axis params", "8 rows of standard errors joined"),
    Case(UNITS, "fit cap.csv --axis params", "Task → task, Model → model"),
    Case(UNITS, "fit syn.csv --axis params", "accuracy → score, n_samples → trials"),
    Case(UNITS, "fit na.csv --axis params", "column params: 'N/A' in 1 row is unknown"),
    Case(UNITS, "fit unk.csv --axis params", "column score: '-' in 1 row is unknown"),
    Case(UNITS, "fit names.csv --axis params", ONE_CURVE),
    Case(FALLING, "fit fall.csv --axis params", "falls"),
    Case(REPEATS, "fit triple.csv --axis params", "24 repeated rows of 8 measure"),
    Case(REPEATS, "fit seeds.csv --axis params", "24 repeated rows of 8 measurements added up"),
    Case(REPEATS, "fit bydata.csv --axis params --where data=C0", ONE_CURVE),
    Case(REPEATS, "fit exactdup.csv --axis params --where source_file=x", "1 curve, 3 points"),
    Case(REPEATS, "fit records.json --axis params", ONE_CURVE),
    Case(VARIANTS, "convert lm-eval quant", "load_in_4bit"),
    Case(VARIANTS, "convert lm_eval limit", "2 rows of runs with a limit left out"),
    Case(VARIANTS, "fit vllm --axis params", "got no scale of any model; list what is known", 2),
)


def run(case: Case, root: Path) -> Outcome:
    """The outcome of a command, in its folder."""
    from click.testing import CliRunner

    from upturn.cli import main

    words = case.command.split()
    more = FAST if words[0] == "fit" else ()
    with chdir(root / case.folder):
        done = CliRunner().invoke(main, [*words, *more], catch_exceptions=True)
    printed = done.output
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        printed += f"\nTraceback: {done.exception!r}"
    return Outcome(case, done.exit_code, printed)


def outcomes(root: Path = FOLDER) -> Iterator[Outcome]:
    """The outcomes of all cases whose folder is there."""
    for case in CASES:
        if (root / case.folder).is_dir():
            yield run(case, root)


def table(results: Sequence[Outcome]) -> str:
    """The outcomes as Markdown."""
    rows = ["| case | command | outcome | as expected |", "| --- | --- | --- | --- |"]
    for outcome in results:
        summary = outcome.summary.replace("|", "\\|")
        short = summary if len(summary) <= 160 else f"{summary[:159]}…"
        verdict = "yes" if outcome.is_expected else "**no**"
        rows.append(
            f"| {outcome.case.folder} | `upturn {outcome.case.command}` | {short} | {verdict} |"
        )
    return "\n".join(rows)


def written(results: Sequence[Outcome]) -> str:
    """The page of the docs."""
    right = sum(outcome.is_expected for outcome in results)
    return (
        "# Real files\n\n"
        "Files in the form in which people have them, each with the command that a person would "
        "type and what it does. Numbers in them are invented; the layouts are those of the tools "
        f"named. {right} of {len(results)} commands do what is expected. "
        "`python -m benchmarks field --page docs/field.md` makes this page.\n\n"
        f"{table(results)}\n"
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the cases are, and where the page goes."""
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the cases are")
    parser.add_argument("--page", type=Path, help="write the page of the docs to this file")


def main(*, folder: Path = FOLDER, page: Path | None = None) -> None:
    """Run all cases and print them; what is not as expected goes to standard error in full."""
    if not folder.is_dir():
        print(f"no folder {os.fspath(folder)}: nothing to run", file=sys.stderr)
        return
    results = list(outcomes(folder))
    for outcome in results:
        if not outcome.is_expected:
            print(f"{outcome.case}\n{outcome.printed}", file=sys.stderr)
    print(table(results))
    if page is not None:
        page.write_text(written(results), encoding="utf-8")
