"""Options for tables that are laid out in another way, shared by all commands that take TABLE."""

from collections.abc import Sequence
from typing import Any

import click

POLICIES = ("refuse", "pool", "mean", "latest")
NAMES = ("repeats", "wide", "groups", "percent", "ignore", "columns", "units")


def _pairs(ctx: click.Context, option: click.Parameter, given: Sequence[str]) -> dict[str, str]:
    """What is given as NAME=VALUE, by name."""
    pairs = [text.partition("=") for text in given]
    for name, equals, value in pairs:
        if not (name.strip() and equals and value.strip()):
            raise click.BadParameter(
                f"expected {option.metavar}, but got {name + equals + value!r}", ctx, option
            )
    return {name.strip(): value.strip() for name, _, value in pairs}


def table_options(command: Any) -> Any:
    """Repeats, wide tables, percentages, and columns under other names."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


_OPTIONS = (
    click.option(
        "--repeats",
        type=click.Choice(POLICIES),
        default="refuse",
        show_default=True,
        help="What to do where a model was evaluated several times on a task: add the counts up "
        "(pool), average, or take the last row. Rows with a column seed or repeat are pooled.",
    ),
    click.option("--wide", is_flag=True, help="The table has one column a task, or a metric."),
    click.option(
        "--groups",
        is_flag=True,
        help="Take averages over tasks too, which a harness reports beside the tasks.",
    ),
    click.option(
        "--percent",
        multiple=True,
        metavar="METRIC",
        help="This metric is in per cent; all for every metric. Repeatable.",
    ),
    click.option(
        "--ignore",
        multiple=True,
        metavar="COLUMN",
        help="Leave this column out. Repeatable.",
    ),
    click.option(
        "--column",
        "columns",
        multiple=True,
        metavar="NAME=COLUMN",
        callback=_pairs,
        help="Which column holds task, model, score …; A+B joins two. Repeatable.",
    ),
    click.option(
        "--unit",
        "units",
        multiple=True,
        metavar="COLUMN=UNIT",
        callback=_pairs,
        help="The unit of a column of parameters, tokens or FLOPs: K, M, B, T, ZFLOP, PF-days. "
        "Repeatable.",
    ),
)
