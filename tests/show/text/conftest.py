"""A fit whose answers are given and not computed, for what renders answers."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest

import upturn
from upturn.model import Model
from upturn.tables.curves import Curves

NUMBERS = {
    "verdict": "emerges",
    "p_change": 0.98,
    "scale": 2.1e22,
    "scale_low": 1.2e22,
    "scale_high": 4.0e22,
    "censored": False,
    "gain": 0.72,
    "changepoint": 2.4e22,
    "changepoint_low": 1.3e22,
    "changepoint_high": 4.4e22,
    "ess": 3900.0,
    "khat": 0.1,
    "rhat": 1.0,
    "log_evidence": -30.5,
    "flags": "",
}
TEXTS = {"scale": "2.1e22", "interval": "1.2e22 – 4.0e22", "changepoint": "2.4e22"}


@dataclass
class GivenFit:
    curves: Curves
    numbers: dict = field(default_factory=dict)
    words: dict = field(default_factory=dict)
    notes: tuple = ()
    failed: tuple = ()
    model: Model = field(default_factory=lambda: Model.read("hinge"))
    meta: dict = field(default_factory=lambda: {"version": "0.2.0", "seed": 0, "arguments": {}})

    def summary(self, ci=0.9):
        frame = pd.DataFrame(self.curves.labels, index=self.curves.name)
        return frame.assign(points=self.curves.points, **(NUMBERS | self.numbers))

    def texts(self, ci=0.9):
        index = self.curves.name
        return pd.DataFrame(index=index).assign(**(TEXTS | self.words))

    @property
    def one_axis(self):
        return self.curves

    def verdict_with(self, ci=0.9):
        return None

    def totals(self):
        return {"curves": len(self.curves), "converged": len(self.curves) - len(self.failed)}


@pytest.fixture(autouse=True)
def page(monkeypatch):
    """A page of the default width, no colour."""
    for name in ("COLUMNS", "FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def make_fit():
    """Make a fit of a table of scores by task, on models a, b, c … at 1e21, 1e22, 1e23 …."""

    def make(scores, *, axes=("flops",), numbers=None, words=None, notes=(), failed=(), **columns):
        frame = pd.concat(
            [
                pd.DataFrame(
                    {
                        "task": task,
                        "model": [chr(ord("a") + i) for i in range(len(row))],
                        "score": row,
                        "flops": 10.0 ** (21 + np.arange(len(row))),
                        "params": 10.0 ** (8 + np.arange(len(row))),
                        **columns,
                    }
                )
                for task, row in scores.items()
            ]
        )
        curves = upturn.read(frame).curves(list(axes))
        return GivenFit(curves, numbers or {}, words or {}, notes=notes, failed=failed)

    return make
