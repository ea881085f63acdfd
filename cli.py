"""The command line: thin commands, all work in the library.

Nothing heavy is imported before a command runs, so that help appears at once. The options of a
command are in `upturn.commandline`.
"""

from pathlib import Path
from typing import Any

import click

from upturn import __version__
from upturn.commandline import check_commands, data_commands
from upturn.commandline.answer_options import answer_options
from upturn.commandline.classify_options import classify_options
from upturn.commandline.compare_options import compare_options
from upturn.commandline.contrast_options import contrast_options
from upturn.commandline.delivery import Delivery, name_failed, print_text
from upturn.commandline.diff_options import diff_options, sides
from upturn.commandline.edge import FAILED, Application, example
from upturn.commandline.fit_options import batch_options, fit_options
from upturn.commandline.forecast_options import forecast_options
from upturn.commandline.options import curve_options
from upturn.commandline.plan_options import plan_options
from upturn.commandline.plot_options import plot_options
from upturn.commandline.pool_options import pool_options
from upturn.commandline.report_options import report_options
from upturn.commandline.selection_options import selection_options
from upturn.commandline.source import READING, Source


@click.group(
    cls=Application,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=example("fit gpt3 --where setting=few-shot"),
)
@click.version_option(__version__, package_name="upturn")
def main() -> None:
    """At what scale does each ability emerge, and how sure is that?

    Tables go to standard output, progress and notes to standard error. Exit codes: 0 done, 1 some
    curves failed (they are named), 2 bad input or usage, 3 a condition of --fail-if is met.
    """


# ---- answer a question ---------------------------------------------------------------------------


@main.command(
    section="Answer a question",
    epilog=example("fit gpt3 --where setting=few-shot --axis flops,params -o gpt3.nc"),
)
@curve_options()
@fit_options
@batch_options
@selection_options
@answer_options(saves_fits=True)
def fit(source: Source, to: Delivery, axis: list[str], shown: dict[str, Any], **how: Any) -> None:
    """Fit a curve to every task of a table.

    For each task: the scale at which the score begins to rise, with its interval. A fit that is
    saved as Zarr is written in batches; after an interruption the same command with --resume
    continues and ends with the same bytes.

    TABLE is a file (.csv, .tsv, .jsonl, .parquet), - for standard input, the name of a bundled
    data set (see `upturn datasets`; a file of that name comes first), or a folder of results of an
    evaluation harness (see `upturn convert`).
    """
    import upturn
    from upturn.show.text.fits import FitAnswer

    together = how["sampler"] == "nuts" or any(name.startswith("mix:") for name in axis)
    asked = any(how[name] for name in ("resume", "batch", "workers", "dask"))
    store = to.store if asked or not together else None
    axes = axis[0] if len(axis) == 1 else axis or "flops"
    table = source.given(to.outputs)
    with to.progress() as progress:
        result = upturn.fit(table, axis=axes, progress=progress, output=store, **how)
    to.deliver(FitAnswer(result, result.selected(**shown).tolist()), written=store)


@main.command(
    section="Answer a question",
    epilog=example("classify gpt3 --where setting=few-shot --where task=arithmetic_3da"),
)
@classify_options
def classify(
    source: Source,
    to: Delivery,
    *,
    axis: list[str],
    shapes: list[str],
    no_prevalence: bool,
    criteria: dict[str, Any],
    companions: list[str],
    families: Path | None,
    shown: dict[str, Any],
    **how: Any,
) -> None:
    """Does each task emerge, and sharply?

    The probability that the score is flat near chance and then rises well above it, averaged over
    many curve models by their evidence; the scale at which it rises; and the shape of each curve.

    TABLE as for `upturn fit`.
    """
    import upturn
    from upturn.show.text.classes import ClassAnswer
    from upturn.show.text.files import write_text
    from upturn.show.text.formats import to_csv

    results = source.read([*to.outputs, *filter(None, [families])])
    with to.progress() as progress:
        result = upturn.classify(
            results,
            axis=axis or "flops",
            models=shapes or None,
            learn_prevalence=not no_prevalence,
            criteria=upturn.Criteria(**criteria),
            progress=progress,
            **how,
        )
    asks: dict[str, Any] = {
        "floor": upturn.floor_test,
        "prior_sensitivity": upturn.prior_sensitivity,
        "influence": upturn.influence,
    }
    more: dict[str, Any] = {}
    for name in companions:
        with to.progress(name.replace("_", " ")) as progress:
            more[name] = asks[name](result, threads=how["threads"], progress=progress)
    if families:
        write_text(families, to_csv(result.families().table()))
    to.deliver(ClassAnswer(result, result.selected(**shown).tolist(), more))


