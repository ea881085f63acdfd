"""Contest: every sampler on the same curves, models and priors, judged by the same measures.

Each sampler lives in a process of its own (`benchmarks.speed.worker`). They are set up, then run by
turns, seed by seed, so that whatever else the machine does falls on each alike; as many at a time
as there are lanes, sets of cores that no other process uses. A sampler that has spent its budget
gets no further seed, and one that takes longer than the limit is stopped and stays in the table as
a row that says so.
"""

from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks import samplers
from benchmarks.output import report
from benchmarks.output.arguments import count
from benchmarks.problems import workloads
from benchmarks.references import measures, stored
from benchmarks.references.measures import Reduced, Truth
from benchmarks.speed.processes import Cores, Lanes, StoppedError, Worker

KEYS = tuple(key for key in samplers.REGISTRY if key not in samplers.LONG)


@dataclass
class Turn:
    """What a sampler has done so far on one workload."""

    key: str
    worker: Worker | None = None
    runs: list[Reduced] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    megabytes: float = 0.0
    problem: str = ""  # why it is missing, or was stopped

    def more(self, seeds: int, budget: float) -> bool:
        """Whether it has another turn."""
        return self.worker is not None and len(self.runs) < seeds and sum(self.seconds) < budget

    def left(self, seeds: int, budget: float) -> float:
        """Seconds that it may still take, at most."""
        if self.worker is None:
            return 0.0
        if not self.seconds:
            return budget
        seconds = float(np.mean(self.seconds))
        return min((seeds - len(self.runs)) * seconds, max(budget - sum(self.seconds), 0.0))


def add_arguments(parser: ArgumentParser) -> None:
    names = tuple(workloads.WORKLOADS)
    parser.add_argument("--workloads", dest="names", nargs="+", choices=names, default=names)
    parser.add_argument(
        "--samplers", dest="keys", nargs="+", choices=tuple(samplers.REGISTRY), default=KEYS
    )
    parser.add_argument("--seeds", type=count, default=20)
    parser.add_argument("--budget", type=float, default=300, help="s of a sampler on a workload")
    parser.add_argument("--limit", type=float, default=1200, help="s after which a run is stopped")
    parser.add_argument("--threads", type=int, default=2)


def run(
    *,
    names: Sequence[str] = tuple(workloads.WORKLOADS),
    keys: Sequence[str] = KEYS,
    seeds: int = 20,
    budget: float = 300.0,
    limit: float = 1200.0,
    threads: int = 2,
) -> dict[str, Any]:
    """Every sampler on every workload; see `table`.

    Parameters
    ----------
    names, keys : sequence of str
        Workloads and samplers.
    seeds : int
        Runs of each sampler, at most.
    budget : float
        Seconds of a sampler on a workload, after which it begins no further run.
    limit : float
        Seconds of setting up and of a run, after which a sampler is stopped.
    threads : int
        Of each sampler, and cores of a lane.
    """
    lanes = Lanes(threads)
    results: dict[str, Any] = {
        "threads": threads, "lanes": len(lanes), "seeds": seeds, "budget": budget, "workloads": {},
    }  # fmt: skip
    for number, name in enumerate(names):
        after = len(names) - number - 1
        results["workloads"][name] = _one(
            name, keys, lanes, seeds=seeds, budget=budget, limit=limit, after=after
        )
    return results


