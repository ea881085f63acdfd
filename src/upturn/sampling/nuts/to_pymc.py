"""to_pymc: a curve model as a `pymc.Model`, from the functions that the population sampler uses.

One likelihood over all points, flat over observations: an observation is a row of one point, so
that segments see arrays (obs, 1, 1) where the population sampler has (row, point, particle).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from upturn.arrays.compiled import MEAN_MARGIN
from upturn.arrays.namespaces import pytensor
from upturn.arrays.types import Floats, Index
from upturn.checks.errors import DataError, listed
from upturn.formulas.curve import CurveModel
from upturn.formulas.distributions import beta_of_mode
from upturn.formulas.priors import Choice, Prior
from upturn.formulas.quantiles import Quantiles
from upturn.sampling.density.target import Target
from upturn.tables.curves import Curves

if TYPE_CHECKING:
    import pymc as pm

# The name in PyMC of each distribution of `upturn.formulas.priors`, and its arguments there.
PYMC: Mapping[str, tuple[str, Any]] = {
    "Uniform": ("Uniform", lambda low, high: {"lower": low, "upper": high}),
    "Normal": ("Normal", lambda mean, sd: {"mu": mean, "sigma": sd}),
    "LogNormal": ("LogNormal", lambda mean, sd: {"mu": mean, "sigma": sd}),
    "HalfNormal": ("HalfNormal", lambda sd: {"sigma": sd}),
    "Exponential": ("Exponential", lambda mean: {"lam": 1 / mean}),
    "Gamma": ("Gamma", lambda shape, rate: {"alpha": shape, "beta": rate}),
    "Beta": ("Beta", lambda alpha, beta: {"alpha": alpha, "beta": beta}),
    "BetaMode": (
        "Beta",
        lambda mode, concentration: dict(
            zip(("alpha", "beta"), beta_of_mode(mode, concentration), strict=True)
        ),
    ),
}


@dataclass(frozen=True)
class Observations:
    """The points of a batch without padding, one after the other.

    Attributes
    ----------
    curve, group : array (obs,)
        The curve of each point; its scatter group, numbered over all curves, -1 for none.
    u, y, trials : array (obs,)
        Scale on the unit axis; the response on the likelihood's scale; the number of trials.
    """

    curve: Index
    group: Index
    u: Floats
    y: Floats
    trials: Floats

    @classmethod
    def of(cls, target: Target) -> "Observations":
        """The observations of a target, curve by curve."""
        curves, data = target.curves, target.data
        mask = curves.mask
        curve, _ = np.nonzero(mask)
        first = np.concatenate([[0], np.cumsum(curves.groups)])[curve]
        of_curve = curves.group[mask].astype(np.intp)
        group = np.where(of_curve >= 0, first + of_curve, -1)
        return cls(curve, group, target.u[mask], data.y[mask], data.trials[mask])


def target_of(model: CurveModel, curves: Curves) -> Target:
    """The target that the population sampler uses.

    Raises
    ------
    DataError
        For curves of several kinds, which have several likelihoods, and for a model whose
        likelihood cannot explain them.
    """
    if len(curves.x) != 1:
        raise DataError("curves: expected single axes, but got a mix; take one of its components")
    kinds = list(dict.fromkeys(curves.kind.tolist()))
    if len(kinds) != 1:
        raise DataError(
            f"curves: expected curves of one kind, but got {listed(kinds) or 'none'}; take those "
            "of one with curves.take(curves.kind == 'counts')"
        )
    target = Target(model, curves, model.likelihood_for(str(kinds[0])))
    if (plain := target.likelihood.plain) is not None:
        raise DataError(
            f"likelihood: expected independent scores for PyMC, but got "
            f"{target.likelihood.name!r}, whose noise is correlated along runs; use {plain.name!r}"
        )
    return target


def to_pymc(model: CurveModel, curves: Curves) -> "pm.Model":
    """A model of some curves in PyMC; see `Model.to_pymc`."""
    import pymc as pm

    target = target_of(model, curves)
    groups = [
        f"{name} | {group}"
        for name, count in zip(curves.name.tolist(), curves.groups.tolist(), strict=True)
        for group in range(count)
    ]
    return build(target, curves.name.tolist(), groups if target.grouped else [], pm)


def build(target: Target, names: list[str], groups: list[str], pm: Any) -> "pm.Model":
    """The model of a target; with further groups it can take data that have more of them."""
    xp = pytensor()
    coords = {"curve": names, "obs": np.arange(int(target.curves.points.sum()))}
    with pm.Model(coords=coords | ({"group": groups} if groups else {})) as made:
        data = register(inputs(target))
        p = parameters(target, data)
        u = data["u"]
        if groups:
            offset, of = pm.Normal("offset", dims="group"), data["group_index"]
            apart = xp.where(of >= 0, offset[xp.maximum(of, 0)], 0.0)
            u = u + p["scatter"][data["curve_index"]] * apart
        observe(target, data, p, u)
    return made


# --- data -----------------------------------------------------------------------------------------


def inputs(target: Target) -> dict[str, Any]:
    """The arrays that the model takes from the curves, by name: (obs,) or (curve,)."""
    observations = Observations.of(target)
    arrays: dict[str, Any] = {
        "u": observations.u,
        "response": observations.y,
        "trials": observations.trials,
        "curve_index": observations.curve,
        "group_index": observations.group,
        "ceiling": target.ceiling,
        "log_jacobian": -np.log(target.scaling.span),
    }
    for name in target.names:
        if not tabled(target, name):
            arrays |= _arguments(name, target.priors[name], target.chance)
    return arrays


PER_OBSERVATION = ("u", "response", "trials", "curve_index", "group_index")


def register(arrays: Mapping[str, Any]) -> dict[str, Any]:
    """Arrays as exchangeable data of the model that is being built."""
    import pymc as pm

    return {
        name: pm.Data(name, value, dims="obs" if name in PER_OBSERVATION else "curve")
        for name, value in arrays.items()
    }


def tabled(target: Target, name: str) -> bool:
    """Whether a parameter is sampled as a standard normal and transformed to its prior by a table.

    So are several changepoints, which are ordered, priors with alternatives of several families,
    and distributions that PyMC lacks.
    """
    ordered = len(target.model.changepoints) > 1 and name in target.model.changepoints
    choices = target.priors[name].choices
    if ordered or any(choice.distribution not in PYMC for choice in choices):
        return True
    return len({_twin(choice) for choice in choices}) > 1


def _twin(choice: Choice) -> str:
    return PYMC[choice.distribution][0]


def _arguments(name: str, prior: Prior, chance: Floats) -> dict[str, Floats]:
    """The arguments of a parameter's prior in PyMC, which may depend on chance."""
    chosen = [(prior.choice(c), c) for c in chance.tolist()]
    arguments = [PYMC[choice.distribution][1](*choice.numbers(value)) for choice, value in chosen]
    return {
        f"{name}_{key}": np.array([a[key] for a in arguments], dtype=float) for key in arguments[0]
    }


