"""The held-out points: what each method predicted of them, and how good that was."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from upturn.arrays.types import Booleans, Floats, Integers
from upturn.questions.forecast import extrapolate as baselines
from upturn.questions.forecast import noise as noises
from upturn.questions.forecast.predictive import Mixture
from upturn.questions.forecast.scored import OURS, Scored, scored
from upturn.sampling.batch import label_keys
from upturn.tables.curves import Curves


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Points that were held out, with the predictions of every method.

    Attributes
    ----------
    curves : Curves
        All points.
    held : array of bool (curve, point)
        The points that were predicted.
    mixtures : tuple of Mixture
        Posterior draws of each curve over all models.
    ends : array (2, curve)
        The lowest and the highest coordinate that was fitted.
    seed : int
    """

    curves: Curves
    held: Booleans
    mixtures: tuple[Mixture, ...]
    ends: Floats
    seed: int

    @cached_property
    def curve(self) -> Integers:
        """The curve of each held-out point."""
        return np.nonzero(self.held)[0]

    @cached_property
    def score(self) -> Floats:
        """The observed score of each held-out point."""
        return np.asarray(self.curves.score[self.held])

    @cached_property
    def predicted(self) -> list[tuple[Floats, Floats, Floats]]:
        """For each curve with held-out points: draws (point, draw), weights, log densities.

        The draws are scores; the log densities (point,) are those of the observed scores.
        """
        out = []
        for i in np.unique(self.curve).tolist():
            here, mixture = self.held[i], self.mixtures[i]
            draws, density = mixture.scored(
                self.curves.x[0, i, here], self.curves.group[i, here].astype(np.int64),
                self.curves.response[i, here], self.curves.trials[i, here], self._keys[i],
            )  # fmt: skip
            out.append((draws, mixture.weight, density))
        return out

    @cached_property
    def methods(self) -> Mapping[str, Scored]:
        """Scores of every method, ours first; empty if nothing was held out."""
        if not self.held.any():
            return {}
        return {OURS: self._scored()} | {name: self._baseline(name) for name in baselines.METHODS}

    @cached_property
    def fits(self) -> dict[str, list[baselines.Fitted]]:
        """The fitted curves of the baselines, one for each curve."""
        fits: dict[str, list[baselines.Fitted]] = {name: [] for name in baselines.METHODS}
        for i in range(len(self.curves)):
            t, y, _, ceiling = self._fitted_points(i)
            for name, of_method in fits.items():
                of_method.append(baselines.extrapolate(name, t, y, ceiling))
        return fits

    @cached_property
    def problems(self) -> dict[str, str]:
        """Why a baseline has no proper fit, each reason once."""
        return {
            name: "; ".join(dict.fromkeys(fit.problem for fit in fits if fit.problem))
            for name, fits in self.fits.items()
        }

    def place(self, i: int, x: Floats) -> Floats:
        """Coordinates of a curve, rescaled to 0 and 1 at the ends of the fitted points."""
        return np.asarray((x - self.ends[0, i]) / (self.ends[1, i] - self.ends[0, i]))

    def _scored(self) -> Scored:
        """Our predictions of all points."""
        first, parts = 0, []
        for draws, weight, density in self.predicted:
            here = slice(first, first + len(draws))
            parts.append(
                scored(
                    OURS, "", draws=draws, weight=weight, seen=self.score[here], log_score=density
                )
            )
            first += len(draws)
        joined: dict[str, Any] = {
            name: np.concatenate([getattr(part, name) for part in parts], axis=-1)
            for name in ("median", "error", "crps", "log_score", "inside")
        }
        return Scored(OURS, "", **joined, failed=0)

    @cached_property
    def _keys(self) -> list[int]:
        """A seed for each curve, which depends on its labels alone."""
        model = self.mixtures[0].parts[0].model
        keys = label_keys(self.curves, model, self.seed)
        return [int(key) for key in np.asarray(keys).reshape(len(self.curves), -1)[:, 0].tolist()]

    def _fitted_points(self, i: int) -> tuple[Floats, Floats, Floats, float]:
        """Places of the fitted points, their scores and trials, and the ceiling of a curve."""
        here = self.curves.mask[i] & ~self.held[i]
        ceiling = self.curves.ceiling[i]
        return (
            self.place(i, self.curves.x[0, i, here]),
            self.curves.score[i, here],
            self.curves.trials[i, here],
            1.0 if np.isnan(ceiling) else float(ceiling),
        )

    def _baseline(self, name: str) -> Scored:
        """A baseline with the noise model that makes the held-out scores most probable."""
        fits = self.fits[name]
        residuals = [self._residuals(i, fit) for i, fit in enumerate(fits)]
        square = sum(float(((r.score - r.mean) ** 2).sum()) for r in residuals)
        pooled = float(np.sqrt(square / sum(r.freedom for r in residuals)))
        mean = np.empty(len(self.curve))
        for i in np.unique(self.curve).tolist():
            at = self.place(i, self.curves.x[0, i, self.held[i]])
            mean[self.curve == i] = fits[i].curve(at)
        by_noise = {name: self._with(name, residuals, mean, pooled) for name in noises.NOISES}
        best = max(by_noise, key=lambda noise: float(by_noise[noise].log_density.mean()))
        even = np.full(noises.QUANTILES, 1 / noises.QUANTILES)
        predictions = scored(
            name, best, draws=by_noise[best].quantiles, weight=even, seen=self.score,
            log_score=by_noise[best].log_density,
        )  # fmt: skip
        failed = sum(bool(fit.problem) for fit in fits)
        # the authors of a baseline predict the curve, not the median of noise about it
        return replace(predictions, median=mean, error=np.abs(mean - self.score), failed=failed)

    def _residuals(self, i: int, fit: baselines.Fitted) -> noises.Residuals:
        t, y, trials, _ = self._fitted_points(i)
        return noises.Residuals(fit.curve(t), y, trials, max(len(t) - fit.parameters, 1))

    def _with(
        self, name: str, residuals: list[noises.Residuals], mean: Floats, pooled: float
    ) -> noises.Noise:
        """Predictions with this noise model."""
        trials = self.curves.trials[self.held]
        density, quantiles = np.empty(len(mean)), np.empty((len(mean), noises.QUANTILES))
        for i in np.unique(self.curve).tolist():
            here = self.curve == i
            noise = noises.noise(
                name, residuals[i], mean[here], self.score[here], trials[here], pooled_sd=pooled
            )
            density[here], quantiles[here] = noise.log_density, noise.quantiles
        return noises.Noise(density, quantiles)
