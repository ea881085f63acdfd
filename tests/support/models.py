"""The built-in models as the documentation has them, and what their default priors imply."""

import math

import numpy as np

from tests.support.priors import from_prior
from upturn.arrays.namespaces import NUMPY
from upturn.formulas import segments
from upturn.model import Model

SEGMENT_PRIORS = {name: parameter.prior for name, parameter in segments.all_parameters().items()}
PARAMETERS = {
    "chance": ("floor",),
    "flat": ("level",),
    "logistic": ("height", "midpoint", "width", "floor"),
    "gompertz": ("height", "midpoint", "width", "floor"),
    "gompertz-mirror": ("height", "midpoint", "width", "floor"),
    "logit-line": ("intercept", "slope", "floor"),
    "step": ("changepoint", "level", "floor"),
    "hinge": ("changepoint", "height", "rate", "floor"),
    "ramp": ("changepoint", "slope", "floor"),
    "delayed-logit": ("changepoint", "level", "slope", "floor"),
    "inverse": ("intercept", "slope"),
    "u-shaped": ("changepoint", "intercept", "slope", "slope_2"),
    "rise-and-fall": ("changepoint", "intercept", "slope", "slope_2"),
    "takeoff": ("changepoint", "changepoint_2", "slope", "floor"),
}
SHAPE = {
    "flat": ("chance", "flat"),
    "smooth": ("logistic", "gompertz", "gompertz-mirror", "logit-line"),
    "changepoint": ("step", "hinge", "ramp", "delayed-logit", "takeoff"),
    "inverse": ("inverse",),
    "u-shaped": ("u-shaped",),
    "humped": ("rise-and-fall",),
}
CEILING = 0.9
U = np.linspace(0, 1, 201)


def mean(model, p, u=U, ceiling=CEILING):
    """Expected score (point, draw)."""
    draws = next(iter(p.values())).shape[2]
    got = model.mean(NUMPY, p, np.asarray(u)[None, :, None], np.full((1, 1, 1), ceiling))
    return np.broadcast_to(got, (1, len(u), draws))[0]


def width(score, rise):
    """The shortest stretch of the axis that holds 80 % of the rise, (draw,), in u."""
    cells = len(score) - 1
    found = np.full(score.shape[1], np.nan)
    for length in range(cells, 0, -1):
        holds = (score[length:] - score[:-length]).max(axis=0) >= 0.8 * rise - 1e-12
        found[holds] = length / cells
    return found


def implications(name, likelihood="beta-binomial", chance=0.25):
    """What a model's default priors imply, of 4,096 draws: the columns of docs/models.md."""
    model = Model.read(name)
    p = from_prior(model, 4096, likelihood=likelihood, chance=chance)
    score = mean(model, p, np.linspace(0, 1, 101), ceiling=1.0)
    rise = score[-1] - score[0]
    up = rise >= 0.1
    grown = score > score[0] + 0.1 * rise
    flat_until = (np.argmax(grown, axis=0) - 1) / 100
    near = np.abs(score[0] - chance) < 0.1 if likelihood == "beta-binomial" else np.full(4096, True)
    return {
        "moves": (np.ptp(score, axis=0) >= 0.1).mean(),
        "rises": up.mean(),
        "near": near.mean(),
        "start": np.quantile(score[0], [0.05, 0.5, 0.95]),
        "rise": np.quantile(rise, [0.05, 0.5, 0.95]),
        "width": np.median(width(score, rise)[up]) if up.any() else math.nan,
        "emergent": (up & near & (flat_until >= 0.25)).mean(),
    }
