"""Density: the reference models over JAX arrays, of one curve, for NumPyro and BlackJAX.

Shares and the rising factorial are those of `benchmarks.problems.pymc_models`, written once for
PyTensor and any namespace with its names.
"""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import jax

from benchmarks.problems.pymc_models import MARGIN, RHO, SHARES, log_rising, parsed, priors

_settings: Any = jax.config
_settings.update("jax_enable_x64", True)

import jax.numpy as jnp
from jax.scipy import special, stats

LIKE_PYTENSOR = SimpleNamespace(
    expm1=jnp.expm1, log=jnp.log, log1p=jnp.log1p, maximum=jnp.maximum, minimum=jnp.minimum,
    sigmoid=jax.nn.sigmoid, switch=jnp.where,
)  # fmt: skip
finished: Any = jax.block_until_ready
LARGEST_LOGIT = 35.0  # beyond, a double is 1


def log_likelihood(model: str, p: Mapping[str, Any], data: Mapping[str, Any]) -> Any:
    """Of one curve: parameters are scalars, u, k and rest (point,); sums over points.

    With a last axis of 1 on parameters and ceiling it serves (curve, point) too.
    """
    u, k, rest, ceiling = (data[name] for name in ("u", "k", "rest", "ceiling"))
    share = SHARES[model](LIKE_PYTENSOR, u, dict(p))
    mean = p["floor"] + (ceiling - p["floor"]) * share if "floor" in p else ceiling * share
    mean = jnp.clip(mean, MARGIN, 1 - MARGIN)
    size = 1 / jnp.clip(p["overdispersion"] ** 2, *RHO) - 1
    n = k + rest
    terms = special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(rest + 1)
    terms += log_rising(LIKE_PYTENSOR, mean * size, k)
    terms += log_rising(LIKE_PYTENSOR, (1 - mean) * size, rest)
    return (terms - log_rising(LIKE_PYTENSOR, size, n)).sum()


# --- without a probabilistic language: unconstrained coordinates, as BlackJAX wants them ----------


def constrained(model: str, x: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
    """Parameters of unconstrained coordinates, and the logarithm of the Jacobian."""
    p: dict[str, Any] = {}
    log_jacobian: Any = 0.0
    for name, text in priors(model).items():
        kind = "Beta" if name == "floor" else parsed(text)[0]
        if kind == "Normal":
            p[name] = x[name]
        elif kind in ("LogNormal", "HalfNormal"):
            p[name] = jnp.exp(x[name])
            log_jacobian += x[name]
        else:  # on (0, 1)
            logit = jnp.clip(x[name], -LARGEST_LOGIT, LARGEST_LOGIT)
            p[name] = jax.nn.sigmoid(logit)
            log_jacobian += jax.nn.log_sigmoid(x[name]) + jax.nn.log_sigmoid(-x[name])
    return p, log_jacobian


def log_prior(model: str, x: Mapping[str, Any], data: Mapping[str, Any]) -> Any:
    """In unconstrained coordinates."""
    p, total = constrained(model, x)
    for name, text in priors(model).items():
        if name == "floor":
            total += stats.beta.logpdf(p[name], data["floor_alpha"], data["floor_beta"])
            continue
        kind, numbers = parsed(text)
        if kind == "Beta":
            total += stats.beta.logpdf(p[name], *numbers)
        elif kind == "Normal":
            total += stats.norm.logpdf(p[name], *numbers)
        elif kind == "LogNormal":
            total += stats.norm.logpdf(x[name], *numbers) - x[name]
        elif kind == "HalfNormal":
            total += jnp.log(2.0) + stats.norm.logpdf(p[name], 0.0, numbers[0])
    return total


def draw_prior(model: str, key: Any, data: Mapping[str, Any], count: int) -> dict[str, Any]:
    """Draws from the prior in unconstrained coordinates: (count,) of each."""
    out = {}
    for name, text in priors(model).items():
        key, step_key = jax.random.split(key)
        kind, numbers = parsed(text) if name != "floor" else ("Beta", ())
        normal = jax.random.normal(step_key, (count,))
        if kind in ("Normal", "LogNormal"):
            out[name] = numbers[0] + numbers[1] * normal
        elif kind == "HalfNormal":
            out[name] = jnp.log(numbers[0] * jnp.abs(normal))
        elif kind == "Uniform":
            out[name] = special.logit(jax.random.uniform(step_key, (count,), minval=1e-12))
        else:
            a, b = numbers or (data["floor_alpha"], data["floor_beta"])
            value = jnp.clip(jax.random.beta(step_key, a, b, (count,)), 1e-12, 1 - 1e-12)
            out[name] = special.logit(value)
    return out
