"""Likelihoods of continuous metrics: normal and Student-t."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from upturn.arrays.types import Floats
from upturn.formulas.likelihoods.likelihood import FLOOR_OF_CONTINUOUS, Likelihood
from upturn.formulas.parameters import POSITIVE, Parameter

SIGMA = Parameter("HalfNormal(0.1)", POSITIVE, "overdispersion")

SMALLEST_SIGMA = 1e-4  # on the model's scale, whose middle half the scores fill

SMALLEST_NU = 0.1

_HALF_LOG_TWO_PI = 0.9189385332046727

_HALF_LOG_PI = 0.5723649429247001


def standard_deviation(xp: Any, p: Mapping[str, Any]) -> Any:
    """Sigma, bounded below: three points on a line would have a standard deviation of 0."""
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


NORMAL = Likelihood(
    "normal",
    ("continuous", "proportion", "counts"),
    FLOOR_OF_CONTINUOUS,
    {"sigma": SIGMA},
    _normal_terms,
    _normal_rest,
    _normal_draw,
    bounded=False,
    fused=standard_deviation,
)
STUDENT_T = Likelihood(
    "student-t",
    ("continuous", "proportion", "counts"),
    FLOOR_OF_CONTINUOUS,
    {"sigma": SIGMA, "nu": Parameter("Gamma(2, 0.1)", POSITIVE)},
    _student_t_terms,
    _student_t_rest,
    _student_t_draw,
    bounded=False,
)
