"""Parameters drawn from the prior."""

import numpy as np
from scipy.special import ndtri
from scipy.stats import qmc

from upturn.arrays.namespaces import NUMPY
from upturn.formulas.likelihoods.registry import LIKELIHOODS
from upturn.formulas.quantiles import Quantiles


def from_prior(model, count, *, likelihood="beta-binomial", chance=0.25, seed=0):
    """Parameters drawn from a model's prior, each (1, 1, draw); changepoints in order."""
    noise = LIKELIHOODS[likelihood]
    priors = model.priors(noise, scatter=False)
    names = (*model.parameters, *noise.parameters)
    net = qmc.Sobol(len(names), rng=np.random.default_rng(seed)).random(count).T
    net[: len(model.changepoints)].sort(axis=0)
    z = ndtri(np.clip(net, 1e-12, 1 - 1e-12))
    return {
        name: Quantiles(priors[name], np.array([chance]))(
            NUMPY, np.zeros(1, dtype=np.intp), z[i : i + 1]
        )[:, None, :]
        for i, name in enumerate(names)
    }
