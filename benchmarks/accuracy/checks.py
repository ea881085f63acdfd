"""Checks: false alarms of `upturn check` on curves that fit, and how often it finds planted faults.

`python -m benchmarks checks` simulates curves by formulas written here: a hinge, whose formula the
fitted model has, with binomial scores. A clean table has 20 of them. A fault is planted in each
curve by itself; a family that is ahead, in a third of the models of a whole table.
"""

from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.output import report
from upturn import check, fit
from upturn.arrays.types import Floats

TRIALS, CHANCE = 500, 0.25
TASKS = 20  # of a table
POINTS = (8, 15, 40)
SINGLE = 0.05  # level of one test by itself, for the second column of power
LIKELIHOODS = ("binomial", "beta-binomial", "beta", "normal", "beta-binomial-robust")


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--tables", type=int, default=40, help="clean ones of each likelihood")
    parser.add_argument("--curves", type=int, default=60, help="with each fault")
    parser.add_argument("--draws", type=int, default=400)


def run(tables: int = 40, curves: int = 60, draws: int = 400, seed: int = 0) -> dict[str, Any]:
    """Shares of clean tables with a finding, and of curves with a fault that is found."""
    alarms = {}
    for likelihood in LIKELIHOODS:
        report.note(f"checks: clean tables, {likelihood}")
        found = [
            len(check(clean(15, likelihood, [seed, k]), likelihood=likelihood, draws=draws,
                      scatter="none").findings) > 0
            for k in range(tables)
        ]  # fmt: skip
        alarms[likelihood] = _share(found)
    power = {}
    for name in FAULTS:
        for points in POINTS:
            report.note(f"checks: {name}, {points} points")
            power[f"{name}, {points} points"] = _power(name, points, curves, draws, seed)
    return {"alarms": alarms, "power": power}


def table(results: dict[str, Any]) -> str:
    """Both as text."""
    rows = [(f"clean, {name}", f"{100 * s:.1f} ± {100 * e:.1f} % of tables", "")
            for name, (s, e) in results["alarms"].items()]  # fmt: skip
    for name, (of_table, by_itself) in results["power"].items():
        rows.append((name, *(f"{100 * s:.0f} ± {100 * e:.0f} %" for s, e in (of_table, by_itself))))
    return report.table(["what", "found at the level of a table", "by itself at 5 %"], rows)


# ---- simulated curves ----------------------------------------------------------------------------


def hinge(x: Floats, rng: np.random.Generator) -> Floats:
    """A curve from chance that rises and saturates."""
    tau, rate, height = rng.uniform(20.8, 22.8), rng.lognormal(0, 0.5), rng.uniform(0.3, 0.65)
    return CHANCE + height * (1 - np.exp(-rate * np.maximum(x - tau, 0)))


def clean(points: int, likelihood: str, seed: Any) -> pd.DataFrame:
    """A table of curves with the noise of a likelihood."""
    rng = np.random.default_rng(seed)
    x = np.sort(rng.uniform(20, 24, points))
    parts = []
    for t in range(TASKS):
        score, trials = _scores(hinge(x, rng), likelihood, rng)
        parts.append(_curve(f"t{t}", x, score, trials))
    return pd.concat(parts)


def _scores(mean: Floats, likelihood: str, rng: np.random.Generator) -> tuple[Floats, float]:
    """Scores about a curve, and their trials; without trials where noise is no count's."""
    if likelihood == "normal":
        return mean + rng.normal(0, 0.02, len(mean)), np.nan
    rate = mean
    if likelihood != "binomial":
        rate = rng.beta(mean * 300, (1 - mean) * 300)
    if likelihood == "beta":
        return rate, np.nan
    return rng.binomial(TRIALS, rate) / TRIALS, TRIALS


def _curve(task: str, x: Floats, score: Floats, trials: float, **labels: Any) -> pd.DataFrame:
    models = [f"m{i}" for i in range(len(x))]
    return pd.DataFrame({"model": models, "flops": 10.0**x, "score": score}).assign(
        task=task, trials=trials, chance=CHANCE, **labels
    )


