"""Levels under a posterior twice as cold, and the distribution that they should have."""

from dataclasses import replace

import numpy as np
from scipy import stats

from tests.support.tables import table
from upturn.model import Model
from upturn.sampling.density.target import Target
from upturn.sampling.particles import sobol
from upturn.sampling.particles.chains import REPLICATES
from upturn.sampling.population import adaptation, budget
from upturn.sampling.population.request import Request
from upturn.sampling.population.stages import Stages
from upturn.tables.results import read


def beyond(target):
    """Levels under a posterior twice as cold, from points of the prior; and what they should be."""
    much = replace(budget.LEAST, prior=4096, stage=2048, colder=2)
    request = Request(target, np.array([0]), sobol.keys(1, ["x"], REPLICATES), 100, 100.0)
    rows, keys = request.adaptations
    cloud = Stages(target.engine)
    uniform = target.engine.uniforms(keys, 0, target.dimension, 0, much.prior)
    z = target.engine.run(adaptation._from_prior, uniform)
    cloud.add(z, target.log_likelihood(rows, z), None)
    found = adaptation._beyond(request, much, rows, keys, cloud)
    k, n = target.curves.response[0].sum(), target.curves.trials[0].sum()
    return stats.norm.cdf(found[:, 0]), stats.beta(1 + 2 * k, 1 + 2 * (n - k))


def binomial_level():
    model = Model.read("flat").with_likelihood("binomial")
    return Target(
        model, read(table(15)).curves("flops", scatter="none"), model.likelihood_for("counts")
    )
