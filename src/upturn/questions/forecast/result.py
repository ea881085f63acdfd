"""The answer of `forecast`: predictions for every curve, and how good they were."""

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from upturn.arrays.types import Booleans, Floats
from upturn.checks.arguments import interval_levels
from upturn.checks.errors import DataError, counted
from upturn.posterior.averaging import DOUBTFUL
from upturn.posterior.scoring import quantiles
from upturn.questions.forecast.extrapolate import METHODS
from upturn.questions.forecast.held_out import HeldOut
from upturn.questions.forecast.predictive import Mixture
from upturn.questions.forecast.scored import OURS, POINTS
from upturn.questions.notebook import InNotebooks
from upturn.tables.curves import Curves

if TYPE_CHECKING:
    import pandas as pd


class Forecast(InNotebooks):
    """Predictions for large models from small ones, and how good they were.

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
    far : array (curve,)
        The farthest coordinate that a prediction was asked for.
    hazard : array (curve,)
        Expected number of changepoints per decade beyond the fitted points.
    meta : dict
        Versions, seed, table, arguments, priors, notes.
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
        self._points = HeldOut(curves, held, mixtures, ends, int(meta["seed"]) + 1)

    def __repr__(self) -> str:
        return (
            f"Forecast({counted(len(self.curves), 'curve')}, "
            f"{counted(int(self.held.sum()), 'point')} held out; axis {self.curves.axes[0].name})"
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out, which baselines have no fit, and the hazard that was assumed."""
        failed = [
            f"{name}: no proper fit on {counted(method.failed, 'curve')} "
            f"({self._points.problems[name]})"
            for name, method in self._points.methods.items()
            if method.failed
        ]
        return (*self.meta["notes"], *failed, self.hazard_text)

    @property
    def hazard_text(self) -> str:
        """The prior beyond the fitted points, in words."""
        low, high = float(self.hazard.min()), float(self.hazard.max())
        unit = "decade" if self.curves.axes[0].is_log else "unit of the axis"
        size = f"{low:.2g}" if high < 1.05 * low else f"{low:.2g} to {high:.2g}"
        return (
            f"prior beyond the fitted points: a change that has not happened yet has a constant "
            f"hazard of {size} per {unit}"
        )

    @property
    def failed(self) -> list[str]:
        """Names of the curves whose answer models that did not converge could change."""
        return [str(name) for name in self.curves.name[self._doubt >= DOUBTFUL]]

    @property
    def baselines(self) -> tuple[str, ...]:
        """The extrapolation methods that a forecast is compared with."""
        return tuple(METHODS)

    def baseline(self, name: str, i: int, x: Floats) -> Floats:
        """Scores that a baseline predicts at coordinates of a curve: (place,)."""
        return np.asarray(self._points.fits[name][i].curve(self._points.place(i, x)))

    @property
    def scores(self) -> "pd.DataFrame":
        """Scores of the methods: one row a method, ours first.

        Returns
        -------
        DataFrame
            Indexed by `method`: `mae` and `crps` in percentage points, `log_score` (mean log
            probability of a held-out count, or log density of a proportion), `coverage_50`,
            `coverage_90`, `noise` (the noise model that suits a baseline best), and `failed` (the
            number of curves without a proper fit). Empty if nothing was held out.
        """
        import pandas as pd

        methods = self._points.methods
        rows = [method.row() | {"noise": method.noise, "failed": method.failed}
                for method in methods.values()]  # fmt: skip
        columns = ["mae", "crps", "log_score", "coverage_50", "coverage_90", "noise", "failed"]
        index = pd.Index(list(methods), name="method", dtype=object)
        return pd.DataFrame(rows, index=index, columns=columns)

    def by_curve(self, score: str = "mae") -> "pd.DataFrame":
        """A score of every method on each curve: one row a curve, one column a method.

        Parameters
        ----------
        score : str
            "mae", "crps", "log_score", "coverage_50" or "coverage_90".

        Returns
        -------
        DataFrame
            Indexed by curve; nan where nothing was held out.

        Raises
        ------
        DataError
            For an unknown score.
        """
        import pandas as pd

        names = ("mae", "crps", "log_score", "coverage_50", "coverage_90")
        if score not in names:
            raise DataError(f"score: expected one of {', '.join(names)}, but got {score!r}")
        of_curve = [self._points.curve == i for i in range(len(self.curves))]
        columns = {
            name: [method.row(here)[score] if here.any() else np.nan for here in of_curve]
            for name, method in self._points.methods.items()
        }
        return pd.DataFrame(columns, index=self._index())

    def predictions(self, ci: float = 0.9) -> "pd.DataFrame":
        """The observed and the predicted score of every held-out point: one row a point.

        Parameters
        ----------
        ci : float
            Probability of the intervals.

        Returns
        -------
        DataFrame
            `curve`, `model`, `scale` (native units), `trials`, `score`, `median`, `low`, `high`
            (of the predictive interval), `crps` in percentage points, `log_score`.
        """
        import pandas as pd

        interval_levels(ci)
        x = self.curves.x[0][self.held]
        with np.errstate(over="ignore"):
            scale = self.curves.axes[0].value(x)
        columns: dict[str, Any] = {
            "curve": self.curves.name[self._points.curve].astype(object),
            "model": self.curves.model[self.held],
            "scale": scale,
            "trials": self.curves.trials[self.held],
            "score": self._points.score,
        }
        if self.held.any():
            levels = interval_levels(ci)[[0, 2]]
            ends = [quantiles(draws, weight, levels) for draws, weight, _ in self._points.predicted]
            low, high = np.concatenate(ends, axis=1)
            ours = self._points.methods[OURS]
            columns |= {
                "median": ours.median, "low": low, "high": high,
                "crps": POINTS * ours.crps, "log_score": ours.log_score,
            }  # fmt: skip
        return pd.DataFrame(columns)

    def p_jump(self, scale: float) -> Floats:
        """Probability that each curve jumps beyond the fitted points, up to a scale: (curve,).

        A jump is a rise of the expected score by `delta` between the end of the fitted points and
        that scale.

        Parameters
        ----------
        scale : float
            In native units.

        Returns
        -------
        array (curve,)
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
        """Probability that each curve has risen by delta within the fitted points: (curve,)."""
        delta = self.meta["arguments"]["delta"]
        rises = [np.diff(mixture.expected(self.ends[:, i]), axis=0)[0]
                 for i, mixture in enumerate(self.mixtures)]  # fmt: skip
        return np.array(
            [
                float((rise >= delta) @ mixture.weight)
                for rise, mixture in zip(rises, self.mixtures, strict=True)
            ]
        )

    def jumps(self) -> "pd.DataFrame":
        """The probability of a jump up to each scale asked for: one row a curve and scale.

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
        """The forecast for every curve: one row a curve.

        Parameters
        ----------
        ci : float
            Probability of the intervals.

        Returns
        -------
        DataFrame
            Labels, `points` (fitted), `held_out` (points), `train_end` (largest fitted scale),
            `target` (farthest scale asked for), `state` ("no sign yet" or "rising"), `p_sign`,
            `p_jump` up to the target, `hazard` per decade, the expected score at the target with
            its interval, the scores of the predictions of held-out points, and `flags`.
        """
        import pandas as pd

        levels, axis = interval_levels(ci), self.curves.axes[0]
        at_target = np.concatenate(
            [quantiles(mixture.expected(self.far[[i]]), mixture.weight, levels)
             for i, mixture in enumerate(self.mixtures)], axis=1,
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
            **self._scores_by_curve(),
            "flags": ["; ".join(flags) for flags in self.flags],
        }
        return pd.DataFrame(columns, index=self._index())

    def _scores_by_curve(self) -> dict[str, list[float]]:
        names = ("mae", "crps", "log_score", "coverage_50", "coverage_90")
        ours = self._points.methods.get(OURS)
        rows = []
        for i in range(len(self.curves)):
            here = self._points.curve == i
            rows.append(ours.row(here) if ours and here.any() else dict.fromkeys(names, np.nan))
        return {name: [row[name] for row in rows] for name in names}

    @property
    def flags(self) -> list[list[str]]:
        """What a reader should know about each curve: its data, and whether sampling converged."""
        out = []
        for mixture, doubt in zip(self.mixtures, self._doubt.tolist(), strict=True):
            flags = list(mixture.curve.flags[0])
            out.append([*flags, "not converged"] if doubt >= DOUBTFUL else flags)
        return out

    @property
    def verdict(self) -> str:
        """One sentence: how good the predictions were, or how many curves show no sign yet."""
        quiet = self.p_sign < 0.5
        waiting = f"no sign yet on {quiet.sum()} of {counted(len(self.curves), 'curve')}"
        if not self._points.methods:
            return waiting
        table = self.scores
        ours, rest = table.loc[OURS], table.drop(index=OURS)
        inside = f"{100 * ours['coverage_90']:.0f} %"
        log_score, error = rest["log_score"], rest["mae"]
        return (
            f"90 % intervals contain {inside} of "
            f"{counted(int(self.held.sum()), 'held-out score')}; log score "
            f"{ours['log_score']:.2f} per score, against {log_score.max():.2f} of the best "
            f"baseline ({log_score.idxmax()}); mean error {ours['mae']:.1f} points, against "
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
