"""Prevalence: Gibbs sampling against the sum over every way to sort a small table."""

from itertools import product

import numpy as np
import pytest
from scipy.special import gammaln, logsumexp

from upturn.posterior.prevalence import equal, learned

TABLES = {
    "clear": [[0, -6, -6], [-6, 0, -6], [-6, 0, -5], [0, -7, -3]],
    "vague": [[0, -0.5, -1], [-0.3, 0, -2], [-1, 0, 0], [-0.2, -0.1, 0], [0, -1, 0]],
    "one sided": [[0, -1.5, -30]] * 6 + [[-1.2, 0, -1.0]],
    "one curve": [[0, -2.0, -1.0]],
}


def exact(log_evidence):
    """Shares and class probabilities: assignments weighed by the Dirichlet-multinomial."""
    curves, classes = log_evidence.shape
    ways = np.array(list(product(range(classes), repeat=curves)))
    counts = (ways[:, :, None] == np.arange(classes)).sum(axis=1)
    log_weight = log_evidence[np.arange(curves), ways].sum(axis=1)
    log_weight = log_weight + gammaln(1 + counts).sum(axis=1)
    weight = np.exp(log_weight - logsumexp(log_weight))
    alpha, total = 1 + counts, classes + curves
    share = weight @ (alpha / total)
    square = weight @ (alpha * (alpha + 1) / (total * (total + 1)))
    is_in = (ways[:, :, None] == np.arange(classes)).astype(float)
    probability = np.einsum("w,wcl->cl", weight, is_in)
    return share, np.sqrt(square - share**2), probability


@pytest.mark.parametrize("name", TABLES)
def test_gibbs_agrees_with_enumeration(name):
    log_evidence = np.array(TABLES[name], dtype=float)
    share, sd, probability = exact(log_evidence)
    found = learned(log_evidence, seed=0)
    np.testing.assert_allclose(found.share, share, atol=0.015)
    np.testing.assert_allclose(found.share_sd, sd, atol=0.015)
    np.testing.assert_allclose(found.probability, probability, atol=0.015)


def test_gibbs_has_no_bias_that_more_seeds_would_show():
    log_evidence = np.array(TABLES["vague"], dtype=float)
    _, _, probability = exact(log_evidence)
    runs = np.stack([learned(log_evidence, seed=s).probability for s in range(12)])
    error = runs.std(axis=0, ddof=1) / np.sqrt(len(runs))
    assert (np.abs(runs.mean(axis=0) - probability) < 5 * error + 1e-4).all()


def test_equal_odds_leave_each_curve_by_itself():
    log_evidence = np.array([[0, np.log(3), np.log(4)], [-1000, -1000 + np.log(2), -1e9]])
    found = equal(log_evidence)
    np.testing.assert_allclose(found.probability[0], [1 / 8, 3 / 8, 4 / 8])
    np.testing.assert_allclose(found.probability[1], [1 / 3, 2 / 3, 0], atol=1e-12)
    np.testing.assert_allclose(found.share, 1 / 3)
    assert (found.share_sd == 0).all()


def test_a_constant_added_to_a_curve_changes_nothing():
    log_evidence = np.array(TABLES["vague"], dtype=float)
    shifted = log_evidence + np.array([[-5e4], [3], [0], [700], [-1]])
    np.testing.assert_allclose(
        learned(shifted, seed=2).probability, learned(log_evidence, seed=2).probability, atol=1e-9
    )


def test_the_same_seed_gives_the_same_answer():
    log_evidence = np.array(TABLES["vague"], dtype=float)
    one, two, other = (learned(log_evidence, seed=s).probability for s in (7, 7, 8))
    np.testing.assert_array_equal(one, two)
    assert (one != other).any()


def test_probabilities_sum_to_one():
    found = learned(np.random.default_rng(0).normal(0, 5, (30, 5)), seed=0)
    np.testing.assert_allclose(found.probability.sum(axis=1), 1)
    assert found.share.sum() == pytest.approx(1)


def test_a_hundred_flat_tasks_make_a_doubtful_one_flat():
    """Taken alone it is three to one not flat; among flat ones it is most likely flat."""
    log_evidence = np.zeros((101, 2))
    log_evidence[:100, 1] = -3.0
    log_evidence[100, 1] = np.log(3)
    assert equal(log_evidence).probability[100, 1] == pytest.approx(0.75)
    assert learned(log_evidence, seed=0).probability[100, 1] < 0.2


def test_what_one_curve_says_for_certain_it_keeps_among_any_others():
    log_evidence = np.zeros((101, 2))
    log_evidence[:100, 1] = -30.0
    log_evidence[100, 0] = -30.0
    assert learned(log_evidence, seed=0).probability[100, 1] > 0.999


def test_the_error_is_that_of_the_spread_over_seeds():
    """Of sums over classes, by batch means; 12 seeds.

    A ratio of 2.2 is chi-square with 11 degrees of freedom at 53, one in five million; one of 0.4
    at 1.8, one in a thousand, and that of all at once.
    """
    log_evidence = np.array(TABLES["vague"], dtype=float)
    value = np.array([[1.0, 0.0, 0.5]] * len(log_evidence))
    runs = [learned(log_evidence, seed=s) for s in range(12)]
    sums = np.stack([(run.probability * value).sum(axis=1) for run in runs])
    error = np.sqrt(np.mean([run.error(value) ** 2 for run in runs], axis=0))
    ratio = sums.std(axis=0, ddof=1) / error
    assert (ratio < 2.2).all()
    assert ratio.max() > 0.4
    assert (error < 0.02).all()


def test_nothing_sampled_is_no_error():
    found = equal(np.array(TABLES["vague"], dtype=float))
    assert (found.error(found.probability) == 0).all()


def test_batches_average_to_the_whole():
    found = learned(np.array(TABLES["clear"], dtype=float), seed=0)
    np.testing.assert_allclose(found.batches.mean(axis=0), found.probability)
    np.testing.assert_allclose(found.batches.sum(axis=2), 1)
