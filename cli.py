"""The command line: thin commands, all work in the library.

Nothing heavy is imported before a command runs, so that help is there at once.
"""

from collections.abc import Callable
from typing import Any

import click

from upturn import __version__
from upturn.commandline.delivery import Delivery, name_failed, print_text
from upturn.commandline.drawing import Drawing, design_options, fixed_numbers
from upturn.commandline.edge import FAILED, Application, example
from upturn.commandline.options import (
    CLUSTERS,
    OPEN_SHARE,
    SHARE,
    answer_options,
    batch_options,
    by_option,
    ci_option,
    curve_options,
    facts_option,
    fit_options,
    metric_option,
    model_options,
    names_option,
    nuts_option,
    quiet_option,
    run_options,
    scatter_option,
    seed_option,
    source_options,
    threads_option,
)
from upturn.commandline.source import Source, keep_inputs

# Written out because the library that holds them takes a second to load; a test compares.
HARNESSES = ("lm-eval", "bigbench", "helm", "inspect")
SHAPES = ("lean", "all", "none")
FIGURES = ("curve", "grid", "axes", "forest")


@click.group(
    cls=Application,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=example("fit gpt3 --where setting=few-shot"),
)
@click.version_option(__version__, package_name="upturn")
def main() -> None:
    """At what scale does each ability turn up, and how sure are we?

    Tables go to standard output, progress and notes to standard error. Exit codes: 0 done, 1 some
    curves failed (they are named), 2 bad input or usage.
    """


# ---- fits ----------------------------------------------------------------------------------------


@main.command(epilog=example("fit gpt3 --where setting=few-shot --axis flops,params -o gpt3.nc"))
@curve_options()
@fit_options
@batch_options
@answer_options(saves_fits=True)
def fit(source: Source, to: Delivery, axis: list[str], **how: Any) -> None:
    """Fit the curves of a table.

    For each: the scale at which it turns up, with an interval. A fit that is saved as Zarr is
    written batch by batch; killed at any moment, the same command with --resume goes on from there
    and ends with the same bytes.

    TABLE is a file (.csv, .tsv, .jsonl, .parquet), - for standard input, the name of a bundled
    data set (see `upturn datasets`; a file of that name wins), or a folder of results that an
    evaluation harness wrote (see `upturn convert`).
    """
    import upturn
    from upturn.show.text.fits import FitAnswer

    together = how["sampler"] == "nuts" or any(name.startswith("mix:") for name in axis)
    asked = any(how[name] for name in ("resume", "batch", "workers", "dask"))
    store = to.store if asked or not together else None
    one = axis[0] if len(axis) == 1 else axis or "flops"
    table = source.given(to.outputs)
    with to.progress() as told:
        done = upturn.fit(table, axis=one, progress=told, output=store, **how)
    to.deliver(FitAnswer(done), written=store)


@main.command(
    epilog=example("fit gpt3 --where setting=few-shot -o gpt3.nc", "summary gpt3.nc --ci 0.5")
)
@click.argument("file", metavar="FIT")
@answer_options(saves_fits=True)
def summary(file: str, to: Delivery) -> None:
    """Show a saved fit (.nc or .zarr) again."""
    import upturn
    from upturn.show.text.fits import FitAnswer

    to.deliver(FitAnswer(upturn.load(file)))


