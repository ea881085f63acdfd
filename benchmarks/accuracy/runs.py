"""Runs: coverage where checkpoints are not independent, and the noise is not the model's.

Hinges measured at checkpoints of a few training runs. Scores depart from the curve, on the scale of
log odds unless said otherwise, by noise that no likelihood here is made for; each sort is fitted as
if checkpoints were independent, and with what `upturn` has for runs. Noises may be measured in
several goes: results/runs.json keeps what was measured before in the same way.
"""

import json
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.output import report

if TYPE_CHECKING:
    from upturn import Curves

type Floats = NDArray[np.float64]
type Noise = Callable[[np.random.Generator, tuple[int, int, int]], Floats]

LEVEL = 0.9
RUNS, CHECKPOINTS, TRIALS = 5, 16, 500
REACH = 0.6  # of the axis that a run covers
ACROSS = 0.1  # sd of a run's place on the unit axis
APART = 0.4  # sd on log odds, a score of 0.1 at one half
CORRELATION = 0.8  # of one checkpoint with the next
HEAVY = 3.0  # degrees of freedom


def _none(rng: np.random.Generator, shape: tuple[int, int, int]) -> Floats:
    return np.zeros(shape)


def _white(rng: np.random.Generator, shape: tuple[int, int, int]) -> Floats:
    return APART * rng.standard_normal(shape)


def _vertical(rng: np.random.Generator, shape: tuple[int, int, int]) -> Floats:
    """One shift a run."""
    return np.broadcast_to(APART * rng.standard_normal((*shape[:2], 1)), shape)


def _autocorrelated(rng: np.random.Generator, shape: tuple[int, int, int]) -> Floats:
    """A stationary autoregression along the tokens of each run."""
    out = rng.standard_normal(shape)
    for i in range(1, shape[2]):
        out[..., i] = CORRELATION * out[..., i - 1] + np.sqrt(1 - CORRELATION**2) * out[..., i]
    return APART * out


def _heavy(rng: np.random.Generator, shape: tuple[int, int, int]) -> Floats:
    """The same, all of a run's noise being large or small, as in Student's t."""
    scale = np.sqrt(HEAVY / rng.chisquare(HEAVY, (*shape[:2], 1)))
    return _autocorrelated(rng, shape) * scale / np.sqrt(HEAVY / (HEAVY - 2))


# What is made of runs, as options of `upturn fit`; the last is what it does by default.
METHODS: dict[str, dict[str, str]] = {
    "ignored": {"likelihood": "beta-binomial", "scatter": "none"},
    "offsets": {"likelihood": "beta-binomial", "scatter": "run"},
    "correlated noise": {"likelihood": "ar", "scatter": "none"},
    "both, the default": {"likelihood": "ar", "scatter": "run"},
}
MARKS = "<!-- coverage -->", "<!-- /coverage -->"

# name: (whether runs stand apart along the axis, noise)
NOISES: dict[str, tuple[bool, Noise]] = {
    "independent": (False, _white),
    "along the axis": (True, _none),
    "vertical, one shift a run": (False, _vertical),
    "autocorrelated along tokens": (False, _autocorrelated),
    "autocorrelated, heavy-tailed": (False, _heavy),
    "along the axis and autocorrelated": (True, _autocorrelated),
}


def simulated(name: str, curves: int, *, seed: int) -> "tuple[Curves, Floats]":
    """Curves of runs under one sort of noise; the true changepoints on the unit axis."""
    import pandas as pd

    from upturn import read

    across, noise = NOISES[name]
    rng = np.random.default_rng(seed)
    shape = (curves, RUNS, CHECKPOINTS)
    start = np.linspace(0, 1 - REACH, RUNS)[:, None]
    u = np.broadcast_to(start + np.linspace(0, REACH, CHECKPOINTS), shape)
    tau, height = rng.uniform(0.2, 0.8, (curves, 1, 1)), rng.uniform(0.4, 0.9, (curves, 1, 1))
    rate = np.exp(rng.normal(1, 0.6, (curves, 1, 1)))
    place = u + across * ACROSS * rng.standard_normal((*shape[:2], 1))
    floor = rng.beta(1 + 98 * 0.25, 1 + 98 * 0.75, (curves, 1, 1))
    mean = floor + (1 - floor) * height * -np.expm1(-rate * np.maximum(place - tau, 0))
    odds = np.log(mean) - np.log1p(-mean) + noise(rng, shape)
    solved = rng.binomial(TRIALS, 1 / (1 + np.exp(-odds)))
    task, run, checkpoint = (index.ravel() for index in np.indices(shape))
    frame = pd.DataFrame(
        {
            "task": [f"task {i:04d}" for i in task],
            "model": [f"run {r} checkpoint {c}" for r, c in zip(run, checkpoint, strict=True)],
            "run": [f"run {r}" for r in run],
            "flops": 10 ** (20 + 5 * u.ravel()),
            "successes": solved.ravel(), "trials": TRIALS, "chance": 0.25,
        }
    )  # fmt: skip
    return read(frame).curves(), tau[:, 0, 0]


