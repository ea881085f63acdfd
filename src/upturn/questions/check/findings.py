"""Findings: in what a curve does not fit, in words, and what to type next."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from upturn.arrays.types import Floats

KINDS = ("scatter", "outlier", "trend", "autocorrelation", "shared", "chance", "calibration")
LEVEL = 0.05  # probability of any false alarm in a table
MOST = 2  # findings of one curve
SHAPES = "hinge,takeoff,gompertz,logistic,rise-and-fall"

REMEDIES = {
    "scatter": "--likelihood auto",
    "outlier": "--likelihood robust",
    "trend": f"upturn compare TABLE --shapes {SHAPES}",
    "autocorrelation": "--likelihood ar",
    "chance": "correct the column chance, or --prior floor='Beta(1, 4)'",
    "calibration": "check the column trials, or --likelihood robust",
}


@dataclass(frozen=True)
class Finding:
    """One way in which a curve, or a model over all curves, does not fit.

    Attributes
    ----------
    curve : int
        -1 for all curves of the table.
    kind : str
        One of `KINDS`.
    where : str
        A model, or a scale.
    p : float
        Probability of so much by chance; after `corrected`, in any curve of the table.
    says : str
        What was found, in words.
    remedy : str
        What to type, or to look at, next.
    """

    curve: int
    kind: str
    where: str
    p: float
    says: str
    remedy: str


def holm(p: Floats) -> Floats:
    """Probabilities corrected for their number (Holm 1979): (test,).

    Examples
    --------
    >>> holm(np.array([0.01, 0.5, 0.02])).tolist()
    [0.03, 0.5, 0.04]
    """
    order = np.argsort(p, kind="stable")
    left = len(p) - np.arange(len(p))
    out = np.empty(len(p))
    out[order] = np.minimum(np.maximum.accumulate(left * p[order]), 1)
    return out


def corrected(all_tests: Iterable[Finding], share: float) -> list[Finding]:
    """Findings with p corrected over all of them, at a share of the level.

    Parameters
    ----------
    all_tests : iterable of Finding
        Of every test that was made.
    share : float
        Of `LEVEL` that these tests may use.
    """
    tests = list(all_tests)
    p = holm(np.array([test.p for test in tests], dtype=np.float64)) / share
    return [replace(test, p=min(1.0, q)) for test, q in zip(tests, p.tolist(), strict=True)]


def kept(findings: Iterable[Finding]) -> list[Finding]:
    """The findings at the level of the table, at most two of a curve, the worst first."""
    worst = sorted((test for test in findings if test.p <= LEVEL), key=lambda test: test.p)
    count: dict[int, int] = {}
    out = []
    for test in worst:
        count[test.curve] = count.get(test.curve, 0) + 1
        if test.curve < 0 or count[test.curve] <= MOST:
            out.append(test)
    return sorted(out, key=lambda test: (test.curve < 0, test.curve, test.p))
