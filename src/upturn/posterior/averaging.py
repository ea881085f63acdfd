"""Averaging over models: weights by evidence, every class equally likely."""

from collections.abc import Sequence

import numpy as np

from upturn.arrays.types import Floats
from upturn.model import Model


def prior_odds(models: Sequence[Model]) -> Floats:
    """Probability of each model: classes are equally likely, and within a class its models."""
    shapes = [one.shape for one in models]
    share = np.array([1 / shapes.count(shape) for shape in shapes])
    return share / share.sum()


def log_priors(models: Sequence[Model]) -> Floats:
    """Log prior probabilities of models: equal for each class of shapes, and within it each model.

    Examples
    --------
    >>> three = [Model.read(name) for name in ("hinge", "step", "logistic")]
    >>> np.exp(log_priors(three)).tolist()
    [0.25, 0.25, 0.5]
    """
    shapes = [model.shape for model in models]
    return -np.log([len(set(shapes)) * shapes.count(shape) for shape in shapes])


def probabilities(models: Sequence[Model], log_evidence: Floats) -> Floats:
    """Posterior probabilities of models, classes having equal prior odds: (curve, model).

    Parameters
    ----------
    models : sequence of Model
    log_evidence : array (curve, model)
    """
    joint = log_evidence + log_priors(models)
    out: Floats = np.exp(joint - np.logaddexp.reduce(joint, axis=1, keepdims=True))
    return out