def _one(
    name: str, keys: Sequence[str], lanes: Lanes, *, seeds: int, budget: float, limit: float,
    after: int,
) -> dict[str, Any]:  # fmt: skip
    """One workload; only why not, where it has no references."""
    workload, problem = workloads.WORKLOADS[name], workloads.problem(name)
    without = unreferenced(problem, workload)
    asked = f"expected a stored quadrature of {', '.join(without)}; {remedy(workload, problem)}"
    if without:
        report.note(f"{name}: {asked}")
    if len(without) == len(problem.curves):
        return {"title": workload.title, "problem": f"not measured: {asked}"}
    spec: dict[str, Any] = {"workload": name}
    if without:
        spec["tasks"] = [task for task in problem.curves.name.tolist() if task not in without]
        problem = workloads.problem(name, spec["tasks"])
    truth = truth_of(problem, workload)
    turns = lanes.map(lambda key, cores: _set_up(spec, key, cores, lanes.threads, limit), keys)

    def take(next_up: tuple[int, Turn], cores: Cores) -> None:
        seed, turn = next_up
        took = _take(turn, seed, cores)
        left = sum(t.left(seeds, budget) for t in turns)
        later = after * sum(_spent(t, budget) for t in turns)
        report.note(
            f"{name}, seed {seed}: {samplers.REGISTRY[turn.key].title}, {took}; "
            f"at most {minutes((left + later) / len(lanes))} left"
        )

    try:
        for seed in range(seeds):
            lanes.map(take, [(seed, turn) for turn in turns if turn.more(seeds, budget)])
    finally:
        for turn in turns:
            if turn.worker is not None:
                turn.worker.close()
    return {
        "title": workload.title,
        "model": problem.model,
        "curves": problem.curves.name.tolist(),
        "unreferenced": without,
        "points": problem.curves.points.tolist(),
        "recipe": workload.recipe,
        "functionals": measures.FUNCTIONALS,
        "samplers": {turn.key: _row(turn, truth) for turn in turns},
    }


def _set_up(spec: dict[str, Any], key: str, cores: Cores, threads: int, limit: float) -> Turn:
    entry = samplers.REGISTRY[key]
    turn = Turn(key, problem=entry.missing)
    if not turn.problem:
        order = {"sampler": key, "problem": spec, "threads": threads}
        try:
            turn.worker = Worker(order, limit, cores)
        except StoppedError as error:
            turn.problem = str(error)
    ready = f"ready in {turn.worker.cold:.1f} s" if turn.worker else turn.problem
    report.note(f"{spec['workload']}: {entry.title}, {ready}")
    return turn


def _take(turn: Turn, seed: int, cores: Cores) -> str:
    """One run, and a line about it."""
    assert turn.worker is not None
    try:
        said = turn.worker.run(seed, cores)
    except StoppedError as error:
        turn.worker.close()
        turn.problem = str(error)
        turn.seconds.append(float("inf"))
        return turn.problem
    turn.runs.append(reduced(said["run"]))
    turn.seconds.append(said["seconds"])
    turn.megabytes = max(turn.megabytes, said["megabytes"])
    return f"{said['seconds']:.2f} s"


def _spent(turn: Turn, budget: float) -> float:
    """What it will take on another workload, at most."""
    if turn.worker is None:
        return 0.0
    return min(sum(turn.seconds), budget) if turn.seconds else budget


def reduced(said: dict[str, Any]) -> Reduced:
    """A run as it was sent."""
    arrays: dict[str, Any] = {
        name: {k: np.array(v) for k, v in value.items()} if isinstance(value, dict)
        else value if name == "seconds" or value is None else np.array(value)
        for name, value in said.items()
    }  # fmt: skip
    return Reduced(**arrays)


def _row(turn: Turn, truth: Truth) -> dict[str, Any]:
    entry = samplers.REGISTRY[turn.key]
    row: dict[str, Any] = {"title": entry.title, "problem": turn.problem}
    if turn.worker is not None:
        row |= {
            "imports": turn.worker.ready["imports"],
            "setup": turn.worker.ready["setup"],
            "device": turn.worker.ready["device"],
            "megabytes": turn.megabytes,
        }
    if turn.runs:
        row |= measures.judged(turn.runs, truth)
        row["seed_numbers"] = list(range(len(turn.runs)))
        row["cold"] = turn.worker.cold + turn.seconds[0]  # type: ignore[union-attr]
    return row


def unreferenced(problem: workloads.Problem, workload: workloads.Workload) -> list[str]:
    """Names of the curves that have no stored reference."""
    names = problem.curves.name.tolist()
    return [
        name
        for name, entry in zip(names, _entries(problem, workload), strict=True)
        if entry is None
    ]


def remedy(workload: workloads.Workload, problem: workloads.Problem) -> str:
    """What makes the references that are not there yet."""
    return (
        f"make it by python -m benchmarks quadrature --datasets {workload.dataset} "
        f"--models {problem.model} --needed"
    )


def _entries(problem: workloads.Problem, workload: workloads.Workload) -> list[Any]:
    """The stored reference of each curve, or None."""
    entries = stored.load("quadrature")
    labels = [stored.key(workload.dataset, n, problem.model) for n in problem.curves.name]
    return [
        stored.lookup(entries, label, counts)
        for label, counts in zip(labels, problem.counts.each(), strict=True)
    ]


