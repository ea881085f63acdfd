"""`upturn compare`: exactly one question, its answer in every form, files that are whole."""

import csv
import io
import json

import pytest
from click.testing import CliRunner

from upturn import cli
from upturn.commandline import options
from upturn.questions.compare.differences import CLUSTERS

FAST = ["--draws", "100", "--threads", "1", "--no-refit"]
STEP = ["--model", "step"]  # in little time
AXES = ["--axes", "flops,params"]


@pytest.fixture(autouse=True)
def with_a_table(folder, make_table):
    make_table(points=8).to_csv("table.csv", index=False)


def run(*arguments):
    return CliRunner().invoke(cli.main, ["compare", "table.csv", *arguments], prog_name="upturn")


def test_axes_say_first_how_far_they_can_be_told_apart():
    found = run(*AXES, *STEP, *FAST)
    assert found.exit_code == 0, found.output
    order = [
        "How far the axes can be told apart",
        "rank correlation",
        "On 1 curve",
        "training FLOPs",
    ]
    places = [found.stdout.index(text) for text in order]
    assert places == sorted(places)
    assert "clustered by model (8)" in found.stderr


def test_axes_as_json():
    found = json.loads(run(*AXES, *STEP, *FAST, "--format", "json").stdout)
    assert {"curves", "verdict", "totals", "order", "meta"} <= set(found)
    assert [row["axis"] for row in found["totals"]] == ["flops", "params"]
    assert [row["axis"] for row in found["curves"]] == ["flops", "params"]
    assert found["meta"]["arguments"]["axes"] == ["flops", "params"]
    assert found["meta"]["arguments"]["table"] == "table.csv"
    assert found["meta"]["arguments"]["model"] == ["step"]


def test_axes_as_csv_and_markdown_and_files(folder):
    found = run(*AXES, *STEP, *FAST, "--format", "csv", "-o", "a.md", "-o", "a.json")
    rows = list(csv.DictReader(io.StringIO(found.stdout)))
    assert [row["axis"] for row in rows] == ["flops", "params"]
    assert "**How far the axes can be told apart**" in (folder / "a.md").read_text()
    assert json.loads((folder / "a.json").read_text())["verdict"].startswith("On 1 curve")
    assert sorted(p.name for p in folder.iterdir()) == ["a.json", "a.md", "table.csv"]


def test_models():
    found = run("--shapes", "step,flat", "--axis", "params", *FAST)
    assert found.exit_code == 0, found.output
    assert "step and flat are a tie, " in found.stdout
    assert "the evidence of step is " in " ".join(found.stdout.split())
    assert "priors of step: changepoint Uniform(0, 1)" in found.stderr
    told = json.loads(
        run("--shapes", "step,flat", "--axis", "params", *FAST, "--format", "json").stdout
    )
    assert told["priors"]["flat"]["level"] == "Uniform(0, 1)"
    assert [row["model"] for row in told["totals"]] == ["step", "flat"]


def test_metrics(folder, make_table):
    frame = make_table(points=8)
    both = [frame.assign(metric="acc"), frame.assign(metric="brier", score=1 - frame["score"])]
    import pandas as pd

    pd.concat(both).to_csv("table.csv", index=False)
    found = run("--metrics", "acc,brier", "--axis", "params", "--model", "flat,step", *FAST)
    assert found.exit_code == 0, found.output
    assert "brier after acc" in found.stdout
    found = run(
        "--metrics",
        "acc,brier",
        "--axis",
        "params",
        "--model",
        "flat,step",
        *FAST,
        "--format",
        "json",
    )
    assert {"p_emergent", "p_emergent_2", "shift"} <= set(json.loads(found.stdout)["curves"][0])


def test_quiet_with_a_file_prints_nothing(folder):
    found = run(*AXES, *STEP, *FAST, "-q", "-o", "a.csv")
    assert (found.exit_code, found.stdout, found.stderr) == (0, "", "")
    assert (folder / "a.csv").is_file()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "expected exactly one of --axes, --shapes and --metrics, but got none of them"),
        ([*AXES, "--shapes", "hinge,flat"], "but got --axes and --shapes"),
        ([*AXES, "--axis", "flops"], "expected --axes without --axis"),
        (["--shapes", "hinge,flat", "--model", "hinge"], "expected --shapes without --model"),
        (["--metrics", "a,b", "--metric", "a"], "expected --metrics without --metric"),
        (["--axes", "flops"], "axes: expected two or more"),
        (["--axes", "flops,depth"], "depth"),
        (["--shapes", "hinge,hinje"], "hinje"),
        ([*AXES, "-o", "a.nc"], ".nc"),
    ],
)
def test_refused_in_one_line(folder, given, message):
    found = run(*given)
    assert (found.exit_code, found.stdout) == (2, "")
    assert message in found.stderr.splitlines()[-1]
    assert [p.name for p in folder.iterdir()] == ["table.csv"]


def test_choices_are_those_of_the_library():
    assert options.CLUSTERS == CLUSTERS


def test_names_cannot_give_orders(make_table):
    frame = make_table(points=8).assign(task="=[red]<b>|\x1b[31m")
    frame.to_csv("table.csv", index=False)
    found = run(*AXES, *STEP, *FAST)
    assert "\x1b" not in found.output
    assert "=[red]<b>|\\x1b[31m" in found.stdout
    assert "&lt;b>" in run(*AXES, *STEP, *FAST, "--format", "markdown").stdout
    assert "'=[red]" in run(*AXES, *STEP, *FAST, "--format", "csv").stdout
