"""Answers of pool from draws that are made up."""

import numpy as np
import pandas as pd

import upturn
from upturn.model import Model
from upturn.questions.pool.hierarchy import Pooled
from upturn.questions.pool.pool import answer
from upturn.questions.pool.result import Pool
from upturn.sampling.nuts import sample

FAMILIES = (3, 2, 1)
OFFSETS = np.array([-0.1, 0.0, 0.2])  # shares of the axis


def table(tasks=2, seed=0, **columns):
    rng = np.random.default_rng(seed)
    of = np.repeat(np.arange(3), FAMILIES)
    flops = 10.0 ** np.linspace(20, 24, len(of))
    rows = [
        {"task": f"t{t}", "model": f"m{i}", "family": f"f{f}", "flops": flops[i],
         "params": flops[i] ** 0.5, "chance": 0.25, "trials": 100,
         "successes": rng.binomial(100, 0.25 + 0.1 * max(i - 1, 0))}
        for t in range(tasks)
        for i, f in enumerate(of)
    ]  # fmt: skip
    return pd.DataFrame(rows).assign(**columns)


def pretended(pooled, *, seed=0, shift=0.0, divergences=0, stuck=False):
    """Draws as NUTS gives them: offsets about OFFSETS, emergence in the middle of the axis."""
    rng, shape = np.random.default_rng(seed), (4, 250)
    tasks, cells = len(pooled.curves), len(pooled.cell_task)
    p = {"changepoint": 0.5, "height": 0.8, "rate": 3.0, "floor": 0.25, "overdispersion": 0.1}
    draws = {
        name: value + 0.01 * rng.normal(size=(*shape, tasks)) * (value if value < 1 else 1)
        for name, value in p.items()
    }
    draws["offset"] = OFFSETS + shift + 0.02 * rng.normal(size=(*shape, 3))
    if stuck:
        draws["changepoint"][0, :, 0] += 0.3
    draws["cell_offset"] = draws["offset"][..., pooled.cell_family]
    draws["cell_offset"] = draws["cell_offset"] + 0.01 * rng.normal(size=(*shape, cells))
    draws["sigma_family"] = 0.1 * np.exp(0.1 * rng.normal(size=shape))
    draws["sigma_task"] = 0.02 * np.exp(0.1 * rng.normal(size=shape))
    return sample.Run(draws, divergences, 0)


def pool_of(axes=("flops",), **how):
    parts = []
    for i, axis in enumerate(axes):
        curves = upturn.read(table()).curves(axis, scatter="none")
        pooled = Pooled.of(Model.read("hinge"), curves)
        parts.append(answer(pooled, pretended(pooled, shift=0.3 * i, **how)))
    meta = {
        "notes": ["a note"],
        "arguments": {"over": "family", "model": "hinge", "axis": list(axes)},
    }
    return Pool(tuple(parts), meta)
