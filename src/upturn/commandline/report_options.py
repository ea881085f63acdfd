"""Options of `upturn report`."""

import click

from upturn.commandline.fit_options import fit_options
from upturn.commandline.options import Command, ci_option, curve_options, quiet_option, together

SHAPES = ("lean", "all", "none")


def report_options(command: Command) -> Command:
    """The table, the fit, the verdict and the file."""
    return together(
        curve_options(),
        fit_options,
        click.option(
            "--shapes",
            type=click.Choice(SHAPES),
            default="lean",
            show_default=True,
            help="Curve models that the verdict averages over: seven (lean), all, or none, which "
            "leaves the verdict out.",
        ),
        ci_option,
        click.option("-o", "--output", required=True, metavar="FILE", help="The report: .html."),
        quiet_option("Print no progress and no verdict."),
    )(command)
