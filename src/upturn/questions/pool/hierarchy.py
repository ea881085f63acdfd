"""Hierarchy: a PyMC model of tasks in which each family of models has an offset along the axis.

The emergence scale of task t in family f is tau_tf = tau_t + delta_f + epsilon_tf, with
delta_f ~ N(0, sigma_family) and epsilon_tf ~ N(0, sigma_task). Whatever the curve model, the points
of a family are evaluated at u - delta_f - epsilon_tf. Both offsets are non-centred.

The posterior is narrow in two ways: a common offset of all families and an earlier scale of all
tasks give almost the same curve, and tau, rate and height of one task are strongly correlated. NUTS
needed 390 steps for each draw on the open models. Therefore each task's parameters are sampled in
coordinates x with

    z = middle + spread x - slide (mean offset of the task's points),

where z are the parameters whitened by their priors, middle and spread come from the population
sampler's posterior of that task alone, and slide is the direction in z that shifts the curve. This
is a change of variables with a constant Jacobian, so the posterior is the same.
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
FARTHEST = 8.0  # largest absolute value of a whitened parameter at the start
STEP = 1e-4  # of finite differences, on the unit axis and in z
FEW = 5  # with fewer families, sigma and the offsets are sampled as they are
FIRST_SIZE = 0.05  # size of offsets at which chains start
TINY = 1e-12
RIDGE = 1e-3  # ridge penalty: a direction along which the curve hardly moves stays bounded


@dataclass(frozen=True)
class Pooled:
    """The tasks of one axis and the families of their points.

    Attributes
    ----------
    target : Target
        The density of the tasks, without scatter between groups.
    observations : Observations
        All points of all tasks.
    families : array (family,)
        Names of the families.
    family, cell : array (obs,)
        The family and the cell of each observation; a cell is a family in a task.
    cell_task, cell_family : array (cell,)
        The task and the family of each cell.
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
        """Tasks with the families of `curves.family`; one without is a family alone."""
        target = _ungrouped(model, curves)
        observations = Observations.of(target)
        names = curves.family[curves.mask].astype(object)
        alone = np.array([f"{m} (no family)" for m in curves.model[curves.mask]], dtype=object)
        families, family = np.unique(np.where(names == "", alone, names), return_inverse=True)
        codes = observations.curve * len(families) + family
        cells, cell = np.unique(codes, return_inverse=True)
        cell_task, cell_family = np.divmod(cells, len(families))
        return cls(target, observations, families, family, cell, cell_task, cell_family)

    @property
    def curves(self) -> Curves:
        """The tasks."""
        return self.target.curves


