"""Store the deterministic references that are not there yet."""

from argparse import ArgumentParser
from collections.abc import Sequence

from benchmarks.problems import workloads
from benchmarks.problems.pymc_models import PRIORS
from benchmarks.references import stored


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--datasets", nargs="+", default=["open-models", "gpt3"])
    parser.add_argument("--models", nargs="+", default=list(PRIORS))
    parser.add_argument("--fresh", action="store_true", help="make those anew that are there")
    parser.add_argument("--tasks", nargs="*", default=(), help="of the data sets; all")
    parser.add_argument("--needed", action="store_true", help="those that workloads need")
    parser.add_argument("--binomial", action="store_true")
    parser.add_argument("--workers", type=int, default=2)


def main(
    *,
    datasets: Sequence[str],
    models: Sequence[str],
    fresh: bool,
    tasks: Sequence[str],
    needed: bool,
    binomial: bool,
    workers: int,
) -> None:
    for dataset in datasets:
        chosen = tasks or (workloads.needed(dataset) if needed else ())
        stored.make_quadrature(
            dataset, list(models), binomial=binomial, workers=workers, fresh=fresh, tasks=chosen
        )
