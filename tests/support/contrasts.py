"""A technique beside its baseline, made up."""

import numpy as np
import pandas as pd
from scipy.special import expit

import upturn


def table(rng, *, task="t", count=14, start=-0.7, change=0.3, growth=3.0, trials=300, rho=0.001):
    """A baseline whose log odds grow in a line, and a technique with a gain, on the same models."""
    u = np.linspace(0, 1, count)
    own = u + 0.05 * rng.normal(size=count)  # effective scale, the same for both scores
    rows = []
    for setting in ("direct", "cot"):
        gain = start + growth * np.maximum(own - change, 0) / (1 - change)
        p = expit(-2.5 + 4 * own + (gain if setting == "cot" else 0))
        k = rng.binomial(trials, rng.beta(p * (1 / rho - 1), (1 - p) * (1 / rho - 1)))
        rows += [(task, f"m{i}", setting, k[i] / trials, trials, 10 ** (20 + 4 * u[i]))
                 for i in range(count)]  # fmt: skip
    return pd.DataFrame(rows, columns=["task", "model", "setting", "score", "trials", "flops"])


def curves_of(frame):
    return upturn.read(frame).curves("flops", scatter="none")
