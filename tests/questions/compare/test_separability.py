"""How far axes can be told apart: rank correlation, order, linearity."""

import numpy as np
import pytest
from scipy import stats

from upturn.questions.compare import separability

MASK = np.ones((1, 12), dtype=bool)
U = np.linspace(0, 1, 12)[None]


def pair(first, second, mask=MASK):
    return separability.pairs(("a", "b"), np.stack([first, second]), mask)[0]


def test_one_axis_and_a_multiple_of_it():
    found = pair(U, U + 0.01 * np.sin(20 * U))
    assert (found.kind, found.alike, found.linear) == (separability.SAME, 1, 1)
    assert found.spearman == pytest.approx(1)


def test_the_same_order_with_other_distances():
    found = pair(U, U**3)
    assert (found.kind, found.alike, found.linear) == (separability.SHAPE, 1, 0)


def test_rank_correlation_is_that_of_scipy():
    other = np.random.default_rng(0).permutation(U[0]).round(1)[None]
    found = pair(U, other)
    assert found.kind == separability.APART
    assert found.spearman == pytest.approx(stats.spearmanr(U[0], other[0]).statistic)


def test_ties_on_one_axis_only_are_another_order():
    assert pair(U, np.floor(3 * U)).kind == separability.APART


def test_curves_are_pooled_within_themselves():
    """Two curves, on whose points the axes disagree, one far above the other."""
    first = np.concatenate([U, U])
    second = np.concatenate([U[:, ::-1], U[:, ::-1]])
    found = pair(first, second, np.ones((2, 12), dtype=bool))
    assert found.spearman == pytest.approx(-1)
    half = pair(first, np.concatenate([U, U[:, ::-1]]), np.ones((2, 12), dtype=bool))
    assert half.spearman == pytest.approx(0, abs=1e-12)
    assert half.alike == 0.5


def test_padding_does_not_count():
    mask = np.arange(12)[None] < 6
    padded = np.where(mask, U, 0.0)
    assert pair(padded, padded, mask).kind == separability.SAME
    other = np.where(mask, U[:, ::-1], 0.0)
    assert pair(padded, other, mask).spearman == pytest.approx(-1)


def test_every_pair_is_there():
    found = separability.pairs(("a", "b", "c"), np.stack([U, U, U]), MASK)
    assert [(p.first, p.second) for p in found] == [("a", "b"), ("a", "c"), ("b", "c")]


def test_points_at_one_scale_have_no_correlation():
    assert np.isnan(pair(np.zeros((1, 12)), U).spearman)
