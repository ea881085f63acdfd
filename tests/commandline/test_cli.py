"""The command line: exact output, exit codes, one line for each bad input."""

import csv
import inspect
import io
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

import upturn
from tests.support.commands import HEADER, refused, run
from tests.support.pools import pool_of
from upturn import cli
from upturn.checks.names import SCATTERS
from upturn.commandline import options, plot_options, report_options
from upturn.commandline.edge import SECTIONS
from upturn.commandline.source import split_axes
from upturn.formulas.likelihoods.registry import BY_KIND, LIKELIHOODS
from upturn.model import Model
from upturn.sampling.nuts.sample import SAMPLERS as NUTS
from upturn.show.report.command import command_of
from upturn.tables import datasets

WRITTEN = Path(__file__).parents[1] / "tables" / "readers" / "evaluations"
pytestmark = pytest.mark.usefixtures("folder")

COMMANDS = sorted(cli.main.commands)
FAST = ["--draws", "200", "--threads", "1"]
RISE = HEADER + "".join(
    f"addition,m{i},{score},200,{10.0 ** (20 + i / 2):.4g},{10.0 ** (8 + i / 4):.4g}\n"
    for i, score in enumerate([0.0, 0.01, 0.0, 0.005, 0.01, 0.3, 0.6, 0.8, 0.85])
)


def process(*arguments, **options):
    code = "from upturn.cli import main; main(prog_name='upturn')"
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


# ---- help ----------------------------------------------------------------------------------------


def examples(*name):
    lines = run(*name, "--help").stdout.partition("Example:\n")[2].splitlines()
    return [line.strip() for line in lines]


@pytest.mark.parametrize("name", COMMANDS)
def test_help_ends_with_an_example(name):
    assert examples(name)[-1].startswith(f"upturn {name}")


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_the_example_runs(name, folder, monkeypatch):
    if name == "pool":  # takes minutes; tests/test_pool.py samples
        monkeypatch.setattr(upturn, "pool", lambda *_, **__: pool_of())
    shutil.copytree(WRITTEN / "lm_eval", folder / "results")  # what a user has beside the example
    (folder / "models.csv").write_text("model,params\ntoy/size-2b,2e9\n")
    for line in examples(name):
        command, _, target = line.partition(" > ")
        result = run(*shlex.split(command)[1:])
        assert result.exit_code == 0, result.output
        assert bool(result.stdout) != line.startswith(
            ("upturn datasets", "upturn plot", "upturn convert", "upturn simulate", "upturn facts")
        )
        if target:
            Path(target).write_text(result.stdout, encoding="utf-8")
            assert Model.read(target).name == "hinge"


@pytest.mark.slow
def test_the_example_of_the_group_runs():
    (line,) = examples()
    assert run(*shlex.split(line)[1:]).exit_code == 0


def test_version():
    assert run("--version").stdout == f"upturn, version {upturn.__version__}\n"


def test_short_help_is_whole():
    text = run("--help").stdout
    sections = [text.partition(f"{name}:\n")[2].partition("\n\n")[0] for name in SECTIONS]
    lines = [line for section in sections for line in section.splitlines()]
    assert sorted(line.split()[0] for line in lines) == COMMANDS
    assert all(line.endswith((".", "?")) and not line.endswith("...") for line in lines)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_described(name):
    for option in cli.main.commands[name].params:
        if isinstance(option, click.Option):
            assert option.help or option.show_default, option.name


def test_choices_are_those_of_the_library():
    assert list(options.LIKELIHOODS) == [*BY_KIND, *LIKELIHOODS]
    assert options.SCATTERS == SCATTERS
    assert options.NUTS == NUTS


# ---- models and data sets ------------------------------------------------------------------------


def test_models_are_listed():
    lines = run("models").stdout.splitlines()
    assert lines[0].split() == ["model", "shape", "parameters", "what", "it", "is"]
    listed = [line.split()[0] for line in lines[1:] if not line.startswith(" ")]
    assert listed == Model.names()
    assert lines[1] == (
        "chance           flat         floor                              chance everywhere"
    )


