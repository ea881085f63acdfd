"""upturn simulate: a table that reads back, its truth beside it, one line for what is wrong."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import upturn
from upturn.cli import main
from upturn.commandline import simulate_options
from upturn.questions.simulate.design import SPACINGS

pytestmark = pytest.mark.usefixtures("folder")


def run(*arguments, code=0):
    result = CliRunner().invoke(main, ["simulate", *map(str, arguments)])
    assert result.exit_code == code, result.output
    return result


def test_a_table_and_its_truth_are_written_and_read_back():
    design = ["--tasks", 4, "--models-per-task", "6:9", "--trials", "50:90", "--families", 2]
    run(*design, "--seed", 3, "-o", "table.csv", "--truth", "truth.csv")
    back = upturn.read("table.csv").curves()
    same = upturn.simulate(
        design=upturn.Design(models_per_task=(6, 9), trials=(50, 90), families=2), tasks=4, seed=3
    )
    np.testing.assert_array_equal(back.response, same.curves.response)
    np.testing.assert_array_equal(back.group, same.curves.group)
    lines = Path("truth.csv").read_text().splitlines()
    assert lines[0].startswith("task,drawn_from,changepoint,height,rate,floor,overdispersion,scat")
    assert len(lines) == 5


def test_without_a_file_the_table_is_printed():
    text = run("--tasks", 2, "--chance", "unknown", "--fix", "height=0", "--model", "hinge").stdout
    assert text.splitlines()[0] == "task,model,flops,successes,trials,ceiling"
    assert len(text.splitlines()) == 25


def test_a_table_lends_its_design():
    run("--design", "gpt3", "--axis", "params", "--tasks", 3, "-o", "like.csv")
    real = upturn.read("gpt3").curves("params").take(slice(0, 3))
    made = upturn.read("like.csv").curves("params")
    np.testing.assert_array_equal(made.trials, real.trials)


def test_the_choices_are_those_of_the_library():
    assert simulate_options.SPACINGS == SPACINGS


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--trials", "many"], "expected a whole number, or two as 8:40, but got 'many'"),
        (["--tasks", "0"], "0 is not in the range x>=1"),
        (["--models-per-task", "1"], "models_per_task: expected 2 to"),
        (["--limits", "1e19"], "expected two numbers as 1e19:1e25"),
        (["--limits", "a:b"], "expected a number, but got 'a'"),
        (["--chance", "half"], "expected a number, but got 'half'"),
        (["--fix", "height"], "expected NAME=NUMBER, but got 'height'"),
        (["--fix", "hight=1"], "did you mean 'height'"),
        (["--design", "gpt3", "--trials", "5"], "--trials: expected it without a table"),
        (["-o", "table.nc"], "table.nc"),
        (["-o", "a.csv", "--truth", "a.csv"], "expected two files"),
    ],
)
def test_what_is_wrong_is_said_in_a_line_and_nothing_is_written(arguments, said):
    result = run("--tasks", 2, *arguments, code=2)
    assert said in result.stderr
    assert not list(Path().iterdir())


def test_the_table_that_is_read_is_not_written_over():
    run("--tasks", 2, "-o", "a.csv")
    before = Path("a.csv").read_bytes()
    assert "expected another file" in run("--design", "a.csv", "-o", "a.csv", code=2).stderr
    assert Path("a.csv").read_bytes() == before
