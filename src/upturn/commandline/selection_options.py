"""Which curves an answer shows, and in which order: the argument ``shown`` of a command."""

from collections.abc import Sequence
from functools import wraps
from typing import Any

import click

from upturn.commandline.options import Command, together
from upturn.commandline.source import take

# Listed here because the module that defines them takes a second to load; a test compares.
SORTS = ("table", "verdict", "scale", "name")


def selection_options(command: Command) -> Command:
    """Which curves are shown, and in which order: the argument ``shown``."""

    @wraps(command)
    def gathered(*args: Any, **how: Any) -> Any:
        return command(*args, shown=take(how, "only", "sort"), **how)

    return together(
        click.option(
            "--only",
            multiple=True,
            metavar="VERDICT",
            callback=_verdicts,
            help="Show only curves with this verdict, for example emerges or not-yet. A beginning "
            "is enough. Repeatable, or separated by commas.",
        ),
        click.option(
            "--sort",
            type=click.Choice(SORTS),
            default="table",
            show_default=True,
            help="Order of the curves: that of the table, or by verdict, scale or name.",
        ),
    )(gathered)


def _verdicts(ctx: click.Context, option: click.Parameter, given: Sequence[str]) -> list[str]:
    words = [word for text in given for word in text.split(",") if word.strip()]
    if not words or ctx.resilient_parsing:
        return []
    from upturn.posterior.selection import verdict_named

    return [verdict_named(word) for word in words]
