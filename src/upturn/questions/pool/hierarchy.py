"""Hierarchy: tasks whose emergence scales families of models share offsets of, in PyMC.

The emergence scale of task t in family f is tau_tf = tau_t + delta_f + epsilon_tf, with
delta_f ~ N(0, sigma_family) and epsilon_tf ~ N(0, sigma_task): whatever the curve model, a family's
points stand at u - delta_f - epsilon_tf. Both are non-centred.

A common offset of all families and an earlier scale of all tasks are almost the same curve, and
tau, rate and height of one task trade places on a ridge: NUTS took 390 steps a draw on the open
models. So each task's parameters are sampled in coordinates x with

    z = middle + spread x - slide (mean offset of the task's points),

z whitened by the priors, middle and spread from the population sampler's posterior of that task
alone, and slide the direction in z that shifts the curve. It is a change of variables with a
constant Jacobian: the posterior is the same.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import ndtri

from upturn.arrays.namespaces import NUMPY, pytensor
from upturn.arrays.types import Floats, Index, Objects
from upturn.formulas.priors import Prior
from upturn.model import Model
from upturn.sampling.density.target import Target
from upturn.sampling.nuts.sample import Compiled
from upturn.sampling.nuts.to_pymc import PYMC, Observations, observe, target_of
from upturn.tables.curves import Curves

if TYPE_CHECKING:
    import pymc as pm

SPREADS = {"sigma_family": "HalfNormal(0.1)", "sigma_task": "HalfNormal(0.1)"}
KEPT = ("offset", "cell_offset", *SPREADS)
FARTHEST = 8.0  # standard deviations that a whitened parameter may start at
STEP = 1e-4  # of finite differences, on the unit axis and in z
FEW = 5  # families
FIRST_SIZE = 0.05  # of offsets, where chains start
TINY = 1e-12
RIDGE = 1e-3  # keeps a slide along which the curve hardly moves from growing without bound


@dataclass(frozen=True)
class Pooled:
    """The tasks of one axis and the families of their points.

    Attributes
    ----------
    target : Target
        Of the tasks, without scatter of their own.
    observations : Observations
    families : array (family,)
    family, cell : array (obs,)
        Of each observation; a cell is a family in a task.
    cell_task, cell_family : array (cell,)
    """

    target: Target
    observations: Observations
    families: Objects
    family: Index
    cell: Index
    cell_task: Index
    cell_family: Index

    @classmethod
    def of(cls, model: Model, curves: Curves) -> "Pooled":
        """Tasks with the families of `curves.family`; a point without one is one of its own."""
        target = _ungrouped(model, curves)
        observations = Observations.of(target)
        names = curves.family[curves.mask].astype(object)
        alone = np.array([f"{m} (no family)" for m in curves.model[curves.mask]], dtype=object)
        families, family = np.unique(np.where(names == "", alone, names), return_inverse=True)
        codes = observations.curve * len(families) + family
        cells, cell = np.unique(codes, return_inverse=True)
        task, of = np.divmod(cells, len(families))
        return cls(target, observations, families, family, cell, task, of)

    @property
    def curves(self) -> Curves:
        """The tasks."""
        return self.target.curves


def _ungrouped(model: Model, curves: Curves) -> Target:
    """The target of tasks whose groups' offsets are given from outside."""
    return target_of(model, replace(curves, group=np.full_like(curves.group, -1)))


# --- coordinates ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Coordinates:
    """z = middle + spread x - slide m, with m the mean offset of the task's points.

    Attributes
    ----------
    middle, slide : array (curve, parameter)
    spread : array (curve, parameter, parameter)
    weight : array (curve, cell)
        Of each cell's offset in its task's mean: by what its points say of the location.
    """

    middle: Floats
    spread: Floats
    slide: Floats
    weight: Floats


def coordinates(pooled: Pooled, draws: dict[str, Floats]) -> Coordinates:
    """Coordinates from the population sampler's draws (curve, draw) of each task alone."""
    target = pooled.target
    z = whitened(target, draws)
    middle = np.median(z, axis=2)
    rows = np.arange(len(middle))
    covariance = np.array([np.cov(one) + 1e-6 * np.eye(len(one)) for one in z])
    slope, by_z = _derivatives(target, rows, middle)
    slide, spread = np.empty_like(middle), np.empty_like(covariance)
    for i, points in enumerate(target.curves.points):
        slide[i] = _slide(by_z[i, :points], slope[i, :points], covariance[i])
        spread[i] = _triangular(covariance[i], slide[i])
    return Coordinates(middle, spread, slide, _weights(pooled, slope))


