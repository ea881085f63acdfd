"""Options of `upturn calibrate`."""

import click

from upturn.commandline.answer_options import answer_options
from upturn.commandline.options import (
    Command,
    by_option,
    metric_option,
    run_options,
    scatter_option,
    source_options,
    together,
)
from upturn.commandline.simulate_options import design_options


def calibrate_options(command: Command) -> Command:
    """The table whose design is used, if any, the design, and the number of simulations."""
    return together(
        source_options(required=False),
        design_options(400, of_table=False),
        by_option,
        metric_option,
        scatter_option,
        run_options(1000),
        click.option(
            "--plot", metavar="FILE", help="Draw the ranks to this file: .svg, .png, .pdf."
        ),
        answer_options("checks"),
    )(command)
