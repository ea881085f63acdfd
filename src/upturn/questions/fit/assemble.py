"""Posterior: a sample's draws in native units, with what they say of emergence, as a tree."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from upturn.arrays.types import Floats
from upturn.formulas.scaling import bounded_of, native, scaling_of
from upturn.model import Model
from upturn.posterior import emergence as em
from upturn.posterior import tree as trees
from upturn.posterior.emergence import turning
from upturn.questions.fit.mix.coordinates import ends
from upturn.questions.fit.mix.learn import Learned
from upturn.questions.fit.verdicts import p_falls
from upturn.sampling.batch import Sample, joined_chains
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
    falling: Floats | None = None,
    learned: Learned | None = None,
) -> "xr.DataTree":
    """Draws to the tree: changepoints in axis coordinates, the floor in native units.

    `falling` is the log evidence of a falling line, where that was considered. Those on a mix of
    axes come with the weights that were learned.
    """
    found = sample.population
    shape = next(iter(sample.parameters.values())).shape
    flat = joined_chains(sample.parameters)
    scaling = scaling_of(model, curves)
    bounded = bounded_of(model, curves)
    sign = np.where(bounded, 1.0, curves.orientation)
    low, high = curves.limits[:, 0, :, None] if learned is None else ends(curves, learned.weights)
    end = np.where(high > low, 1.0, 0.0).max(axis=1)
    turned, first = turning(model, curves, flat, delta=delta, scaling=scaling, end=end)
    jacobian = np.where(bounded, 0.0, -curves.points * np.log(scaling.span))
    p, p_error = em.p_change(
        found.log_evidence, found.log_evidence_se,
        twin.population.log_evidence, twin.population.log_evidence_se,
    )  # fmt: skip

    def x_of(u: Floats) -> Floats:
        return low + u * np.where(high > low, high - low, 1.0)

    derived = {
        "changepoint_scale": x_of(first),
        "threshold_scale": x_of(turned.threshold),
        "gain": turned.gain * scaling.span[:, None],
    }
    posterior = native(model, flat, scaling, sign, x_of)
    stats: dict[str, np.ndarray] = {
        "log_evidence": found.log_evidence + jacobian,
        "log_evidence_se": found.log_evidence_se,
        "log_evidence_twin": twin.population.log_evidence + jacobian,
        "p_change": p,
        "p_change_se": p_error,
        "p_falls": p_falls(
            found.log_evidence,
            twin.population.log_evidence,
            np.full(shape[0], np.nan) if falling is None else falling,
        ),
        "khat": found.khat,
        "ess": found.ess,
        "rhat": found.rhat,
        "evaluations": (found.evaluations + twin.population.evaluations).astype(np.int64),
        "converged": (found.converged & twin.population.converged).astype(np.int8),
        "method": found.method.astype(np.int8),
    }
    back = {name: value.reshape(shape) for name, value in posterior.items()}
    made = {name: value.reshape(shape) for name, value in derived.items()}
    tree = trees.build(curves, posterior=back, derived=made, stats=stats, meta=meta)
    return tree if learned is None else trees.add_weights(tree, **_weights(learned, jacobian))


def _weights(learned: Learned, jacobian: Floats) -> dict[str, Floats]:
    """What the tree keeps of weights, with log evidences of native scores."""
    found = learned.posterior
    return {
        "draws": learned.weights,
        "weight": found.weights,
        "prior": found.prior,
        "probability": found.probability,
        "log_evidence": found.log_evidence + jacobian,
        "log_evidence_se": found.log_evidence_se,
    }


NUTS_NOTE = (
    "draws by NUTS, which gives no evidence: p_change, log_evidence and k̂ are the population "
    "sampler's"
)


def with_chains(sample: Sample, chains: "Chains") -> Sample:
    """NUTS's draws and diagnostics in the place of the population sampler's, with its evidence."""
    own = replace(sample.population, rhat=chains.rhat, ess=chains.ess, converged=chains.converged)
    return Sample({n: chains.parameters[n] for n in sample.parameters}, own)


def beside(
    tree: "xr.DataTree", population: "xr.DataTree", sample: Sample, chains: "Chains"
) -> "xr.DataTree":
    """NUTS's tree with what the population sampler says of emergence in a group `population`.

    `sample_stats` gets `divergences` and `difference`: the largest difference of a parameter's
    posterior mean between the two samplers, in Monte Carlo standard errors.
    """
    import xarray as xr

    stats = tree["sample_stats"].to_dataset()
    stats["divergences"] = ("curve", chains.divergences)
    stats["difference"] = ("curve", difference(sample, chains))
    groups = {"sample_stats": stats, "population": population["emergence"].to_dataset()}
    return tree.assign({name: xr.DataTree(group) for name, group in groups.items()})


def difference(sample: Sample, chains: "Chains") -> Floats:
    """Of posterior means, in Monte Carlo standard errors, the worst parameter's: (curve,)."""
    worst = np.zeros(len(chains.rhat))
    for name, value in sample.parameters.items():
        # weights may be worth more than the draws made from them
        kept = np.minimum(sample.population.ess, value[0].size)
        pairs = ((value, kept), (chains.parameters[name], chains.ess))
        error = sum(v.var(axis=(1, 2)) / ess for v, ess in pairs)
        apart = np.abs(pairs[0][0].mean(axis=(1, 2)) - pairs[1][0].mean(axis=(1, 2)))
        with np.errstate(invalid="ignore"):
            worst = np.fmax(worst, np.where(error > 0, apart / np.sqrt(error), 0.0))
    return worst
