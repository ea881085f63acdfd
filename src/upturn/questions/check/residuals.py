"""Residuals of a curve that was fitted, and the residuals that its own model would show.

The scores that a model is fitted to lie closer to its curve than new ones, so that comparing them
with the posterior predictive finds too little. For noise with covariance V and a posterior whose
expected scores have covariance C, the residuals y - E[mean | y] have the covariance V - C over data
from the prior predictive: exactly where the expected scores are linear in the parameters and all is
normal (the covariance of smoothed residuals; Rasmussen and Williams 2006, section 2.7), nearly so
otherwise. So a replicated residual is (I - C / V) times replicated noise, plus what the prior
leaves open, and no replicate needs a fit of its own.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from upturn.arrays.types import Floats, Index
from upturn.formulas.scaling import proportions
from upturn.questions.fit import predictive
from upturn.questions.fit.contents import Contents
from upturn.sampling.density.target import Target
from upturn.tables.curves import Curves

DRAWS = 1000  # of the posterior
LEAST_VARIANCE = 1e-12
FREE = 0.02  # least share of a direction's noise that is left in the residuals


@dataclass(frozen=True, eq=False)
class Residuals:
    """Residuals of one curve in standard deviations of its noise, in order of scale.

    Attributes
    ----------
    place : array of int (point,)
        Of each point among the curve's.
    noise_sd : array (point,)
        Standard deviation of a score about its expectation, on the model's scale.
    expected : array (point,)
        Posterior mean of the expected score, on the model's scale.
    observed : array (point,)
        Score less expected score, over `noise_sd`.
    share : array (point,)
        The share of the noise's variance that is left in the residual.
    """

    place: Index
    noise_sd: Floats
    expected: Floats
    observed: Floats
    share: Floats
    _target: Target
    _parameters: dict[str, Floats]
    _means: Floats
    _left: Floats
    _open: Floats

    @classmethod
    def of(cls, fit: Contents, curves: Curves, i: int, rng: np.random.Generator) -> Self:
        """The residuals of a curve.

        Parameters
        ----------
        fit : Contents
        curves : Curves
            All of them, on one axis each.
        i : int
        rng : Generator
        """
        draws = np.linspace(0, fit.draws - 1, min(DRAWS, fit.draws)).round().astype(np.intp)
        target, parameters, offset = predictive.at_draws(fit, curves, i, draws, rng)
        means = predictive.means(target, parameters, offset)
        scores = predictive.replicated(target, parameters, means, rng)
        place = np.argsort(curves.x[0, i, : curves.points[i]], kind="stable")
        mean = means[:, place].mean(axis=0)
        variance = ((scores - means)[:, place] ** 2).mean(axis=0)
        sd = np.sqrt(np.maximum(variance, LEAST_VARIANCE))
        moved = (means[:, place] - mean) / sd
        kept, axes = np.linalg.eigh(moved.T @ moved / len(moved))
        kept = np.clip(kept, 0.0, 1.0 - FREE)
        return cls(
            place=place,
            noise_sd=sd,
            expected=mean,
            observed=(_score(fit, curves, i)[place] - mean) / sd,
            share=((axes**2) * (1 - kept)).sum(axis=1),
            _target=target,
            _parameters=parameters,
            _means=means,
            _left=(axes * (1 - kept)) @ axes.T,
            _open=(axes * np.sqrt(kept * (1 - kept))) @ axes.T,
        )

    @property
    def standardised(self) -> Floats:
        """Residuals in standard deviations of what they would be by chance: (point,)."""
        return self.observed / np.sqrt(self.share)

    def replicated(self, rng: np.random.Generator) -> Floats:
        """Residuals of scores that the model would show, one set a draw: (draw, point)."""
        scores = predictive.replicated(self._target, self._parameters, self._means, rng)
        noise = (scores - self._means)[:, self.place] / self.noise_sd
        free = rng.standard_normal(noise.shape)
        return np.asarray(noise @ self._left + free @ self._open)

    def about(self, mean: float, rng: np.random.Generator) -> Floats:
        """Noise about one expected score at all points, on the model's scale: (draw, point)."""
        means = np.full_like(self._means, mean)
        scores = predictive.replicated(self._target, self._parameters, means, rng)
        return (scores - means)[:, self.place]


def _score(fit: Contents, curves: Curves, i: int) -> Floats:
    """The scores of a curve on the model's scale: (point,)."""
    curve = curves.take([i])
    return fit.scaling.take(np.array([i])).to_model(proportions(curve))[0]
