"""Likelihoods: how a measured score scatters around the expected one.

A likelihood is the logarithm of its density, split into the terms that depend on the expected
score and the rest, because the first are what a sampler evaluates millions of times: `log_terms`
(row, point, particle) and `log_rest`. Their sum is normalised, binomial coefficients included.

Scores are on the scale the curve models use: [0, 1] for counts and proportions; for a continuous
metric, observed scores fill the middle half of it (see `scaling`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from upturn import kernels, serial_kernel
from upturn.arrays import compiled, namespaces, special
from upturn.arrays.types import Floats
from upturn.serial import CORRELATION

RHO_RANGE = (1e-8, 0.999)  # beyond, the beta-binomial is the binomial, or only 0 and n are left
SMALLEST_SIGMA = 1e-4  # of the scale whose middle half the scores fill
SMALLEST_NU = 0.1
BROKEN_RANGE = (1e-12, 1 - 1e-12)
# Variance that rounding to a tenth of a percent makes by itself, as rho at a mean of 1/2: without
# it a row of equal scores would be infinitely likely.
ROUNDING_RHO = 4e-7
RESOLUTION = 5e-4  # proportions without trials are taken as printed to a tenth of a percent

FLOOR_OF_PROPORTIONS = "BetaMode(chance, 100) | Beta(1, 4)"
FLOOR_OF_CONTINUOUS = "Normal(chance, 0.05) | Normal(0.25, 0.125)"


@dataclass(frozen=True)
class Data:
    """What was measured: y and trials (row, point), group (row, point; -1 leaves a point out)."""

    y: Floats
    trials: Floats
    group: NDArray[np.int32]


@dataclass(frozen=True)
class Likelihood:
    """One likelihood.

    Attributes
    ----------
    name : str
    kinds : tuple of str
        The kinds of curve it can explain, of "counts", "proportion", "continuous".
    priors : mapping
        Default prior of each of its parameters, and of the floor on its scale.
    log_terms, log_rest : callable
        (xp, mean, parameters, y, trials) and (xp, parameters, y, trials), each to the logarithm of
        the density's factors, per point.
    draw : callable
        (generator, mean, parameters, trials), all of one shape but for the first, to scores drawn
        from it: successes of counts, on the model's scale otherwise.
    total : callable, optional
        NumPy's fast form of log_terms summed over points by group: (mean, parameters, Data, out).
        It keeps the mean off 0 and 1 by itself.
    bounded : bool
        Whether the expected score is a proportion.
    log_uniform : callable, optional
        (xp, trials) to the log density of the score of a broken evaluation, where there may be any.
    plain : Likelihood, optional
        Of one whose noise is correlated along a run (see `upturn.serial`): that of a score by
        itself, which `log_terms`, `log_rest` and `draw` are too. Only `total` tells them apart: it
        takes points of a group to follow one another.
    """

    name: str
    kinds: tuple[str, ...]
    priors: Mapping[str, str]
    log_terms: Callable[..., Any]
    log_rest: Callable[..., Any]
    draw: Callable[..., Floats]
    total: Callable[..., None] | None = None
    bounded: bool = field(default=True)
    log_uniform: Callable[..., Any] | None = None
    plain: "Likelihood | None" = None

    @property
    def parameters(self) -> tuple[str, ...]:
        """Its own parameters (the floor belongs to the curve)."""
        return tuple(name for name in self.priors if name != "floor")

    @property
    def counted(self) -> bool:
        """Whether it is one of successes, and of no proportions."""
        return self.kinds == ("counts",)


def concentration(xp: Any, p: Mapping[str, Any], least: float = RHO_RANGE[0]) -> Any:
    """Alpha + beta = 1/rho - 1 of intra-class correlation rho = overdispersion^2."""
    return 1 / xp.clip(p["overdispersion"] ** 2, least, RHO_RANGE[1]) - 1


def _log_choose(xp: Any, n: Any, k: Any) -> Any:
    return xp.log_gamma(n + 1.0) - xp.log_gamma(k + 1.0) - xp.log_gamma(n - k + 1.0)


# --- counts ---------------------------------------------------------------------------------------


def _beta_binomial_terms(xp: Any, mean: Any, p: Mapping[str, Any], k: Any, n: Any) -> Any:
    """Log B(k + alpha, n - k + beta) / B(alpha, beta), less what depends on alpha + beta alone."""
    alpha = mean * concentration(xp, p)
    return xp.log_rising(alpha, k) + xp.log_rising(concentration(xp, p) - alpha, n - k)


def _beta_binomial_rest(xp: Any, p: Mapping[str, Any], k: Any, n: Any) -> Any:
    return _log_choose(xp, n, k) - xp.log_rising(concentration(xp, p), n)


def _beta_binomial_total(mean: Floats, p: Mapping[str, Any], data: Data, out: Floats) -> None:
    size = np.ascontiguousarray(concentration(np, p)[:, 0])
    kernels.beta_binomial(mean, size, data.y, data.trials - data.y, data.group, out)


def _beta_binomial_draw(
    rng: np.random.Generator, mean: Floats, p: Mapping[str, Any], n: Floats
) -> Floats:
    size = concentration(np, p)
    return _binomial_draw(rng, rng.beta(mean * size, (1 - mean) * size), p, n)


def _binomial_draw(
    rng: np.random.Generator, mean: Floats, p: Mapping[str, Any], n: Floats
) -> Floats:
    return rng.binomial(n.astype(np.int64), mean).astype(np.float64)


def _binomial_terms(xp: Any, mean: Any, p: Mapping[str, Any], k: Any, n: Any) -> Any:
    return k * xp.log(mean) + (n - k) * xp.log1p(-mean)


def _binomial_rest(xp: Any, p: Mapping[str, Any], k: Any, n: Any) -> Any:
    return _log_choose(xp, n, k)


# --- proportions without trials -------------------------------------------------------------------


def _beta_terms(xp: Any, mean: Any, p: Mapping[str, Any], y: Any, n: Any) -> Any:
    """The beta density in mean and rho, variance mean (1 - mean) rho, less log Gamma(a + b).

    A printed 0 or 1 stands for all that rounds to it; its density is the mean over those.
    """
    size = concentration(xp, p, ROUNDING_RHO)
    most = xp.minimum(size, special.CELL_SIZE)  # noise far below what rounding makes is none
    toward = xp.where(y > 0.5, 1 - mean, mean)
    ends = xp.log_beta_cell(toward * most, most - toward * most, RESOLUTION)
    ends = ends - np.log(RESOLUTION) - xp.log_gamma(size)
    at_end = xp.abs(y - 0.5) > 0.5 - RESOLUTION
    alpha = mean * size
    beta = size - alpha
    y = xp.clip(y, RESOLUTION, 1 - RESOLUTION)
    between = (
        (alpha - 1) * xp.log(y)
        + (beta - 1) * xp.log1p(-y)
        - xp.log_gamma(alpha)
        - xp.log_gamma(beta)
    )
    return xp.where(at_end, ends, between)


def _beta_rest(xp: Any, p: Mapping[str, Any], y: Any, n: Any) -> Any:
    return xp.log_gamma(concentration(xp, p, ROUNDING_RHO)) + 0.0 * y


def _beta_draw(rng: np.random.Generator, mean: Floats, p: Mapping[str, Any], n: Floats) -> Floats:
    size = concentration(np, p, ROUNDING_RHO)
    return rng.beta(mean * size, (1 - mean) * size)


def _beta_total(mean: Floats, p: Mapping[str, Any], data: Data, out: Floats) -> None:
    size = np.ascontiguousarray(concentration(np, p, ROUNDING_RHO)[:, 0])
    kernels.beta_density(mean, size, data.y, RESOLUTION, data.group, out)


# --- continuous metrics ---------------------------------------------------------------------------

_HALF_LOG_TWO_PI = 0.9189385332046727
_HALF_LOG_PI = 0.5723649429247001


def standard_deviation(xp: Any, p: Mapping[str, Any]) -> Any:
    """Noise below the last printed digit is none: three points on a line have no sd of 0."""
    return xp.maximum(p["sigma"], SMALLEST_SIGMA)


def _normal_terms(xp: Any, mean: Any, p: Mapping[str, Any], y: Any, n: Any) -> Any:
    return -0.5 * ((y - mean) / standard_deviation(xp, p)) ** 2


def _normal_rest(xp: Any, p: Mapping[str, Any], y: Any, n: Any) -> Any:
    return -xp.log(standard_deviation(xp, p)) - _HALF_LOG_TWO_PI + 0.0 * y


def _normal_draw(rng: np.random.Generator, mean: Floats, p: Mapping[str, Any], n: Floats) -> Floats:
    return mean + standard_deviation(np, p) * rng.standard_normal(mean.shape)


def _student_t_draw(
    rng: np.random.Generator, mean: Floats, p: Mapping[str, Any], n: Floats
) -> Floats:
    return mean + standard_deviation(np, p) * rng.standard_t(
        np.broadcast_to(_nu(np, p), mean.shape)
    )


def _student_t_terms(xp: Any, mean: Any, p: Mapping[str, Any], y: Any, n: Any) -> Any:
    nu = _nu(xp, p)
    return -0.5 * (nu + 1) * xp.log1p(((y - mean) / standard_deviation(xp, p)) ** 2 / nu)


def _student_t_rest(xp: Any, p: Mapping[str, Any], y: Any, n: Any) -> Any:
    nu = _nu(xp, p)
    rise = xp.log_rising(nu / 2, 0.5) - 0.5 * xp.log(nu) - _HALF_LOG_PI
    return rise - xp.log(standard_deviation(xp, p)) + 0.0 * y


def _nu(xp: Any, p: Mapping[str, Any]) -> Any:
    return xp.maximum(p["nu"], SMALLEST_NU)


# --- broken evaluations ---------------------------------------------------------------------------


def robust(plain: Likelihood) -> Likelihood:
    """The same, where each score may with probability `broken` be any, all equally likely.

    A mixture of the likelihood and a uniform distribution (Box and Tiao 1968). All of it depends on
    the expected score, so that nothing is left for `log_rest`.
    """

    def log_uniform(xp: Any, n: Any) -> Any:
        return -xp.log(n + 1.0) if plain.counted else 0.0 * n

    def log_terms(xp: Any, mean: Any, p: Mapping[str, Any], y: Any, n: Any) -> Any:
        likely = plain.log_terms(xp, mean, p, y, n) + plain.log_rest(xp, p, y, n)
        likely = likely + xp.log1p(-_share(xp, p))
        other = log_uniform(xp, n) + xp.log(_share(xp, p))
        return xp.maximum(likely, other) + xp.log1p(xp.exp(-xp.abs(likely - other)))

    def log_rest(xp: Any, p: Mapping[str, Any], y: Any, n: Any) -> Any:
        return 0.0 * p["broken"] + 0.0 * y

    def draw(rng: np.random.Generator, mean: Floats, p: Mapping[str, Any], n: Floats) -> Floats:
        right = plain.draw(rng, mean, p, n)
        uniform = rng.uniform(size=right.shape)
        wrong = np.floor(uniform * (n + 1)) if plain.counted else uniform
        return np.where(rng.uniform(size=right.shape) < _share(np, p), wrong, right)

    def total(mean: Floats, p: Mapping[str, Any], data: Data, out: Floats) -> None:
        terms = np.zeros(mean.shape)
        alone = np.arange(mean.shape[1], dtype=np.int32)
        single = np.where(data.group >= 0, alone, np.int32(-1))
        y, n = data.y[:, :, None], data.trials[:, :, None]
        if plain.total is None:
            inside = np.clip(mean, compiled.MEAN_MARGIN, 1 - compiled.MEAN_MARGIN)
            terms += plain.log_terms(namespaces.NUMPY, inside, p, y, n)
        else:
            plain.total(mean, p, Data(data.y, data.trials, single), terms)
        terms += plain.log_rest(namespaces.NUMPY, p, y, n)
        share = _share(np, p)[:, 0]
        uniform = np.broadcast_to(log_uniform(np, data.trials), data.y.shape)
        kernels.mix_by_group(
            terms, np.log1p(-share), np.log(share), np.ascontiguousarray(uniform), data.group, out
        )

    return replace(
        plain,
        name=f"{plain.name}-robust",
        priors={**plain.priors, "broken": "Beta(1, 49)"},
        log_terms=log_terms,
        log_rest=log_rest,
        draw=draw,
        total=total,
        log_uniform=log_uniform,
    )


def _share(xp: Any, p: Mapping[str, Any]) -> Any:
    """The share of broken evaluations, kept off 0 and 1."""
    return xp.clip(p["broken"], *BROKEN_RANGE)


# --- noise that is correlated along a run ---------------------------------------------------------


def _serial_noise(p: Mapping[str, Any]) -> serial_kernel.Noise:
    """Size and correlation, each (row, particle)."""
    size, correlation = concentration(np, p)[:, 0], p[CORRELATION][:, 0]
    return np.ascontiguousarray(size), np.ascontiguousarray(correlation)


def _beta_binomial_serial_total(
    mean: Floats, p: Mapping[str, Any], data: Data, out: Floats
) -> None:
    """All of the density but binomial coefficients."""
    scores = data.y, data.trials - data.y, data.group
    serial_kernel.beta_binomial_serial(mean, _serial_noise(p), scores, out)


def left_out(mean: Floats, p: Mapping[str, Any], data: Data, total: Floats) -> Floats:
    """Log densities of points given the others of their groups, but for binomial coefficients.

    Parameters
    ----------
    mean : array (1, point, particle)
    p : mapping
        Parameters of a likelihood with a plain one, each (1, 1, particle).
    data : Data
        Of one row, points of a group in their order.
    total : array (group, particle)
        What the log density of each group is added to.

    Returns
    -------
    array (point, particle)
    """
    out = np.zeros(mean.shape[1:])
    (size,), (correlation,) = _serial_noise(p)
    scores = data.y[0], data.trials[0] - data.y[0], data.group[0]
    serial_kernel.beta_binomial_left_out(mean[0], (size, correlation), scores, out, total)
    return out


_PLAIN = {
    likelihood.name: likelihood
    for likelihood in (
        Likelihood(
            "beta-binomial",
            ("counts",),
            {"floor": FLOOR_OF_PROPORTIONS, "overdispersion": "HalfNormal(0.2)"},
            _beta_binomial_terms,
            _beta_binomial_rest,
            _beta_binomial_draw,
            _beta_binomial_total,
        ),
        Likelihood(
            "binomial",
            ("counts",),
            {"floor": FLOOR_OF_PROPORTIONS},
            _binomial_terms,
            _binomial_rest,
            _binomial_draw,
        ),
        Likelihood(
            "beta",
            ("proportion", "counts"),
            {"floor": FLOOR_OF_PROPORTIONS, "overdispersion": "HalfNormal(0.2)"},
            _beta_terms,
            _beta_rest,
            _beta_draw,
            _beta_total,
        ),
        Likelihood(
            "normal",
            ("continuous", "proportion", "counts"),
            {"floor": FLOOR_OF_CONTINUOUS, "sigma": "HalfNormal(0.1)"},
            _normal_terms,
            _normal_rest,
            _normal_draw,
            bounded=False,
        ),
        Likelihood(
            "student-t",
            ("continuous", "proportion", "counts"),
            {"floor": FLOOR_OF_CONTINUOUS, "sigma": "HalfNormal(0.1)", "nu": "Gamma(2, 0.1)"},
            _student_t_terms,
            _student_t_rest,
            _student_t_draw,
            bounded=False,
        ),
    )
}
ROBUST = ("beta-binomial", "binomial", "beta")
_SERIAL = {
    "beta-binomial-ar": replace(
        _PLAIN["beta-binomial"],
        name="beta-binomial-ar",
        priors={**_PLAIN["beta-binomial"].priors, CORRELATION: "Uniform(0, 1)"},
        total=_beta_binomial_serial_total,
        plain=_PLAIN["beta-binomial"],
    )
}
LIKELIHOODS: Mapping[str, Likelihood] = MappingProxyType(
    _PLAIN | {f"{name}-robust": robust(_PLAIN[name]) for name in ROBUST} | _SERIAL
)

OF_RUNS = "ar"
SERIAL = (OF_RUNS, *_SERIAL)
DEFAULTS = {"counts": "beta-binomial", "proportion": "beta", "continuous": "normal"}
# What a likelihood that goes by the kind of each curve is; that of runs is of others the plain one.
BY_KIND: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "auto": DEFAULTS,
        "robust": {
            "counts": "beta-binomial-robust",
            "proportion": "beta-robust",
            "continuous": "student-t",
        },
        OF_RUNS: {**DEFAULTS, "counts": "beta-binomial-ar"},
    }
)
