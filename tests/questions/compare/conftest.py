"""Tables whose truth is known: tasks that turn up on one axis of scale and not on another."""

import numpy as np
import pandas as pd
import pytest


def _expected(u):
    """At chance until 0.6, then up to 0.9."""
    return 0.25 + 0.65 * np.clip((u - 0.6) / 0.25, 0, 1)


@pytest.fixture
def make_table():
    """Make a table of tasks that follow params; flops are independent of it, mixed or the same."""

    def make(tasks=1, points=24, seed=1, trials=300, other=None, **columns):
        rng = np.random.default_rng(seed)
        u = np.linspace(0, 1, points)
        params = 10 ** (8 + 3 * u)
        flops = 10 ** (20 + 4 * rng.permutation(u)) if other is None else other(u)
        mean = _expected(u)
        frames = [
            pd.DataFrame(
                {
                    "task": f"t{i}",
                    "model": [f"m{j}" for j in range(points)],
                    "score": rng.binomial(trials, mean) / trials,
                    "trials": trials,
                    "chance": 0.25,
                    "params": params,
                    "flops": flops,
                    **columns,
                }
            )
            for i in range(tasks)
        ]
        return pd.concat(frames, ignore_index=True)

    return make
