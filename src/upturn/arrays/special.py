"""Special functions of flat arrays, compiled."""

import numpy as np

from upturn.arrays.compiled import compiled, inner
from upturn.arrays.elementary import log_gamma as _log_gamma
from upturn.arrays.elementary import log_rising as _log_rising
from upturn.arrays.types import Floats

# For the beta density at a printed 0 or 1: the size alpha + beta at which the sd of a mean of 5e-4
# equals that of rounding, and the terms of the series, whose relative error is then 1e-8.
CELL_SIZE = 1e4

CELL_TERMS = 22


@compiled
def log_rising(x: Floats, k: Floats) -> Floats:
    """Log rising factorials of two flat arrays of one length."""
    out = np.empty_like(x)
    for i in range(x.size):
        out[i] = _log_rising(x[i], k[i])
    return out


@compiled
def log_gamma(x: Floats) -> Floats:
    """Log Gamma(x) of a flat array."""
    out = np.empty_like(x)
    for i in range(x.size):
        out[i] = _log_gamma(x[i])
    return out


@inner
def _log_cell(a: float, b: float, cell: float) -> float:
    """The logarithm of the probability of [0, cell] under Beta(a, b), by a series (DLMF 8.17.8)."""
    total = 1.0
    for n in range(CELL_TERMS - 1, -1, -1):
        total = 1.0 + (a + b + n) * cell / (a + 1.0 + n) * total
    front = a * np.log(cell) + b * np.log1p(-cell) - _log_gamma(a + 1.0) - _log_gamma(b)
    return front + _log_gamma(a + b) + np.log(total)


@compiled
def log_beta_cell(a: Floats, b: Floats, cell: Floats) -> Floats:
    """Logarithms of the probability of [0, cell] under Beta(a, b), a + b at most CELL_SIZE."""
    out = np.empty_like(a)
    for i in range(a.size):
        out[i] = _log_cell(a[i], b[i], cell[i])
    return out
