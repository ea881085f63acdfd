"""The command that a report prints makes the same report."""

import html
import inspect
import re
import shlex

import pandas as pd
import pytest

import upturn
from tests.support.commands import run
from upturn.show.report.command import command_of
from upturn.tables import results

ARTICLES = "--lower-is-better cost --continuous elo --percent acc --repeats mean --ignore junk"
LONG = (
    f"{ARTICLES} --column task=test+part --column model=name --unit size=B --facts facts.csv "
    "--where kind=a --metric acc --metric elo --metric cost --axis size:log10,year --by family "
    "--scatter none --model hinge --prior changepoint='Uniform(0, 1)' --likelihood robust "
    "--delta 0.2 --seed 3 --ci 0.8 --shapes none --draws 40"
)
WIDE = "--wide --percent all --facts none --axis params --shapes none --draws 40"


def _long(path):
    rows = []
    for i in range(6):
        for metric, score in (("acc", 10.0 + 12 * i), ("elo", 900.0 + 40 * i), ("cost", 9.0 - i)):
            name = {"test": "add", "part": "two", "name": f"m{i}", "kind": "a", "metric": metric}
            numbers = {"score": score, "size": 2**i, "year": 2018 + i, "junk": "?"}
            rows += [name | numbers, name | numbers | {"score": score * 1.01}]
    rows += [rows[0] | {"kind": "b"}]
    pd.DataFrame(rows).to_csv(path, index=False)


def _wide(path):
    rows = [
        {"model": f"m{i}", "params": 1e8 * 4**i, "add": 5 + 15 * i, "sub": 4 + 12 * i}
        for i in range(6)
    ]
    pd.DataFrame(rows).to_csv(path, index=False)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _long("long.csv")
    _wide("wide.csv")
    facts = [{"model": f"m{i}", "family": "ours"} for i in range(6)]
    pd.DataFrame(facts).to_csv("facts.csv", index=False)
    return tmp_path


@pytest.mark.parametrize("command", [f"long.csv {LONG}", f"wide.csv {WIDE}"])
def test_the_printed_command_makes_the_same_file(folder, command):
    first = run("report", *shlex.split(command), "--quiet", "-o", "first.html")
    page = (folder / "first.html").read_text("utf-8")
    printed = html.unescape(re.search(r"<code>(upturn report .*?)</code>", page)[1])
    again = run(*shlex.split(printed)[1:], "--quiet")
    assert (first.exit_code, again.exit_code) == (0, 0), again.output
    assert (folder / "report.html").read_text("utf-8") == page


def test_every_option_that_reads_a_table_is_printed(folder):
    run("report", *shlex.split(f"long.csv {LONG}"), "--quiet", "-o", "long.html")
    printed = html.unescape((folder / "long.html").read_text("utf-8"))
    for option in (*shlex.split(ARTICLES)[::2], "--column", "--unit", "--facts", "--where", "--by"):
        assert f" {option} " in printed


def test_a_model_file_and_an_axis_with_a_transform_are_printed_as_typed(folder):
    text = upturn.Model.read("hinge").to_toml()
    (folder / "mine.toml").write_text(text.replace('name = "hinge"', 'name = "mine"'))
    given = "long.csv --unit size=B --repeats mean --metric elo --where kind=a"
    how = "--column task=test --column model=name"
    options = f"{given} {how} --axis size:linear --model mine.toml --shapes none --draws 40"
    run("report", *shlex.split(options), "--quiet", "-o", "a.html")
    printed = (folder / "a.html").read_text("utf-8")
    assert "--axis params:linear" in printed
    assert "--model mine.toml" in printed


def test_a_command_quotes_what_a_shell_would_act_on():
    asked = {"table": "$(rm).csv", "where": ["task=a b"], "axis": [], "priors": {"rate": "X(1, 2)"}}
    meta = {"arguments": asked, "seed": 1}
    command = command_of(
        meta, chosen={"shapes": "all"}, usual={"ci": 0.9, "shapes": "lean"}, output="r.html"
    )
    assert command == (
        "upturn report '$(rm).csv' --where 'task=a b' --prior 'rate=X(1, 2)' --seed 1 "
        "--shapes all -o r.html"
    )


def test_every_argument_of_read_is_kept(folder, monkeypatch):
    kept = {}
    monkeypatch.setattr(results, "arguments_of", lambda _, **given: kept.update(given) or {})
    upturn.read("wide.csv", wide=True, percent="all")
    parameters = set(inspect.signature(upturn.read).parameters)
    assert set(kept) == parameters - {"source", "where", "name"}  # which are kept elsewhere
