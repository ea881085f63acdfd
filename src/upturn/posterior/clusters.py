"""Clusters: errors of what is summed or averaged over points that share a model or a family.

Tasks share their models: a model that a technique helps more than others is ahead on all of them.
"""

import numpy as np

from upturn.arrays.types import Floats, Integers


def clustered_error(values: Floats, code: Integers) -> float:
    """Standard error of a sum over points that are independent between clusters only.

    sqrt(G / (G - 1) sum_g (D_g - mean D)^2), D_g the sum within cluster g (Cameron & Miller 2015,
    section II, for a mean); clusters of one point each make it that of Vehtari, Gelman & Gabry
    2017, equation 24. NaN with fewer than two clusters.

    Examples
    --------
    >>> values = np.array([1.0, 2.0, 4.0])
    >>> bool(np.isclose(clustered_error(values, np.arange(3)), np.sqrt(3) * values.std(ddof=1)))
    True
    """
    _, inverse = np.unique(code, return_inverse=True)
    sums = np.bincount(inverse, weights=values)
    if len(sums) < 2:
        return float("nan")
    return float(np.sqrt(len(sums)) * sums.std(ddof=1))


def jackknife_error(without: Floats) -> Floats:
    """Standard error of an estimate from what it is without each cluster: (…,).

    sqrt((G - 1) / G sum_g (T_g - mean T)^2), T_g the estimate without cluster g (Efron & Stein
    1981).

    Parameters
    ----------
    without : array (cluster, …)

    Examples
    --------
    >>> values = np.array([1.0, 2.0, 4.0])
    >>> means = np.array([(values.sum() - v) / 2 for v in values])
    >>> bool(np.isclose(jackknife_error(means), values.std(ddof=1) / np.sqrt(3)))
    True
    """
    count = len(without)
    return np.sqrt((count - 1) * without.var(axis=0))
