"""Options that commands share; those that belong together reach a command as one argument."""

from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any

import click

from upturn.commandline.delivery import Delivery
from upturn.commandline.source import READING, Source, split_axes, take

type Command = Callable[..., Any]
type Decorator = Callable[[Command], Command]

# Written out because the library that holds them takes a second to load; a test compares.
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


def source_options(*, required: bool = True) -> Decorator:
    """TABLE, how it is read and what of it is taken: the argument ``source``.

    Parameters
    ----------
    required
        Whether there has to be a table.
    """

    def gather(command: Command) -> Command:
        @wraps(command)
        def gathered(*args: Any, **how: Any) -> Any:
            return command(*args, source=Source(**take(how, "table", *READING)), **how)

        return gathered

    return together(
        click.argument("table", metavar="TABLE" if required else "[TABLE]", required=required),
        click.option(
            "--where",
            multiple=True,
            metavar="COLUMN=VALUE",
            help="Take only these rows. Repeat it: values of one column add up, columns narrow.",
        ),
        click.option(
            "--lower-is-better",
            multiple=True,
            metavar="METRIC",
            help="Less of this metric is better, which its name does not say. Repeatable.",
        ),
        click.option(
            "--continuous",
            multiple=True,
            metavar="METRIC",
            help="This metric is no proportion but any number. Repeatable.",
        ),
        facts_option,
        gather,
    )


facts_option = click.option(
    "--facts",
    metavar="FILE|none",
    help="Facts about models that fill in empty cells: a table with a column of models, which is "
    "asked before the bundled facts; none fills in nothing.",
)

metric_option = click.option(
    "--metric",
    multiple=True,
    metavar="NAME",
    callback=_or_none,
    help="Take only this metric. Repeatable.",
)

by_option = click.option(
    "--by", metavar="LABEL", help="One curve for each value of this label too."
)

scatter_option = click.option(
    "--scatter",
    type=click.Choice(SCATTERS),
    default="auto",
    show_default=True,
    help="Groups of models that share an offset along the axis.",
)


def curve_options() -> Decorator:
    """The table, and which curves on which axes are made of it."""
    return together(
        source_options(),
        names_option(
            "--axis",
            metavar="NAME",
            help="Axis of scale: flops, params, tokens, perplexity, loss, another column, or "
            "NAME:linear. Repeat it, or separate by commas; mix:NAME,NAME learns their weights.  "
            "[default: flops]",
        ),
        metric_option,
        by_option,
        scatter_option,
    )


# ---- the model and its posterior -----------------------------------------------------------------


def model_options(priors: str = "for example changepoint='Uniform(0.2, 0.9)'") -> Decorator:
    """The model, and changes of its priors."""
    return together(
        click.option(
            "--model",
            default="hinge",
            show_default=True,
            metavar="NAME|FILE",
            help="A model of `upturn models`, or a TOML file.",
        ),
        click.option(
            "--prior",
            "priors",
            multiple=True,
            metavar="NAME=TEXT",
            callback=_priors,
            help=f"Another prior, {priors}. Repeatable.",
        ),
    )


def _priors(ctx: click.Context, option: click.Parameter, given: Sequence[str]) -> dict[str, str]:
    return by_name(ctx, option, given, "TEXT", "'Uniform(0.2, 0.9)'")


def by_name(
    ctx: click.Context, option: click.Parameter, given: Sequence[str], what: str, example: str
) -> dict[str, str]:
    """What is given as NAME=TEXT, or NAME= and something else."""
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


nuts_option = click.option(
    "--nuts", type=click.Choice(NUTS), default="nutpie", show_default=True, help="Whose NUTS."
)


seed_option = click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="The same seed and input give the same answer.",
)

threads_option = click.option(
    "--threads", type=click.IntRange(min=1), help="[default: as many as there are cores]"
)


def run_options(draws: int) -> Decorator:
    """How much is drawn, by what seed, on how many cores."""
    return together(
        click.option(
            "--draws",
            type=click.IntRange(min=40),
            default=draws,
            show_default=True,
            help="Posterior draws of each curve and model.",
        ),
        seed_option,
        threads_option,
    )


