"""Options of `upturn pool`."""

import click

from upturn.commandline.answer_options import answer_options
from upturn.commandline.fit_options import model_options, nuts_option
from upturn.commandline.options import (
    Command,
    metric_option,
    names_option,
    run_options,
    source_options,
    together,
)


def pool_options(command: Command) -> Command:
    """The table, the groups and axes, the model and the answer."""
    return together(
        source_options(),
        click.option(
            "--over",
            default="family",
            show_default=True,
            metavar="LABEL",
            help="Column whose values are the groups of models.",
        ),
        names_option(
            "--axis",
            "--axes",
            "axis",
            metavar="NAME",
            help="Axis of scale. Several, separated by commas, are compared.  [default: flops]",
        ),
        metric_option,
        model_options("also those of sigma_family and sigma_task"),
        run_options(8000),
        nuts_option,
        answer_options(),
    )(command)
