"""Target: the posterior of a model for a batch of curves, in whitened coordinates.

Every prior is N(0, 1) in z, so the posterior is that times the likelihood evaluated here, on
arrays (row, point, particle); a row is a curve, or one of its replicates.
"""

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import replace
from functools import cached_property
from threading import Event
from typing import Any, Self

import numpy as np
from scipy.special import ndtr, ndtri

from upturn.arrays.compiled import MEAN_MARGIN
from upturn.arrays.namespaces import NUMPY
from upturn.arrays.types import Floats, Index, Integers
from upturn.formulas.curve import CurveModel
from upturn.formulas.kernels.by_group import add_by_group
from upturn.formulas.kernels.hinge import hinge
from upturn.formulas.likelihoods.likelihood import Data, Likelihood
from upturn.formulas.quantiles import Quantiles
from upturn.formulas.scaling import Scaling, proportions
from upturn.formulas.segments import Floor, Rise
from upturn.sampling.density import offsets
from upturn.sampling.density.offsets import Rule
from upturn.sampling.density.sorting import distinct_values, masked_sums, sorted_by_group
from upturn.sampling.particles.engine import Host
from upturn.sampling.proposals import intervals
from upturn.tables.curves import Curves

BLOCK = 131_072  # doubles in the largest temporary: 1 MB, which a core's cache holds
PARAMETERS = 16  # arrays of particles that the fused loop holds; it holds none over points
LOWEST = -1e100  # log likelihood

SCATTER_NODES = 33  # of the integral over a group's offset; see docs/decisions.md


class StoppedError(Exception):
    """Sampling was asked to stop."""