def whitened(target: Target, draws: dict[str, Floats]) -> Floats:
    """Z (curve, parameter, draw) of draws (curve, draw) on the model's scale."""
    out = np.empty((len(target.curves), target.dimension, next(iter(draws.values())).shape[1]))
    count = len(target.model.changepoints)
    for i, chance in enumerate(target.chance.tolist()):
        left = np.ones(out.shape[2])  # 1 - U of the changepoint before
        for j, name in enumerate(target.names):
            frozen = target.priors[name].choice(chance).frozen(chance)
            below, above = frozen.cdf(draws[name][i]), frozen.sf(draws[name][i])
            if j < count and count > 1:
                share = np.clip(above / left, 0, 1) ** (count - j)
                left, above, below = above, share, 1 - share
            z = np.where(below < 0.5, ndtri(below), -ndtri(above))
            out[i, j] = np.clip(z, -FARTHEST, FARTHEST)
    return out


def _derivatives(target: Target, rows: Index, z: Floats) -> tuple[Floats, Floats]:
    """Of the expected score by u (curve, point) and by z (curve, point, parameter)."""

    def mean(moved: Floats, shift: float = 0.0) -> Floats:
        p = target.parameters(rows, moved[:, :, None])
        own = {name: p[name][:, None, :] for name in target.model.parameters}
        ceiling = target.ceiling[:, None, None]
        found = target.model.mean(NUMPY, own, target.u[:, :, None] + shift, ceiling)
        return np.broadcast_to(found, (*target.u.shape, 1))[:, :, 0]

    by_u = (mean(z, STEP) - mean(z, -STEP)) / (2 * STEP)
    each = STEP * np.eye(z.shape[1])
    by_z = [(mean(z + one) - mean(z - one)) / (2 * STEP) for one in each]
    return by_u, np.stack(by_z, axis=2)


def _slide(by_z: Floats, by_u: Floats, covariance: Floats) -> Floats:
    """The direction in z that moves the curve as a shift to later scales by 1 does (parameter,).

    Least squares on the scale of the posterior; 0 for a curve that nothing moves.
    """
    sd = np.sqrt(np.diag(covariance))
    design = by_z * sd
    size = RIDGE * max(float(np.trace(design.T @ design)), 1e-12)
    normal = design.T @ design + size * np.eye(len(sd))
    return sd * np.linalg.solve(normal, -design.T @ by_u)


def _triangular(covariance: Floats, slide: Floats) -> Floats:
    """A root of the covariance, the parameter that slides most first.

    The spread of a task's location is mostly that of the offsets, which are taken off: with the
    location a coordinate of its own, a diagonal mass matrix can make up for that.
    """
    first = int(np.argmax(np.abs(slide) / np.sqrt(np.diag(covariance))))
    order = np.array([first, *(i for i in range(len(slide)) if i != first)])
    out = np.empty_like(covariance)
    out[order] = np.linalg.cholesky(covariance[np.ix_(order, order)])
    return out


def _weights(pooled: Pooled, slope: Floats) -> Floats:
    """The share of each cell in what its task's points say of the location (curve, cell)."""
    mask = pooled.curves.mask
    says = slope[mask] ** 2 + 1e-6 * np.maximum((slope[mask] ** 2).max(initial=0), 1e-6)
    out = np.zeros((len(pooled.curves), len(pooled.cell_task)))
    np.add.at(out, (pooled.observations.curve, pooled.cell), says)
    return out / out.sum(axis=1, keepdims=True)


# --- the model ------------------------------------------------------------------------------------


