"""Likelihoods of made-up curves, as samplers see them."""

import numpy as np
import pandas as pd

from tests.support.tables import table
from upturn.model import Model
from upturn.sampling.density.target import Target
from upturn.tables.results import read


def target_of(frame, model="hinge", scatter="none", **read_options):
    curves = read(frame, **read_options).curves("flops", scatter=scatter)
    chosen = Model.read(model)
    return Target(chosen, curves, chosen.likelihood_for(str(curves.kind[0])))


def hinge_mean(p, u):
    beyond = np.maximum(u - p["changepoint"], 0)
    s = p["height"] * (1 - np.exp(-p["rate"] * beyond))
    return p["floor"] + (1 - p["floor"]) * s


def two_curves(scatter):
    """Two curves of different length, with groups of two to four points."""
    frames = [table(9), table(14, families=5, seed=1)]
    frame = pd.concat([f.assign(task=f"t{i}") for i, f in enumerate(frames)])
    return read(frame).curves("flops", scatter=scatter)


def target_of_two(model, likelihood, scatter):
    chosen = Model.read(model).with_likelihood(likelihood)
    curves = two_curves(scatter)
    return Target(chosen, curves, chosen.likelihood_for(str(curves.kind[0])))
