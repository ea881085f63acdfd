"""The integral over the offset of each group of points along the axis.

The points of a group are shifted together by scatter times epsilon, epsilon ~ N(0, 1), and epsilon
is integrated out by a trapezoid rule on equidistant nodes. A group whose offset the data determine
poorly needs few nodes, one with points on a steep rise needs many. So each group has its own number
of nodes, and points of groups with many nodes come first: a node then uses only the first points.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from upturn.arrays.types import Floats, Index, Integers
from upturn.formulas.likelihoods.likelihood import Data

type Terms = Callable[[Floats, Data], Floats]  # u, data -> sums over groups (row, group, particle)

REACH = 4.0  # standard deviations: the range of the integral
HASH = 7919.0  # factor on the sum of z: a change of z by 1e-4 shifts the nodes by a whole step
FEWEST = 8
LEAST = -1e300  # the logarithm of 0, but finite: it can be subtracted from itself
FINEST = 0.1  # the smallest conditional standard deviation that adds nodes
NARROWEST = 0.25  # share of particles whose offset may be narrower than the nodes resolve
LOG_STANDARD_NORMAL = -0.9189385332046727


@dataclass(frozen=True)
class Rule:
    """The nodes of every group of every curve.

    Attributes
    ----------
    nodes : array (curve, group)
    order : array (curve, point)
        Points of groups with the most nodes first, points without a group last.
    live : array (curve, most nodes)
        How many points have more than 0, 1, 2 … nodes.
    shifted : bool
        Whether the nodes are shifted at random. The integral is then unbiased, and so are
        importance weights (Tran et al. 2013); a fixed rule of 21 nodes was
        off by up to 1 nat on the open models, by an amount that depended on the parameters.
    """

    nodes: Integers
    order: Index
    live: Integers
    shifted: bool

    @classmethod
    def of(cls, group: NDArray[np.int32], nodes: Integers, *, shifted: bool = True) -> Self:
        """The rule of points in groups (curve, point), -1 for none, with nodes (curve, group)."""
        by_point = np.take_along_axis(nodes, np.maximum(group, 0), axis=1)
        by_point = np.where(group >= 0, by_point, 0)
        live = by_point[:, None, :] > np.arange(nodes.max(initial=0))[:, None]
        order = np.argsort(-by_point, axis=1, kind="stable")
        return cls(nodes, order, live.sum(axis=2), shifted)

    @classmethod
    def even(cls, group: NDArray[np.int32], nodes: int, *, shifted: bool = True) -> Self:
        """The same number of nodes for all groups."""
        groups = int(group.max(initial=0)) + 1
        return cls.of(group, np.full((len(group), groups), nodes), shifted=shifted)

    def placed(self, rows: Index, z: Floats) -> tuple[Integers, Floats, Floats]:
        """Nodes of some curves: how many (row, group), how far apart, and the first of each.

        The first is (row, group, particle), by the shift that z (row, dimension, particle) gives.
        """
        nodes = self.nodes[rows]
        step = 2 * REACH / nodes
        first = np.empty((*nodes.shape, z.shape[2]))
        first[:] = shifts(z, nodes.shape[1]) if self.shifted else 0.5
        return nodes, step, step[:, :, None] * first - REACH


def one_node(z: Floats) -> tuple[Integers, Floats, Floats]:
    """The result of `Rule.placed` for one group without an offset."""
    rows, _, particles = z.shape
    return np.ones((rows, 1), dtype=np.int64), np.zeros((rows, 1)), np.zeros((rows, 1, particles))


def nodes_for(spread: Floats, step: float) -> Integers:
    """How many nodes resolve offsets with these conditional spreads: (curve, group).

    Parameters
    ----------
    spread : array (curve, group, particle)
        Conditional standard deviations of epsilon, given each particle's parameters.
    step : float
        The distance of nodes, in the spreads of all but the NARROWEST.
    """
    narrow = np.quantile(spread, NARROWEST, axis=2)
    nodes = np.ceil(2 * REACH / (step * np.maximum(narrow, FINEST)))
    return np.maximum(nodes, FEWEST).astype(np.int64)


def shifts(z: Floats, groups: int) -> Floats:
    """Uniform numbers (row, group, particle) that are a hash of z.

    Multiples of one number by incommensurate factors fill the cube (Weyl 1916); the factors are so
    large that the numbers of neighbouring particles are unrelated.
    """
    factors = HASH * np.sqrt(np.arange(groups) + np.sqrt(2))
    return (factors[None, :, None] * z.sum(axis=1)[:, None, :]) % 1.0


def log_integral(
    rule: Rule, rows: Index, z: Floats, scatter: Floats, u: Floats, data: Data, terms: Terms
) -> Floats:
    """Log of the product over groups of the integral over the group's epsilon: (row, particle).

    Parameters
    ----------
    rule : Rule
    rows : array (row,)
        The curve of each row.
    z : array (row, dimension, particle)
        The shift of the nodes is a hash of it.
    scatter : array (row, 1, particle)
    u : array (row, point, 1)
    data : Data
        Points, like those of u, in the rule's order.
    terms : callable
    """
    _, values = _on_nodes(rule, rows, z, scatter, u, data, terms)
    top = values.max(axis=0)
    values -= top
    np.exp(values, out=values)
    step = 2 * REACH / rule.nodes[rows][:, :, None]
    integral = top + np.log(values.sum(axis=0)) + np.log(step)
    groups = np.arange(values.shape[2])
    present = (data.group[:, None, :] == groups[:, None]).any(axis=2)
    out: Floats = np.where(present[:, :, None], integral, 0.0).sum(axis=1)
    return out


def streamed(
    xp: Any,
    nodes: Any,
    shifted: bool,
    z: Any,
    scatter: Any,
    u: Any,
    data: Data,
    terms: Callable[[Any], Any],
) -> Any:
    """`log_integral` by functions of a namespace, one node at a time.

    Every node uses all points, in any order: shapes depend neither on the numbers of nodes nor on
    the groups.

    Parameters
    ----------
    xp : namespace
    nodes : array (row, group)
    shifted : bool
    z, scatter, u, data
        As for `log_integral`.
    terms : callable
        From u to the terms' sums over groups (row, group, particle).

    Returns
    -------
    array (row, particle)
    """
    np = xp.module
    step = 2 * REACH / nodes[:, :, None]
    first = (
        step * shifts(z, nodes.shape[1]) - REACH if shifted else 0.5 * step - REACH + 0 * z[:, :1]
    )
    at = np.maximum(data.group, 0)[:, :, None]
    start = u + scatter * np.take_along_axis(first, at, axis=1)
    stride = scatter * np.take_along_axis(step, at, axis=1)

    def add(node: Any, so_far: tuple[Any, Any]) -> tuple[Any, Any]:
        top, total = so_far
        epsilon = first + step * node
        value = LOG_STANDARD_NORMAL - 0.5 * epsilon * epsilon + terms(start + stride * node)
        value = xp.where(node < nodes[:, :, None], value, LEAST)
        higher = xp.maximum(top, value)
        return higher, total * xp.exp(top - higher) + xp.exp(value - higher)

    none = np.full(first.shape, LEAST), np.zeros(first.shape)
    top, total = xp.repeat(nodes.max(), add, none)
    present = (data.group[:, None, :] == np.arange(nodes.shape[1])[:, None]).any(axis=2)
    return xp.where(present[:, :, None], top + xp.log(total) + xp.log(step), 0.0).sum(axis=1)


def spreads(
    rule: Rule, rows: Index, z: Floats, scatter: Floats, u: Floats, data: Data, terms: Terms
) -> Floats:
    """Standard deviations of epsilon given the data and the parameters: (row, group, particle)."""
    epsilon, values = _on_nodes(rule, rows, z, scatter, u, data, terms)
    share = np.exp(values - values.max(axis=0))
    share /= share.sum(axis=0)
    mean = (share * epsilon).sum(axis=0)
    out: Floats = np.sqrt((share * (epsilon - mean) ** 2).sum(axis=0))
    return out


def conditional_draws(
    rule: Rule,
    rows: Index,
    scatter: Floats,
    u: Floats,
    data: Data,
    terms: Terms,
    uniform: Floats,
) -> Floats:
    """A draw of each group's epsilon given the data and the parameters: (row, group, particle).

    By inversion of the distribution function, which is linear between the nodes.

    Parameters
    ----------
    rule, rows, scatter, u, data, terms
        As for `log_integral`.
    uniform : array (row, group, particle)
        One uniform number a draw.
    """
    z = np.zeros((len(rows), 1, scatter.shape[2]))
    epsilon, values = _on_nodes(rule, rows, z, scatter, u, data, terms)
    share = np.exp(values - values.max(axis=0))
    summed = np.cumsum(share, axis=0)
    wanted = uniform * summed[-1]
    node = np.minimum((summed < wanted).sum(axis=0), len(share) - 1)[None]
    chosen, below = (np.take_along_axis(array, node, axis=0)[0] for array in (share, summed))
    within = np.clip((wanted - (below - chosen)) / np.where(chosen > 0, chosen, 1.0), 0, 1)
    step = 2 * REACH / rule.nodes[rows][:, :, None]
    out: Floats = np.take_along_axis(epsilon, node, axis=0)[0] + (within - 0.5) * step
    return out


def _on_nodes(
    rule: Rule, rows: Index, z: Floats, scatter: Floats, u: Floats, data: Data, terms: Terms
) -> tuple[Floats, Floats]:
    """Epsilon and log integrand (node, row, group, particle), -inf after a group's last node."""
    nodes, step, first = rule.placed(rows, z)
    step = step[:, :, None]
    at = np.maximum(data.group, 0)[:, :, None]
    position = u + scatter * np.take_along_axis(first, at, axis=1)
    stride = scatter * np.take_along_axis(step, at, axis=1)
    live = rule.live[rows].max(axis=0)
    epsilon = first + step * np.arange(nodes.max())[:, None, None, None]
    values = epsilon * epsilon
    values *= -0.5
    values += LOG_STANDARD_NORMAL
    for node, count in enumerate(live[: len(values)]):
        values[node] += terms(position[:, :count], _first(data, count))
        position[:, :count] += stride[:, :count]
    values[np.arange(len(values))[:, None, None] >= nodes] = -np.inf
    return epsilon, values


def _first(data: Data, count: int) -> Data:
    """The first points, in contiguous arrays, which the compiled loops need."""
    y, trials = (np.ascontiguousarray(array[:, :count]) for array in (data.y, data.trials))
    return Data(y, trials, np.ascontiguousarray(data.group[:, :count]))
