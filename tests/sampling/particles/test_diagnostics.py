"""Diagnostics: R̂, log evidence with its error, and whether replicates agree."""

import os

import numpy as np
import pytest
from arviz_stats.base import array_stats
from scipy import stats

from upturn.sampling.particles import diagnostics

SEED = int(os.environ.get("UPTURN_TEST_SEED", "0"))


@pytest.fixture
def rng():
    return np.random.default_rng(SEED)


# --- R-hat ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("chains", "draws"), [(4, 1000), (4, 13), (2, 50), (7, 200)])
def test_rhat_is_arvizs_identity_formula(rng, chains, draws):
    z = rng.normal(size=(5, 3, chains, draws)) + 0.1 * rng.normal(size=(5, 3, chains, 1))
    expected = array_stats.rhat(z, method="identity", chain_axis=-2, draw_axis=-1)
    np.testing.assert_allclose(diagnostics.rhat(z), expected.max(axis=1), rtol=1e-12)


def test_rhat_by_hand():
    """Chains (0, 2) and (2, 4): W = 2, variance of means 2, so sqrt(1/2 + 2/2)."""
    draws = np.array([[[[0.0, 2.0], [2.0, 4.0]]]])
    assert diagnostics.rhat(draws) == pytest.approx(np.sqrt(1.5))


def test_rhat_of_agreeing_replicates_is_near_one(rng):
    """Four of 1,000 independent draws, 200 curves of 4 parameters: none above 1.02.

    n (R̂^2 - 1) is about chi-squared with 3 degrees over 3, so one of 800 beyond 1.02 has a
    probability of 10^-23.
    """
    got = diagnostics.rhat(rng.normal(size=(200, 4, 4, 1000)))
    assert got.max() < diagnostics.AGREE_RHAT
    assert got.min() > 0.999


def test_rhat_of_the_worst_parameter(rng):
    z = rng.normal(size=(1, 3, 4, 500))
    z[0, 1, 2] += 1.0  # one replicate, one parameter
    assert diagnostics.rhat(z) > 1.1


def test_rhat_of_draws_that_stand_still():
    """All the same everywhere: they agree. The same within, different between: they do not."""
    same = np.full((1, 1, 4, 10), 3.0)
    assert diagnostics.rhat(same) == 1.0
    apart = same + np.arange(4.0)[:, None]
    assert diagnostics.rhat(apart) == np.inf
    both = np.concatenate((same, np.random.default_rng(0).normal(size=(1, 1, 4, 10))), axis=1)
    assert np.isfinite(diagnostics.rhat(both)).all()


# --- log evidence ---------------------------------------------------------------------------------


def test_log_evidence_is_the_log_of_the_mean_evidence():
    by_replicate = np.log(np.array([[1.0, 2.0, 3.0, 2.0], [5.0, 5.0, 5.0, 5.0]])) - 1000
    got, error = diagnostics.log_evidence(by_replicate, np.array([1e4, 400.0]))
    np.testing.assert_allclose(got, np.log([2.0, 5.0]) - 1000)
    spread = np.std([1, 2, 3, 2], ddof=1) / 2 / 2
    np.testing.assert_allclose(error, [spread, 1 / 20])


def test_the_error_is_the_larger_of_the_two():
    apart = np.log([[1.0, 1.1, 0.9, 1.0]])
    few, many = (diagnostics.log_evidence(apart, np.array([n]))[1] for n in (100.0, 1e8))
    assert few == pytest.approx(0.1)
    assert many == pytest.approx(np.std([1, 1.1, 0.9, 1], ddof=1) / 2, rel=1e-3)


def test_the_error_is_no_smaller_than_the_truth(rng):
    """Four replicates of 500 lognormal weights, 4,000 curves: the sd of what comes out is known.

    1/sqrt(ess) leaves out that weights which are all equal have no error, so it is the larger one,
    here by 1 / sqrt(1 - 0.53) = 1.45; the sd over 4,000 curves is known to 6 % (5 sigma).
    """
    s = 0.8
    log_weights = s * rng.normal(size=(4000, 4, 500)) - s**2 / 2
    by_replicate = np.log(np.exp(log_weights).mean(axis=2))
    w = np.exp(log_weights.reshape(4000, -1))
    ess = w.sum(axis=1) ** 2 / (w**2).sum(axis=1)
    got, error = diagnostics.log_evidence(by_replicate, ess)
    assert abs(got.mean()) < 0.005
    assert error.mean() / got.std() == pytest.approx(1.45, abs=0.15)
    assert (np.abs(got) < 2 * error).mean() > 0.95


