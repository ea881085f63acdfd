"""Curves of counts, and judged samplers."""

import numpy as np

from benchmarks.problems.pymc_models import Counts

SEED = 20260


def curve(*, chance=0.0, points=8, trials=200, seed=3):
    """One curve of counts that rises in the middle."""
    rng = np.random.default_rng(seed)
    u = np.linspace(0, 1, points)
    mean = np.maximum(np.nan_to_num(chance) + 0.02, 0.8 * np.maximum(u - 0.4, 0) / 0.6)
    n = np.full(points, float(trials))
    return Counts(
        u,
        rng.binomial(trials, mean).astype(float),
        n,
        np.zeros(points, int),
        np.array([chance]),
        np.ones(1),
    )
