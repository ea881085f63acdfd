"""The command line: thin commands, all work in the library.

Nothing heavy is imported before a command runs, so that help appears at once. The options of a
command are in `upturn.commandline`.
"""

from pathlib import Path
from typing import Any

import click

from upturn import __version__
from upturn.commandline import check_commands, data_commands, look_commands
from upturn.commandline.answer_options import answer_options
from upturn.commandline.classify_options import classify_options
from upturn.commandline.compare_options import compare_options
from upturn.commandline.contrast_options import contrast_options
from upturn.commandline.delivery import Delivery
from upturn.commandline.edge import Application, example
from upturn.commandline.fit_options import batch_options, fit_options
from upturn.commandline.forecast_options import forecast_options
from upturn.commandline.options import curve_options
from upturn.commandline.plan_options import plan_options
from upturn.commandline.pool_options import pool_options
from upturn.commandline.selection_options import selection_options
from upturn.commandline.source import Source


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


# ---- looking at answers, data, models and checks -------------------------------------------------

for _command in (*look_commands.ALL, *data_commands.ALL, *check_commands.ALL):
    main.add_command(_command)


if __name__ == "__main__":
    main()