# --- agreement ------------------------------------------------------------------------------------


def judged(rng, shift=0.0, ess=2000.0, noise=1.0):
    """Agreement of 500 curves whose fourth replicate is shifted by so many nats."""
    error = np.sqrt(4 / ess)
    by_replicate = noise * error * rng.normal(size=(500, 4)) - 37.0
    by_replicate[:, 3] += shift
    return diagnostics.agree(by_replicate, np.full(500, ess), np.full(500, 1.001), 1000)


def test_replicates_that_differ_as_their_weights_say_agree(rng):
    assert judged(rng).all()
    assert judged(rng, ess=1e6).all()


def test_a_shifted_replicate_is_caught(rng):
    """One of four missed a mode that holds most of the evidence: negative control."""
    assert not judged(rng, shift=-1.0).any()
    assert not judged(rng, shift=-0.5, ess=20_000.0).any()


def test_a_high_rhat_is_caught():
    level = np.full((3, 4), -5.0)
    rhat = np.array([1.0, 1.019, 1.021])
    got = diagnostics.agree(level, np.full(3, 1000.0), rhat, 10**6)
    assert got.tolist() == [True, True, False]


def test_what_cannot_be_computed_does_not_agree():
    level = np.full((2, 4), -5.0)
    assert not diagnostics.agree(level, np.full(2, 1000.0), np.array([np.inf, np.nan]), 1000).any()
    level[:, 0] = np.nan
    assert not diagnostics.agree(level, np.full(2, 1000.0), np.ones(2), 1000).any()


def test_the_bound_is_far_beyond_chance_for_normal_errors():
    """What the constant's comment says: 4 in 10^13."""
    bound = diagnostics.AGREE_EVIDENCE
    assert stats.chi2.sf(3 * bound**2, 3) == pytest.approx(4e-13, rel=0.1)


def test_short_chains_differ_by_chance(rng):
    """Independent draws agree however few they are; the limit fails them once in 10^5."""
    level = np.zeros((2000, 4))
    for draws in (10, 50, 1000):
        rhat = diagnostics.rhat(rng.normal(size=(2000, 3, 4, draws)))
        agree = diagnostics.agree(level, np.full(2000, 1000.0), rhat, draws)
        assert agree.mean() > 0.999
    shifted = rng.normal(size=(200, 1, 4, 10)) + 3 * np.arange(4)[:, None]
    rhat = diagnostics.rhat(shifted)
    assert not diagnostics.agree(level[:200], np.full(200, 1000.0), rhat, 10).any()


# --- what weights are worth -----------------------------------------------------------------------


def test_worth_is_that_of_the_exact_variance(rng):
    """Of N(1, 1) by draws of N(0, 1): the sum of w² (f - mean)², over 100,000 particles.

    Draws stand for it to within 2 %: 4 % would be twice the standard error, seeded.
    """
    x = rng.normal(size=100_000)
    w = np.exp(x - 0.5)
    w /= w.sum()
    mean = (w * x).sum()
    variance = (w * (x - mean) ** 2).sum()
    exact = variance / (w**2 * (x - mean) ** 2).sum() * (w**2).sum()
    kept = rng.choice(len(x), p=w, size=(1, 4, 25_000))
    found = diagnostics.worth(x[kept], w[kept])
    assert exact < 0.8
    assert found == pytest.approx(exact, rel=0.04)


def test_weights_that_are_even_are_worth_what_they_are(rng):
    draws = rng.normal(size=(3, 4, 100))
    assert (diagnostics.worth(draws, np.ones_like(draws)) == 1).all()
    assert (diagnostics.worth(np.ones_like(draws), rng.random(draws.shape)) == 1).all()


def test_worth_is_never_above_one(rng):
    """Where the mean is known better than by independent draws, it is not said."""
    draws = rng.normal(size=(1, 4, 1000))
    assert diagnostics.worth(draws, np.exp(-np.abs(draws))) == 1
