"""upturn classify: exact output, files, exit codes."""

import csv
import io
import json

import numpy as np
import pytest

from tests.support.classifications import classification, shape
from tests.support.commands import HEADER, refused, run
from upturn.commandline.edge import FAILED
from upturn.questions.classify.floor_test import upper_limit
from upturn.sampling import batch
from upturn.show.text import classes
from upturn.tables.results import read

pytestmark = pytest.mark.usefixtures("folder")

FAST = ["--draws", "40", "--threads", "1", "--shapes", "flat,step"]
SCORES = {"addition": [0.0, 0.01, 0.0, 0.01, 0.9, 0.95], "riddles": [0.25, 0.2, 0.3] * 2}
TABLE = HEADER + "".join(
    f"{task},m{i},{score},100,{10.0 ** (20 + i / 2):.4g},{10.0 ** (8 + i / 4):.4g}\n"
    for task, scores in SCORES.items()
    for i, score in enumerate(scores)
)


@pytest.fixture
def table(folder):
    (folder / "t.csv").write_text(TABLE)
    return "t.csv"


def made(table, **options):
    """A classification made by hand."""
    curves = read(table).curves()
    return classification(
        curves,
        [
            shape("flat", [0.0, 4.0], 0.0),
            shape("step", [9.0, 1.0], 1.0, p_sharp=0.75, flat_until=0.6, **options),
        ],
    )


# ---- what is printed -----------------------------------------------------------------------------


def test_the_sheet(table):
    sheet = classes.sheet_of(made(table), 0.9)
    lines = {b.title: [[c.header, *map(str, c.cells)] for c in b.columns] for b in sheet.blocks}
    assert list(lines) == [
        "training FLOPs, 1.0e20 to 3.2e22",
        "Shapes, training FLOPs, 1.0e20 to 3.2e22",
    ]
    emergence, shapes = lines.values()
    assert emergence == [
        ["task", "addition", "riddles"],
        ["score", "▁▁··▁▁··██", "▃▂··▃▃··▂▃"],
        ["verdict", "emerges", "not yet"],
        ["p(emergent)", "> 0.99", "0.05"],
        ["p(sharp)", "0.75", "0.04"],
        ["scale", "3.2e21", "> 3.2e22"],
        ["90 % interval", "3.2e21", "> 3.2e22"],
        ["rise", "+0.50", "+0.50"],
        [
            "flags",
            "chance unknown; p_emergent 0.00 without step",
            "chance unknown; p_emergent 1.00 without flat",
        ],
    ]
    assert [column[0] for column in shapes] == [
        "task", "flat", "smooth", "change", "inverse", "u-shaped", "humped", "best model", "L",
        "B", "D",
    ]  # fmt: skip
    assert shapes[7] == ["best model", "step", "flat"]
    assert shapes[1] == ["flat", "< 0.01", "0.95"]


def test_a_run(table):
    result = run("classify", table, *FAST)
    assert (result.exit_code, result.exception) == (0, None)
    assert result.stdout.splitlines()[0] == (
        "t.csv · 2 curves, 12 points · 2 models · prevalence of shapes learned"
    )
    assert "not yet" in result.stdout
    assert "> 3.2e22" in result.stdout
    assert "p(emergent)  flat for 25 % of the scales, at least 3 and 0.5 decades" in result.stderr
    assert run("classify", table, *FAST, "-q").stderr == ""


def test_the_criteria_and_the_odds_are_options(table):
    strict = run("classify", table, *FAST, "--min-flat", "0.9", "--no-prevalence")
    assert "equal odds of shapes" in strict.stdout.splitlines()[0]
    assert "p(emergent)  flat for 90 % of the scales" in strict.stderr
    answer = json.loads(
        run("classify", table, *FAST, "--min-rise", "0.2", "--max-width", "0.1", "--flat-scales",
            "2", "--near-chance", "0.3", "--flat-decades", "0.4", "--central-width", "0.2",
            "--delta", "0.15", "--format", "json").stdout
    )  # fmt: skip
    assert answer["meta"]["criteria"] == {
        "min_rise": 0.2, "min_flat": 0.25, "near_chance": 0.3, "flat_scales": 2, "max_width": 0.1,
        "flat_decades": 0.4, "central_width": 0.2, "delta": 0.15,
    }  # fmt: skip


