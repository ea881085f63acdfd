"""Answers on the terminal and in files: tables, JSON, CSV and Markdown."""

import csv
import io
import json
import re

import pytest

import upturn
from tests.support.answers import FAST, RISE
from tests.support.commands import refused, run

NUMBER = r"[\d.]+e\d\d"


COLUMNS = [
    "points", "verdict", "p_change", "scale", "scale_low", "scale_high", "censored", "gain",
    "changepoint", "changepoint_low", "changepoint_high", "changepoint_censored", "ess", "khat",
    "rhat", "log_evidence", "flags",
]  # fmt: skip


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
    assert "\nscore      mean score" in result.stderr


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
    told, unknown, families = answer["notes"]
    assert told == "axis flops: 1 row without a value left out"
    assert unknown.startswith("chance unknown: delta is counted from ")
    assert families.startswith("no families named: ")


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