# --- parameters -----------------------------------------------------------------------------------


def parameters(target: Target, data: Mapping[str, Any]) -> dict[str, Any]:
    """Random variables (curve,) with the priors in force, by name, on the model's scale."""
    import pymc as pm

    variables = {}
    for name in target.names:
        prior = target.priors[name]
        if tabled(target, name):
            continue
        keys = PYMC[prior.choices[0].distribution][1](*prior.choices[0].numbers(0.5))
        arguments = {key: data[f"{name}_{key}"] for key in keys}
        variables[name] = getattr(pm, _twin(prior.choices[0]))(name, **arguments, dims="curve")
    return variables | _from_tables(target)


def _from_tables(target: Target) -> dict[str, Any]:
    import pymc as pm

    xp, rows = pytensor(), np.arange(len(target.curves))
    names = [name for name in target.names if tabled(target, name)]
    z = {name: pm.Normal(f"{name}_z", dims="curve") for name in names}
    several = [name for name in target.model.changepoints if name in z]
    z |= dict(zip(several, target.ordered([z[name] for name in several], xp), strict=True))
    variables = {}
    for name, normal in z.items():
        quantile = Quantiles(target.priors[name], target.chance)
        value = quantile(xp, rows, normal[:, None])[:, 0]
        variables[name] = pm.Deterministic(name, value, dims="curve")
    return variables


# --- likelihood -----------------------------------------------------------------------------------


def observe(target: Target, data: Mapping[str, Any], p: Mapping[str, Any], u: Any) -> Any:
    """The observed variable `y`, with the population sampler's density, in native units.

    Parameters
    ----------
    target : Target
    data : mapping of tensor
        See `inputs`.
    p : mapping of tensor (curve,)
    u : tensor (obs,)
        Scale, offsets included.
    """
    import pymc as pm

    of = data["curve_index"]
    noise = [name for name in target.likelihood.parameters if name in p]
    per_observation = {name: value[of] for name, value in p.items()}
    mean = expected(target, per_observation, u, data["ceiling"][of])

    def logp(value: Any, mean: Any, trials: Any, jacobian: Any, *values: Any) -> Any:
        given = dict(zip(noise, values, strict=True))
        return log_density(target, value, mean, trials, given) + jacobian

    return pm.CustomDist(
        "y",
        mean,
        data["trials"],
        data["log_jacobian"][of],
        *(per_observation[name] for name in noise),
        logp=logp,
        observed=data["response"],
        dims="obs",
    )


def expected(target: Target, p: Mapping[str, Any], u: Any, ceiling: Any) -> Any:
    """Expected score of each observation on the model's scale, all (obs,)."""
    xp = pytensor()
    apart = {name: p[name][:, None, None] for name in target.model.parameters}
    mean = target.model.mean(xp, apart, u[:, None, None], ceiling[:, None, None])[:, 0, 0]
    if target.likelihood.bounded:
        mean = xp.clip(mean, MEAN_MARGIN, 1 - MEAN_MARGIN)
    return mean


def log_density(target: Target, y: Any, mean: Any, trials: Any, p: Mapping[str, Any]) -> Any:
    """Log density of each observation, on the model's scale."""
    xp, likelihood = pytensor(), target.likelihood
    return likelihood.log_terms(xp, mean, p, y, trials) + likelihood.log_rest(xp, p, y, trials)