@main.command(
    epilog=example(
        "fit gpt3 --where setting=few-shot --axis flops,params -o gpt3.nc",
        "plot gpt3.nc --curve arithmetic_3da -o arithmetic.svg",
    )
)
@click.argument("file", metavar="FIT")
@click.option(
    "-o", "--output", required=True, metavar="FILE", help="The figure: .svg, .png or .pdf."
)
@click.option(
    "--kind",
    type=click.Choice(FIGURES),
    help="One curve, a grid of them, one task on every axis, or the scales of all.  "
    "[default: what the number of curves suggests]",
)
@click.option(
    "--curve", "curves", multiple=True, metavar="NAME", help="A curve or a task. Repeatable."
)
@click.option(
    "--where",
    multiple=True,
    metavar="LABEL=VALUE",
    help="Draw only these curves. Repeat it: values of one label add up, labels narrow.",
)
@click.option("--axis", metavar="NAME", help="Draw only this axis.")
@click.option("--by", metavar="LABEL", help="Colour a forest by this label.")
@ci_option
def plot(file: str, output: str, **how: Any) -> None:
    """Draw a saved fit (.nc or .zarr).

    Points are scores with their binomial intervals, line and band what is expected, the hump along
    the axis the probability of where the curve turns up.
    """
    import upturn
    from upturn.show import plots

    path = plots.check_figure_path(output)
    plots.save(plots.plot(upturn.load(file), **how), path)