def truth_of(problem: workloads.Problem, workload: workloads.Workload) -> Truth:
    """The stored references of a problem's curves, which all have one."""
    results, names = _entries(problem, workload), problem.parameters
    mean, sd = (
        {n: np.array([entry[kind][n] for entry in results]) for n in names}
        for kind in ("mean", "sd")
    )
    relative = np.array([entry["moment_error"] for entry in results])
    return Truth(
        np.array([[e["mean"]["changepoint"], *e["changepoint_quantiles"]] for e in results]),
        mean, sd, {n: relative * sd[n] for n in names},
    )  # fmt: skip


def minutes(seconds: float) -> str:
    """Seconds as people say them."""
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def table(results: dict[str, Any]) -> str:
    """Tables of speed, of cost in evaluations and of accuracy for each workload."""
    return "\n\n".join(
        f"### {name}\n\n{entry['title']}.\n\n{_tables(entry)}"
        for name, entry in results["workloads"].items()
    )


def _tables(entry: dict[str, Any]) -> str:
    if "problem" in entry:
        return str(entry["problem"])
    without = ", ".join(entry.get("unreferenced", ()))
    said = f"Not measured, since there is no reference yet: {without}." if without else ""
    parts = [said, speed_table(entry), cost_table(entry), accuracy_table(entry)]
    return "\n\n".join(part for part in parts if part)


def speed_table(entry: dict[str, Any]) -> str:
    """Effective draws of the changepoint a second, and what was paid for them."""
    columns = ["sampler", "seeds", "cold s", "of it compiling", "warm s"]
    columns += [f"{which}, {f}" for which in ("worst", "median") for f in entry["functionals"]]
    columns += ["ours ×, worst curve", "peak MB"]
    rows, ours = [], entry["samplers"].get("ours", {}).get("worst")
    for row in entry["samplers"].values():
        if "seeds" not in row:
            rows.append([row["title"], row["problem"], *[""] * (len(columns) - 2)])
            continue
        rows.append(
            [_titled(row), row["seeds"], row["cold"], row["setup"], row["seconds"],
             *map(float, row["worst"]), *map(float, row["median"]),
             "–" if ours is None else float(np.min(np.array(ours) / np.array(row["worst"]))),
             row["megabytes"]]
        )  # fmt: skip
    return report.table(columns, rows)


def cost_table(entry: dict[str, Any]) -> str:
    """Effective draws for each evaluation of the likelihood; empty where they are not counted."""
    rows = {
        _titled(row): row["per_evaluation"]
        for row in entry["samplers"].values()
        if row.get("per_evaluation") is not None
    }
    return measures.cost_table(rows, entry["functionals"]) if rows else ""


def accuracy_table(entry: dict[str, Any]) -> str:
    """Errors against the references, and whether wrong answers were flagged."""
    columns = ["sampler", "curves × seeds", "largest error, s.e.", "largest bias, sd", "wrong"]
    columns += ["of them not flagged", "R̂ > 1.01", "flagged"]
    rows = []
    for row in entry["samplers"].values():
        if "seeds" not in row:
            rows.append([row["title"], row["problem"], *[""] * (len(columns) - 2)])
            continue
        rows.append(
            [_titled(row), row["runs"], _largest(row),
             float(np.abs(np.asarray(row["bias"])).max()),
             *(f"{100 * row[key] / row['runs']:.0f} %" for key in ("wrong",)),
             row["wrong_unflagged"],
             *(f"{100 * row[key] / row['runs']:.0f} %" for key in ("large_rhat", "flagged"))]
        )  # fmt: skip
    return report.table(columns, rows)


def _largest(row: dict[str, Any]) -> str:
    """The largest error of a mean, and the parameter that it is of."""
    z = row["z_by_parameter"]
    name = max(z, key=lambda name: np.nan_to_num(z[name], nan=np.inf))
    return f"{z[name]:.3g} ({name})"


def _titled(row: dict[str, Any]) -> str:
    device = f" ({row['device'].upper()})" if row.get("device", "cpu") != "cpu" else ""
    stopped = f"; then {row['problem']}" if row["problem"] else ""
    return f"{row['title']}{device}{stopped}"
