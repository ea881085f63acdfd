"""Options of a simulation: a curve model, and a design given by options or taken from a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any

import click

from upturn.commandline.fit_options import model_options
from upturn.commandline.options import (
    LIKELIHOODS,
    Command,
    Decorator,
    axis_option,
    by_name,
    seed_option,
    together,
)
from upturn.commandline.source import take

SPACINGS = ("random", "even")
DESIGN = ("models_per_task", "trials", "chance", "families", "limits", "spacing")


@dataclass(frozen=True)
class Drawing:
    """What is simulated: arguments of `upturn.simulate`."""

    design: str | None
    model: str
    priors: dict[str, str]
    likelihood: str | None
    axis: str
    tasks: int | None
    given: dict[str, Any]

    def arguments(self, design: Any = None) -> dict[str, Any]:
        """With a design made of the options, unless it is that of a table."""
        from upturn.questions.simulate.design import Design

        design = self.design if design is None else design
        if design is None:
            named = {name: value for name, value in self.given.items() if value not in (None, ())}
            design = Design(axis=self.axis, **named)
        return {
            "design": design,
            "model": self.model,
            "priors": self.priors,
            "likelihood": self.likelihood,
            "axis": self.axis,
            "tasks": self.tasks,
        }


def _range(
    ctx: click.Context, option: click.Parameter, given: str | None
) -> int | tuple[int, ...] | None:
    """A whole number, or a range of them: 12, 8:40."""
    if given is None:
        return None
    try:
        numbers = tuple(int(part) for part in given.split(":"))
    except ValueError:
        numbers = ()
    if len(numbers) not in (1, 2):
        raise click.BadParameter(
            f"expected a whole number, or two as 8:40, but got {given!r}", ctx, option
        )
    return numbers if len(numbers) > 1 else numbers[0]


def _chances(
    ctx: click.Context, option: click.Parameter, given: Sequence[str]
) -> tuple[float, ...]:
    return tuple(_number(text, "unknown", ctx, option) for text in given)


def _limits(
    ctx: click.Context, option: click.Parameter, given: str | None
) -> tuple[float, ...] | None:
    if given is None:
        return None
    ends = given.split(":")
    if len(ends) != 2:
        raise click.BadParameter(
            f"expected two numbers as 1e19:1e25, but got {given!r}", ctx, option
        )
    return tuple(_number(text, "", ctx, option) for text in ends)


def _number(text: str, unknown: str, ctx: click.Context, option: click.Parameter) -> float:
    if unknown and text == unknown:
        return float("nan")
    try:
        return float(text)
    except ValueError:
        raise click.BadParameter(f"expected a number, but got {text!r}", ctx, option) from None


def fixed_numbers(
    ctx: click.Context, option: click.Parameter, given: Sequence[str]
) -> dict[str, float]:
    """The value of each parameter that is fixed by NAME=NUMBER."""
    numbers = by_name(ctx, option, given, "NUMBER", "0.5")
    return {name: _number(number, "", ctx, option) for name, number in numbers.items()}


def design_options(tasks: int, *, of_table: bool = True) -> Decorator:
    """A model and a design, as the argument ``drawn``.

    Parameters
    ----------
    tasks
        Number of simulated tasks by default.
    of_table
        Whether the option ``--design`` names a table whose design is taken. Otherwise the argument
        ``source`` has the table, and a task is one simulation.
    """

    def gather(command: Command) -> Command:
        @wraps(command)
        def gathered(*args: Any, **how: Any) -> Any:
            given = take(how, *DESIGN)
            rest = take(how, "model", "priors", "likelihood", "axis", "tasks")
            rest["design"] = how.pop("design") if of_table else None
            table = rest["design"] if of_table else how["source"].table
            if table is not None:
                _refuse(click.get_current_context(), given)
            elif rest["tasks"] is None:
                rest["tasks"] = tasks
            return command(*args, drawn=Drawing(given=given, **rest), **how)

        return gathered

    from_table = click.option(
        "--design",
        metavar="TABLE",
        help="Table whose models, scales, trials, chance levels and groups are used.",
    )
    count = (
        click.option(
            "--tasks",
            type=click.IntRange(min=1),
            help=f"Number of tasks.  [default: {tasks}, or the number of curves of --design]",
        )
        if of_table
        else click.option(
            "--simulations",
            "tasks",
            type=click.IntRange(min=20),
            default=tasks,
            show_default=True,
            help="Number of simulated curves.",
        )
    )
    return together(
        *([from_table] if of_table else []),
        model_options(),
        click.option(
            "--likelihood",
            type=click.Choice(LIKELIHOODS),
            help="Distribution of the scores about the curve.  [default: that of the model]",
        ),
        count,
        click.option(
            "--models-per-task",
            callback=_range,
            metavar="N|N:N",
            help="Number of models, the same for all tasks, or a range from which each task draws "
            "one.  [default: 12]",
        ),
        click.option(
            "--trials",
            callback=_range,
            metavar="N|N:N",
            help="Number of test questions behind each score.  [default: 500]",
        ),
        click.option(
            "--chance",
            multiple=True,
            metavar="P",
            callback=_chances,
            help="Score of random guessing, or unknown. Repeatable: the tasks take the values in "
            "turn.  [default: 0.25]",
        ),
        click.option(
            "--families",
            type=click.IntRange(min=0),
            help="Number of model families, each with an offset along the axis.  [default: none]",
        ),
        axis_option,
        click.option(
            "--limits",
            metavar="LOW:HIGH",
            callback=_limits,
            help="Smallest and largest scale.  [default: 1e19:1e25]",
        ),
        click.option(
            "--spacing",
            type=click.Choice(SPACINGS),
            help="Spacing of the scales along the axis.  [default: random]",
        ),
        gather,
    )


def _refuse(context: click.Context, given: dict[str, Any]) -> None:
    """Refuse options of a design where the design is that of a table."""
    for name in given:
        if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            option = f"--{name.replace('_', '-')}"
            raise click.UsageError(
                f"{option}: expected it without a table, but got both; the table has its own design"
            )


def fixed_option(example: str) -> Decorator:
    """Values of parameters that all simulated tasks share."""
    return click.option(
        "--fix",
        "fixed",
        multiple=True,
        metavar="NAME=NUMBER",
        callback=fixed_numbers,
        help=f"Value of a parameter that all tasks share, for example {example}. Repeatable.",
    )


def simulate_options(command: Command) -> Command:
    """Options of `upturn simulate`."""
    return together(
        design_options(100),
        fixed_option("changepoint=0.5 (the middle of the axis)"),
        seed_option,
        click.option("-o", "--output", metavar="FILE", help="Write the table to this file (.csv)."),
        click.option(
            "--truth",
            metavar="FILE",
            help="Write the true parameters and emergence scale of each task to this file (.csv).",
        ),
    )(command)
