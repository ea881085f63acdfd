"""What a fit holds: draws in native units, emergence scales and diagnostics."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from upturn.arrays.types import Floats
from upturn.formulas.scaling import (
    UnitAxis,
    log_jacobian_of,
    native,
    orientation_of,
    scaling_of,
)
from upturn.model import Model
from upturn.posterior import emergence as em
from upturn.posterior import tree as trees
from upturn.posterior.emergence import turning
from upturn.posterior.held import Held
from upturn.questions.fit.mix.coordinates import ends
from upturn.questions.fit.mix.learn import Learned
from upturn.questions.fit.verdicts import Alternatives
from upturn.sampling.batch import Sample, joined_chains
from upturn.sampling.particles.chains import Population
from upturn.tables.curves import Curves

if TYPE_CHECKING:
    import xarray as xr

    from upturn.sampling.nuts.sample import Chains


def to_tree(
    curves: Curves,
    model: Model,
    *,
    sample: Sample,
    twin: Sample,
    delta: float,
    meta: Mapping[str, Any],
    alternatives: Alternatives | None = None,
    learned: Learned | None = None,
) -> "xr.DataTree":
    """The tree of a sample; see `held`, and on a mix of axes the weights."""
    how: dict[str, Any] = {"sample": sample, "twin": twin, "delta": delta, "meta": meta}
    tree = held(curves, model, alternatives=alternatives, learned=learned, **how).tree()
    if learned is None:
        return tree
    jacobian = log_jacobian_of(model, curves, scaling_of(model, curves))
    return trees.add_weights(tree, **_weights(learned, jacobian))


def held(
    curves: Curves,
    model: Model,
    *,
    sample: Sample,
    twin: Sample,
    delta: float,
    meta: Mapping[str, Any],
    alternatives: Alternatives | None = None,
    learned: Learned | None = None,
) -> Held:
    """What a sample says: changepoints in axis coordinates, the floor in native units.

    Parameters
    ----------
    curves : Curves
    model : Model
    sample, twin : Sample
        Of the model, and of its no-change twin.
    delta : float
        How far above chance a score is an ability.
    meta : mapping
        How the fit was made.
    alternatives : Alternatives, optional
        What may explain curves instead, where that was considered.
    learned : Learned, optional
        The weights of a mix of axes.
    """
    shape = next(iter(sample.parameters.values())).shape
    flat = joined_chains(sample.parameters)
    scaling = scaling_of(model, curves)
    axis = UnitAxis.of(curves) if learned is None else ends(curves, learned.weights)
    turned, first = turning(
        model, curves, flat, delta=delta, scaling=scaling, end=axis.end.max(axis=1)
    )
    derived = {
        "changepoint_scale": axis.x(first),
        "threshold_scale": axis.x(turned.threshold),
        "gain": turned.gain * scaling.span[:, None],
    }
    posterior = native(model, flat, scaling, orientation_of(model, curves), axis)
    jacobian = log_jacobian_of(model, curves, scaling)
    return Held(
        curves,
        {name: value.reshape(shape) for name, value in posterior.items()},
        {name: value.reshape(shape) for name, value in derived.items()},
        _stats(sample.population, twin.population, jacobian, alternatives),
        meta,
    )


def _stats(
    population: Population, twin: Population, jacobian: Floats, alternatives: Alternatives | None
) -> dict[str, np.ndarray]:
    """Evidences, verdict probabilities and diagnostics of each curve, by name: (curve,)."""
    p, p_error = em.p_change(
        population.log_evidence, population.log_evidence_se,
        twin.log_evidence, twin.log_evidence_se,
    )  # fmt: skip
    others = alternatives or Alternatives.none(len(jacobian))
    falls, level = others.probabilities(population.log_evidence, twin.log_evidence)
    return {
        "log_evidence": population.log_evidence + jacobian,
        "log_evidence_se": population.log_evidence_se,
        "log_evidence_twin": twin.log_evidence + jacobian,
        "p_change": p,
        "p_change_se": p_error,
        "p_falls": falls,
        "p_level": level,
        "khat": population.khat,
        "ess": population.ess,
        "rhat": population.rhat,
        "evaluations": (population.evaluations + twin.evaluations).astype(np.int64),
        "converged": (population.converged & twin.converged).astype(np.int8),
        "method": population.method.astype(np.int8),
    }


def _weights(learned: Learned, jacobian: Floats) -> dict[str, Floats]:
    """What the tree keeps of weights, with log evidences of native scores."""
    posterior = learned.posterior
    return {
        "draws": learned.weights,
        "weight": posterior.weights,
        "prior": posterior.prior,
        "probability": posterior.probability,
        "log_evidence": posterior.log_evidence + jacobian,
        "log_evidence_se": posterior.log_evidence_se,
    }


NUTS_NOTE = (
    "draws by NUTS, which gives no evidence: p_change, log_evidence and k̂ are the population "
    "sampler's"
)


def with_chains(sample: Sample, chains: "Chains") -> Sample:
    """A sample with the draws and diagnostics of NUTS, and the population sampler's evidence."""
    population = replace(
        sample.population, rhat=chains.rhat, ess=chains.ess, converged=chains.converged
    )
    return Sample({n: chains.parameters[n] for n in sample.parameters}, population)


def with_population(
    tree: "xr.DataTree", population: "xr.DataTree", sample: Sample, chains: "Chains"
) -> "xr.DataTree":
    """The tree of NUTS's draws, with the emergence group of the population sampler's tree.

    That group is called `population`. `sample_stats` gets `divergences` and `difference`: the
    largest difference of a parameter's posterior mean between the two samplers, in Monte Carlo
    standard errors.
    """
    import xarray as xr

    stats = tree["sample_stats"].to_dataset()
    stats["divergences"] = ("curve", chains.divergences)
    stats["difference"] = ("curve", difference(sample, chains))
    groups = {"sample_stats": stats, "population": population["emergence"].to_dataset()}
    return tree.assign({name: xr.DataTree(group) for name, group in groups.items()})


def difference(sample: Sample, chains: "Chains") -> Floats:
    """The largest difference of a posterior mean, in Monte Carlo standard errors: (curve,)."""
    worst = np.zeros(len(chains.rhat))
    for name, value in sample.parameters.items():
        # the weighted particles may have a larger effective size than the draws made from them
        kept = np.minimum(sample.population.ess, value[0].size)
        pairs = ((value, kept), (chains.parameters[name], chains.ess))
        error = sum(v.var(axis=(1, 2)) / ess for v, ess in pairs)
        apart = np.abs(pairs[0][0].mean(axis=(1, 2)) - pairs[1][0].mean(axis=(1, 2)))
        with np.errstate(invalid="ignore"):
            worst = np.fmax(worst, np.where(error > 0, apart / np.sqrt(error), 0.0))
    return worst
