"""The paper again: the page is what its stored figures say, and they are what the data say."""

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:  # `python -m pytest` puts it there, `pytest` does not
    sys.path.insert(0, str(ROOT))

import upturn
from benchmarks.paper import claims, measure
from benchmarks.paper import page as pages

HOSTILE = "a|b <script> `x` [c](d)\n# e"
STORED = json.loads((ROOT / "docs" / "paper.json").read_text("utf-8"))
FACTS = STORED["facts"]


def cells(line):
    """The cells of a line of a Markdown table."""
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def row(**changes):
    """A row of the table of abilities."""
    plain = {
        "ability": "addition", "model": "GPT-3", "flops": 1e22, "data": "gpt3", "task": "sum",
        "models": 8, "p_emergent": 0.99, "p_sharp": 0.4, "scale": "1.0e22",
        "interval": "8.0e21 – 2.0e22", "x": [21.9, 22.0, 22.3], "ends": [20.0, 23.0],
        "top_score": 0.5, "p_by": 0.5, "p_after": 0.9, "shape": "smooth", "p_shape": 0.8,
    }  # fmt: skip
    return plain | changes


def test_the_page_is_what_the_stored_figures_say():
    text = (ROOT / "docs" / "paper.md").read_text("utf-8")
    assert text == pages.page(FACTS, STORED["settings"], STORED["versions"])


def test_every_row_of_table_1_is_held_against_data_or_has_a_reason():
    reached, why = {*claims.TABLE1, *claims.TECHNIQUES}, set(claims.MISSING)
    assert not reached & why
    assert reached | why == {stated.ability for stated in claims.table1()}
    assert {row["ability"] for row in FACTS["abilities"]["table1"]} == set(claims.TABLE1)
    assert {row["ability"] for row in FACTS["techniques"]["rows"]} == set(claims.TECHNIQUES)


def test_every_label_that_is_used_is_one_and_has_its_curves():
    assert set(claims.LABELS) < {stated.ability for stated in claims.labels()}
    wanted = [
        pair for table in (claims.TABLE1, claims.LABELS) for v in table.values() for pair in v
    ]
    assert {name for name, _ in wanted} == set(claims.SOURCES)
    for name, task in wanted:
        assert task in claims.SOURCES[name].tasks
    for source in claims.SOURCES.values():
        found = measure.results_of(source)
        assert set(found.frame["task"]) == set(source.tasks)
        assert source.metric in found.metrics()


def test_what_the_text_says_holds_in_the_figures():
    table1, labels = FACTS["abilities"]["table1"], FACTS["abilities"]["labels"]
    both = [*table1, *labels]
    elsewhere = [row for row in both if row["data"] != "gpt3"]
    assert not [row for row in both if pages.standing(row) in {"later", "not emergent"}]
    assert np.mean([pages.standing(row) == "earlier" for row in elsewhere]) > 0.9
    assert np.mean([row["p_emergent"] > 0.95 for row in labels]) > 0.8
    assert np.mean([row["p_sharp"] > 0.5 for row in labels]) < 0.5
    assert np.mean([row["shape"] == "smooth" for row in labels]) > 0.8
    sums = {row["task"]: row for row in table1 if row["data"] == "gpt3"}
    for task in ("arithmetic_3da", "arithmetic_3ds", "arithmetic_4da", "arithmetic_4ds"):
        assert sums[task]["p_after"] > 0.9
    assert abs(sums["arithmetic_3da"]["x"][1] - np.log10(2.3e22)) < np.log10(1.05)
    assert sums["arithmetic_4da"]["x"][2] - sums["arithmetic_4da"]["x"][0] > 0.8
    for task in ("arithmetic_5da", "arithmetic_5ds"):
        assert 0.05 < sums[task]["top_score"] < 0.1
    assert pages.standing(sums["wic"]) == "not yet, as stated"
    chain, majority = FACTS["techniques"]["rows"]
    assert chain["gain_change_high"] < chain["flops"]
    assert 0.1 < chain["p_hurts"] < 0.9
    assert chain["p_helps"] > 0.95
    assert min(majority["p_hurts"], majority["p_helps"]) > 0.95
    assert majority["break_even_low"] > majority["flops"]
    assert [row["outcome"] for row in FACTS["metrics"]["rows"]] == ["both"] * 4
    assert max(row["shift"] for row in FACTS["metrics"]["rows"]) < 0.1
    assert "tie by construction" in FACTS["axes"]["gpt3"]["verdict"]
    assert "perplexity beats flops" in FACTS["axes"]["olmo-mmlu"]["verdict"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "within"),
        ({"flops": 3e22}, "earlier"),
        ({"flops": 5e21}, "later"),
        ({"x": [21.9, 22.6, None]}, "within"),
        ({"x": [22.1, 22.6, None]}, "later"),
        ({"p_emergent": 0.5}, "undecided"),
        ({"p_emergent": 0.1}, "not emergent"),
        ({"p_emergent": 0.1, "flops": 1e24}, "not yet, as stated"),
    ],
)
def test_where_the_point_lies(changes, expected):
    assert pages.standing(row(**changes)) == expected