# ---- faults --------------------------------------------------------------------------------------


def _outlier(mean: Floats, x: Floats, rng: np.random.Generator) -> Floats:
    out, k = mean.copy(), rng.integers(len(x))
    sd = np.sqrt(mean[k] * (1 - mean[k]) / TRIALS)
    out[k] = np.clip(mean[k] + rng.choice([-1, 1]) * 4 * sd, 0, 1)
    return out


def _far_outlier(mean: Floats, x: Floats, rng: np.random.Generator) -> Floats:
    return mean + 2 * (_outlier(mean, x, rng) - mean)


def _second_rise(mean: Floats, x: Floats, rng: np.random.Generator) -> Floats:
    return np.asarray(mean + 0.15 * (x > np.quantile(x, 0.75)))


def _chance_off(mean: Floats, x: Floats, rng: np.random.Generator) -> Floats:
    return np.asarray(mean - 0.05 * (1 - (mean - CHANCE) / (1 - CHANCE)))


def _correlated(mean: Floats, x: Floats, rng: np.random.Generator) -> Floats:
    noise = np.empty(len(x))
    noise[0] = rng.normal()
    for i in range(1, len(x)):
        noise[i] = 0.6 * noise[i - 1] + 0.8 * rng.normal()
    return np.clip(mean + 0.03 * noise, 0, 1)


type Fault = Callable[[Floats, Floats, np.random.Generator], Floats]

FAULTS: dict[str, tuple[str, Fault]] = {
    "an outlier of 4 binomial sds": ("outlier", _outlier),
    "an outlier of 12 binomial sds": ("outlier", _far_outlier),
    "a second rise of .15": ("trend", _second_rise),
    "chance off by .05": ("chance", _chance_off),
    "a lag-one correlation of .6": ("autocorrelation", _correlated),
    "a family a third of a decade ahead": ("shared", _second_rise),
}


def _power(name: str, points: int, curves: int, draws: int, seed: int) -> Any:
    """How often a fault is found: at the level of a table, and by itself at 5 %."""
    if FAULTS[name][0] == "shared":
        return _power_of_family(points, max(1, curves // TASKS), draws, seed)
    kind, fault = FAULTS[name]
    rng = np.random.default_rng([seed, points, len(name)])
    parts = []
    for t in range(curves):
        x = np.sort(rng.uniform(20, 24, points))
        score = rng.binomial(TRIALS, np.clip(fault(hinge(x, rng), x, rng), 0, 1)) / TRIALS
        parts.append(_curve(f"t{t}", x, score, TRIALS, run=f"r{t}"))
    seen = check(fit(pd.concat(parts), draws=draws, scatter="none"))._checked
    p = np.array([next((t.p for t in s.tests if t.kind == kind), 1.0) for s in seen])
    # in a table of 20 curves with some four tests each, half of the level
    return _share(p <= 0.05 / 2 / (4 * TASKS)), _share(p <= SINGLE)


def _power_of_family(points: int, tables: int, draws: int, seed: int) -> Any:
    found = []
    for k in range(tables):
        rng = np.random.default_rng([seed, points, k])
        x = np.sort(rng.uniform(20, 24, points))
        ahead = np.where(np.arange(points) % 3 == 0, 1 / 3, 0.0)
        parts = [
            _curve(f"t{t}", x, rng.binomial(TRIALS, hinge(x + ahead, rng)) / TRIALS, TRIALS)
            for t in range(TASKS)
        ]
        found.append(any(f.kind == "shared" for f in check(pd.concat(parts), draws=draws).findings))
    return _share(found), _share(found)


def _share(found: Any) -> tuple[float, float]:
    """A share, and its standard error with one more of each kind."""
    found = np.asarray(found, dtype=float)
    share, n = float(found.mean()), len(found)
    smooth = (found.sum() + 1) / (n + 2)
    return share, float(np.sqrt(smooth * (1 - smooth) / n))