def build(pooled: Pooled, at: Coordinates, spreads: dict[str, Prior]) -> "pm.Model":
    """The hierarchical model of some tasks, on the unit axis.

    Variables `offset` (family), `cell_offset` (cell), `sigma_family`, `sigma_task`, and each of the
    curve model's parameters (curve).
    """
    import pymc as pm

    target, xp = pooled.target, pytensor()
    coords = {
        "curve": target.curves.name.tolist(),
        "family": pooled.families.tolist(),
        "cell": np.arange(len(pooled.cell_task)),
        "obs": np.arange(len(pooled.cell)),
        "coordinate": np.arange(target.dimension),
    }
    with pm.Model(coords=coords) as made:
        data = {name: pm.Data(name, value) for name, value in values(pooled, at).items()}
        own = _of_families(spreads["sigma_family"], len(pooled.families))
        alone = _spread("sigma_task", spreads["sigma_task"]) * pm.Normal("cell_z", dims="cell")
        offset = pm.Deterministic("offset", own, dims="family")
        by_cell = offset[data["cell_family"]] + alone
        pm.Deterministic("cell_offset", by_cell, dims="cell")
        x = pm.Flat("x", dims=("curve", "coordinate"), initval=np.zeros(at.middle.shape))
        mean_offset = (data["weight"] * by_cell[None, :]).sum(axis=1)
        z = data["middle"] + (data["spread"] * x[:, None, :]).sum(axis=2)
        z = z - data["slide"] * mean_offset[:, None]
        pm.Potential("prior", -0.5 * (z**2).sum())
        rows = np.arange(len(target.curves))
        p = {n: v[:, 0] for n, v in target.parameters(rows, z[:, :, None], xp).items()}
        for name, value in p.items():
            pm.Deterministic(name, value, dims="curve")
        observe(target, data, p, data["u"] - by_cell[data["cell_index"]])
    return made


def values(pooled: Pooled, at: Coordinates) -> dict[str, Any]:
    """What a compiled model is given."""
    one = pooled.observations
    return {
        "u": one.u,
        "response": one.y,
        "trials": one.trials,
        "curve_index": one.curve,
        "ceiling": pooled.target.ceiling,
        "log_jacobian": -np.log(pooled.target.scaling.span),
        "cell_index": pooled.cell,
        "cell_family": pooled.cell_family,
        "middle": at.middle,
        "spread": at.spread,
        "slide": at.slide,
        "weight": at.weight,
    }


def _spread(name: str, prior: Prior) -> Any:
    """A standard deviation with its prior."""
    import pymc as pm

    kind, arguments = _in_pymc(prior)
    return getattr(pm, kind)(name, **arguments)


def _of_families(prior: Prior, size: int) -> Any:
    """Families' offsets sigma z (family,), z ~ N(0, 1), and sigma with its prior: non-centred.

    What data say is how far families lie from their mean. So z is sampled as its mean and contrasts
    (an orthogonal change of variables), and the size of the offsets, sigma rms(contrasts), in the
    place of sigma; the length of the contrasts is then the prior's alone, and sigma follows from
    both. Few contrasts come near 0 together, where that is singular: of fewer than FEW families
    sigma and z are sampled as they are.
    """
    import pymc as pm

    xp = pytensor()
    kind, arguments = _in_pymc(prior)
    if size < FEW:
        return _spread("sigma_family", prior) * pm.Normal("family_z", shape=size)
    mean, contrast = pm.Normal("family_mean"), pm.Normal("family_contrast", shape=size - 1)
    z = mean / np.sqrt(size) + (_contrasts(size) * contrast[None, :]).sum(axis=1)
    log_size = pm.Flat("log_size", initval=np.log(FIRST_SIZE))
    sigma = xp.exp(log_size) / xp.sqrt((contrast**2).mean() + TINY)
    sigma = pm.Deterministic("sigma_family", sigma)
    # the Jacobian: d sigma / d log size = sigma
    believed = pm.logp(getattr(pm, kind).dist(**arguments), sigma)
    pm.Potential("sigma_family_prior", believed + xp.log(sigma))
    return sigma * z


def _in_pymc(prior: Prior) -> tuple[str, dict[str, float]]:
    """A distribution's name and arguments in PyMC."""
    choice = prior.choice(np.nan)
    kind, arguments = PYMC[choice.distribution]
    return kind, arguments(*choice.numbers(np.nan))


def _contrasts(size: int) -> Floats:
    """Orthonormal columns (size, size - 1), each of mean 0 (Helmert's)."""
    from scipy.linalg import helmert

    return np.asarray(helmert(size).T)


def compile_hierarchy(
    pooled: Pooled, at: Coordinates, spreads: dict[str, Prior], nuts: str = "nutpie"
) -> Compiled:
    """The model, ready to be run; on other data of the same tasks and families too."""
    return Compiled.of(build(pooled, at, spreads), (*KEPT, *pooled.target.names), nuts)
