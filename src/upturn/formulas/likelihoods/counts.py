"""Likelihoods of counts: beta-binomial and binomial."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from upturn.arrays.namespaces import NUMPY
from upturn.arrays.types import Floats
from upturn.formulas.kernels import by_group
from upturn.formulas.likelihoods.likelihood import (
    FLOOR_OF_PROPORTIONS,
    OVERDISPERSION,
    Data,
    Likelihood,
    concentration,
    log_choose,
)


def _beta_binomial_terms(xp: Any, mean: Any, p: Mapping[str, Any], k: Any, n: Any) -> Any:
    """Log B(k + alpha, n - k + beta) / B(alpha, beta), without terms of alpha + beta alone."""
    alpha = mean * concentration(xp, p)
    return xp.log_rising(alpha, k) + xp.log_rising(concentration(xp, p) - alpha, n - k)


def _beta_binomial_rest(xp: Any, p: Mapping[str, Any], k: Any, n: Any) -> Any:
    return log_choose(xp, n, k) - xp.log_rising(concentration(xp, p), n)


def _beta_binomial_rest_total(
    xp: Any, p: Mapping[str, Any], values: Any, counts: Any, constant: Any
) -> Any:
    """The rest, which points with the same number of trials have in common."""
    if xp is NUMPY:
        size, out = np.ascontiguousarray(concentration(xp, p)[:, 0]), constant.copy()
        by_group.beta_binomial_rest(size, values, counts, out)
        return out
    rest = _beta_binomial_rest(xp, p, 0.0, values[:, :, None])
    return (rest * counts[:, :, None]).sum(axis=1) + constant


def constant_alone(xp: Any, p: Mapping[str, Any], values: Any, counts: Any, constant: Any) -> Any:
    """The sum of a rest that depends on no parameter."""
    return constant


def _beta_binomial_total(mean: Floats, p: Mapping[str, Any], data: Data, out: Floats) -> None:
    size = np.ascontiguousarray(concentration(np, p)[:, 0])
    by_group.beta_binomial(mean, size, data.y, data.trials - data.y, data.group, out)


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
    return log_choose(xp, n, k)


BETA_BINOMIAL = Likelihood(
    "beta-binomial",
    ("counts",),
    FLOOR_OF_PROPORTIONS,
    {"overdispersion": OVERDISPERSION},
    _beta_binomial_terms,
    _beta_binomial_rest,
    _beta_binomial_draw,
    _beta_binomial_total,
    constant=log_choose,
    rest_total=_beta_binomial_rest_total,
    fused=concentration,
)
BINOMIAL = Likelihood(
    "binomial",
    ("counts",),
    FLOOR_OF_PROPORTIONS,
    {},
    _binomial_terms,
    _binomial_rest,
    _binomial_draw,
    constant=log_choose,
    rest_total=constant_alone,
)
