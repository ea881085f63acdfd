"""Classify: negative controls, on which nothing may be found."""

import numpy as np
import pandas as pd
import pytest

from tests.support.classifications import task
from upturn.questions.classify.classify import classify
from upturn.tables.results import read

FEW = ("chance", "flat", "logistic", "hinge", "inverse", "u-shaped")


def noisy(mean, trials, rng):
    return rng.binomial(trials, mean) / trials


def jumps(count, points, rng, trials=200):
    """Tasks at chance that jump to 0.8 three fifths of the way."""
    mean = np.where(np.linspace(0, 1, points) > 0.6, 0.8, 0.25)
    return pd.concat([task(f"t{i}", noisy(mean, trials, rng), trials) for i in range(count)])


@pytest.mark.slow
def test_shuffling_the_scales_destroys_emergence():
    """Negative control: the same scores, at the wrong models.

    By chance a shuffled table may still look like a rise: no call may be sure, and few likely.
    """
    rng = np.random.default_rng(1)
    frame = jumps(6, 14, rng)
    found = classify(read(frame), models=(*FEW, "step"), draws=200).summary()
    assert (found["p_emergent"] > 0.9).all()
    parts = [
        part.assign(flops=rng.permutation(part["flops"].to_numpy()))
        for _, part in frame.groupby("task")
    ]
    found = classify(read(pd.concat(parts)), models=(*FEW, "step"), draws=200).summary()
    assert (found["p_emergent"] < 0.9).all()
    assert (found["p_emergent"] > 0.5).sum() <= 1
    assert found["p_emergent"].median() < 0.1


def flat_tables(repeats, tasks, *, points, rng):
    """Tasks at chance under honest noise; overdispersed, as models of one scale are."""
    parts = []
    for i in range(repeats * tasks):
        mean = rng.beta(0.25 * 400, 0.75 * 400, points)
        parts.append(task(f"t{i}", noisy(mean, 100, rng), 100))
    return read(pd.concat(parts)).curves()


@pytest.mark.slow
def test_tables_of_flat_tasks_hold_no_discovery():
    """Three tables of 60 tasks.

    Were one table in twenty to hold a p_emergent above a half, which is allowed, two or more of
    three would with probability 0.007. So one is let pass, and this fails by chance that rarely.
    """
    repeats, tasks = 3, 60
    curves = flat_tables(repeats, tasks, points=8, rng=np.random.default_rng(5))
    found = classify(curves, models=(*FEW, "step"), draws=200)
    alarms = []
    for i in range(repeats):
        part = found.take(slice(i * tasks, (i + 1) * tasks))
        alarms.append(part.summary()["p_emergent"].max() > 0.5)
        assert part.prevalence["flops"].share[part.classes.index("flat")] > 0.7
    assert sum(alarms) <= 1


@pytest.mark.slow
def test_learning_the_prevalence_makes_rare_finds_rarer():
    curves = flat_tables(1, 25, points=8, rng=np.random.default_rng(6))
    found = classify(curves, models=FEW, draws=200)
    alone = found.with_prevalence(False)
    together, apart = found.summary()["p_emergent"], alone.summary()["p_emergent"]
    assert together.max() < apart.max()
    assert together.max() < 0.5