@pytest.mark.parametrize("name", Model.names())
def test_a_model_is_printed_as_a_file(name, folder):
    text = run("models", name).stdout
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    assert Model.read(path) == Model.read(path)
    assert Model.read(path).all_priors() == Model.read(name).all_priors()
    assert run("models", "mine.toml").stdout == text


def test_an_unknown_model():
    line = refused("models", "hinje")
    assert line.startswith(
        "Error: model: expected a known model, but got 'hinje'; did you mean 'hinge'? there are: "
    )


def test_data_sets_are_listed():
    text = run("datasets").stdout
    lines = text.splitlines()
    assert lines[0].split() == [
        "data",
        "set",
        "rows",
        "tasks",
        "models",
        "axes",
        "source",
        "and",
        "licence",
    ]
    assert [line.split()[0] for line in lines[1:] if not line.startswith(" ")] == datasets.names()
    assert "gpt3            1,024     42       8  flops, params, perplexity" in text


@pytest.mark.parametrize("name", datasets.names())
def test_a_data_set_is_printed_or_written(name, folder):
    content = datasets.path(name).read_bytes()
    assert run("datasets", name).stdout_bytes == content
    result = run("datasets", name, "-o", "x.csv")
    assert (result.exit_code, result.output) == (0, "")
    assert (folder / "x.csv").read_bytes() == content


def test_bad_requests_for_a_data_set():
    assert refused("datasets", "gpt4").endswith(
        "expected a known data set, but got 'gpt4'; did you mean 'gpt3'? "
        f"there are: {', '.join(map(repr, datasets.names()))}"
    )
    assert refused("datasets", "-o", "x.csv") == "Error: -o needs the NAME of a data set"
    assert "'x.nc': expected a name that ends in .csv or .txt, but got '.nc'; rename it" in refused(
        "datasets", "gpt3", "-o", "x.nc"
    )


# ---- TABLE ---------------------------------------------------------------------------------------


def test_a_name_that_is_neither_file_nor_data_set():
    assert refused("fit", "gtp3") == (
        "Error: gtp3: expected a file, - or a bundled data set, but there is no file of that name; "
        f"is the data set gpt3 meant? data sets: {', '.join(map(repr, datasets.names()))}"
    )
    assert refused("fit", "x.csv") == (
        "Error: x.csv: expected a file, but there is none of that name; check the path"
    )


def test_a_file_wins_over_a_data_set(folder):
    (folder / "gpt3").mkdir()
    assert "gpt3: expected results of 'lighteval'" in refused("fit", "gpt3")


def test_a_table_of_answers():
    assert refused("fit", "wei2022-table1") == (
        "Error: wei2022-table1: expected a table with scores, but got one with answers, of which "
        "there is nothing to fit; see it by: upturn datasets wei2022-table1"
    )


@pytest.mark.parametrize(
    ("given", "axes"),
    [
        ([], []),
        (["flops"], ["flops"]),
        (["flops, params", "loss"], ["flops", "params", "loss"]),
        (["mix:params,tokens"], ["mix:params,tokens"]),
        (["flops,mix:params,tokens"], ["flops", "mix:params,tokens"]),
        (["year:linear,flops"], ["year:linear", "flops"]),
    ],
)
def test_axes_are_repeated_or_listed(given, axes):
    assert split_axes(given) == axes


def test_what_was_fitted_is_said_and_kept(folder):
    (folder / "t.csv").write_text(RISE + RISE.replace("addition", "other").partition("\n")[2])
    chosen = ["--where", "task=addition", "--metric", "score"]
    run("fit", folder / "t.csv", *FAST, *chosen, "-o", "fit.nc")
    answer = json.loads(run("summary", "fit.nc", "--format", "json").stdout)
    arguments = answer["meta"]["arguments"]
    assert {name: arguments[name] for name in ("table", "where", "metric")} == {
        "table": "t.csv",
        "where": ["task=addition"],
        "metric": ["score"],
    }
    heading = run("summary", "fit.nc").stdout.splitlines()[0]
    assert heading.startswith("t.csv, task=addition, metric=score · 1 curve, 9 points · ")


# ---- bad input -----------------------------------------------------------------------------------

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


# ---- answers -------------------------------------------------------------------------------------

