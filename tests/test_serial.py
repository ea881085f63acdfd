"""Noise that is correlated along a run: normalised, and near the latent process that it stands for."""

from itertools import product

import numpy as np
import pytest
from scipy import special, stats

from upturn import kernels, serial
from upturn.arrays import NUMPY
from upturn.curves import Curves
from upturn.likelihoods import LIKELIHOODS, Data, left_out
from upturn.model import Model
from upturn.results import read
from upturn.sampling.target import Target
from upturn.simulate import draw

AR = LIKELIHOODS["beta-binomial-ar"]


def one_after_another(mean, rho, phi, y, n):
    """The log density of scores (point,) with binomial coefficients, by the formulas and SciPy."""
    p = {"overdispersion": np.sqrt(rho), serial.CORRELATION: phi}
    state, total = (0.0, 1.0), 0.0
    for m, k, trials in zip(mean, y, n, strict=True):
        moved, given, scale = serial.conditional(NUMPY, m, p, *state)
        size = 1 / given["overdispersion"] ** 2 - 1
        total += stats.betabinom.logpmf(k, trials, moved * size, (1 - moved) * size)
        state = serial.updated(NUMPY, moved, given, scale, state, k, trials)
    return total


def by_kernel(mean, rho, phi, y, n):
    """The same by the compiled loop."""
    y, n = (np.asarray(each, dtype=float)[None] for each in (y, n))
    out = np.zeros((1, 1, 1))
    p = {"overdispersion": np.full((1, 1, 1), np.sqrt(rho)), serial.CORRELATION: np.full((1, 1, 1), phi)}
    AR.total(np.asarray(mean)[None, :, None], p, Data(y, n, np.zeros(y.shape, np.int32)), out)
    choose = special.gammaln(n + 1) - special.gammaln(y + 1) - special.gammaln(n - y + 1)
    return out[0, 0, 0] + choose.sum()


def cases(count, points, seed=0, most=400):
    rng = np.random.default_rng(seed)
    for _ in range(count):
        n = rng.integers(1, most, points)
        mean, rho, phi = rng.uniform(0.02, 0.98, points), rng.uniform(1e-3, 0.3), rng.uniform(0, 1)
        yield mean, rho, phi, rng.binomial(n, mean), n


def test_the_compiled_loop_is_the_formulas():
    for case in cases(50, 6):
        assert by_kernel(*case) == pytest.approx(one_after_another(*case), abs=1e-7)


def test_probabilities_of_all_scores_sum_to_one():
    mean, n = [0.1, 0.5, 0.8], [3, 4, 2]
    for rho, phi in product((0.01, 0.3), (0.0, 0.6, 1.0)):
        every = product(*(range(trials + 1) for trials in n))
        total = sum(np.exp(by_kernel(mean, rho, phi, y, n)) for y in every)
        assert total == pytest.approx(1, abs=1e-10)


def test_without_correlation_scores_are_independent():
    for mean, rho, _, y, n in cases(20, 6, seed=1):
        size = 1 / rho - 1
        plain = stats.betabinom.logpmf(y, n, mean * size, (1 - mean) * size).sum()
        assert by_kernel(mean, rho, 0.0, y, n) == pytest.approx(plain, abs=1e-7)
