"""calibrate: are the intervals and probabilities right, on this model, likelihood and design?

Simulation-based calibration (Talts et al. 2018): parameters are drawn from their priors, scores are
drawn given the parameters, and the posterior of the scores is sampled. If the posterior is right,
the rank of each true parameter among the posterior draws is uniform. The same holds for every
function of the draws, for the index of the model, and for the event that a curve is emergent.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from upturn.checks.arguments import check_names, check_numbers, interval_levels, whole
from upturn.formulas.scaling import scaling_of
from upturn.model import Model
from upturn.posterior import emergence as em
from upturn.posterior.averaging import log_priors, probabilities
from upturn.posterior.criteria import Criteria, judged
from upturn.posterior.emergence import turning
from upturn.questions.arguments import curves_of, made_by, models_of, origin_of, part_of, table_of
from upturn.questions.calibrate.ranks import (
    ModelDraws,
    ScaleCheck,
    Truth,
    of_emergence,
    of_models,
    of_parameters,
    of_scales,
)
from upturn.questions.calibrate.result import Calibration
from upturn.questions.simulate.design import Design, numbered
from upturn.questions.simulate.result import Simulation
from upturn.questions.simulate.simulate import deal, kind_of
from upturn.sampling import batch
from upturn.sampling.batch import Progress, joined_chains
from upturn.tables.axis import Axis
from upturn.tables.curves import Curves
from upturn.tables.results import Results

if TYPE_CHECKING:
    import pandas as pd

SIMULATIONS = 400
DRAWS = 1000
MOST = 1_000_000
PIT_STREAM = 1  # of random numbers, with the seed: tied ranks are broken at random


def calibrate(
    design: "Design | Results | Curves | pd.DataFrame | str | os.PathLike[str] | None" = None,
    *,
    model: str | Path | Model | Sequence[str | Model] = "hinge",
    simulations: int = SIMULATIONS,
    axis: str | Axis = "flops",
    by: str | None = None,
    metric: str | Sequence[str] | None = None,
    scatter: str = "auto",
    likelihood: str | None = None,
    priors: Mapping[str, str] | None = None,
    ci: float = 0.9,
    draws: int = DRAWS,
    seed: int = 0,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Calibration:
    """Check by simulation that posteriors are calibrated.

    A single model is checked together with the same model without a change, each with prior
    probability 1/2, as `p_change` of `upturn.fit` compares them. Several models are averaged as in
    `upturn.classify`, with equal prior odds of their classes.

    Parameters
    ----------
    design : Design, or a table as for `upturn.fit`, optional
        By default `Design(models_per_task=(8, 16))`. From a table the models, scales, trials,
        chance levels and groups are used; its curves take turns.
    model : str, Path or Model, or several
        The curve models to draw from and to fit; "all" for all built-in models.
    simulations : int
        Number of simulated curves.
    axis : str or Axis
        Axis of scale.
    by : str, optional
        A label to split curves by, such as "family".
    metric : str or several, optional
        Use only these metrics.
    scatter : str
        Which points share an offset: "auto", "none", "family" or "run".
    likelihood : str, optional
        Distribution of the scores; that of the model by default.
    priors : mapping of str to str, optional
        Priors that replace those of the model, by parameter.
    threads : int, optional
        Number of threads; all cores by default.
    ci : float
        Probability of the intervals of scales.
    draws : int
        Posterior draws of each curve and model.
    seed : int
        Random seed.
    progress : callable, optional
        Called with (fits done, fits in all).

    Returns
    -------
    Calibration

    Raises
    ------
    DataError
        For anything wrong with the design or the arguments.

    Examples
    --------
    >>> import upturn
    >>> calibration = upturn.calibrate(model="flat", simulations=40, draws=100, seed=1)
    >>> calibration.passed
    True
    >>> calibration.summary()["check"].tolist()
    ['flat: level', 'flat: overdispersion', 'p_emergent', 'p_sharp']
    """
    check_names(sampler="population", backend="numpy", scatter=scatter, by=by)
    check_numbers(draws=draws, seed=seed, delta=em.DELTA, threads=threads)
    interval_levels(ci)
    whole("simulations", simulations, 20, MOST)
    models = _models(model, likelihood, priors)
    rng = np.random.default_rng(seed)
    data: Results | Curves | None = None
    scaling = None
    if design is None or isinstance(design, Design):
        chosen = design or Design(models_per_task=(8, 16))
        curves = chosen.curves(simulations, kind=kind_of(models), rng=rng)
    else:
        data = table_of(design)
        of_table = curves_of(data, axis, by, metric, scatter)
        turn = np.arange(simulations) % len(of_table)
        scaling = scaling_of(models[0], of_table).take(turn)
        curves = numbered(of_table, simulations)
    which = rng.choice(len(models), simulations, p=np.exp(log_priors(models)))
    drawn = deal(models, which, curves, rng, scaling=scaling)
    meta = {
        **made_by(seed),
        "arguments": {
            **(origin_of(data, metric) if data is not None else {"table": None}),
            "axis": list(dict.fromkeys(a.name for a in curves.axes)),
            "models": [curve_model.name for curve_model in models],
            "likelihood": list(
                dict.fromkeys(models[0].likelihood_for(str(k)).name for k in curves.kind)
            ),
            "simulations": int(simulations),
            "draws": int(draws),
            "scatter": scatter,
            "by": by,
        },
        "priors": {curve_model.name: curve_model.all_priors() for curve_model in models},
    }
    return examine(
        drawn, ci=ci, draws=draws, seed=seed, threads=threads, progress=progress, meta=meta
    )


def _models(
    model: str | Path | Model | Sequence[str | Model],
    likelihood: str | None,
    priors: Mapping[str, str] | None,
) -> list[Model]:
    """The models to draw from and to average; a single one with its twin without a change."""
    chosen = models_of(model)  # type: ignore[arg-type]
    if likelihood is not None:
        chosen = [curve_model.with_likelihood(likelihood) for curve_model in chosen]
    if priors is not None:
        chosen = [curve_model.with_priors(priors) for curve_model in chosen]
    twin = chosen[0].twin()
    alone = len(chosen) == 1 and (twin.segments, twin.range) != (
        chosen[0].segments, chosen[0].range,
    )  # fmt: skip
    return [*chosen, twin] if alone else chosen


# ---- examining -----------------------------------------------------------------------------------


def examine(
    simulation: Simulation,
    models: Sequence[Model] | None = None,
    *,
    ci: float = 0.9,
    draws: int = DRAWS,
    seed: int = 0,
    threads: int | None = None,
    progress: Progress | None = None,
    meta: Mapping[str, Any] | None = None,
) -> Calibration:
    """Fit simulated curves, and compute the rank of each true value in its posterior.

    Parameters
    ----------
    simulation : Simulation
        Curves with known parameters.
    models : sequence of Model, optional
        Models that are fitted instead of those that the curves were drawn from, one for each: they
        show the effect of a wrong likelihood or prior.
    ci, draws, seed, threads, progress, meta
        As for `calibrate`.
    """
    fitted = simulation.models if models is None else tuple(models)
    curves = simulation.curves
    answers = []
    for number, curve_model in enumerate(fitted):
        part = part_of(progress, number * len(curves), len(fitted) * len(curves))
        answers.append(
            _draws(curve_model, simulation, draws=draws, seed=seed, threads=threads, progress=part)
        )
    truth = Truth.of(simulation)
    rng = np.random.default_rng([PIT_STREAM, seed])
    log_evidence = np.stack([answer.log_evidence for answer in answers], axis=1)
    share = probabilities(fitted, log_evidence)
    checks = [
        *of_parameters(fitted, answers, simulation, rng),
        *of_models(fitted, share, simulation, rng),
        *of_emergence(answers, share, truth, rng),
    ]
    scales = of_scales(answers, share, simulation, truth, ScaleCheck(interval_levels(ci), rng))
    converged = np.logical_and.reduce([answer.converged for answer in answers])
    return Calibration(
        checks=tuple(checks + [scale.check for scale in scales]),
        scales=tuple(scales),
        curves=curves,
        failed=tuple(str(name) for name in curves.name[~converged]),
        ci=ci,
        meta=dict(meta or {}),
    )


def _draws(
    model: Model,
    simulation: Simulation,
    *,
    draws: int,
    seed: int,
    threads: int | None,
    progress: Progress | None,
) -> ModelDraws:
    curves, scaling = simulation.curves, simulation.drawn.scaling
    sample = batch.sample(
        model, curves, draws=draws, seed=seed, threads=threads, progress=progress, scaling=scaling
    )
    flat = joined_chains(sample.parameters)
    judgement = judged(model, curves, flat, Criteria(), scaling)
    _, first = turning(
        model, curves, flat, delta=em.DELTA, scaling=scaling, end=np.ones(len(curves))
    )
    population = sample.population
    return ModelDraws(
        flat, population.log_evidence, population.converged, first,
        judgement.emergent, judgement.sharp, judgement.functionals.flat_until,
    )  # fmt: skip
