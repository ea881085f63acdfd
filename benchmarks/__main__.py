"""`python -m benchmarks [contest|growth|least-squares|agreement|…]`, or all at once.

All at once compares samplers, in some minutes, with few seeds; with --full in an hour and a
quarter. What asks for something else (`speed`, `precision`, `scale`, `coverage`, `invariance`,
`pooling`, `mix`, `kills`, `stream`, `runs` and `accelerator`) runs where it is named only.

Tables go to standard output, progress to standard error, figures to results/bench.json and .md
(full.json with --full), or results/NAME.json and .md for one of the measures alone. `quadrature`,
`nuts` and `hard` store the references and the data that they are of; `render` makes
docs/benchmarks.md and its two figures from results.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks import report, samplers
from benchmarks.accuracy import agreement, coverage, invariance, least_squares, mix, pooling, runs
from benchmarks.page import page
from benchmarks.problems import hard_curves, workloads
from benchmarks.references import stored
from benchmarks.speed import (
    accelerator,
    contest,
    draws_a_second,
    growth,
    interruptions,
    kernel,
    precision,
    processes,
    scale,
    stream,
)

MEASURES: dict[str, Any] = {
    "contest": contest,
    "growth": growth,
    "kernel": kernel,
    "least-squares": least_squares,
    "agreement": agreement,
}

# run where they are named only
ALONE: dict[str, Any] = {
    "speed": draws_a_second,
    "precision": precision,
    "scale": scale,
    "coverage": coverage,
    "invariance": invariance,
    "pooling": pooling,
    "mix": mix,
    "kills": interruptions,
    "runs": runs,
    "stream": stream,
    "accelerator": accelerator,
}

# With few cores each sampler has one, so that two at a time can be measured.
THREADS = 2 if processes.cores() >= 4 else 1
# A sampler on a workload begins no further seed once its budget of seconds is spent, so that what
# is slow has fewer seeds and the whole an end.
QUICK: dict[str, dict[str, Any]] = {
    "contest": {"names": ("gpt3",), "seeds": 4, "budget": 5, "limit": 200, "threads": THREADS},
    "growth": {
        "axes": ("curves",), "keys": ("ours", "nutpie-joint"), "most": 100,
        "budget": 10, "own_budget": 10, "limit": 90, "threads": THREADS,
    },
    "kernel": {"repeats": 5},
    "least-squares": {"curves": 40},
    "agreement": {"seeds": 3},
}  # fmt: skip
FULL: dict[str, dict[str, Any]] = QUICK | {
    "contest": {"seeds": 20, "budget": 10, "limit": 300, "threads": THREADS},
    # as long as ours takes for its 10,000 curves on one lane, the others have the other
    "growth": {"budget": 60, "own_budget": 1800, "limit": 120, "threads": THREADS},
    "kernel": {},
    "least-squares": {},
}


def main() -> None:
    arguments = _parser().parse_args()
    if arguments.command in ("quadrature", "nuts"):
        _make(arguments)
        return
    if arguments.command == "hard":
        hard_curves.write()
        return
    if arguments.command == "render":
        for path in page.render(arguments.results, arguments.folder):
            print(path)
        return
    names = [arguments.command] if arguments.command else list(MEASURES)
    found: dict[str, Any] = {}
    pages = []
    whole = arguments.command or ("full" if arguments.full else "bench")
    for name in names:
        start = perf_counter()
        measure = (MEASURES | ALONE)[name]
        found[name] = measure.run(**_options(name, arguments))
        found[name]["took"] = perf_counter() - start
        title = f"{name}, {found[name]['took']:.0f} s"
        pages.append(f"## {title}\n\n{measure.table(found[name])}\n")
        print(f"\n{pages[-1]}", flush=True)
        # after each, since the next may take half an hour
        path = report.save(whole, found, text="\n".join(pages))
    report.note(f"written to {path} and {path.with_suffix('.md')}")


def _count(text: str) -> int:
    """A number of seeds, of which there must be one."""
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 up, but got {text!r}")
    return int(text)


def _options(name: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """What a measure is run with: alone as asked for, in the suite so that it takes minutes."""
    if arguments.command is None:
        return (FULL if arguments.full else QUICK)[name]
    choose: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
        "speed": lambda a: {
            "seeds": a.seeds, "peers": tuple(a.peers), "pymc_seeds": a.pymc_seeds,
            "datasets": tuple(a.datasets), "threads": a.threads, "long": a.long,
        },
        "precision": lambda a: {
            "seeds": a.seeds, "datasets": tuple(a.datasets), "threads": a.threads,
        },
        "contest": lambda a: {
            "names": tuple(a.workloads), "keys": tuple(a.samplers), "seeds": a.seeds,
            "budget": a.budget, "limit": a.limit, "threads": a.threads,
        },
        "growth": lambda a: {
            "axes": tuple(a.axes), "keys": tuple(a.samplers), "most": a.most, "budget": a.budget,
            "own_budget": a.own_budget, "limit": a.limit, "threads": a.threads,
        },
        "kernel": lambda a: {
            "dataset": a.dataset, "particles": a.particles, "repeats": a.repeats, "seed": a.seed,
        },
        "least-squares": lambda a: {"curves": a.curves},
        "agreement": lambda a: {
            "seeds": a.seeds, "datasets": tuple(a.datasets), "models": tuple(a.models)
        },
        "scale": lambda a: {"sizes": tuple(a.sizes), "threads": a.threads},
        "coverage": lambda a: {
            "curves": a.curves, "grouped": a.grouped, "designs": tuple(a.designs)
        },
        "invariance": lambda a: {"curves": a.curves, "draws": a.draws},
        "accelerator": lambda a: {
            "sizes": tuple(a.sizes), "draws": a.draws, "threads": a.threads, "groups": a.groups,
            "real": a.real,
        },
        "runs": lambda a: {
            "curves": a.curves, "noises": tuple(a.noises), "threads": a.threads, "page": a.page,
        },
        "mix": lambda a: {"tables": a.tables, "real": a.real},
        "kills": lambda a: {"kills": a.kills, "interrupts": a.interrupts, "seed": a.seed},
        "stream": lambda a: {
            "sizes": tuple(a.sizes), "model": a.model, "draws": a.draws, "workers": a.workers
        },
        "pooling": lambda a: {
            "tables": a.tables, "model": a.model, "draws": a.draws, "tune": a.tune, "seed": a.seed
        },
    }  # fmt: skip
    return choose[name](arguments)


def _make(arguments: argparse.Namespace) -> None:
    for dataset in arguments.datasets:
        if arguments.command == "nuts":
            stored.make_nuts(dataset, arguments.models, fresh=arguments.fresh)
        else:
            stored.make_quadrature(
                dataset, arguments.models, binomial=arguments.binomial,
                workers=arguments.workers, fresh=arguments.fresh,
                tasks=arguments.tasks or (workloads.needed(dataset) if arguments.needed else ()),
            )  # fmt: skip


def _add_mix(commands: Any) -> None:
    one = commands.add_parser("mix", help="weights of a learned axis, simulated and real")
    one.add_argument("--tables", type=int, default=60)
    one.add_argument("--real", action=argparse.BooleanOptionalAction, default=True)


def _add_runs(commands: Any) -> None:
    one = commands.add_parser("runs", help="coverage where checkpoints are not independent")
    one.add_argument("--curves", type=int, default=200)
    one.add_argument("--noises", nargs="*", choices=tuple(runs.NOISES), default=tuple(runs.NOISES))
    one.add_argument("--threads", type=int)
    one.add_argument("--page", type=Path, help="to put the table into, such as docs/runs.md")


def _add_speed(commands: Any) -> None:
    one = commands.add_parser("speed", help="effective draws of tau a second, by replication")
    one.add_argument("--seeds", type=_count, default=20)
    one.add_argument(
        "--peers", nargs="*", choices=tuple(draws_a_second.PEERS), default=["joint", "loop"]
    )
    one.add_argument("--pymc-seeds", type=_count, default=1)
    one.add_argument(
        "--datasets", nargs="+", choices=tuple(workloads.WORKLOADS), default=["open-models", "gpt3"]
    )
    one.add_argument("--threads", type=int, default=2)

    one.add_argument(
        "--long", action="store_true", help="ours with 16,000 draws too, nutpie with 4,000 a chain"
    )

    one = commands.add_parser("precision", help="draws an evaluation of ours, from many seeds")
    one.add_argument("--seeds", type=_count, default=150)
    one.add_argument(
        "--datasets", nargs="+", choices=tuple(workloads.WORKLOADS),
        default=tuple(workloads.WORKLOADS),
    )  # fmt: skip
    one.add_argument("--threads", type=int, default=2)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--full", action="store_true", help="in full, an hour and a quarter")
    commands = parser.add_subparsers(dest="command")

    _contests(commands)
    commands.add_parser("hard", help="make the table of the hard simulated curves anew")
    one = commands.add_parser("render", help="docs/benchmarks.md and its figures from results")
    one.add_argument("results", nargs="+", type=Path, help="JSON files; later ones win")
    one.add_argument("--folder", type=Path, default=Path("docs"))

    _add_speed(commands)
    one = commands.add_parser("agreement", help="means, sds and evidence against references")
    one.add_argument("--seeds", type=_count, default=8)
    one.add_argument("--datasets", nargs="+", default=["open-models", "gpt3"])
    one.add_argument("--models", nargs="+", choices=agreement.MODELS, default=agreement.MODELS)

    one = commands.add_parser("scale", help="time and memory against the number of curves")
    one.add_argument("--sizes", nargs="+", type=int, default=scale.SIZES)
    one.add_argument("--threads", type=int, default=2)

    one = commands.add_parser("coverage", help="coverage of 90 %% intervals of tau")
    one.add_argument("--curves", type=int, default=1000)
    one.add_argument("--grouped", type=int, default=1000)
    one.add_argument(
        "--designs", nargs="+", choices=tuple(coverage.DESIGNS), default=tuple(coverage.DESIGNS)
    )

    _add_mix(commands)
    _add_runs(commands)

    one = commands.add_parser("invariance", help="what a model far below or above changes")
    one.add_argument("--curves", type=int, default=200, help="simulated")
    one.add_argument("--draws", type=int, default=400)
    one = commands.add_parser("kills", help="runs killed at random moments, and resumed")
    one.add_argument("--kills", type=int, default=20)
    one.add_argument("--interrupts", type=int, default=3)
    one.add_argument("--seed", type=int, default=0)

    one = commands.add_parser("accelerator", help="JAX against the default engine")
    one.add_argument("--sizes", nargs="*", type=int, default=accelerator.SIZES)
    one.add_argument("--draws", type=int, default=4000)
    one.add_argument("--threads", type=int, default=2)
    one.add_argument("--groups", type=int, default=0, help="families a curve [%(default)s]")
    one.add_argument("--real", action="store_true", help="compare posteriors of real curves too")
    one = commands.add_parser("stream", help="time and memory from a file to a store")
    one.add_argument("--sizes", nargs="+", type=int, default=stream.SIZES)
    one.add_argument("--model", default="hinge")
    one.add_argument("--draws", type=int, default=400)
    one.add_argument("--workers", type=int, default=0)

    one = commands.add_parser("pooling", help="coverage of 90 %% intervals of families' offsets")
    one.add_argument("--tables", type=int, default=60)
    one.add_argument("--model", choices=tuple(pooling.SHARES), default="logistic")
    one.add_argument("--draws", type=int, default=2000)
    one.add_argument("--tune", type=int, default=1000)
    one.add_argument("--seed", type=int, default=0)

    _references(commands)
    return parser


def _references(commands: Any) -> None:
    """The options of what stores references."""
    for name, text in (
        ("quadrature", "store deterministic references that are not there yet"),
        ("nuts", "store long NUTS runs that are not there yet"),
    ):
        one = commands.add_parser(name, help=text)
        one.add_argument("--datasets", nargs="+", default=["open-models", "gpt3"])
        one.add_argument("--models", nargs="+", default=list(agreement.MODELS))
        one.add_argument("--fresh", action="store_true", help="make those anew that are there")
        if name == "quadrature":
            one.add_argument("--tasks", nargs="*", default=(), help="of the data sets; all")
            one.add_argument("--needed", action="store_true", help="those that workloads need")
            one.add_argument("--binomial", action="store_true")
            one.add_argument("--workers", type=int, default=2)


def _contests(commands: Any) -> None:
    """The options of what compares samplers."""
    one = commands.add_parser("contest", help="every sampler on every workload: speed and accuracy")
    one.add_argument(
        "--workloads", nargs="+", choices=tuple(workloads.WORKLOADS),
        default=tuple(workloads.WORKLOADS),
    )  # fmt: skip
    one.add_argument(
        "--samplers", nargs="+", choices=tuple(samplers.REGISTRY), default=contest.KEYS
    )
    one.add_argument("--seeds", type=_count, default=20)
    one.add_argument("--budget", type=float, default=300, help="s of a sampler on a workload")
    one.add_argument("--limit", type=float, default=1200, help="s after which a run is stopped")
    one.add_argument("--threads", type=int, default=2)

    one = commands.add_parser("growth", help="time and memory by curves, points and parameters")
    one.add_argument("--axes", nargs="+", choices=tuple(growth.AXES), default=tuple(growth.AXES))
    one.add_argument("--samplers", nargs="+", choices=contest.KEYS, default=growth.KEYS)
    one.add_argument("--most", type=int, default=10_000, help="curves or points")
    one.add_argument("--budget", type=float, default=300, help="s of a run at one size")
    one.add_argument("--own-budget", type=float, default=900, help="the same for ours")
    one.add_argument("--limit", type=float, default=300, help="s after which a run is stopped")
    one.add_argument("--threads", type=int, default=2)

    one = commands.add_parser("kernel", help="cost of the likelihood, beside kernels by hand")
    one.add_argument("--dataset", choices=tuple(workloads.DATA), default="open-models")
    one.add_argument("--particles", type=int, default=16_384)
    one.add_argument("--repeats", type=int, default=9)
    one.add_argument("--seed", type=int, default=1)

    one = commands.add_parser("least-squares", help="error and coverage of least squares, and ours")
    one.add_argument("--curves", type=int, default=200)


if __name__ == "__main__":
    main()
