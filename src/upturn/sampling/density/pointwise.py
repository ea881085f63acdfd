"""Pointwise densities of one curve, given its parameters.

The density of each score given the others of its group, the probability that it is broken, and
draws of the groups' offsets. The target's own likelihood is only that of all scores together.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from upturn.arrays.namespaces import NUMPY
from upturn.arrays.types import Floats, Index
from upturn.formulas.kernels.by_group import add_exponential
from upturn.formulas.likelihoods.counts_in_runs import leave_one_out
from upturn.formulas.likelihoods.likelihood import Data
from upturn.formulas.likelihoods.robust import BROKEN_RANGE
from upturn.sampling.density import offsets
from upturn.sampling.density.offsets import REACH
from upturn.sampling.density.target import LOWEST, Target

POINTWISE_NODES = 65
GROUP_NODES = 33
DRAWN_NODES = 129  # a draw of an offset is exact to a thirtieth of its standard deviation


def pointwise(target: Target, curve: int, p: Mapping[str, Any]) -> Floats:
    """Log density of each point of one curve given the parameters and its group's other points.

    Without groups that is the density given the parameters. With groups it is
    log Z_g - log Z_(g without i), of integrals over the group's offset. Leave-one-out needs that,
    because the group remains when a point is left out.

    Parameters
    ----------
    target : Target
    curve : int
    p : mapping
        Parameters on the model's scale by name, each (1, 1, particle).

    Returns
    -------
    array (point, particle)
    """
    rows = np.array([curve])
    u, data = target.inputs(rows)
    y, n = data.y[:, :, None], data.trials[:, :, None]
    rest = target.likelihood.log_rest(NUMPY, p, y, n)[0]
    if target.likelihood.plain is not None:
        # `leave_one_out` includes the rest, without the binomial coefficients
        of_noise = target.likelihood.log_rest(NUMPY, p, 0.0 * n, n)[0]
        return _left_out(target, rows, p, u, data) + rest - of_noise
    if not target.grouped or target.curves.groups[curve] == 0:
        return target.terms(rows, p, u, data)[0] + rest
    return rest - _replaced(target, rows, p, 0.0)


def by_group(target: Target, curve: int, p: Mapping[str, Any], group: Index) -> Floats:
    """Log density of the points of each group together, given the parameters: (group, particle).

    With offsets, that is their integral over the group's offset.

    Parameters
    ----------
    target : Target
    curve : int
    p : mapping
        Parameters on the model's scale by name, each (1, 1, particle).
    group : array of int (point,)
        The group of each point, also where the model has no offsets: 0, 1, 2 ….
    """
    rows = np.array([curve])
    u, data = target.inputs(rows)
    y, n = data.y[:, :, None], data.trials[:, :, None]
    member = (group[:, None] == np.arange(int(group.max()) + 1)).T.astype(float)
    rest = member @ target.likelihood.log_rest(NUMPY, p, y, n)[0]
    if not target.grouped:
        return np.asarray(rest + member @ target.terms(rows, p, u, data)[0])
    whole, step = _LogSum(), 2 * REACH / GROUP_NODES
    for node in range(GROUP_NODES):
        epsilon = step * (node + 0.5) - REACH
        terms = target.terms(rows, p, u + p["scatter"] * epsilon, data)[0]
        whole.add(member @ terms - 0.5 * epsilon * epsilon)
    return np.asarray(rest + whole.value() + np.log(step / np.sqrt(2 * np.pi)))


def p_broken(target: Target, curve: int, p: Mapping[str, Any]) -> Floats:
    """Probability that each score of one curve is broken, given the parameters.

    Under a robust likelihood; with groups, averaged over the group's offset given its points.

    Parameters
    ----------
    target : Target
    curve : int
    p : mapping
        Parameters on the model's scale by name, each (1, 1, particle).

    Returns
    -------
    array (point, particle)
    """
    if target.likelihood.log_uniform is None:
        raise ValueError(f"the likelihood {target.likelihood.name} has no broken scores")
    rows = np.array([curve])
    u, data = target.inputs(rows)
    share = np.clip(p["broken"][0], *BROKEN_RANGE)
    uniform = np.broadcast_to(target.likelihood.log_uniform(NUMPY, data.trials), data.y.shape)
    broken = uniform[0][:, None] + np.log(share)
    if not target.grouped or target.curves.groups[curve] == 0:
        return np.asarray(np.exp(broken - target.terms(rows, p, u, data)[0]))
    return np.asarray(np.exp(_replaced(target, rows, p, broken)))


def draw_offsets(target: Target, curve: int, p: Mapping[str, Any], uniform: Floats) -> Floats:
    """Draws of the groups' offsets of one curve given its points: (group, particle).

    In standard deviations `scatter`. The offset of a group without points is from the prior.

    Parameters
    ----------
    target : Target
    curve : int
    p : mapping
        Parameters on the model's scale by name, each (particle,).
    uniform : array (group, particle)
        Uniform numbers. The result ends with the last group that has points.
    """
    rows = np.array([curve])
    pilot = target.with_nodes(DRAWN_NODES, shifted=False)
    parameters = {name: value[None, None, :] for name, value in p.items()}
    groups = pilot.rule.nodes.shape[1]
    needed = pilot.over_offsets(rows, parameters)
    return offsets.conditional_draws(pilot.rule, rows, *needed, uniform[None, :groups])[0]


def _replaced(target: Target, rows: Index, p: Mapping[str, Any], instead: Floats | float) -> Floats:
    """The change of the log integral over a group's offset if a point's log density is replaced.

    For each point by itself: (point, particle).
    """
    u, data = target.inputs(rows)
    group = data.group[0]
    member = (group[:, None] == np.arange(int(group.max()) + 1)).T.astype(float)

    def at(epsilon: float) -> tuple[Floats, Floats]:
        terms = target.terms(rows, p, u + p["scatter"] * epsilon, data)[0]
        whole = member @ terms - 0.5 * epsilon * epsilon
        return whole, whole[group] + instead - terms

    return _changed(at, POINTWISE_NODES, group)


def _left_out(target: Target, rows: Index, p: Mapping[str, Any], u: Floats, data: Data) -> Floats:
    """`pointwise` for noise correlated along runs, without the binomial coefficients."""
    group = data.group[0]
    shape = int(group.max()) + 1, next(iter(p.values())).shape[2]

    def at(epsilon: float) -> tuple[Floats, Floats]:
        moved = u + p["scatter"] * epsilon if target.grouped else u
        whole = np.full(shape, -0.5 * epsilon * epsilon)
        alone = leave_one_out(target.expected(rows, p, moved), p, data, whole)
        return whole, whole[group] - alone

    return -_changed(at, POINTWISE_NODES if target.grouped else 1, group)


def _changed(at: Callable[[float], tuple[Floats, Floats]], nodes: int, group: Index) -> Floats:
    """Log ratio of two integrals over each group's offset: (point, particle).

    `at` gives the logarithms of both integrands at an offset: the denominator's by group, the
    numerator's by point.
    """
    step = 2 * REACH / nodes
    whole, changed = _LogSum(), _LogSum()
    for node in range(nodes):
        denominator, numerator = at(step * (node + 0.5) - REACH)
        whole.add(denominator)
        changed.add(numerator)
    return np.asarray(changed.value() - whole.value()[group])


class _LogSum:
    """The logarithm of a sum of exponentials of arrays that are added one by one.

    It takes a third of the time of NumPy's `logaddexp`, which dominated saving a fit with groups.
    """

    def __init__(self) -> None:
        self._top = self._total = np.zeros(0)

    def add(self, x: Floats) -> None:
        x = np.array(np.maximum(x, LOWEST), order="C")
        if not self._top.size:
            self._top, self._total = x, np.ones_like(x)
            return
        add_exponential(x.reshape(-1), self._top.reshape(-1), self._total.reshape(-1))

    def value(self) -> Floats:
        return np.asarray(self._top + np.log(self._total))
