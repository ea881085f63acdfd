"""Baselines of a forecast: published scaling curves, fitted by least squares with SciPy.

Each is fitted as its authors do. A forecast is compared with them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from scipy.optimize import least_squares
from scipy.special import expit

from upturn.arrays.types import Floats

LEAST_ERROR = 1e-4  # smallest error whose logarithm a power law is fitted to
STARTS = 3  # points of a grid from which least squares start
EVALUATIONS = 300  # of a curve from one start, at most

type Curve = Callable[[Floats], Floats]


@dataclass(frozen=True)
class Fitted:
    """A fitted curve.

    Attributes
    ----------
    curve : callable
        From places t on the axis, 0 to 1 over the fitted points, to scores.
    parameters : int
        Number of parameters.
    problem : str
        What went wrong, in words, or "". With fewer points than parameters the curve is a constant;
        if least squares have not converged it is the best one that was reached.
    """

    curve: Curve
    parameters: int
    problem: str = ""


# --- the curves -----------------------------------------------------------------------------------


def _constant(t: Floats, y: Floats, ceiling: float) -> Fitted:
    mean = float(y.mean())
    return Fitted(lambda at: np.full(np.shape(at), mean), 1)


def _log_linear(t: Floats, y: Floats, ceiling: float) -> Fitted:
    """A line in log scale (Chowdhery et al. 2022, section 6.2), cut off at 0 and the ceiling."""
    slope, start = np.polyfit(t, y, 1)
    return Fitted(lambda at: np.clip(start + slope * np.asarray(at), 0, ceiling), 2)


def _logit_linear(t: Floats, y: Floats, ceiling: float) -> Fitted:
    """A line in log odds: c · logistic(a + b t), where c is the ceiling."""
    starts = product(np.linspace(-6, 3, 10), (-2.0, 0.5, 1.0, 2.0, 5.0, 10.0))
    return _least_squares(
        lambda p, at: ceiling * expit(p[0] + p[1] * at), t, y, starts,
        bounds=([-60, -200], [60, 200]),
    )  # fmt: skip


def _sigmoid(t: Floats, y: Floats, ceiling: float) -> Fitted:
    """A sigmoid with free asymptotes: l + (h - l) logistic(a + b t) (after Ruan et al. 2024)."""
    starts = [
        (-slope * middle, slope, max(float(y.min()), 1e-3), high)
        for middle, slope, high in product(
            np.linspace(0.1, 1.7, 9),
            (2.0, 5.0, 10.0, 25.0),
            np.linspace(max(float(y.max()), 2e-3), 0.99 * ceiling, 5),
        )
    ]
    return _least_squares(
        lambda p, at: p[2] + (p[3] - p[2]) * expit(p[0] + p[1] * at), t, y, starts,
        bounds=([-300, 0, 0, 0], [300, 200, ceiling, ceiling]),
    )  # fmt: skip


def _broken_power_law(t: Floats, y: Floats, ceiling: float) -> Fitted:
    """A broken neural scaling law with one break, of the error (Caballero et al. 2023, eq. 1).

    error = a + b x^-c0 (1 + (x / d)^(1/f))^(-c1 f), with t in place of log x, fitted by least
    squares to the logarithm of the error.
    """
    error = np.log(np.clip(ceiling - y, LEAST_ERROR, None))

    def law(p: Floats, at: Floats) -> Floats:
        a, b, c0, c1, d, f = p
        broken = np.logaddexp(0.0, (at - d) / f) * (-c1 * f)
        out: Floats = np.log(a + np.exp(np.clip(b - c0 * at + broken, -60, 60)))
        return out

    starts = product(
        (1e-4, 0.1, 0.5 * float(np.exp(error.min()))), (float(error[0]), float(error.max())),
        (0.0, 0.1, 0.5, 2.0), (0.5, 2.0, 8.0), (0.2, 0.5, 0.8, 1.2), (0.02, 0.2),
    )  # fmt: skip
    fitted = _least_squares(
        law, t, error, starts, bounds=([0, -20, -5, -50, -1, 1e-3], [ceiling, 20, 20, 50, 3, 2])
    )
    if len(t) < fitted.parameters:
        return _without(y, fitted.parameters, fitted.problem)
    log_error = fitted.curve
    return replace(fitted, curve=lambda at: np.clip(ceiling - np.exp(log_error(at)), 0, ceiling))


def _without(y: Floats, parameters: int, problem: str) -> Fitted:
    """A constant in place of a curve that could not be fitted."""
    mean = float(y.mean())
    return Fitted(lambda at: np.full(np.shape(at), mean), parameters, problem)


def _least_squares(
    formula: Callable[[Any, Floats], Floats],
    t: Floats,
    y: Floats,
    starts: Any,
    bounds: Any,
) -> Fitted:
    """The best fit from the best starts of a grid, or the reason why there is none."""
    low, high = np.asarray(bounds[0]) + 1e-9, np.asarray(bounds[1]) - 1e-9
    if len(t) < len(low):
        return _without(y, len(low), f"{len(low)} parameters, {len(t)} points")
    inside = [np.clip(start, low, high) for start in starts]
    cost = [float(((formula(p, t) - y) ** 2).sum()) for p in inside]
    solve: Any = least_squares
    fits = [
        solve(
            lambda p: formula(p, t) - y, inside[i], bounds=bounds, max_nfev=EVALUATIONS,
            x_scale="jac",
        )
        for i in np.argsort(cost)[:STARTS].tolist()
    ]  # fmt: skip
    best = min(fits, key=lambda fit: float(np.nan_to_num(fit.cost, nan=np.inf)))
    if not np.isfinite(best.cost):
        return _without(y, len(low), "no finite fit")
    p, problem = best.x, "" if best.success else "did not converge"
    return Fitted(lambda at: formula(p, np.asarray(at)), len(low), problem)


METHODS: Mapping[str, Callable[[Floats, Floats, float], Fitted]] = {
    "constant": _constant,
    "logit-linear": _logit_linear,
    "sigmoid": _sigmoid,
    "broken power law": _broken_power_law,
    "log-linear": _log_linear,
}


def extrapolate(method: str, t: Floats, y: Floats, ceiling: float) -> Fitted:
    """Fit a baseline.

    Parameters
    ----------
    method : str
        A name in METHODS.
    t : array (point,)
        Log scale, rescaled to 0-1 over these points.
    y : array (point,)
        Scores, as proportions.
    ceiling : float
        The largest possible score.

    Returns
    -------
    Fitted

    Examples
    --------
    >>> t = np.linspace(0, 1, 6)
    >>> round(float(extrapolate("log-linear", t, 0.1 + 0.2 * t, 1.0).curve(1.5)), 6)
    0.4
    """
    with np.errstate(over="ignore", under="ignore", invalid="ignore", divide="ignore"):
        return METHODS[method](t, y, ceiling)
