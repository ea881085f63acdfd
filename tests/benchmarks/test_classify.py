"""The benchmark of classify: parts that are kept, scores of answers that are known."""

import numpy as np
import pytest

from benchmarks.accuracy import classify as benchmark
from benchmarks.accuracy import floors
from benchmarks.output import report

CLASSES = ["flat", "smooth", "changepoint", "inverse", "u-shaped", "humped"]


def answer(table, right):
    """A part whose every curve is surely smooth, and emergent as the truth has it, or not."""
    truth = {name: value.tolist() for name, value in table.truth.items()}
    count = len(table.x)
    evidence = np.full((count, len(CLASSES)), -50.0)
    evidence[:, 1] = 0
    said = {
        name: [[abs(t - (not right))] * len(CLASSES) for t in truth[name]]
        for name in benchmark.ANSWERS
    }
    return {
        "truth": truth, "points": table.mask.sum(axis=1).tolist(), "classes": CLASSES,
        "log_evidence": evidence.tolist(), **said, "covered": [True] * count, "failed": 0,
    }  # fmt: skip


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Parts that are made by hand, in a folder of their own; the list of those made."""
    parts = []
    monkeypatch.setattr(report, "FOLDER", tmp_path)

    def classified(table, draws, seed):
        parts.append(len(table.x))
        return answer(table, right=len(parts) < 9)

    monkeypatch.setattr(benchmark, "_classified", classified)
    return parts


@pytest.mark.slow
def test_right_answers_score_nothing_and_parts_are_made_once(made):
    found = benchmark.run(curves=141, draws=40, flat_tables=2)
    assert made == [benchmark.PART, benchmark.PART, benchmark.FLAT_TASKS, benchmark.FLAT_TASKS]
    assert found["curves"] == 280
    for prior in benchmark.PRIORS:
        for name in benchmark.ANSWERS:
            assert found[prior][name]["brier"][0] == pytest.approx(0, abs=1e-12)
            assert found[prior][name]["sure"]["right"] == 1
        assert found["flat"][prior]["alarmed"] == 0
        # 0 of 2: a share of 77.6 % still gives that with probability 0.05
        assert found["flat"][prior]["at_most"] == pytest.approx(1 - 0.05**0.5)
    again = benchmark.run(curves=141, draws=40, flat_tables=2)
    assert len(made) == 4
    assert benchmark.as_tables(again) == benchmark.as_tables(found)


def test_wrong_answers_are_caught(made):
    made.extend([0] * 8)
    found = benchmark.run(curves=140, draws=40, flat_tables=1)
    assert found["equal odds"]["emergent"]["brier"][0] == pytest.approx(1)
    assert found["equal odds"]["emergent"]["sure"]["right"] == 0
    assert found["flat"]["equal odds"]["alarmed"] == 1
    assert found["flat"]["equal odds"]["at_most"] == 1


@pytest.mark.slow
def test_the_figure_is_the_same_twice(made, tmp_path):
    found = benchmark.run(curves=140, draws=40)
    texts = []
    for name in ("a.svg", "b.svg"):
        benchmark.diagram(found, tmp_path / name)
        texts.append((tmp_path / name).read_text("utf-8"))
    assert texts[0] == texts[1]
    assert "p_emergent" in texts[0]
    assert len(texts[0]) < 50_000


@pytest.mark.parametrize("slope", floors.SLOPES)
def test_simulated_floors_grow_as_they_should(slope):
    table = floors.simulated(400, slope, 1e-4, seed=1)
    u = np.linspace(0, 1, floors.POINTS)
    share = (table.successes / table.trials)[:, u < 0.5]
    low = share[:, 0] < 0.1  # of a level of 0.02
    # at the first point, and at the last before any onset: four fifths of the stretch on average
    for here, level in ((low, 0.02), (~low, 0.25)):
        start, end = share[here][:, 0].mean(), share[here][:, -1].mean()
        grown = np.log(end / (1 - end)) - np.log(start / (1 - start))
        assert start == pytest.approx(level, abs=0.003)
        assert grown == pytest.approx(0.78 * slope, abs=0.12)