@main.command(
    epilog=example("report gpt3 --where setting=few-shot --axis flops,params -o gpt3.html")
)
@curve_options()
@fit_options
@click.option(
    "--shapes",
    type=click.Choice(SHAPES),
    default="lean",
    show_default=True,
    help="What the verdict on emergence averages over: a few models, all, or no verdict.",
)
@ci_option
@click.option("-o", "--output", required=True, metavar="FILE", help="The report: .html.")
@quiet_option("No progress, no verdict.")
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

    One HTML file, which loads nothing, with how sure each answer is, for readers who know no
    statistics.

    TABLE is what `upturn fit` takes, or a fit that it saved (.nc or .zarr). The verdict is about
    the first axis.
    """
    import upturn
    from upturn.posterior.files import check_writable
    from upturn.show.report.report import SUFFIXES

    path = check_writable(output, SUFFIXES)
    shared = {"shapes": shapes, "ci": ci, "threads": how.pop("threads")}
    with Delivery(quiet=quiet).progress() as told:
        if source.is_fit:
            fitted = source.load(ctx, told=["axis", *how])
            made = upturn.report(fitted, progress=told, **shared)
        else:
            results = source.read([path])
            made = upturn.report(results, axis=axis or "flops", progress=told, **shared, **how)
    made.save(path)
    failed = name_failed(made.fit.failed, len(made.fit.curves))
    if not quiet:
        print_text("\n".join([*made.verdict, f"report: {path}", ""]))
    ctx.exit(FAILED if failed else 0)


# ---- questions -----------------------------------------------------------------------------------


@main.command(epilog=example("classify gpt3 --where setting=few-shot --where task=arithmetic_3da"))
@curve_options()
@names_option(
    "--models",
    metavar="NAME|FILE",
    help="Average over these models. Repeat it, or separate by commas.  [default: all built-in]",
)
@click.option(
    "--no-prevalence",
    is_flag=True,
    help="Equal odds of the classes of shapes for every curve, instead of shares learned from "
    "the table.",
)
@click.option(
    "--min-rise",
    type=OPEN_SHARE,
    default=0.1,
    show_default=True,
    help="Least rise of an emergent curve over the axis.",
)
@click.option(
    "--min-flat",
    type=SHARE,
    default=0.25,
    show_default=True,
    help="Least flat stretch before it, as a share of the axis.",
)
@click.option(
    "--flat-scales",
    type=click.IntRange(min=1),
    default=3,
    show_default=True,
    help="Scales that must lie in that stretch.",
)
@click.option(
    "--near-chance",
    type=SHARE,
    default=0.1,
    show_default=True,
    help="How far from chance it may begin.",
)
@click.option(
    "--max-width",
    type=SHARE,
    default=0.25,
    show_default=True,
    help="Greatest width of a sharp rise, as a share of the axis.",
)
@click.option(
    "--floor", is_flag=True, help="Test each floor for growth before the onset, beside the rest."
)
@click.option(
    "--prior-sensitivity",
    is_flag=True,
    help="Refit under priors half and twice as wide: which verdicts flip? (about 10 times as long)",
)
@click.option(
    "--influence",
    is_flag=True,
    help="Leave out each shape, each family, and of curves of up to 20 points each model: which "
    "verdicts flip?",
)
@run_options(1000)
@answer_options()
def classify(
    source: Source,
    to: Delivery,
    *,
    axis: list[str],
    models: list[str],
    no_prevalence: bool,
    floor: bool,
    prior_sensitivity: bool,
    influence: bool,
    threads: int | None,
    min_rise: float,
    min_flat: float,
    flat_scales: int,
    near_chance: float,
    max_width: float,
    **how: Any,
) -> None:
    """Say of each curve whether it is emergent, and sharply.

    Averaged over all shapes by evidence: the probability that the curve is flat, then well above;
    the scale at which it turns up, or "not by" the largest; the classes of shapes.

    TABLE as for `upturn fit`.
    """
    import upturn
    from upturn.show.text.classes import ClassAnswer

    results = source.read(to.outputs)
    rules = upturn.Criteria(
        min_rise=min_rise,
        min_flat=min_flat,
        near_chance=near_chance,
        flat_scales=flat_scales,
        max_width=max_width,
    )
    with to.progress() as told:
        found = upturn.classify(
            results,
            axis=axis or "flops",
            models=models or None,
            learn_prevalence=not no_prevalence,
            criteria=rules,
            threads=threads,
            progress=told,
            **how,
        )
    companions: dict[str, tuple[bool, Callable[..., Any]]] = {
        "floor": (floor, upturn.floor_test),
        "prior_sensitivity": (prior_sensitivity, upturn.prior_sensitivity),
        "influence": (influence, upturn.influence),
    }
    more: dict[str, Any] = {}
    for name, (wanted, ask) in companions.items():
        if wanted:
            with to.progress(name.replace("_", " ")) as told:
                more[name] = ask(found, threads=threads, progress=told)
    to.deliver(ClassAnswer(found, more))


@main.command(
    epilog=example(
        "compare gpt3 --where setting=few-shot --where task=arithmetic_3da --axes flops,perplexity"
    )
)
@curve_options()
@names_option(
    "--axes", "over_axes", help="Compare axes of scale, on the points that have all of them."
)
@names_option("--models", "over_models", help="Compare models (see `upturn models`), or all.")
@names_option(
    "--metrics",
    "over_metrics",
    help="Compare two metrics of the same outputs, the one under suspicion first.",
)
@names_option(
    "--model",
    metavar="NAME|FILE",
    help="With --axes and --metrics: a model, several by commas, or all, averaged by evidence.  "
    "[default: hinge for axes, all for metrics]",
)
@click.option(
    "--cluster",
    type=click.Choice(CLUSTERS),
    default="auto",
    show_default=True,
    help="What points share: errors of differences are clustered by it.",
)
@click.option(
    "--refit/--no-refit",
    default=True,
    show_default=True,
    help="Fit again without a point or a family where leaving it out needs that.",
)
@run_options(2000)
@answer_options("comparison")
def compare(
    source: Source,
    to: Delivery,
    *,
    axis: list[str],
    model: list[str],
    metric: tuple[str, ...] | None,
    cluster: str,
    refit: bool,
    over_axes: list[str],
    over_models: list[str],
    over_metrics: list[str],
    **how: Any,
) -> None:
    """Compare axes, models or metrics on the same points.

    Exactly one of --axes, --models and --metrics. Axes: which one explains the points best, and how
    far they can be told apart at all. Models: Bayes factors and predictions. Metrics: does
    emergence under the first survive the second?

    TABLE as for `upturn fit`. CSV is of the curves.
    """
    import upturn
    from upturn.show.text import comparison

    over = _one_question(
        axes=(over_axes, axis), models=(over_models, model), metrics=(over_metrics, metric)
    )
    results = source.read(to.outputs)
    scored: dict[str, Any] = {"cluster": cluster, "refit": refit}
    with to.progress() as told:
        how["progress"] = told
        found: comparison.Comparison
        if over == "axes":
            found = upturn.compare_axes(
                results, axes=over_axes, model=model or "hinge", metric=metric, families=refit,
                **scored, **how,
            )  # fmt: skip
        elif over == "models":
            found = upturn.compare_models(
                results, models=over_models, axis=axis or "flops", metric=metric, **scored, **how
            )
        else:
            found = upturn.compare_metrics(
                results, metrics=over_metrics, axis=axis or "flops", models=model or "all", **how
            )
    to.deliver(comparison.ComparisonAnswer(found))


def _one_question(**given: tuple[list[str], Any]) -> str:
    """What is compared; the option that would say the same otherwise is refused beside it."""
    asked = [name for name, (names, _) in given.items() if names]
    if len(asked) != 1:
        got = " and ".join(f"--{name}" for name in asked) or "none of them"
        raise click.UsageError(
            f"expected exactly one of --axes, --models and --metrics, but got {got}"
        )
    over = asked[0]
    single = {"axes": "--axis", "models": "--model", "metrics": "--metric"}[over]
    if given[over][1]:
        raise click.UsageError(f"expected --{over} without {single}; name all of them in --{over}")
    return over


@main.command(epilog=example("pool open-models --where task=arithmetic_3da -o pooled.csv"))
@source_options()
@click.option("--over", default="family", show_default=True, metavar="LABEL", help="What to pool.")
@names_option(
    "--axis",
    "--axes",
    "axis",
    metavar="NAME",
    help="Axis of scale; of several, separated by commas, it says which serves best.  "
    "[default: flops]",
)
@metric_option
@model_options("of sigma_family and sigma_task too")
@run_options(8000)
@nuts_option
@answer_options()
def pool(source: Source, to: Delivery, axis: list[str], **how: Any) -> None:
    """Estimate by how much families of models are early or late.

    One offset along the axis of each family is shared by its tasks; families with one model are
    shrunk, not dropped. Takes minutes: the model is compiled, then sampled by NUTS.

    TABLE as for `upturn fit`.
    """
    import upturn
    from upturn.show.text.pooled import PoolAnswer

    results = source.read(to.outputs)
    with to.progress() as told:
        done = upturn.pool(results, axis=axis or "flops", progress=told, **how)
    to.deliver(PoolAnswer(done))


@main.command(
    epilog=example(
        "contrast gpt3 --where task=wic --setting few-shot:one-shot --models flat,logit-line"
    )
)
@source_options()
@click.option(
    "--setting",
    required=True,
    metavar="TECHNIQUE:BASELINE",
    help="Two values of the column setting, for example cot:direct.",
)
@click.option("--axis", default="flops", show_default=True, metavar="NAME", help="Axis of scale.")
@metric_option
@by_option
@names_option("--models", help="Average the baseline over these shapes only.  [default: all]")
@click.option(
    "--pool", is_flag=True, help="Learn from all tasks together how common each kind of gain is."
)
@run_options(400)
@answer_options()
def contrast(source: Source, to: Delivery, *, models: list[str], **how: Any) -> None:
    """Say from which scale on a technique helps.

    The gain over the baseline, on the same models and tasks: where it begins to grow, the scale
    from which on the technique helps, and whether it hurts before.

    TABLE as for `upturn fit`.
    """
    import upturn
    from upturn.show.text.contrasts import ContrastAnswer

    results = source.read(to.outputs)
    with to.progress() as told:
        done = upturn.contrast(results, models=models or None, progress=told, **how)
    to.deliver(ContrastAnswer(done))


@main.command(
    epilog=example(
        "forecast gpt3 --where setting=few-shot --where task=arithmetic_3da --holdout-largest 2"
    )
)
@source_options()
@click.option("--train-below", type=float, metavar="SCALE", help="Fit the points below this scale.")
@click.option(
    "--holdout-largest",
    type=click.IntRange(min=1),
    metavar="K",
    help="Predict the points at the K largest scales of each curve.",
)
@click.option(
    "--at",
    type=float,
    multiple=True,
    metavar="SCALE",
    help="The probability of a jump by this scale too; alone, all points are fitted. Repeatable.",
)
@click.option("--axis", default="flops", show_default=True, metavar="NAME", help="Axis of scale.")
@metric_option
@by_option
@scatter_option
@names_option("--models", help="Average over these shapes only.  [default: all]")
@click.option(
    "--hazard",
    type=click.FloatRange(min=0, min_open=True),
    metavar="RATE",
    help="Of a changepoint past the end of what is fitted, per decade.  "
    "[default: one per length of axis fitted]",
)
@click.option(
    "--delta",
    type=OPEN_SHARE,
    default=0.1,
    show_default=True,
    help="How much more than at the end of what is fitted is a jump.",
)
@run_options(1000)
@answer_options()
def forecast(
    source: Source, to: Delivery, *, models: list[str], at: tuple[float, ...], **how: Any
) -> None:
    """Fit the small models, predict the large ones, and score that.

    Averaged over all shapes by evidence, with the noise of scores and the chance of a later jump;
    beside five curves that others extrapolate by.

    TABLE as for `upturn fit`.
    """
    import upturn
    from upturn.show.text.forecasts import ForecastAnswer

    results = source.read(to.outputs)
    with to.progress() as told:
        done = upturn.forecast(results, models=models or None, at=at, progress=told, **how)
    to.deliver(ForecastAnswer(done))


# ---- simulation ----------------------------------------------------------------------------------


@main.command(
    epilog=example(
        "simulate --tasks 20 --models-per-task 12 --trials 500 -o table.csv --truth truth.csv"
    )
)
@design_options(100)
@click.option(
    "--fix",
    "fixed",
    multiple=True,
    metavar="NAME=NUMBER",
    callback=fixed_numbers,
    help="A parameter that all tasks share, for example changepoint=0.5, a share of the axis. "
    "Repeatable.",
)
@seed_option
@click.option("-o", "--output", metavar="FILE", help="Write the table to this file (.csv).")
@click.option(
    "--truth",
    metavar="FILE",
    help="Write the truth of each task to this file (.csv): parameters, emergence scale.",
)
def simulate(output: str | None, truth: str | None, drawn: Drawing, **how: Any) -> None:
    """Draw a table of results whose truth is known.

    From a model (see `upturn models`) and a design: made up, or that of a table. Parameters of each
    task are drawn from their priors.
    """
    import upturn
    from upturn.posterior.files import check_writable
    from upturn.show.text.files import write_text
    from upturn.show.text.formats import to_csv

    paths = [None if name is None else check_writable(name, (".csv",)) for name in (output, truth)]
    if output is not None and output == truth:
        raise click.UsageError("expected two files for the table and its truth, but got one")
    keep_inputs([path for path in paths if path is not None], drawn.design)
    made = upturn.simulate(**drawn.arguments(), **how)
    frames = (made.frame, made.truth)
    for path, frame in zip(paths, frames, strict=True):
        if path is not None:
            write_text(path, to_csv(frame))
    if paths[0] is None:
        print_text(to_csv(made.frame))


@main.command(epilog=example("calibrate --model step --simulations 100 --trials 200"))
@source_options(required=False)
@design_options(400, of_table=False)
@click.option("--by", metavar="LABEL", help="Of TABLE: one curve for each value of this label too.")
@metric_option
@scatter_option
@run_options(1000)
@click.option("--plot", metavar="FILE", help="Draw the ranks to this file: .svg, .png or .pdf.")
@answer_options("checks")
def calibrate(
    source: Source, to: Delivery, *, drawn: Drawing, plot: str | None, **how: Any
) -> None:
    """Check by simulation that intervals and probabilities are right.

    Parameters are drawn from the priors, scores from the likelihood, and each posterior is asked
    where the truth lies in it. On the design of TABLE: the scales, trials, chance levels and groups
    of its curves; or on one that is made up. Exit code 1 where a check fails.
    """
    import upturn
    from upturn.show import plots
    from upturn.show.text.calibration import CalibrationAnswer

    figure = None if plot is None else plots.check_figure_path(plot)
    written = [*to.outputs, *([figure] if figure else [])]
    arguments = drawn.arguments(source.read(written) if source.table else None)
    simulations = arguments.pop("tasks")
    with to.progress("simulating") as told:
        found = upturn.calibrate(
            **arguments, simulations=simulations, ci=to.ci, progress=told, **how
        )
    if figure is not None:
        plots.save(plots.plot_calibration(found), figure)
    to.deliver(CalibrationAnswer(found))


def _counts(ctx: click.Context, option: click.Parameter, given: str) -> list[int]:
    """Whole numbers, separated by commas."""
    try:
        return [int(part) for part in given.split(",")]
    except ValueError:
        raise click.BadParameter(
            f"expected whole numbers separated by commas, but got {given!r}", ctx, option
        ) from None


@main.command(epilog=example("plan --models 6,20 --trials 300 --tasks 20"))
@click.option(
    "--models",
    default="6,10,20,40",
    show_default=True,
    metavar="N,N",
    callback=_counts,
    help="Numbers of models.",
)
@click.option(
    "--trials",
    default="100,1000",
    show_default=True,
    metavar="N,N",
    callback=_counts,
    help="Numbers of examples behind a score.",
)
@click.option(
    "--layout",
    "layouts",
    type=click.Choice(["even", "near"]),
    multiple=True,
    help="Models evenly along the axis, or half of them near the guess. Repeatable.  "
    "[default: both]",
)
@click.option(
    "--around",
    type=float,
    metavar="SCALE",
    help="Where the task is guessed to turn up.  [default: the middle of the axis]",
)
@click.option(
    "--limits",
    type=float,
    nargs=2,
    default=(1e19, 1e25),
    show_default=True,
    metavar="LOW HIGH",
    help="Smallest and largest scale.",
)
@click.option("--axis", default="flops", show_default=True, metavar="NAME", help="Axis of scale.")
@click.option(
    "--model",
    default="hinge",
    show_default=True,
    metavar="NAME|FILE",
    help="With a changepoint; see `upturn models`.",
)
@click.option("--chance", type=SHARE, default=0.25, show_default=True, help="Of the tasks.")
@click.option(
    "--fix",
    "fixed",
    multiple=True,
    metavar="NAME=NUMBER",
    callback=fixed_numbers,
    help="A parameter that all tasks share, for example height=0.6. Repeatable.",
)
@click.option(
    "--within",
    type=click.FloatRange(0, 100, min_open=True),
    default=0.2,
    show_default=True,
    help="Decades.",
)
@click.option(
    "--probability", type=OPEN_SHARE, default=0.8, show_default=True, help="Of coming so close."
)
@click.option(
    "--tasks",
    type=click.IntRange(min=1),
    default=100,
    show_default=True,
    help="Simulated for each design.",
)
@seed_option
@threads_option
@answer_options()
def plan(to: Delivery, *, layouts: tuple[str, ...], **how: Any) -> None:
    """Say how many models pin an emergence scale, by simulation.

    For each design: how probably the estimate comes so many decades from the truth, or closer.
    """
    import upturn
    from upturn.questions.plan.plan import LAYOUTS
    from upturn.show.text.plans import PlanAnswer

    with to.progress("simulating") as told:
        done = upturn.plan(layouts=layouts or LAYOUTS, progress=told, **how)
    to.deliver(PlanAnswer(done))


# ---- what there is -------------------------------------------------------------------------------


@main.command(epilog=example("models hinge > my.toml"))
@click.argument("name", required=False)
def models(name: str | None) -> None:
    """List the curve models, or print one.

    What is printed of the one called NAME is its whole file, with every prior: save it, change a
    line, and pass it to --model.
    """
    from upturn.model import Model
    from upturn.show.text.terminal import print_list

    if name is not None:
        click.echo(Model.read(name).to_toml(), nl=False)
        return
    every = [Model.read(each) for each in Model.names()]
    rows = [(m.name, m.shape, ", ".join(m.parameters), m.summary) for m in every]
    print_list(["model", "shape", "parameters", "what it is"], rows)


@main.command(epilog=example("datasets open-models -o open-models.csv"))
@click.argument("name", required=False)
@click.option("-o", "--output", metavar="FILE", help="Write the table to this file (.csv).")
def datasets(name: str | None, output: str | None) -> None:
    """List the bundled data sets, or print one."""
    from upturn.posterior.files import check_writable
    from upturn.show.text.files import write_text
    from upturn.show.text.terminal import print_list
    from upturn.tables import datasets as bundled

    if name is None:
        if output is not None:
            raise click.UsageError("-o needs the NAME of a data set")
        rows = [
            (d.name, f"{d.rows:,}", f"{d.tasks}", f"{d.models}", ", ".join(d.axes),
             f"{d.citation}. Licence: {d.licence}")
            for d in bundled.catalogue()
        ]  # fmt: skip
        headers = ["data set", "rows", "tasks", "models", "axes", "source and licence"]
        print_list(headers, rows, right={1, 2, 3})
        return
    path = None if output is None else check_writable(output, (".csv", ".txt"))
    text = bundled.path(name).read_text("utf-8")
    if path is None:
        print_text(text)
    else:
        write_text(path, text)


@main.command(epilog=example("facts open-models -o models.csv"))
@click.argument("table", metavar="TABLE")
@facts_option
@click.option("-o", "--output", metavar="FILE", help="Write the list to this file (.csv).")
@quiet_option("No notes.")
def facts(table: str, facts: str | None, output: str | None, quiet: bool) -> None:
    """List the models of a table and what is known of each.

    TABLE is a file, -, the name of a bundled data set, or a folder that an evaluation harness
    wrote. Sizes that only a name states are marked as guessed. Edit the list and pass it back:
    `upturn fit results.csv --facts models.csv`.
    """
    import upturn
    from upturn.posterior.files import check_writable
    from upturn.show.text.files import write_text
    from upturn.show.text.formats import to_csv
    from upturn.show.text.text import one_line
    from upturn.tables.facts.listing import notes_of

    target = None if output is None else check_writable(output, (".csv",))
    keep_inputs([target] if target else [], table, facts)
    found = upturn.facts(table, facts=facts)
    if target is None:
        print_text(to_csv(found))
    else:
        write_text(target, to_csv(found))
    if not quiet:
        notes = notes_of(found)
        click.echo("".join(f"note: {one_line(note)}\n" for note in notes), err=True, nl=False)


@main.command(epilog=example("convert lm-eval results/ --facts models.csv -o table.csv"))
@click.argument("kind", metavar="HARNESS", type=click.Choice(HARNESSES))
@click.argument("path", metavar="PATH")
@facts_option
@click.option("-o", "--output", metavar="FILE", help="Write the table to this file (.csv).")
@quiet_option("No notes.")
def convert(kind: str, path: str, facts: str | None, output: str | None, quiet: bool) -> None:
    """Make a table of what an evaluation harness wrote.

    HARNESS is lm-eval (the LM Evaluation Harness, older layouts too), bigbench (BIG-bench's
    scores_*.json), helm (run_spec.json and stats.json) or inspect (Inspect's .eval and .json logs).
    PATH is a folder, searched to the bottom, or one file.
    """
    from upturn.posterior.files import check_writable
    from upturn.show.text.files import write_text
    from upturn.show.text.formats import to_csv
    from upturn.show.text.text import one_line
    from upturn.tables.conversion import tabulate

    target = None if output is None else check_writable(output, (".csv",))
    keep_inputs([target] if target else [], path, facts)
    frame, notes = tabulate(path, kind=kind, facts=facts)
    if target is None:
        print_text(to_csv(frame))
    else:
        write_text(target, to_csv(frame))
    if not quiet:
        click.echo("".join(f"note: {one_line(note)}\n" for note in notes), err=True, nl=False)


if __name__ == "__main__":
    main()
