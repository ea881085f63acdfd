"""Extrapolate: scaling curves that others draw on from small models to large, fitted by SciPy.

Each is a least-squares curve, as its authors fit it, and is given the residual noise that makes
its predictions best. They stand beside a forecast as what it has to beat.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from scipy import stats
from scipy.optimize import least_squares
from scipy.special import betaln, expit, gammaln, ndtr, stdtr, stdtrit

from upturn.arrays.types import Floats

LEAST_ERROR = 1e-4  # of the errors whose logarithm a power law is fitted to
STARTS = 3  # of a grid, from which least squares set out
EVALUATIONS = 300  # of a curve from one of them, beyond which it has not converged
QUANTILES = 400
LEAST_DENSITY = -690.0  # log: what a double can hold
LEAST_SD = 1e-3

type Curve = Callable[[Floats], Floats]


@dataclass(frozen=True)
class Fitted:
    """A fitted curve.

    Attributes
    ----------
    curve : callable
        From places t on the axis, 0 to 1 over the points fitted to, to scores.
    parameters : int
    trouble : str
        What went wrong, in words, or "". Where there are fewer points than parameters the curve is
        the constant, where least squares has not converged the best that it came by.
    """

    curve: Curve
    parameters: int
    trouble: str = ""


# --- the curves -----------------------------------------------------------------------------------


def _constant(t: Floats, y: Floats, ceiling: float) -> Fitted:
    mean = float(y.mean())
    return Fitted(lambda at: np.full(np.shape(at), mean), 1)


def _log_linear(t: Floats, y: Floats, ceiling: float) -> Fitted:
    """A line in log scale (Chowdhery et al. 2022, section 6.2), as far as scores go."""
    slope, start = np.polyfit(t, y, 1)
    return Fitted(lambda at: np.clip(start + slope * np.asarray(at), 0, ceiling), 2)


def _logit_linear(t: Floats, y: Floats, ceiling: float) -> Fitted:
    """A line in the log odds: c · logistic(a + b t), c the ceiling."""
    starts = product(np.linspace(-6, 3, 10), (-2.0, 0.5, 1.0, 2.0, 5.0, 10.0))
    return _least_squares(
        lambda p, at: ceiling * expit(p[0] + p[1] * at), t, y, starts,
        bounds=([-60, -200], [60, 200]),
    )  # fmt: skip


def _sigmoid(t: Floats, y: Floats, ceiling: float) -> Fitted:
    """A sigmoid with free asymptotes: l + (h - l) logistic(a + b t) (after Ruan et al. 2024)."""
    starts = [
        (-slope * middle, slope, max(float(y.min()), 1e-3), high)
        for middle, slope, high in product(
            np.linspace(0.1, 1.7, 9),
            (2.0, 5.0, 10.0, 25.0),
            np.linspace(max(float(y.max()), 2e-3), 0.99 * ceiling, 5),
        )
    ]
    return _least_squares(
        lambda p, at: p[2] + (p[3] - p[2]) * expit(p[0] + p[1] * at), t, y, starts,
        bounds=([-300, 0, 0, 0], [300, 200, ceiling, ceiling]),
    )  # fmt: skip


def _broken_power_law(t: Floats, y: Floats, ceiling: float) -> Fitted:
    """A broken neural scaling law with one break, of the error (Caballero et al. 2023, eq. 1).

    error = a + b x^-c0 (1 + (x / d)^(1/f))^(-c1 f), with t in the place of log x, fitted by least
    squares to the logarithm of the error, from a grid of starts.
    """
    error = np.log(np.clip(ceiling - y, LEAST_ERROR, None))

    def law(p: Floats, at: Floats) -> Floats:
        a, b, c0, c1, d, f = p
        broken = np.logaddexp(0.0, (at - d) / f) * (-c1 * f)
        out: Floats = np.log(a + np.exp(np.clip(b - c0 * at + broken, -60, 60)))
        return out

    starts = product(
        (1e-4, 0.1, 0.5 * float(np.exp(error.min()))), (float(error[0]), float(error.max())),
        (0.0, 0.1, 0.5, 2.0), (0.5, 2.0, 8.0), (0.2, 0.5, 0.8, 1.2), (0.02, 0.2),
    )  # fmt: skip
    found = _least_squares(
        law, t, error, starts, bounds=([0, -20, -5, -50, -1, 1e-3], [ceiling, 20, 20, 50, 3, 2])
    )
    if len(t) < found.parameters:
        return _without(y, found.parameters, found.trouble)
    inner = found.curve
    return replace(found, curve=lambda at: np.clip(ceiling - np.exp(inner(at)), 0, ceiling))


def _without(y: Floats, parameters: int, trouble: str) -> Fitted:
    mean = float(y.mean())
    return Fitted(lambda at: np.full(np.shape(at), mean), parameters, trouble)


def _least_squares(
    formula: Callable[[Any, Floats], Floats],
    t: Floats,
    y: Floats,
    starts: Any,
    bounds: Any,
) -> Fitted:
    """The best fit from the best starts of a grid, or why there is none."""
    low, high = np.asarray(bounds[0]) + 1e-9, np.asarray(bounds[1]) - 1e-9
    if len(t) < len(low):
        return _without(y, len(low), f"{len(low)} parameters, {len(t)} points")
    inside = [np.clip(start, low, high) for start in starts]
    cost = [float(((formula(p, t) - y) ** 2).sum()) for p in inside]
    solve: Any = least_squares
    fits = [
        solve(
            lambda p: formula(p, t) - y, inside[i], bounds=bounds, max_nfev=EVALUATIONS,
            x_scale="jac",
        )
        for i in np.argsort(cost)[:STARTS].tolist()
    ]  # fmt: skip
    best = min(fits, key=lambda found: float(np.nan_to_num(found.cost, nan=np.inf)))
    if not np.isfinite(best.cost):
        return _without(y, len(low), "no finite fit")
    p, trouble = best.x, "" if best.success else "did not converge"
    return Fitted(lambda at: formula(p, np.asarray(at)), len(low), trouble)


METHODS: Mapping[str, Callable[[Floats, Floats, float], Fitted]] = {
    "constant": _constant,
    "logit-linear": _logit_linear,
    "sigmoid": _sigmoid,
    "broken power law": _broken_power_law,
    "log-linear": _log_linear,
}


def extrapolate(method: str, t: Floats, y: Floats, ceiling: float) -> Fitted:
    """Fit one of the curves.

    Parameters
    ----------
    method : str
        One of METHODS.
    t : array (point,)
        Log scale, 0 to 1 over these points.
    y : array (point,)
        Scores, proportions.
    ceiling : float

    Examples
    --------
    >>> t = np.linspace(0, 1, 6)
    >>> round(float(extrapolate("log-linear", t, 0.1 + 0.2 * t, 1.0).curve(1.5)), 6)
    0.4
    """
    with np.errstate(over="ignore", under="ignore", invalid="ignore", divide="ignore"):
        return METHODS[method](t, y, ceiling)


# --- noise ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Residuals:
    """What is left of the points that a curve was fitted to.

    Attributes
    ----------
    mean, score, trials : array (point,)
        `trials` 0 where there are none.
    freedom : int
        Points less parameters, 1 at least.
    """

    mean: Floats
    score: Floats
    trials: Floats
    freedom: int

    @property
    def sd(self) -> float:
        """Residual standard deviation, not below a tenth of a percent."""
        return max(float(np.sqrt(((self.score - self.mean) ** 2).sum() / self.freedom)), LEAST_SD)


@dataclass(frozen=True)
class Noise:
    """A distribution about each predicted score.

    Attributes
    ----------
    log_density : array (point,)
        Of what was seen: log probability of the successes, or log density of a proportion.
    quantiles : array (point, level)
        Evenly spaced: as good as draws.
    """

    log_density: Floats
    quantiles: Floats


LEVELS = (np.arange(QUANTILES) + 0.5) / QUANTILES


def _normal(
    own: Residuals, mean: Floats, seen: Floats, trials: Floats, sd: float | None = None
) -> Noise:
    scale = own.sd if sd is None else max(sd, LEAST_SD)
    return _located(
        mean, seen, trials, scale, cdf=ndtr, quantiles=stats.norm.ppf(LEVELS),
        log_density=_log_normal,
    )  # fmt: skip


def _student_t(own: Residuals, mean: Floats, seen: Floats, trials: Floats) -> Noise:
    """With as many degrees of freedom as the residuals have."""
    nu = own.freedom
    return _located(
        mean, seen, trials, own.sd, cdf=lambda z: stdtr(nu, z), quantiles=stdtrit(nu, LEVELS),
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
    """Noise of one size; what falls beyond 0 and 1 counts as 0 and as 1."""
    half = 0.5 / np.maximum(trials, 1)
    above = np.where(seen + half > 1 - half / 2, np.inf, (seen + half - mean) / scale)
    below = np.where(seen - half < half / 2, -np.inf, (seen - half - mean) / scale)
    # from the tail in which it lies, or the difference would be 0
    low, high = np.where(below > 0, -above, below), np.where(below > 0, -below, above)
    cell = np.log(np.maximum(cdf(high) - cdf(low), np.exp(LEAST_DENSITY)))
    point = log_density((seen - mean) / scale) - np.log(scale)
    log_density_seen = np.where(trials > 0, cell, np.maximum(point, LEAST_DENSITY))
    return Noise(log_density_seen, np.clip(mean[:, None] + scale * quantiles, 0, 1))


def _beta_binomial(own: Residuals, mean: Floats, seen: Floats, trials: Floats) -> Noise:
    """Binomial noise, or none, and overdispersion, the likeliest given the fitted points."""
    grid = np.logspace(-6, np.log10(0.9), 200)
    fitted = _inside(own.mean, own.trials)
    each = [_log_beta(fitted, own.score, own.trials, rho).sum() for rho in grid]
    rho = float(grid[int(np.argmax(each))])
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
    """Means off 0 and 1 by half a success, or a tenth of a percent."""
    margin = np.where(trials > 0, 0.5 / np.maximum(trials, 1), LEAST_SD)
    return np.clip(mean, margin, 1 - margin)


def _log_beta(mean: Floats, seen: Floats, trials: Floats, rho: float) -> Floats:
    """Log beta-binomial probability where there are trials, else log beta density."""
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
    name: str, own: Residuals, mean: Floats, seen: Floats, trials: Floats, *, pooled_sd: float
) -> Noise:
    """A noise model's distribution about predicted scores.

    Parameters
    ----------
    name : str
        "normal" with the residuals' standard deviation, "pooled normal" with that of all curves,
        "student t" with the residuals' degrees of freedom, "beta-binomial" with the likeliest
        overdispersion.
    own : Residuals
    mean, seen, trials : array (point,)
        Predicted and seen scores; trials 0 where there are none.
    pooled_sd : float
        Residual standard deviation over all curves.
    """
    if name == "pooled normal":
        return _normal(own, mean, seen, trials, pooled_sd)
    return NOISES[name](own, mean, seen, trials)
