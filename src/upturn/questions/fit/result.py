"""Fitted: what a fit knows and answers, all of it from its tree."""

import math
import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from upturn.arrays.types import Booleans, Floats
from upturn.checks.arguments import interval_levels
from upturn.checks.errors import DataError, also, shown
from upturn.formulas.scaling import Scaling, bounded_of, ceiling_of, scaling_of
from upturn.model import Model
from upturn.posterior import emergence as em
from upturn.posterior import files
from upturn.posterior import tree as trees
from upturn.posterior.selection import selected, shows_all
from upturn.questions.fit.job import model_of
from upturn.questions.fit.mix import coordinates
from upturn.questions.fit.mix import weights as weights_module
from upturn.questions.fit.verdicts import falling_flag, verdicts
from upturn.sampling.density import pointwise
from upturn.sampling.density.target import Target
from upturn.sampling.particles.weights import LARGEST_K
from upturn.sampling.population.sampler import METHODS
from upturn.tables.curves import Curves

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from numpy.typing import NDArray

MOST_APART = 4.0  # Monte Carlo standard errors between two samplers' posterior means
HELD = 64_000_000  # bytes of the draws of a parameter that are looked at in one go
MORE_THAN_NOT = 0.5
MOST_NAMED = 3  # broken scores of a curve that its flag names
STORED_LOG_LIKELIHOOD = 256_000_000  # bytes; beyond, it is computed again when asked for


def keeps_log_likelihood(draws: int, observations: int) -> bool:
    """Whether the log likelihood of that many is small enough to be kept."""
    return draws * observations * 8 <= STORED_LOG_LIKELIHOOD


