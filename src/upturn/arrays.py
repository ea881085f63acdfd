"""The array functions that curves, priors and likelihoods are written in, under one name each.

A namespace is any object with these attributes: NumPy's is below; JAX and PyTensor offer the same
names, so the same formula runs on all of them. Comparisons other than `>` stay out (PyTensor's
`==` is not elementwise): a hinge is `maximum(u - tau, 0)`.
"""

from functools import cache, partial
from types import SimpleNamespace
from typing import Any

import numpy as np
from scipy.special import expit, ndtr, ndtri

from upturn import kernels

SHARED = ("abs", "clip", "exp", "expm1", "log", "log1p", "maximum", "minimum", "sqrt", "where")
SHIFT = 6.0  # Stirling's series is used from here on


def _elementwise(kernel: Any) -> Any:
    """A flat kernel, made to broadcast."""

    def broadcast(*arguments: Any) -> Any:
        arrays = np.broadcast_arrays(*(np.asarray(a, dtype=float) for a in arguments))
        flat = kernel(*(np.ascontiguousarray(a).reshape(-1) for a in arrays))
        return flat.reshape(arrays[0].shape)

    return broadcast


NUMPY = SimpleNamespace(
    **{name: getattr(np, name) for name in SHARED},
    name="numpy",
    ndtr=ndtr,
    ndtri=ndtri,
    expit=expit,
    log_gamma=_elementwise(kernels.log_gamma),
    log_rising=_elementwise(kernels.log_rising),
    log_beta_cell=_elementwise(kernels.log_beta_cell),
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
        log_beta_cell=partial(_log_beta_cell, pt),
        take=lambda table, index: pt.as_tensor_variable(table)[index],
    )


def __getattr__(name: str) -> SimpleNamespace:
    """`PYTENSOR`, made when it is first asked for."""
    if name == "PYTENSOR":
        return pytensor()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


# --- what automatic differentiation can go through, by the formulas of `kernels` ------------------


def _stirling(r: Any) -> Any:
    """The correction of Stirling's series at x = 1/r >= 6 (DLMF 5.11.1)."""
    q = r * r
    tail = 1 / 1260 - q * (1 / 1680 - q * (1 / 1188))
    return r * (1 / 12 - q * (1 / 360 - q * tail))


def _log_six(xp: Any, x: Any) -> Any:
    """The logarithm of x (x + 1) … (x + 5)."""
    return xp.log(x * (x + 1) * (x + 2) * (x + 3) * (x + 4) * (x + 5))


def _log_rising(xp: Any, x: Any, k: Any) -> Any:
    """Log Gamma(x + k) - log Gamma(x), without cancellation where x >> k.

    The difference of two log gammas near 10^13 would leave no digit of the answer, and noise for
    its gradient.
    """
    a = x + SHIFT
    b = a + k
    correction = _stirling(1 / b) - _stirling(1 / a) + _log_six(xp, x) - _log_six(xp, x + k)
    return (a - 0.5) * xp.log1p(k / a) + k * (xp.log(b) - 1) + correction


def _log_gamma(xp: Any, x: Any) -> Any:
    """Log Gamma(x) for x > 0."""
    a = x + SHIFT
    half_log_two_pi = 0.9189385332046727
    return (a - 0.5) * xp.log(a) - a + half_log_two_pi + _stirling(1 / a) - _log_six(xp, x)


def _log_beta_cell(pt: Any, a: Any, b: Any, cell: float) -> Any:
    """The logarithm of the probability of [0, cell] under Beta(a, b) (DLMF 8.17.8).

    The terms of the series stand along an axis of their own: written out one by one, their gradient
    takes PyTensor half a minute to compile.
    """
    n = np.arange(kernels.CELL_TERMS)
    first, second = pt.expand_dims(a, -1), pt.expand_dims(b, -1)
    ratio = (first + second + n) * cell / (first + 1 + n)
    total = 1 + pt.sum(pt.cumprod(ratio, axis=-1), axis=-1)
    front = a * np.log(cell) + b * np.log1p(-cell) - pt.gammaln(a + 1) - pt.gammaln(b)
    return front + pt.gammaln(a + b) + pt.log(total)
