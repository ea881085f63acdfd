"""Refit: exact answers without a scale, where reweighted draws are not to be trusted."""

import numpy as np

from upturn.arrays.types import Booleans, Floats
from upturn.questions.classify.ends import dropped
from upturn.questions.classify.left_out import left_out
from upturn.questions.classify.model_fit import model_fits
from upturn.questions.classify.result import Classification

REFIT_DRAWS = 400
MATTERS = 0.01  # probability without the scale from which on a model is fitted again


def refit(found: Classification, threads: int | None = None) -> Floats:
    """`p_emergent` of curves fitted without a scale, where that could matter: (curve, scale).

    Models that are improbable without the scale are taken to stay so.

    Parameters
    ----------
    found : Classification
    threads : int, optional

    Returns
    -------
    array (curve, scale)
        nan where the curve was not fitted again.
    """
    p, _ = found.probability("emergent")
    without, drop = found.without_ends, dropped(found.curves)
    doubtful = without.doubtful(p)
    out = np.full(doubtful.shape, np.nan)
    for k in np.flatnonzero(doubtful.any(axis=0)):
        matters = doubtful[:, [k]] & (without.p_model[:, :, k] >= MATTERS)
        index = np.flatnonzero(matters.any(axis=1))
        out[index, k] = _without(found, drop[k], matters, threads)[index]
    return out


def _without(
    found: Classification, drop: Booleans, matters: Booleans, threads: int | None
) -> Floats:
    """`p_emergent` without some points (curve, point), by models that matter (curve, model)."""
    evidence = np.where(matters, 0.0, -np.inf)
    emergent = np.zeros(matters.shape)
    for m, model in enumerate(found.models):
        index = np.flatnonzero(matters[:, m])
        if not len(index):
            continue
        part = found.curves.take(index)
        left = left_out(part, drop[index, : part.mask.shape[1]])
        (fit,) = model_fits(
            left, [model], found.criteria, draws=min(found.draws, REFIT_DRAWS),
            seed=found.seed, threads=threads, ends=False,
        )  # fmt: skip
        evidence[index, m] = fit.log_evidence
        emergent[index, m] = fit.emergent.mean(axis=1)
    weight = found.average.with_evidence(np.where(matters.any(axis=1)[:, None], evidence, 0.0))
    return np.asarray((weight * emergent).sum(axis=1))
