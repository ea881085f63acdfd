"""Target: the posterior of a model for a batch of curves, in whitened coordinates.

Every prior is N(0, 1) in z, so the posterior is that times the likelihood evaluated here, on
arrays (row, point, particle); a row is a curve, or one of its replicates.
"""

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property
from math import fsum
from threading import Event
from typing import Any, Self

import numpy as np

from upturn import serial
from upturn.arrays import NUMPY
from upturn.curves import Curves
from upturn.hinge_kernel import hinge
from upturn.kernels import MEAN_MARGIN, add_by_group
from upturn.likelihoods import (
    BROKEN_RANGE,
    Data,
    Likelihood,
    concentration,
    left_out,
    standard_deviation,
)
from upturn.model import Model
from upturn.priors import Quantiles
from upturn.sampling import offsets
from upturn.sampling.engines import Host
from upturn.sampling.offsets import REACH, Index, Rule
from upturn.segments import Floor, Rise
from upturn.validate import Floats, Integers

BLOCK = 131_072  # doubles in the largest temporary: 1 MB, which a core's cache holds
LOWEST = -1e100  # log likelihood

# The integral over a group's offset; see docs/decisions.md for what was tried.
SCATTER_NODES = 33
POINTWISE_NODES = 65
DRAWN_NODES = 129  # a draw of an offset lies within a thirtieth of its standard deviation


@dataclass(frozen=True)
class Scaling:
    """How native scores map to the scale of the models: y = (native - offset) / span.

    Counts and proportions are what they are. A continuous metric is oriented so that more is
    better, and its observed range is laid on the middle half of [0, 1]. Scores that are all the same
    have a tenth of their size for a range, or the distance to chance where that is larger.
    """

    offset: Floats
    span: Floats

    @classmethod
    def of(cls, curves: Curves, *, bounded: bool) -> Self:
        """The scaling of each curve: offset and span (curve,), oriented native units."""
        if bounded:
            return cls(np.zeros(len(curves)), np.ones(len(curves)))
        score = proportions(curves)
        low = np.where(curves.mask, score, np.inf).min(axis=1, initial=np.inf)
        high = np.where(curves.mask, score, -np.inf).max(axis=1, initial=-np.inf)
        constant = ~(high > low)
        # scores that are all one number have no range; how far chance lies says what size they have
        away = np.nan_to_num(np.abs(low - curves.orientation * curves.chance))
        usual = np.maximum(0.1 * np.maximum(np.abs(low), 1e-6), away)
        spread = np.where(constant, usual, high - low)
        return cls(low - 0.5 * spread - np.where(constant, 0.5 * spread, 0), 2 * spread)

    def take(self, curves: Index) -> Self:
        """That of some of the curves."""
        return type(self)(self.offset[curves], self.span[curves])


def proportions(curves: Curves) -> Floats:
    """Scores as proportions, or oriented native values of continuous metrics; 0 in padding."""
    return np.where(
        curves.trials > 0, curves.response / np.maximum(curves.trials, 1), curves.response
    )


class StoppedError(Exception):
    """Somebody asked for sampling to end."""


