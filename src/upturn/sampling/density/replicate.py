"""Replicate: parameters from their priors, and scores from the likelihood that is fitted."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from upturn.arrays.namespaces import NUMPY
from upturn.arrays.types import Floats
from upturn.formulas.likelihoods import autocorrelation
from upturn.formulas.likelihoods.likelihood import Likelihood
from upturn.sampling.density.target import Target


def parameters(target: Target, rng: np.random.Generator, chance: Floats) -> dict[str, Floats]:
    """Draws of a target's parameters from their priors, one for each chance level: (draw,).

    Several changepoints are ordered draws of one prior.
    """
    out = {name: target.priors[name].draw(rng, chance) for name in target.names}
    several = target.model.changepoints
    if len(several) > 1:
        out |= dict(zip(several, np.sort([out[name] for name in several], axis=0), strict=True))
    return out


def scores(
    likelihood: Likelihood,
    rng: np.random.Generator,
    mean: Floats,
    noise: Mapping[str, Floats],
    *,
    trials: Floats,
    chain: NDArray[np.int32],
) -> Floats:
    """Scores drawn from a likelihood: successes of counts, on the model's scale otherwise.

    Parameters
    ----------
    likelihood : Likelihood
    rng : Generator
    mean : array (row, point)
    noise : mapping of array (row, point)
    trials : array (row, point)
    chain : array of int (row, point)
        The run of each point, where noise is correlated along runs: each score is then drawn given
        those before it.

    Returns
    -------
    array (row, point)
    """
    if likelihood.plain is None:
        return likelihood.draw(rng, mean, noise, trials)
    rows = np.arange(len(mean))
    at, variance = (np.full((len(rows), int(chain.max()) + 1), x) for x in (0.0, 1.0))
    y = np.zeros(mean.shape)
    for i, run in enumerate(chain.T):
        p = {name: value[:, i] for name, value in noise.items()}
        before = at[rows, run], variance[rows, run]
        moved, given, scale = autocorrelation.conditional(NUMPY, mean[:, i], p, *before)
        y[:, i] = likelihood.draw(rng, moved, given, trials[:, i])
        state = autocorrelation.updated(NUMPY, (moved, given, scale), before, y[:, i], trials[:, i])
        at[rows, run], variance[rows, run] = state
    return y
