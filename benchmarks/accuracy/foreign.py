"""Foreign: does the headline scale's interval hold on curves of shapes that no built-in model has?

`python -m benchmarks foreign` simulates curves of 6 to 15 models in two to four families, which
stand a little before or behind their scale: Richards' curve, two steps, a hump, a power of a smooth
score (every one of k tokens has to be right), and a probit. It asks `classify` for the scale and
counts how often 90 % intervals hold the one at which the expected score of a family without an
offset first stands 0.1 above chance ("beyond the axis" among the answers), and how right
p_emergent and p_sharp are. Curves are kept in results/foreign in parts as they are done. With
--families hidden they are not named; with found they are what `classify --families` makes of their
scores, which needs tasks that share their models (--tables). A curve takes two seconds of one core.
"""

from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr

import upturn
from benchmarks.output import report
from benchmarks.problems.shapes import truth_of
from upturn.questions.classify.families import families as find

LEVEL, DELTA = 0.9, 0.1
DECADES = (20.0, 24.0)
OFFSET = 0.05  # sd of a family's place, as a share of the axis
PART = 10  # curves of each shape in a part
DRAWS = 400
TASKS = 15  # of a table whose tasks share their models
COMMON = 0.5  # of the variance of a family's offset is the same on all of its tasks
SURE = 0.95
ANSWERS = ("emergent", "sharp")

type Floats = NDArray[np.float64]
type Curve = Callable[[Floats], Floats]


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--parts", type=int, default=4, help=f"{PART} curves of each shape a part")
    parser.add_argument("--families", choices=("named", "hidden", "found"), default="named")
    parser.add_argument("--tables", type=int, default=0, help=f"of {TASKS} tasks that share models")
    parser.add_argument("--seed", type=int, default=21)
    parser.add_argument("--threads", type=int)


def _richards(rng: np.random.Generator) -> Curve:
    """(1 + e^-(u - m)/w)^-1/nu: an S that is not symmetric."""
    middle, width, nu = rng.uniform(0.2, 0.9), rng.uniform(0.03, 0.15), rng.choice([0.3, 3.0])
    return lambda u: (1 + np.exp(-(u - middle) / width)) ** (-1 / nu)


def _two_steps(rng: np.random.Generator) -> Curve:
    first, second = np.sort(rng.uniform(0.15, 0.95, 2))
    share = rng.uniform(0.2, 0.6)
    return lambda u: share * (u > first) + (1 - share) * (u > second)


def _hump(rng: np.random.Generator) -> Curve:
    middle, width = rng.uniform(0.4, 0.7), rng.uniform(0.12, 0.25)
    return lambda u: np.exp(-0.5 * ((u - middle) / width) ** 2)


def _power(rng: np.random.Generator) -> Curve:
    """p^k, p growing on a line from .3 to 1: exact match of k tokens."""
    tokens = rng.choice([3, 5, 10])
    return lambda u: np.clip(0.3 + 0.7 * u, 0, 1) ** tokens


def _probit(rng: np.random.Generator) -> Curve:
    middle, width = rng.uniform(0.3, 0.9), rng.uniform(0.05, 0.2)
    return lambda u: ndtr((u - middle) / width)


SHAPES: dict[str, Callable[[np.random.Generator], Curve]] = {
    "Richards": _richards, "two steps": _two_steps, "hump": _hump, "power": _power,
    "probit": _probit,
}  # fmt: skip


@dataclass(frozen=True)
class Models:
    """Models that tasks are asked of, on the unit axis.

    Attributes
    ----------
    u : array (model,)
    family : array of int (model,)
    ahead : array (family,)
        How far ahead of its scale each family is on all tasks.
    own : float
        Sd of what it is ahead on one task beyond that.
    """

    u: Floats
    family: NDArray[np.int64]
    ahead: Floats
    own: float

    @classmethod
    def drawn(cls, rng: np.random.Generator, *, common: float = 0.0) -> "Models":
        """6 to 15 models of two to four families; `common` of their offsets' variance is shared."""
        count = int(rng.integers(6, 16))
        u = np.sort(np.concatenate([[0.0, 1.0], rng.uniform(size=count - 2)]))
        family = rng.integers(int(rng.integers(2, 5)), size=count)
        ahead = OFFSET * np.sqrt(common) * rng.standard_normal(5)
        return cls(u, family, ahead, OFFSET * np.sqrt(1 - common))


def simulated(
    shape: str, name: str, rng: np.random.Generator, models: Models
) -> tuple[pd.DataFrame, dict[str, float]]:
    """One curve's table, and the truth about it."""
    chance = float(rng.choice([0.0, 0.25]))
    height, share = rng.uniform(0.3, 1 - chance), SHAPES[shape](rng)

    def mean(u: Floats) -> Floats:
        return chance + height * share(u)

    place = models.u + (models.ahead + models.own * rng.standard_normal(5))[models.family]
    trials = int(rng.choice([100, 300, 1000]))
    p = np.clip(mean(place), 1e-6, 1 - 1e-6)
    size = rng.choice([100.0, 1000.0])
    solved = rng.binomial(trials, rng.beta(p * size, (1 - p) * size))
    x = DECADES[0] + (DECADES[1] - DECADES[0]) * models.u
    frame = pd.DataFrame({
        "task": name, "model": [f"m{i}" for i in range(len(x))], "score": solved / trials,
        "trials": trials, "chance": chance, "flops": 10**x,
        "family": [f"f{k}" for k in models.family],
    })  # fmt: skip
    return frame, truth_of(mean, chance, x)


