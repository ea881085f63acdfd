"""The commands that simulate data and check the answers on them."""

from typing import Any

import click

from upturn.commandline.calibrate_options import calibrate_options
from upturn.commandline.delivery import Delivery, print_text
from upturn.commandline.edge import Command, example
from upturn.commandline.goodness_options import FITTED, goodness_options
from upturn.commandline.simulate_options import Drawing, simulate_options
from upturn.commandline.source import READING, Source, keep_inputs


@click.command(
    cls=Command,
    section="Check",
    epilog=example("check gpt3 --where setting=few-shot --where task=arithmetic_3da"),
)
@goodness_options
@click.pass_context
def check(
    ctx: click.Context,
    /,
    *,
    source: Source,
    to: Delivery,
    axis: list[str],
    plot: str | None,
    **how: Any,
) -> None:
    """Does the curve fit, and what does not?

    Residuals are compared with those that the fitted model would show: models that do not belong,
    a second rise, correlated checkpoints, models that are off on all tasks, a wrong chance. In a
    table that fits, the probability of any finding is 5 %.

    TABLE as for `upturn fit`, or a fit that it saved (.nc or .zarr).
    """
    import upturn
    from upturn.show import plots
    from upturn.show.text.checks import CheckAnswer

    path = None if plot is None else plots.check_figure_path(plot)
    fits = source.is_fit
    given = source.load(ctx, (*FITTED, *READING)) if fits else source.given(to.outputs)
    with to.progress() as progress:
        result = upturn.check(given, axis=axis or "flops", progress=progress, **how)
    if path is not None:
        axes = plots.plot_check(result, result.worst)
        plots.save(axes.figure, path)  # type: ignore[arg-type]
    to.deliver(CheckAnswer(result))


@click.command(
    cls=Command,
    section="Check",
    epilog=example(
        "simulate --tasks 20 --models-per-task 12 --trials 500 -o table.csv --truth truth.csv"
    ),
)
@simulate_options
def simulate(output: str | None, truth: str | None, drawn: Drawing, **how: Any) -> None:
    """Simulate a table of results whose truth is known.

    The design is given by options or is that of a table (--design). The parameters of each task are
    drawn from the priors of the curve model (see `upturn models`).
    """
    import upturn
    from upturn.posterior.files import check_writable
    from upturn.show.text.files import write_text
    from upturn.show.text.formats import to_csv

    paths = [None if name is None else check_writable(name, (".csv",)) for name in (output, truth)]
    if output is not None and output == truth:
        raise click.UsageError("expected two files for the table and its truth, but got one")
    keep_inputs([path for path in paths if path is not None], drawn.design)
    simulation = upturn.simulate(**drawn.arguments(), **how)
    frames = (simulation.frame, simulation.truth)
    for path, frame in zip(paths, frames, strict=True):
        if path is not None:
            write_text(path, to_csv(frame))
    if paths[0] is None:
        print_text(to_csv(simulation.frame))


@click.command(
    cls=Command,
    section="Check",
    epilog=example("calibrate --model step --simulations 100 --trials 200"),
)
@calibrate_options
def calibrate(
    source: Source, to: Delivery, *, drawn: Drawing, plot: str | None, **how: Any
) -> None:
    """Check by simulation that intervals and probabilities are right.

    Parameters are drawn from the priors and scores from the likelihood; then each posterior is
    compared with the true values. The design is that of TABLE (its scales, trials, chance levels
    and groups), or is given by options. Exit code 1 if a check fails.
    """
    import upturn
    from upturn.show import plots
    from upturn.show.text.calibration import CalibrationAnswer

    figure = None if plot is None else plots.check_figure_path(plot)
    written = [*to.outputs, *([figure] if figure else [])]
    arguments = drawn.arguments(source.read(written) if source.table else None)
    simulations = arguments.pop("tasks")
    with to.progress("simulating") as progress:
        result = upturn.calibrate(
            **arguments, simulations=simulations, ci=to.ci, progress=progress, **how
        )
    if figure is not None:
        plots.save(plots.plot_calibration(result), figure)
    to.deliver(CalibrationAnswer(result))


ALL = (check, simulate, calibrate)