def test_json(table):
    answer = json.loads(run("classify", table, *FAST, "--format", "json").stdout)
    first, second = answer["curves"]
    assert first["curve"] == "addition"
    assert first["p_emergent"] > 0.9
    assert second["scale"] is None
    assert second["scale_text"] == "> 3.2e22"
    assert answer["totals"]["emergent"] == 1
    assert answer["meta"]["priors"]["step"]["overdispersion"] == "HalfNormal(0.2)"
    assert answer["meta"]["arguments"]["models"] == ["flat", "step"]
    assert sum(answer["meta"]["prevalence"]["flops"].values()) == pytest.approx(1)
    (one, _) = answer["bayes_factors"]
    assert one["curve"] == "addition"
    assert one["log_bf_changepoint"] > 5 > 0.1 > one["log_bf_changepoint_se"] > 0


def test_csv_and_markdown_and_files(table, folder):
    rows = list(
        csv.DictReader(io.StringIO(run("classify", table, *FAST, "--format", "csv").stdout))
    )
    assert [row["curve"] for row in rows] == ["addition", "riddles"]
    text = run("classify", table, *FAST, "--format", "markdown").stdout
    assert "| task | score | verdict | p(emergent) |" in text
    run("classify", table, *FAST, "-o", "a.json", "-o", "a.md", "-q")
    assert json.loads((folder / "a.json").read_text())["totals"]["curves"] == 2
    assert (folder / "a.md").read_text() == text


@pytest.mark.slow
def test_companions(table):
    chosen = ["--floor", "--influence", "--prior-sensitivity"]
    result = run("classify", table, *FAST, *chosen)
    titles = [line for line in result.stdout.splitlines() if "training FLOPs" in line]
    assert [title.partition("training")[0] for title in titles] == [
        "", "Shapes, ", "Is the floor flat? ", "Prior sensitivity, ", "Influence, ",
    ]  # fmt: skip
    assert "note: floor: of 1 floor before an onset" in result.stderr
    assert "note: influence: emergent or not flips on " in result.stderr
    answer = json.loads(run("classify", table, *FAST, *chosen, "--format", "json").stdout)
    assert {c["kind"] for c in answer["influence"]["changes"]} == {"shape", "model"}
    floor = answer["floor"]["curves"][0]  # whose chance is unknown: the level stands in for it
    assert floor["compatible_rise"] == upper_limit(floor["floor_level"], 100) - floor["floor_level"]
    assert answer["prior_sensitivity"]["verdict"].startswith("emergent or not flips on")
    row = next(csv.DictReader(io.StringIO(
        run("classify", table, *FAST, "--floor", "--influence", "--format", "csv").stdout
    )))  # fmt: skip
    assert {"influence_flips", "p_grows_default", "floor_until"} <= set(row)


def test_hostile_names(folder):
    (folder / "t.csv").write_text(TABLE.replace("addition", "=cmd()[bold]|<b>"))
    text = run("classify", "t.csv", *FAST, "--format", "markdown").stdout
    assert "=cmd()\\[bold\\]\\|&lt;b>" in text
    assert "'=cmd()" in run("classify", "t.csv", *FAST, "--format", "csv").stdout
    assert "[bold]" in run("classify", "t.csv", *FAST).stdout


# ---- exit codes ----------------------------------------------------------------------------------


def test_bad_requests(table):
    assert "did you mean 'step'" in refused("classify", table, "--shapes", "stepp")
    assert "expected a name that ends in .json, .csv or .md" in refused(
        "classify", table, "-o", "a.nc"
    )
    assert "'--min-rise'" in refused("classify", table, "--min-rise", "0")
    assert "perplexity" in refused("classify", table, "--axis", "perplexity")


def test_curves_that_failed_are_named(table, monkeypatch):
    """Models that did not converge count where they hold some of the probability."""
    sample = batch.sample

    def unsure(model, curves, **options):
        found = sample(model, curves, **options)
        found.population.converged[:] = model.name != "step"
        return found

    monkeypatch.setattr(batch, "sample", unsure)
    result = run("classify", table, *FAST)
    assert result.exit_code == FAILED
    assert result.stderr.splitlines()[-1].startswith("Failed, ")
    assert "'addition'" in result.stderr.splitlines()[-1]
    assert "step not converged" in " ".join(result.stdout.split())


def test_a_model_that_counts_for_nothing_may_fail(table):
    found = made(table)
    for member in found._fits:
        member.converged[:] = member.model.name != "flat"
    assert found.failed == [found.curves.name[1]]
    assert np.isclose(found.p_model[0, 0], 0, atol=1e-3)
