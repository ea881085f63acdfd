"""Options of `upturn compare`: what is compared, and how differences are judged."""

from functools import wraps
from typing import Any

import click

from upturn.commandline.answer_options import answer_options
from upturn.commandline.options import (
    CLUSTERS,
    Command,
    curve_options,
    names_option,
    run_options,
    shapes_option,
    together,
)

# What may be compared, each with the option that says the same of a single one.
SINGLE = {"axes": "axis", "shapes": "model", "metrics": "metric"}


def compare_options(command: Command) -> Command:
    """The table, what is compared (the arguments ``over`` and ``names``), and the answer."""

    @wraps(command)
    def gathered(*args: Any, **how: Any) -> Any:
        given = {over: how.pop(f"over_{over}") for over in SINGLE}
        over = one_question(given, {name: how[name] for name in SINGLE.values()})
        return command(*args, over=over, names=given[over], **how)

    return together(
        curve_options(),
        names_option(
            "--axes",
            "over_axes",
            help="Compare axes of scale, on the points that have them all.",
        ),
        shapes_option("Compare curve models (see `upturn models`), or all.", "over_shapes"),
        names_option(
            "--metrics",
            "over_metrics",
            help="Compare two metrics of the same outputs, the metric in doubt first.",
        ),
        names_option(
            "--model",
            metavar="NAME|FILE",
            help="With --axes and --metrics: curve model, or several by commas, or all, averaged "
            "by their evidence.  [default: hinge for axes, all for metrics]",
        ),
        click.option(
            "--cluster",
            type=click.Choice(CLUSTERS),
            default="auto",
            show_default=True,
            help="Which points are not independent: standard errors are clustered by it.",
        ),
        click.option(
            "--refit/--no-refit",
            default=True,
            show_default=True,
            help="Fit again without a point or a family where importance sampling is not reliable.",
        ),
        run_options(2000),
        answer_options("comparison"),
    )(gathered)


def one_question(given: dict[str, list[str]], single: dict[str, Any]) -> str:
    """What is compared; the option for a single one of them is refused beside it."""
    asked = [name for name, names in given.items() if names]
    if len(asked) != 1:
        got = " and ".join(f"--{name}" for name in asked) or "none of them"
        raise click.UsageError(
            f"expected exactly one of --axes, --shapes and --metrics, but got {got}"
        )
    over = asked[0]
    if single[SINGLE[over]]:
        raise click.UsageError(
            f"expected --{over} without --{SINGLE[over]}, but got both; name them all in --{over}"
        )
    return over