@pytest.mark.parametrize("shapes", [False, True])
def test_names_do_not_act_as_markup(shapes):
    rows = [row(), row(ability=HOSTILE, task=HOSTILE, model=HOSTILE, data=HOSTILE)]
    table = pages.abilities_table(rows, shapes=shapes).splitlines()
    assert len(table) == 4
    assert len({len(cells(line)) for line in table}) == 1
    assert "<script>" not in table[3]
    assert not re.search(r"(?<!\\)[`\[]", table[3])
    lists = pages._lists("table1", rows)["table1_within"]
    assert lists.startswith("2 (`sum (gpt3)`, ")
    assert "\n" not in lists
    assert lists.count("`") == 4


def test_scales_that_are_not_stated_are_dashes():
    assert pages.scale(2.34e22) == "2.3e22"
    assert pages.scale(None) == "–"
    assert [pages.share(w) for w in (None, 0.001, 0.0949)] == ["–", "< 1 %", "9 %"]
    assert cells(pages.abilities_table([row(flops=None)]).splitlines()[2])[1] == "–"


@pytest.mark.slow
def test_the_probability_by_a_scale_is_that_of_the_posterior():
    """At the posterior's own quantiles: 20,000 draws err by .01 (3 standard errors)."""
    few = upturn.read("gpt3").where("setting=few-shot", "task=arithmetic_4da")
    found = upturn.classify(few, models=("flat", "hinge", "logistic"), draws=200, seed=1)
    for level, x in zip((0.05, 0.5, 0.95), found.scale_x()[:, 0], strict=True):
        exactly = measure.verdict(found, 0, 10**x, 0)["p_by"]
        rounded = measure._rounds_to(x)
        assert rounded >= x
        drawn, emergent = found.drawn(measure.PAIRS, 0)
        beyond = float((emergent & (drawn > x) & (drawn <= rounded)).mean())
        assert exactly - beyond == pytest.approx(level, abs=0.015)
    seen = measure.verdict(found, 0, 3.1e23, 0)
    assert seen["p_after"] > 0.9
    assert seen["top_score"] == pytest.approx(0.255, abs=0.005)


def test_a_scale_counts_as_what_is_printed_of_it():
    assert measure._rounds_to(np.log10(2.3e22)) == pytest.approx(np.log10(2.35e22))
    assert measure._rounds_to(np.inf) == np.inf


def test_parts_are_kept_until_something_changes(tmp_path, monkeypatch):
    runs = []

    def once(effort):
        runs.append(effort.seed)
        return {"value": np.float64(len(runs))}, {}

    monkeypatch.setitem(measure.PARTS, "once", (once, ("gpt3",)))
    effort = measure.Effort()
    first = measure.part("once", effort, folder=tmp_path)
    assert measure.part("once", measure.Effort(threads=1), folder=tmp_path) == first
    assert first["value"] == 1
    assert measure.part("once", measure.Effort(seed=1), folder=tmp_path)["value"] == 2
    assert measure.part("once", measure.Effort(seed=1), folder=tmp_path, fresh=True)["value"] == 3
    monkeypatch.setattr(upturn, "__version__", "0.0.0")
    assert measure.part("once", measure.Effort(seed=1), folder=tmp_path)["value"] == 4
    assert runs == [0, 1, 1, 1]
