"""Options of `upturn plot`."""

import click

from upturn.commandline.options import Command, ci_option, together

FIGURES = ("curve", "grid", "axes", "forest")


def plot_options(command: Command) -> Command:
    """The saved fit, the figure and the curves that are drawn."""
    return together(
        click.argument("file", metavar="FIT"),
        click.option(
            "-o", "--output", required=True, metavar="FILE", help="The figure: .svg, .png or .pdf."
        ),
        click.option(
            "--kind",
            type=click.Choice(FIGURES),
            help="One curve, a grid of curves, one task on every axis, or the emergence scales of "
            "all curves.  [default: by the number of curves]",
        ),
        click.option(
            "--curve",
            "curves",
            multiple=True,
            metavar="NAME",
            help="Name of a curve or a task. Repeatable.",
        ),
        click.option(
            "--where",
            multiple=True,
            metavar="LABEL=VALUE",
            help="Draw only these curves. Repeatable. Two values of one label mean either; two "
            "labels mean both.",
        ),
        click.option("--axis", metavar="NAME", help="Draw only this axis."),
        click.option("--by", metavar="LABEL", help="Colour the emergence scales by this label."),
        ci_option,
    )(command)