class Fit:
    """Posterior, diagnostics and data of every curve under one model.

    Attributes
    ----------
    tree : xarray.DataTree
        In ArviZ's schema: posterior, log_likelihood (while below 256 MB), observed_data,
        constant_data, sample_stats, and emergence (threshold and gain of each draw); on a mix of
        axes weights, their posterior on its grid, and the weights of each draw in posterior.
    """

    def __init__(self, tree: "xr.DataTree") -> None:
        self._tree = tree

    def __repr__(self) -> str:
        return (
            f"Fit({self.model.name}, {len(self.curves)} curves, "
            f"axis {', '.join(self.meta['arguments']['axis'])})"
        )

    @cached_property
    def tree(self) -> "xr.DataTree":
        draws, points = math.prod(self._sampled), self._tree["observed_data"].sizes["obs"]
        if "log_likelihood" not in self._tree.children and keeps_log_likelihood(draws, points):
            return trees.add_log_likelihood(self._tree, self.log_likelihood())
        return self._tree

    @cached_property
    def meta(self) -> dict[str, Any]:
        """Version, seed, arguments, the full model, notes."""
        return trees.meta_of(self._tree)

    @cached_property
    def model(self) -> Model:
        """The model, with every prior that was in force."""
        return model_of(self.meta)

    @cached_property
    def curves(self) -> Curves:
        """The data."""
        return trees.curves_of(self._tree)

    def __len__(self) -> int:
        """How many curves there are."""
        return self._tree["constant_data"].sizes["curves"]

    def parts(self) -> "Iterator[Fit]":
        """The fit, or one after the other fits of some of its curves, where it is large.

        What is asked of each curve by itself can so be asked of a fit that does not fit into
        memory.
        """
        if len(self) * math.prod(self._sampled) * 8 <= HELD:
            yield self
            return
        step = max(1, HELD // (math.prod(self._sampled) * 8))
        index = trees.values(self._tree, "constant_data", "curve_index")
        for start in range(0, len(self), step):
            curves = slice(start, min(start + step, len(self)))
            points = np.searchsorted(index, [curves.start, curves.stop]).tolist()
            yield Fit(trees.part(self._tree, curves, slice(*points)))

    @property
    def notes(self) -> tuple[str, ...]:
        """What was derived, rounded or dropped on the way from the table, with counts."""
        return tuple(self.meta["notes"])

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fit to NetCDF (.nc) or Zarr (.zarr), whole or not at all.

        Raises
        ------
        DataError
            Where the path cannot be written.
        """
        files.save(self.tree, path)

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

        frame = pd.concat([part._summary(ci) for part in self.parts()])
        return frame if shows_all(only, sort) else frame.iloc[self.selected(only=only, sort=sort)]

    def selected(
        self, *, only: str | Sequence[str] | None = None, sort: str = "table"
    ) -> "NDArray[np.intp]":
        """The places of the curves to show; see `upturn.posterior.selection.selected`."""
        if shows_all(only, sort):
            return np.arange(len(self))
        levels = interval_levels(0.9)
        verdicts: list[str] = []
        x: list[Floats] = []
        for part in self.parts():
            verdicts += part.verdicts
            x.append(part._quantiles("threshold_scale", levels)[1])
        names = self.curves.name.tolist()
        return selected(verdicts, np.concatenate(x), names, only=only, sort=sort)

    def _summary(self, ci: float) -> "pd.DataFrame":
        import pandas as pd

        levels = interval_levels(ci)
        columns: dict[str, Any] = dict(self.curves.labels)
        columns |= {
            "points": self.curves.points,
            "verdict": self.verdicts,
            "p_change": self._stat("p_change"),
            **self._interval("scale", "threshold_scale", levels),
            "gain": np.median(self._along("gain"), axis=1),
            **self._interval("changepoint", "changepoint_scale", levels),
            **{name: self._stat(name) for name in ("ess", "khat", "rhat", "log_evidence")},
            "flags": ["; ".join(flags) for flags in self.flags],
        }
        return pd.DataFrame(columns, index=pd.Index(self.curves.name.astype(object), name="curve"))

    def _interval(self, name: str, variable: str, levels: Floats) -> dict[str, np.ndarray]:
        """Columns of a scale in native units: median, ends, and whether it lies beyond the axis."""
        x = self._quantiles(variable, levels)
        censored = "censored" if name == "scale" else f"{name}_censored"
        if name == "changepoint" and not self.model.changepoints:
            nowhere = np.full(x.shape[1], np.nan)
            ends = dict.fromkeys((name, f"{name}_low", f"{name}_high"), nowhere)
            return {**ends, censored: np.zeros(x.shape[1], dtype=np.bool_)}
        low, middle, high = self._native(x)
        return {
            name: middle,
            f"{name}_low": np.minimum(low, high),
            f"{name}_high": np.maximum(low, high),
            censored: np.isinf(x[1]),
        }

    @property
    def verdicts(self) -> list[str]:
        """The verdict on each curve, in words, under this model, its twin and a falling line."""
        return verdicts(
            self.model, self.one_axis, self._on_model_scale, self._scaling,
            p_change=self._stat("p_change"), falls=self._stat("p_falls"),
            delta=float(self.meta["arguments"]["delta"]),
        )  # fmt: skip

    def texts(
        self,
        ci: float = 0.9,
        *,
        only: str | Sequence[str] | None = None,
        sort: str = "table",
    ) -> "pd.DataFrame":
        """Scales as people read them: "2.1e22", "1.2e22 – 4.0e22", "> 3.6e25"."""
        import pandas as pd

        frame = pd.concat([part._texts(ci) for part in self.parts()])
        return frame if shows_all(only, sort) else frame.iloc[self.selected(only=only, sort=sort)]

    def _texts(self, ci: float) -> "pd.DataFrame":
        import pandas as pd

        found = {}
        for name, variable in (("scale", "threshold_scale"), ("changepoint", "changepoint_scale")):
            if variable == "changepoint_scale" and not self.model.changepoints:
                found[name] = [""] * len(self.curves)
                continue
            q = self._quantiles(variable, interval_levels(ci))
            found[name] = [self._text(i, q[1, i]) for i in range(len(self.curves))]
            if name == "scale":
                found["interval"] = [
                    _interval(self._text(i, q[0, i]), self._text(i, q[2, i]))
                    for i in range(len(self.curves))
                ]
        return pd.DataFrame(found, index=pd.Index(self.curves.name.astype(object), name="curve"))

    @property
    def flags(self) -> list[list[str]]:
        """For each curve, what the data and the sampler say that a reader should know."""
        khat, rhat, falls = (self._stat(name) for name in ("khat", "rhat", "p_falls"))
        method, converged = self._stat("method"), self._stat("converged")
        out = []
        for i, data in enumerate(self.curves.flags):
            flags = [*data, *self._broken_flags(i)]
            if falls[i] > MORE_THAN_NOT:
                flags.append(falling_flag(float(falls[i]), self.curves.axes[i]))
            if method[i] == len(METHODS) - 1:
                flags.append("tempered SMC")
            if khat[i] > LARGEST_K:
                flags.append(f"k̂ {khat[i]:.2f}")
            if self._by_nuts:
                flags += self._of_nuts(i)
            elif not converged[i]:
                flags.append(f"not converged (R̂ {rhat[i]:.2f})")
            out.append(flags)
        return out

    def _broken_flags(self, curve: int) -> list[str]:
        """The scores of a curve that are more probably broken than not."""
        if self._p_broken is None:
            return []
        p = self._p_broken[curve]
        order = np.argsort(-p, kind="stable")
        found = [f"{self.curves.model[curve, i]} {p[i]:.2f}" for i in order if p[i] > MORE_THAN_NOT]
        more = also(max(len(found) - MOST_NAMED, 0), "score")
        return [f"broken? {', '.join(found[:MOST_NAMED])}{more}"] if found else []

    @property
    def _by_nuts(self) -> bool:
        """Whether the draws are NUTS's, with the population sampler's answer beside them."""
        return "population" in self._tree.children

    def _of_nuts(self, curve: int) -> list[str]:
        """What speaks against NUTS's draws of a curve, and the population sampler's answer then."""
        rhat, ess, converged, divergences, difference = (
            self._stat(name)[curve]
            for name in ("rhat", "ess", "converged", "divergences", "difference")
        )
        found = []
        if not converged:
            found.append(
                f"NUTS not converged (R̂ {rhat:.3f}, ESS {ess:.0f}, {divergences} divergences)"
            )
        if difference > MOST_APART:
            found.append(f"samplers {difference:.1f} standard errors apart")
        if found:
            q = self._quantiles("threshold_scale", interval_levels(0.9), "population")[:, curve]
            low, median, high = (self._text(curve, x) for x in q)
            found.append(f"population sampler: {median} ({_interval(low, high)})")
        return found

    @property
    def failed(self) -> list[str]:
        """Names of the curves whose sampling did not converge."""
        names = trees.values(self._tree, "constant_data", "curve_name")
        return [str(name) for name in names[self._stat("converged") == 0]]

    def totals(self) -> dict[str, Any]:
        """Counts over all curves."""
        found = self._learned
        log_evidence = self._stat("log_evidence").sum() if found is None else found.log_marginal[0]
        return {
            "curves": len(self.curves),
            "points": int(self.curves.points.sum()),
            "failed": self.failed,
            "evaluations": int(self._stat("evaluations").sum()),
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
            At most so many draws of each curve, evenly over the chains: pictures need no more
            than some hundreds. All by default.

        Returns
        -------
        x, low, median, high : array (curve, point)
            x in axis coordinates; the rest in native units of the score.
        """
        _check_points(points)
        chosen = np.arange(len(self.curves)) if index is None else np.asarray(index, dtype=np.intp)
        p = {name: self._on_model_scale[name] for name in self.model.parameters}
        held = next(iter(p.values())).shape[1]
        kept = np.linspace(0, held - 1, min(draws or held, held)).round().astype(np.intp)
        start, end = self.one_axis.limits[:, 0, chosen, None]
        x = start + np.where(end > start, np.linspace(0, 1, points), 0.0) * (end - start)
        levels = interval_levels(ci)
        band = np.empty((3, *x.shape))
        for i in em.pieces(len(x), len(kept), points):
            score = np.empty((*x[i].shape, len(kept)))
            for curves, places in self._by_axis(kept):
                low, high = curves.limits[:, 0, chosen[i], None]
                u = (x[i] - low) / np.where(high > low, high - low, 1.0)
                part = {name: value[chosen[i, None], kept[places]] for name, value in p.items()}
                score[:, :, places] = em.expected(self.model, part, u, self._ceiling[chosen[i]])
            band[:, i] = np.quantile(score, levels, axis=2)
        offset, span = self._scaling.offset[chosen, None], self._scaling.span[chosen, None]
        sign = np.where(self._bounded, 1.0, self.curves.orientation)[chosen, None]
        # where less is better, the most that may be expected is the least of the score
        low, median, high = np.sort((offset + span * band) * sign, axis=0)
        return x, low, median, high

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
        draws, p = self._along("threshold_scale"), self._stat("p_change")
        return (draws, p) if index is None else (draws[index], p[index])

    def log_likelihood(self) -> Floats:
        """Log density of every observation: (chain, draw, obs).

        With scatter, that of an observation given the others of its group, which is what
        leave-one-out needs.
        """
        count = self.curves.points
        start = np.cumsum(count) - count
        chains, draws = self._sampled
        out = np.empty((chains * draws, int(count.sum())))
        for curves, places in self._by_axis(np.arange(chains * draws)):
            for i in range(len(curves)):
                target, p = self._one(curves, i, places)
                per_point = pointwise.pointwise(target, 0, p)[: count[i]]
                jacobian = target.log_jacobian[0] / max(int(count[i]), 1)
                out[places, start[i] : start[i] + count[i]] = per_point.T + jacobian
        return out.reshape(chains, draws, -1)

    @cached_property
    def broken(self) -> "pd.DataFrame | None":
        """The probability that each score is broken, under a robust likelihood.

        Returns
        -------
        DataFrame or None
            One row a point, in the order of the curves: `curve`, its labels, `model`, `score`,
            `p_broken`. None where the likelihood allows for none.
        """
        import pandas as pd

        found = self._p_broken
        if found is None:
            return None
        curve, point = np.nonzero(self.curves.mask)
        labels = {name: values[curve] for name, values in self.curves.labels.items()}
        return pd.DataFrame(
            {
                "curve": self.curves.name[curve],
                **labels,
                "model": self.curves.model[curve, point],
                "score": self.curves.score[curve, point],
                "p_broken": found[curve, point],
            }
        )

    @cached_property
    def _p_broken(self) -> Floats | None:
        """Of every point: (curve, point)."""
        robust = [
            self.model.likelihood_for(str(kind)).log_uniform is not None
            for kind in self.curves.kind.tolist()
        ]
        if not any(robust):
            return None
        out = np.zeros(self.curves.mask.shape)
        draws = math.prod(self._sampled)
        for curves, places in self._by_axis(np.arange(draws)):
            for i in np.flatnonzero(robust):
                target, p = self._one(curves, int(i), places)
                count = int(curves.points[i])
                out[i, :count] += pointwise.p_broken(target, 0, p)[:count].sum(axis=1) / draws
        return out

    def _one(self, curves: Curves, i: int, places: Any) -> tuple[Target, dict[str, Floats]]:
        """One curve, and its parameters on the model's scale: (1, 1, draw)."""
        one = curves.take(np.array([i]))
        target = Target(self.model, one, self.model.likelihood_for(str(one.kind[0])))
        p = {name: self._on_model_scale[name][[i], None][..., places] for name in target.names}
        return target, p

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
        if self._learned is None:
            raise DataError(
                "weights: expected a fit on a mix of axes, but got one on "
                f"{', '.join(self.meta['arguments']['axis'])}; fit on mix:params,tokens, say"
            )
        return weights_module.table(
            self._learned, self.curves.axes[0], self.curves.limits[:, :, 0], ci
        )

    @property
    def verdict(self) -> str | None:
        """Of a mix, one sentence: does it beat each axis alone, and at which weights?"""
        return self.verdict_with()

    def verdict_with(self, ci: float = 0.9) -> str | None:
        """The verdict with intervals of another probability."""
        if self._learned is None:
            return None
        limits = self.curves.limits[:, :, 0]
        return weights_module.verdict(self._learned, self.curves.axes[0], limits, ci)

    @cached_property
    def one_axis(self) -> Curves:
        """The data on one axis each: those on a mix at the mean of its weights."""
        if self._learned is None:
            return self.curves
        mean, _ = self._learned.mean(self._learned.weights)
        return coordinates.along(self.curves, mean[None])

    @cached_property
    def _learned(self) -> weights_module.Posterior | None:
        if not coordinates.is_mix(self.curves):
            return None
        names = ("weight", "prior", "log_evidence", "log_evidence_se")
        return weights_module.Posterior(
            *(trees.values(self._tree, trees.WEIGHTS, name) for name in names)
        )

    @cached_property
    def _weights_of_draws(self) -> Floats:
        """(chain, draw, axis)."""
        return trees.values(self._tree, "posterior", "weights")

    def _by_axis(self, draws: "NDArray[np.intp]") -> Iterator[tuple[Curves, Any]]:
        """Curves on one axis each, and which of some draws are on it.

        On a mix those of the same weights.
        """
        if self._learned is None:
            yield self.curves, np.arange(len(draws))
            return
        every = self._weights_of_draws.reshape(-1, len(self.curves.axes[0].parts))
        for weights, places in coordinates.by_weights(every[draws]):
            yield coordinates.along(self.curves, weights[None]), places

    @cached_property
    def _ends(self) -> tuple[Floats, Floats]:
        """The coordinates at which the model's axis begins and ends: (curve, draw or 1)."""
        if self._learned is not None:
            return coordinates.ends(self.curves, self._weights_of_draws)
        low, high = self.curves.limits[:, 0, :, None]
        return low, high

    # --- the tree's contents ----------------------------------------------------------------------

    @cached_property
    def _sampled(self) -> tuple[int, int]:
        """The number of chains, and of draws of each."""
        sizes = self._tree["emergence"].sizes
        return sizes["chain"], sizes["draw"]

    @cached_property
    def _names(self) -> list[str]:
        """The parameters that each curve has of its own."""
        found = self._tree["posterior"].to_dataset().data_vars
        return [str(name) for name, variable in found.items() if "curve" in variable.dims]

    def _along(self, name: str, group: str = "emergence") -> Floats:
        """A variable as (curve, draw)."""
        values = np.moveaxis(trees.values(self._tree, group, name), 2, 0)
        return values.reshape(len(values), -1)

    def _stat(self, name: str) -> Floats:
        """One of the sampler's numbers: (curve,)."""
        return trees.values(self._tree, "sample_stats", name)

    @cached_property
    def _on_model_scale(self) -> dict[str, Floats]:
        """The parameters as the model takes them, by name: (curve, draw)."""
        out = {name: self._along(name, "posterior") for name in self._names}
        low, high = self._ends
        for name in self.model.changepoints:
            out[name] = (out[name] - low) / np.where(high > low, high - low, 1.0)
        offset, span = self._scaling.offset[:, None], self._scaling.span[:, None]
        if "floor" in out:
            out["floor"] = (self._orient(out["floor"]) - offset) / span
        if "sigma" in out:
            out["sigma"] = out["sigma"] / span
        return out

    def _orient(self, values: Floats) -> Floats:
        """Oriented to native scores (…, curve, any) and back, under an unbounded likelihood."""
        return values * np.where(self._bounded, 1.0, self.curves.orientation)[:, None]

    def check(self) -> None:
        """Refuse a tree that holds not all that is asked of it.

        Raises
        ------
        KeyError, ValueError
        """
        kinds = dict.fromkeys(self.curves.kind.tolist())
        scatter = bool(self.model.moves and (self.curves.groups > 0).any())
        priors = [self.model.priors(self.model.likelihood_for(k), scatter=scatter) for k in kinds]
        trees.check_contents(self._tree, self.curves, {name for p in priors for name in p})

    @cached_property
    def _bounded(self) -> Booleans:
        return bounded_of(self.model, self.curves)

    @cached_property
    def _scaling(self) -> Scaling:
        return scaling_of(self.model, self.curves)

    @cached_property
    def _ceiling(self) -> Floats:
        return ceiling_of(self.model, self.curves)

    def _quantiles(self, variable: str, levels: Floats, group: str = "emergence") -> Floats:
        """Quantiles of a scale in x with its two atoms: (level, curve)."""
        p = self._stat("p_change")
        return em.quantiles(self._along(variable, group), p, levels)

    def _native(self, x: Floats) -> Floats:
        """X (level, curve) in native units."""
        out = np.empty_like(x)
        with np.errstate(over="ignore", under="ignore"):
            for i, axis in enumerate(self.one_axis.axes):
                out[:, i] = axis.value(x[:, i])
        return out

    def _text(self, curve: int, x: float) -> str:
        """A scale as text, "> limit" beyond the axis."""
        low, high = self.one_axis.limits[:, 0, curve]
        return self.curves.axes[curve].text(x, low, high)


def _check_points(points: Any) -> None:
    if isinstance(points, bool) or not isinstance(points, (int, np.integer)) or points < 1:
        raise DataError(f"points: expected a whole number above 0, but got {shown(points)}")


def _interval(low: str, high: str) -> str:
    """An interval as text; one answer where both ends lie beyond the same limit."""
    return low if low == high else f"{low} – {high}"
