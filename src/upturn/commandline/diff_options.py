"""Options of `upturn diff`."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from upturn.commandline.answer_options import answer_options
from upturn.commandline.options import (
    OPEN_SHARE,
    Command,
    curve_options,
    run_options,
    shapes_option,
    together,
)
from upturn.commandline.source import READING, Source

FITTED = ("axis", "by", "scatter", "shapes", "delta", "draws")  # a saved fit has its own


def diff_options(command: Command) -> Command:
    """The two tables or fits, what counts as a change, and the answer."""
    return together(
        curve_options(metavar="A"),
        click.argument("other", metavar="B"),
        shapes_option("Average over these curve models only, for tables.  [default: all]"),
        click.option(
            "--within",
            type=click.FloatRange(min=1),
            default=2.0,
            show_default=True,
            help="Scales that differ by no more than this factor are the same.",
        ),
        click.option(
            "--delta",
            type=OPEN_SHARE,
            default=0.1,
            show_default=True,
            help="How far above chance the expected score stands at the scale, for tables.",
        ),
        run_options(1000),
        answer_options(),
    )(command)


def sides(ctx: click.Context, source: Source, other: str, outputs: Iterable[Path]) -> list[Any]:
    """The two tables or fits. Options that the fits among them have fixed are refused."""
    pair = (source, replace(source, table=other))
    fits = sum(side.is_fit for side in pair)
    fixed = {0: (), 1: FITTED, 2: (*FITTED, "metric", *READING)}[fits]
    return [side.load(ctx, fixed) if side.is_fit else side.read(outputs) for side in pair]
