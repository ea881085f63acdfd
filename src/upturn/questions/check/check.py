"""check: does the curve fit, and what does not?"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from upturn.checks.arguments import whole
from upturn.checks.errors import DataError, shown
from upturn.model import Model
from upturn.questions.arguments import half_of, made_by
from upturn.questions.check.across import across
from upturn.questions.check.findings import corrected, kept
from upturn.questions.check.of_curve import FEWEST, Checked, checked
from upturn.questions.check.result import Check
from upturn.questions.fit.fit import fit
from upturn.questions.fit.result import Fit
from upturn.sampling.batch import Progress, label_keys
from upturn.tables.axis import Axis
from upturn.tables.curves import Curves
from upturn.tables.results import Results

if TYPE_CHECKING:
    import pandas as pd

OF_CURVES, OF_MODELS = 0.5, 0.25  # shares of the level: each curve's tests; models; groups of them
DRAWS = 1000


def check(
    results: "Fit | Results | Curves | pd.DataFrame | str | os.PathLike[str]",
    *,
    axis: str | Axis | Sequence[str | Axis] = "flops",
    model: str | Path | Model = "hinge",
    by: str | None = None,
    metric: str | Sequence[str] | None = None,
    likelihood: str | None = None,
    scatter: str = "auto",
    priors: Mapping[str, str] | None = None,
    draws: int = DRAWS,
    seed: int = 0,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Check:
    """Say of every curve in what it does not fit, and what to do about it.

    Every test compares residuals of the scores with residuals of scores that the fitted model would
    show, given the use that the fit made of them: with `scatter` (more noise than the trials allow,
    where the likelihood has no overdispersion), `outlier` (a model that does not belong), `trend`
    (residuals that run along the axis: a second rise, a fall, another shape), `autocorrelation`
    (within runs), `chance` (scores before any growth that contradict the stated chance),
    `calibration` (residuals that are not distributed as the likelihood says), and, over all tasks,
    `shared` (a model, or a group of models, that is off everywhere). In a table that fits, the
    probability of any finding is at most 5 %.

    Parameters
    ----------
    results : Fit, Results, Curves, DataFrame, path or name of a bundled data set
        A fit, or a table that is fitted first.
    axis : str or Axis, or several
        As what follows, for tables: see `upturn.fit`.
    model : str, Path or Model
        Curve model.
    by : str, optional
        A label to split curves by.
    metric : str or several, optional
        Use only these metrics.
    likelihood : str, optional
        By default the model's.
    scatter : str
        Which points share an offset: "auto", "none", "family" or "run".
    priors : mapping, optional
        Such as ``{"changepoint": "Uniform(0.2, 0.9)"}``.
    draws : int
        Posterior draws of each curve.
    seed : int
        Random seed. What is found of a curve does not depend on other curves but by the correction.
    threads : int, optional
        Number of threads of the fit.
    progress : callable, optional
        Called with (steps done, steps in all), half of them the fit's.

    Returns
    -------
    Check

    Raises
    ------
    DataError
        For anything wrong with the table or the arguments, and for a fit on a mix of axes.

    Examples
    --------
    >>> import upturn
    >>> table = upturn.read("gpt3").where("setting=few-shot", "task=arithmetic_3da")
    >>> upturn.check(table).verdict
    '1 curve: it fits'
    """
    whole("seed", seed, 0, 2**63 - 1)
    if isinstance(results, Fit):
        fitted = results
    else:
        fitted = fit(
            results, axis=axis, model=model, by=by, metric=metric, likelihood=likelihood,
            scatter=scatter, priors=priors, draws=draws, seed=seed, threads=threads,
            progress=half_of(progress, 0),
        )  # fmt: skip
    curves = fitted.curves
    mixed = next((axis for axis in curves.axes if axis.components), None)
    if mixed is not None:
        raise DataError(
            f"check: expected a fit on single axes, but got {shown(mixed.name)}; "
            "check a fit on one of its axes"
        )
    results_of = _each(fitted, seed, progress)
    tests = [test for one_curve in results_of for test in one_curve.tests]
    over_all = across(curves, [one_curve.residual for one_curve in results_of], seed)
    findings = corrected(tests, OF_CURVES if over_all else 1.0)
    for group in over_all:
        findings += [replace(test, p=min(1.0, test.p / OF_MODELS)) for test in group]
    few = int((curves.points < FEWEST).sum())
    meta = {**made_by(seed), "arguments": fitted.meta["arguments"], "model": fitted.model.name}
    return Check(fitted, tuple(kept(findings)), tuple(results_of), few=few, meta=meta)


def _each(fitted: Fit, seed: int, progress: Progress | None) -> list[Checked]:
    """What is found of each curve."""
    contents, curves = fitted._contents, fitted.curves
    keys = np.asarray(label_keys(curves, fitted.model, seed)).reshape(len(curves), -1)[:, 0]
    report = half_of(progress, 1)
    out = []
    for i, key in enumerate(keys.tolist()):
        rng = np.random.default_rng([int(key), *b"check"])
        out.append(checked(contents, curves, i, rng))
        if report is not None:
            report(i + 1, len(curves))
    return out
