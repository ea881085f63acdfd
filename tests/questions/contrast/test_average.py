"""The average over tasks: its error knows that tasks share their models."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, special, stats

import upturn
from tests.support.contrasts import curves_of, table
from upturn.model import Model
from upturn.questions.contrast.gains import GAINS, Paired
from upturn.questions.contrast.pairing import paired
from upturn.sampling.density.pointwise import by_group
from upturn.sampling.density.target import Target

ROOT = Path(__file__).parents[3]
if str(ROOT) not in sys.path:  # `python -m pytest` puts it there, `pytest` does not
    sys.path.insert(0, str(ROOT))


def width(found):
    """Of the 90 % interval of the average gain at the largest scale."""
    row = found.average().iloc[0]
    return row["gain_largest_high"] - row["gain_largest_low"]


@pytest.mark.parametrize("scatter", [0.0, 0.1])
def test_the_density_of_a_pair_is_the_integral_over_its_offset(scatter):
    """Against SciPy's quadrature of the two beta-binomials of a model."""
    joint = paired(curves_of(table(np.random.default_rng(2), count=5)), "cot", "direct")
    growing = next(gain for gain in GAINS if gain.name == "growing")
    model = Paired.of(Model.read("logit-line"), growing)
    target = Target(model, joint, model.likelihood_for("counts"))
    values = {"floor": 0.01, "intercept": -2.5, "slope": 4.0}
    values |= {"gain": -0.7, "gain_change": 0.3, "gain_growth": 3.0}
    values |= {"overdispersion": 0.1, "scatter": scatter}
    p = {name: np.full((1, 1, 1), values[name]) for name in target.names}
    found = by_group(target, 0, p, joint.group[0])[:, 0]
    rho = values["overdispersion"] ** 2
    size = 1 / rho - 1

    def density(pair, epsilon):
        out = stats.norm.pdf(epsilon)
        u = joint.u[0, 0, pair] + scatter * epsilon
        growth = -0.7 + 3 * max(u - 0.3, 0) / 0.7
        for point, gain in ((pair, 0.0), (pair + 5, growth)):
            score = 0.01 + 0.99 * special.expit(-2.5 + 4 * u)
            mean = special.expit(special.logit(score) + gain)
            k, n = joint.response[0, point], joint.trials[0, point]
            out *= stats.betabinom.pmf(k, n, mean * size, (1 - mean) * size)
        return out

    exact = [integrate.quad(lambda e, i=i: density(i, e), -8, 8)[0] for i in range(5)]
    np.testing.assert_allclose(found, np.log(exact), atol=2e-3)


@pytest.mark.slow
def test_copies_of_a_task_are_worth_no_more_than_the_task():
    """As if four copies had models of their own, the interval would be half as wide as of one.

    The jackknife knows that they have not. Of twelve models it is right to a fifth or so.
    """
    one = table(np.random.default_rng(6), count=12)
    copies = pd.concat([one.assign(task=f"copy {i}") for i in range(4)])
    alone, together = (
        upturn.contrast(frame, "cot:direct", models=["logit-line"], draws=200, threads=1)
        for frame in (one, copies)
    )
    assert together.average().iloc[0]["tasks"] == 4
    assert 0.7 < width(together) / width(alone) < 1.6


@pytest.mark.slow
def test_intervals_of_the_average_hold_where_models_gain_more_or_less():
    """Of 12 tables and two ends, 90 % intervals hold at least 16 of 24.

    By chance fewer hold with a probability below 0.01 if ends are independent, and below 0.03 if
    both ends of a table hold together.
    """
    from benchmarks.accuracy import averages

    held = 0
    for number in range(12):
        frame, truth = averages.simulated(np.random.default_rng([12, number]), 0.4, 4)
        found = upturn.contrast(
            frame, "cot:direct", models=["logit-line"], draws=100, seed=number, threads=1
        )
        row = found.average().iloc[0]
        held += sum(
            row[f"gain_{end}_low"] <= truth[end] <= row[f"gain_{end}_high"] for end in truth
        )
    assert held >= 16