def _ungrouped(model: Model, curves: Curves) -> Target:
    """The density of tasks without groups: this model has offsets of its own."""
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
        The weight of each cell's offset in the mean of its task: by how much its points tell about
        the location of the curve.
    """

    middle: Floats
    spread: Floats
    slide: Floats
    weight: Floats


def coordinates(pooled: Pooled, draws: dict[str, Floats]) -> Coordinates:
    """Coordinates from draws (curve, draw) of each task alone, by the population sampler."""
    target = pooled.target
    z = whitened(target, draws)
    middle = np.median(z, axis=2)
    rows = np.arange(len(middle))
    covariance = np.array([np.cov(draws) + 1e-6 * np.eye(len(draws)) for draws in z])
    slope, by_z = _derivatives(target, rows, middle)
    slide, spread = np.empty_like(middle), np.empty_like(covariance)
    for i, points in enumerate(target.curves.points):
        slide[i] = _slide(by_z[i, :points], slope[i, :points], covariance[i])
        spread[i] = _triangular(covariance[i], slide[i])
    return Coordinates(middle, spread, slide, _weights(pooled, slope))


def whitened(target: Target, draws: dict[str, Floats]) -> Floats:
    """Whitened parameters z (curve, parameter, draw) of draws (curve, draw)."""
    out = np.empty((len(target.curves), target.dimension, next(iter(draws.values())).shape[1]))
    count = len(target.model.changepoints)
    for i, chance in enumerate(target.chance.tolist()):
        left = np.ones(out.shape[2])  # 1 - U of the previous changepoint
        for j, name in enumerate(target.names):
            probabilities = target.priors[name].choice(chance).cdf(chance)
            below, above = (probability(draws[name][i]) for probability in probabilities)
            if j < count and count > 1:
                share = np.clip(above / left, 0, 1) ** (count - j)
                left, above, below = above, share, 1 - share
            z = np.where(below < 0.5, ndtri(below), -ndtri(above))
            out[i, j] = np.clip(z, -FARTHEST, FARTHEST)
    return out


def _derivatives(target: Target, rows: Index, z: Floats) -> tuple[Floats, Floats]:
    """Derivatives of the expected score by u (curve, point) and z (curve, point, parameter)."""

    def mean(moved: Floats, shift: float = 0.0) -> Floats:
        p = target.parameters(rows, moved[:, :, None])
        parameters = {name: p[name][:, None, :] for name in target.model.parameters}
        ceiling = target.ceiling[:, None, None]
        score = target.model.mean(NUMPY, parameters, target.u[:, :, None] + shift, ceiling)
        return np.broadcast_to(score, (*target.u.shape, 1))[:, :, 0]

    by_u = (mean(z, STEP) - mean(z, -STEP)) / (2 * STEP)
    steps = STEP * np.eye(z.shape[1])
    by_z = [(mean(z + step) - mean(z - step)) / (2 * STEP) for step in steps]
    return by_u, np.stack(by_z, axis=2)


def _slide(by_z: Floats, by_u: Floats, covariance: Floats) -> Floats:
    """The direction in z that changes the curve as a shift to larger scales does (parameter,).

    By least squares in units of the posterior's standard deviations; 0 for a flat curve.
    """
    sd = np.sqrt(np.diag(covariance))
    design = by_z * sd
    size = RIDGE * max(float(np.trace(design.T @ design)), 1e-12)
    normal = design.T @ design + size * np.eye(len(sd))
    return sd * np.linalg.solve(normal, -design.T @ by_u)


def _triangular(covariance: Floats, slide: Floats) -> Floats:
    """A Cholesky root of the covariance, with the parameter that moves the curve most first.

    The spread of a task's location is mostly that of the offsets, which are subtracted. With the
    location as a separate coordinate, a diagonal mass matrix can adapt to what is left.
    """
    first = int(np.argmax(np.abs(slide) / np.sqrt(np.diag(covariance))))
    order = np.array([first, *(i for i in range(len(slide)) if i != first)])
    out = np.empty_like(covariance)
    out[order] = np.linalg.cholesky(covariance[np.ix_(order, order)])
    return out


def _weights(pooled: Pooled, slope: Floats) -> Floats:
    """The share of each cell in the information about its task's location (curve, cell)."""
    mask = pooled.curves.mask
    information = slope[mask] ** 2
    information = information + 1e-6 * np.maximum(information.max(initial=0), 1e-6)
    out = np.zeros((len(pooled.curves), len(pooled.cell_task)))
    np.add.at(out, (pooled.observations.curve, pooled.cell), information)
    return out / out.sum(axis=1, keepdims=True)


# --- the model ------------------------------------------------------------------------------------


def build(pooled: Pooled, at: Coordinates, spreads: dict[str, Prior]) -> "pm.Model":
    """The hierarchical model of some tasks, on the unit axis.

    Its variables are `offset` (family), `cell_offset` (cell), `sigma_family`, `sigma_task`, and
    the parameters of the curve model (curve).
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
    with pm.Model(coords=coords) as model:
        data = {name: pm.Data(name, value) for name, value in values(pooled, at).items()}
        of_family = _of_families(spreads["sigma_family"], len(pooled.families))
        of_task = _spread("sigma_task", spreads["sigma_task"]) * pm.Normal("cell_z", dims="cell")
        offset = pm.Deterministic("offset", of_family, dims="family")
        by_cell = offset[data["cell_family"]] + of_task
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
    return model


def values(pooled: Pooled, at: Coordinates) -> dict[str, Any]:
    """The data of a compiled model, by the names of its variables."""
    points = pooled.observations
    return {
        "u": points.u,
        "response": points.y,
        "trials": points.trials,
        "curve_index": points.curve,
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

    Data tell how far families lie from their mean. Therefore z is sampled as its mean and its
    contrasts (an orthogonal change of variables), and the size of the offsets, sigma
    rms(contrasts), is sampled in place of sigma. Then only the prior acts on the length of the
    contrasts, and sigma follows from both. The change of variables is singular where all contrasts
    are 0, which few contrasts can come near; with fewer than FEW families sigma and z are sampled
    as they are.
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
    log_prior = pm.logp(getattr(pm, kind).dist(**arguments), sigma)
    pm.Potential("sigma_family_prior", log_prior + xp.log(sigma))
    return sigma * z


def _in_pymc(prior: Prior) -> tuple[str, dict[str, float]]:
    """The name and the arguments of a distribution in PyMC."""
    choice = prior.choice(np.nan)
    kind, arguments = PYMC[choice.distribution]
    return kind, arguments(*choice.numbers(np.nan))


def _contrasts(size: int) -> Floats:
    """Orthonormal columns (size, size - 1) with mean 0: Helmert contrasts."""
    from scipy.linalg import helmert

    return np.asarray(helmert(size).T)


def compile_hierarchy(
    pooled: Pooled, at: Coordinates, spreads: dict[str, Prior], nuts: str = "nutpie"
) -> Compiled:
    """The compiled model, which can also be run on other data of the same tasks and families."""
    return Compiled.of(build(pooled, at, spreads), (*KEPT, *pooled.target.names), nuts)
