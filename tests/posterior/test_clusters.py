"""Errors of sums and averages whose parts share something."""

import numpy as np
import pytest

from upturn.posterior.clusters import clustered_error, jackknife_error


def test_the_jackknife_of_a_mean_of_clusters_is_their_clustered_error():
    """With clusters of one size both are the textbook's standard error of the clusters' means."""
    rng = np.random.default_rng(3)
    values = rng.normal(size=(15, 4)) + rng.normal(size=(15, 1))
    without = np.array([np.delete(values, g, axis=0).mean() for g in range(15)])
    code = np.repeat(np.arange(15), 4)
    expected = clustered_error(values.ravel(), code) / values.size
    assert jackknife_error(without) == pytest.approx(expected)
