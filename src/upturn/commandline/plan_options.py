"""Options of `upturn plan`."""

import click

from upturn.commandline.answer_options import answer_options
from upturn.commandline.options import (
    OPEN_SHARE,
    SHARE,
    Command,
    Decorator,
    axis_option,
    seed_option,
    threads_option,
    together,
)
from upturn.commandline.simulate_options import fixed_option


def _counts(ctx: click.Context, option: click.Parameter, given: str) -> list[int]:
    """Whole numbers, separated by commas."""
    try:
        return [int(part) for part in given.split(",")]
    except ValueError:
        raise click.BadParameter(
            f"expected whole numbers separated by commas, but got {given!r}", ctx, option
        ) from None


def _counts_option(*names: str, default: str, help: str) -> Decorator:
    return click.option(
        *names, default=default, show_default=True, metavar="N,N", callback=_counts, help=help
    )


def plan_options(command: Command) -> Command:
    """The designs that are tried, the task they are for, and what they should reach."""
    return together(
        _counts_option(
            "--n-models", "models", default="6,10,20,40", help="Numbers of models to try."
        ),
        _counts_option(
            "--trials", default="100,1000", help="Numbers of test questions behind a score to try."
        ),
        click.option(
            "--layout",
            "layouts",
            type=click.Choice(["even", "near"]),
            multiple=True,
            help="Models evenly along the axis, or half of them near the expected emergence. "
            "Repeatable.  [default: both]",
        ),
        click.option(
            "--around",
            type=float,
            metavar="SCALE",
            help="Scale at which the task is expected to emerge.  "
            "[default: the middle of the axis]",
        ),
        click.option(
            "--limits",
            type=float,
            nargs=2,
            default=(1e19, 1e25),
            show_default=True,
            metavar="LOW HIGH",
            help="Smallest and largest scale.",
        ),
        axis_option,
        click.option(
            "--model",
            default="hinge",
            show_default=True,
            metavar="NAME|FILE",
            help="Curve model with a changepoint; see `upturn models`.",
        ),
        click.option(
            "--chance",
            type=SHARE,
            default=0.25,
            show_default=True,
            help="Score of random guessing.",
        ),
        fixed_option("height=0.6"),
        click.option(
            "--within",
            type=click.FloatRange(0, 100, min_open=True),
            default=0.2,
            show_default=True,
            help="Largest error of the estimated scale, in decades.",
        ),
        click.option(
            "--probability",
            type=OPEN_SHARE,
            default=0.8,
            show_default=True,
            help="Probability with which the estimate should be that close.",
        ),
        click.option(
            "--tasks",
            type=click.IntRange(min=1),
            default=100,
            show_default=True,
            help="Number of simulated tasks for each design.",
        ),
        seed_option,
        threads_option,
        answer_options(),
    )(command)
