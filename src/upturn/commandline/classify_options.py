"""Options of `upturn classify`."""

from functools import wraps
from pathlib import Path
from typing import Any

import click

from upturn.commandline.answer_options import answer_options
from upturn.commandline.options import (
    OPEN_SHARE,
    SHARE,
    Command,
    curve_options,
    run_options,
    shapes_option,
    together,
)
from upturn.commandline.selection_options import selection_options
from upturn.commandline.source import take

CRITERIA = (
    "min_rise", "min_flat", "flat_scales", "flat_decades", "near_chance", "max_width",
    "central_width", "delta",
)  # fmt: skip
COMPANIONS = ("floor", "prior_sensitivity", "influence")


def criteria_options(command: Command) -> Command:
    """What counts as emergent and as sharp: the argument ``criteria``."""

    @wraps(command)
    def gathered(*args: Any, **how: Any) -> Any:
        return command(*args, criteria=take(how, *CRITERIA), **how)

    return together(
        click.option(
            "--min-rise",
            type=OPEN_SHARE,
            default=0.1,
            show_default=True,
            help="Smallest rise of the score after the flat stretch that counts as emergent.",
        ),
        click.option(
            "--min-flat",
            type=SHARE,
            default=0.25,
            show_default=True,
            help="Smallest share of the different scales in the flat stretch before the rise.",
        ),
        click.option(
            "--flat-scales",
            type=click.IntRange(min=1),
            default=3,
            show_default=True,
            help="Number of different scales that must lie in the flat stretch.",
        ),
        click.option(
            "--flat-decades",
            type=click.FloatRange(min=0),
            default=0.5,
            show_default=True,
            help="Number of decades that the flat stretch must cover.",
        ),
        click.option(
            "--near-chance",
            type=SHARE,
            default=0.1,
            show_default=True,
            help="How far from chance the flat stretch may be.",
        ),
        click.option(
            "--max-width",
            type=click.FloatRange(min=0),
            default=1.0,
            show_default=True,
            help="Largest width of a sharp rise, in decades of the axis.",
        ),
        click.option(
            "--central-width",
            type=SHARE,
            default=0.25,
            show_default=True,
            help="The same on an axis without decades, as a share of the central 80 % of the "
            "scales.",
        ),
        click.option(
            "--delta",
            type=OPEN_SHARE,
            default=0.1,
            show_default=True,
            help="How far above chance the expected score stands at the scale in the table.",
        ),
    )(gathered)


def companion_options(command: Command) -> Command:
    """Further questions about the same curves: the argument ``companions``, their names."""

    @wraps(command)
    def gathered(*args: Any, **how: Any) -> Any:
        asked = [name for name, wanted in take(how, *COMPANIONS).items() if wanted]
        return command(*args, companions=asked, **how)

    return together(
        click.option(
            "--floor", is_flag=True, help="Also test whether the score grows before the rise."
        ),
        click.option(
            "--prior-sensitivity",
            is_flag=True,
            help="Also fit under priors half and twice as wide: which verdicts change? Takes about "
            "10 times as long.",
        ),
        click.option(
            "--influence",
            is_flag=True,
            help="Also leave out each shape, each family and, for curves of up to 20 points, each "
            "model: which verdicts change?",
        ),
    )(gathered)


def _families(ctx: click.Context, param: click.Parameter, given: str | None) -> Path | None:
    from upturn.posterior.files import check_writable

    return None if given is None else check_writable(given, (".csv",))


def classify_options(command: Command) -> Command:
    """The table, the shapes, the criteria and the answer."""
    return together(
        curve_options(),
        shapes_option(
            "Average over these curve models; several are separated by commas.  "
            "[default: all built-in]"
        ),
        click.option(
            "--no-prevalence",
            is_flag=True,
            help="Give the classes of shapes equal odds for every curve, instead of estimating "
            "from the table how common each is.",
        ),
        criteria_options,
        companion_options,
        click.option(
            "--families",
            metavar="FILE",
            callback=_families,
            help="Write which models look like a family, on 10 tasks or more, to this file (.csv), "
            "for --facts.",
        ),
        run_options(1000),
        selection_options,
        answer_options(),
    )(command)
