"""Refit: exact answers without a scale, where reweighted draws are not to be trusted."""

import numpy as np

from upturn.arrays.types import Floats
from upturn.questions.classify.ends import dropped
from upturn.questions.classify.left_out import left_out
from upturn.questions.classify.model_fit import model_fits
from upturn.questions.classify.result import Classification

REFIT_DRAWS = 400
MATTERS = 0.01  # probability without the scale from which on a model is fitted again


def refit(classification: Classification, threads: int | None = None) -> Floats:
    """`p_emergent` of curves fitted without a scale, where that could matter: (curve, scale).

    All curves without all such scales are one batch for each model. Models that are improbable
    without the scale are taken to stay so.

    Parameters
    ----------
    classification : Classification
    threads : int, optional

    Returns
    -------
    array (curve, scale)
        nan where the curve was not fitted again.
    """
    p, _ = classification.probability("emergent")
    without = classification.without_ends
    doubtful = without.doubtful(p)
    out = np.full(doubtful.shape, np.nan)
    curve, scale = np.nonzero(doubtful)
    if not len(curve):
        return out
    matters = without.p_model[curve, :, scale] >= MATTERS
    part = classification.curves.take(curve)
    drop = dropped(classification.curves)[scale, curve, : part.mask.shape[1]]
    left = left_out(part, drop)
    evidence = np.where(matters, 0.0, -np.inf)
    emergent = np.zeros(matters.shape)
    for m, model in enumerate(classification.models):
        index = np.flatnonzero(matters[:, m])
        if not len(index):
            continue
        (fit,) = model_fits(
            left.take(index), [model], classification.criteria,
            draws=min(classification.draws, REFIT_DRAWS),
            seed=classification.seed, threads=threads, ends=False,
        )  # fmt: skip
        evidence[index, m] = fit.log_evidence
        emergent[index, m] = fit.emergent.mean(axis=1)
    weight = classification.average.with_evidence(evidence, curve)
    out[curve, scale] = (weight * emergent).sum(axis=1)
    return out
