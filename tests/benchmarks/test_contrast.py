"""The table of many tasks in docs/contrast.md is what its stored figures say."""

import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:  # `python -m pytest` puts it there, `pytest` does not
    sys.path.insert(0, str(ROOT))

from benchmarks.accuracy import contrast

PAGE = (ROOT / "docs" / "contrast.md").read_text("utf-8")
KEPT = json.loads((ROOT / "docs" / "contrast-bbh.json").read_text("utf-8"))
TASKS = {row["task"].removeprefix("bbh_"): row for row in KEPT["tasks"]}


def test_the_page_is_what_the_stored_figures_say():
    assert contrast.put(PAGE, "bbh", KEPT) == PAGE
    lines = contrast.text(KEPT).splitlines()
    assert len(lines) == 2 + 27
    changed = json.loads(json.dumps(KEPT))
    changed["tasks"][0]["task"] = "a|b\n<i>"
    again = contrast.put(PAGE, "bbh", changed)
    assert "<i>" not in again
    assert len(again.splitlines()) == len(PAGE.splitlines())


def test_a_page_without_the_place_is_not_touched():
    with pytest.raises(SystemExit, match="expected the comment"):
        contrast.put("# A page\n", "bbh", KEPT)


def test_rows_are_in_the_order_of_the_break_even_scale():
    even = [float(row["break_even"]) for row in KEPT["tasks"]]
    names = [line.split("|")[1].strip() for line in contrast.text(KEPT).splitlines()[2:]]
    by_name = {row["task"]: float(row["break_even"]) for row in KEPT["tasks"]}
    assert [by_name[name] for name in names] == sorted(even)


def test_what_the_text_says_holds_in_the_figures():
    for name in (
        "tracking_shuffled_objects_three_objects", "tracking_shuffled_objects_five_objects",
        "tracking_shuffled_objects_seven_objects", "multistep_arithmetic_two", "web_of_lies",
    ):  # fmt: skip
        row = TASKS[name]
        assert 0.475 < row["gain_largest"] < 0.735
        assert 2e22 < row["gain_change"] < 3e23
        assert abs(row["gain_smallest"]) < 0.025
    unclear = {name for name, row in TASKS.items() if row["p_helps"] <= 0.95}
    assert len(unclear) == 10
    assert unclear > {
        "causal_judgement", "snarks", "ruin_names", "movie_recommendation", "geometric_shapes",
        "word_sorting",
    }  # fmt: skip
    hurts = {name for name, row in TASKS.items() if row["p_hurts"] > 0.95}
    assert hurts == {"object_counting", "word_sorting", "dyck_languages"}
    stops = {name for name, row in TASKS.items() if "stops helping" in row["crossings"]}
    detected = "salient_translation_error_detection"
    assert stops == {"ruin_names", "logical_deduction_seven_objects", detected}
