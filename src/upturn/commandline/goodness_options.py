"""Options of `upturn check`."""

import click

from upturn.commandline.answer_options import answer_options
from upturn.commandline.fit_options import model_options
from upturn.commandline.options import LIKELIHOODS, Command, curve_options, run_options, together

FITTED = ("axis", "by", "scatter", "metric", "model", "priors", "likelihood", "draws")


def goodness_options(command: Command) -> Command:
    """The table or fit, the model that is checked, and the answer."""
    return together(
        curve_options(),
        model_options(),
        click.option(
            "--likelihood",
            type=click.Choice(LIKELIHOODS),
            help="Distribution of the scores about the curve.  [default: that of the model]",
        ),
        run_options(1000),
        click.option(
            "--plot",
            metavar="FILE",
            help="Draw the residuals of the curve with the worst finding: .svg, .png or .pdf.",
        ),
        answer_options(),
    )(command)
