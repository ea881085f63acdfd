"""Pooling: coverage of families' offsets and of their spread, on tables simulated from the prior.

The tables are drawn in NumPy from the definitions. All have the same shape (tasks, families of one
to five models, trials), so that the hierarchical model is compiled once.
"""

from argparse import ArgumentParser
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.output import report

if TYPE_CHECKING:
    from upturn.tables.curves import Curves

type Floats = NDArray[np.float64]

LEVEL = 0.9
SIZES = (5, 4, 4, 3, 3, 2, 1, 1)  # models of each family
CHANCES = (0.0, 0.25, 0.0, 0.5)  # of each task
TRIALS = 400


@dataclass(frozen=True)
class Truth:
    """What a table was simulated from, on the unit axis."""

    offset: Floats
    sigma_family: float
    sigma_task: float


def simulate(seed: int, model: str) -> "tuple[Curves, Truth]":
    """A table whose every number is drawn from its prior: `hinge` or `logistic`."""
    import pandas as pd

    import upturn

    rng = np.random.default_rng(seed)
    family = np.repeat(np.arange(len(SIZES)), SIZES)
    u = np.sort(rng.uniform(size=len(family)))
    u = rng.permutation((u - u[0]) / (u[-1] - u[0]))
    sigma_family, sigma_task = np.abs(0.1 * rng.standard_normal(2))
    offset = sigma_family * rng.standard_normal(len(SIZES))
    rows = []
    for task, chance in enumerate(CHANCES):
        offsets = offset + sigma_task * rng.standard_normal(len(SIZES))
        share = SHARES[model](rng, u - offsets[family])
        floor = rng.beta(1 + 98 * chance, 1 + 98 * (1 - chance))
        mean = np.clip(floor + (1 - floor) * share, 1e-9, 1 - 1e-9)
        size = 1 / np.clip((0.2 * rng.standard_normal()) ** 2, 1e-8, 0.999) - 1
        solved = rng.binomial(TRIALS, rng.beta(mean * size, (1 - mean) * size))
        rows += [
            {"task": f"task {task}", "model": f"model {i}", "family": f"family {f}",
             "flops": 10 ** (19 + 6 * u[i]), "successes": int(solved[i]), "trials": TRIALS,
             "chance": chance}
            for i, f in enumerate(family)
        ]  # fmt: skip
    curves = upturn.read(pd.DataFrame(rows)).curves("flops", scatter="none")
    return curves, Truth(offset, sigma_family, sigma_task)


def _hinge(rng: np.random.Generator, u: Floats) -> Floats:
    tau, height = rng.uniform(size=2)
    rate = np.exp(1 + 1.2 * rng.standard_normal())
    return height * -np.expm1(-rate * np.maximum(u - tau, 0))


def _logistic(rng: np.random.Generator, u: Floats) -> Floats:
    height = rng.uniform()
    midpoint, width = 0.6 + 0.4 * rng.standard_normal(), np.exp(-2.3 + 0.8 * rng.standard_normal())
    return height / (1 + np.exp(-np.clip((u - midpoint) / width, -700, 700)))


SHARES = {"hinge": _hinge, "logistic": _logistic}


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--tables", type=int, default=60)
    parser.add_argument("--model", choices=tuple(SHARES), default="logistic")
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--tune", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)


def run(
    *,
    tables: int = 60,
    model: str = "logistic",
    draws: int = 2000,
    tune: int = 1000,
    chains: int = 4,
    seed: int = 0,
) -> dict[str, Any]:
    """Pool every table; see `table`."""
    from upturn.formulas.priors import Prior
    from upturn.model import Model
    from upturn.questions.pool.hierarchy import (
        SPREADS,
        Pooled,
        compile_hierarchy,
        coordinates,
        values,
    )
    from upturn.questions.pool.pool import grouped
    from upturn.sampling import batch

    chosen, compiled, rows = Model.read(model), None, []
    for number in range(tables):
        curves, truth = simulate(seed + number, model)
        pooled = Pooled.of(chosen, curves)
        pilot = batch.sample(chosen, grouped(pooled), draws=400, seed=seed)
        flat = {n: v.reshape(len(curves), -1) for n, v in pilot.parameters.items()}
        at = coordinates(pooled, flat)
        if compiled is None:
            spreads = {name: Prior.parse(text, name) for name, text in SPREADS.items()}
            compiled = compile_hierarchy(pooled, at, spreads)
        start = perf_counter()
        results = compiled.run(
            draws=draws // chains, tune=tune, chains=chains, accept=0.9,
            seed=seed + number, dense=True,
            data=values(pooled, at),
        )  # fmt: skip
        took = perf_counter() - start
        rhat, ess = results.diagnosed(["offset", *SPREADS])
        offset = results.draws["offset"].reshape(-1, len(SIZES))
        rows.append(
            {
                "inside": _inside(offset, truth.offset).tolist(),
                "rank": (offset < truth.offset).mean(axis=0).tolist(),
                "spread": bool(
                    _inside(results.draws["sigma_family"].reshape(-1, 1), truth.sigma_family)[0]
                ),
                "rhat": float(rhat.max()),
                "ess": float(ess.min()),
                "divergences": results.divergences,
                "steps": results.gradients / draws,
                "seconds": took,
            }
        )
        so_far = np.array([row["inside"] for row in rows])
        report.note(
            f"pooling: table {number + 1} of {tables}, {took:.0f} s; "
            f"{so_far.sum()} of {so_far.size} intervals hold the truth"
        )
    return {"level": LEVEL, "seed": seed, "model": model, "draws": draws, "rows": rows}


def _inside(draws: Floats, truth: Any) -> NDArray[np.bool_]:
    """Whether equal-tailed intervals of draws (draw, scalar) contain the true value (scalar,)."""
    low, high = np.quantile(draws, ((1 - LEVEL) / 2, (1 + LEVEL) / 2), axis=0)
    return np.asarray((low <= truth) & (truth <= high))


def table(results: dict[str, Any]) -> str:
    """Coverage by the number of models that a family has, and over all."""
    inside = np.array([row["inside"] for row in results["rows"]])
    sizes = np.array(SIZES)
    rows = [
        [f"families of {size} model{'s' * (size > 1)}", *_share(inside[:, sizes == size])]
        for size in sorted(set(SIZES))
    ]
    rows.append(["all families", *_share(inside)])
    rows.append(["sigma_family", *_share(np.array([row["spread"] for row in results["rows"]]))])
    worst = max(row["rhat"] for row in results["rows"])
    diverged = sum(row["divergences"] > 0 for row in results["rows"])
    poor = sum(row["rhat"] > 1.01 for row in results["rows"])
    return (
        report.table(["90 % intervals of", "intervals", "covered %", "± s.e."], rows)
        + f"\n\n{len(inside)} tables, model {results['model']}; R̂ above 1.01 in {poor} "
        f"(at most {worst:.3f}), divergences in {diverged}."
    )


def _share(inside: NDArray[np.bool_]) -> list[Any]:
    share = float(inside.mean())
    return [inside.size, 100 * share, 100 * np.sqrt(share * (1 - share) / inside.size)]
