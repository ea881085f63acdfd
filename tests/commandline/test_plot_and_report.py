"""The commands that draw a fit or write a report."""

import inspect
import os
import re
import shlex
from pathlib import Path

import pytest

import upturn
from tests.support.answers import RISE
from tests.support.commands import refused, run
from upturn import cli
from upturn.commandline import plot_options, report_options
from upturn.show.report.command import command_of


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A fit of one task on two axes, saved."""
    place = tmp_path_factory.mktemp("saved")
    (place / "rise.csv").write_text(RISE, encoding="utf-8")
    done = upturn.fit(place / "rise.csv", axis=("flops", "params"), draws=200, threads=1)
    done.save(place / "rise.nc")
    return place / "rise.nc"


@pytest.mark.parametrize("ending", ["svg", "png", "pdf"])
def test_a_figure_is_written(saved, folder, ending):
    result = run("plot", saved, "-o", f"a.{ending}")
    assert (result.exit_code, result.output) == (0, "")
    assert os.listdir() == [f"a.{ending}"]
    if ending == "svg":
        text = Path("a.svg").read_text("utf-8")
        assert text.count("training FLOPs") == 1
        assert "addition" in text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-o", "a.gif"], "Error: 'a.gif': expected a name that ends in .svg, .png or .pdf"),
        (["-o", "a.png", "--curve", "add"], "Error: curve: expected a known curve, but got 'add'"),
        (["-o", "a.png", "--axis", "tokens"], "Error: axis: expected a known axis"),
        (["-o", "a.png", "--where", "metric=f1"], "Error: where: expected a known label"),
        (["-o", "a.png", "--by", "task"], "Error: by: expected it with a forest"),
        (["-o", "no/a.png"], "Error: 'no/a.png': expected a folder 'no' to write to"),
    ],
)
def test_a_figure_that_cannot_be(saved, folder, options, message):
    assert refused("plot", saved, *options).startswith(message)


def test_kinds_of_figures_are_those_of_the_library():
    from upturn.show.plots.choose import KINDS
    from upturn.show.report.report import SHAPES

    assert (plot_options.FIGURES, report_options.SHAPES) == (KINDS, SHAPES)


def test_the_command_of_a_report_is_read_back_whole():
    """Every argument of a fit that changes its answer is an option with the same default."""
    asked = {
        "table": "t.csv", "where": ["task=a", "task=b"], "metric": ["acc"], "axis": ["params"],
        "priors": {"rate": "LogNormal(0, 1)"}, "model": "step", "by": "setting", "draws": 400,
        "sampler": "nuts", "nuts": "pymc", "backend": "jax", "likelihood": "robust",
        "scatter": "none", "delta": 0.2,
    }  # fmt: skip
    chosen, usual = {"ci": 0.5, "shapes": "all"}, {"ci": 0.9, "shapes": "lean"}
    meta = {"arguments": asked, "seed": 3}
    line = command_of(meta, output="r.html", chosen=chosen, usual=usual)
    command = cli.main.commands["report"]
    _, _, *words = shlex.split(line)
    parsed = command.make_context("report", words).params
    asked |= {"seed": 3, "metric": ("acc",), "where": ("task=a", "task=b"), **chosen}
    assert {name: parsed[name] for name in asked} == asked
    bare = command.make_context("report", ["t.csv", "-o", "r.html"]).params
    assert not [name for name, value in asked.items() if bare[name] == value and name != "table"]
    fitted = inspect.signature(upturn.fit).parameters
    for name in set(asked) & set(fitted) - {"axis", "priors"}:
        assert bare[name] == fitted[name].default, name


@pytest.mark.slow
def test_a_report_of_a_table_and_of_its_fit_say_the_same(saved, folder):
    Path("rise.csv").write_text(RISE, encoding="utf-8")
    options = ["--draws", "200", "--axis", "flops,params"]
    first = run("report", "rise.csv", *options, "-o", "one.html", "--threads", "1")
    second = run("report", saved, "-o", "two.html", "--threads", "1")
    assert (first.exit_code, second.exit_code) == (0, 0)
    *verdict, last = first.stdout.splitlines()
    assert verdict == second.stdout.splitlines()[:-1]
    assert verdict[0].startswith("The task emerges over training FLOPs")
    assert last == "report: one.html"
    one, two = (Path(name).read_text("utf-8") for name in ("one.html", "two.html"))
    assert one == two.replace("-o two.html", "-o one.html")


def test_the_command_in_a_report_makes_it_again(saved, folder):
    Path("rise.csv").write_text(RISE, encoding="utf-8")
    run("report", saved, "-o", "report.html", "--shapes", "none")
    first = Path("report.html").read_text("utf-8")
    command = re.search(r"<pre><code>(upturn report .*?)</code>", first)[1]
    Path("report.html").unlink()
    result = run(*shlex.split(command)[1:])
    assert result.exit_code == 0, result.output
    assert Path("report.html").read_text("utf-8") == first


def test_a_saved_fit_is_not_fitted_otherwise(saved, folder):
    line = refused("report", saved, "--axis", "params", "-o", "a.html")
    assert line.startswith("Error: --axis: expected it with a table, but got it with a saved fit")
    assert refused("report", saved, "--seed", "1", "-o", "a.html").startswith("Error: --seed:")
    assert refused("report", saved, "-o", "a.txt").startswith("Error: 'a.txt': expected a name")
