"""Differences of predictive scores, with errors that respect what the points share; stacking."""

from dataclasses import dataclass

import numpy as np
from scipy import optimize, special, stats

from upturn.arrays.types import Floats, Integers, Objects
from upturn.checks.arguments import known
from upturn.checks.errors import DataError, shown
from upturn.posterior.clusters import clustered_error
from upturn.sampling.particles.pareto import smoothed
from upturn.sampling.particles.weights import LARGEST_K
from upturn.tables.curves import Curves
from upturn.tables.results import Results

CLUSTERS = ("auto", "family", "run", "model")
FEWEST_CLUSTERS = 5
LEVEL = 0.95  # of the interval that a difference has to lie outside of zero with
LEAST_PREDICTION = 1e-300


def psis_loo(log_likelihood: Floats, chains: int = 1) -> tuple[Floats, Floats, Floats]:
    """Leave-one-out log predictive densities by Pareto-smoothed importance sampling.

    elpd_i = log sum_s w_is p(y_i | theta_s) / sum_s w_is, with w_is the smoothed 1 / p(y_i |
    theta_s) (Vehtari, Gelman & Gabry 2017, equation 10).

    Parameters
    ----------
    log_likelihood : array (point, draw)
        Chain after chain.
    chains : int

    Returns
    -------
    elpd, khat : array (point,)
        k̂ above 0.7: the estimate is not to be trusted.
    by_chain : array (chain, point)
        What the draws of each chain say, with weights that are smoothed over all.

    Examples
    --------
    >>> elpd, khat, by_chain = psis_loo(np.full((1, 100), -2.0), chains=4)
    >>> round(float(elpd[0]), 9), by_chain[:, 0].round(9).tolist()
    (-2.0, [-2.0, -2.0, -2.0, -2.0])
    """
    weights, khat = smoothed(-log_likelihood)
    over, under = (
        np.logaddexp.reduce(logs.reshape(len(logs), chains, -1), axis=2)
        for logs in (weights + log_likelihood, weights)
    )
    elpd = np.logaddexp.reduce(over, axis=1) - np.logaddexp.reduce(under, axis=1)
    return elpd, khat, (over - under).T


def largest_k(draws: int) -> float:
    """The k̂ up to which so many draws are enough: min(1 - 1 / log10 S, 0.7).

    Vehtari, Simpson, Gelman, Yao & Gabry 2024, equation 13.

    Examples
    --------
    >>> round(largest_k(1000), 2), largest_k(100_000)
    (0.67, 0.7)
    """
    return min(1 - 1 / float(np.log10(draws)), LARGEST_K)


@dataclass(frozen=True)
class Clusters:
    """Which points share what makes their scores go astray together.

    Attributes
    ----------
    label : str
        "family", "run" or "model".
    code : array (obs,)
        The cluster of each point, over all curves: 0, 1, 2 ….
    """

    label: str
    code: Integers

    @property
    def count(self) -> int:
        """The number of clusters."""
        return len(np.unique(self.code))


def clusters_of(curves: Curves, order: Integers, table: Results | None, wanted: str) -> Clusters:
    """The clusters of the points of curves, by family, run or model.

    "auto" takes families where there are five or more, else runs likewise, else models: with fewer
    clusters their spread says little of the error. Points of one model on several tasks are one
    cluster in any case; a point without the label is by itself, with those of its model.

    Parameters
    ----------
    curves : Curves
        On one axis.
    order : array (curve, point)
        Their points in the order in which scores are held.
    table : Results, optional
        Where the names of runs stand.
    wanted : str

    Raises
    ------
    DataError
        For a label that is not one of these, or that the points do not have.
    """
    known(wanted, CLUSTERS, kind="label", where="cluster")
    place = np.take_along_axis(curves.mask, order, axis=1)
    model = np.take_along_axis(curves.model, order, axis=1)[place]
    family = np.take_along_axis(curves.family, order, axis=1)[place]
    run_of = _runs(table)
    run = np.array([run_of.get(key, "") for key in zip(model, family, strict=True)], object)
    columns = {"family": family, "run": run, "model": model}
    for label, names in columns.items():
        present = len(set(names.tolist()) - {""})
        if wanted == label and not present:
            raise DataError(
                f"cluster: expected points with a {label}, but got none; choose "
                f"{shown('model')} or {shown('auto')}"
            )
        if wanted == label or (wanted == "auto" and (present >= FEWEST_CLUSTERS)):
            return Clusters(label, _codes(names, model))
    return Clusters("model", _codes(model, model))


def _runs(table: Results | None) -> dict[tuple[str, str], str]:
    """The run of each model, where it has one."""
    if table is None or "run" not in table.columns:
        return {}
    columns = (table.texts(label) for label in ("model", "family", "run"))
    return {(model, family): run for model, family, run in zip(*columns, strict=True)}


def _codes(names: Objects, model: Objects) -> Integers:
    """Codes of names; points without one by their models."""
    keys = [
        f"n{name}" if name else f"m{model_name}"
        for name, model_name in zip(names, model, strict=True)
    ]
    return np.unique(np.array(keys, dtype=np.str_), return_inverse=True)[1].astype(np.int64)


def difference_error(gaps: Floats, code: Integers, by_chance: Floats) -> float:
    """Standard error of a sum of differences, that of the sampler's included.

    Parameters
    ----------
    gaps : array (obs,)
    code : array (obs,)
        Clusters.
    by_chance : array (any,)
        Monte Carlo errors of independent parts of the sum.

    Examples
    --------
    >>> difference_error(np.zeros(4), np.arange(4), np.array([3.0, 4.0]))
    5.0
    """
    return float(np.hypot(clustered_error(gaps, code), np.sqrt(np.square(by_chance).sum())))


def half_width(clusters: int) -> float:
    """Standard errors on either side of a 95 % interval: Student's t, clusters - 1 degrees.

    Examples
    --------
    >>> round(half_width(10), 2)
    2.26
    """
    return float(stats.t.ppf((1 + LEVEL) / 2, clusters - 1)) if clusters > 1 else float("inf")


def stacking_weights(elpd: Floats) -> Floats:
    """Weights that predict best together: sum_i log sum_k w_k exp(elpd_ki), most over the simplex.

    Yao, Vehtari, Simpson & Gelman (2018, equation 4), with one point more that all candidates
    share evenly, sum_k log(w_k) / K: where candidates predict alike, weights stay near 1 / K and
    do not jump to 0 or 1 on the noise. The function is concave.

    Parameters
    ----------
    elpd : array (candidate, point)

    Returns
    -------
    array (candidate,)

    Examples
    --------
    >>> stacking_weights(np.array([[-1.0] * 20, [-9.0] * 20])).round(2).tolist()
    [0.98, 0.02]
    """
    count, points = elpd.shape
    if count == 1 or points == 0:
        return np.full(count, 1 / count)
    density = np.maximum(np.exp(elpd - elpd.max(axis=0)), LEAST_PREDICTION)

    def loss(free: Floats) -> tuple[float, Floats]:
        w = special.softmax(free)
        mixed = w @ density
        value = np.log(mixed).sum() + np.log(np.maximum(w, LEAST_PREDICTION)).mean()
        slope = w * (density / mixed).sum(axis=1) + 1 / count
        return -float(value), -(slope - w * (points + 1))

    optimum = optimize.minimize(
        loss, np.zeros(count), jac=True, method="BFGS", options={"gtol": 1e-6}
    )
    return special.softmax(optimum.x)
