"""Fit: what a fit answers, all of it from its tree."""

import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from upturn.arrays.types import Floats
from upturn.checks.arguments import interval_levels, whole
from upturn.checks.errors import DataError
from upturn.model import Model
from upturn.posterior import files
from upturn.posterior import tree as trees
from upturn.posterior.held import Held
from upturn.posterior.selection import selected, shows_all
from upturn.questions.fit import flags, pointwise, predictive, rows
from upturn.questions.fit.at_scale import AtScale, slices_of
from upturn.questions.fit.band import band
from upturn.questions.fit.contents import Contents
from upturn.questions.fit.mix import weights as mix_weights
from upturn.questions.fit.verdicts import verdicts
from upturn.tables.curves import Curves
from upturn.tables.flags import chance_notes, family_notes
from upturn.tables.rules import MAX_POINTS

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from numpy.typing import NDArray

HELD_BYTES = 64_000_000  # of the draws of one parameter that are in memory at once


class Fit(AtScale):
    """Posterior, diagnostics and data of every curve under one model.

    Attributes
    ----------
    tree : xarray.DataTree
        In ArviZ's schema: posterior, log_likelihood (while below 256 MB), observed_data,
        constant_data, sample_stats, and emergence (threshold and gain of each draw); on a mix of
        axes weights, their posterior on its grid, and the weights of each draw in posterior.
    """

    def __init__(self, tree: "xr.DataTree | Held") -> None:
        self._contents = Contents(tree)

    def __repr__(self) -> str:
        return (
            f"Fit({self.model.name}, {len(self.curves)} curves, "
            f"axis {', '.join(self.meta['arguments']['axis'])})"
        )

    @cached_property
    def tree(self) -> "xr.DataTree":
        tree, size = self._contents.tree, (self._contents.draws, self._contents.observations)
        if "log_likelihood" not in tree.children and pointwise.keeps_log_likelihood(*size):
            return trees.add_log_likelihood(tree, self.log_likelihood())
        return tree

    @property
    def meta(self) -> dict[str, Any]:
        """Version, seed, arguments, the full model, notes."""
        return self._contents.meta

    @property
    def model(self) -> Model:
        """The model, with every prior that was in force."""
        return self._contents.model

    @property
    def curves(self) -> Curves:
        """The data."""
        return self._contents.curves

    @property
    def one_axis(self) -> Curves:
        """The data on one axis each: those on a mix at the mean of its weights."""
        return self._contents.one_axis

    def __len__(self) -> int:
        """The number of curves."""
        return len(self._contents)

    def __getitem__(self, curve: str) -> "Fit":
        """The fit of one curve, by its name or by its task's."""
        return Fit(trees.part(self.tree, *slices_of(self._contents, curve)))

    def parts(self) -> "Iterator[Fit]":
        """The fit, or one after the other fits of some of its curves, where it is large.

        So an answer about each curve by itself can come from a fit that does not fit into memory.
        """
        step = max(1, HELD_BYTES // (self._contents.draws * 8))
        if len(self) <= step:
            yield self
            return
        tree = self._contents.tree
        index = trees.values(tree, "constant_data", "curve_index")
        for start in range(0, len(self), step):
            curves = slice(start, min(start + step, len(self)))
            points = np.searchsorted(index, [curves.start, curves.stop]).tolist()
            yield Fit(trees.part(tree, curves, slice(*points)))

    @property
    def notes(self) -> tuple[str, ...]:
        """What was derived, rounded or dropped on the way from the table, with counts."""
        return (*self.meta["notes"], *chance_notes(self.curves.flags), *family_notes(self.curves))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fit to NetCDF (.nc) or Zarr (.zarr), whole or not at all.

        Raises
        ------
        DataError
            Where the path cannot be written.
        """
        files.save(self.tree, path)

    def check(self) -> None:
        """Refuse a tree that lacks something that answers need.

        Raises
        ------
        KeyError, ValueError
        """
        self._contents.check()

    # --- answers ----------------------------------------------------------------------------------

    def summary(
        self,
        ci: float = 0.9,
        *,
        only: str | Sequence[str] | None = None,
        sort: str = "table",
    ) -> "pd.DataFrame":
        """One row a curve.

        Parameters
        ----------
        ci : float
            Probability of the equal-tailed intervals.
        only : str or several, optional
            The verdicts whose curves are wanted; all by default.
        sort : str
            "table", "verdict", "scale" or "name".

        Returns
        -------
        DataFrame
            Labels, `points`, `verdict`, `p_change`, `scale` (where the expected score first stands
            delta above chance) and `changepoint` (where this formula bends; NaN for models without)
            with their intervals in native units, and whether their medians lie beyond the axis
            (`censored`, `changepoint_censored`), `gain`, `ess`, `khat`, `rhat`, `log_evidence`,
            `flags`. A scale beyond the axis is inf or 0.
        """
        import pandas as pd

        frame = pd.concat(
            [rows.summary(fit._contents, fit.verdicts, fit.flags, ci) for fit in self.parts()]
        )
        return frame if shows_all(only, sort) else frame.iloc[self.selected(only=only, sort=sort)]

    def texts(
        self,
        ci: float = 0.9,
        *,
        only: str | Sequence[str] | None = None,
        sort: str = "table",
    ) -> "pd.DataFrame":
        """Scales as people read them: "2.1e22", "1.2e22 – 4.0e22", "> 3.6e25"."""
        import pandas as pd

        frame = pd.concat([rows.texts(fit._contents, ci) for fit in self.parts()])
        return frame if shows_all(only, sort) else frame.iloc[self.selected(only=only, sort=sort)]

    def selected(
        self, *, only: str | Sequence[str] | None = None, sort: str = "table"
    ) -> "NDArray[np.intp]":
        """The places of the curves to show; see `upturn.posterior.selection.selected`."""
        if shows_all(only, sort):
            return np.arange(len(self))
        levels = interval_levels(0.9)
        words: list[str] = []
        x: list[Floats] = []
        for fit in self.parts():
            words += fit.verdicts
            x.append(fit._contents.quantiles("threshold_scale", levels)[1])
        names = self.curves.name.tolist()
        return selected(words, np.concatenate(x), names, only=only, sort=sort)

    @property
    def verdicts(self) -> list[str]:
        """The verdict on each curve, from this model, its twin, a falling line and a level."""
        contents = self._contents
        return verdicts(
            self.model, self.one_axis, contents.parameters, contents.scaling,
            p_change=contents.stat("p_change"), falls=contents.stat("p_falls"),
            level=contents.stat("p_level"),
            delta=float(self.meta["arguments"]["delta"]),
        )  # fmt: skip

    @property
    def flags(self) -> list[list[str]]:
        """For each curve, what a reader should know of its data and of the sampling."""
        return flags.flags(self._contents, self._p_broken)

    @property
    def failed(self) -> list[str]:
        """Names of the curves whose sampling did not converge."""
        return self._contents.names[self._contents.stat("converged") == 0].tolist()

    def totals(self) -> dict[str, Any]:
        """Counts over all curves."""
        stat, posterior = self._contents.stat, self._contents.weights
        log_evidence = (
            stat("log_evidence").sum() if posterior is None else posterior.log_marginal[0]
        )
        return {
            "curves": len(self.curves),
            "points": int(self.curves.points.sum()),
            "failed": self.failed,
            "evaluations": int(stat("evaluations").sum()),
            "log_evidence": float(log_evidence),
        }

    def expected(
        self,
        points: int = 40,
        ci: float = 0.9,
        *,
        index: "NDArray[np.intp] | None" = None,
        draws: int | None = None,
    ) -> tuple[Floats, Floats, Floats, Floats]:
        """The expected score over the axis, with its band.

        Parameters
        ----------
        points : int
            Places along the axis.
        ci : float
            Probability of the band, point by point.
        index : array of int, optional
            Which curves; all by default.
        draws : int, optional
            The most draws of each curve to use, spread evenly over the chains; all by default. A
            figure needs no more than some hundreds.

        Returns
        -------
        x, low, median, high : array (curve, point)
            x in axis coordinates; the rest in native units of the score.
        """
        whole("points", points, 1, MAX_POINTS)
        chosen = np.arange(len(self.curves)) if index is None else np.asarray(index, dtype=np.intp)
        return band(self._contents, chosen, points=points, ci=ci, draws=draws)

    def scales(self, index: "NDArray[np.intp] | None" = None) -> tuple[Floats, Floats]:
        """Draws of the headline scale, and the probability that there is a change.

        Parameters
        ----------
        index : array of int, optional
            Which curves; all by default.

        Returns
        -------
        x : array (curve, draw)
            In axis coordinates, given a change; -inf where the ability is there at the smallest
            scale, inf beyond the largest.
        p_change : array (curve,)
        """
        draws, p = self._contents.variable("threshold_scale"), self._contents.stat("p_change")
        return (draws, p) if index is None else (draws[index], p[index])

    def log_likelihood(self) -> Floats:
        """Log density of every observation: (chain, draw, obs).

        With scatter, that of an observation given the others of its group, which is what
        leave-one-out needs.
        """
        return pointwise.log_likelihood(self._contents)

    def predictive(
        self,
        draws: int | None = None,
        *,
        groups: predictive.Groups = "same",
        prior: bool = False,
        seed: int = 0,
    ) -> "xr.DataTree":
        """The tree with scores that the model would show again at the same scales.

        They are drawn from the likelihood that was fitted, with its trials, overdispersion, broken
        evaluations and correlated noise, on the scale of `observed_data`. The plots of
        `arviz_plots` for predictive checks (`plot_ppc_dist`, `plot_ppc_pit`, `plot_loo_pit`) take
        the tree as it is.

        Parameters
        ----------
        draws : int, optional
            The most draws of each chain, evenly among all; by default all, or as many as stay below
            256 MB. `plot_loo_pit` needs all.
        groups : {"same", "new"}
            Scores of the same families and runs, whose offsets are drawn given their scores, or of
            new ones, whose offsets are drawn from the distribution of offsets.
        prior : bool
            Whether to add the group `prior_predictive` too: scores at draws from the prior.
        seed : int
            Each curve's numbers depend on this and on its own labels alone.

        Returns
        -------
        DataTree
            With the group `posterior_predictive`, and `prior_predictive`: `y` (chain, draw, obs).

        Raises
        ------
        DataError
            Where an argument is out of its range.

        Examples
        --------
        >>> import upturn
        >>> fit = upturn.fit(upturn.read("gpt3").where("task=piqa"), draws=100)
        >>> tree = fit.predictive()
        >>> tree["posterior_predictive"]["y"].dims
        ('chain', 'draw', 'obs')
        """
        scores = predictive.scores(self._contents, draws, groups=groups, prior=prior, seed=seed)
        return trees.add_scores(self.tree, **scores)

    @cached_property
    def broken(self) -> "pd.DataFrame | None":
        """The probability that each score is broken, under a robust likelihood.

        Returns
        -------
        DataFrame or None
            One row a point, in the order of the curves: `curve`, its labels, `model`, `score`,
            `p_broken`. None where the likelihood allows for none.
        """
        return None if self._p_broken is None else rows.broken(self.curves, self._p_broken)

    @cached_property
    def _p_broken(self) -> Floats | None:
        return pointwise.p_broken(self._contents)

    # --- the weights of a mix ---------------------------------------------------------------------

    @property
    def weights(self) -> "pd.DataFrame":
        """The weights of a learned axis; see `weights_table`, with intervals of 90 %."""
        return self.weights_table()

    def weights_table(self, ci: float = 0.9) -> "pd.DataFrame":
        """What was learned of the weights of a mix of axes: one row an axis.

        Parameters
        ----------
        ci : float
            Probability of the equal-tailed intervals.

        Returns
        -------
        DataFrame
            `weight` (posterior mean), its Monte Carlo error `weight_se`, `weight_low`,
            `weight_high`; the same of `exponent`, by which the axis counts in native units, scaled
            so that they sum to 1 (nan where an axis is not logarithmic); `likeliest`, the weights
            of the highest density; `log_evidence` of all curves on this axis alone, and
            `advantage`, the log evidence of the mix less that, with its Monte Carlo error.

        Raises
        ------
        DataError
            For a fit on single axes.
        """
        interval_levels(ci)
        if self._contents.weights is None:
            raise DataError(
                "weights: expected a fit on a mix of axes, but got one on "
                f"{', '.join(self.meta['arguments']['axis'])}; fit on mix:params,tokens, say"
            )
        curves = self.curves
        return mix_weights.table(self._contents.weights, curves.axes[0], curves.limits[:, :, 0], ci)

    @property
    def verdict(self) -> str | None:
        """Of a mix, one sentence: does it beat each axis alone, and at which weights?"""
        return self.verdict_with()

    def verdict_with(self, ci: float = 0.9) -> str | None:
        """The verdict with intervals of another probability."""
        posterior, curves = self._contents.weights, self.curves
        if posterior is None:
            return None
        return mix_weights.verdict(posterior, curves.axes[0], curves.limits[:, :, 0], ci)
