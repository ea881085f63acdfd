"""Noise models for the baselines of a forecast, which predict a curve and no distribution."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.special import betaln, gammaln, ndtr, stdtr, stdtrit

from upturn.arrays.types import Floats

QUANTILES = 400
LEAST_DENSITY = -690.0  # smallest logarithm whose exponential is not 0
LEAST_SD = 1e-3


@dataclass(frozen=True)
class Residuals:
    """The points that a curve was fitted to, and the curve there.

    Attributes
    ----------
    mean, score, trials : array (point,)
        `trials` is 0 where the number is unknown.
    freedom : int
        Points minus parameters, at least 1.
    """

    mean: Floats
    score: Floats
    trials: Floats
    freedom: int

    @property
    def sd(self) -> float:
        """Residual standard deviation, at least 0.001."""
        return max(float(np.sqrt(((self.score - self.mean) ** 2).sum() / self.freedom)), LEAST_SD)


@dataclass(frozen=True)
class Noise:
    """A distribution about each predicted score.

    Attributes
    ----------
    log_density : array (point,)
        Log probability of the observed successes, or log density of an observed proportion.
    quantiles : array (point, level)
        At evenly spaced levels, which can be used like draws.
    """

    log_density: Floats
    quantiles: Floats


LEVELS = (np.arange(QUANTILES) + 0.5) / QUANTILES


def _normal(
    residuals: Residuals, mean: Floats, seen: Floats, trials: Floats, sd: float | None = None
) -> Noise:
    scale = residuals.sd if sd is None else max(sd, LEAST_SD)
    return _located(
        mean, seen, trials, scale, cdf=ndtr, quantiles=stats.norm.ppf(LEVELS),
        log_density=_log_normal,
    )  # fmt: skip


def _student_t(residuals: Residuals, mean: Floats, seen: Floats, trials: Floats) -> Noise:
    """Student t noise with the degrees of freedom of the residuals."""
    nu = residuals.freedom
    return _located(
        mean, seen, trials, residuals.sd, cdf=lambda z: stdtr(nu, z), quantiles=stdtrit(nu, LEVELS),
        log_density=lambda z: stats.t.logpdf(z, nu),
    )  # fmt: skip


def _log_normal(z: Floats) -> Floats:
    return np.asarray(-0.5 * z**2 - 0.5 * np.log(2 * np.pi))


def _located(
    mean: Floats,
    seen: Floats,
    trials: Floats,
    scale: float,
    *,
    cdf: Callable[[Floats], Floats],
    quantiles: Floats,
    log_density: Callable[[Floats], Floats],
) -> Noise:
    """Noise of constant size; scores beyond 0 and 1 count as 0 and 1."""
    half = 0.5 / np.maximum(trials, 1)
    above = np.where(seen + half > 1 - half / 2, np.inf, (seen + half - mean) / scale)
    below = np.where(seen - half < half / 2, -np.inf, (seen - half - mean) / scale)
    # in the upper tail, the difference of two probabilities near 1 would be 0
    low, high = np.where(below > 0, -above, below), np.where(below > 0, -below, above)
    cell = np.log(np.maximum(cdf(high) - cdf(low), np.exp(LEAST_DENSITY)))
    point = log_density((seen - mean) / scale) - np.log(scale)
    log_density_seen = np.where(trials > 0, cell, np.maximum(point, LEAST_DENSITY))
    return Noise(log_density_seen, np.clip(mean[:, None] + scale * quantiles, 0, 1))


def _beta_binomial(residuals: Residuals, mean: Floats, seen: Floats, trials: Floats) -> Noise:
    """Beta-binomial or beta noise, with the maximum likelihood overdispersion."""
    grid = np.logspace(-6, np.log10(0.9), 200)
    fitted = _inside(residuals.mean, residuals.trials)
    log_likelihood = [
        _log_beta(fitted, residuals.score, residuals.trials, rho).sum() for rho in grid
    ]
    rho = float(grid[int(np.argmax(log_likelihood))])
    centre = _inside(mean, trials)
    size = 1 / rho - 1
    rng = np.random.Generator(np.random.Philox(0))
    share = rng.beta(
        (centre * size)[:, None], ((1 - centre) * size)[:, None], (len(mean), QUANTILES)
    )
    counts = rng.binomial(trials.astype(np.int64)[:, None], share)
    draws = np.where(trials[:, None] > 0, counts / np.maximum(trials, 1)[:, None], share)
    return Noise(_log_beta(centre, seen, trials, rho), np.sort(draws, axis=1))


def _inside(mean: Floats, trials: Floats) -> Floats:
    """Means, at least half a success (or 0.001) away from 0 and 1."""
    margin = np.where(trials > 0, 0.5 / np.maximum(trials, 1), LEAST_SD)
    return np.clip(mean, margin, 1 - margin)


def _log_beta(mean: Floats, seen: Floats, trials: Floats, rho: float) -> Floats:
    """Log beta-binomial probability if the trials are known, else log beta density."""
    a, b = mean * (1 / rho - 1), (1 - mean) * (1 / rho - 1)
    k = np.round(seen * trials)
    choose = gammaln(trials + 1) - gammaln(k + 1) - gammaln(trials - k + 1)
    counts = choose + betaln(k + a, trials - k + b) - betaln(a, b)
    inside = np.clip(seen, LEAST_SD / 2, 1 - LEAST_SD / 2)
    density = (a - 1) * np.log(inside) + (b - 1) * np.log1p(-inside) - betaln(a, b)
    return np.maximum(np.where(trials > 0, counts, density), LEAST_DENSITY)


NOISES: Mapping[str, Callable[..., Noise]] = {
    "normal": _normal,
    "pooled normal": _normal,
    "student t": _student_t,
    "beta-binomial": _beta_binomial,
}


def noise(
    name: str, residuals: Residuals, mean: Floats, seen: Floats, trials: Floats, *, pooled_sd: float
) -> Noise:
    """The distribution of a noise model about predicted scores.

    Parameters
    ----------
    name : str
        "normal" with the standard deviation of the residuals, "pooled normal" with that of all
        curves, "student t" with the degrees of freedom of the residuals, "beta-binomial" with the
        maximum likelihood overdispersion.
    residuals : Residuals
        Of the curve.
    mean, seen, trials : array (point,)
        Predicted and observed scores; trials are 0 where the number is unknown.
    pooled_sd : float
        Residual standard deviation over all curves.

    Returns
    -------
    Noise
    """
    if name == "pooled normal":
        return _normal(residuals, mean, seen, trials, pooled_sd)
    return NOISES[name](residuals, mean, seen, trials)
