"""Leave one family out (LOFO): how well each family of models is predicted from the others.

The posterior of the hierarchical model without a family is approximated by importance sampling from
the posterior with it (Vehtari et al. 2017), with the offsets of that family integrated out (Vehtari
et al. 2016). The weights are 1 / p(y_f | theta), where

p(y_f | theta) = int N(d; 0, sigma_family) prod_t [int N(s - d; 0, sigma_task) L_t(s) ds] dd

and L_t(s) is the likelihood of the family's points in task t if its total offset is s.
"""

from collections.abc import Mapping

import numpy as np

from upturn.arrays.compiled import MEAN_MARGIN
from upturn.arrays.namespaces import NUMPY
from upturn.arrays.types import Floats
from upturn.questions.pool.hierarchy import Pooled
from upturn.sampling.particles import pareto, weights

NODES = 301  # of the total offset: a hinge above a low floor is steep on a thousandth of the axis
OFFSET_NODES = 81  # of the family's offset
REACH = 4.5  # standard deviations over which is integrated
DRAWS = 500  # posterior draws that are used
LARGEST_BLOCK = 4_000_000  # numbers in a temporary array


def leave_family_out(pooled: Pooled, draws: Mapping[str, Floats]) -> tuple[Floats, Floats]:
    """Log predictive density of each family given the others, and the k̂ of its weights.

    Parameters
    ----------
    pooled : Pooled
        The tasks and families.
    draws : mapping of array (draw, …)
        Parameters (draw, curve), `sigma_family` and `sigma_task` (draw,).

    Returns
    -------
    elpd, khat : array (family,)
    """
    log_density = density(pooled, draws)
    smooth, khat = pareto.smoothed(-log_density)
    top = log_density.max(axis=1, keepdims=True)
    mean = (weights.normalised(smooth) * np.exp(log_density - top)).sum(axis=1)
    return np.log(mean) + top[:, 0], khat


def density(pooled: Pooled, draws: Mapping[str, Floats]) -> Floats:
    """Log p(y_f | theta), with the family's offsets integrated out: (family, draw)."""
    count = len(draws["sigma_family"])
    reach = REACH * np.hypot(draws["sigma_family"], draws["sigma_task"])
    nodes = reach * np.linspace(-1, 1, NODES)[:, None]  # (node, draw)
    offset = draws["sigma_family"] * np.linspace(-REACH, REACH, OFFSET_NODES)[:, None]
    # the prior of the total offset given that of the family differs from draw to draw
    apart = (nodes[None] - offset[:, None]) / draws["sigma_task"]
    kernel = np.exp(-0.5 * apart * apart)
    kernel /= np.maximum(kernel.sum(axis=1, keepdims=True), 1e-300)
    prior = np.exp(-0.5 * np.linspace(-REACH, REACH, OFFSET_NODES) ** 2)
    out = np.zeros((len(pooled.families), OFFSET_NODES, count))
    for cell, family in enumerate(pooled.cell_family):
        curve = _by_offset(pooled, draws, cell, nodes)
        top = curve.max(axis=0)
        given = np.einsum("ond,nd->od", kernel, np.exp(curve - top))
        out[family] += np.log(np.maximum(given, 1e-300)) + top
    top = out.max(axis=1, keepdims=True)
    summed = np.einsum("o,fod->fd", prior / prior.sum(), np.exp(out - top))
    return np.log(summed) + top[:, 0]


def _by_offset(pooled: Pooled, draws: Mapping[str, Floats], cell: int, nodes: Floats) -> Floats:
    """Log density of a cell's points for each total offset of the family: (node, draw)."""
    target, points = pooled.target, pooled.observations
    task = pooled.cell_task[cell]
    members = np.flatnonzero(pooled.cell == cell)
    p = {name: draws[name][None, None, :, task] for name in target.names}
    out = np.zeros_like(nodes)
    step = max(1, LARGEST_BLOCK // max(nodes.size, 1))
    for i in range(0, len(members), step):
        some = members[i : i + step]
        u = points.u[some][None, :, None, None] - nodes.T[None, None]
        # axes (1, point, draw, node): parameters do not depend on the node
        parameters = {name: value[..., None] for name, value in p.items()}
        mean = target.model.mean(NUMPY, parameters, u, target.ceiling[task])
        if target.likelihood.bounded:
            mean = np.clip(mean, MEAN_MARGIN, 1 - MEAN_MARGIN)
        y, n = (v[some][None, :, None, None] for v in (points.y, points.trials))
        terms = target.likelihood.log_terms(NUMPY, mean, parameters, y, n)
        rest = target.likelihood.log_rest(NUMPY, parameters, y, n)
        out += (terms + rest)[0].sum(axis=0).T
        out -= len(some) * np.log(target.scaling.span[task])
    return out
