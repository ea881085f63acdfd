"""Tables whose scores follow a known mix of two axes."""

import numpy as np

import upturn
from benchmarks.accuracy.mix import simulated
from upturn.questions.fit.mix import coordinates

TRUTH = np.array([0.7, 0.3])
CLEAR = {"height": 0.8, "rate": 6.0, "overdispersion": 0.02}
MIX = "mix:params,tokens"
LEVELS = np.array([0.05, 0.5, 0.95])


def table(seed=3, curves=2, points=12, **columns):
    """Tasks that jump where params^a tokens^b passes a threshold of their own."""
    frame = simulated(
        TRUTH, seed=seed, curves=curves, points=points, height=0.8, rate=200.0, overdispersion=0.02
    )
    return frame.assign(**columns)


def fit(results, **options):
    how = {"axis": MIX, "model": "step", "likelihood": "binomial", "draws": 400, "seed": 1}
    return upturn.fit(results, **(how | options))


def curves_of(frame, axis=MIX):
    return coordinates.shared(upturn.read(frame).curves(axis))
