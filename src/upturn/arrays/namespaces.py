"""The array functions that curves, priors and likelihoods are written in, under one name each.

A namespace is any object with these attributes: NumPy's is below; JAX and PyTensor offer the same
names, so the same formula runs on all of them. Comparisons other than `>` stay out (PyTensor's
`==` is not elementwise): a hinge is `maximum(u - tau, 0)`. The population sampler runs on NumPy's
and JAX's, which have more names: `module`, the library itself; `repeat`, a loop; `passing`, a
search in sorted rows; `inverse_of_lower`, of triangular matrices.
"""

from collections.abc import Callable
from functools import cache, partial
from types import SimpleNamespace
from typing import Any

import numpy as np
from scipy.special import expit, ndtr

from upturn.arrays import quantiles
from upturn.arrays import special as special_module

SHARED = ("abs", "clip", "exp", "expm1", "log", "log1p", "maximum", "minimum", "sqrt", "where")
SHIFT = 6.0  # Stirling's series is used from here on


def _elementwise(kernel: Any) -> Any:
    """A kernel of flat arrays, as a function that broadcasts."""

    def broadcast(*arguments: Any) -> Any:
        arrays = [np.asarray(a, dtype=float) for a in arguments]
        shape = np.broadcast_shapes(*(a.shape for a in arrays))
        # copied, because NumPy warns when numba checks whether a broadcast array is writeable
        whole = (a if a.shape == shape else np.broadcast_to(a, shape).copy() for a in arrays)
        flat = kernel(*(np.ascontiguousarray(a).reshape(-1) for a in whole))
        return flat.reshape(shape)

    return broadcast


def _ndtri(p: Any) -> Any:
    """Quantiles of N(0, 1)."""
    p = np.ascontiguousarray(p, dtype=float)
    out = np.empty_like(p)
    quantiles.normal_quantile(p.reshape(-1), out.reshape(-1))
    return out


def _repeat(count: int, step: Callable[[int, Any], Any], state: Any) -> Any:
    """The state after `step(i, state)` for i = 0 … count - 1."""
    for i in range(count):
        state = step(i, state)
    return state


def _passing(passed: Any, count: int) -> Any:
    """For each of 0 … count - 1, the first place in each ascending row that exceeds it."""
    copies = np.diff(passed, axis=1, prepend=0).reshape(-1)
    index = np.broadcast_to(np.arange(passed.shape[1]), passed.shape).reshape(-1)
    return np.repeat(index, copies).reshape(len(passed), count)


NUMPY = SimpleNamespace(
    **{name: getattr(np, name) for name in SHARED},
    name="numpy",
    module=np,
    repeat=_repeat,
    passing=_passing,
    inverse_of_lower=np.linalg.inv,
    ndtr=ndtr,
    ndtri=_ndtri,
    expit=expit,
    log_gamma=_elementwise(special_module.log_gamma),
    log_rising=_elementwise(special_module.log_rising),
    log_beta_cell=_elementwise(special_module.log_beta_cell),
    take=lambda table, index: table[index],
)


@cache
def pytensor() -> SimpleNamespace:
    """PyTensor's namespace; PyTensor is loaded on first use."""
    import pytensor.tensor as pt

    return SimpleNamespace(
        **{name: getattr(pt, name) for name in SHARED},
        name="pytensor",
        ndtr=lambda z: 0.5 * pt.erfc(-z * np.sqrt(0.5)),
        ndtri=lambda p: -np.sqrt(2) * pt.erfcinv(2 * p),
        expit=pt.sigmoid,
        log_gamma=partial(_log_gamma, pt),
        log_rising=partial(_log_rising, pt),
        log_beta_cell=partial(_log_beta_cell, pt, pt.gammaln),
        take=lambda table, index: pt.as_tensor_variable(table)[index],
    )


@cache
def jax() -> SimpleNamespace:
    """JAX's namespace; JAX is loaded on first use.

    Formulas need doubles, which JAX has for the thread that asks: `with jax.enable_x64(True)`.
    """
    import jax.numpy as jnp
    from jax import lax, vmap
    from jax.scipy import special

    return SimpleNamespace(
        **{name: getattr(jnp, name) for name in SHARED},
        name="jax",
        module=jnp,
        repeat=lambda count, step, state: lax.fori_loop(0, count, step, state),
        passing=lambda passed, count: vmap(
            lambda row: jnp.searchsorted(row, jnp.arange(count), side="right")
        )(passed),
        inverse_of_lower=lambda root: lax.linalg.triangular_solve(
            root, jnp.broadcast_to(jnp.eye(root.shape[-1]), root.shape), left_side=True, lower=True
        ),
        ndtr=special.ndtr,
        ndtri=special.ndtri,
        expit=special.expit,
        log_gamma=partial(_log_gamma, jnp),
        log_rising=partial(_log_rising, jnp),
        log_beta_cell=partial(_log_beta_cell, jnp, special.gammaln),
        take=lambda table, index: jnp.asarray(table)[index],
    )


def __getattr__(name: str) -> SimpleNamespace:
    """`PYTENSOR` and `JAX`, loaded on first use."""
    if name in ("PYTENSOR", "JAX"):
        return pytensor() if name == "PYTENSOR" else jax()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


# --- the formulas of `elementary`, for automatic differentiation ----------------------------------


def _stirling(r: Any) -> Any:
    """The correction of Stirling's series at x = 1/r >= 6 (DLMF 5.11.1)."""
    q = r * r
    tail = 1 / 1260 - q * (1 / 1680 - q * (1 / 1188))
    return r * (1 / 12 - q * (1 / 360 - q * tail))


def _six(x: Any) -> Any:
    """Product x (x + 1) … (x + 5), which carries the gamma function six up."""
    return x * (x + 1) * (x + 2) * (x + 3) * (x + 4) * (x + 5)


def _log_rising(xp: Any, x: Any, k: Any) -> Any:
    """Log Gamma(x + k) - log Gamma(x), without cancellation where x >> k.

    The difference of two log gammas near 10^13 would have no correct digit, and a gradient that is
    noise.
    """
    a = x + SHIFT
    b = a + k
    correction = _stirling(1 / b) - _stirling(1 / a) + xp.log(_six(x) / _six(x + k))
    return (a - 0.5) * xp.log1p(k / a) + k * (xp.log(b) - 1) + correction


def _log_gamma(xp: Any, x: Any) -> Any:
    """Log Gamma(x) for x > 0."""
    a = x + SHIFT
    half_log_two_pi = 0.9189385332046727
    return (a - 0.5) * xp.log(a) - a + half_log_two_pi + _stirling(1 / a) - xp.log(_six(x))


def _log_beta_cell(xp: Any, log_gamma: Any, a: Any, b: Any, cell: float) -> Any:
    """The logarithm of the probability of [0, cell] under Beta(a, b) (DLMF 8.17.8).

    The terms of the series are along an axis of their own: as separate expressions, their gradient
    takes PyTensor half a minute to compile.
    """
    n = np.arange(special_module.CELL_TERMS)
    first, second = xp.expand_dims(a, -1), xp.expand_dims(b, -1)
    ratio = (first + second + n) * cell / (first + 1 + n)
    total = 1 + xp.sum(xp.cumprod(ratio, axis=-1), axis=-1)
    front = a * np.log(cell) + b * np.log1p(-cell) - log_gamma(a + 1) - log_gamma(b)
    return front + log_gamma(a + b) + xp.log(total)
