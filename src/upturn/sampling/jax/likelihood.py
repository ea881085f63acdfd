"""The likelihood of a target for JAX: by functions of a namespace, for all points at once.

The result is that of NumPy's compiled loops. JAX traces and compiles the code, so control flow and
shapes do not depend on the values of arrays.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from upturn.formulas.likelihoods import autocorrelation
from upturn.formulas.likelihoods.likelihood import Data
from upturn.sampling.density import offsets
from upturn.sampling.density.target import Target


def log_likelihood(target: Target, rows: Any, z: Any, xp: Any) -> Any:
    """`Target.log_likelihood` without its lower bound: (row, particle).

    Padding is computed, but left out of the sums.

    Parameters
    ----------
    target : Target
        See `Target.with_arrays`.
    rows : array (row,)
        The curve of each row.
    z : array (row, dimension, particle)
    xp : namespace
        See `upturn.arrays`.
    """
    p = {name: value[:, None, :] for name, value in target.parameters(rows, z, xp).items()}
    u = target.u[rows][:, :, None]
    data = Data(*(getattr(target.data, f)[rows] for f in ("y", "trials", "group")))
    rest = target.rest(rows, p, xp)
    if not target.grouped:
        return _sums(target, rows, p, u, data, xp).sum(axis=1) + rest
    log_integral = offsets.streamed(
        xp, target.rule.nodes[rows], target.rule.shifted, z, p["scatter"], u, data,
        lambda u: _sums(target, rows, p, u, data, xp),
    )  # fmt: skip
    return log_integral + rest


def _sums(target: Target, rows: Any, p: Mapping[str, Any], u: Any, data: Data, xp: Any) -> Any:
    """The terms that depend on the mean, summed over groups' points: (row, group, particle)."""
    if target.likelihood.plain is not None:
        return _serial_sums(target, rows, p, u, data, xp)
    terms = target.terms(rows, p, u, data, xp)
    member = data.group[:, None, :] == np.arange(target.rule.nodes.shape[1])[:, None]
    return xp.module.where(member, 1.0, 0.0) @ terms


def _serial_sums(
    target: Target, rows: Any, p: Mapping[str, Any], u: Any, data: Data, xp: Any
) -> Any:
    """The same where each point depends on those of its group before it."""
    likelihood, mean = target.likelihood, target.expected(rows, p, u, xp)
    flat = {name: p[name][:, 0] for name in likelihood.parameters}
    groups = target.rule.nodes.shape[1]
    shape = mean.shape[0], groups, mean.shape[2]
    number = np.arange(groups)[:, None]

    def add(point: Any, so_far: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
        at, variance, total = so_far
        here, k, n, group = (
            xp.module.take(array, point, axis=1)
            for array in (mean, data.y, data.trials, data.group)
        )
        member = group[:, None, None] == number
        before = [xp.where(member, array, 0.0).sum(axis=1) for array in (at, variance)]
        # padding has no state; any finite one will do
        before[1] = xp.where(before[1] > 0, before[1], 1.0)
        moved, given, scale = autocorrelation.conditional(xp, here, flat, *before)
        k, n = k[:, None], n[:, None]
        density = likelihood.log_terms(xp, moved, given, k, n)
        # the rest without binomial coefficients, which depend on no parameter
        density = density + likelihood.log_rest(xp, given, 0.0 * n, n)
        after = autocorrelation.updated(xp, (moved, given, scale), tuple(before), k, n)
        return (
            xp.where(member, after[0][:, None], at),
            xp.where(member, after[1][:, None], variance),
            total + xp.where(member, density[:, None], 0.0),
        )

    none = np.zeros(shape), np.ones(shape), np.zeros(shape)
    return xp.repeat(mean.shape[1], add, none)[2]
