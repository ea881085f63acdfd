"""Options of what is simulated: a model, and a design that is made up or a table's."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any

import click

from upturn.commandline.options import (
    LIKELIHOODS,
    Command,
    Decorator,
    by_name,
    model_options,
    together,
)
from upturn.commandline.source import take

SPACINGS = ("random", "even")
MADE_UP = ("models_per_task", "trials", "chance", "families", "limits", "spacing")


@dataclass(frozen=True)
class Drawing:
    """What is drawn: arguments of `upturn.simulate`."""

    design: str | None
    model: str
    priors: dict[str, str]
    likelihood: str | None
    axis: str
    tasks: int | None
    made_up: dict[str, Any]

    def arguments(self, design: Any = None) -> dict[str, Any]:
        """With the design made up, unless it is a table's."""
        from upturn.questions.simulate.design import Design

        design = self.design if design is None else design
        if design is None:
            given = {name: value for name, value in self.made_up.items() if value not in (None, ())}
            design = Design(axis=self.axis, **given)
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
    """A whole number, or least and most: 12, 8:40."""
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
    """NAME=NUMBER of each parameter that is fixed."""
    numbers = by_name(ctx, option, given, "NUMBER", "0.5")
    return {name: _number(number, "", ctx, option) for name, number in numbers.items()}


def design_options(tasks: int, *, of_table: bool = True) -> Decorator:
    """A model and a design, as the argument ``drawn``.

    Parameters
    ----------
    tasks
        How many are drawn by default.
    of_table
        Whether an option names a table whose design is taken; else the argument ``source`` has it,
        and tasks are simulations.
    """

    def gather(command: Command) -> Command:
        @wraps(command)
        def gathered(*args: Any, **how: Any) -> Any:
            made_up = take(how, *MADE_UP)
            rest = take(how, "model", "priors", "likelihood", "axis", "tasks")
            rest["design"] = how.pop("design") if of_table else None
            table = rest["design"] if of_table else how["source"].table
            if table is not None:
                _refuse(click.get_current_context(), made_up)
            elif rest["tasks"] is None:
                rest["tasks"] = tasks
            return command(*args, drawn=Drawing(made_up=made_up, **rest), **how)

        return gathered

    from_table = click.option(
        "--design",
        metavar="TABLE",
        help="Take models, scales, trials, chance and groups of a table, as for `upturn fit`.",
    )
    count = (
        click.option(
            "--tasks",
            type=click.IntRange(min=1),
            help=f"[default: {tasks}, or as many as the table of --design has curves]",
        )
        if of_table
        else click.option(
            "--simulations",
            "tasks",
            type=click.IntRange(min=20),
            default=tasks,
            show_default=True,
            help="Curves that are drawn.",
        )
    )
    return together(
        *([from_table] if of_table else []),
        model_options(),
        click.option(
            "--likelihood",
            type=click.Choice(LIKELIHOODS),
            help="How scores scatter about the curve.  [default: the model's]",
        ),
        count,
        click.option(
            "--models-per-task",
            callback=_range,
            metavar="N|N:N",
            help="One number: the same models for all tasks. Least and most: each task its own.  "
            "[default: 12]",
        ),
        click.option(
            "--trials",
            callback=_range,
            metavar="N|N:N",
            help="Examples behind a score.  [default: 500]",
        ),
        click.option(
            "--chance",
            multiple=True,
            metavar="P",
            callback=_chances,
            help="A number, or unknown. Repeat it: dealt out to the tasks in turn.  "
            "[default: 0.25]",
        ),
        click.option(
            "--families",
            type=click.IntRange(min=0),
            help="Of models, each with an offset along the axis.  [default: none]",
        ),
        click.option("--axis", default="flops", show_default=True, metavar="NAME"),
        click.option(
            "--limits",
            metavar="LOW:HIGH",
            callback=_limits,
            help="The smallest and the largest scale.  [default: 1e19:1e25]",
        ),
        click.option(
            "--spacing",
            type=click.Choice(SPACINGS),
            help="Of scales along the axis.  [default: random]",
        ),
        gather,
    )


def _refuse(context: click.Context, made_up: dict[str, Any]) -> None:
    """Options of a made up design have no place beside a table's."""
    for name in made_up:
        if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            option = f"--{name.replace('_', '-')}"
            raise click.UsageError(
                f"{option}: expected it without a table, but got both; the table has its own"
            )
