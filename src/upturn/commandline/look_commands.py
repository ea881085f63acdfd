"""The commands that show an answer again: a table, a figure, a report, a comparison."""

from typing import Any

import click

from upturn.commandline.answer_options import answer_options
from upturn.commandline.delivery import Delivery, name_failed, print_text
from upturn.commandline.diff_options import diff_options, sides
from upturn.commandline.edge import FAILED, Command, example
from upturn.commandline.plot_options import plot_options
from upturn.commandline.report_options import report_options
from upturn.commandline.selection_options import selection_options
from upturn.commandline.source import READING, Source


@click.command(
    cls=Command,
    section="Look at an answer",
    epilog=example("fit gpt3 --where setting=few-shot -o gpt3.nc", "summary gpt3.nc --ci 0.5"),
)
@click.argument("file", metavar="FIT")
@selection_options
@answer_options(saves_fits=True)
def summary(file: str, to: Delivery, shown: dict[str, Any]) -> None:
    """Show a saved fit (.nc or .zarr) again."""
    import upturn
    from upturn.show.text.fits import FitAnswer

    saved = upturn.load(file)
    to.deliver(FitAnswer(saved, saved.selected(**shown).tolist()))


@click.command(
    cls=Command,
    section="Look at an answer",
    epilog=example(
        "fit gpt3 --where setting=few-shot --axis flops,params -o gpt3.nc",
        "plot gpt3.nc --curve arithmetic_3da -o arithmetic.svg",
    ),
)
@plot_options
def plot(file: str, output: str, **how: Any) -> None:
    """Draw a saved fit (.nc or .zarr).

    Each point is a score; its bar is the interval given the number of test questions. Line and band
    are the expected score. The density along the axis shows where the rise begins.
    """
    import upturn
    from upturn.show import plots

    path = plots.check_figure_path(output)
    plots.save(plots.plot(upturn.load(file), **how), path)


@click.command(
    cls=Command,
    section="Look at an answer",
    epilog=example("report gpt3 --where setting=few-shot --axis flops,params -o gpt3.html"),
)
@report_options
@click.pass_context
def report(
    ctx: click.Context,
    /,
    *,
    source: Source,
    output: str,
    shapes: str,
    ci: float,
    quiet: bool,
    axis: list[str],
    **how: Any,
) -> None:
    """Write a report of what emerges, and where.

    It says how sure each answer is, for readers without training in statistics. One HTML file
    that loads nothing from elsewhere.

    TABLE as for `upturn fit`, or a fit that it saved (.nc or .zarr). The verdict is about the first
    axis.
    """
    import upturn
    from upturn.posterior.files import check_writable
    from upturn.show.report.report import SUFFIXES

    path = check_writable(output, SUFFIXES)
    shared = {"shapes": shapes, "ci": ci, "threads": how.pop("threads")}
    with Delivery(quiet=quiet).progress() as progress:
        if source.is_fit:
            fitted = source.load(ctx, fixed=["axis", *how, *READING])
            result = upturn.report(fitted, progress=progress, **shared)
        else:
            results = source.read([path])
            result = upturn.report(
                results, axis=axis or "flops", progress=progress, **shared, **how
            )
    result.save(path)
    failed = name_failed(result.fit.failed, len(result.fit.curves))
    if not quiet:
        print_text("\n".join([*result.verdict, f"report: {path}", ""]))
    ctx.exit(FAILED if failed else 0)


@click.command(
    cls=Command,
    section="Look at an answer",
    epilog=example(
        "fit gpt3 --where task=arithmetic_2da --where setting=zero-shot -o before.nc",
        "fit gpt3 --where task=arithmetic_2da --where setting=few-shot -o after.nc",
        "diff before.nc after.nc --fail-if change=vanished",
    ),
)
@diff_options
@click.pass_context
def diff(
    ctx: click.Context,
    /,
    *,
    source: Source,
    to: Delivery,
    other: str,
    axis: list[str],
    shapes: list[str],
    **how: Any,
) -> None:
    """What emerged, moved or vanished from A to B?

    For each task: the change that is more probable than not, and its probability. A and B are
    tables, as for `upturn fit`, or fits that it saved (.nc or .zarr). Tables are averaged over many
    curve models; a table beside a fit is fitted as that was. Options of reading are for both.
    """
    import upturn
    from upturn.show.text.diffs import DiffAnswer

    given = sides(ctx, source, other, to.outputs)
    with to.progress() as progress:
        result = upturn.diff(
            *given, axis=axis or "flops", models=shapes or None, progress=progress, **how
        )
    to.deliver(DiffAnswer(result))


ALL = (summary, plot, report, diff)
