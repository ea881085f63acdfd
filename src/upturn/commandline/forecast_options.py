"""Options of `upturn forecast`."""

import click

from upturn.commandline.answer_options import answer_options
from upturn.commandline.options import (
    OPEN_SHARE,
    Command,
    axis_option,
    by_option,
    metric_option,
    run_options,
    scatter_option,
    shapes_option,
    source_options,
    together,
)


def forecast_options(command: Command) -> Command:
    """The table, what is held out, what is predicted and the answer."""
    return together(
        source_options(),
        click.option(
            "--train-below", type=float, metavar="SCALE", help="Fit the points below this scale."
        ),
        click.option(
            "--holdout-largest",
            type=click.IntRange(min=1),
            metavar="K",
            help="Fit all but the points at the K largest scales of each curve, and predict these.",
        ),
        click.option(
            "--at",
            type=float,
            multiple=True,
            metavar="SCALE",
            help="Also give the probability of a jump by this scale. Without the two options "
            "above, all points are fitted. Repeatable.",
        ),
        axis_option,
        metric_option,
        by_option,
        scatter_option,
        shapes_option("Average over these curve models only.  [default: all]"),
        click.option(
            "--hazard",
            type=click.FloatRange(min=0, min_open=True),
            metavar="RATE",
            help="Expected number of changepoints per decade beyond the fitted points.  "
            "[default: one per length of the fitted axis]",
        ),
        click.option(
            "--delta",
            type=OPEN_SHARE,
            default=0.1,
            show_default=True,
            help="Smallest rise of the expected score beyond the fitted points that is a jump.",
        ),
        run_options(1000),
        answer_options(),
    )(command)
