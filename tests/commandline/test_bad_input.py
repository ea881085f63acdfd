"""Bad input ends with one line and exit code 2, and writes nothing."""

import os

import pytest

from tests.support.answers import RISE, WRITTEN
from tests.support.commands import HEADER, refused

ROW = "addition,m,0.5,100,1e21,1e9\n"


BAD_TABLES = {
    "empty": ("", "t.csv: expected "),
    "header only": (HEADER, "t.csv: expected "),
    "not UTF-8": (HEADER.encode() + b"\xe9,m,0.5,100,1e21,1e9\n", "t.csv, row 2: expected UTF-8"),
    "missing column": (HEADER.replace("score", "scor") + ROW, "expected column 'score', but got"),
    "text in a number column": (HEADER + ROW.replace("0.5", "half"), "row 2, column score: exp"),
    "inf": (HEADER + ROW.replace("1e21", "inf"), "row 2, column flops: expected a finite number"),
    "percentage": (
        HEADER + ROW.replace("0.5", "37.2"),
        "but got 37.2; where it is in per cent --percent score",
    ),
    "negative score": (HEADER + ROW.replace("0.5", "-0.1"), "column score: expected a proportion"),
    "k > n": ("task,model,successes,trials,flops\na,m,11,10,1e21\n", "expected at most 10 succ"),
    "no trials": (HEADER + ROW.replace("100", "0"), "column trials: expected at least 1 trial"),
    "FLOPs 0": (HEADER + ROW.replace("1e21", "0"), "column flops: expected a number above 0"),
    "FLOPs below 0": (HEADER + ROW.replace("1e21", "-1"), "column flops: expected a number above"),
    "perplexity": (
        "task,model,score,perplexity\na,m,0.5,0.9\n",
        "expected a perplexity of at leas",
    ),
    "chance": (
        "task,model,score,flops,chance,ceiling\na,m,0.5,1e21,0.5,0.4\n",
        "chance level below",
    ),
    "duplicates": (HEADER + ROW + ROW, "t.csv, row 3: expected each measurement once"),
}


@pytest.mark.parametrize(("content", "message"), BAD_TABLES.values(), ids=BAD_TABLES)
def test_a_bad_table(content, message, folder):
    (folder / "t.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    assert message in refused("fit", "t.csv", "-o", "fit.nc")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--axis", "flips"], "expected a known axis, but got 'flips'; did you mean 'flops'?"),
        (["--axis", "flops,flops"], "name each once"),
        (["--axis", "year:log"], "expected a known transform"),
        (["--model", "hinje"], "expected a known model, but got 'hinje'; did you mean 'hinge'?"),
        (["--model", "no.toml"], "no.toml: expected a readable model file"),
        (["--metric", "acc"], "expected a known metric, but got 'acc'"),
        (["--where", "task=subtraction"], "expected a known task, but got 'subtraction'"),
        (["--where", "setting=x"], "where: expected a known column, but got 'setting'"),
        (["--where", "task"], "where: expected COLUMN=VALUE, but got 'task'"),
        (["--by", "family"], "by: expected a known label, but got 'family'"),
        (["--scatter", "family"], "scatter: expected a known label, but got 'family'"),
        (["--lower-is-better", "acc"], "expected a known metric, but got 'acc'"),
        (["--continuous", "acc"], "expected a known metric, but got 'acc'"),
        (
            ["--prior", "hight=Uniform(0, 1)"],
            "--prior: expected a known parameter, but got 'hight'",
        ),
        (["--prior", "height=Unifrm(0, 1)"], "Unifrm"),
        (["--prior", "height"], "expected NAME=TEXT, but got 'height'; for example changepoint="),
        (
            ["--likelihood", "poisson"],
            "'poisson' is not one of 'auto', 'robust', 'ar', 'beta-binomial'",
        ),
        (
            ["--continuous", "score", "--likelihood", "binomial"],
            "likelihood 'binomial': expected successes and trials, but got a continuous metric",
        ),
        (["--sampler", "gibbs"], "'gibbs' is not one of 'population', 'nuts'"),
        (["--backend", "torch"], "'torch' is not one of 'numpy', 'jax'"),
        (["--draws", "0"], "0 is not in the range x>=40"),
        (["--threads", "0"], "0 is not in the range x>=1"),
        (["--ci", "90"], "90.0 is not in the range 0<x<1"),
        (["--format", "xml"], "'xml' is not one of 'table', 'json', 'csv', 'markdown'"),
        (["-o", "no/fit.nc"], "'no/fit.nc': expected a folder 'no' to write to, but there is none"),
        (["-o", "fit.txt"], "expected a name that ends in .nc, .zarr, .json, .csv or .md"),
        (["--nonsense"], "No such option"),
    ],
)
def test_bad_arguments(arguments, message, folder):
    (folder / "t.csv").write_text(RISE)
    assert message in refused("fit", "t.csv", *arguments)


def test_a_missing_jax_is_named_with_the_line_that_brings_it(folder, monkeypatch):
    (folder / "t.csv").write_text(RISE)
    monkeypatch.setattr("upturn.sampling.jax.choose.find_spec", lambda name: None)
    line = refused("fit", "t.csv", "--backend", "jax")
    assert "pip install 'upturn[jax]'" in line


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write all")
def test_a_folder_that_may_not_be_written_to(folder):
    (folder / "closed").mkdir(mode=0o500)
    assert "expected a folder that can be written to" in refused(
        "fit", "gpt3", "-o", "closed/fit.nc"
    )


def test_a_message_is_one_line_whatever_the_name(folder):
    (folder / "a\n\x1b[31m.csv").write_text(HEADER)
    assert refused("fit", "a\n\x1b[31m.csv").startswith(r"Error: a\n\x1b[31m.csv: expected ")


@pytest.mark.parametrize(
    "arguments", [["x\x1b"], ["--x\x1b"], ["fit", "a", "b\x1b"], ["fit", "--\x1b"]]
)
def test_what_was_typed_is_shown_without_control_characters(arguments):
    line = refused(*arguments)
    assert "\\x1b" in line
    assert line.isprintable()


@pytest.mark.parametrize(
    "arguments",
    [
        ["fit", "t.csv", "-o", "./t.csv"],
        ["fit", "gpt3", "--facts", "t.csv", "-o", "other.csv"],
        ["convert", "inspect", WRITTEN / "inspect", "--facts", "t.csv", "-o", "t.csv"],
    ],
)
def test_what_is_read_is_not_written_over(arguments, folder):
    (folder / "t.csv").write_text(RISE)
    (folder / "other.csv").hardlink_to(folder / "t.csv")
    line = refused(*arguments)
    assert "expected another file to write to, but got the one that is read" in line
    assert (folder / "t.csv").read_text() == RISE
