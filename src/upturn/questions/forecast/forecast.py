"""forecast: fit the small models, predict the large ones, and score the predictions."""

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from upturn.arrays.types import Floats
from upturn.checks.arguments import check_names, check_numbers
from upturn.checks.errors import DataError, shown
from upturn.model import Model
from upturn.posterior.averaging import probabilities
from upturn.posterior.emergence import DELTA
from upturn.questions.arguments import curves_of, made_by, models_of, origin_of, part_of, table_of
from upturn.questions.forecast.predictive import Mixture, mixtures
from upturn.questions.forecast.result import Forecast
from upturn.questions.forecast.split import (
    bounded,
    fitted_ends,
    flagged,
    held_out,
    known_share,
    limits,
    usable,
)
from upturn.sampling import batch
from upturn.sampling.batch import Progress, Sample
from upturn.tables.axis import Axis
from upturn.tables.curves import Curves
from upturn.tables.results import Results

if TYPE_CHECKING:
    import pandas as pd

DRAWS = 1000


def forecast(
    results: "Results | Curves | pd.DataFrame | str | os.PathLike[str]",
    *,
    train_below: float | None = None,
    holdout_largest: int | None = None,
    at: float | Sequence[float] = (),
    axis: str | Axis = "flops",
    models: str | Model | Sequence[str | Model] | None = None,
    by: str | None = None,
    metric: str | Sequence[str] | None = None,
    scatter: str = "auto",
    hazard: float | None = None,
    delta: float = DELTA,
    draws: int = DRAWS,
    seed: int = 0,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Forecast:
    """Fit the small models of every curve, predict the large ones, and score the prediction.

    Predictions are averaged over all shapes by evidence, as in `upturn.classify`, with the noise of
    the likelihood and the offset of the model's family or run. Beyond the fitted points, a
    changepoint has a constant hazard h: if it has not happened up to x, it happens within the next
    dx with probability h dx. Within the fitted points its density is constant, and it is continuous
    at the end. This is the prior Onset(end, h), with density h / (1 + hD) up to the end and
    exp(-h (x - end)) times that beyond it, where D is the length of the fitted axis. By default
    h = 1 / D: before any data, a change within the fitted points is as probable as one beyond.

    Parameters
    ----------
    results : Results, Curves, DataFrame, path or name of a bundled data set
        As for `upturn.fit`. Continuous metrics are left out.
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
    train_below : float, optional
        Fit the points below this scale, in native units, and predict the others.
    holdout_largest : int, optional
        Predict the points at this number of largest scales of each curve, and fit the others.
        Without this and `train_below`, all points are fitted, and `at` gives the scales to predict.
    at : float or several
        Scales, in native units, up to which the probability of a jump is computed; the largest
        held-out scale is always one of them.
    axis : str or Axis
        Axis of scale.
    models : str or Model, or several
        Curve models to average; all built-in models by default.
    hazard : float, optional
        Expected number of changepoints h beyond the fitted points, per decade (per unit of a
        linear axis).
    delta : float
        Smallest rise of the expected score beyond the fitted points that counts as a jump.
    draws : int
        Posterior draws of each curve and model.
    progress : callable, optional
        Called with (fits done, fits in all).

    Returns
    -------
    Forecast

    Raises
    ------
    DataError
        For anything wrong with the table or the arguments, and if no curve has at least four
        points to fit and one to predict.

    Examples
    --------
    >>> import upturn
    >>> table = upturn.read("gpt3").where("setting=few-shot", "task=arithmetic_3da")
    >>> forecast = upturn.forecast(table, holdout_largest=2, models=["flat", "hinge"], draws=200)
    >>> forecast.summary()["state"].tolist()
    ['no sign yet']
    """
    check_names(sampler="population", backend="numpy", scatter=scatter, by=by)
    check_numbers(draws=draws, seed=seed, delta=delta, threads=threads)
    wanted = _scales(at)
    _check_split(train_below, holdout_largest, wanted, hazard)
    chosen = models_of(models)
    if not isinstance(axis, (str, Axis)):
        raise DataError(f"axis: expected a single axis, but got {shown(axis)}; name one of them")
    data = table_of(results)
    everything = bounded(curves_of(data, axis, by, metric, scatter))
    every_held = held_out(everything, train_below, holdout_largest)
    keep, left_out = usable(everything, every_held, bool(wanted))
    curves, held = everything.take(keep), every_held[keep][:, : everything.points[keep].max()]
    ends = fitted_ends(curves, held)
    targets = _coordinates(curves, wanted)
    far = np.maximum(np.where(held, curves.x[0], -np.inf).max(axis=1), targets.max(axis=1))
    share = known_share(ends, far)
    extended = replace(curves, limits=limits(ends, share)[:, None, :], notes=())
    training = flagged(extended.without(held))
    rate = np.full(len(curves), np.nan if hazard is None else hazard) * (ends[1] - ends[0])
    rate = np.where(np.isnan(rate), 1.0, rate)  # hazard times the length of the fitted axis
    fitted, doubt = _fitted(
        training, chosen, share, rate, draws=draws, seed=seed, threads=threads, progress=progress
    )
    meta = {
        **made_by(seed),
        "arguments": {
            **origin_of(data, metric),
            "axis": [curves.axes[0].name],
            "train_below": train_below,
            "holdout_largest": holdout_largest,
            "at": list(wanted),
            "models": [model.name for model in chosen],
            "draws": int(draws),
            "scatter": scatter,
            "by": by,
            "hazard": hazard,
            "delta": float(delta),
        },
        "priors": {model.name: model.all_priors() for model in chosen},
        "notes": [*curves.notes, *left_out],
    }
    return Forecast(
        replace(curves, notes=()), held, tuple(fitted), far,
        ends=ends, hazard=rate / (ends[1] - ends[0]), targets=targets, doubt=doubt, meta=meta,
    )  # fmt: skip


# --- arguments ------------------------------------------------------------------------------------


def _scales(at: Any) -> tuple[float, ...]:
    """Scales as numbers."""
    several = [at] if isinstance(at, (int, float, np.number)) else list(at)
    for value in several:
        number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
        if not number or not np.isfinite(float(value)):
            raise DataError(f"at: expected finite numbers, but got {shown(value)}")
    return tuple(float(value) for value in several)


def _check_split(
    train_below: Any, holdout_largest: Any, at: tuple[float, ...], hazard: Any
) -> None:
    if train_below is not None and holdout_largest is not None:
        raise DataError(
            "train_below, holdout_largest: expected one of them, but got both; leave one out"
        )
    if train_below is None and holdout_largest is None and not at:
        raise DataError(
            "train_below: expected a scale below which to fit, but got none; give train_below or "
            "holdout_largest, or, to fit all points, the scales to forecast with at"
        )
    whole = isinstance(holdout_largest, (int, np.integer)) and not isinstance(holdout_largest, bool)
    if holdout_largest is not None and not (whole and holdout_largest >= 1):
        raise DataError(
            f"holdout_largest: expected a whole number above 0, but got {shown(holdout_largest)}"
        )
    for name, value in (("train_below", train_below), ("hazard", hazard)):
        number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
        if value is not None and not (number and np.isfinite(value) and value > 0):
            raise DataError(f"{name}: expected a number above 0, but got {shown(value)}")


def _coordinates(curves: Curves, at: tuple[float, ...]) -> Floats:
    """The wanted scales as coordinates: (curve, scale); -inf in one column where there are none."""
    axis = curves.axes[0]
    if axis.is_log and any(value <= 0 for value in at):
        raise DataError(f"at: expected scales above 0 on the axis {axis.name}, but got {min(at):g}")
    x = axis.coordinate(np.array(at)) if at else np.array([-np.inf])
    return np.tile(x, (len(curves), 1))


# --- fitting --------------------------------------------------------------------------------------


def with_onset(model: Model, share: float, rate: float) -> Model:
    """A model whose changepoints have a constant hazard beyond the fitted points.

    Parameters
    ----------
    model : Model
        Returned unchanged if it has no changepoint, or if the user gave a prior for it.
    share : float
        Where the fitted points end, as a share of the axis.
    rate : float
        The hazard times the length of the fitted axis.

    Returns
    -------
    Model
    """
    if not model.changepoints or "changepoint" in model.given:
        return model
    return model.with_priors({"changepoint": f"Onset({share:.12g}, {rate / share:.12g})"})


def _fitted(
    curves: Curves,
    models: Sequence[Model],
    share: Floats,
    rate: Floats,
    *,
    draws: int,
    seed: int,
    threads: int | None,
    progress: Progress | None,
) -> tuple[list[Mixture], Floats]:
    """Draws over all models, and the probability of models that did not converge: (curve,)."""
    pairs, place = np.unique(np.stack([share, rate]), axis=1, return_inverse=True)
    total, done = len(models) * len(curves), 0
    by_curve: dict[int, Mixture] = {}
    doubt = np.empty(len(curves))
    for group, (known, hazard) in enumerate(pairs.T.tolist()):
        index = np.flatnonzero(place.reshape(-1) == group)
        part = curves.take(index)
        here = [with_onset(model, known, hazard) for model in models]
        samples: list[Sample] = []
        for model in here:
            step = part_of(progress, done, total)
            samples.append(
                batch.sample(model, part, draws=draws, seed=seed, threads=threads, progress=step)
            )
            done += len(index)
        by_curve |= zip(index.tolist(), mixtures(here, samples, part), strict=True)
        evidence = np.stack([s.population.log_evidence for s in samples], axis=1)
        converged = np.stack([s.population.converged for s in samples], axis=1)
        doubt[index] = (probabilities(here, evidence) * ~converged).sum(axis=1)
    return [by_curve[i] for i in range(len(curves))], doubt
