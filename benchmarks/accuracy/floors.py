"""Floors: is growth before the onset seen, and is a flat floor left in peace?

`python -m benchmarks floors --tasks 40` takes minutes on two cores.
"""

from argparse import ArgumentParser
from typing import Any

import numpy as np

from benchmarks.output import report
from benchmarks.problems import workloads
from benchmarks.problems.simulate import DECADES, Table

SLOPES = (0.0, 0.5, 1.0)  # growth of the floor in log odds, up to the onset
NOISE = {"binomial": 1e-4, "overdispersed": 0.05}  # square roots of the intra-class correlation
MODELS = ("flat", "logistic", "gompertz", "step", "hinge", "ramp")
POINTS, TRIALS = 24, 500
LEVELS = (0.02, 0.25)  # of the floors
AT = (0.5, 0.95)


def simulated(count: int, slope: float, overdispersion: float, *, seed: int) -> Table:
    """A floor that grows by so much in log odds up to the onset, then a saturating rise."""
    rng = np.random.default_rng(seed)
    x = np.tile(np.linspace(*DECADES, POINTS), (count, 1))
    u = (x - x[:, :1]) / (x[:, -1:] - x[:, :1])
    onset, level = rng.uniform(0.5, 0.75, (count, 1)), rng.choice(LEVELS, (count, 1))
    log_odds = np.log(level / (1 - level)) + slope * np.minimum(u / onset, 1)
    floor = 1 / (1 + np.exp(-log_odds))
    mean = floor + (0.9 - floor) * -np.expm1(-8 * np.maximum(u - onset, 0))
    size = 1 / overdispersion**2 - 1
    solved = rng.binomial(TRIALS, rng.beta(mean * size, (1 - mean) * size)).astype(float)
    everywhere = np.ones(x.shape)
    return Table(
        x, solved, TRIALS * everywhere, everywhere > 0, np.full(x.shape, -1),
        np.full(count, np.nan), {},
    )  # fmt: skip


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--tasks", type=int, default=40, help="of each sort")
    parser.add_argument("--seed", type=int, default=5)


def run(*, tasks: int = 40, seed: int = 5) -> dict[str, Any]:
    """How many floors of each sort are said to grow."""
    import upturn

    rows = []
    for truth, overdispersion in NOISE.items():
        for slope in SLOPES:
            curves = workloads.curves_of(simulated(tasks, slope, overdispersion, seed=seed))
            classification = upturn.classify(
                curves, models=MODELS, draws=400, learn_prevalence=False, seed=seed
            )
            test = upturn.floor_test(classification, draws=400)
            emerged = test.tested & (classification.probability("emergent")[0] > 0.5)
            summary = test.summary()[emerged]
            row: dict[str, Any] = {"truth": truth, "growth": slope, "tested": int(emerged.sum())}
            for noise in ("binomial", "default"):
                p = summary[f"p_grows_{noise}"].to_numpy()
                row |= {f"{noise} > {at:g}": 100 * float((p > at).mean()) for at in AT}
            rows.append(row)
            report.note(f"floors: {truth}, growth {slope:g} done")
    return {"tasks": tasks, "seed": seed, "rows": rows}


def table(results: dict[str, Any]) -> str:
    """Percent of floors with p_grows above 0.5 and 0.95, as Markdown."""
    rows = results["rows"]
    return report.table(list(rows[0]), [list(row.values()) for row in rows])
