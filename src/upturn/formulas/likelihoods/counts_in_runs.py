"""The likelihood of counts of checkpoints, whose noise is correlated along a run."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from upturn.arrays.types import Floats
from upturn.formulas.kernels import autocorrelated
from upturn.formulas.likelihoods.autocorrelation import CORRELATION
from upturn.formulas.likelihoods.counts import BETA_BINOMIAL, constant_alone
from upturn.formulas.likelihoods.likelihood import Data, concentration
from upturn.formulas.parameters import UNIT, Parameter


def _serial_noise(p: Mapping[str, Any]) -> autocorrelated.Noise:
    """Size and correlation, each (row, particle)."""
    size, correlation = concentration(np, p)[:, 0], p[CORRELATION][:, 0]
    return np.ascontiguousarray(size), np.ascontiguousarray(correlation)


def _beta_binomial_serial_total(
    mean: Floats, p: Mapping[str, Any], data: Data, out: Floats
) -> None:
    """The log density without binomial coefficients."""
    scores = data.y, data.trials - data.y, data.group
    autocorrelated.beta_binomial_serial(mean, _serial_noise(p), scores, out)


def leave_one_out(mean: Floats, p: Mapping[str, Any], data: Data, total: Floats) -> Floats:
    """Log densities of points given the others of their groups, without binomial coefficients.

    Parameters
    ----------
    mean : array (1, point, particle)
    p : mapping
        Parameters of a likelihood with correlated noise, each (1, 1, particle).
    data : Data
        One row, with the points of a group in their order.
    total : array (group, particle)
        The log density of each group is added to it.

    Returns
    -------
    array (point, particle)
    """
    out = np.zeros(mean.shape[1:])
    (size,), (correlation,) = _serial_noise(p)
    scores = data.y[0], data.trials[0] - data.y[0], data.group[0]
    autocorrelated.beta_binomial_left_out(mean[0], (size, correlation), scores, out, total)
    return out


BETA_BINOMIAL_AR = replace(
    BETA_BINOMIAL,
    name="beta-binomial-ar",
    parameters={**BETA_BINOMIAL.parameters, CORRELATION: Parameter("Uniform(0, 1)", UNIT)},
    total=_beta_binomial_serial_total,
    rest_total=constant_alone,
    fused=None,
    plain=BETA_BINOMIAL,
)
