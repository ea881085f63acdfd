"""The measured example in docs/plan.md is what its stored figures say, and the promise holds."""

import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:  # `python -m pytest` puts it there, `pytest` does not
    sys.path.insert(0, str(ROOT))

from benchmarks.accuracy import plan
from benchmarks.output import report

PAGE = (ROOT / "docs" / "plan.md").read_text("utf-8")
FOUND = json.loads((ROOT / "docs" / "plan.json").read_text("utf-8"))


def test_the_page_is_what_the_stored_figures_say():
    assert report.put(PAGE, plan.COMMAND, plan.section(FOUND)) == PAGE
    again = report.put(PAGE, plan.COMMAND, "else")
    assert again != PAGE
    assert report.put(again, plan.COMMAND, plan.section(FOUND)) == PAGE


def test_what_the_text_says_holds_in_the_figures():
    by = {(r["layout"], r["models"], r["trials"]): r for r in FOUND["plans"]["far"]["rows"]}
    few = by["even", 10, 100]["p_within"]
    assert few < by["even", 10, 1000]["p_within"] < by["near", 10, 100]["p_within"]
    assert not any(row["enough"] for row in FOUND["plans"]["any"]["rows"])


def test_the_promise_holds():
    """In the stored run, which has another seed: 0.8 of 400 tasks, two standard errors above."""
    first, (again,) = plan.recommended(FOUND["plans"]["far"]), FOUND["again"]["rows"]
    assert all(again[name] == first[name] for name in ("layout", "models", "trials"))
    assert FOUND["again"]["seed"] != FOUND["plans"]["far"]["seed"]
    assert again["tasks"] >= 400
    assert again["p_within"] - 2 * again["p_within_se"] > FOUND["plans"]["far"]["probability"]


def test_without_a_design_that_is_enough_there_is_nothing_to_recommend():
    with pytest.raises(SystemExit, match="a design that is enough"):
        plan.recommended(FOUND["plans"]["any"])
