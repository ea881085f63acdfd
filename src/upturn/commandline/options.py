"""Options that several commands share; related options reach a command as one argument."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import click

from upturn.commandline.source import READING, Source, split_axes, take
from upturn.commandline.table_options import table_options

type Command = Callable[..., Any]
type Decorator = Callable[[Command], Command]

# Listed here because the modules that define them take a second to load; a test compares.
LIKELIHOODS = (
    "auto", "robust", "ar", "beta-binomial", "binomial", "beta", "normal", "student-t",
    "beta-binomial-robust", "binomial-robust", "beta-robust", "beta-binomial-ar",
)  # fmt: skip
SCATTERS = ("auto", "none", "family", "run")
CLUSTERS = ("auto", "family", "run", "model")
NUTS = ("nutpie", "numpyro", "blackjax", "pymc")
FORMS = ("table", "json", "csv", "markdown")

OPEN_SHARE = click.FloatRange(0, 1, min_open=True, max_open=True)
SHARE = click.FloatRange(0, 1)


def together(*decorators: Decorator) -> Decorator:
    """Several decorators as one; help lists their options in this order."""

    def decorate(command: Command) -> Command:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return decorate


def _names(ctx: click.Context, option: click.Parameter, given: Sequence[str]) -> list[str]:
    return split_axes(given)


def _or_none(ctx: click.Context, option: click.Parameter, given: Sequence[str]) -> Any:
    return tuple(given) or None


def names_option(*names: str, help: str, metavar: str = "NAME,NAME") -> Decorator:
    """An option that takes names, repeated or separated by commas, as a list."""
    return click.option(*names, multiple=True, metavar=metavar, callback=_names, help=help)


# ---- the table -----------------------------------------------------------------------------------


def source_options(*, required: bool = True, metavar: str = "TABLE") -> Decorator:
    """TABLE, how it is read and which rows are used: the argument ``source``.

    Parameters
    ----------
    required
        Whether a table must be given.
    metavar
        What the help calls it.
    """

    def gather(command: Command) -> Command:
        @wraps(command)
        def gathered(*args: Any, **how: Any) -> Any:
            metric = how.get("metric") or ()  # rows of other metrics are never checked
            source = Source(**take(how, "table", *READING), metric=metric)
            return command(*args, source=source, **how)

        return gathered

    return together(
        click.argument("table", metavar=metavar if required else f"[{metavar}]", required=required),
        click.option(
            "--where",
            multiple=True,
            metavar="COLUMN=VALUE",
            help="Use only these rows. Repeatable. Two values of one column mean either; two "
            "columns mean both.",
        ),
        click.option(
            "--lower-is-better",
            multiple=True,
            metavar="METRIC",
            help="Name of a metric for which lower is better. `loss`, `ppl` and `brier` are "
            "recognised. Repeatable.",
        ),
        click.option(
            "--continuous",
            multiple=True,
            metavar="METRIC",
            help="Name of a metric that is not a proportion, such as BLEU or a loss. Repeatable.",
        ),
        facts_option,
        table_options,
        gather,
    )


facts_option = click.option(
    "--facts",
    metavar="FILE|none",
    help="Table of facts about models (a column model, and params, tokens, flops, perplexity …) "
    "that fill in empty cells, before the bundled facts do. With none, nothing is filled in.",
)

metric_option = click.option(
    "--metric",
    multiple=True,
    metavar="NAME",
    callback=_or_none,
    help="Use only this metric. Repeatable.",
)

by_option = click.option(
    "--by", metavar="LABEL", help="Also make one curve for each value of this column."
)

scatter_option = click.option(
    "--scatter",
    type=click.Choice(SCATTERS),
    default="auto",
    show_default=True,
    help="Which models share an offset along the axis: those of a family, of a run, or none.",
)


def curve_options(*, metavar: str = "TABLE") -> Decorator:
    """The table, and the curves and axes that are made of it."""
    return together(
        source_options(metavar=metavar),
        names_option(
            "--axis",
            metavar="NAME",
            help="Axis of scale: flops, params, tokens, perplexity, loss, or another column of "
            "numbers. NAME:linear uses a linear axis. Several are separated by commas; "
            "mix:NAME,NAME is one axis whose weights are estimated.  [default: flops]",
        ),
        metric_option,
        by_option,
        scatter_option,
    )


# ---- how much is computed, and what is said ------------------------------------------------------

seed_option = click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Random seed. The same seed and input give the same answer.",
)

threads_option = click.option(
    "--threads", type=click.IntRange(min=1), help="Number of threads.  [default: all cores]"
)


def run_options(draws: int) -> Decorator:
    """Number of draws, random seed, number of threads."""
    return together(
        click.option(
            "--draws",
            type=click.IntRange(min=40),
            default=draws,
            show_default=True,
            help="Posterior draws for each curve and model.",
        ),
        seed_option,
        threads_option,
    )


axis_option = click.option(
    "--axis", default="flops", show_default=True, metavar="NAME", help="Axis of scale."
)


def shapes_option(what: str, *names: str) -> Decorator:
    """The curve models that a question uses, by name or file."""
    return names_option("--shapes", *names, metavar="NAME|FILE", help=what)


ci_option = click.option(
    "--ci",
    type=OPEN_SHARE,
    default=0.9,
    show_default=True,
    help="Probability of the intervals.",
)


def quiet_option(what: str) -> Decorator:
    """Whether progress and notes are left out."""
    return click.option("-q", "--quiet", is_flag=True, help=what)


def by_name(
    ctx: click.Context, option: click.Parameter, given: Sequence[str], what: str, example: str
) -> dict[str, str]:
    """The values of an option that is given as NAME=VALUE, by name."""
    pairs = [text.partition("=") for text in given]
    for name, equals, value in pairs:
        if not (name.strip() and equals and value.strip()):
            raise click.BadParameter(
                f"expected NAME={what}, but got {name + equals + value!r}; "
                f"for example changepoint={example}",
                ctx,
                option,
            )
    return {name.strip(): value.strip() for name, _, value in pairs}
