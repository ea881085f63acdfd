"""Importance weights: effective sizes, temperatures, smoothing and resampling."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from upturn.arrays.namespaces import NUMPY
from upturn.arrays.types import Floats
from upturn.sampling.particles import point_kernels, weight_kernels

LARGEST_K = 0.7  # Pareto shape above which importance sampling is not trusted (Vehtari et al. 2024)
BISECTIONS = 12  # in the logarithm: they give a temperature to within 1 %
COLDEST = 1e-12
CODE_BITS = 30  # of a position on the space-filling curve
LEAST_VARIANCE = 1e-20
SEARCHED = 1024  # particles, evenly among all, from which a temperature is found


def normalised(log_weights: Floats, xp: Any = NUMPY) -> Floats:
    """Weights that sum to one along the last axis."""
    w: Floats = xp.exp(log_weights - log_weights.max(axis=-1, keepdims=True))
    return w / w.sum(axis=-1, keepdims=True)


def log_mean_exp(log_weights: Floats, xp: Any = NUMPY) -> Floats:
    """The logarithm of the mean weight along the last axis."""
    top = log_weights.max(axis=-1, keepdims=True)
    out: Floats = xp.log(xp.exp(log_weights - top).mean(axis=-1)) + top[..., 0]
    return out


def effective_size(log_weights: Floats, xp: Any = NUMPY) -> Floats:
    """(sum w)^2 / sum w^2 along the last axis (Kong 1992)."""
    w: Floats = xp.exp(log_weights - log_weights.max(axis=-1, keepdims=True))
    return w.sum(axis=-1) ** 2 / (w * w).sum(axis=-1)


def temperature(
    offset: Floats, log_likelihood: Floats, before: Floats, size: float, xp: Any = NUMPY
) -> Floats:
    """The highest inverse temperature at which the weights keep an effective size.

    Parameters
    ----------
    offset : array (row, particle)
        Log weight at inverse temperature 0.
    log_likelihood : array (row, particle)
    before : array (row,)
        The answer is no lower.
    size : float

    Returns
    -------
    array (row,)
        In [before, 1].
    """
    step = max(1, offset.shape[1] // SEARCHED)
    size = size * -(-offset.shape[1] // step) / offset.shape[1]
    offset, log_likelihood = offset[:, ::step], log_likelihood[:, ::step]
    if xp is NUMPY:
        out = np.empty(len(before))
        arrays = np.ascontiguousarray(offset), np.ascontiguousarray(log_likelihood), before
        weight_kernels.temperatures(*arrays, size, BISECTIONS, COLDEST, out)
        return out
    done = effective_size(offset + log_likelihood, xp) >= size
    start = xp.log(xp.maximum(before, COLDEST))

    def halve(_: Any, ends: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
        low, high = ends
        middle = (low + high) / 2
        tried = offset + xp.exp(middle)[:, None] * log_likelihood
        enough = effective_size(tried, xp) >= size
        return xp.where(enough, middle, low), xp.where(enough, high, middle)

    low, _ = xp.repeat(BISECTIONS, halve, (start, 0.0 * before))
    inverse: Floats = xp.where(done, 1.0, xp.where(low > start, xp.exp(low), before))
    return inverse


def systematic(weights: Floats, offset: Floats, count: int, xp: Any = NUMPY) -> NDArray[np.intp]:
    """Systematic resampling: the particles under `count` equidistant marks on the summed weights.

    Parameters
    ----------
    weights : array (row, particle)
        Normalised.
    offset : array (row,)
        The position of the marks of each row, in (0, 1) of their distance.
    count : int

    Returns
    -------
    array (row, count)
    """
    if xp is NUMPY:
        index = np.empty((len(weights), count), dtype=np.intp)
        weight_kernels.systematic(weights, offset, index)
        return index
    jnp = xp.module
    summed = jnp.cumsum(weights, axis=1)
    summed /= summed[:, -1:]
    # mark i, at (i + offset) / count, lies below a sum where i < sum * count - offset
    passed = jnp.ceil(summed * count - offset[:, None])
    passed = jnp.where(summed >= 1, count, passed)  # whatever was rounded
    under: NDArray[np.intp] = xp.passing(passed.astype(np.int64), count)
    return under


def log_mixture(logs: Sequence[Floats], shares: Sequence[float], xp: Any = NUMPY) -> Floats:
    """Log density of a mixture, from log densities (row, particle) and shares of its parts."""
    if xp is NUMPY:
        stacked, out = np.stack(logs), np.empty_like(logs[0])
        cells = stacked.reshape(len(logs), -1)
        weight_kernels.log_mixture(cells, np.array(shares), out.reshape(-1))
        return out
    logs = [d + np.log(n) for d, n in zip(logs, shares, strict=True)]
    top = logs[0]
    for log_density in logs[1:]:
        top = xp.maximum(top, log_density)
    total: Floats = sum(xp.exp(log_density - top) for log_density in logs)
    return top + xp.log(total)


def along_curve(z: Floats, weights: Floats, xp: Any = NUMPY) -> NDArray[np.intp]:
    """The order in which a space-filling (Morton) curve passes through points.

    Resampling in this order keeps most of what a low-discrepancy net gains over independent
    points (Gerber & Chopin 2015). Points are standardised and mapped into a cube by
    x / sqrt(1 + x²), so that the cells are as fine for a narrow distribution as for a wide one.

    Parameters
    ----------
    z : array (row, dimension, particle)
    weights : array (row, particle)
        Normalised; for the centre and the scale of the points.

    Returns
    -------
    array (row, particle)
    """
    z = z[:, :CODE_BITS]
    rows, dimensions, particles = z.shape
    bits = min(CODE_BITS // dimensions, 10)
    centre = (z * weights[:, None]).sum(axis=2)
    scale = xp.sqrt((z * z * weights[:, None]).sum(axis=2) - centre * centre + LEAST_VARIANCE)
    if xp is NUMPY:
        order = np.empty((rows, particles), dtype=np.intp)
        point_kernels.along_curve(z, centre, scale, bits, order)
        return order
    x = (z - centre[:, :, None]) / scale[:, :, None]
    cells = xp.minimum((0.5 + 0.5 * x / xp.sqrt(1 + x * x)) * 2.0**bits, 2.0**bits - 1)
    cells = cells.astype(np.int64)
    code = xp.module.zeros((rows, particles), dtype=np.int64)
    for bit in range(bits - 1, -1, -1):
        for d in range(dimensions):
            code = (code << 1) | ((cells[:, d] >> bit) & 1)
    by_code: NDArray[np.intp] = xp.module.argsort(code, axis=1, stable=True)
    return by_code