class Target:
    """Log likelihood of whitened parameters for curves of one kind.

    Attributes
    ----------
    names : tuple of str
        Parameters, in the order of z's dimensions.
    scaling : Scaling
        By default that of the scores themselves.
    rule : Rule
        The quadrature over groups' offsets.
    likelihood : Likelihood
        As given, or of curves without runs the plain one.
    stop : threading.Event, optional
        Once set, evaluating raises `StoppedError`.
    engine : Host
        Where the likelihood, and with it every stage of sampling, runs.
    """

    engine = Host()

    def __init__(
        self,
        model: Model,
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
        chance = (self._oriented(curves.chance) - self.scaling.offset) / self.scaling.span
        self.chance = chance
        self._quantiles = {name: Quantiles(self.priors[name], chance) for name in self.names}
        self.ceiling = np.where(
            np.isnan(curves.ceiling) | (not likelihood.bounded), 1.0, curves.ceiling
        )

    @property
    def host(self) -> "Target":
        """The same target, evaluated by NumPy."""
        return self

    def with_nodes(self, nodes: int, *, shifted: bool = True) -> Self:
        """The same target with this many nodes over every group's offset.

        Not shifted, they are the same for all particles: biased, but without the noise that a
        mixture fitted to few particles would chase.
        """
        return self._with(Rule.even(self.data.group, nodes, shifted=shifted))

    def resolving(self, rows: Index, z: Floats, step: float) -> Self:
        """The same target with nodes as close as the particles' offsets are known.

        Parameters
        ----------
        rows : array (row,)
            The curve of each; a curve's rows stand together, and each has as many.
        z : array (row, dimension, particle)
        step : float
            See `offsets.nodes_for`.
        """
        pilot = self.with_nodes(SCATTER_NODES, shifted=False)
        p = {name: value[:, None, :] for name, value in self.parameters(rows, z).items()}
        spread = offsets.spreads(pilot.rule, rows, z, *pilot._over_offsets(rows, p))
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
        """What the likelihood sees, on its own scale, points grouped for the scatter."""
        curves = self.curves
        if self.likelihood.counted:
            y = curves.response
        else:
            scaled = (proportions(curves) - self.scaling.offset[:, None]) / self.scaling.span[
                :, None
            ]
            y = np.where(curves.mask, scaled, 0.0)
        alone = np.where(curves.mask, 0, -1).astype(np.int32)
        group = np.where(curves.group >= 0, curves.group, alone) if self.grouped else alone
        if self.likelihood.plain is not None and not self.grouped:
            group = curves.chain
        return Data(np.ascontiguousarray(y), curves.trials, group.astype(np.int32))

    @cached_property
    def log_jacobian(self) -> Floats:
        """What the densities of continuous scores gain from native units: (curve,)."""
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
        """Z by dimension, those of several changepoints made the order statistics of as many.

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

    # --- likelihood -------------------------------------------------------------------------------

    def log_likelihood(self, rows: Index, z: Floats) -> Floats:
        """Log likelihood (row, particle) at z (row, dimension, particle), in the model's scale.

        Constants of the data are included. Groups' offsets are integrated over by a quadrature
        whose nodes are shifted by a hash of z: as good as random, and yet a function of z.
        """
        count, _, particles = z.shape
        points = self.data.y.shape[1]
        width = min(particles, max(128, BLOCK // points))
        each = max(1, BLOCK // (points * width))
        out = np.empty((count, particles))
        for i in range(0, count, each):
            for j in range(0, particles, width):
                piece = slice(i, i + each), slice(j, j + width)
                out[piece] = self._block(rows[piece[0]], z[piece[0], :, piece[1]])
        # so that a temperature of 0 times it is 0, and not nan
        return np.maximum(out, LOWEST, out=out)

    def _block(self, rows: Index, z: Floats) -> Floats:
        self.check()
        p = {name: value[:, None, :] for name, value in self.parameters(rows, z).items()}
        if self._fused:
            return self._in_one_loop(rows, z, p) + self._rest(rows, p)
        u, data = self._inputs(rows)
        if not self.grouped:
            groups = self.rule.nodes.shape[1]
            return self._by_group(rows, p, u, data, groups).sum(axis=1) + self._rest(rows, p)
        log_integral = offsets.log_integral(self.rule, rows, z, *self._over_offsets(rows, p))
        return log_integral + self._rest(rows, p)

    @cached_property
    def _fused(self) -> bool:
        """Whether one compiled loop does the likelihood of this model.

        A model of another mean may have the same segments: that of a technique beside its baseline.
        """
        floor_and_rise = tuple(type(one) for one in self.model.segments) == (Floor, Rise)
        plain = floor_and_rise and self.model.range != "zero"
        plain = plain and type(self.model).mean is Model.mean
        return plain and self.likelihood.name in ("beta-binomial", "normal")

    def _in_one_loop(self, rows: Index, z: Floats, p: Mapping[str, Any]) -> Floats:
        """What depends on the expected score, offsets integrated over: (row, particle)."""
        points, starts = self._points_by_group
        placed = self.rule.placed(rows, z) if self.grouped else offsets.one_node(z)
        counted = self.likelihood.counted
        noise = concentration(NUMPY, p) if counted else standard_deviation(NUMPY, p)
        scatter = p.get("scatter", np.zeros_like(noise))
        shape = [p[name] for name in ("changepoint", "rate", "floor", "height")]
        parameters = np.concatenate([scatter, *shape, noise], axis=1)
        out = np.zeros((len(rows), z.shape[2]))
        hinge(points[rows], starts[rows], *placed, parameters, self.ceiling[rows], counted, out)
        return out

    @cached_property
    def _points_by_group(self) -> tuple[Floats, Integers]:
        """Points of one group together, (curve, 3, point), and where each group's begin."""
        group = self.data.group
        order = np.argsort(np.where(group >= 0, group, len(group.T)), axis=1, kind="stable")
        points = np.stack([self.u, self.data.y, self.data.trials], axis=1)
        groups = np.arange(self.rule.nodes.shape[1] + 1)
        before = (group[:, None, :] < groups[:, None]).sum(axis=2)
        starts = before - (group < 0).sum(axis=1, keepdims=True)
        return np.take_along_axis(points, order[:, None, :], axis=2), starts

    def check(self) -> None:
        """Raise `StoppedError` where somebody asked for that."""
        if self.stop is not None and self.stop.is_set():
            raise StoppedError

    def _over_offsets(
        self, rows: Index, p: Mapping[str, Any]
    ) -> tuple[Floats, Floats, Data, offsets.Terms]:
        """What the integral over offsets needs, points in the order of its rule."""
        u, data = self._inputs(rows)
        order = self.rule.order[rows][:, : u.shape[1]]
        y, trials = (np.take_along_axis(each, order, axis=1) for each in (data.y, data.trials))
        ordered = Data(y, trials, np.take_along_axis(data.group, order, axis=1))
        groups = self.rule.nodes.shape[1]

        def terms(u: Floats, data: Data) -> Floats:
            return self._by_group(rows, p, u, data, groups)

        return p["scatter"], np.take_along_axis(u, order[:, :, None], axis=1), ordered, terms

    def _inputs(self, rows: Index) -> tuple[Floats, Data]:
        """U (row, point, 1) and the data, cut to the longest curve."""
        points = int(self.curves.mask[rows].sum(axis=1).max(initial=1))
        data = Data(*(getattr(self.data, f)[rows, :points] for f in ("y", "trials", "group")))
        return self.u[rows, :points, None], data

    @cached_property
    def u(self) -> Floats:
        """Scale on the unit axis: (curve, point)."""
        return self.curves.u[0]

    def pointwise(self, curve: int, p: Mapping[str, Any]) -> Floats:
        """Log density of each point of one curve given the parameters and its group's other points.

        Without groups that is the density given the parameters. With groups it is
        log Z_g - log Z_(g without i), the integrals over the group's offset: what leave-one-out
        needs, since leaving a point out leaves its group in.

        Parameters
        ----------
        curve : int
        p : mapping
            Parameters on the model's scale by name, each (1, 1, particle).

        Returns
        -------
        array (point, particle)
        """
        rows = np.array([curve])
        u, data = self._inputs(rows)
        y, n = data.y[:, :, None], data.trials[:, :, None]
        rest = self.likelihood.log_rest(NUMPY, p, y, n)[0]
        if self.likelihood.plain is not None:
            return self._left_out(rows, p, u, data) + rest - self._log_rest_of(p, n)[0]
        if not self.grouped or self.curves.groups[curve] == 0:
            return self._terms(rows, p, u, data)[0] + rest
        particles = p["scatter"].shape[2]
        step = 2 * REACH / POINTWISE_NODES
        groups = int(data.group.max()) + 1
        member = data.group[0, :, None] == np.arange(groups)
        with_all = np.full((groups, particles), -np.inf)
        without = np.full((data.y.shape[1], particles), -np.inf)
        for node in range(POINTWISE_NODES):
            epsilon = step * (node + 0.5) - REACH
            terms = self._terms(rows, p, u + p["scatter"] * epsilon, data)[0]
            whole = member.T.astype(float) @ terms - 0.5 * epsilon * epsilon
            with_all = np.logaddexp(with_all, whole)
            without = np.logaddexp(without, whole[data.group[0]] - terms)
        return with_all[data.group[0]] - without + rest

    def _left_out(self, rows: Index, p: Mapping[str, Any], u: Floats, data: Data) -> Floats:
        """`pointwise` where noise is correlated along runs, but for binomial coefficients."""
        group = data.group[0]
        shape = int(group.max()) + 1, next(iter(p.values())).shape[2]
        nodes = POINTWISE_NODES if self.grouped else 1
        step = 2 * REACH / nodes
        every, without = np.full(shape, -np.inf), np.full((len(group), shape[1]), -np.inf)
        for node in range(nodes):
            epsilon = step * (node + 0.5) - REACH
            at = u + p["scatter"] * epsilon if self.grouped else u
            whole = np.full(shape, -0.5 * epsilon * epsilon)
            alone = left_out(self._mean(rows, p, at), p, data, whole)
            every = np.logaddexp(every, whole)
            without = np.logaddexp(without, whole[group] - alone)
        return np.asarray(every[group] - without)

    def offsets(self, curve: int, p: Mapping[str, Any], uniform: Floats) -> Floats:
        """Draws of the groups' offsets of one curve given its points: (group, particle).

        In standard deviations `scatter`. A group without points has one from the prior.

        Parameters
        ----------
        curve : int
        p : mapping
            Parameters on the model's scale by name, each (particle,).
        uniform : array (group, particle)
            Uniform numbers. Groups past the last that has points are left out of the answer.
        """
        rows = np.array([curve])
        pilot = self.with_nodes(DRAWN_NODES, shifted=False)
        each = {name: value[None, None, :] for name, value in p.items()}
        groups = pilot.rule.nodes.shape[1]
        needed = pilot._over_offsets(rows, each)
        return offsets.conditional_draws(pilot.rule, rows, *needed, uniform[None, :groups])[0]

    def p_broken(self, curve: int, p: Mapping[str, Any]) -> Floats:
        """Probability that each score of one curve is broken, given the parameters.

        Under a robust likelihood; with groups, over where the group's offset lies given its points.

        Parameters
        ----------
        curve : int
        p : mapping
            Parameters on the model's scale by name, each (1, 1, particle).

        Returns
        -------
        array (point, particle)
        """
        if self.likelihood.log_uniform is None:
            raise ValueError(f"the likelihood {self.likelihood.name} has no broken scores")
        rows = np.array([curve])
        u, data = self._inputs(rows)
        share = np.clip(p["broken"][0], *BROKEN_RANGE)
        uniform = np.broadcast_to(self.likelihood.log_uniform(NUMPY, data.trials), data.y.shape)
        broken = uniform[0][:, None] + np.log(share)
        if not self.grouped or self.curves.groups[curve] == 0:
            return np.asarray(np.exp(broken - self._terms(rows, p, u, data)[0]))
        step, group = 2 * REACH / POINTWISE_NODES, data.group[0]
        member = (group[:, None] == np.arange(int(group.max()) + 1)).T.astype(float)
        every = np.full((len(member), share.shape[1]), -np.inf)
        wrong = np.full((len(group), share.shape[1]), -np.inf)
        for node in range(POINTWISE_NODES):
            epsilon = step * (node + 0.5) - REACH
            terms = self._terms(rows, p, u + p["scatter"] * epsilon, data)[0]
            whole = member @ terms - 0.5 * epsilon * epsilon
            every = np.logaddexp(every, whole)
            wrong = np.logaddexp(wrong, whole[group] + broken - terms)
        return np.asarray(np.exp(wrong - every[group]))

    def _by_group(
        self, rows: Index, p: Mapping[str, Any], u: Floats, data: Data, groups: int
    ) -> Floats:
        """The mean-dependent log terms, summed over the points of each group."""
        out = np.zeros((len(rows), groups, next(iter(p.values())).shape[2]))
        if self.likelihood.total is not None:
            self.likelihood.total(self._mean(rows, p, u), p, data, out)
            return out
        add_by_group(np.ascontiguousarray(self._terms(rows, p, u, data)), data.group, out)
        return out

    def _mean(self, rows: Index, p: Mapping[str, Any], u: Floats, xp: Any = NUMPY) -> Floats:
        """Expected score on the model's scale: (row, point, particle)."""
        shape = (len(rows), u.shape[1], next(iter(p.values())).shape[2])
        mean = self.model.mean(xp, p, u, self.ceiling[rows][:, None, None])
        return mean if mean.shape == shape else xp.module.broadcast_to(mean, shape).copy()

    def _terms(
        self, rows: Index, p: Mapping[str, Any], u: Floats, data: Data, xp: Any = NUMPY
    ) -> Floats:
        """The log terms that depend on the mean: (row, point, particle)."""
        mean = self._mean(rows, p, u, xp)
        if self.likelihood.bounded:
            mean = xp.clip(mean, MEAN_MARGIN, 1 - MEAN_MARGIN)
        y, n = data.y[:, :, None], data.trials[:, :, None]
        terms: Floats = self.likelihood.log_terms(xp, mean, p, y, n)
        return terms

    def _rest(self, rows: Index, p: Mapping[str, Any], xp: Any = NUMPY) -> Floats:
        """The terms free of the expected score, summed over points: (row, particle).

        Points with the same number of trials share them but for a constant.
        """
        name, first = self.likelihood.name, next(iter(p.values()))
        shape = (len(rows), first.shape[2])
        constant: Floats = xp.module.broadcast_to(self._constants[rows][:, None], shape)
        if name == "binomial" or self.likelihood.plain is not None:
            return constant
        if name == "beta-binomial":
            values, counts = (each[rows][:, :, None] for each in self._distinct_trials)
            terms = self.likelihood.log_rest(xp, p, 0.0, values)
            return (terms * counts).sum(axis=1) + constant
        points = self._points[rows][:, None]
        return self.likelihood.log_rest(xp, p, 0.0, 0.0)[:, 0] * points + constant

    @cached_property
    def _points(self) -> Floats:
        """The number of points: (curve,)."""
        return self.curves.points.astype(np.float64)

    @cached_property
    def _constants(self) -> Floats:
        """Sum of log binomial coefficients: (curve,)."""
        if self.likelihood.name not in ("beta-binomial", "binomial", "beta-binomial-ar"):
            return np.zeros(len(self.curves))
        n, k = self.curves.trials, self.curves.response
        rise = NUMPY.log_gamma(n + 1) - NUMPY.log_gamma(k + 1) - NUMPY.log_gamma(n - k + 1)
        # exactly rounded: NumPy's order of summation would depend on the padding
        return np.array([fsum(row[m]) for row, m in zip(rise, self.curves.mask, strict=True)])

    @cached_property
    def _distinct_trials(self) -> tuple[Floats, Floats]:
        """The different numbers of trials of each curve, and how many points have them."""
        found = [
            np.unique(n[m], return_counts=True)
            for n, m in zip(self.curves.trials, self.curves.mask, strict=True)
        ]
        longest = max((len(v) for v, _ in found), default=1)
        values, counts = np.zeros((len(found), longest)), np.zeros((len(found), longest))
        for i, (value, count) in enumerate(found):
            values[i, : len(value)], counts[i, : len(value)] = value, count
        return values, counts

    # --- the same in another library's arrays -----------------------------------------------------

    def traced(self, rows: Any, z: Any, xp: Any) -> Any:
        """The log likelihood of a block by functions of a namespace alone, all points at once.

        Padding is computed and left out of the sums, so that shapes do not depend on the rows.
        """
        p = {name: value[:, None, :] for name, value in self.parameters(rows, z, xp).items()}
        u = self.u[rows][:, :, None]
        data = Data(*(getattr(self.data, f)[rows] for f in ("y", "trials", "group")))
        rest = self._rest(rows, p, xp)
        groups = self.rule.nodes.shape[1]
        if not self.grouped:
            return self._sums(rows, p, u, data, groups, xp).sum(axis=1) + rest
        log_integral = offsets.streamed(
            xp, self.rule.nodes[rows], self.rule.shifted, z, p["scatter"], u, data,
            lambda u: self._sums(rows, p, u, data, groups, xp),
        )  # fmt: skip
        return log_integral + rest

    def _sums(
        self, rows: Any, p: Mapping[str, Any], u: Any, data: Data, groups: int, xp: Any
    ) -> Any:
        """What `_by_group` computes, by functions of a namespace."""
        if self.likelihood.plain is not None:
            return self._serial_sums(rows, p, u, data, groups, xp)
        terms = self._terms(rows, p, u, data, xp)
        member = data.group[:, None, :] == np.arange(groups)[:, None]
        return xp.module.where(member, 1.0, 0.0) @ terms

    def _serial_sums(
        self, rows: Any, p: Mapping[str, Any], u: Any, data: Data, groups: int, xp: Any
    ) -> Any:
        """The same where each point hangs on those of its group before it."""
        mean = self._mean(rows, p, u, xp)
        flat = {name: p[name][:, 0] for name in self.likelihood.parameters}
        shape = mean.shape[0], groups, mean.shape[2]
        number = np.arange(groups)[:, None]

        def add(point: Any, so_far: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
            at, variance, total = so_far
            here, k, n, group = (
                xp.module.take(each, point, axis=1)
                for each in (mean, data.y, data.trials, data.group)
            )
            own = group[:, None, None] == number
            before = [xp.where(own, each, 0.0).sum(axis=1) for each in (at, variance)]
            # of padding there is no state, and any will do
            before[1] = xp.where(before[1] > 0, before[1], 1.0)
            moved, given, scale = serial.conditional(xp, here, flat, *before)
            k, n = k[:, None], n[:, None]
            density = self.likelihood.log_terms(xp, moved, given, k, n)
            density = density + self._log_rest_of(given, n, xp)
            after = serial.updated(xp, (moved, given, scale), tuple(before), k, n)
            return (
                xp.where(own, after[0][:, None], at),
                xp.where(own, after[1][:, None], variance),
                total + xp.where(own, density[:, None], 0.0),
            )

        none = np.zeros(shape), np.ones(shape), np.zeros(shape)
        return xp.repeat(mean.shape[1], add, none)[2]

    def _log_rest_of(self, p: Mapping[str, Any], n: Any, xp: Any = NUMPY) -> Any:
        """What depends on the noise, but not on the expected score, of points by themselves."""
        return self.likelihood.log_rest(xp, p, 0.0 * n, n)

    def arrays(self) -> dict[str, Any]:
        """What `traced` takes from the curves, by name: one axis of each array is that of curves.

        The tables of priors are the exception: curves share them.
        """
        return {
            "u": self.u,
            "data": (self.data.y, self.data.trials, self.data.group),
            "nodes": self.rule.nodes,
            "ceiling": self.ceiling,
            "_constants": self._constants,
            "_points": self._points,
            "_distinct_trials": self._distinct_trials,
            "_quantiles": {name: one.arrays for name, one in self._quantiles.items()},
        }

    def with_arrays(self, arrays: Mapping[str, Any]) -> Self:
        """The formulas of this target over other arrays, and nothing else."""
        other = copy(self)
        own = dict(arrays)
        tables = own.pop("_quantiles")
        other._quantiles = {
            name: one.with_arrays(tables[name]) for name, one in self._quantiles.items()
        }
        other.rule = replace(self.rule, nodes=own.pop("nodes"))
        other.stop = None
        other.__dict__.update(own, data=Data(*own.pop("data")))
        return other

    @property
    def formulas(self) -> tuple[Any, ...]:
        """Equal for two targets whose `traced` differ in nothing but arrays."""
        return self.model.to_toml(), self.likelihood.name, self.names, self.rule.shifted