NUMBER = r"[\d.]+e\d\d"
COLUMNS = [
    "points", "verdict", "p_change", "scale", "scale_low", "scale_high", "censored", "gain",
    "changepoint", "changepoint_low", "changepoint_high", "changepoint_censored", "ess", "khat",
    "rhat", "log_evidence", "flags",
]  # fmt: skip


@pytest.fixture
def rise(folder):
    """A table of one curve that turns up near 2e22 FLOPs."""
    (folder / "rise.csv").write_text(RISE)
    return "rise.csv"


def test_the_table(rise):
    result = run("fit", rise, *FAST)
    assert result.exit_code == 0
    heading, empty, title, header, row = result.stdout.splitlines()
    assert heading == "rise.csv · 1 curve, 9 points · model hinge · beta-binomial"
    assert (empty, title) == ("", "training FLOPs, 1.0e20 to 1.0e24")
    assert re.fullmatch(
        r"task +score +verdict +p\(change\) +scale +90 % interval +gain +flags", header
    )
    assert re.fullmatch(
        rf"addition  ▁▁▁▁·▁▃▅▇▇  emerges +> 0\.99  {NUMBER}  {NUMBER} – {NUMBER}  \+0\.\d\d  "
        r"chance unknown",
        row,
    )
    assert result.stderr.startswith("\nscore      mean score")


def test_json(rise):
    result = run("fit", rise, *FAST, "--format", "json", "--seed", 7)
    assert (result.exit_code, result.stderr) == (0, "")
    answer = json.loads(result.stdout)
    assert list(answer) == ["curves", "totals", "meta", "notes"]
    (record,) = answer["curves"]
    labels = ["curve", "task", "axis"]
    texts = ["scale_text", "interval_text", "changepoint_text"]
    assert list(record) == [*labels, *COLUMNS, *texts]
    assert record["task"] == "addition"
    assert record["scale_low"] < record["scale"] < record["scale_high"]
    assert answer["meta"]["seed"] == 7
    arguments = answer["meta"]["arguments"]
    assert (arguments["table"], arguments["where"], arguments["metric"]) == (rise, [], [])
    assert answer["meta"]["version"] == upturn.__version__
    assert answer["totals"]["curves"] == 1


def test_json_says_null_and_the_words_for_a_scale_beyond_the_axis(folder):
    (folder / "flat.csv").write_text(re.sub(r",0\.\d+,200", ",0.0,200", RISE))
    (record,) = json.loads(run("fit", "flat.csv", *FAST, "--format", "json").stdout)["curves"]
    assert record["censored"] is True
    assert (record["scale"], record["scale_text"]) == (None, "> 1.0e24")


def test_csv_and_markdown(rise):
    rows = list(csv.DictReader(io.StringIO(run("fit", rise, *FAST, "--format", "csv").stdout)))
    assert [row["curve"] for row in rows] == ["addition"]
    text = run("fit", rise, *FAST, "--format", "markdown").stdout
    assert "| task | score | verdict | p(change) | scale | 90 % interval | gain | flags |\n" in text


def test_outputs_hold_what_is_printed(rise, folder):
    forms = {"json": "a.json", "csv": "a.csv", "markdown": "a.md"}
    outputs = [part for name in forms.values() for part in ("-o", name)]
    assert run("fit", rise, *FAST, *outputs).stdout.startswith("rise.csv · 1 curve")
    for form, name in forms.items():
        text = (folder / name).read_text(encoding="utf-8")
        again = run("fit", rise, *FAST, "--format", form).stdout
        assert text.replace('"output"', "") == again.replace('"output"', "")


@pytest.mark.parametrize("name", ["fit.nc", "fit.zarr"])
def test_a_saved_fit_is_shown_again(name, rise, folder):
    first = run("fit", rise, *FAST, "-o", name)
    assert first.exit_code == 0
    assert run("summary", name).stdout == first.stdout
    assert run("summary", name, "--ci", 0.5).stdout != first.stdout
    form = ["--format", "json"]
    assert run("summary", name, *form).stdout == run("fit", rise, *FAST, *form).stdout


def test_endings_in_capitals(rise, folder):
    assert run("fit", rise, *FAST, "-q", "-o", "A.NC", "-o", "A.CSV").output == ""
    assert run("summary", "A.NC").stdout.startswith("rise.csv · 1 curve")
    assert (folder / "A.CSV").read_text().startswith("curve,task,")


