"""Options of `upturn contrast`."""

import click

from upturn.commandline.answer_options import answer_options
from upturn.commandline.options import (
    Command,
    axis_option,
    by_option,
    metric_option,
    run_options,
    shapes_option,
    source_options,
    together,
)


def contrast_options(command: Command) -> Command:
    """The table, the two settings, the shapes of the baseline and the answer."""
    return together(
        source_options(),
        click.option(
            "--setting",
            required=True,
            metavar="TECHNIQUE:BASELINE",
            help="Two values of the column setting, for example cot:direct.",
        ),
        axis_option,
        metric_option,
        by_option,
        shapes_option("Average the baseline over these curve models only.  [default: all]"),
        click.option(
            "--pool",
            is_flag=True,
            help="Estimate from all tasks together how common each kind of gain is.",
        ),
        run_options(400),
        answer_options(),
    )(command)
