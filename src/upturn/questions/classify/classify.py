"""classify: is a task emergent, how sharply, from which scale on, whatever formula one fits?"""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from upturn.checks.arguments import check_names, check_numbers
from upturn.model import Model
from upturn.posterior.criteria import Criteria
from upturn.questions.arguments import curves_of, made_by, models_of, origin_of, table_of
from upturn.questions.classify.model_fit import DRAWS, ModelFit, model_fits
from upturn.questions.classify.refit import refit
from upturn.questions.classify.result import Classification
from upturn.sampling import batch
from upturn.sampling.batch import Progress
from upturn.tables.axis import Axis
from upturn.tables.curves import Curves
from upturn.tables.results import Results

if TYPE_CHECKING:
    import pandas as pd


def classify(
    results: "Results | Curves | pd.DataFrame | str | os.PathLike[str]",
    *,
    axis: str | Axis | Sequence[str | Axis] = "flops",
    models: str | Model | Sequence[str | Model] | None = None,
    by: str | None = None,
    metric: str | Sequence[str] | None = None,
    scatter: str = "auto",
    learn_prevalence: bool = True,
    criteria: Criteria | None = None,
    draws: int = DRAWS,
    seed: int = 0,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Classification:
    """Say of every curve whether it is emergent, averaged over all shapes by evidence.

    A draw of the expected curve is emergent if it is flat, then well above: over a quarter of the
    distinct scales, at least three that reach over half a decade, it rises by no more than a tenth
    of R, by which it stands higher at the largest scale, and R is at least 0.1; and up to where
    this flat stretch begins it is within 0.1 of chance where chance is known (Wei et al. 2022,
    section 2). It is sharp if four fifths of its whole rise happen within a factor of ten of the
    axis. The verdict is in words: see `upturn.posterior.outcomes`. Where it would be another
    without one of the three smallest or largest scales, `hangs_on` names the models there.

    Each class of shapes (flat, smooth, changepoint, inverse, u-shaped, humped) has the same prior
    probability, and within it each model; or the classes' prevalence is learned from the table.

    Parameters
    ----------
    results : Results, Curves, DataFrame, path or name of a bundled data set
        As for `upturn.fit`.
    axis : str or Axis, or several
        Axis of scale.
    by : str, optional
        A label to split curves by, such as "family".
    metric : str or several, optional
        Use only these metrics.
    scatter : str
        Which points share an offset: "auto", "none", "family" or "run".
    seed : int
        Random seed.
    threads : int, optional
        Number of threads; all cores by default.
    models : str or Model, or several
        All built-ins by default.
    learn_prevalence : bool
        Whether shares of the classes are learned across the curves of each axis.
    criteria : Criteria, optional
        Other numbers than those above.
    draws : int
        Posterior draws a curve and model.
    progress : callable, optional
        Called with (fits done, fits in all).

    Returns
    -------
    Classification

    Raises
    ------
    DataError
        For anything wrong with the table or the arguments.

    Examples
    --------
    >>> import upturn
    >>> few_shot = upturn.read("gpt3").where("setting=few-shot", "task=arithmetic_3da")
    >>> found = upturn.classify(few_shot, models=["flat", "hinge", "logistic"], draws=200)
    >>> bool(found.summary().loc["arithmetic_3da", "p_emergent"] > 0.9)
    True
    """
    rules = criteria or Criteria()
    check_names(sampler="population", backend="numpy", scatter=scatter, by=by)
    check_numbers(draws=draws, seed=seed, delta=rules.min_rise, threads=threads)
    chosen = models_of(models)
    data = table_of(results)
    curves = curves_of(data, axis, by, metric, scatter)
    fits = model_fits(
        curves, chosen, rules, draws=draws, seed=seed, threads=threads, progress=progress
    )
    meta = {
        **made_by(seed),
        "arguments": {
            **origin_of(data, metric),
            "axis": list(dict.fromkeys(a.name for a in curves.axes)),
            "models": [model.name for model in chosen],
            "draws": int(draws),
            "scatter": scatter,
            "by": by,
            "learn_prevalence": bool(learn_prevalence),
        },
    }
    classification = Classification(curves, fits, rules, learn_prevalence, seed, meta=meta)
    return classification.with_refitted(refit(classification, threads))


def classification_of(
    curves: Curves, samples: Sequence[tuple[Model, batch.Sample]], *, seed: int = 0
) -> Classification:
    """What samples that are there already say, classes having equal prior odds."""
    rules = Criteria()
    fits = tuple(ModelFit.of(model, curves, sample, rules) for model, sample in samples)
    return Classification(curves, fits, rules, False, seed)