def fit_options(command: Command) -> Command:
    """The model, and how its posterior is drawn."""
    return together(
        model_options(),
        click.option(
            "--likelihood",
            type=click.Choice(LIKELIHOODS),
            help="How scores scatter about the curve; robust allows for broken evaluations.  "
            "[default: the model's]",
        ),
        click.option(
            "--delta",
            type=OPEN_SHARE,
            default=0.1,
            show_default=True,
            help="How far above chance a score is an ability: the threshold scale.",
        ),
        run_options(4000),
        click.option(
            "--sampler",
            type=click.Choice(["population", "nuts"]),
            default="population",
            show_default=True,
            help="What draws from the posterior.",
        ),
        nuts_option,
        click.option(
            "--backend",
            type=click.Choice(["numpy", "jax"]),
            default="numpy",
            show_default=True,
            help="What computes: NumPy, or JAX, which a GPU is for.",
        ),
    )(command)


def batch_options(command: Command) -> Command:
    """How a fit is written batch by batch."""
    return together(
        click.option(
            "--resume",
            is_flag=True,
            help="Continue the run that was interrupted and left its batches in -o FILE.zarr; "
            "begin where there is none.",
        ),
        click.option(
            "--batch",
            type=click.IntRange(min=1),
            metavar="CURVES",
            help="Curves that are written to -o FILE.zarr at a time.  [default: 64, of more than "
            "4,096 curves 256]",
        ),
        click.option(
            "--workers",
            type=click.IntRange(min=1),
            metavar="N",
            help="Fit the batches of -o FILE.zarr by so many processes of this machine, with Dask.",
        ),
        click.option(
            "--dask",
            metavar="ADDRESS",
            help="Fit them by the workers of this Dask scheduler, for example tcp://host:8786, "
            "which see FILE.zarr under the same path.",
        ),
    )(command)


# ---- the answer ----------------------------------------------------------------------------------

ci_option = click.option(
    "--ci",
    type=OPEN_SHARE,
    default=0.9,
    show_default=True,
    help="The probability that an interval holds.",
)


def quiet_option(what: str) -> Decorator:
    """Whether only what was asked for is said."""
    return click.option("-q", "--quiet", is_flag=True, help=what)


def answer_options(of: str = "answer", *, saves_fits: bool = False) -> Decorator:
    """Where an answer goes, and in what form: the argument ``to``.

    Parameters
    ----------
    of
        What is saved, in the words of the help.
    saves_fits
        Whether it is a fit, which has files of its own beside those for text.
    """
    kinds = "fit (.nc, .zarr) or its summary" if saves_fits else of

    def gather(command: Command) -> Command:
        @wraps(command)
        def gathered(*args: Any, **how: Any) -> Any:
            to = Delivery(**take(how, "outputs", "form", "ci", "quiet"))
            return command(*args, to=to, **how)

        return gathered

    return together(
        click.option(
            "-o",
            "--output",
            "outputs",
            multiple=True,
            metavar="FILE",
            callback=_fit_paths if saves_fits else _text_paths,
            help=f"Save the {kinds} (.csv, .json, .md). Repeatable.",
        ),
        click.option(
            "--format",
            "form",
            type=click.Choice(FORMS),
            default="table",
            show_default=True,
            help="What is printed.",
        ),
        ci_option,
        quiet_option("No progress, no notes; no table where -o is given."),
        gather,
    )


def _text_paths(ctx: click.Context, option: click.Parameter, given: Sequence[str]) -> list[Path]:
    if not given or ctx.resilient_parsing:
        return []
    from upturn.show.text.formats import ENDINGS

    return _writable(given, tuple(ENDINGS))


def _fit_paths(ctx: click.Context, option: click.Parameter, given: Sequence[str]) -> list[Path]:
    if not given or ctx.resilient_parsing:
        return []
    from upturn.posterior.files import SUFFIXES
    from upturn.show.text.formats import ENDINGS

    return _writable(given, (*SUFFIXES, *ENDINGS))


def _writable(given: Sequence[str], endings: tuple[str, ...]) -> list[Path]:
    from upturn.posterior.files import check_writable

    return [check_writable(text, endings) for text in given]
