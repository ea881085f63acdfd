"""The tables in docs/forecast.md are what the stored figures say, and the text too."""

import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:  # `python -m pytest` puts it there, `pytest` does not
    sys.path.insert(0, str(ROOT))

from benchmarks.accuracy import forecast
from benchmarks.output import report
from upturn.questions.forecast.extrapolate import METHODS

PAGE = (ROOT / "docs" / "forecast.md").read_text("utf-8")
FOUND = json.loads((ROOT / "docs" / "forecast.json").read_text("utf-8"))
SCORES = {
    name: {row["method"]: row for row in kept["scores"]} for name, kept in FOUND.items()
}  # fmt: skip


def of(data, curve, score):
    (row,) = (row for row in FOUND[data][score] if row["curve"] == curve)
    return row


def test_the_page_is_what_the_stored_figures_say():
    assert report.put(PAGE, forecast.COMMAND, forecast.section(FOUND)) == PAGE
    assert list(FOUND) == list(forecast.SETS)


def test_the_intervals_hold_what_they_should_and_the_log_score_is_ahead_on_three():
    for name, rows in SCORES.items():
        assert 0.80 <= rows["upturn"]["coverage_90"] <= 0.97
        lead = rows["upturn"]["log_score"] - max(rows[m]["log_score"] for m in METHODS)
        if name == "pythia":
            assert lead == pytest.approx(-0.02, abs=0.005)
        else:
            assert 0.85 < lead < 1.45


def test_without_the_scores_that_are_all_the_same_it_would_lead_on_pythia():
    def without(method):
        total = 108 * SCORES["pythia"][method]["log_score"]
        return (total - 6 * of("pythia", "wsc | 5", "log_score")[method]) / 102

    best = max(without(method) for method in METHODS)
    assert without("upturn") - best == pytest.approx(0.13, abs=0.01)
    assert of("pythia", "wsc | 5", "log_score")["upturn"] == pytest.approx(-2.6, abs=0.05)


def test_curves_that_are_behind_are_all_named():
    found = forecast.behind(FOUND, "mae")
    words = {
        ("gpt3", "lambada"), ("gpt3", "wsc"), ("gpt3", "arithmetic_2ds"),
        ("gpt3", "symbol_insertion"), ("open-models", "word_unscrambling"),
        ("olmo_ladder", "boolq_val_rc"), ("olmo_ladder", "boolq_val_mc"),
        ("olmo_ladder", "arc_easy_val_mc"), ("olmo_ladder", "arc_easy_test_mc"),
    }  # fmt: skip
    assert {(row["data"], row["curve"]) for row in found} == words
    for row in found:
        others = of(row["data"], row["curve"], "mae")
        assert row["theirs"] == min(others[method] for method in METHODS) == others[row["best"]]
        assert row["ours"] - row["theirs"] >= forecast.BEHIND["mae"]


@pytest.mark.parametrize(
    ("data", "curve", "ours", "best", "theirs"),
    [
        ("gpt3", "arithmetic_2da", 52, "logit-linear", 49),
        ("gpt3", "arithmetic_2ds", 46, "logit-linear", 28),
        ("gpt3", "symbol_insertion", 30, "logit-linear", 8),
        ("gpt3", "lambada", 7, "sigmoid", 1),
        ("gpt3", "wsc", 9, "broken power law", 3),
        ("open-models", "word_unscrambling", 15, "logit-linear", 8),
        ("olmo_ladder", "arc_easy_val_mc", 27, "broken power law", 8),
        ("olmo_ladder", "mmlu_social_sciences_test_mc", 17, "logit-linear", 12),
        ("olmo_ladder", "boolq_val_rc", 12, "log-linear", 5),
    ],
)
def test_errors_in_the_text_are_those_of_the_figures(data, curve, ours, best, theirs):
    row = of(data, curve, "mae")
    assert row["upturn"] == pytest.approx(ours, abs=0.51)
    assert row[best] == pytest.approx(theirs, abs=0.51)


def test_a_curve_is_behind_by_as_much_as_is_asked():
    rest = dict.fromkeys(METHODS, 20.0)
    kept = {
        "mae": [
            {"curve": "a", "upturn": 9.0, **rest, "sigmoid": 3.9},
            {"curve": "b", "upturn": 9.0, **rest, "sigmoid": 4.1},
        ],
        "coverage_90": [{"curve": "a", "upturn": 0.5}, {"curve": "b", "upturn": 1.0}],
    }
    (row,) = forecast.behind({"x": kept}, "mae")
    assert row == {
        "data": "x", "curve": "a", "ours": 9.0, "best": "sigmoid", "theirs": 3.9,
        "coverage_90": 0.5,
    }  # fmt: skip
