"""The contents of a fit, as the arrays that answers are computed from."""

import math
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from upturn.arrays.types import Floats
from upturn.formulas.scaling import (
    Scaling,
    UnitAxis,
    ceiling_of,
    on_model_scale,
    orientation_of,
    scaling_of,
)
from upturn.model import Model
from upturn.posterior import emergence as em
from upturn.posterior import tree as trees
from upturn.posterior.held import Held
from upturn.questions.fit.job import model_of
from upturn.questions.fit.mix import coordinates
from upturn.questions.fit.mix.weights import Posterior
from upturn.sampling.density.target import Target
from upturn.tables.curves import Curves

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray


class Contents:
    """What a fit holds, in its tree or still in memory.

    Parameters
    ----------
    source : xarray.DataTree or Held
    """

    def __init__(self, source: "xr.DataTree | Held") -> None:
        self._held = source if isinstance(source, Held) else None
        if not isinstance(source, Held):
            self.tree = source

    @cached_property
    def tree(self) -> "xr.DataTree":
        """The tree, made on first use where the fit is still in memory."""
        assert self._held is not None
        return self._held.tree()

    def __len__(self) -> int:
        """The number of curves."""
        if self._held is not None:
            return len(self._held.given)
        return self.tree["constant_data"].sizes["curves"]

    @cached_property
    def meta(self) -> dict[str, Any]:
        """Version, seed, arguments, the full model, notes."""
        return trees.meta_of(self.tree) if self._held is None else self._held.meta

    @cached_property
    def model(self) -> Model:
        """The model, with every prior that was in force."""
        return model_of(self.meta)

    @cached_property
    def curves(self) -> Curves:
        """The data."""
        return trees.curves_of(self.tree) if self._held is None else self._held.curves

    @property
    def names(self) -> "NDArray[np.str_]":
        """The names of the curves."""
        if self._held is not None:
            return self._held.given.name
        return trees.values(self.tree, "constant_data", "curve_name").astype(np.str_)

    @property
    def chains_and_draws(self) -> tuple[int, int]:
        """The number of chains, and of the draws of each."""
        if self._held is not None:
            _, chains, draws = self._held.emergence["gain"].shape
            return chains, draws
        sizes = self.tree["emergence"].sizes
        return sizes["chain"], sizes["draw"]

    @property
    def draws(self) -> int:
        """The number of draws of each curve, over all chains."""
        return math.prod(self.chains_and_draws)

    @property
    def observations(self) -> int:
        """The number of points of all curves."""
        if self._held is not None:
            return int(self._held.given.points.sum())
        return self.tree["observed_data"].sizes["obs"]

    @property
    def is_nuts(self) -> bool:
        """Whether the draws are NUTS's; the population sampler's answer is then in the tree too."""
        return self._held is None and "population" in self.tree.children

    def variable(self, name: str, group: str = "emergence") -> Floats:
        """A variable of all draws, chains one after the other: (curve, draw)."""
        if self._held is not None:
            values = getattr(self._held, group)[name]
        else:
            values = np.moveaxis(trees.values(self.tree, group, name), 2, 0)
        return values.reshape(len(values), -1)

    def stat(self, name: str) -> Floats:
        """One of the sampler's statistics: (curve,)."""
        if self._held is not None:
            return self._held.sample_stats[name]
        return trees.values(self.tree, "sample_stats", name)

    def quantiles(self, variable: str, levels: Floats, group: str = "emergence") -> Floats:
        """Quantiles of a scale in axis coordinates, infinite beyond the axis: (level, curve)."""
        return em.quantiles(self.variable(variable, group), self.stat("p_change"), levels)

    # --- on the model's scale ---------------------------------------------------------------------

    @cached_property
    def scaling(self) -> Scaling:
        """How native scores map to the model's scale."""
        return scaling_of(self.model, self.curves)

    @cached_property
    def orientation(self) -> Floats:
        """See `upturn.formulas.scaling.orientation_of`: (curve,)."""
        return orientation_of(self.model, self.curves)

    @cached_property
    def ceiling(self) -> Floats:
        """The ceiling of each curve on the model's scale: (curve,)."""
        return ceiling_of(self.model, self.curves)

    @cached_property
    def parameters(self) -> dict[str, Floats]:
        """The parameters on the model's scale, by name: (curve, draw)."""
        saved = {name: self.variable(name, "posterior") for name in self._parameter_names}
        return on_model_scale(self.model, saved, self.scaling, self.orientation, self._unit_axis)

    @property
    def _parameter_names(self) -> list[str]:
        if self._held is not None:
            return list(self._held.posterior)
        variables = self.tree["posterior"].to_dataset().data_vars
        return [str(name) for name, variable in variables.items() if "curve" in variable.dims]

    @cached_property
    def _unit_axis(self) -> UnitAxis:
        if self.weights is not None:
            return coordinates.ends(self.curves, self._weights_of_draws)
        return UnitAxis.of(self.curves)

    # --- a mix of axes ----------------------------------------------------------------------------

    @cached_property
    def weights(self) -> Posterior | None:
        """The posterior of the weights of a mix; None for single axes."""
        if not coordinates.is_mix(self.curves):
            return None
        names = ("weight", "prior", "log_evidence", "log_evidence_se")
        weights, prior, value, error = (
            trees.values(self.tree, trees.WEIGHTS, name) for name in names
        )
        return Posterior(weights, prior, value, error, int(self.meta["seed"]))

    @cached_property
    def _weights_of_draws(self) -> Floats:
        """(chain, draw, axis)."""
        return trees.values(self.tree, "posterior", "weights")

    @cached_property
    def one_axis(self) -> Curves:
        """The data on one axis each: those on a mix at the mean of its weights."""
        if self.weights is None:
            return self.curves
        mean, _ = self.weights.mean(self.weights.weights)
        return coordinates.along(self.curves, mean[None])

    def by_axis(self, draws: "NDArray[np.intp]") -> Iterator[tuple[Curves, Any]]:
        """The curves on one axis each, and which of some draws are on it.

        On a mix, draws with the same weights come together.
        """
        if self.weights is None:
            yield self.curves, np.arange(len(draws))
            return
        weights_of_draws = self._weights_of_draws.reshape(-1, len(self.curves.axes[0].parts))
        for weights, places in coordinates.by_weights(weights_of_draws[draws]):
            yield coordinates.along(self.curves, weights[None]), places

    def target(self, curves: Curves, i: int, places: Any) -> tuple[Target, dict[str, Floats]]:
        """The target of one curve, and some draws of its parameters: (1, 1, draw).

        Parameters
        ----------
        curves : Curves
            All of them, on one axis each.
        i : int
        places : array of int
            The draws.
        """
        curve = curves.take(np.array([i]))
        target = Target(self.model, curve, self.model.likelihood_for(str(curve.kind[0])))
        p = {name: self.parameters[name][[i], None][..., places] for name in target.names}
        return target, p

    # --- as text ----------------------------------------------------------------------------------

    def scale_text(self, curve: int, x: float) -> str:
        """A scale as text, "> limit" beyond the axis."""
        low, high = self.one_axis.limits[:, 0, curve]
        return self.curves.axes[curve].text(x, low, high)

    def check(self) -> None:
        """Refuse a tree that lacks something that answers need.

        Raises
        ------
        KeyError, ValueError
        """
        kinds = dict.fromkeys(self.curves.kind.tolist())
        scatter = bool(self.model.moves and (self.curves.groups > 0).any())
        priors = [self.model.priors(self.model.likelihood_for(k), scatter=scatter) for k in kinds]
        trees.check_contents(self.tree, self.curves, {name for p in priors for name in p})


def interval_text(low: str, high: str) -> str:
    """An interval as text; one scale where both ends are beyond the same end of the axis."""
    return low if low == high else f"{low} – {high}"
