"""Commands that list data and curve models, or make a table."""

import json

import pytest

from tests.support.answers import FAST, RISE, WRITTEN
from tests.support.commands import refused, run
from upturn.commandline.source import split_axes
from upturn.model import Model
from upturn.tables import datasets

pytestmark = pytest.mark.usefixtures("folder")  # a page of 100 columns


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
