"""Forecasted: what `forecast` predicts of every curve, and how good that was."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from upturn.arrays.types import Booleans, Floats, Integers
from upturn.checks.arguments import interval_levels
from upturn.checks.errors import DataError, counted
from upturn.posterior.averaging import DOUBTFUL
from upturn.posterior.scoring import quantiles
from upturn.questions.forecast import extrapolate as others
from upturn.questions.forecast.predictive import Mixture
from upturn.questions.forecast.scored import OURS, POINTS, Scored, scored
from upturn.sampling.batch import label_keys
from upturn.tables.curves import Curves

if TYPE_CHECKING:
    import pandas as pd


class Forecast:
    """Predictions of large models from small ones, with their scores.

    Attributes
    ----------
    curves : Curves
        All points.
    held : array of bool (curve, point)
        Those that were predicted.
    mixtures : tuple of Mixture
        Draws of each curve over all models.
    ends : array (2, curve)
        The lowest and the highest coordinate fitted.
    far : array (curve,)
        The farthest coordinate asked for.
    hazard : array (curve,)
        Of the changepoint past the end, per decade.
    meta : dict
    """

    def __init__(
        self,
        curves: Curves,
        held: Booleans,
        mixtures: tuple[Mixture, ...],
        far: Floats,
        *,
        ends: Floats,
        hazard: Floats,
        targets: Floats,
        doubt: Floats,
        meta: Mapping[str, Any],
    ) -> None:
        self.curves, self.held, self.mixtures = curves, held, mixtures
        self.far, self.ends, self.hazard = far, ends, hazard
        self.meta = dict(meta)
        self._targets, self._doubt = targets, doubt

    def __repr__(self) -> str:
        return (
            f"Forecast({counted(len(self.curves), 'curve')}, "
            f"{counted(int(self.held.sum()), 'point')} held out; axis {self.curves.axes[0].name})"
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out, what did not converge, and the hazard that was assumed."""
        failed = [
            f"{name}: no proper fit on {counted(one.failed, 'curve')} ({self._troubles[name]})"
            for name, one in self._methods.items()
            if one.failed
        ]
        return (*self.meta["notes"], *failed, self.hazard_text)

    @property
    def hazard_text(self) -> str:
        """The prior past the end, in words."""
        low, high = float(self.hazard.min()), float(self.hazard.max())
        unit = "decade" if self.curves.axes[0].is_log else "unit of the axis"
        size = f"{low:.2g}" if high < 1.05 * low else f"{low:.2g} to {high:.2g}"
        return (
            f"past the largest scale fitted, a changepoint that has not come has a constant hazard "
            f"of {size} a {unit}"
        )

    @property
    def failed(self) -> list[str]:
        """Names of the curves of which models that did not converge could change the answer."""
        return [str(name) for name in self.curves.name[self._doubt >= DOUBTFUL]]

    @property
    def baselines(self) -> tuple[str, ...]:
        """The methods that a forecast stands beside."""
        return tuple(others.METHODS)

    def baseline(self, name: str, i: int, x: Floats) -> Floats:
        """What a baseline predicts at coordinates of a curve: (place,)."""
        return np.asarray(self._fits[name][i].curve(self.place(i, x)))

    # --- the held-out points ----------------------------------------------------------------------

    @cached_property
    def _curve(self) -> Integers:
        """The curve of each held-out point."""
        return np.nonzero(self.held)[0]

    @cached_property
    def _seen(self) -> Floats:
        return np.asarray(self.curves.score[self.held])

    @cached_property
    def _ours(self) -> list[tuple[Floats, Floats, Floats]]:
        """Of each curve with points held out: draws (point, draw), their weights, log densities.

        The draws are of the scores, the log densities (point,) of those seen.
        """
        out = []
        for i in np.unique(self._curve).tolist():
            here, one = self.held[i], self.mixtures[i]
            draws, density = one.scored(
                self.curves.x[0, i, here], self.curves.group[i, here].astype(np.int64),
                self.curves.response[i, here], self.curves.trials[i, here], self._keys[i],
            )  # fmt: skip
            out.append((draws, one.weight, density))
        return out

    @cached_property
    def _own(self) -> Scored:
        """Our predictions of all points."""
        seen, first, parts = self._seen, 0, []
        for draws, weight, density in self._ours:
            here = slice(first, first + len(draws))
            parts.append(
                scored(OURS, "", draws=draws, weight=weight, seen=seen[here], log_score=density)
            )
            first += len(draws)
        joined = {
            name: np.concatenate([getattr(part, name) for part in parts], axis=-1)
            for name in ("median", "error", "crps", "log_score", "inside")
        }
        return Scored(OURS, "", **joined, failed=0)

    @cached_property
    def _keys(self) -> list[int]:
        """A seed for each curve, by its labels alone."""
        model = self.mixtures[0].parts[0].model
        every = label_keys(self.curves, model, self.meta["seed"] + 1)
        return [int(k) for k in np.asarray(every).reshape(len(self.curves), -1)[:, 0].tolist()]

    @cached_property
    def _methods(self) -> dict[str, Scored]:
        """Every method's predictions, ours first; none where nothing was held out."""
        if not self.held.any():
            return {}
        return {OURS: self._own} | {name: self._extrapolated(name) for name in others.METHODS}

    @cached_property
    def _fits(self) -> dict[str, list[others.Fitted]]:
        """The baselines' curves, one a curve."""
        found: dict[str, list[others.Fitted]] = {name: [] for name in others.METHODS}
        for i in range(len(self.curves)):
            t, y, _, ceiling = self._fitted_points(i)
            for name, each in found.items():
                each.append(others.extrapolate(name, t, y, ceiling))
        return found

    def _fitted_points(self, i: int) -> tuple[Floats, Floats, Floats, float]:
        """Places on the fitted axis, scores, trials, and the ceiling of a curve."""
        here = self.curves.mask[i] & ~self.held[i]
        ceiling = self.curves.ceiling[i]
        return (
            self.place(i, self.curves.x[0, i, here]),
            self.curves.score[i, here],
            self.curves.trials[i, here],
            1.0 if np.isnan(ceiling) else float(ceiling),
        )

    def place(self, i: int, x: Floats) -> Floats:
        """Coordinates of a curve with 0 and 1 at the ends of what was fitted to."""
        return np.asarray((x - self.ends[0, i]) / (self.ends[1, i] - self.ends[0, i]))

    @cached_property
    def _troubles(self) -> dict[str, str]:
        """Why a baseline has no fit, once each."""
        return {
            name: "; ".join(dict.fromkeys(one.trouble for one in each if one.trouble))
            for name, each in self._fits.items()
        }

    def _extrapolated(self, name: str) -> Scored:
        """A baseline with the residual noise under which what was seen is likeliest."""
        fits = self._fits[name]
        residuals = [self._residuals(i, one) for i, one in enumerate(fits)]
        square = sum(float(((r.score - r.mean) ** 2).sum()) for r in residuals)
        pooled = float(np.sqrt(square / sum(r.freedom for r in residuals)))
        mean = np.empty(len(self._curve))
        for i in np.unique(self._curve).tolist():
            at = self.place(i, self.curves.x[0, i, self.held[i]])
            mean[self._curve == i] = fits[i].curve(at)
        each = {noise: self._with(noise, residuals, mean, pooled) for noise in others.NOISES}
        best = max(each, key=lambda noise: float(each[noise].log_density.mean()))
        even = np.full(others.QUANTILES, 1 / others.QUANTILES)
        found = scored(
            name, best, draws=each[best].quantiles, weight=even, seen=self._seen,
            log_score=each[best].log_density,
        )  # fmt: skip
        failed = sum(bool(one.trouble) for one in fits)
        # what its authors predict is the curve, not the median of a noise about it
        return replace(found, median=mean, error=np.abs(mean - self._seen), failed=failed)

    def _residuals(self, i: int, fit: others.Fitted) -> others.Residuals:
        t, y, trials, _ = self._fitted_points(i)
        return others.Residuals(fit.curve(t), y, trials, max(len(t) - fit.parameters, 1))

    def _with(
        self, noise: str, residuals: list[others.Residuals], mean: Floats, pooled: float
    ) -> others.Noise:
        trials = self.curves.trials[self.held]
        density, quantiles = np.empty(len(mean)), np.empty((len(mean), others.QUANTILES))
        for i in np.unique(self._curve).tolist():
            here = self._curve == i
            found = others.noise(
                noise, residuals[i], mean[here], self._seen[here], trials[here], pooled_sd=pooled
            )
            density[here], quantiles[here] = found.log_density, found.quantiles
        return others.Noise(density, quantiles)

    # --- answers ----------------------------------------------------------------------------------

    @property
    def scores(self) -> "pd.DataFrame":
        """One row a method, ours first.

        Returns
        -------
        DataFrame
            Indexed by `method`: `mae` and `crps` in points of percent, `log_score` (mean log
            probability of a held-out count, or log density of a proportion), `coverage_50`,
            `coverage_90`, the `noise` that served a baseline best, `failed`: the curves on which
            it has no proper fit. Empty where nothing was held out.
        """
        import pandas as pd

        rows = [one.row() | {"noise": one.noise, "failed": one.failed}
                for one in self._methods.values()]  # fmt: skip
        columns = ["mae", "crps", "log_score", "coverage_50", "coverage_90", "noise", "failed"]
        index = pd.Index(list(self._methods), name="method", dtype=object)
        return pd.DataFrame(rows, index=index, columns=columns)

    def by_curve(self, score: str = "mae") -> "pd.DataFrame":
        """A score of every method on each curve: one row a curve, one column a method.

        Raises
        ------
        DataError
            For a score that there is not.
        """
        import pandas as pd

        names = ("mae", "crps", "log_score", "coverage_50", "coverage_90")
        if score not in names:
            raise DataError(f"score: expected one of {', '.join(names)}, but got {score!r}")
        own = [self._curve == i for i in range(len(self.curves))]
        columns = {
            name: [one.row(here)[score] if here.any() else np.nan for here in own]
            for name, one in self._methods.items()
        }
        return pd.DataFrame(columns, index=self._index())

    def predictions(self, ci: float = 0.9) -> "pd.DataFrame":
        """One row a held-out point: the score seen and what was predicted of it.

        Returns
        -------
        DataFrame
            `curve`, `model`, `scale` (native units), `trials`, `score`, `median`, `low`, `high`
            (of the predictive interval), `crps` in points, `log_score`.
        """
        import pandas as pd

        interval_levels(ci)
        x = self.curves.x[0][self.held]
        with np.errstate(over="ignore"):
            scale = self.curves.axes[0].value(x)
        columns: dict[str, Any] = {
            "curve": self.curves.name[self._curve].astype(object),
            "model": self.curves.model[self.held],
            "scale": scale,
            "trials": self.curves.trials[self.held],
            "score": self._seen,
        }
        if self.held.any():
            levels = interval_levels(ci)[[0, 2]]
            ends = [quantiles(draws, weight, levels) for draws, weight, _ in self._ours]
            low, high = np.concatenate(ends, axis=1)
            ours = self._methods[OURS]
            columns |= {
                "median": ours.median, "low": low, "high": high,
                "crps": POINTS * ours.crps, "log_score": ours.log_score,
            }  # fmt: skip
        return pd.DataFrame(columns)

    def p_jump(self, scale: float) -> Floats:
        """Probability that each curve jumps past the end of what was fitted, by a scale: (curve,).

        That its expected score there exceeds that at the end by delta.

        Parameters
        ----------
        scale : float
            In native units.
        """
        x = self.curves.axes[0].coordinate(scale)
        return self._jumps(np.full(len(self.curves), float(x)))

    def _jumps(self, x: Floats) -> Floats:
        delta = self.meta["arguments"]["delta"]
        out = np.full(len(x), np.nan)
        for i in np.flatnonzero(np.isfinite(x)).tolist():
            end, there = self.mixtures[i].expected(np.array([self.ends[1, i], x[i]]))
            out[i] = float((there - end >= delta) @ self.mixtures[i].weight)
        return out

    @cached_property
    def p_sign(self) -> Floats:
        """Probability that each curve has risen by delta within what was fitted: (curve,)."""
        delta = self.meta["arguments"]["delta"]
        rise = [np.diff(one.expected(self.ends[:, i]), axis=0)[0]
                for i, one in enumerate(self.mixtures)]  # fmt: skip
        return np.array(
            [
                float((each >= delta) @ one.weight)
                for each, one in zip(rise, self.mixtures, strict=True)
            ]
        )

    def jumps(self) -> "pd.DataFrame":
        """The probability of a jump by each scale asked for: one row a curve and scale.

        Returns
        -------
        DataFrame
            `curve`, `scale` (native units) and `p_jump`.
        """
        import pandas as pd

        axis = self.curves.axes[0]
        asked = np.where(np.isfinite(self._targets), self._targets, np.nan)
        held = np.where(self.held, self.curves.x[0], -np.inf).max(axis=1)
        asked = np.column_stack([np.where(np.isfinite(held), held, np.nan), asked])
        columns = [self._jumps(np.nan_to_num(x, nan=np.inf)) for x in asked.T]
        frame = pd.DataFrame(
            {
                "curve": np.repeat(self.curves.name.astype(object), asked.shape[1]),
                "scale": axis.value(asked).reshape(-1),
                "p_jump": np.stack(columns, axis=1).reshape(-1),
            }
        )
        return frame.dropna().drop_duplicates(["curve", "scale"]).reset_index(drop=True)

    def summary(self, ci: float = 0.9) -> "pd.DataFrame":
        """One row a curve.

        Returns
        -------
        DataFrame
            Labels, `points` fitted, `held_out` points, `train_end` (largest scale fitted),
            `target` (farthest asked for), `state` ("no sign yet" or "rising"), `p_sign`, `p_jump`
            by the target, `hazard` per decade, the expected score at the target with its interval,
            the scores of the held-out points, and `flags`.
        """
        import pandas as pd

        levels, axis = interval_levels(ci), self.curves.axes[0]
        at_target = np.concatenate(
            [quantiles(one.expected(self.far[[i]]), one.weight, levels)
             for i, one in enumerate(self.mixtures)], axis=1,
        )  # fmt: skip
        columns: dict[str, Any] = dict(self.curves.labels)
        columns |= {
            "points": (self.curves.mask & ~self.held).sum(axis=1),
            "held_out": self.held.sum(axis=1),
            "train_end": axis.value(self.ends[1]),
            "target": axis.value(self.far),
            "state": np.where(self.p_sign < 0.5, "no sign yet", "rising"),
            "p_sign": self.p_sign,
            "p_jump": self._jumps(self.far),
            "hazard": self.hazard,
            "expected": at_target[1],
            "expected_low": at_target[0],
            "expected_high": at_target[2],
            **self._own_scores(),
            "flags": ["; ".join(flags) for flags in self.flags],
        }
        return pd.DataFrame(columns, index=self._index())

    def _own_scores(self) -> dict[str, list[float]]:
        names = ("mae", "crps", "log_score", "coverage_50", "coverage_90")
        ours = self._methods.get(OURS)
        rows = []
        for i in range(len(self.curves)):
            here = self._curve == i
            rows.append(ours.row(here) if ours and here.any() else dict.fromkeys(names, np.nan))
        return {name: [row[name] for row in rows] for name in names}

    @property
    def flags(self) -> list[list[str]]:
        """What the fitted points and the sampler say of each curve."""
        out = []
        for one, doubt in zip(self.mixtures, self._doubt.tolist(), strict=True):
            flags = list(one.curve.flags[0])
            out.append([*flags, "not converged"] if doubt >= DOUBTFUL else flags)
        return out

    @property
    def verdict(self) -> str:
        """In one sentence: how good the predictions were, or what there is to expect."""
        quiet = self.p_sign < 0.5
        waiting = f"no sign yet on {quiet.sum()} of {counted(len(self.curves), 'curve')}"
        if not self._methods:
            return waiting
        table = self.scores
        ours, rest = table.loc[OURS], table.drop(index=OURS)
        inside = f"{100 * ours['coverage_90']:.0f} %"
        log_score, error = rest["log_score"], rest["mae"]
        return (
            f"90 % intervals hold {inside} of "
            f"{counted(int(self.held.sum()), 'held-out score')}; log score "
            f"{ours['log_score']:.2f} a score against {log_score.max():.2f} of the best "
            f"baseline ({log_score.idxmax()}); mean error {ours['mae']:.1f} points against "
            f"{error.min():.1f} ({error.idxmin()}); {waiting}"
        )

    def totals(self) -> dict[str, Any]:
        """Counts over all curves."""
        return {
            "curves": len(self.curves),
            "fitted": int((self.curves.mask & ~self.held).sum()),
            "held_out": int(self.held.sum()),
            "no_sign_yet": int((self.p_sign < 0.5).sum()),
            "failed": self.failed,
        }

    def _index(self) -> "pd.Index[Any]":
        import pandas as pd

        return pd.Index(self.curves.name.astype(object), name="curve")
