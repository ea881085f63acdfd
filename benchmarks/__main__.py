"""`python -m benchmarks NAME [OPTIONS]`, or a comparison of samplers where no name is given.

Without a name: the samplers compared with few seeds, in ten minutes or so; with --full in an hour
and a quarter. `python -m benchmarks NAME --help` lists the options of one benchmark.

Tables go to standard output, progress to standard error, figures to results/NAME.json and .md
(bench.json without a name, full.json with --full).
"""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from time import perf_counter
from types import ModuleType
from typing import Any

# A benchmark is a module with `add_arguments(parser)`, and either `run` and `table`, whose results
# are printed and stored here, or `main`, which does that itself. Both take the options by name. It
# is loaded when it is asked for.
BENCHMARKS = {
    "contest": ("speed.contest", "every sampler on every workload: speed and accuracy"),
    "growth": ("speed.growth", "time and memory by curves, points and parameters"),
    "kernel": ("speed.kernel", "cost of the likelihood, beside kernels written by hand"),
    "speed": ("speed.draws_a_second", "effective draws of tau a second, by replication"),
    "precision": ("speed.precision", "draws an evaluation of ours, from many seeds"),
    "scale": ("speed.scale", "time and memory against the number of curves"),
    "stream": ("speed.stream", "time and memory from a file to a store"),
    "kills": ("speed.interruptions", "runs killed at random moments, and resumed"),
    "faults": ("speed.faults", "full disks, clocks set back, cut files: what is lost"),
    "accelerator": ("speed.accelerator", "JAX against the default engine"),
    "lean": ("speed.lean", "how far a report's verdict moves with fewer models"),
    "agreement": ("accuracy.agreement", "means, sds and evidence against references"),
    "coverage": ("accuracy.coverage", "coverage of 90 % intervals of tau"),
    "invariance": ("accuracy.invariance", "what a model far below or above the others changes"),
    "field": ("accuracy.field", "real files from the field, with the commands that people type"),
    "least-squares": ("accuracy.least_squares", "error and coverage of least squares, and ours"),
    "classify": ("accuracy.classify", "p_emergent and p_sharp on simulated curves"),
    "checks": ("accuracy.checks", "false alarms of check, and how often it finds a fault"),
    "verdicts": ("accuracy.verdicts", "falling, flat and chance-level curves"),
    "floors": ("accuracy.floors", "which floors are said to grow"),
    "contrast": ("accuracy.contrast", "techniques against their baselines"),
    "foreign": ("accuracy.foreign", "the headline scale on shapes that are not ours"),
    "averages": ("accuracy.averages", "intervals of a gain averaged over tasks"),
    "forecast": ("accuracy.forecast", "predictions of the largest models"),
    "mix": ("accuracy.mix", "weights of a learned axis, simulated and real"),
    "plan": ("accuracy.plan", "which designs locate an emergence scale"),
    "pooling": ("accuracy.pooling", "coverage of 90 % intervals of families' offsets"),
    "runs": ("accuracy.runs", "coverage where checkpoints are not independent"),
    "quadrature": ("references.make_quadrature", "store deterministic references"),
    "nuts": ("references.make_nuts", "store long NUTS runs"),
    "hard": ("problems.hard_curves", "make the table of the hard simulated curves anew"),
    "compare": ("page.compare", "the figures of docs/compare.md"),
    "published": ("page.published", "the figures of docs/classify.md"),
    "render": ("page.page", "docs/benchmarks.md and its figures from results"),
    "paper": ("paper.write", "docs/paper.md and its pictures"),
    "facts": ("facts.__main__", "the bundled facts about models and tasks"),
}

# Without a name. A sampler on a workload begins no further seed once its budget of seconds is
# spent, so that what is slow has fewer seeds and the whole an end.
QUICK: dict[str, dict[str, Any]] = {
    "contest": {"names": ("gpt3",), "seeds": 4, "budget": 5, "limit": 200},
    "growth": {
        "axes": ("curves",), "keys": ("ours", "nutpie-joint"), "most": 100,
        "budget": 10, "own_budget": 10, "limit": 90,
    },
    "kernel": {"repeats": 5},
    "least-squares": {"curves": 40},
    "agreement": {"seeds": 3},
}  # fmt: skip
FULL: dict[str, dict[str, Any]] = QUICK | {
    "contest": {"seeds": 20, "budget": 10, "limit": 300},
    # as long as ours takes for its 10,000 curves on one lane, the others have the other
    "growth": {"budget": 60, "own_budget": 1800, "limit": 120},
    "kernel": {},
    "least-squares": {},
}


def main(arguments: Sequence[str] | None = None) -> None:
    arguments = sys.argv[1:] if arguments is None else arguments
    name = arguments[0] if arguments else ""
    if name in BENCHMARKS:
        run(name, arguments[1:])
        return
    options = _parser().parse_args(arguments)
    chosen = {name: dict(values) for name, values in (FULL if options.full else QUICK).items()}
    for name in ("contest", "growth"):
        chosen[name]["threads"] = _threads()
    suite(chosen, "full" if options.full else "bench")


def _threads() -> int:
    """Of each sampler: with few cores one, so that two samplers at a time can be measured."""
    from benchmarks.speed import processes

    return 2 if processes.cores() >= 4 else 1


def load(name: str) -> ModuleType:
    """The module of a benchmark."""
    return import_module(f"benchmarks.{BENCHMARKS[name][0]}")


def run(name: str, arguments: Sequence[str]) -> None:
    """Run one benchmark with the options of a command line."""
    module = load(name)
    parser = argparse.ArgumentParser(
        prog=f"python -m benchmarks {name}", description=module.__doc__
    )
    module.add_arguments(parser)
    given = vars(parser.parse_args(arguments))
    options = {key: tuple(v) if isinstance(v, list) else v for key, v in given.items()}
    if hasattr(module, "main"):
        module.main(**options)
    else:
        suite({name: options}, name)


def suite(chosen: dict[str, dict[str, Any]], title: str) -> None:
    """Run benchmarks one after the other; print and store what was measured after each."""
    from benchmarks.output import report

    results: dict[str, Any] = {}
    pages = []
    for name, options in chosen.items():
        measure = load(name)
        start = perf_counter()
        results[name] = measure.run(**options)
        results[name]["took"] = perf_counter() - start
        pages.append(
            f"## {name}, {results[name]['took']:.0f} s\n\n{measure.table(results[name])}\n"
        )
        print(f"\n{pages[-1]}", flush=True)
        # after each, since the next may take half an hour
        path = report.save(title, results, text="\n".join(pages))
    report.note(f"written to {path} and {path.with_suffix('.md')}")


def _parser() -> argparse.ArgumentParser:
    width = max(map(len, BENCHMARKS))
    names = "\n".join(f"  {name:{width}}  {text}" for name, (_, text) in BENCHMARKS.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        epilog=f"benchmarks:\n{names}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--full", action="store_true", help="in full, an hour and a quarter")
    parser.add_argument("name", nargs="?", choices=BENCHMARKS, metavar="NAME")
    return parser


if __name__ == "__main__":
    main()
