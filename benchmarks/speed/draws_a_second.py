"""Speed: effective draws of tau a second, by replication, side by side in one run.

Every sampler gets the same curves, model and priors, and the seeds of all samplers are run by
turns, so that what else the machine does falls on each of them alike. Compiling is not counted,
except for `pm.sample`, which compiles each time it is called. Ours counts all that `upturn.fit`
does: the no-change twins, diagnostics and the tree too.
"""

from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import samplers
from benchmarks.output import report
from benchmarks.output.arguments import count
from benchmarks.problems import workloads
from benchmarks.problems.pymc_models import Counts
from benchmarks.references import measures, stored

type Floats = NDArray[np.float64]

PEERS = {"joint": "nutpie-joint", "loop": "nutpie-loop", "pymc": "pymc-loop"}


def reference(curves: Any, counts: Counts, dataset: str, model: str) -> tuple[Floats, Floats]:
    """Functionals (curve, functional) and variances (curve,) of tau, by quadrature."""
    entries = stored.load("quadrature")
    truth, variance = [], []
    for i, name in enumerate(curves.name.tolist()):
        label = stored.key(dataset, name, model)
        entry = stored.lookup(entries, label, counts.one(i))
        if entry is None:
            raise SystemExit(
                f"speed: expected a stored quadrature of {label!r}; "
                "run python -m benchmarks quadrature"
            )
        truth.append([entry["mean"]["changepoint"], *entry["changepoint_quantiles"]])
        variance.append(entry["sd"]["changepoint"] ** 2)
    return np.array(truth), np.array(variance)


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--seeds", type=count, default=20)
    parser.add_argument("--peers", nargs="*", choices=tuple(PEERS), default=["joint", "loop"])
    parser.add_argument("--pymc-seeds", type=count, default=1)
    parser.add_argument(
        "--datasets", nargs="+", choices=tuple(workloads.WORKLOADS), default=["open-models", "gpt3"]
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--long", action="store_true", help="ours with 16,000 draws too, nutpie with 4,000 a chain"
    )


def run(
    *,
    seeds: int = 8,
    peers: tuple[str, ...] = ("joint", "loop"),
    pymc_seeds: int = 1,
    datasets: Sequence[str] = ("open-models", "gpt3"),
    model: str = "hinge",
    threads: int = 2,
    long: bool = False,
) -> dict[str, Any]:
    """Measure ours and the peers; see `table` for the answer.

    Parameters
    ----------
    seeds : int
    peers : tuple of str
        Of PEERS.
    pymc_seeds : int
        Of `pm.sample`, which takes long.
    datasets : sequence of str
        Of workloads.
    model : str
    threads : int
    long : bool
        Ours with 16,000 draws too, and nutpie with 4,000 a chain.
    """
    chosen = ["ours", *(PEERS[peer] for peer in peers)]
    if long:
        there = [f"{key}-long" for key in chosen if f"{key}-long" in samplers.LONG]
        chosen = ["ours", "ours-16000", *chosen[1:], *there]
    turns = {key: pymc_seeds if key == PEERS["pymc"] else seeds for key in chosen}
    return {
        "model": model, "scatter": "none", "threads": threads, "functionals": measures.FUNCTIONALS,
        "datasets": {name: _on(name, model, turns, threads) for name in datasets},
    }  # fmt: skip


