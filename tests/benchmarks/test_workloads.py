"""Workloads of the contest."""

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:  # `python -m pytest` puts it there, `pytest` does not
    sys.path.insert(0, str(ROOT))
from benchmarks.problems import hard_curves, workloads
from benchmarks.problems.pymc_models import PRIORS, Counts
from benchmarks.references import quadrature
from benchmarks.speed import growth
from tests.support.answers_of_samplers import SEED


def test_the_stored_hard_curves_are_what_their_recipe_makes():
    stored = hard_curves.PATH.read_text("utf-8")
    assert stored == hard_curves.table().to_csv(index=False)
    curves = workloads.counts("hard")
    assert curves.name.tolist() == list(hard_curves.CASES)


def test_the_curve_of_two_modes_has_two_modes():
    """By a sum over a net of the prior at each changepoint, by the code that makes references.

    Weights of the net have an effective size of a hundred at the least, so that a density is known
    to a tenth; the valley is a fifth of the lower mode.
    """
    curves = workloads.counts("hard")
    here = list(hard_curves.CASES).index("two modes")
    exact = quadrature.Posterior("hinge", Counts.of(curves).one(here))
    z = stats.norm.ppf(stats.qmc.Sobol(len(exact.names), rng=SEED).random(2**14))
    assert exact.names[0] == "changepoint"

    def density(changepoint):
        p = exact.parameters(z) | {"changepoint": np.full(len(z), changepoint)}
        return exact.log_likelihood(p)

    places = np.array([0.15, 0.19, 0.3, 0.33, 0.36, 0.61, 0.63])
    logs = np.array([density(place) for place in places])
    found = np.exp(logs - logs.max()).mean(axis=1)
    first, valley, second = found[:2].max(), found[2:5].min(), found[5:].max()
    assert valley < 0.3 * min(first, second)
    assert min(first, second) > 0.3 * max(first, second)


def test_padded_counts_hold_every_point_once():
    curves = workloads.counts("hard")
    counts = Counts.of(curves)
    padded = counts.padded()
    assert padded["k"].sum() == counts.successes.sum()
    assert ((padded["k"] + padded["rest"] > 0).sum(axis=1) == curves.points).all()
    five = list(hard_curves.CASES).index("five points")
    np.testing.assert_array_equal(padded["u"][five, :5], counts.one(five).u)


def test_workloads_have_tasks_that_are_there():
    for name, workload in workloads.WORKLOADS.items():
        problem = workloads.problem(name)
        assert len(problem.curves) == (len(workload.tasks) or len(problem.curves))
        assert problem.known_model in PRIORS


@pytest.mark.parametrize("parameters", growth.MODELS)
def test_models_grow_by_their_parameters(parameters):
    problem = growth.problem(curves=2, points=5, parameters=parameters)
    assert len(problem.parameters) == parameters
    assert problem.curves.points.tolist() == [5, 5]


def test_times_are_foretold_by_their_growth():
    rows = [{"size": 10, "seconds": 1.0}, {"size": 100, "seconds": 4.0}]
    assert growth.expected(rows[:1], 100) == pytest.approx(10)
    assert growth.expected(rows, 1000) == pytest.approx(16)
