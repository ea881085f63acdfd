"""The likelihood of proportions without trials: beta."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from upturn.arrays import special
from upturn.arrays.types import Floats
from upturn.formulas.kernels import by_group
from upturn.formulas.likelihoods.likelihood import (
    FLOOR_OF_PROPORTIONS,
    OVERDISPERSION,
    Data,
    Likelihood,
    concentration,
)

# The variance of rounding to a tenth of a percent, as rho at a mean of 1/2. Without it a row of
# equal scores would have an infinite density.
ROUNDING_RHO = 4e-7

RESOLUTION = 5e-4  # proportions without trials are assumed to be rounded to a tenth of a percent


def _beta_terms(xp: Any, mean: Any, p: Mapping[str, Any], y: Any, n: Any) -> Any:
    """The beta density in mean and rho, variance mean (1 - mean) rho, less log Gamma(a + b).

    A rounded 0 or 1 stands for all values that round to it, and has their mean density.
    """
    size = concentration(xp, p, ROUNDING_RHO)
    most = xp.minimum(size, special.CELL_SIZE)  # noise far below that of rounding is ignored
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
    by_group.beta_density(mean, size, data.y, RESOLUTION, data.group, out)


BETA = Likelihood(
    "beta",
    ("proportion", "counts"),
    FLOOR_OF_PROPORTIONS,
    {"overdispersion": OVERDISPERSION},
    _beta_terms,
    _beta_rest,
    _beta_draw,
    _beta_total,
)