def covered(
    curves: "Curves",
    truth: Floats,
    *,
    likelihood: str,
    scatter: str,
    draws: int,
    threads: int | None = None,
) -> dict[str, Any]:
    """How often 90 % intervals contain the true changepoint.

    Of the hinge alone, and what is difficult gets a larger budget, but no tempered SMC: a fifth of
    the time of `upturn.fit`.
    """
    from upturn.model import Model
    from upturn.questions.arguments import curves_of
    from upturn.sampling import batch

    sample = batch.sample(
        Model.read("hinge").with_likelihood(likelihood),
        curves_of(curves, "flops", None, None, scatter),
        draws=draws, seed=0, threads=threads, attempts=1,
    )  # fmt: skip
    u = sample.parameters["changepoint"].reshape(len(curves), -1)
    ends = np.quantile(u, ((1 - LEVEL) / 2, (1 + LEVEL) / 2), axis=1)
    held = (ends[0] <= truth) & (truth <= ends[1])
    return {
        "curves": len(truth),
        "covered": held.mean(),
        "error": np.sqrt(LEVEL * (1 - LEVEL) / len(truth)),
        "width": np.median(ends[1] - ends[0]),
        "failed": int((~sample.population.converged).sum()),
    }


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--curves", type=int, default=200)
    parser.add_argument("--noises", nargs="*", choices=tuple(NOISES), default=tuple(NOISES))
    parser.add_argument("--threads", type=int)
    parser.add_argument("--page", type=Path, help="to put the table into, such as docs/runs.md")


def run(
    *,
    curves: int = 200,
    noises: tuple[str, ...] = tuple(NOISES),
    draws: int = 200,
    seed: int = 5,
    threads: int | None = None,
    page: Path | None = None,
) -> dict[str, Any]:
    """Fit every sort of noise in every way; see `table`, which is written into a page."""
    how = {"level": LEVEL, "seed": seed, "draws": draws, "curves": curves}
    rows = {(row["noise"], row["method"]): row for row in _before(how)}
    for name in noises:
        data, truth = simulated(name, curves, seed=seed + list(NOISES).index(name))
        for method, arguments in METHODS.items():
            report.note(f"runs: {name}, {method}")
            results = covered(data, truth, draws=draws, threads=threads, **arguments)
            rows[name, method] = {"noise": name, "method": method, **results}
    ordered = [rows[key] for name in NOISES for m in METHODS if (key := (name, m)) in rows]
    measured = {**how, "rows": ordered}
    if page is not None:
        write(measured, page)
    return measured


def _before(how: dict[str, Any]) -> list[dict[str, Any]]:
    """What was measured in the same way before."""
    path = report.FOLDER / "runs.json"
    results = json.loads(path.read_text("utf-8"))["runs"] if path.exists() else {}
    return results.get("rows", []) if {k: results.get(k) for k in how} == how else []


def table(results: dict[str, Any]) -> str:
    """Coverage in % with the median width of intervals, by noise and what is made of runs."""
    cells: dict[str, dict[str, str]] = {}
    for row in results["rows"]:
        text = f"{100 * row['covered']:.0f} ({row['width']:.2f})"
        cells.setdefault(row["noise"], {})[row["method"]] = text
    rows = [
        [name, *(of_curve.get(method, "–") for method in METHODS)]
        for name, of_curve in cells.items()
    ]
    return report.table(["noise", *METHODS], rows)


def write(results: dict[str, Any], page: Path) -> None:
    """Put the table into the page."""
    text = page.read_text("utf-8")
    before, rest = text.split(MARKS[0])
    after = rest.split(MARKS[1])[1]
    page.write_text(f"{before}{MARKS[0]}\n{table(results)}\n{MARKS[1]}{after}", "utf-8")
