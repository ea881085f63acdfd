"""The simulated noise of runs is what its name says, and coverage is counted right."""

import numpy as np
import pytest

from benchmarks.accuracy import runs

SHAPE = (4000, 3, 6)


def drawn(name, seed=1):
    return runs.NOISES[name][1](np.random.default_rng(seed), SHAPE)


def test_noise_has_its_size_and_its_correlation():
    """Four standard errors of 12,000 runs; heavy tails have wider ones."""
    expected = {
        "independent": 0.0,
        "vertical, one shift a run": 1.0,
        "autocorrelated along tokens": runs.CORRELATION,
        "autocorrelated, heavy-tailed": runs.CORRELATION,
    }
    for name, correlation in expected.items():
        noise = drawn(name)
        heavy = "heavy" in name
        assert noise.std() == pytest.approx(runs.APART, rel=0.25 if heavy else 0.03)
        pairs = np.corrcoef(noise[..., :-1].ravel(), noise[..., 1:].ravel())[0, 1]
        assert pairs == pytest.approx(correlation, abs=0.05 if heavy else 0.02)
        kurtosis = (noise**4).mean() / noise.var() ** 2
        assert (kurtosis > 5) == heavy
    assert not drawn("along the axis").any()


def test_simulated_runs_are_grouped_and_stand_where_they_should():
    curves, truth = runs.simulated("along the axis", 5, seed=2)
    assert (curves.groups == runs.RUNS).all()
    assert (curves.points == runs.RUNS * runs.CHECKPOINTS).all()
    assert ((truth > 0.2) & (truth < 0.8)).all()
    again, _ = runs.simulated("along the axis", 5, seed=2)
    np.testing.assert_array_equal(again.response, curves.response)


def test_coverage_counts_intervals_that_hold_the_truth():
    curves, truth = runs.simulated("independent", 6, seed=3)
    found = runs.covered(curves, truth, draws=80, **runs.METHODS["ignored"])
    assert found["curves"] == 6
    assert 0 < found["width"] < 1
    assert runs.covered(curves, truth + 5, draws=80, **runs.METHODS["ignored"])["covered"] == 0


def test_the_table_goes_into_the_page(tmp_path, monkeypatch):
    monkeypatch.setattr(runs.report, "FOLDER", tmp_path)
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- coverage -->\nold\n<!-- /coverage -->\nafter\n")
    monkeypatch.setattr(runs, "METHODS", {"ignored": runs.METHODS["ignored"]})
    found = runs.run(curves=3, noises=("independent",), draws=80, page=page)
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    assert "| independent |" in text
    runs.report.save("runs", {"runs": found})
    again = runs.run(curves=3, noises=(), draws=80)
    assert again["rows"] == [{**row, **{k: float(row[k]) for k in ("covered", "width")}}
                             for row in found["rows"]]  # fmt: skip
    assert runs.run(curves=4, noises=(), draws=80)["rows"] == []
