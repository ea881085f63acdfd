"""Where an answer goes and in what form: the argument ``to`` of a command."""

from collections.abc import Sequence
from functools import wraps
from pathlib import Path
from typing import Any

import click

from upturn.commandline.conditions import conditions
from upturn.commandline.delivery import Delivery
from upturn.commandline.options import (
    FORMS,
    Command,
    Decorator,
    ci_option,
    quiet_option,
    together,
)
from upturn.commandline.source import take


def answer_options(of: str = "answer", *, saves_fits: bool = False) -> Decorator:
    """Where an answer goes and in what form: the argument ``to``.

    Parameters
    ----------
    of
        What is saved, as the help names it.
    saves_fits
        Whether it is a fit, which can also be saved as NetCDF or Zarr.
    """
    kinds = "fit (.nc, .zarr) or its summary" if saves_fits else of

    def gather(command: Command) -> Command:
        @wraps(command)
        def gathered(*args: Any, **how: Any) -> Any:
            to = Delivery(**take(how, "outputs", "form", "ci", "quiet", "fail_if"))
            return command(*args, to=to, **how)

        return gathered

    return together(
        click.option(
            "-o",
            "--output",
            "outputs",
            multiple=True,
            metavar="FILE",
            callback=_fit_paths if saves_fits else _text_paths,
            help=f"Save the {kinds} (.csv, .json, .md). Repeatable.",
        ),
        click.option(
            "--format",
            "form",
            type=click.Choice(FORMS),
            default="table",
            show_default=True,
            help="Format of the printed output.",
        ),
        ci_option,
        click.option(
            "--fail-if",
            multiple=True,
            metavar="CONDITION",
            callback=conditions,
            help="Exit with code 3 if a row meets this: a column, a sign and a value, such as "
            "'verdict=falls' or 'p>0.95 and change=vanished'. Repeatable. Columns as in CSV.",
        ),
        quiet_option("Print no progress and no notes, and no table if -o is given."),
        gather,
    )


def _text_paths(ctx: click.Context, option: click.Parameter, given: Sequence[str]) -> list[Path]:
    if not given or ctx.resilient_parsing:
        return []
    from upturn.show.text.formats import ENDINGS

    return _writable(given, tuple(ENDINGS))


def _fit_paths(ctx: click.Context, option: click.Parameter, given: Sequence[str]) -> list[Path]:
    if not given or ctx.resilient_parsing:
        return []
    from upturn.posterior.files import SUFFIXES
    from upturn.show.text.formats import ENDINGS

    return _writable(given, (*SUFFIXES, *ENDINGS))


def _writable(given: Sequence[str], endings: tuple[str, ...]) -> list[Path]:
    from upturn.posterior.files import check_writable

    return [check_writable(text, endings) for text in given]
