"""Small tables of which a test says what matters, and the curves that they make."""

import numpy as np
import pandas as pd

from upturn.tables.results import read


def table(rows=4, **columns):
    """Models of one task, on scales of 1e20, 1e21 …; columns are added or replaced."""
    basis = {
        "task": "t",
        "model": [f"m{i}" for i in range(rows)],
        "score": np.arange(rows) / 10,
        "flops": [10.0 ** (20 + i) for i in range(rows)],
    }
    return pd.DataFrame(basis | columns)


def curves(rows=4, axis="flops", *, read_as=None, by=None, scatter="auto", limits=None, **columns):
    results = read(table(rows, **columns), **(read_as or {}))
    return results.curves(axis, by=by, scatter=scatter, limits=limits)


def many():
    """Three curves of 3, 1 and 2 points on two axes, with runs."""
    return pd.DataFrame(
        {
            "task": ["a", "b", "a", "c", "c", "a"],
            "model": ["z", "y", "x", "w", "v", "u"],
            "score": [0.3, 0.5, 0.1, 0.6, 0.7, 0.2],
            "trials": 10,
            "flops": [1e22, 1e20, 1e20, 1e23, 1e21, 1e21],
            "params": [1e9, 1e8, 1e8, 1e10, 1e9, 1e8],
            "family": ["p", "p", "p", "q", "q", "q"],
        }
    )


def three_models(**columns):
    """Three models of one task; columns are added or replaced, None takes one away."""
    basis = {
        "task": "t",
        "model": ["a", "b", "c"],
        "score": [0.1, 0.2, 0.3],
        "flops": [1e20, 2e20, 3e20],
    }
    return pd.DataFrame({k: v for k, v in (basis | columns).items() if v is not None})
