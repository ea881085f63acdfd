"""Pareto smoothing, against ArviZ and against tails of known shape."""

import os

import numpy as np
import pytest
from scipy import stats

from upturn.sampling.particles import pareto, weights

SEED = int(os.environ.get("UPTURN_TEST_SEED", "0"))


@pytest.fixture
def rng():
    return np.random.default_rng(SEED)


def test_arviz_smooths_the_same(rng):
    """Rows of different tails, and zero weights, in one call: as ArviZ has them one by one."""
    from arviz_stats.base import array_stats

    rows = rng.normal(size=(40, 2000)) * np.linspace(0.2, 6, 40)[:, None]
    rows[::3, :500] = -np.inf
    smooth, khat = pareto.smoothed(rows)
    for row, ours, shape in zip(rows, smooth, khat, strict=True):
        finite = np.isfinite(row)
        theirs, k = array_stats.psislw(-row[finite])
        assert shape == pytest.approx(float(k), abs=1e-9)
        np.testing.assert_allclose(
            weights.normalised(ours[finite]), weights.normalised(theirs), rtol=1e-7
        )


def test_rows_do_not_depend_on_their_company(rng, monkeypatch):
    """Blocks of rows give what the rows give by themselves, to the bit."""
    rows = rng.standard_t(3, size=(7, 600))
    monkeypatch.setattr(pareto, "LARGEST_BLOCK", 20_000)
    smooth, khat = pareto.smoothed(rows)
    for row, ours, shape in zip(rows, smooth, khat, strict=True):
        by_itself, k = pareto.smoothed(row)
        np.testing.assert_array_equal(by_itself, ours)
        assert k == shape


@pytest.mark.parametrize("k", [-0.3, 0.2, 0.5, 0.9])
def test_khat_of_tails_of_known_index(k):
    """Weights with a generalised Pareto tail of index k: the mean of ten estimates is within 0.12.

    One estimate from 20,000 weights has an sd of 0.04 to 0.08, their mean one of 0.025 at most,
    and the prior of the estimator pulls by up to 0.03: fails by chance for one seed in 2,000.
    """
    tail = stats.genpareto(k)
    rng = np.random.default_rng(SEED)
    log_weights = np.log(tail.rvs((10, 20_000), random_state=rng))
    estimates = [pareto.smoothed(row)[1] for row in log_weights]
    assert np.mean(estimates) == pytest.approx(k, abs=0.12)


def test_khat_tells_a_wide_proposal_from_a_narrow_one(rng):
    """The sign: proposing too wide bounds the weights, proposing too narrow does not.

    For N(0, 1) proposed from N(0, s) the index is 1 - s^2 (Vehtari et al. 2024).
    """
    khat = {}
    for s in (0.3, 2.0):
        x = s * rng.normal(size=(5, 20_000))
        log_weights = stats.norm.logpdf(x) - stats.norm.logpdf(x, scale=s)
        khat[s] = np.mean([pareto.smoothed(row)[1] for row in log_weights])
    # 0.91 with an sd of 0.04
    assert khat[0.3] > weights.LARGEST_K > 0.3 > khat[2.0]


def test_smoothing_changes_the_tail_only_and_keeps_the_order(rng):
    log_weights = stats.genpareto(0.5).logsf(rng.random(4000)) * -1 + rng.normal(size=4000)
    smooth, _ = pareto.smoothed(log_weights)
    tail = np.argsort(log_weights)[-int(3 * np.sqrt(4000)) :]
    rest = np.setdiff1d(np.arange(4000), tail)
    shift = smooth[rest] - log_weights[rest]
    np.testing.assert_allclose(shift, shift[0], atol=1e-9)
    assert (np.diff(smooth[np.argsort(log_weights)]) >= -1e-12).all()
    # no weight above the largest one before
    assert smooth.max() - smooth[rest].max() <= np.ptp(log_weights[[tail[-1], tail[0]]]) + 1


def test_smoothing_does_not_depend_on_the_level(rng):
    log_weights = rng.normal(size=2000) * 2
    one, khat = pareto.smoothed(log_weights)
    other, khat_other = pareto.smoothed(log_weights - 1e4)
    assert khat_other == pytest.approx(khat, abs=1e-6)
    np.testing.assert_allclose(weights.normalised(one), weights.normalised(other), rtol=1e-6)


def padded(values, size, rest):
    return np.concatenate((np.asarray(values, dtype=float), np.full(size - len(values), rest)))


@pytest.mark.parametrize(
    ("log_weights", "khat"),
    [
        (np.zeros(100), -np.inf),
        (np.full(4096, -1e100), -np.inf),
        (padded(np.zeros(500), 1000, -np.inf), -np.inf),
        (padded(np.ones(300), 1000, 0.0), -np.inf),
        (np.repeat(np.arange(10.0), 100), -np.inf),
        (np.full(100, -np.inf), np.inf),
        (padded([0.0], 1000, -np.inf), np.inf),
        (padded(np.zeros(4), 1000, -np.inf), np.inf),
        (padded(np.arange(5.0), 1000, -np.inf), np.inf),
        (np.arange(24.0), np.inf),
        (padded([0.0], 1000, -800.0), np.inf),
        (padded([0.0, -0.5, -1.0], 1000, -1e100), np.inf),
        (padded([1.0, 1.0, 1.0], 1000, 0.0), np.inf),
    ],
    ids=[
        "all equal",
        "all equal and tiny",
        "half equal, half zero",
        "the largest third equal",
        "ten values",
        "all zero",
        "one positive",
        "four positive",
        "five positive",
        "too few for a tail",
        "one dominates",
        "three dominate",
        "three above many equal",
    ],
)
def test_weights_without_a_tail_to_fit(log_weights, khat):
    """-inf: bounded, as good as it gets; inf: nothing to trust. No warning, no error, no nan."""
    smooth, got = pareto.smoothed(log_weights)
    assert got == khat
    assert smooth.shape == log_weights.shape
    assert not np.isnan(smooth).any()
    np.testing.assert_array_equal(np.isneginf(smooth), np.isneginf(log_weights))
    finite = np.isfinite(log_weights)
    if finite.any():
        np.testing.assert_allclose(
            weights.normalised(smooth[finite]), weights.normalised(log_weights[finite])
        )


def test_zero_weights_stay_zero(rng):
    log_weights = rng.normal(size=1000)
    log_weights[::3] = -np.inf
    smooth, khat = pareto.smoothed(log_weights)
    np.testing.assert_array_equal(np.isneginf(smooth), np.isneginf(log_weights))
    kept, khat_kept = pareto.smoothed(log_weights[np.isfinite(log_weights)])
    assert khat == khat_kept
    np.testing.assert_array_equal(smooth[np.isfinite(smooth)], kept)


@pytest.mark.parametrize("count", [25, 26, 29, 30, 224, 225, 226, 227, 250])
def test_every_small_number_of_weights(rng, count):
    """Around the sizes at which the length of the tail changes its rule."""
    for equal in range(0, count, 7):
        log_weights = rng.normal(size=count)
        log_weights[: equal + 1] = 9.0
        _, khat = pareto.smoothed(log_weights)
        assert not np.isnan(khat)