@main.command(
    section="Answer a question",
    epilog=example(
        "compare gpt3 --where setting=few-shot --where task=arithmetic_3da --axes flops,perplexity"
    ),
)
@compare_options
def compare(
    source: Source,
    to: Delivery,
    *,
    over: str,
    names: list[str],
    axis: list[str],
    model: list[str],
    metric: tuple[str, ...] | None,
    cluster: str,
    refit: bool,
    **how: Any,
) -> None:
    """Compare axes, curve models or metrics on the same points.

    Give exactly one of --axes, --shapes and --metrics. Axes: which explains the scores best, and
    can they be told apart at all? Shapes: Bayes factors and predictions of curve models. Metrics:
    does a task that emerges under the first metric also emerge under the second?

    TABLE as for `upturn fit`. CSV output has one row a curve.
    """
    import upturn
    from upturn.show.text import comparison

    results = source.read(to.outputs)
    scored: dict[str, Any] = {"cluster": cluster, "refit": refit}
    with to.progress() as progress:
        how["progress"] = progress
        result: comparison.Comparison
        if over == "axes":
            result = upturn.compare_axes(
                results, axes=names, model=model or "hinge", metric=metric, families=refit,
                **scored, **how,
            )  # fmt: skip
        elif over == "shapes":
            result = upturn.compare_models(
                results, models=names, axis=axis or "flops", metric=metric, **scored, **how
            )
        else:
            result = upturn.compare_metrics(
                results, metrics=names, axis=axis or "flops", models=model or "all", **how
            )
    to.deliver(comparison.ComparisonAnswer(result))


@main.command(
    section="Answer a question",
    epilog=example(
        "contrast gpt3 --where task=wic --setting few-shot:one-shot --shapes flat,logit-line"
    ),
)
@contrast_options
def contrast(source: Source, to: Delivery, *, shapes: list[str], **how: Any) -> None:
    """From which scale does a technique help?

    The gain over the baseline, on the same models and tasks: where it begins to grow, from which
    scale the technique helps, and whether it hurts before.

    TABLE as for `upturn fit`.
    """
    import upturn
    from upturn.show.text.contrasts import ContrastAnswer

    results = source.read(to.outputs)
    with to.progress() as progress:
        result = upturn.contrast(results, models=shapes or None, progress=progress, **how)
    to.deliver(ContrastAnswer(result))


@main.command(
    section="Answer a question",
    epilog=example(
        "forecast gpt3 --where setting=few-shot --where task=arithmetic_3da --holdout-largest 2"
    ),
)
@forecast_options
def forecast(
    source: Source, to: Delivery, *, shapes: list[str], at: tuple[float, ...], **how: Any
) -> None:
    """Fit the small models, predict the large ones.

    Predictions are averaged over many curve models, with the noise of the scores and the chance of
    a later jump. They are scored on the scores that were held out, beside five extrapolations that
    are in use.

    TABLE as for `upturn fit`.
    """
    import upturn
    from upturn.show.text.forecasts import ForecastAnswer

    results = source.read(to.outputs)
    with to.progress() as progress:
        result = upturn.forecast(results, models=shapes or None, at=at, progress=progress, **how)
    to.deliver(ForecastAnswer(result))


@main.command(
    section="Answer a question",
    epilog=example("pool open-models --where task=arithmetic_3da -o pooled.csv"),
)
@pool_options
def pool(source: Source, to: Delivery, axis: list[str], **how: Any) -> None:
    """Which families of models need less scale?

    Each family has one offset along the axis, shared by its tasks; the offset of a family with one
    model is drawn towards zero, and no family is left out. Takes minutes: the model is compiled,
    then sampled by NUTS.

    TABLE as for `upturn fit`.
    """
    import upturn
    from upturn.questions.pool.pool import PHASES
    from upturn.show.text.pooled import PoolAnswer

    results = source.read(to.outputs)
    with to.progress(*PHASES) as progress:
        result = upturn.pool(results, axis=axis or "flops", progress=progress, **how)
    to.deliver(PoolAnswer(result))


@main.command(
    section="Answer a question", epilog=example("plan --n-models 6,20 --trials 300 --tasks 20")
)
@plan_options
def plan(to: Delivery, *, layouts: tuple[str, ...], **how: Any) -> None:
    """How many models locate an emergence scale?

    For each design, by simulation: the probability that the estimated scale is close to the true
    one.
    """
    import upturn
    from upturn.questions.plan.plan import LAYOUTS
    from upturn.show.text.plans import PlanAnswer

    with to.progress("simulating") as progress:
        result = upturn.plan(layouts=layouts or LAYOUTS, progress=progress, **how)
    to.deliver(PlanAnswer(result))


# ---- look at an answer ---------------------------------------------------------------------------


@main.command(
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


@main.command(
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


@main.command(
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


@main.command(
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


# ---- data, models and checks ---------------------------------------------------------------------

for _command in (*data_commands.ALL, *check_commands.ALL):
    main.add_command(_command)


if __name__ == "__main__":
    main()