class Target:
    """Log likelihood of whitened parameters for curves of one kind.

    Attributes
    ----------
    names : tuple of str
        Parameters, in the order of z's dimensions.
    scaling : Scaling
        By default from the scores.
    rule : Rule
        The quadrature over groups' offsets.
    likelihood : Likelihood
        As given, or its plain one for curves without runs.
    stop : threading.Event, optional
        Once set, evaluating raises `StoppedError`.
    engine : Host
        What runs the likelihood and every stage of sampling.
    """

    engine = Host()

    def __init__(
        self,
        model: CurveModel,
        curves: Curves,
        likelihood: Likelihood,
        *,
        scaling: Scaling | None = None,
        stop: Event | None = None,
    ) -> None:
        if likelihood.plain is not None and not curves.runs.any():
            likelihood = likelihood.plain
        self.model, self.curves, self.likelihood = model, curves, likelihood
        self.stop = stop
        self.scaling = scaling or Scaling.of(curves, bounded=likelihood.bounded)
        self.grouped = bool(model.moves and (curves.groups > 0).any())
        self.rule = Rule.even(self.data.group, SCATTER_NODES)
        self.priors = model.priors(likelihood, scatter=self.grouped)
        noise = (*likelihood.parameters, "scatter") if self.grouped else likelihood.parameters
        self.names = (*model.parameters, *noise)
        self.chance = self.scaling.to_model(self._oriented(curves.chance))
        self._quantiles = {name: Quantiles(self.priors[name], self.chance) for name in self.names}
        self.ceiling = np.where(
            np.isnan(curves.ceiling) | (not likelihood.bounded), 1.0, curves.ceiling
        )

    @property
    def host(self) -> "Target":
        """The same target, evaluated by NumPy."""
        return self

    def with_nodes(self, nodes: int, *, shifted: bool = True) -> Self:
        """The same target with this many nodes over every group's offset.

        Nodes that are not shifted are the same for all particles: biased, but without noise, which
        a mixture fitted to few particles would follow.
        """
        return self._with(Rule.even(self.data.group, nodes, shifted=shifted))

    def resolving(self, rows: Index, z: Floats, step: float) -> Self:
        """The same target with nodes as close as the posteriors of the offsets are narrow.

        Parameters
        ----------
        rows : array (row,)
            The curve of each row; the rows of a curve are contiguous, the same number for each.
        z : array (row, dimension, particle)
        step : float
            See `offsets.nodes_for`.
        """
        pilot = self.with_nodes(SCATTER_NODES, shifted=False)
        p = {name: value[:, None, :] for name, value in self.parameters(rows, z).items()}
        spread = offsets.spreads(pilot.rule, rows, z, *pilot.over_offsets(rows, p))
        curves = np.unique(rows)
        together = spread.reshape(len(curves), -1, *spread.shape[1:]).swapaxes(1, 2)
        nodes = self.rule.nodes.copy()
        nodes[curves] = offsets.nodes_for(together.reshape(*together.shape[:2], -1), step)
        return self._with(Rule.of(self.data.group, nodes))

    def _with(self, rule: Rule) -> Self:
        other = copy(self)
        other.rule = rule
        return other

    @property
    def dimension(self) -> int:
        """The number of parameters."""
        return len(self.names)

    @cached_property
    def data(self) -> Data:
        """The data on the likelihood's scale, with points grouped for the scatter."""
        curves = self.curves
        if self.likelihood.counted:
            y = curves.response
        else:
            y = np.where(curves.mask, self.scaling.to_model(proportions(curves)), 0.0)
        alone = np.where(curves.mask, 0, -1).astype(np.int32)
        group = np.where(curves.group >= 0, curves.group, alone) if self.grouped else alone
        if self.likelihood.plain is not None and not self.grouped:
            group = curves.chain
        return Data(np.ascontiguousarray(y), curves.trials, group.astype(np.int32))

    @cached_property
    def log_jacobian(self) -> Floats:
        """What log densities of all scores of a curve gain in native units: (curve,)."""
        return -self.curves.points.astype(np.float64) * np.log(self.scaling.span)

    def _oriented(self, native: Floats) -> Floats:
        return native if self.likelihood.bounded else self.curves.orientation * native

    # --- parameters -------------------------------------------------------------------------------

    def parameters(self, rows: Index, z: Any, xp: Any = NUMPY) -> dict[str, Any]:
        """Parameters on the model's scale, by name, each (row, particle).

        Parameters
        ----------
        rows : array (row,)
            The curve of each row.
        z : array (row, dimension, particle)
        xp : namespace
            That of z; see `upturn.arrays`.
        """
        ordered = self.ordered([z[:, i] for i in range(self.dimension)], xp)
        return {
            name: self._quantiles[name](xp, rows, ordered[i]) for i, name in enumerate(self.names)
        }

    def ordered(self, z: Sequence[Any], xp: Any = NUMPY) -> list[Any]:
        """Z by dimension, with several changepoints replaced by their order statistics.

        The j-th of K uniform order statistics, given the one before, is
        1 - (1 - U)(1 - V)^(1/(K - j + 1)): sticks broken in order (Devroye 1986, section V.2).
        """
        out = list(z)
        count = len(self.model.changepoints)
        if count > 1:
            left: Any = 1.0  # 1 - U of the changepoint before
            for j in range(count):
                left = left * xp.ndtr(-z[j]) ** (1 / (count - j))
                out[j] = -xp.ndtri(xp.clip(left, 1e-300, 1 - 1e-16))
        return out

    @cached_property
    def marks(self) -> Floats | None:
        """Values of z[0] that put the first changepoint at an observation, sorted: (curve, mark).

        None for models without a changepoint.
        """
        if not self.model.changepoints:
            return None
        prior = self.priors[self.model.changepoints[0]]
        z = prior.normal_scores(self.u, self.chance)
        # the first of several is their minimum: the inverse of `ordered`
        z = -ndtri(ndtr(-z) ** len(self.model.changepoints))
        return intervals.marks(np.where(self.curves.mask, z, np.nan))

    # --- likelihood -------------------------------------------------------------------------------

    def log_likelihood(self, rows: Index, z: Floats) -> Floats:
        """Log likelihood (row, particle) at z (row, dimension, particle), in the model's scale.

        Constants of the data are included. Groups' offsets are integrated out by a quadrature whose
        nodes are shifted by a hash of z: as good as a random shift, but a function of z.
        """
        count, _, particles = z.shape
        points = PARAMETERS if self._fused else self.data.y.shape[1]
        width = min(particles, max(128, BLOCK // points))
        rows_at_once = max(1, BLOCK // (points * width))
        out = np.empty((count, particles))
        for i in range(0, count, rows_at_once):
            for j in range(0, particles, width):
                piece = slice(i, i + rows_at_once), slice(j, j + width)
                out[piece] = self._block(rows[piece[0]], z[piece[0], :, piece[1]])
        # finite, so that 0 times it is 0 and not nan
        return np.maximum(out, LOWEST, out=out)

    def check(self) -> None:
        """Raise `StoppedError` once `stop` is set."""
        if self.stop is not None and self.stop.is_set():
            raise StoppedError

    def _block(self, rows: Index, z: Floats) -> Floats:
        self.check()
        p = {name: value[:, None, :] for name, value in self.parameters(rows, z).items()}
        if self._fused:
            return self._in_one_loop(rows, z, p) + self.rest(rows, p)
        u, data = self.inputs(rows)
        if not self.grouped:
            groups = self.rule.nodes.shape[1]
            return self._by_group(rows, p, u, data, groups).sum(axis=1) + self.rest(rows, p)
        log_integral = offsets.log_integral(self.rule, rows, z, *self.over_offsets(rows, p))
        return log_integral + self.rest(rows, p)

    def over_offsets(
        self, rows: Index, p: Mapping[str, Any]
    ) -> tuple[Floats, Floats, Data, offsets.Terms]:
        """Scatter, u, data and terms for the integral over offsets, in the order of its rule.

        See `offsets.log_integral`.
        """
        u, data = self.inputs(rows)
        order = self.rule.order[rows][:, : u.shape[1]]
        y, trials = (np.take_along_axis(array, order, axis=1) for array in (data.y, data.trials))
        ordered = Data(y, trials, np.take_along_axis(data.group, order, axis=1))
        groups = self.rule.nodes.shape[1]

        def terms(u: Floats, data: Data) -> Floats:
            return self._by_group(rows, p, u, data, groups)

        return p["scatter"], np.take_along_axis(u, order[:, :, None], axis=1), ordered, terms

    def _by_group(
        self, rows: Index, p: Mapping[str, Any], u: Floats, data: Data, groups: int
    ) -> Floats:
        """The mean-dependent log terms, summed over the points of each group."""
        out = np.zeros((len(rows), groups, next(iter(p.values())).shape[2]))
        if self.likelihood.total is not None:
            self.likelihood.total(self.expected(rows, p, u), p, data, out)
            return out
        add_by_group(np.ascontiguousarray(self.terms(rows, p, u, data)), data.group, out)
        return out

    @cached_property
    def _fused(self) -> bool:
        """Whether one compiled loop computes the likelihood of this model.

        A subclass may have the same segments and another mean, as a technique and its baseline.
        """
        floor_and_rise = tuple(type(segment) for segment in self.model.segments) == (Floor, Rise)
        plain = floor_and_rise and self.model.range != "zero"
        plain = plain and type(self.model).mean is CurveModel.mean
        return plain and self.likelihood.fused is not None

    def _in_one_loop(self, rows: Index, z: Floats, p: Mapping[str, Any]) -> Floats:
        """The terms that depend on the expected score, offsets integrated out: (row, particle)."""
        noise_of = self.likelihood.fused
        assert noise_of is not None
        points, starts = self._points_by_group
        placed = self.rule.placed(rows, z) if self.grouped else offsets.one_node(z)
        counted = self.likelihood.counted
        noise = noise_of(NUMPY, p)
        scatter = p.get("scatter", np.zeros_like(noise))
        shape = [p[name] for name in ("changepoint", "rate", "floor", "height")]
        parameters = np.concatenate([scatter, *shape, noise], axis=1)
        out = np.zeros((len(rows), z.shape[2]))
        hinge(points[rows], starts[rows], *placed, parameters, self.ceiling[rows], counted, out)
        return out

    @cached_property
    def _points_by_group(self) -> tuple[Floats, Integers]:
        """Points sorted by group, (curve, 3, point), and where each group begins."""
        points = np.stack([self.u, self.data.y, self.data.trials], axis=1)
        return sorted_by_group(points, self.data.group, self.rule.nodes.shape[1])

    # --- its terms, also for other modules --------------------------------------------------------

    def inputs(self, rows: Index) -> tuple[Floats, Data]:
        """U (row, point, 1) and the data, trimmed to the longest curve."""
        points = int(self.curves.mask[rows].sum(axis=1).max(initial=1))
        data = Data(*(getattr(self.data, f)[rows, :points] for f in ("y", "trials", "group")))
        return self.u[rows, :points, None], data

    @cached_property
    def u(self) -> Floats:
        """Scale on the unit axis: (curve, point)."""
        return self.curves.u[0]

    def expected(self, rows: Index, p: Mapping[str, Any], u: Floats, xp: Any = NUMPY) -> Floats:
        """Expected score on the model's scale: (row, point, particle)."""
        shape = (len(rows), u.shape[1], next(iter(p.values())).shape[2])
        mean = self.model.mean(xp, p, u, self.ceiling[rows][:, None, None])
        return mean if mean.shape == shape else xp.module.broadcast_to(mean, shape).copy()

    def terms(
        self, rows: Index, p: Mapping[str, Any], u: Floats, data: Data, xp: Any = NUMPY
    ) -> Floats:
        """The log terms that depend on the mean: (row, point, particle)."""
        mean = self.expected(rows, p, u, xp)
        if self.likelihood.bounded:
            mean = xp.clip(mean, MEAN_MARGIN, 1 - MEAN_MARGIN)
        y, n = data.y[:, :, None], data.trials[:, :, None]
        terms: Floats = self.likelihood.log_terms(xp, mean, p, y, n)
        return terms

    def rest(self, rows: Index, p: Mapping[str, Any], xp: Any = NUMPY) -> Floats:
        """The terms free of the expected score, summed over points: (row, particle).

        For points with the same number of trials they are equal but for a constant.
        """
        shape = (len(rows), next(iter(p.values())).shape[2])
        constant: Floats = xp.module.broadcast_to(self._constants[rows][:, None], shape)
        if self.likelihood.rest_total is not None:
            values, counts = (array[rows] for array in self._distinct_trials)
            total: Floats = self.likelihood.rest_total(xp, p, values, counts, constant)
            return total
        points = self._points[rows][:, None]
        return self.likelihood.log_rest(xp, p, 0.0, 0.0)[:, 0] * points + constant

    @cached_property
    def _points(self) -> Floats:
        """The number of points: (curve,)."""
        return self.curves.points.astype(np.float64)

    @cached_property
    def _constants(self) -> Floats:
        """Sum of the terms that depend on no parameter: (curve,)."""
        if self.likelihood.constant is None:
            return np.zeros(len(self.curves))
        terms = self.likelihood.constant(NUMPY, self.curves.trials, self.curves.response)
        return masked_sums(terms, self.curves.mask)

    @cached_property
    def _distinct_trials(self) -> tuple[Floats, Floats]:
        """The distinct numbers of trials of each curve, and how many points have them."""
        return distinct_values(self.curves.trials, self.curves.mask)

    # --- the arrays it is made of -----------------------------------------------------------------

    def arrays(self) -> dict[str, Any]:
        """The arrays that formulas take from the curves, by name, each with an axis of curves.

        The tables of priors have none: curves share them.
        """
        return {
            "u": self.u,
            "data": (self.data.y, self.data.trials, self.data.group),
            "nodes": self.rule.nodes,
            "ceiling": self.ceiling,
            "_constants": self._constants,
            "_points": self._points,
            "_distinct_trials": self._distinct_trials,
            "_quantiles": {name: quantile.arrays for name, quantile in self._quantiles.items()},
        }

    def with_arrays(self, arrays: Mapping[str, Any]) -> Self:
        """The formulas of this target over other arrays, without the rest of it."""
        other = copy(self)
        given = dict(arrays)
        tables = given.pop("_quantiles")
        other._quantiles = {
            name: quantile.with_arrays(tables[name]) for name, quantile in self._quantiles.items()
        }
        other.rule = replace(self.rule, nodes=given.pop("nodes"))
        other.stop = None
        other.__dict__.update(given, data=Data(*given.pop("data")))
        return other

    @property
    def formulas(self) -> tuple[Any, ...]:
        """Equal for two targets that differ only in arrays."""
        return self.model.key, self.likelihood.name, self.names, self.rule.shifted
