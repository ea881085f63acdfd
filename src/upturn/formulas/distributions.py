"""The distributions that priors may have, with their arguments."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import numpy as np
from scipy import special

# Standard deviations that tables cover. Under a model that the data refute, parameters lie far out
# in the prior: a task that is always solved is 10 standard deviations from a floor near 0.
TABLE_REACH = 16.0

ARGUMENT_RANGE = (1e-100, 1e100)  # of absolute values other than 0: quantiles remain finite


type Functions = tuple[Callable[[Any], Any], Callable[[Any], Any]]


@dataclass(frozen=True)
class Distribution:
    """A family of distributions: its arguments, their rules, its support and its SciPy form.

    Loading `scipy.stats` takes half a second, so the families of the models' default priors have
    here what a fit needs of them: `tails`, the value with a probability below it and that with a
    probability above it, and `cdf`, the probabilities below and above a value.
    """

    arguments: tuple[str, ...]
    check: Callable[..., str]
    support: Callable[..., tuple[float, float]]
    scipy: Callable[..., Any]
    quantile: Callable[..., Any] | None = None
    tails: Callable[..., Functions] | None = None
    cdf: Callable[..., Functions] | None = None


def _positive(*names: str) -> Callable[..., str]:
    def check(**arguments: float) -> str:
        wrong = [n for n in names if not arguments[n] > 0]
        return f"a positive {wrong[0]}" if wrong else ""

    return check


def _exponential(mean: float, sd: float) -> str:
    finite = mean + TABLE_REACH * sd < 700
    return "" if finite else f"mean + {TABLE_REACH:g} sd (of the logarithm) below 700"


def _stats() -> Any:
    from scipy import stats

    return stats


def beta_of_mode(mode: float, concentration: float) -> tuple[float, float]:
    """Beta(1 + m (k - 2), 1 + (1 - m)(k - 2)): mode m, concentration k (Kruschke 2015, 6.6)."""
    return 1 + mode * (concentration - 2), 1 + (1 - mode) * (concentration - 2)


def _uniform_cdf(low: float, high: float) -> Functions:
    def below(x: Any) -> Any:
        return np.clip((x - low) / (high - low), 0.0, 1.0)

    return below, lambda x: 1.0 - below(x)


def _half_normal_tails(sd: float) -> Functions:
    return lambda p: special.ndtri((1 + p) / 2) * sd, lambda p: -special.ndtri(p / 2) * sd


def _gamma_tails(shape: float, rate: float) -> Functions:
    scale = 1 / rate
    return (
        lambda p: special.gammaincinv(shape, p) * scale,
        lambda p: special.gammainccinv(shape, p) * scale,
    )


def _beta_tails(alpha: float, beta: float) -> Functions:
    """Not SciPy's `beta.ppf`, which finds no root 8 sd out in Beta(0.5, 2) (SciPy 1.18)."""
    return partial(special.betaincinv, alpha, beta), partial(special.betainccinv, alpha, beta)


def _onset_quantile(xp: Any, z: Any, end: Any, hazard: Any) -> Any:
    """Each side of the end from the tail on that side."""
    odds = hazard * end  # of the stretch up to the end
    within = xp.ndtr(z) * (1 + odds) / hazard
    left = xp.clip(xp.ndtr(-z) * (1 + odds), 1e-300, 1.0)  # the survival function past the end
    return xp.where(within > end, end - xp.log(left) / hazard, within)


def _onset(end: float, hazard: float) -> Any:
    return _onset_family()(end, hazard)


@lru_cache(maxsize=1)
def _onset_family() -> Any:
    """SciPy's form of a constant density up to an end and a constant hazard past it."""
    base: Any = _stats().rv_continuous

    class Onset(base):  # type: ignore[misc]
        def _pdf(self, x: Any, end: Any, hazard: Any) -> Any:
            return hazard / (1 + hazard * end) * np.exp(-hazard * np.maximum(x - end, 0))

        def _cdf(self, x: Any, end: Any, hazard: Any) -> Any:
            return 1 - self._sf(x, end, hazard)

        def _sf(self, x: Any, end: Any, hazard: Any) -> Any:
            within = 1 + hazard * np.maximum(end - x, 0)
            return within * np.exp(-hazard * np.maximum(x - end, 0)) / (1 + hazard * end)

        def _ppf(self, q: Any, end: Any, hazard: Any) -> Any:
            within = q * (1 + hazard * end) / hazard
            return np.where(within > end, self._isf(1 - q, end, hazard), within)

        def _isf(self, q: Any, end: Any, hazard: Any) -> Any:
            left = q * (1 + hazard * end)
            past = end - np.log(np.clip(left, 1e-300, 1)) / hazard
            return np.where(left < 1, past, end - (left - 1) / hazard)

    return Onset(a=0.0, name="onset")


DISTRIBUTIONS: dict[str, Distribution] = {
    "Uniform": Distribution(
        ("low", "high"),
        lambda low, high: "" if low < high else "low below high",
        lambda low, high: (low, high),
        lambda low, high: _stats().uniform(low, high - low),
        lambda xp, z, low, high: low + (high - low) * xp.ndtr(z),
        cdf=_uniform_cdf,
    ),
    "Normal": Distribution(
        ("mean", "sd"),
        _positive("sd"),
        lambda mean, sd: (-math.inf, math.inf),
        lambda mean, sd: _stats().norm(mean, sd),
        lambda xp, z, mean, sd: mean + sd * z,
    ),
    "LogNormal": Distribution(
        ("mean", "sd"),
        lambda mean, sd: _positive("sd")(sd=sd) or _exponential(mean, sd),
        lambda mean, sd: (0.0, math.inf),
        lambda mean, sd: _stats().lognorm(sd, scale=math.exp(mean)),
        lambda xp, z, mean, sd: xp.exp(mean + sd * z),
    ),
    "HalfNormal": Distribution(
        ("sd",),
        _positive("sd"),
        lambda sd: (0.0, math.inf),
        lambda sd: _stats().halfnorm(scale=sd),
        tails=_half_normal_tails,
    ),
    "Exponential": Distribution(
        ("mean",),
        _positive("mean"),
        lambda mean: (0.0, math.inf),
        lambda mean: _stats().expon(scale=mean),
    ),
    "Gamma": Distribution(
        ("shape", "rate"),
        _positive("shape", "rate"),
        lambda shape, rate: (0.0, math.inf),
        lambda shape, rate: _stats().gamma(shape, scale=1 / rate),
        tails=_gamma_tails,
    ),
    "Beta": Distribution(
        ("alpha", "beta"),
        _positive("alpha", "beta"),
        lambda alpha, beta: (0.0, 1.0),
        lambda alpha, beta: _stats().beta(alpha, beta),
        tails=_beta_tails,
    ),
    "BetaMode": Distribution(
        ("mode", "concentration"),
        lambda mode, concentration: (
            ""
            if 0 <= mode <= 1 and concentration >= 2
            else "a mode in [0, 1] and concentration >= 2"
        ),
        lambda mode, concentration: (0.0, 1.0),
        lambda mode, concentration: _stats().beta(*beta_of_mode(mode, concentration)),
        tails=lambda mode, concentration: _beta_tails(*beta_of_mode(mode, concentration)),
    ),
    "Onset": Distribution(
        ("end", "hazard"),
        _positive("end", "hazard"),
        lambda end, hazard: (0.0, math.inf),
        _onset,
        _onset_quantile,
    ),
}