def test_names_that_no_file_can_have():
    name = "x" * 300
    assert "but got one that is too long; choose another" in refused(
        "fit", "gpt3", "-o", f"{name}.nc"
    )
    assert "but there is no such file; make one with" in refused("summary", f"{name}.nc")
    assert "but got: File name too long; check the path" in refused("fit", f"{name}.csv")
    with pytest.raises(upturn.DataError, match="but there is no such file"):
        upturn.load("x\0.nc")
    with pytest.raises(upturn.DataError, match="but there is none of that name"):
        upturn.read("x\0.csv")


def test_what_is_no_fit_of_ours(folder, rise):
    import xarray as xr

    xr.Dataset({"a": ("x", [1.0])}).to_netcdf("other.nc", engine="h5netcdf")
    (folder / "text.nc").write_text("hello")
    for name in ("other.nc", "text.nc", "none.nc", "none.zarr", rise):
        assert name in refused("summary", name)


def test_standard_input(rise):
    text = run("fit", rise, *FAST).stdout
    piped = run("fit", "-", *FAST, input=RISE).stdout
    assert piped == text.replace(rise, "standard input")


def test_quiet(rise, folder):
    result = run("fit", rise, *FAST, "--quiet")
    assert (result.stdout != "", result.stderr) == (True, "")
    assert run("fit", rise, *FAST, "--quiet", "-o", "a.csv").output == ""
    assert (folder / "a.csv").exists()


def test_notes_are_told(folder):
    (folder / "t.csv").write_text(RISE + "addition,untrained,0,200,,1e7\n")
    result = run("fit", "t.csv", *FAST)
    assert "note: axis flops: 1 row without a value left out\n" in result.stderr
    answer = json.loads(run("fit", "t.csv", *FAST, "--format", "json").stdout)
    told, unknown = answer["notes"]
    assert told == "axis flops: 1 row without a value left out"
    assert unknown.startswith("chance unknown: delta is counted from ")


def test_only_some_verdicts_in_another_order(folder):
    lines = RISE.splitlines()
    late = [line.replace("addition", "late") for line in lines[1:]]
    flat = [re.sub(r",0\.\d+,200", ",0.0,200", line.replace("late", "flat")) for line in late]
    (folder / "t.csv").write_text("\n".join([*lines, *late, *flat]))

    def curves(*arguments):
        result = run("fit", "t.csv", *FAST, "--format", "json", *arguments)
        return [record["curve"] for record in json.loads(result.stdout)["curves"]], result

    assert curves()[0] == ["addition", "late", "flat"]
    assert curves("--sort", "name")[0] == ["addition", "flat", "late"]
    assert curves("--only", "not-yet")[0] == ["flat"]
    shown, result = curves("--only", "emerges,probably", "--sort", "scale")
    assert set(shown) == {"addition", "late"}
    assert "2 of 3 curves shown" in json.loads(result.stdout)["notes"]
    table = run("fit", "t.csv", *FAST, "--only", "falls")
    assert (table.exit_code, "0 of 3 curves shown" in table.stderr) == (0, True)
    refused = run("fit", "t.csv", "--only", "grew")
    assert refused.exit_code == 2
    assert "only: expected a known verdict, but got 'grew'" in refused.stderr


def test_several_axes(rise):
    text = run("fit", rise, *FAST, "--axis", "flops,params").stdout
    assert "\n\ntraining FLOPs, 1.0e20 to 1.0e24\n" in text
    assert "\n\nparameters, 100M to 10B\n" in text


def test_conditions_metrics_and_labels(folder):
    lines = RISE.splitlines()
    rows = [f"{line},{metric}" for metric in ("acc", "loss") for line in lines[1:]]
    (folder / "t.csv").write_text("\n".join([lines[0] + ",metric", *rows]))
    everything = run("fit", "t.csv", *FAST).stdout
    assert "2 curves" in everything
    assert re.search("task +metric +score", everything)
    one = run("fit", "t.csv", *FAST, "--metric", "acc").stdout
    assert one == run("fit", "t.csv", *FAST, "--where", "metric=acc").stdout
    assert one.startswith("t.csv, metric=acc · 1 curve, 9 points · model hinge · beta-binomial\n")


