"""Speed: effective draws of tau a second, by replication, side by side in one run.

Every sampler gets the same curves, model and priors, and the seeds of all samplers are run by
turns, so that what else the machine does falls on each of them alike. Compiling is not counted,
except for `pm.sample`, which compiles each time it is called. Ours counts all that `upturn.fit`
does: the no-change twins, diagnostics and the tree too.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import measures, references, report, samplers, workloads
from benchmarks.reference import Counts

type Floats = NDArray[np.float64]

PEERS = {"joint": "nutpie-joint", "loop": "nutpie-loop", "pymc": "pymc-loop"}


def reference(curves: Any, counts: Counts, dataset: str, model: str) -> tuple[Floats, Floats]:
    """Functionals (curve, functional) and variances (curve,) of tau, by quadrature."""
    entries = references.load("quadrature")
    truth, variance = [], []
    for i, name in enumerate(curves.name.tolist()):
        label = references.key(dataset, name, model)
        entry = references.lookup(entries, label, counts.one(i))
        if entry is None:
            raise SystemExit(
                f"speed: expected a stored quadrature of {label!r}; "
                "run python -m benchmarks quadrature"
            )
        truth.append([entry["mean"]["changepoint"], *entry["changepoint_quantiles"]])
        variance.append(entry["sd"]["changepoint"] ** 2)
    return np.array(truth), np.array(variance)


def run(
    *,
    seeds: int = 8,
    peers: tuple[str, ...] = ("joint", "loop"),
    pymc_seeds: int = 1,
    dataset: str = "open-models",
    model: str = "hinge",
    threads: int = 2,
) -> dict[str, Any]:
    """Measure ours and the peers; see `table` for the answer."""
    curves = workloads.counts(dataset)
    problem = workloads.Problem(dataset, curves, model)
    truth, variance = reference(curves, problem.counts, dataset, model)
    report.note("compiling")
    chosen = ["ours", *(PEERS[peer] for peer in peers)]
    contestants = [samplers.REGISTRY[key].make(problem, threads) for key in chosen]
    turns = {
        sampler.name: pymc_seeds if key == PEERS["pymc"] else seeds
        for key, sampler in zip(chosen, contestants, strict=True)
    }
    return {
        "dataset": dataset, "model": model, "scatter": "none", "threads": threads,
        "curves": curves.name.tolist(), "functionals": measures.FUNCTIONALS,
        "samplers": compare(contestants, turns, truth, variance),
    }  # fmt: skip


def compare(
    contestants: list[samplers.Sampler], turns: dict[str, int], truth: Floats, variance: Floats
) -> dict[str, Any]:
    """Run each sampler for as many seeds as it has turns, and judge its draws.

    Parameters
    ----------
    contestants : list of Sampler
        Ours first.
    turns : dict
        Seeds by name.
    truth : array (curve, functional)
    variance : array (curve,)
    """
    seconds: dict[str, list[float]] = {s.name: [] for s in contestants}
    estimates: dict[str, list[Floats]] = {s.name: [] for s in contestants}
    for seed in range(max(turns.values())):
        for sampler in contestants:
            if seed >= turns[sampler.name]:
                continue
            answer = sampler.run(seed)
            seconds[sampler.name].append(answer.seconds)
            estimates[sampler.name].append(measures.functionals(answer.tau))
            report.note(f"seed {seed}: {sampler.name}, {answer.seconds:.2f} s")
    return {
        s.name: judge(
            np.array(estimates[s.name]), np.array(seconds[s.name]), truth, variance, s.setup
        )
        for s in contestants
    }


def judge(
    estimates: Floats, seconds: Floats, truth: Floats, variance: Floats, setup: float
) -> dict[str, Any]:
    """Effective draws by replication, a second and of the worst and the median curve.

    Parameters
    ----------
    estimates : array (seed, curve, functional)
    seconds : array (seed,)
    truth : array (curve, functional)
    variance : array (curve,)
    setup : float
    """
    effective = measures.effective_draws(estimates, truth, variance)
    rate = effective / seconds.mean()
    bias = (estimates.mean(axis=0) - truth) / np.sqrt(variance)[:, None]
    return {
        "seeds": len(seconds),
        "setup": setup,
        "seconds": seconds.mean(),
        "seconds_spread": seconds.std(ddof=1) if len(seconds) > 1 else 0.0,
        "effective": effective,
        "a_second": rate,
        "bias_in_sd": bias,
        "worst": rate.min(axis=0),
        "median": np.median(rate, axis=0),
    }


def table(found: dict[str, Any]) -> str:
    """Effective draws a second of each sampler, and ours as a multiple."""
    columns = ["sampler", "seeds", "setup s", "run s"]
    columns += [f"{which}, {f}" for which in ("worst", "median") for f in found["functionals"]]
    columns += ["ours ×, worst curve"]
    ours = next(iter(found["samplers"].values()))
    rows = []
    for name, one in found["samplers"].items():
        ratio = float(np.min(np.asarray(ours["worst"]) / np.asarray(one["worst"])))
        rows.append(
            [name, one["seeds"], one["setup"], one["seconds"], *map(float, one["worst"]),
             *map(float, one["median"]), ratio]
        )  # fmt: skip
    return report.table(columns, rows)
