"""upturn calibrate: a verdict in every form, a figure, exit code 1 where a check fails."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from upturn.cli import main

FEW = ["--model", "flat", "--simulations", "40", "--draws", "100"]


pytestmark = pytest.mark.usefixtures("folder")


def run(*arguments, code=0):
    result = CliRunner().invoke(main, ["calibrate", *map(str, arguments)])
    assert result.exit_code == code, result.output
    return result


def test_the_verdict_is_printed_and_written_in_every_form():
    files = ["a.json", "a.csv", "a.md", "a.svg"]
    outputs = ["-o", files[0], "-o", files[1], "-o", files[2], "--plot", files[3]]
    text = run(*FEW, *outputs).stdout
    assert "Calibrated: on 40 simulated curves of this design, none of 4 checks" in text
    assert "flat: level" in text
    document = json.loads(Path("a.json").read_text())
    assert document["passed"] is True
    assert "curves" not in document
    assert [row["check"] for row in document["checks"]][:2] == ["flat: level",
                                                                "flat: overdispersion"]  # fmt: skip
    assert document["meta"]["arguments"]["simulations"] == 40
    assert Path("a.csv").read_text().startswith("check,curves,p_value,calibrated,shift,covered_50")
    assert "| flat: level |" in Path("a.md").read_text()
    assert "<svg" in Path("a.svg").read_text()


def test_a_table_lends_its_design():
    result = run("gpt3", *FEW, "--axis", "params", "--format", "json")
    assert json.loads(result.stdout)["meta"]["arguments"]["table"] == "gpt3"
    assert "expected it without a table" in run("gpt3", *FEW, "--trials", 5, code=2).stderr


def test_a_failed_check_is_an_exit_code(monkeypatch):
    """With a bound on p so high that some check is below it."""
    monkeypatch.setattr("upturn.questions.calibrate.result.FAMILY_ERROR", 3.9)
    result = run(*FEW, code=1)
    assert "Not calibrated: on 40 simulated curves of this design" in result.stdout
    assert "of 4: " in result.stderr
    assert "Failed, " in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--simulations", "5"], "5 is not in the range x>=20"),
        (["--plot", "a.gif"], "a.gif"),
        (["--model", "hing"], "did you mean 'hinge'"),
        (["missing.csv"], "missing.csv"),
    ],
)
def test_what_is_wrong_is_said_in_a_line_and_nothing_is_written(arguments, said):
    assert said in run(*FEW, *arguments, code=2).stderr
    assert not list(Path().iterdir())