def test_a_prior_moves_the_answer(rise):
    def scale(*arguments):
        text = run("fit", rise, *FAST, "--format", "json", *arguments).stdout
        return json.loads(text)["curves"][0]["changepoint"]

    assert scale("--prior", "changepoint=Uniform(0, 0.3)") < 2e21 < scale()


def test_models_by_name_and_file(rise, folder):
    (folder / "mine.toml").write_text(run("models", "step").stdout)
    by_file = run("fit", rise, *FAST, "--model", "mine.toml").stdout
    assert by_file == run("fit", rise, *FAST, "--model", "step").stdout
    assert "model step" in by_file


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_tiny_curves_have_an_answer(rows, folder):
    (folder / "t.csv").write_text("".join(RISE.splitlines(keepends=True)[: rows + 1]))
    result = run("fit", "t.csv", *FAST, "--format", "json")
    assert result.exit_code == 0
    (record,) = json.loads(result.stdout)["curves"]
    assert f"{rows} point" in record["flags"]


@pytest.mark.parametrize("flag", ["all zeros", "all ones"])
def test_constant_curves_have_an_answer(flag, folder):
    score = "0" if flag == "all zeros" else "1"
    (folder / "t.csv").write_text(re.sub(r",[\d.]+,200", f",{score},200", RISE))
    result = run("fit", "t.csv", *FAST, "--format", "json")
    (record,) = json.loads(result.stdout)["curves"]
    assert flag in record["flags"]
    assert 0 <= record["p_change"] <= 1


def test_very_many_trials(folder):
    (folder / "t.csv").write_text(RISE.replace(",200,", ",1000000000,"))
    assert run("fit", "t.csv", *FAST, "--format", "json").exit_code in {0, 1}


def test_csv_opens_without_running_formulas(folder):
    (folder / "t.csv").write_text(RISE.replace("addition", "=1+1"))
    assert (
        run("fit", "t.csv", *FAST, "--format", "csv").stdout.splitlines()[1][:12] == "'=1+1,'=1+1,"
    )


def test_awkward_names(folder):
    name = 'a, "b"\n=c 🚀 <script>'
    table = io.StringIO()
    writer = csv.writer(table)
    for row in csv.reader(io.StringIO(RISE)):
        writer.writerow([name if row[0] == "addition" else row[0], *row[1:]])
    (folder / "t.csv").write_text(table.getvalue(), encoding="utf-8")
    printed = run("fit", "t.csv", *FAST).stdout
    assert r'a, "b"\n=c 🚀 <script>' in printed
    (record,) = json.loads(run("fit", "t.csv", *FAST, "--format", "json").stdout)["curves"]
    assert record["task"] == name
    assert "&lt;script>" in run("fit", "t.csv", *FAST, "--format", "markdown").stdout


# ---- how it ends ---------------------------------------------------------------------------------


def test_failed_curves_are_named(rise, monkeypatch):
    monkeypatch.setattr(upturn.Fit, "failed", ("addition",))
    result = run("fit", rise, *FAST)
    assert result.exit_code == 1
    assert result.stderr.endswith("\nFailed, 1 of 1: 'addition'\n")


def test_an_interrupt_ends_with_one_line(rise, monkeypatch, folder):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(upturn, "fit", interrupted)
    result = run("fit", rise, "-o", "fit.nc")
    assert (result.exit_code, result.output) == (130, "Interrupted.\n")
    assert sorted(os.listdir()) == [rise]


def test_what_nobody_expected_is_not_swallowed(rise, monkeypatch):
    def broken(*_, **__):
        raise ValueError("a fault in the code")

    monkeypatch.setattr(upturn, "fit", broken)
    result = run("fit", rise)
    assert isinstance(result.exception, ValueError)
    assert result.exit_code == 1


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_while_it_runs(folder):
    rows = [
        f"t{t},m{m},{0.1 * (m > 9)},100,1e{18 + m // 4},1e9" for t in range(3000) for m in range(20)
    ]
    (folder / "t.csv").write_text(HEADER + "\n".join(rows))
    # started in the background, the tests themselves ignore Ctrl-C, and would hand that on
    listening = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}
    with process("fit", "t.csv", "-o", "fit.nc", "-o", "fit.csv", **listening) as job:
        time.sleep(4)
        job.send_signal(signal.SIGINT)
        out, err = job.communicate(timeout=30)
    assert (job.returncode, out, err) == (130, "", "Interrupted.\n")
    assert os.listdir() == ["t.csv"]


