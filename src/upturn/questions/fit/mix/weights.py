"""The posterior of the weights of a mix of axes, and what it says of them."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from upturn.arrays.types import Floats
from upturn.tables.axis import Axis

if TYPE_CHECKING:
    import pandas as pd


PERTURBATIONS = 400  # of the log evidences by their Monte Carlo errors
TIE = 1.0  # nats: a smaller difference is negligible evidence, whatever the Monte Carlo error


@dataclass(frozen=True)
class Posterior:
    """The posterior of the weights on a grid, from the evidences of the curves there.

    Attributes
    ----------
    weights : array (point, axis)
        The grid; the corners, where one axis has all the weight, come first.
    prior : array (point,)
        The quadrature weight of each point in a mean over Dirichlet(1); they sum to 1.
    log_evidence, log_evidence_se : array (point, curve)
    seed : int
        Of the fit; the perturbations by Monte Carlo errors come from it.
    """

    weights: Floats
    prior: Floats
    log_evidence: Floats
    log_evidence_se: Floats
    seed: int

    @cached_property
    def total(self) -> Floats:
        """Log evidence of all curves at each point: (point,)."""
        return self.log_evidence.sum(axis=1)

    @cached_property
    def total_se(self) -> Floats:
        """Its Monte Carlo error: (point,)."""
        return np.sqrt((self.log_evidence_se**2).sum(axis=1))

    @cached_property
    def _perturbed(self) -> Floats:
        """Probabilities under log evidences moved by their Monte Carlo errors: (move, point).

        The errors of the points are independent, and so are their moves.
        """
        generator = np.random.default_rng([self.seed, 2])
        moves = generator.standard_normal((PERTURBATIONS, len(self.total)))
        moves -= moves.mean(axis=0)
        return self._normalised(self.total + moves * self.total_se)

    def _normalised(self, log_evidence: Floats) -> Floats:
        """Posterior probabilities of the points: (…, point)."""
        mass = self.prior * np.exp(log_evidence - log_evidence.max(axis=-1, keepdims=True))
        return mass / mass.sum(axis=-1, keepdims=True)

    @cached_property
    def probability(self) -> Floats:
        """Posterior probability, averaged over the Monte Carlo errors of evidences: (point,)."""
        return self._perturbed.mean(axis=0)

    @property
    def likeliest(self) -> Floats:
        """The weights of the highest posterior density: (axis,)."""
        return self.weights[self.total.argmax()]

    @property
    def resolution(self) -> float:
        """The effective number of grid points: the exponential of the entropy."""
        p = self.probability[self.probability > 0]
        return float(np.exp(-(p * np.log(p)).sum()))

    def mean(self, values: Floats) -> tuple[Floats, Floats]:
        """The posterior mean of values at the points (point, any), and its Monte Carlo error."""
        return self.probability @ values, (self._perturbed @ values).std(axis=0)

    def quantiles(self, values: Floats, levels: Floats) -> Floats:
        """Posterior quantiles of values at the points (point,): (level,). All nan if any value is.

        Half of a point's probability lies on either side of it; quantiles between points are
        interpolated.
        """
        if np.isnan(values).any():
            return np.full(len(levels), np.nan)
        at, place = np.unique(values, return_inverse=True)
        p = np.bincount(place, weights=self.probability)
        return np.interp(levels, np.cumsum(p) - p / 2, at)

    @cached_property
    def log_marginal(self) -> tuple[float, float]:
        """Log evidence of the mix under Dirichlet(1), all curves, and its Monte Carlo error."""
        return _log_mean(self.total, self.prior), _norm(self.probability * self.total_se)

    @property
    def advantage(self) -> tuple[Floats, Floats]:
        """Log evidence of the mix less that of each axis alone, and its Monte Carlo error."""
        axes = self.weights.shape[1]
        value, error = self.log_marginal
        return value - self.total[:axes], np.hypot(error, self.total_se[:axes])

    @cached_property
    def of_curves(self) -> tuple[Floats, Floats]:
        """Log evidence of each curve given all other curves, and its Monte Carlo error.

        The log of the mean of a curve's evidence over the posterior of the weights given the other
        curves.
        """
        others = self.total[:, None] - self.log_evidence
        given = self.prior[:, None] * np.exp(others - others.max(axis=0))
        given /= given.sum(axis=0)
        value = np.array(
            [_log_mean(log_z, p) for log_z, p in zip(self.log_evidence.T, given.T, strict=True)]
        )
        return value, np.sqrt(((given * self.log_evidence_se) ** 2).sum(axis=0))

    def of(self, curve: int) -> "Posterior":
        """The posterior from one curve alone, on the grid that was made for all of them."""
        only = slice(curve, curve + 1)
        return replace(
            self,
            log_evidence=self.log_evidence[:, only],
            log_evidence_se=self.log_evidence_se[:, only],
        )

    @property
    def agreement(self) -> float:
        """Log Bayes factor of shared weights against separate weights for each curve.

        Below 0 where curves follow different mixes.
        """
        separate = sum(_log_mean(log_z, self.prior) for log_z in self.log_evidence.T)
        return self.log_marginal[0] - float(separate)


def _norm(values: Floats) -> float:
    return float(np.sqrt((values**2).sum()))


def _log_mean(log_values: Floats, share: Floats) -> float:
    top = log_values.max()
    return float(np.log(share @ np.exp(log_values - top)) + top)


def exponents(weights: Floats, axis: Axis, limits: Floats) -> Floats:
    """The weights as exponents of the axes in native units, which sum to 1.

    One unit of an axis's logarithm changes u by a = w / range, so points of equal u have equal
    N^a D^b …; the exponents are scaled so that a + b + … = 1.

    Parameters
    ----------
    weights : array (…, axis)
    axis : Axis
        The mix.
    limits : array (2, axis)
        Coordinates of each axis that are mapped to 0 and 1.

    Returns
    -------
    array (…, axis)
        Nan unless all axes are logarithmic. For an axis on which less is better, the exponent of
        its inverse.

    Examples
    --------
    >>> mix = Axis.parse("mix:params,tokens")
    >>> exponents(np.array([0.5, 0.5]), mix, np.array([[7.0, 9.0], [10.0, 10.0]])).tolist()
    [0.25, 0.75]
    """
    if not all(part.is_log for part in axis.parts):
        return np.full(weights.shape, np.nan)
    slope = weights / (limits[1] - limits[0])
    return np.asarray(slope / slope.sum(axis=-1, keepdims=True))


def table(posterior: Posterior, axis: Axis, limits: Floats, ci: float) -> "pd.DataFrame":
    """One row an axis: its weight and its exponent with intervals, and the axis on its own.

    Parameters
    ----------
    posterior, axis, limits
        As for `exponents`.
    ci : float
        Probability of the equal-tailed intervals.
    """
    import pandas as pd

    levels = np.array([(1 - ci) / 2, (1 + ci) / 2])
    columns: dict[str, Floats] = {}
    native = exponents(posterior.weights, axis, limits)
    for name, values in (("weight", posterior.weights), ("exponent", native)):
        columns[name], columns[f"{name}_se"] = posterior.mean(values)
        ranges = [posterior.quantiles(value, levels) for value in values.T]
        columns[f"{name}_low"], columns[f"{name}_high"] = np.array(ranges).T
    columns["likeliest"] = posterior.likeliest
    columns["log_evidence"] = posterior.total[: len(native.T)]
    columns["advantage"], columns["advantage_se"] = posterior.advantage
    return pd.DataFrame(columns, index=pd.Index([part.name for part in axis.parts], name="axis"))


def verdict(posterior: Posterior, axis: Axis, limits: Floats, ci: float = 0.9) -> str:
    """One sentence: does the mix beat each axis alone, and at which weights?

    A difference below a nat, or below two of its Monte Carlo errors, is a tie.
    """
    names = [part.name for part in axis.parts]
    gain, error = posterior.advantage
    best = int(gain.argmin())
    margin = max(TIE, 2 * float(error[best]))
    others = " and ".join(name for i, name in enumerate(names) if i != best)
    mix = _product(posterior, axis, limits, ci)
    if gain[best] > margin:
        lead = f"{' and '.join(names)} both matter" if len(names) == 2 else "no axis alone does"
        beaten = (f"{n} alone by {_nats(g)}" for n, g in zip(names, gain, strict=True))
        return f"{lead}: {mix}; beats {', '.join(beaten)}"
    if gain[best] < -margin:
        return (
            f"{names[best]} alone is enough: beats the mix with {others} by {_nats(-gain[best])}; "
            f"the mix would be {mix}"
        )
    return (
        f"a tie: {names[best]} alone and the mix with {others} differ by {_nats(abs(gain[best]))}; "
        f"the mix would be {mix}"
    )


def _product(posterior: Posterior, axis: Axis, limits: Floats, ci: float) -> str:
    """Such as "params^0.38 · tokens^0.62 (90 %: 0.33 – 0.43 of params)"."""
    values = exponents(posterior.weights, axis, limits)
    as_weights = bool(np.isnan(values).any())
    values = posterior.weights if as_weights else values
    mean, _ = posterior.mean(values)
    low, high = posterior.quantiles(values[:, 0], np.array([(1 - ci) / 2, (1 + ci) / 2]))
    names = [part.name for part in axis.parts]
    if as_weights:
        text = " + ".join(f"{m:.2f} {name}" for name, m in zip(names, mean, strict=True))
    else:
        text = " · ".join(
            f"{part.name}^{'-' * part.transform.startswith('-')}{m:.2f}"
            for part, m in zip(axis.parts, mean, strict=True)
        )
    return f"{text} ({100 * ci:.4g} %: {low:.2f} to {high:.2f} for {names[0]})"


def _nats(value: float) -> str:
    return f"{value:.1f} nats" if value < 99.95 else f"{value:.0f} nats"