def run(
    parts: int = 4,
    families: str = "named",
    tables: int = 0,
    seed: int = 21,
    threads: int | None = None,
) -> dict[str, Any]:
    """Classify simulated curves; see `table`."""
    make = _shared_table if tables else _part
    kept = report.in_parts(
        "foreign", f"{'table-' if tables else ''}{families}-{seed}", tables or parts,
        lambda number: make([seed, number], families, threads),
    )  # fmt: skip
    return {"families": families, "curves": [curve for part in kept for curve in part]}


def _part(seed: Sequence[int], families: str, threads: int | None) -> list[dict[str, Any]]:
    """Curves that have models of their own."""
    rng = np.random.default_rng(seed)
    names = [f"{shape} {i}" for shape in SHAPES for i in range(PART)]
    made = [simulated(n.rsplit(" ", 1)[0], n, rng, Models.drawn(rng)) for n in names]
    return _answers(names, made, families, seed[1], threads)


def _shared_table(seed: Sequence[int], families: str, threads: int | None) -> list[dict[str, Any]]:
    """Tasks that share their models."""
    rng = np.random.default_rng([*seed, 1])
    models = Models.drawn(rng, common=COMMON)
    names = [f"{shape} {i}" for shape in SHAPES for i in range(TASKS // len(SHAPES))]
    made = [simulated(n.rsplit(" ", 1)[0], n, rng, models) for n in names]
    return _answers(names, made, families, seed[1], threads)


def _answers(
    names: Sequence[str],
    made: Sequence[tuple[pd.DataFrame, dict[str, float]]],
    families: str,
    seed: int,
    threads: int | None,
) -> list[dict[str, Any]]:
    """The truth about some curves, and what is said of each."""
    frame = pd.concat([frame for frame, _ in made])
    how: dict[str, Any] = {
        "draws": DRAWS, "seed": seed, "threads": threads, "learn_prevalence": False
    }  # fmt: skip
    hidden = frame.drop(columns="family")
    classification = upturn.classify(frame if families == "named" else hidden, **how)
    p_families = 1.0
    if families == "found":
        look_alikes = find(classification)
        p_families = look_alikes.p
        if look_alikes.groups:
            known = upturn.read(hidden, facts=look_alikes.table())
            classification = upturn.classify(known, **how)
    low, middle, high = classification.scale_x(LEVEL)
    p = {answer: classification.probability(answer)[0] for answer in ANSWERS}
    place = {str(name): i for i, name in enumerate(classification.curves.name)}
    return [
        {"shape": name.rsplit(" ", 1)[0], "models": len(rows), "truth": truth,
         "low": float(low[place[name]]), "scale": float(middle[place[name]]),
         "high": float(high[place[name]]), "p_families": p_families,
         **{answer: float(p[answer][place[name]]) for answer in ANSWERS}}
        for name, (rows, truth) in zip(names, made, strict=True)
    ]  # fmt: skip


def table(results: dict[str, Any]) -> str:
    """Coverage by shape and in all, and how right probabilities are, with Monte Carlo errors."""
    return "\n\n".join([_coverage(results["curves"]), _rightness(results["curves"])]) + "\n"


def _coverage(curves: Sequence[dict[str, Any]]) -> str:
    rows: list[list[Any]] = []
    for shape in (*SHAPES, "all"):
        kept = [c for c in curves if shape in {c["shape"], "all"}]
        slack = 0.01  # of a decade: the truth is on a grid
        held = np.array(
            [c["low"] - slack <= c["truth"]["scale"] <= c["high"] + slack for c in kept]
        )
        width = np.array([c["high"] - c["low"] for c in kept])
        finite = np.isfinite(width)
        share = float(held.mean())
        rows.append([
            shape, len(kept), 100 * share, 100 * float(np.sqrt(share * (1 - share) / len(kept))),
            float(np.median(width[finite])) if finite.any() else float("nan"),
        ])  # fmt: skip
    columns = ["shape", "curves", "held %", "± s.e.", "decades wide (median)"]
    return report.table(columns, rows)


def _rightness(curves: Sequence[dict[str, Any]]) -> str:
    rows: list[list[Any]] = []
    for answer in ANSWERS:
        p = np.array([c[answer] for c in curves])
        true = np.array([c["truth"][answer] > 0 for c in curves])
        square = (p - true) ** 2
        sure = p > SURE
        rows.append([
            f"p_{answer}", 100 * float(true.mean()), float(square.mean()),
            float(square.std() / np.sqrt(len(p))), f"{int(true[sure].sum())} of {int(sure.sum())}",
        ])  # fmt: skip
    return report.table(["", "true %", "Brier", "± s.e.", "right above .95"], rows)
