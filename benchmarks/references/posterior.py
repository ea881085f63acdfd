"""The posterior of one curve in whitened coordinates, by formulas of its own.

No code is shared with the library, nor with the PyMC models.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.special import betainccinv, betaincinv, expit, gammaln, log_ndtr, logit, ndtr, ndtri

from benchmarks.problems.pymc_models import Counts, parsed, priors

type Floats = NDArray[np.float64]
type Function = Callable[[Floats], Floats]

MARGIN = 1e-9
RHO = (1e-8, 0.999)
REACH = 12.0  # of outer whitened coordinates


# --- priors: quantile functions of z, exact, each tail from its own side --------------------------


def _half_normal(sd: float) -> Function:
    return lambda z: -sd * ndtri(0.5 * ndtr(-z))


def _beta(a: float, b: float) -> Function:
    if a == 1:
        return lambda z: -np.expm1(log_ndtr(-z) / b)
    return lambda z: np.where(z < 0, betaincinv(a, b, ndtr(z)), betainccinv(a, b, ndtr(-z)))


QUANTILES: dict[str, Callable[..., Function]] = {
    "Uniform": lambda low, high: lambda z: low + (high - low) * ndtr(z),
    "Normal": lambda mean, sd: lambda z: mean + sd * z,
    "LogNormal": lambda mean, sd: lambda z: np.exp(mean + sd * z),
    "HalfNormal": _half_normal,
    "Beta": _beta,
}


def _quantiles(text: str, chance: float) -> Function:
    if text.startswith("BetaMode"):
        return _beta(1, 4) if math.isnan(chance) else _beta(1 + 98 * chance, 1 + 98 * (1 - chance))
    name, numbers = parsed(text)
    return QUANTILES[name](*numbers)


# --- expected scores ------------------------------------------------------------------------------


def _beyond(p: dict[str, Floats], u: Floats) -> Floats:
    return np.maximum(u - p["changepoint"], 0)


# The share of the way from floor to ceiling, (node, point), of parameters (node, 1)
SHARES: dict[str, Callable[[dict[str, Floats], Floats], Floats]] = {
    "hinge": lambda p, u: p["height"] * -np.expm1(-p["rate"] * _beyond(p, u)),
    "ramp": lambda p, u: np.minimum(p["slope"] * _beyond(p, u), 1),
    "step": lambda p, u: np.where(u > p["changepoint"], p["level"], 0.0),
    "delayed-logit": lambda p, u: expit(logit(p["level"]) + p["slope"] * _beyond(p, u)),
    "logit-line": lambda p, u: expit(p["intercept"] + p["slope"] * u),
    "logistic": lambda p, u: p["height"] * expit((u - p["midpoint"]) / p["width"]),
    "flat": lambda p, u: p["level"] + 0 * u,
    "chance": lambda p, u: 0 * u + 0 * p["floor"],
}


@njit(nogil=True, cache=True)
def _log_rising(x: float, k: float) -> float:
    """Log Gamma(x + k) - log Gamma(x): a product while it is short, else Stirling's series."""
    if k <= 8.0:
        product = 1.0
        for i in range(int(k)):
            product *= x + i
        return math.log(product)
    product = 1.0
    while x < 10.0:
        product *= x
        x += 1.0
        k -= 1.0
    y = x + k
    if y < 10.0:  # then the recurrence ran past the end, which is a product again
        return math.log(product) - _log_rising(y, -k)
    sx, sy = 1.0 / (x * x), 1.0 / (y * y)
    corrections = (1 / 12 - sy * (1 / 360 - sy * (1 / 1260 - sy / 1680))) / y - (
        1 / 12 - sx * (1 / 360 - sx * (1 / 1260 - sx / 1680))
    ) / x
    return (x - 0.5) * math.log1p(k / x) + k * (math.log(y) - 1.0) + corrections + math.log(product)


