"""Answers of samplers that are made up."""

import numpy as np
from scipy import stats

from benchmarks import samplers
from benchmarks.references import measures
from benchmarks.references.measures import Truth
from benchmarks.samplers import Answer
from benchmarks.speed import contest

SEED = 20262


CURVES = 5


def answer(seed, *, centre=0.0, spread=1.0, apart=0.0, draws=1000, **more):
    """Four chains of N(centre, spread²) for each curve and two parameters, where N(0, 1) is right.

    `apart` moves the first chain.
    """
    rng = np.random.default_rng([SEED, seed])
    made = centre + spread * rng.standard_normal((2, CURVES, 4, draws))
    made[:, :, 0] += apart
    return Answer(0.5, {"changepoint": made[0], "floor": made[1]}, **more)


def truth():
    """Of N(0, 1), known exactly."""
    zero, one = np.zeros(CURVES), np.ones(CURVES)
    names = ("changepoint", "floor")
    return Truth(
        np.tile([0.0, *stats.norm.ppf(measures.LEVELS)], (CURVES, 1)),
        dict.fromkeys(names, zero), dict.fromkeys(names, one), dict.fromkeys(names, zero),
    )  # fmt: skip


def contested(monkeypatch, entries, **how):
    """A contest on the open models between made up entries."""
    monkeypatch.setattr(samplers, "REGISTRY", entries)
    return contest.run(names=("open-models",), keys=tuple(entries), **how)
