"""Mix: weights of a learned axis on simulated tables with known weights, and on real ones."""

from argparse import ArgumentParser, BooleanOptionalAction
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.output import report

if TYPE_CHECKING:
    import pandas as pd

    from upturn.questions.fit.mix.weights import Posterior
    from upturn.tables.results import Results

type Floats = NDArray[np.float64]

LEVEL = 0.9
DECADES = {"params": (8.0, 11.0), "tokens": (9.0, 12.0), "epochs": (0.0, 1.0)}
CHANCE = 0.25
OLMO = Path("../shared/data/olmo_ladder.csv")
MMLU = ("humanities", "other", "social_sciences", "stem")
THIN = 4  # of a run, every such checkpoint: a point costs time on each of thirty axes


# --- simulated tables -----------------------------------------------------------------------------


def simulated(
    weights: Floats, *, seed: int, curves: int = 6, points: int = 24, **fixed: float
) -> "pd.DataFrame":
    """A table of tasks that follow one mix of axes, from the definitions alone.

    Every parameter of a hinge is drawn from its prior unless it is given. All tasks are measured on
    the same models, whose sizes on each axis are independent.
    """
    import pandas as pd

    rng = np.random.default_rng(seed)
    names = list(DECADES)[: len(weights)]
    x = np.stack([rng.uniform(*DECADES[name], points) for name in names])
    low, high = x.min(axis=1, keepdims=True), x.max(axis=1, keepdims=True)
    along = weights @ ((x - low) / (high - low))
    u = (along - along.min()) / (along.max() - along.min())
    tables = []
    for task in range(curves):
        p = {
            "floor": rng.beta(1 + 98 * CHANCE, 1 + 98 * (1 - CHANCE)),
            "changepoint": rng.uniform(),
            "height": rng.uniform(),
            "rate": np.exp(1 + 1.2 * rng.standard_normal()),
            "overdispersion": abs(0.2 * rng.standard_normal()),
        } | fixed
        share = p["height"] * -np.expm1(-p["rate"] * np.maximum(u - p["changepoint"], 0))
        mean = p["floor"] + (1 - p["floor"]) * share
        size = 1 / np.clip(p["overdispersion"] ** 2, 1e-8, 0.999) - 1
        trials = rng.integers(200, 2000, points)
        solved = rng.beta(np.maximum(mean * size, 1e-12), np.maximum((1 - mean) * size, 1e-12))
        tables.append(
            pd.DataFrame(
                {
                    "task": f"t{task}",
                    "model": [f"m{i}" for i in range(points)],
                    **{name: 10**value for name, value in zip(names, x, strict=True)},
                    "successes": rng.binomial(trials, np.clip(solved, 0, 1)),
                    "trials": trials,
                    "chance": CHANCE,
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def coverage(tables: int, *, seed: int, axes: int = 2) -> dict[str, Any]:
    """How often the interval of the first weight holds the truth, which is drawn from its prior."""
    truths = np.random.default_rng(seed).dirichlet(np.ones(axes), tables)
    names = list(DECADES)[:axes]
    rows = []
    for i, truth in enumerate(truths):
        results = learned(simulated(truth, seed=seed + i), names)
        low, high = results.quantiles(
            results.weights[:, 0], np.array([(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        )
        mean, error = results.mean(results.weights)
        rows.append(
            {
                "truth": truth[0], "mean": mean[0], "error": error[0], "low": low, "high": high,
                "points": len(results.prior), "resolution": results.resolution,
                "gain": results.advantage[0].min(),
            }
        )  # fmt: skip
        report.note(f"mix: table {i + 1} of {tables}: {rows[-1]}")
    columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    inside = (columns["low"] <= columns["truth"]) & (columns["truth"] <= columns["high"])
    return {"tables": tables, "axes": axes, "covered": int(inside.sum()), **columns}


def learned(table: "pd.DataFrame", axes: list[str], model: str = "hinge") -> "Posterior":
    """The posterior of the weights of a table."""
    import upturn
    from upturn.model import Model
    from upturn.questions.fit.mix import coordinates, learn

    curves = upturn.read(table).curves(f"mix:{','.join(axes)}")
    return learn.explore(Model.read(model), coordinates.shared(curves), seed=0)


# --- real tables ----------------------------------------------------------------------------------


def _tables() -> Iterator[tuple[str, "Results", str]]:
    """Name, table, and whose offsets along the axis are integrated over."""
    import pandas as pd

    import upturn

    pythia = upturn.read(_thinned(upturn.read("pythia").frame))
    yield "pythia", pythia, "auto"
    yield "pythia, no scatter", pythia, "none"
    if not OLMO.exists():
        report.note(f"mix: {OLMO} is not there, its tables are left out")
        return
    ladder = pd.read_csv(OLMO)
    mc = ladder[ladder["task"].isin([f"mmlu_{part}_val_mc" for part in MMLU])]
    yield "olmo_ladder, MMLU as multiple choice", upturn.read(mc), "auto"
    rc = ladder[ladder["task"].isin([f"mmlu_{part}_val_rc" for part in MMLU])]
    yield "olmo_ladder, MMLU as ranked completion", upturn.read(_thinned(rc)), "auto"


def _thinned(table: "pd.DataFrame") -> "pd.DataFrame":
    """Every so manieth checkpoint of each run, its last among them."""
    place = table.groupby(["task", "run"])["tokens"].rank(ascending=False, method="first")
    return table[(place - 1) % THIN == 0].reset_index(drop=True)


def _real(
    results: "Results", axes: list[str], scatter: str, model: str = "hinge"
) -> dict[str, Any]:
    """The weights estimated from a table, and compute alone on the same points."""
    from upturn.model import Model
    from upturn.questions.fit.mix import coordinates, learn
    from upturn.questions.fit.mix import weights as weights_module
    from upturn.sampling import batch

    chosen = Model.read(model)
    curves = coordinates.shared(results.curves(f"mix:{','.join(axes)}", scatter=scatter))
    measured = learn.explore(chosen, curves, seed=0)
    compute = batch.sample(
        chosen, results.curves("flops", scatter=scatter), draws=learn.FEWEST_DRAWS, seed=0
    ).population
    axis, limits = curves.axes[0], curves.limits[:, :, 0]
    weights = weights_module.table(measured, axis, limits, LEVEL)
    tables = [weights_module.table(measured.of(i), axis, limits, LEVEL) for i in range(len(curves))]
    return {
        "curves": len(curves),
        "points": int(curves.points.sum()),
        "grid": len(measured.prior),
        "resolution": measured.resolution,
        "axes": weights.reset_index().to_dict(orient="list"),
        "log_evidence": measured.log_marginal[0],
        "compute": measured.log_marginal[0] - compute.log_evidence.sum(),
        "compute_se": np.hypot(measured.log_marginal[1], np.linalg.norm(compute.log_evidence_se)),
        "agreement": measured.agreement,
        "verdict": weights_module.verdict(measured, axis, limits, LEVEL),
        "own": {
            str(name): entry.iloc[0][["exponent", "exponent_low", "exponent_high"]].tolist()
            for name, entry in zip(curves.name, tables, strict=True)
        },
    }


# --- the measure ----------------------------------------------------------------------------------


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--tables", type=int, default=60)
    parser.add_argument("--real", action=BooleanOptionalAction, default=True)


def run(*, tables: int = 60, real: bool = True, seed: int = 31) -> dict[str, Any]:
    """Coverage on simulated tables, then the weights on real ones."""
    measured: dict[str, Any] = {
        "level": LEVEL,
        "seed": seed,
        "coverage": coverage(tables, seed=seed),
    }
    measured["real"] = {}
    for name, results, scatter in _tables() if real else ():
        report.note(f"mix: {name}")
        measured["real"][name] = _real(results, ["params", "tokens"], scatter)
        report.note(measured["real"][name]["verdict"])
    return measured


def table(results: dict[str, Any]) -> str:
    """Coverage, then weights and differences of evidence."""
    c = results["coverage"]
    share = c["covered"] / c["tables"]
    first = report.table(
        ["simulated tables", "covered", "of", "mean error", "rms error", "grid", "shared by"],
        [[f"{c['axes']} axes, weights from their prior", c["covered"], c["tables"],
          (c["mean"] - c["truth"]).mean(), np.sqrt(((c["mean"] - c["truth"]) ** 2).mean()),
          np.median(c["points"]), np.median(c["resolution"])]],
    )  # fmt: skip
    second = report.table(
        ["table", "curves", "points", "axis", "weight", "90 %", "exponent", "90 %", "mix − alone",
         "mix − flops", "one mix − own mixes"],
        [[name, r["curves"], r["points"], axis, r["axes"]["weight"][i],
          _range(r["axes"], "weight", i), r["axes"]["exponent"][i],
          _range(r["axes"], "exponent", i),
          r["axes"]["advantage"][i], r["compute"], r["agreement"]]
         for name, r in results["real"].items() for i, axis in enumerate(r["axes"]["axis"])],
    )  # fmt: skip
    third = report.table(
        ["curve", "exponent of the first axis, from this curve alone", "90 %"],
        [[f"{name}: {curve}", of_curve[0], f"{of_curve[1]:.2f} – {of_curve[2]:.2f}"]
         for name, r in results["real"].items() for curve, of_curve in r["own"].items()],
    )  # fmt: skip
    verdicts = "\n".join(f"- {name}: {r['verdict']}" for name, r in results["real"].items())
    return f"{first}\n\n{100 * share:.0f} % covered.\n\n{second}\n\n{verdicts}\n\n{third}"


def _range(axes: dict[str, list[float]], name: str, i: int) -> str:
    return f"{axes[f'{name}_low'][i]:.2f} – {axes[f'{name}_high'][i]:.2f}"