@njit(nogil=True, cache=True)
def _beta_binomial(mean: Floats, size: Floats, k: Floats, n: Floats) -> Floats:
    nodes, points = mean.shape
    out = np.zeros(nodes)
    for i in range(nodes):
        for j in range(points):
            alpha = mean[i, j] * size[i]
            beta = (1.0 - mean[i, j]) * size[i]
            out[i] += _log_rising(alpha, k[j]) + _log_rising(beta, n[j] - k[j])
            if j == 0 or n[j] != n[j - 1]:
                whole = _log_rising(size[i], n[j])
            out[i] -= whole
    return out


# --- the posterior of one curve -------------------------------------------------------------------


class Posterior:
    """Log prior times likelihood of one curve in whitened coordinates.

    Parameters
    ----------
    name : str
        One of `reference.PRIORS`.
    counts : Counts
        Of one curve.
    binomial : bool
        The binomial likelihood in place of the beta-binomial.
    """

    def __init__(self, name: str, counts: Counts, *, binomial: bool = False) -> None:
        self.name, self.counts, self.binomial = name, counts, binomial
        outer = {"ramp": ("changepoint", "slope")}.get(name, ("changepoint",))
        texts = priors(name, binomial=binomial)
        self.outer = tuple(p for p in texts if p in outer)
        self.inner = tuple(p for p in texts if p not in outer)
        self.names = (*self.outer, *self.inner)
        self.ceiling = float(counts.ceiling[0])
        self._priors = {n: _quantiles(text, float(counts.chance[0])) for n, text in texts.items()}
        # the slope's prior, for where a ramp meets the ceiling
        self._slope = parsed(texts["slope"])[1] if name == "ramp" else ()
        k, n = counts.successes, counts.trials
        self._constant = float((gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)).sum())

    def parameters(self, z: Floats) -> dict[str, Floats]:
        """Parameters at z (node, dimension), outer ones first."""
        return {name: self._priors[name](z[:, i]) for i, name in enumerate(self.names)}

    def log_likelihood(self, p: dict[str, Floats]) -> Floats:
        """(node,), binomial coefficients included."""
        k, n = self.counts.successes, self.counts.trials
        column = {name: value[:, None] for name, value in p.items()}
        mean = self.ceiling * SHARES[self.name](column, self.counts.u)
        if "floor" in p:
            mean = column["floor"] * (1 - mean / self.ceiling) + mean
        mean = np.clip(mean, MARGIN, 1 - MARGIN)
        if self.binomial:
            return (k * np.log(mean) + (n - k) * np.log1p(-mean)).sum(axis=1) + self._constant
        size = 1 / np.clip(p["overdispersion"] ** 2, *RHO) - 1
        return _beta_binomial(mean, size, k, n) + self._constant

    def log_density(self, z: Floats) -> Floats:
        """(node,), with the priors' densities in z."""
        prior = -0.5 * (z * z).sum(axis=1) - 0.5 * math.log(2 * math.pi) * z.shape[1]
        return prior + self.log_likelihood(self.parameters(z))

    def given(self, fixed: Sequence[float]) -> Function:
        """The density of the other coordinates, the first ones fixed and without their priors'."""
        minus_log_prior = 0.5 * sum(z * z for z in fixed) + 0.5 * math.log(2 * math.pi) * len(fixed)
        return lambda z: self.log_density(whole(fixed, z)) + minus_log_prior

    def breaks(self, fixed: Sequence[float]) -> Floats:
        """Where the next outer parameter's integrand has kinks, in z, given the ones before."""
        if not fixed:  # the changepoint, where it passes a data point
            theta = np.unique(self.counts.u)
            inside = ndtri(theta[(theta > 0) & (theta < 1)])
        else:  # the slope of a ramp, where a data point meets the ceiling
            beyond = np.unique(self.counts.u) - ndtr(fixed[0])
            mean, sd = self._slope
            inside = (np.log(1 / beyond[beyond > 0]) - mean) / sd
        inside = inside[np.abs(inside) < REACH]
        return np.concatenate(([-REACH], np.sort(inside), [REACH]))


def whole(fixed: Sequence[float], z: Floats) -> Floats:
    return np.concatenate((np.broadcast_to(fixed, (len(z), len(fixed))), z), axis=1)
