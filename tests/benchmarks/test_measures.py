"""Measures of samplers: independent draws pass, biased ones are found."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:  # `python -m pytest` puts it there, `pytest` does not
    sys.path.insert(0, str(ROOT))
from benchmarks import samplers
from benchmarks.accuracy import coverage
from benchmarks.output import report
from benchmarks.page import page
from benchmarks.references import measures, stored
from benchmarks.references.measures import Moment, Tally
from benchmarks.samplers import Answer
from benchmarks.speed import draws_a_second, precision
from tests.support.curves_of_counts import SEED

CURVES = 5


class Fake:
    """Independent draws of N(centre, spread²) for each curve, where N(0, 1) is right."""

    setup = 0.0

    def __init__(self, name, centre=0.0, spread=1.0, draws=4000):
        self.name, self._centre, self._spread, self._draws = name, centre, spread, draws

    def run(self, seed):
        rng = np.random.default_rng([SEED, seed])
        draws = rng.standard_normal((CURVES, self._draws))
        values = self._centre + self._spread * draws
        return Answer(1.0, {"changepoint": values[:, None]})


def judged(sampler):
    truth = np.tile([0.0, *stats.norm.ppf(measures.LEVELS)], (CURVES, 1))
    return draws_a_second.compare([sampler], {sampler.name: 40}, truth, np.ones(CURVES))[
        sampler.name
    ]


def test_independent_draws_count_as_their_number():
    found = judged(Fake("honest"))
    np.testing.assert_allclose(found["effective"][:, 0], 4000, rtol=5 * measures.relative_error(40))
    # a quantile's variance is q (1 - q) / (n f(q)²)
    one = 0.05 * 0.95 / stats.norm.pdf(stats.norm.ppf(0.05)) ** 2
    np.testing.assert_allclose(
        found["effective"][:, 1:], 4000 / one, rtol=5 * measures.relative_error(40)
    )


def test_a_shifted_mean_is_caught():
    """However many draws it makes, a bias of a tenth of an sd is worth a hundred draws."""
    for draws in (4000, 40_000):
        assert judged(Fake("shifted", centre=0.1, draws=draws))["worst"][0] < 120


def test_a_sampler_that_returns_the_prior_is_caught():
    """The prior is centred where the posterior is, and ten times as wide."""
    assert judged(Fake("prior", spread=10.0))["worst"].min() < 0.02


def test_longer_runs_are_compared_where_asked_for(monkeypatch):
    """A row each, ours in two columns, and the evaluations that one of them counts."""
    made = []

    class Counting(Fake):
        def run(self, seed):
            return replace(super().run(seed), evaluations=np.full(CURVES, 200.0))

    def entry(key):
        kind, name = (Counting, f"upturn, {key}") if key.startswith("ours") else (Fake, key)

        def make(problem, threads):
            made.append(key)
            return kind(name, draws=1600 if "16000" in key else 400)

        return SimpleNamespace(make=make)

    keys = ("ours", "ours-16000", "nutpie-loop", "nutpie-loop-long")
    monkeypatch.setattr(samplers, "REGISTRY", {key: entry(key) for key in keys})
    truth = np.tile([0.0, *stats.norm.ppf(measures.LEVELS)], (CURVES, 1))
    monkeypatch.setattr(draws_a_second, "reference", lambda *_: (truth, np.ones(CURVES)))
    found = draws_a_second.run(seeds=40, peers=("loop",), long=True, datasets=["open-models"])
    assert made == list(keys)
    text = draws_a_second.table(found)
    assert "ours ×, worst curve | ours-16000 ×, worst curve" in " ".join(text.split())
    cost = found["datasets"]["open-models"]["samplers"]["upturn, ours"]["per_evaluation"]
    # 400 draws of 200 evaluations, known to √(2/40) = 22 % on each curve
    assert cost["median"][0] == pytest.approx(2, rel=0.6)
    assert found["datasets"]["open-models"]["samplers"]["nutpie-loop"]["per_evaluation"] is None
    assert text.count("| nutpie-loop ") == 1
    found = draws_a_second.run(seeds=1, peers=("loop",), datasets=["open-models"])
    assert made[len(keys) :] == ["ours", "nutpie-loop"]


def test_precision_names_the_worst_curve_and_its_bias(monkeypatch, tmp_path):
    """Of 40 seeds: an offset of .5 sd is known to .05 / √40, and leaves 4 effective draws."""

    class Off(Fake):
        def run(self, seed):
            answer = super().run(seed)
            answer.draws["changepoint"][3] += 0.5
            return replace(answer, evaluations=np.full(CURVES, 200.0))

    made = {"ours": SimpleNamespace(make=lambda *_: Off("upturn, 4,000 draws", draws=400))}
    monkeypatch.setattr(samplers, "REGISTRY", made)
    truth = np.tile([0.0, *stats.norm.ppf(measures.LEVELS)], (CURVES, 1))
    monkeypatch.setattr(draws_a_second, "reference", lambda *_: (truth, np.ones(CURVES)))
    found = precision.run(seeds=40, datasets=["open-models"], threads=1)
    header, _, line = (
        [cell.strip() for cell in line.split(" | ")] for line in precision.table(found).splitlines()
    )
    shown = dict(zip(header, line, strict=True))
    assert shown["worst curve, mean"] == found["datasets"]["open-models"]["curves"][3]
    assert float(shown["its bias, sd |"].removesuffix("|")) == pytest.approx(0.5, abs=0.04)
    assert float(shown["worst, mean"]) == pytest.approx(4 / 200, rel=0.2)
    assert float(shown["median, mean"]) == pytest.approx(2, rel=0.6)
    assert shown["known to, %"] == "22"
    path = tmp_path / "precision.json"
    path.write_text(
        json.dumps({"machine": report.machine(), "precision": found}, default=report.plain)
    )
    text = page.render([path], tmp_path / "docs")[0].read_text("utf-8")
    assert "## Draws an evaluation, from many seeds" in text
    assert precision.table(found) in text


def test_time_left_is_that_of_turns_to_come():
    assert (
        draws_a_second.left({"a": [1.0, 3.0], "b": [5.0], "c": []}, {"a": 5, "b": 1, "c": 2}) == 6
    )


def test_z_scores_of_agreeing_samplers_are_standard_normal():
    rng = np.random.default_rng(SEED)
    for replicates in (4, 32):
        ours = measures.by_replicates(rng.standard_normal((20_000, replicates, 30)))
        exact = (Moment(0.0, 0.0, np.inf), Moment(1.0, 0.0, np.inf))
        z = measures.z_score(ours[0], exact[0])
        assert abs(z.mean()) < 4 / np.sqrt(20_000)
        assert z.std() == pytest.approx(1, abs=0.03)
        tally = Tally.of(z)
        assert tally.beyond_3 == pytest.approx(tally.expected_3, abs=5 * np.sqrt(54))


@pytest.mark.parametrize(("centre", "spread"), [(0.1, 1.0), (0.0, 1.1), (0.0, 10.0)])
def test_z_scores_of_liars_are_large(centre, spread):
    rng = np.random.default_rng(SEED)
    ours = measures.by_replicates(centre + spread * rng.standard_normal((50, 32, 1000)))
    z = [
        measures.z_score(moment, Moment(value, 0.002, np.inf))
        for moment, value in zip(ours, (0.0, 1.0), strict=True)
    ]
    assert Tally.of(np.concatenate(z)).beyond_4 >= 45


def test_errors_of_chains_come_with_their_convergence():
    rng = np.random.default_rng(SEED)
    noise = rng.standard_normal((4, 4000))
    chains = np.zeros_like(noise)
    for i in range(1, 4000):
        chains[:, i] = 0.9 * chains[:, i - 1] + noise[:, i]
    mean, sd, rhat, ess = measures.by_chains(chains)
    assert ess == pytest.approx(16_000 * 0.1 / 1.9, rel=0.3)
    assert mean.error == pytest.approx(sd.value / np.sqrt(ess), rel=0.3)
    assert rhat < stored.LARGEST_RHAT
    chains[0] += 10
    assert measures.by_chains(chains)[2] > stored.LARGEST_RHAT


def test_coverage_of_the_truth_is_the_level_and_of_a_shift_is_not():
    rng = np.random.default_rng(SEED)
    centre = rng.standard_normal(2000)
    truth = centre + rng.standard_normal(2000)
    draws = centre[:, None] + rng.standard_normal((2000, 400))
    right = coverage.coverage(draws, truth)
    assert right["covered"] == pytest.approx(0.9, abs=4 * right["error"])
    assert right["mean_rank"] == pytest.approx(0.5, abs=0.03)
    assert coverage.coverage(draws + 1, truth)["covered"] < 0.8
    assert (
        coverage.coverage(centre[:, None] + 0.5 * (draws - centre[:, None]), truth)["covered"]
        < 0.65
    )
