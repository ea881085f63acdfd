"""Small tables of one or two tasks, and their fits."""

import numpy as np
import pandas as pd

import upturn


def emergent(truth=22.0, points=16, seed=0, **columns):
    """Chance up to the truth, then a saturating rise: counts of 1,000."""
    generator = np.random.default_rng(seed)
    x = np.linspace(20, 24, points)
    rate = 0.25 + 0.7 * -np.expm1(-2.0 * np.maximum(x - truth, 0))
    return pd.DataFrame(
        {
            "task": "t",
            "model": [f"m{i}" for i in range(points)],
            "flops": 10**x,
            "successes": generator.binomial(1000, rate),
            "trials": 1000,
            "chance": 0.25,
        }
    ).assign(**columns)


def flat(**columns):
    return emergent(truth=99.0).assign(**columns)


def high(**columns):
    """Well above chance from the start."""
    frame = emergent()
    return frame.assign(successes=np.linspace(600, 950, len(frame)).astype(int), **columns)


def tasks(*frames):
    return pd.concat([f.assign(task=f"t{i}") for i, f in enumerate(frames)])


def answer(frame, **options):
    """The row of a fit of one curve, with its texts."""
    fit = upturn.fit(frame, **{"draws": 400, **options})
    return fit, fit.summary().iloc[0], fit.texts().iloc[0]
