"""Verdicts of fits: falling curves are named, flat ones are not, and twins keep the floor."""

import numpy as np
import pandas as pd
import pytest

import upturn

MODELS = 8
TRIALS = 500


def table(fall, tasks, seed, **columns):
    """Tasks that fall by so much in a straight line, binomial noise."""
    rng = np.random.default_rng(seed)
    frames = []
    for t in range(tasks):
        mean = rng.uniform(0.4, 0.7) - fall * np.linspace(0, 1, MODELS)
        frames.append(pd.DataFrame({
            "task": f"t{t}", "model": [f"m{i}" for i in range(MODELS)],
            "score": rng.binomial(TRIALS, mean) / TRIALS, "trials": TRIALS,
            "params": np.geomspace(1e8, 1e11, MODELS), **columns,
        }))  # fmt: skip
    return pd.concat(frames)


def test_falling_curves_are_said_to_fall():
    """A fall of 0.15 is five standard errors of the difference of two scores."""
    found = upturn.fit(table(0.15, 10, seed=1), axis="params", draws=100).summary()
    assert (found["verdict"] == "falls").all()
    assert found["flags"].str.contains("falls (p = ", regex=False).all()
    assert not found["flags"].str.contains("--axis").any()


def test_flat_curves_are_not():
    found = upturn.fit(table(0.0, 10, seed=2), axis="params", draws=100).summary()
    assert not (found["verdict"] == "falls").any()


def test_the_other_direction_of_an_axis_is_named_where_it_may_be_meant():
    frame = table(0.3, 1, seed=3).rename(columns={"params": "minutes"})
    (flags,) = upturn.fit(frame, axis="minutes", draws=100).summary()["flags"]
    assert flags.endswith("if less is better, --axis minutes:down")
    (verdict,) = upturn.fit(frame, axis="minutes:down", draws=100).summary()["verdict"]
    assert verdict in {"emerges", "probably emerges", "grows from the first model"}


@pytest.mark.parametrize("model", ["gompertz", "logistic", "hinge"])
def test_a_flat_task_at_chance_has_not_changed(model):
    """The twin has the same floor, so that a floor off chance is no change."""
    rng = np.random.default_rng(4)
    frame = table(0.0, 6, seed=4, chance=0.25)
    frame["score"] = rng.binomial(TRIALS, 0.25, len(frame)) / TRIALS
    found = upturn.fit(frame, axis="params", model=model, draws=100).summary()
    assert (found["p_change"] > 0.5).sum() <= 1
    assert set(found["verdict"]) <= {"not yet", "undecided"}
