"""A likelihood: its terms for each point, and the data that they are computed from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from upturn.arrays.types import Floats
from upturn.formulas.parameters import POSITIVE, Parameter

RHO_RANGE = (1e-8, 0.999)  # from the binomial to nearly only 0 and n

FLOOR_OF_PROPORTIONS = "BetaMode(chance, 100) | Beta(1, 4)"

FLOOR_OF_CONTINUOUS = "Normal(chance, 0.05) | Normal(0.25, 0.125)"

OVERDISPERSION = Parameter("HalfNormal(0.2)", POSITIVE, "overdispersion")


@dataclass(frozen=True)
class Data:
    """The data: y and trials (row, point), group (row, point; -1 leaves a point out)."""

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
    floor : str
        The default prior of the floor, which is a parameter of the curve, on this likelihood's
        scale.
    parameters : mapping of str to Parameter
    log_terms, log_rest : callable
        (xp, mean, parameters, y, trials) and (xp, parameters, y, trials), each to the logarithm of
        the density's factors, per point.
    draw : callable
        (generator, mean, parameters, trials), the last three of one shape, to random scores:
        successes for counts, otherwise on the model's scale.
    total : callable, optional
        NumPy's fast form of log_terms summed over points by group: (mean, parameters, Data, out).
        It keeps the mean away from 0 and 1 itself.
    bounded : bool
        Whether the expected score is a proportion.
    log_uniform : callable, optional
        (xp, trials) to the log density of a broken score; robust likelihoods only.
    constant : callable, optional
        (xp, trials, y) to the part of each point's log density that depends on no parameter;
        `rest_total` does not include it.
    rest_total : callable, optional
        Fast form of log_rest summed over points, plus a constant (row, particle): (xp, parameters,
        values, counts, constant), with the distinct numbers of trials and how many points have
        them, each (row, value). Without it, log_rest must be the same for all points.
    fused : callable, optional
        (xp, parameters) to the noise argument of `upturn.formulas.kernels.hinge`, if that has a
        loop for this likelihood.
    plain : Likelihood, optional
        For noise that is correlated along a run (see
        `upturn.formulas.likelihoods.autocorrelation`): the likelihood of independent scores. It has
        the same `log_terms`, `log_rest` and `draw`; only `total` differs, which takes the points of
        a group as ordered.
    """

    name: str
    kinds: tuple[str, ...]
    floor: str
    parameters: Mapping[str, Parameter]
    log_terms: Callable[..., Any]
    log_rest: Callable[..., Any]
    draw: Callable[..., Floats]
    total: Callable[..., None] | None = None
    bounded: bool = field(default=True)
    log_uniform: Callable[..., Any] | None = None
    constant: Callable[..., Any] | None = None
    rest_total: Callable[..., Any] | None = None
    fused: Callable[..., Any] | None = None
    plain: "Likelihood | None" = None

    @property
    def counted(self) -> bool:
        """Whether it is for counts only."""
        return self.kinds == ("counts",)


def concentration(xp: Any, p: Mapping[str, Any], least: float = RHO_RANGE[0]) -> Any:
    """Alpha + beta = 1/rho - 1 of intra-class correlation rho = overdispersion^2."""
    return 1 / xp.clip(p["overdispersion"] ** 2, least, RHO_RANGE[1]) - 1


def log_choose(xp: Any, n: Any, k: Any) -> Any:
    """Logarithm of the binomial coefficient."""
    return xp.log_gamma(n + 1.0) - xp.log_gamma(k + 1.0) - xp.log_gamma(n - k + 1.0)
