"""The error measure: right samplers pass, wrong ones are found."""

import json
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:  # `python -m pytest` puts it there, `pytest` does not
    sys.path.insert(0, str(ROOT))
from benchmarks.output import report
from benchmarks.references import measures
from benchmarks.references.measures import Reduced
from benchmarks.speed import contest
from tests.support.answers_of_samplers import CURVES, answer, truth


def judged(seeds=4, **how):
    return measures.judged([Reduced.of(answer(seed, **how)) for seed in range(seeds)], truth())


def test_an_honest_sampler_is_right_and_counts_its_draws():
    """Wrong by chance once in 300: 50 errors, each beyond 4 with probability 6e-5."""
    found = judged(seeds=10, evaluations=np.full(CURVES, 8000.0))
    assert found["wrong"] == 0
    assert found["runs"] == 10 * CURVES
    assert np.abs(found["bias"]).max() < 0.1
    assert np.median(found["effective"][:, 0]) == pytest.approx(4000, rel=0.8)
    cost = found["per_evaluation"]
    assert cost["evaluations"] == [8000, 8000]
    np.testing.assert_allclose(cost["median"], np.median(found["effective"], axis=0) / 8000)
    np.testing.assert_allclose(cost["worst"], np.min(found["effective"], axis=0) / 8000)
    assert found["large_rhat"] == 0


def test_a_sampler_that_returns_the_prior_is_wrong_everywhere_and_knows_nothing_of_it():
    found = judged(centre=0.5, spread=3.0)
    assert found["wrong"] == found["wrong_unflagged"] == found["runs"]


def test_a_prior_centred_where_the_posterior_is_is_caught_by_its_quantiles():
    found = judged(spread=3.0)
    assert np.abs(found["bias"]).max() > 20 * measures.MOST_BIAS
    assert found["worst"].min() < 2


def test_a_mean_shifted_by_a_fifth_of_a_standard_deviation_is_wrong():
    found = judged(centre=0.2)
    assert found["wrong_unflagged"] == found["runs"]
    assert found["effective"][:, 0].max() < 40


def test_the_parameter_that_is_farthest_off_is_named():
    runs = [Reduced.of(answer(seed)) for seed in range(2)]
    off = runs[0].mean["floor"] + np.where(np.arange(CURVES) == 2, 1.0, 0.0)
    runs[0] = replace(runs[0], mean=runs[0].mean | {"floor": off})
    found = measures.judged(runs, truth())
    row = {"title": "liar", "problem": "", **found}
    assert found["wrong"] == 1
    assert found["z_by_parameter"]["changepoint"] < measures.WRONG
    one = {"functionals": measures.FUNCTIONALS, "samplers": {"liar": row}}
    assert f"{found['z'].max():.3g} (floor)" in contest.accuracy_table(one)
    lost = replace(runs[0], mean=runs[0].mean | {"floor": np.full(CURVES, np.nan)})
    assert measures.judged([lost, runs[1]], truth())["wrong"] == CURVES


def test_chains_apart_are_flagged_and_excuse_themselves_by_their_error():
    found = judged(apart=3.0)
    assert found["flagged"] == found["large_rhat"] == found["runs"]
    assert found["wrong_unflagged"] == 0


def test_what_a_sampler_objects_to_is_flagged():
    said = np.arange(CURVES) == 1
    assert Reduced.of(answer(0, objections=said)).flagged.tolist() == said.tolist()


def test_weights_are_taken_at_their_own_size():
    """Draws resampled from few weighted points are worth those, whatever ArviZ would say."""
    few = Reduced.of(answer(0, ess=np.full(CURVES, 25.0)))
    assert (few.error["changepoint"] >= 0.19).all()
    assert few.flagged.all()


def test_a_run_survives_its_way_through_json():
    run = Reduced.of(answer(1, evaluations=np.arange(5.0)))
    back = contest.reduced(json.loads(json.dumps(asdict(run), default=report.plain)))
    assert back.seconds == run.seconds
    np.testing.assert_array_equal(back.flagged, run.flagged)
    np.testing.assert_array_equal(back.mean["floor"], run.mean["floor"])
    np.testing.assert_array_equal(back.evaluations, run.evaluations)
