"""The bundled data sets: what they hold, against the published tables they are taken from."""

import csv
import pathlib
import re
import subprocess
import sys
from collections import Counter

import pytest

import upturn
from upturn.tables import datasets

RESULTS = ["brier", "gpt3", "olmo-mmlu", "open-models", "prompting", "pythia"]
ORIGINAL = {
    "brier": "brier.csv",
    "gpt3": "gpt3.csv",
    "olmo-mmlu": "olmo_ladder.csv",
    "open-models": "obsscaling_emergent.csv",
    "prompting": "obsscaling_prompting.csv",
    "pythia": "pythia.csv",
    "wei2022-labels": "wei2022_emergent_labels.csv",
    "wei2022-table1": "wei2022_table1.csv",
}
PYTHIA_STEPS = {1, 4, 16, 64, 256, 512, 1000, 3000, 13000, 33000, 73000, 143000}
LABELLED = {
    *("bbh_causal_judgement", "bbh_disambiguation_qa", "bbh_logical_deduction_five_objects"),
    *("bbh_logical_deduction_seven_objects", "bbh_logical_deduction_three_objects"),
    *("bbh_sports_understanding", "bbh_word_sorting"),
}

# what of the published rows is bundled, where that is not all
SELECTED = {
    "brier": lambda row: (
        row["task"]
        in {"mmlu", "hindu_knowledge", "conceptual_combinations", "analogical_similarity"}
    ),
    "olmo-mmlu": lambda row: re.fullmatch(r"mmlu_\w+_val_mc", row["task"]),
    "prompting": lambda row: (
        row["task"] in LABELLED
        or (
            row["task"] == "gsm8k"
            and row["setting"] in {"cot", "direct", "cot_self_consistency maj@5"}
        )
    ),
    "pythia": lambda row: (
        (row["family"], row["metric"], row["shots"]) == ("Pythia", "acc", "0")
        and int(row["model"].partition("@step")[2]) in PYTHIA_STEPS
    ),
}


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_catalogue_says_what_is_there():
    found = {
        record.name: (record.rows, record.tasks, record.models, record.axes)
        for record in datasets.catalogue()
    }
    assert found == {
        "brier": (524, 4, 67, ("flops", "params", "tokens")),
        "gpt3": (1024, 42, 8, ("flops", "params", "perplexity")),
        "olmo-mmlu": (244, 4, 61, ("flops", "perplexity", "tokens")),
        "open-models": (613, 7, 84, ("flops", "params", "tokens")),
        "prompting": (1329, 8, 94, ("flops", "params", "tokens")),
        "pythia": (864, 9, 96, ("flops", "params", "perplexity", "tokens")),
        "wei2022-labels": (93, 93, 8, ("flops", "params")),
        "wei2022-table1": (23, 23, 9, ("flops", "params")),
    }
    assert all(record.title and record.citation for record in datasets.catalogue())


def test_every_file_is_listed_and_every_name_has_its_file():
    folder = datasets.path("gpt3").parent
    assert sorted(file.stem for file in folder.glob("*.csv")) == datasets.names()


@pytest.mark.parametrize("name", datasets.names())
def test_every_row_has_its_source(name):
    assert all(row["source"].strip() for row in rows(datasets.path(name)))


@pytest.mark.parametrize("name", datasets.names())
def test_the_text_is_plain(name):
    text = datasets.path(name).read_bytes()
    assert b"\r" not in text
    assert text.endswith(b"\n")
    text.decode("utf-8")


@pytest.mark.parametrize("name", RESULTS)
def test_no_measurement_is_there_twice(name):
    labels = ["task", "model", "setting", "shots", "metric"]
    counts = Counter(tuple(row.get(label) for label in labels) for row in rows(datasets.path(name)))
    assert max(counts.values()) == 1


def test_gpt3_has_eight_sizes_in_every_curve():
    curves = Counter(
        (row["task"], row["setting"], row["metric"]) for row in rows(datasets.path("gpt3"))
    )
    assert set(curves.values()) == {8}
    assert Counter(setting for _, setting, _ in curves) == {
        "few-shot": 43,
        "one-shot": 43,
        "zero-shot": 42,
    }


def test_pythia_is_thinned_evenly_and_has_all_three_axes():
    pythia = rows(datasets.path("pythia"))
    assert {row["family"] for row in pythia} == {"Pythia"}
    assert {(row["metric"], row["shots"]) for row in pythia} == {("acc", "0")}
    assert all(float(row[axis]) > 0 for row in pythia for axis in ("flops", "params", "perplexity"))
    per_curve = Counter((row["task"], row["run"]) for row in pythia)
    assert len(per_curve) == 9 * 8
    assert set(per_curve.values()) == {len(PYTHIA_STEPS)}


@pytest.mark.parametrize("name", datasets.names())
def test_the_figures_are_the_published_ones(name, shared_data):
    published = {frozenset(row.items()) for row in rows(shared_data / ORIGINAL[name])}
    bundled = {frozenset(row.items()) for row in rows(datasets.path(name))}
    assert bundled <= published
    if name in SELECTED:
        columns = set(rows(shared_data / ORIGINAL[name])[0])
        assert columns == set(rows(datasets.path(name))[0])
        published = {row for row in published if SELECTED[name](dict(row))}
    assert bundled == published


@pytest.mark.parametrize(
    ("name", "hint"),
    [("gpt-3", "did you mean 'gpt3'? "), ("GPT3", "did you mean 'gpt3'? "), ("mnist", "")],
)
def test_an_unknown_name_is_answered_with_the_known_ones(name, hint):
    message = (
        f"bundled data: expected a known data set, but got '{name}'; "
        f"{hint}there are: {', '.join(map(repr, ORIGINAL))}"
    )
    with pytest.raises(upturn.DataError, match=f"^{re.escape(message)}$"):
        datasets.path(name)


def test_a_name_means_the_data_set():
    assert datasets.resolve("gpt3") == datasets.path("gpt3")
    results = upturn.read("gpt3")
    assert (results.name, len(results)) == ("gpt3", 1024)


@pytest.mark.parametrize("source", ["-", "results.csv", "gpt3.csv", pathlib.Path("gpt3"), None])
def test_what_is_no_name_stays_what_it_is(source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert datasets.resolve(source) is source


def test_a_file_wins_over_a_data_set(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gpt3").write_text("")
    assert datasets.resolve("gpt3") == "gpt3"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "gtp3",
            "gtp3: expected a file, - or a bundled data set, but there is no file of that name; "
            "is the data set gpt3 meant? data sets: 'brier', 'gpt3', ",
        ),
        ("", "'': expected a file, - or a bundled data set, but there is no file of that name; d"),
        ("x" * 5000, "'xxx"),
        ("x\0", r"'x\x00': expected a file, - or a bundled data set"),
        ("wei2022-table1", "wei2022-table1: expected a table with scores, but got one with answ"),
    ],
)
def test_a_name_that_means_nothing_to_fit(name, message):
    with pytest.raises(upturn.DataError, match=f"^{re.escape(message)}"):
        datasets.resolve(name)


def test_listing_needs_no_pandas():
    code = (
        "import sys\n"
        "from upturn import datasets\n"
        "datasets.catalogue()\n"
        "print('pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
