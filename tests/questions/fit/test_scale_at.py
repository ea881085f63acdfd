"""scale_at: where the expected score reaches a level, by formula and within what was tested."""

import numpy as np
import pandas as pd
import pytest

import upturn
from upturn.checks.errors import DataError

FLOPS = 10.0 ** np.linspace(20, 24, 25)
CHANCE, HEIGHT = 0.25, 0.6


def expected(x):
    """A line from chance at 10^21 to .85 at 10^24."""
    return CHANCE + HEIGHT * np.clip((np.log10(x) - 21) / 3, 0, 1)


@pytest.fixture(scope="module")
def fit():
    rising = pd.DataFrame({"flops": FLOPS, "score": expected(FLOPS), "task": "rises"})
    flat = rising.assign(score=0.6 + 0.001 * (np.arange(25) % 2), task="flat")
    table = pd.concat([rising, flat]).assign(trials=100_000, chance=CHANCE)
    models = np.tile([f"m{i}" for i in range(25)], 2)
    return upturn.fit(table.assign(model=models), model="ramp", draws=400)


def at(frame, level, task="rises"):
    return frame[frame["level"] == level].loc[task]


def test_levels_of_each_kind_are_where_the_line_has_them(fit):
    found = fit.scale_at(score=[0.4, 0.7], rise=0.3, share=0.5, extra=0.2)
    wanted = {
        "score 0.4": 0.15, "score 0.7": 0.45, "rise 0.3": 0.3,
        "share 0.5": 0.5 * HEIGHT, "extra 0.2": 0.2 * (1 - CHANCE),
    }  # fmt: skip
    assert found["level"].unique().tolist() == list(wanted)
    for level, rise in wanted.items():
        row = at(found, level)
        place = 21 + 3 * rise / HEIGHT
        # 100,000 trials a score: a standard deviation of the place is below .01 decades
        assert abs(np.log10(row["scale"]) - place) < 0.06
        assert row["low"] <= row["scale"] <= row["high"]
        assert not row["censored"]


def test_the_headline_scale_is_the_one_of_a_score_of_chance_and_delta(fit):
    row, scale = at(fit.scale_at(score=CHANCE + 0.1), "score 0.35"), fit.summary().loc["rises"]
    np.testing.assert_allclose(row[["scale", "low", "high"]].astype(float),
                               scale[["scale", "scale_low", "scale_high"]].astype(float),
                               rtol=1e-3)  # fmt: skip


def test_what_lies_beyond_the_tested_scales_is_censored(fit):
    found = fit.scale_at(score=[0.1, 0.99])
    assert (at(found, "score 0.1")["scale"], at(found, "score 0.99")["scale"]) == (0, np.inf)
    assert found["censored"].all()
    # a score that does not change is above a level at all scales, or at none
    assert at(found, "score 0.1", "flat")["scale"] == 0
    assert at(fit.scale_at(score=0.8), "score 0.8", "flat")["scale"] == np.inf
    assert at(fit.scale_at(rise=0.2), "rise 0.2", "flat")["scale"] == np.inf


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "scale_at: expected a level, but got none"),
        ({"share": 1.5}, "share: expected a share between 0 and 1, but got 1.5"),
        ({"score": float("nan")}, "score: expected a number, but got nan"),
        ({"rise": "a"}, "rise: expected a number, but got 'a'"),
    ],
)
def test_levels_that_are_none(fit, arguments, message):
    with pytest.raises(DataError, match=message):
        fit.scale_at(**arguments)