@pytest.mark.skipif(sys.platform == "win32", reason="pipes of POSIX")
def test_a_reader_that_has_enough(folder):
    with process("datasets", "pythia") as job:
        job.stdout.close()  # before the first line is there
        assert job.wait(timeout=30) == 141
        assert job.stderr.read() == ""


# ---- plot and report -----------------------------------------------------------------------------


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


# ---- what evaluation harnesses wrote -------------------------------------------------------------


def test_the_help_of_convert_names_every_harness():
    from upturn.tables.readers.kinds import BUILT_IN

    text = run("convert", "--help").stdout
    assert all(kind in text for kind in BUILT_IN)


def test_a_folder_is_converted_and_fitted(folder):
    (folder / "models.csv").write_text("model,params\ntoy/size-2,2e9\ntoy/size-5,5e9\n")
    arguments = ["convert", "inspect", WRITTEN / "inspect", "--facts", "models.csv"]
    printed = run(*arguments)
    assert printed.exit_code == 0
    assert "note: models.csv: without 1 model: 'toy/size-9'\n" in printed.stderr
    written = run(*arguments, "-o", "table.csv", "-q")
    assert (written.stdout, written.stderr) == ("", "")
    assert (folder / "table.csv").read_bytes() == printed.stdout_bytes
    chosen = ["--axis", "params", "--format", "json", "--where", "task=toy_addition", *FAST]
    direct = run("fit", WRITTEN / "inspect", "--facts", "models.csv", *chosen)
    table = run("fit", "table.csv", *chosen)
    assert json.loads(direct.stdout)["curves"] == json.loads(table.stdout)["curves"]


def test_facts_are_listed_and_go_back(folder):
    table = "task,model,score\nt,EleutherAI/pythia-410m,.1\nt,mine-1.4b,.2\nt,pythya-12b,.3\n"
    (folder / "t.csv").write_text(table)
    printed = run("facts", "t.csv")
    assert printed.exit_code == 0
    assert printed.stdout.startswith("model,family,family_source,params,params_source,")
    assert "note: 1 of 3 models known; params of 2 read from their names" in printed.stderr
    assert "note: 'pythya-12b' is not known: is 'pythia-12b' meant?" in printed.stderr
    written = run("facts", "t.csv", "-o", "models.csv", "-q")
    assert (written.stdout, written.stderr) == ("", "")
    assert (folder / "models.csv").read_bytes() == printed.stdout_bytes
    back = run(
        "fit", "t.csv", "--facts", "models.csv", "--axis", "params", "--format", "json", *FAST
    )
    assert json.loads(back.stdout)["curves"][0]["points"] == 3


def test_facts_can_be_left_out(folder):
    names = ["pythia-410m", "pythia-1.4b", "pythia-12b"]
    rows = "".join(f"t,{name},0.{i}\n" for i, name in enumerate(names))
    (folder / "t.csv").write_text("task,model,score\n" + rows)
    filled = run("fit", "t.csv", *FAST)
    assert "note: bundled facts filled in for 3 models: family of 3" in filled.stderr
    bare = refused("fit", "t.csv", "--facts", "none", *FAST)
    assert "expected a column 'flops', but got no scale of any model; list what is known" in bare


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


def test_bad_folders(folder):
    assert refused("convert", "helm", folder) == (
        f"Error: {folder}: expected results of 'helm', but got none in 0 files; "
        "name a table or another folder"
    )
    assert "did you mean 'lm-eval'?" in refused("convert", "lmeval", folder)
    (folder / "r.json").write_text('{"results": ')
    assert "was the run interrupted?" in refused("convert", "lm-eval", folder, "-o", "t.csv")
    assert "expected a name that ends in .csv" in refused(
        "convert", "lm-eval", folder, "-o", "t.nc"
    )
