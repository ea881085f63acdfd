"""What classify is tried on: tables, and classifications whose draws and evidence are given."""

import numpy as np
import pandas as pd

from upturn.model import Model
from upturn.posterior.criteria import Criteria
from upturn.questions.classify.ends import nothing
from upturn.questions.classify.model_fit import ModelFit
from upturn.questions.classify.result import Classification
from upturn.tables import datasets
from upturn.tables.results import read

DRAWS = 40
TASKS = ("arithmetic_3da", "arithmetic_2da", "hellaswag", "triviaqa", "wic", "anli_r2")


def shape(
    name, log_evidence, p_emergent, *, p_sharp=0.0, flat_until=0.5, threshold=None, error=0.0
):
    """A model that says so of every curve: (curve,) each; the threshold lies at the onset."""
    log_evidence = np.asarray(log_evidence, dtype=float)
    full = np.ones((len(log_evidence), DRAWS))
    place = np.arange(DRAWS) / DRAWS
    emergent = place < np.broadcast_to(p_emergent, len(log_evidence))[:, None]
    sharp = emergent & (place < np.broadcast_to(p_sharp, len(log_evidence))[:, None])
    until = full * np.broadcast_to(flat_until, len(log_evidence))[:, None]
    outcome = np.where(emergent, 0, 5)
    threshold = np.where(emergent, until, np.inf)
    return ModelFit(
        Model.read(name), log_evidence, error * full[:, 0], full[:, 0] > 0,
        emergent, sharp, outcome, 0.5 * full, until, 0.2 * full, threshold,
        0.5 * full[:, :1], 0 * full[:, :1], nothing(len(log_evidence)),
    )  # fmt: skip


def classification(curves, shapes, *, learn=False, seed=0):
    return Classification(curves, tuple(shapes), Criteria(), learn, seed)


def gpt3(tasks=TASKS, axis="flops"):
    found = read(datasets.path("gpt3")).where("setting=few-shot").curves(axis, metric="acc")
    return found.take(np.isin(found.labels["task"], tasks))


def task(name, score, trials=200, **columns):
    """One task on scales of 1e19, 1e19.5 … FLOPs; columns are added or replaced."""
    points = len(score)
    basis = {
        "task": name,
        "model": [f"m{i}" for i in range(points)],
        "score": np.round(np.asarray(score) * trials) / trials,
        "trials": trials,
        "flops": 10 ** np.linspace(19, 19 + (points - 1) / 2, points),
        "chance": 0.25,
    }
    return pd.DataFrame(basis | columns)
