"""Options of a model, of its fit, and of a fit that is written batch by batch."""

from collections.abc import Sequence

import click

from upturn.commandline.options import (
    LIKELIHOODS,
    NUTS,
    OPEN_SHARE,
    Command,
    Decorator,
    by_name,
    run_options,
    together,
)


def model_options(priors: str = "for example changepoint='Uniform(0.2, 0.9)'") -> Decorator:
    """The curve model, and changes of its priors."""
    return together(
        click.option(
            "--model",
            default="hinge",
            show_default=True,
            metavar="NAME|FILE",
            help="Curve model: a name from `upturn models`, or a TOML file.",
        ),
        click.option(
            "--prior",
            "priors",
            multiple=True,
            metavar="NAME=TEXT",
            callback=_priors,
            help=f"Replace a prior, {priors}. Repeatable.",
        ),
    )


def _priors(ctx: click.Context, option: click.Parameter, given: Sequence[str]) -> dict[str, str]:
    return by_name(ctx, option, given, "TEXT", "'Uniform(0.2, 0.9)'")


nuts_option = click.option(
    "--nuts",
    type=click.Choice(NUTS),
    default="nutpie",
    show_default=True,
    help="Library that runs the NUTS sampler.",
)


def fit_options(command: Command) -> Command:
    """The curve model, and how its posterior is sampled."""
    return together(
        model_options(),
        click.option(
            "--likelihood",
            type=click.Choice(LIKELIHOODS),
            help="Distribution of the scores about the curve; robust allows for broken "
            "evaluations.  [default: that of the model]",
        ),
        click.option(
            "--delta",
            type=OPEN_SHARE,
            default=0.1,
            show_default=True,
            help="How far above chance a score must be to count as an ability.",
        ),
        run_options(4000),
        click.option(
            "--sampler",
            type=click.Choice(["population", "nuts"]),
            default="population",
            show_default=True,
            help="Sampler of the posterior.",
        ),
        nuts_option,
        click.option(
            "--backend",
            type=click.Choice(["numpy", "jax"]),
            default="numpy",
            show_default=True,
            help="Library that computes: NumPy, or JAX for a GPU.",
        ),
    )(command)


def batch_options(command: Command) -> Command:
    """How a fit is computed and written in batches."""
    return together(
        click.option(
            "--resume",
            is_flag=True,
            help="Continue an interrupted run from the batches in -o FILE.zarr, or start one.",
        ),
        click.option(
            "--batch",
            type=click.IntRange(min=1),
            metavar="CURVES",
            help="Number of curves that are written to -o FILE.zarr at a time.  "
            "[default: 64; 256 for more than 4,096 curves]",
        ),
        click.option(
            "--workers",
            type=click.IntRange(min=1),
            metavar="N",
            help="Fit the batches of -o FILE.zarr in N processes of this machine, with Dask.",
        ),
        click.option(
            "--dask",
            metavar="ADDRESS",
            help="Fit the batches on the workers of this Dask scheduler, for example "
            "tcp://host:8786. They must see FILE.zarr under the same path.",
        ),
    )(command)
