"""Each observation by itself: its log density, and the probability that it is broken."""

import numpy as np

from upturn.arrays.types import Floats
from upturn.questions.fit.contents import Contents
from upturn.sampling.density import pointwise

STORED_LOG_LIKELIHOOD = 256_000_000  # bytes; a larger one is computed again when asked for


def keeps_log_likelihood(draws: int, observations: int) -> bool:
    """Whether a log likelihood of this size is small enough to be stored."""
    return draws * observations * 8 <= STORED_LOG_LIKELIHOOD


def log_likelihood(fit: Contents) -> Floats:
    """Log density of every observation (chain, draw, obs); see `upturn.Fit.log_likelihood`."""
    count = fit.curves.points
    start = np.cumsum(count) - count
    out = np.empty((fit.draws, int(count.sum())))
    for curves, places in fit.by_axis(np.arange(fit.draws)):
        for i in range(len(curves)):
            target, p = fit.target(curves, i, places)
            per_point = pointwise.pointwise(target, 0, p)[: count[i]]
            jacobian = target.log_jacobian[0] / max(int(count[i]), 1)
            out[places, start[i] : start[i] + count[i]] = per_point.T + jacobian
    return out.reshape(*fit.chains_and_draws, -1)


def p_broken(fit: Contents) -> Floats | None:
    """The probability that each score is broken, averaged over draws: (curve, point).

    None where no curve has a robust likelihood.
    """
    robust = [
        fit.model.likelihood_for(str(kind)).log_uniform is not None
        for kind in fit.curves.kind.tolist()
    ]
    if not any(robust):
        return None
    out = np.zeros(fit.curves.mask.shape)
    for curves, places in fit.by_axis(np.arange(fit.draws)):
        for i in np.flatnonzero(robust):
            target, p = fit.target(curves, int(i), places)
            count = int(curves.points[i])
            out[i, :count] += pointwise.p_broken(target, 0, p)[:count].sum(axis=1) / fit.draws
    return out
