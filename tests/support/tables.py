"""Tables of results of one task, made up: scores that rise with scale, and losses that fall."""

import numpy as np
import pandas as pd


def table(n_models=12, families=3, seed=0, **columns):
    """A table of one task: scores that rise with scale."""
    generator = np.random.default_rng(seed)
    flops = np.logspace(20, 24, n_models)
    trials = generator.integers(50, 500, n_models)
    rate = 0.25 + 0.6 / (1 + np.exp(-(np.log10(flops) - 22) * 2))
    frame = pd.DataFrame(
        {
            "task": "t",
            "model": [f"m{i}" for i in range(n_models)],
            "flops": flops,
            "successes": generator.binomial(trials, rate),
            "trials": trials,
            "chance": 0.25,
            "family": [f"f{i % families}" for i in range(n_models)],
        }
    )
    return frame.assign(**columns)


def scores(metric="score", *, score, n_models=12, **columns):
    """A table of scores without trials."""
    frame = table(n_models).drop(columns=["successes", "trials", "chance"])
    rise = np.maximum(np.log10(frame["flops"]) - 22, 0) / 2
    noise = np.random.default_rng(0).normal(size=n_models)
    return frame.assign(metric=metric, score=score(rise, noise), **columns)


def loss(n_models=12, **columns):
    return scores("loss", score=lambda r, e: 4 - 1.5 * r + 0.03 * e, n_models=n_models, **columns)
