"""Store the long NUTS runs that are not there yet."""

from argparse import ArgumentParser
from collections.abc import Sequence

from benchmarks.problems.pymc_models import PRIORS
from benchmarks.references import stored


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--datasets", nargs="+", default=["open-models", "gpt3"])
    parser.add_argument("--models", nargs="+", default=list(PRIORS))
    parser.add_argument("--fresh", action="store_true", help="make those anew that are there")


def main(*, datasets: Sequence[str], models: Sequence[str], fresh: bool) -> None:
    for dataset in datasets:
        stored.make_nuts(dataset, list(models), fresh=fresh)