def _on(dataset: str, model: str, turns: Mapping[str, int], threads: int) -> dict[str, Any]:
    """One data set: its curves, and every sampler's figures, of as many seeds as it has turns."""
    curves = workloads.problem(dataset).curves
    problem = workloads.Problem(dataset, curves, model)
    truth, variance = reference(curves, problem.counts, dataset, model)
    report.note(f"{dataset}: compiling")
    contestants = [samplers.REGISTRY[key].make(problem, threads) for key in turns]
    by_name = {s.name: seeds for s, seeds in zip(contestants, turns.values(), strict=True)}
    return {
        "curves": curves.name.tolist(),
        "samplers": compare(contestants, by_name, truth, variance),
    }


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
    evaluations: dict[str, list[Floats]] = {s.name: [] for s in contestants}
    for seed in range(max(turns.values())):
        for sampler in contestants:
            if seed >= turns[sampler.name]:
                continue
            answer = sampler.run(seed)
            seconds[sampler.name].append(answer.seconds)
            estimates[sampler.name].append(measures.functionals(answer.tau))
            if answer.evaluations is not None:
                evaluations[sampler.name].append(answer.evaluations)
            report.note(
                f"seed {seed}: {sampler.name}, {answer.seconds:.2f} s; "
                f"about {left(seconds, turns):.0f} s left"
            )
    return {
        s.name: judge(
            np.array(estimates[s.name]), np.array(seconds[s.name]), truth, variance, s.setup,
            evaluations=np.mean(evaluations[s.name], axis=0) if evaluations[s.name] else None,
        )
        for s in contestants
    }  # fmt: skip


def left(seconds: Mapping[str, Sequence[float]], turns: Mapping[str, int]) -> float:
    """Seconds that are still to come, of samplers that have run at least once."""
    return sum(
        (turns[name] - len(taken)) * float(np.mean(taken))
        for name, taken in seconds.items()
        if taken
    )


def judge(
    estimates: Floats,
    seconds: Floats,
    truth: Floats,
    variance: Floats,
    setup: float,
    *,
    evaluations: Floats | None = None,
) -> dict[str, Any]:
    """Effective draws by replication, a second and of the worst and the median curve.

    Parameters
    ----------
    estimates : array (seed, curve, functional)
    seconds : array (seed,)
    truth : array (curve, functional)
    variance : array (curve,)
    setup : float
    evaluations : array (curve,), optional
        Of a run, on average.
    """
    effective = measures.effective_draws(estimates, truth, variance)
    rate = effective / seconds.mean()
    bias = (estimates.mean(axis=0) - truth) / np.sqrt(variance)[:, None]
    return {
        "seeds": len(seconds),
        "seed_numbers": list(range(len(seconds))),
        "setup": setup,
        "seconds": seconds.mean(),
        "seconds_spread": seconds.std(ddof=1) if len(seconds) > 1 else 0.0,
        "effective": effective,
        "a_second": rate,
        "bias_in_sd": bias,
        "worst": rate.min(axis=0),
        "median": np.median(rate, axis=0),
        "per_evaluation": None
        if evaluations is None
        else measures.per_evaluation(effective, evaluations),
    }


def table(results: dict[str, Any]) -> str:
    """Effective draws a second of each sampler, ours as a multiple, and draws an evaluation."""
    return "\n\n".join(
        f"### {name}\n\n{_table(entry['samplers'], results['functionals'])}"
        for name, entry in results["datasets"].items()
    )


def _table(rows: Mapping[str, Mapping[str, Any]], functionals: Sequence[str]) -> str:
    of_curve = [name for name in rows if name.startswith("upturn")] or list(rows)[:1]
    columns = ["sampler", "seeds", "setup s", "run s"]
    columns += [f"{which}, {f}" for which in ("worst", "median") for f in functionals]
    columns += ["ours ×, worst curve"]
    if len(of_curve) > 1:
        columns[-1:] = [f"{name.removeprefix('upturn, ')} ×, worst curve" for name in of_curve]
    lines = []
    for name, entry in rows.items():
        worst = np.asarray(entry["worst"])
        ratios = [float(np.min(np.asarray(rows[ours]["worst"]) / worst)) for ours in of_curve]
        lines.append(
            [name, entry["seeds"], entry["setup"], entry["seconds"], *map(float, worst),
             *map(float, entry["median"]), *ratios]
        )  # fmt: skip
    counted = {
        name: entry["per_evaluation"] for name, entry in rows.items() if entry.get("per_evaluation")
    }
    tables = [report.table(columns, lines)]
    if counted:
        tables.append(measures.cost_table(counted, functionals))
    return "\n\n".join(tables)
