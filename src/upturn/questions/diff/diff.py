"""diff: what emerged, moved or vanished between two results."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from upturn.arrays.types import Floats
from upturn.checks.arguments import check_numbers
from upturn.checks.errors import DataError, listed, shown
from upturn.model import Model
from upturn.posterior.criteria import Criteria
from upturn.posterior.emergence import DELTA
from upturn.posterior.files import SUFFIXES
from upturn.questions.arguments import half_of, made_by
from upturn.questions.classify.classify import classify
from upturn.questions.classify.model_fit import DRAWS
from upturn.questions.classify.result import Classification
from upturn.questions.diff.match import matched
from upturn.questions.diff.result import Diff
from upturn.questions.diff.side import Side
from upturn.questions.fit.fit import fit
from upturn.questions.fit.load import load
from upturn.questions.fit.result import Fit
from upturn.sampling.batch import Progress
from upturn.tables.axis import Axis
from upturn.tables.curves import Curves
from upturn.tables.results import Results

if TYPE_CHECKING:
    import pandas as pd

type Given = "Fit | Classification | Results | Curves | pd.DataFrame | str | os.PathLike[str]"

WITHIN = 2.0  # scales that differ by no more than this factor are the same
LINEAR_SHARE = 0.1  # on an axis without decades: of the scales of both results together


def diff(
    a: Given,
    b: Given,
    *,
    axis: str | Axis | Sequence[str | Axis] = "flops",
    models: str | Model | Sequence[str | Model] | None = None,
    by: str | None = None,
    metric: str | Sequence[str] | None = None,
    scatter: str = "auto",
    within: float = WITHIN,
    delta: float = DELTA,
    draws: int = DRAWS,
    seed: int = 0,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Diff:
    """Say of every curve what changed from one result to another, and how probable that is.

    An ability has emerged where it is at no scale of the first and at some scale of the second,
    that is, where the expected score comes to stand delta above chance. It has vanished where it
    is the other way round, and is untested where the second has no model as large. Where it is in
    both, the headline scale moved earlier or later if the two differ by more than a factor
    (`within`). The two are taken as independent: where they share scores, true changes are more
    probable than is said.

    Parameters
    ----------
    a, b : Fit, Classification, table, path of a saved fit or table, or name of a bundled data set
        The earlier and the later result. Tables are classified, classes of shapes having equal
        odds; beside a fit, a table is fitted as that was.
    axis : str or Axis, or several
        Axis of scale of tables; a fit has its own, as it has what follows.
    models : str or Model, or several
        Curve models to average over; all built-in models by default.
    by : str, optional
        A label to split curves by, such as "family".
    metric : str or several, optional
        Use only these metrics.
    scatter : str
        Which points share an offset: "auto", "none", "family" or "run".
    within : float
        The factor by which two scales may differ and still count as the same; on an axis without
        decades it is a tenth of its range instead.
    delta : float
        How far above chance a score is an ability.
    draws : int
        Posterior draws of each curve and model.
    seed : int
    threads : int, optional
    progress : callable, optional
        Called with (fits done, fits in all), for both tables together.

    Returns
    -------
    Diff

    Raises
    ------
    DataError
        For anything wrong with the tables or the arguments, and where no curve is in both.

    Examples
    --------
    >>> import upturn
    >>> table = upturn.read("gpt3").where("task=arithmetic_2da")
    >>> before, after = table.where("setting=zero-shot"), table.where("setting=few-shot")
    >>> found = upturn.diff(before, after, models=["flat", "hinge", "logistic"], draws=200)
    >>> found.summary()["change"].tolist()
    ['earlier']
    """
    check_numbers(draws=draws, seed=seed, delta=delta, threads=threads)
    _check_within(within)
    how: dict[str, Any] = {
        "axis": axis, "by": by, "metric": metric, "scatter": scatter, "draws": draws,
        "seed": seed, "threads": threads, "delta": delta, "models": models,
    }  # fmt: skip
    pair = [_loaded(given) for given in (a, b)]
    like = next((given for given in pair if isinstance(given, Fit)), None)
    results = [_answered(given, like, half_of(progress, k), how) for k, given in enumerate(pair)]
    first, second = (Side.of(result, seed + k) for k, result in enumerate(results))
    _check_same(first, second)
    match = matched(first.curves, second.curves)
    before, after = first.take(match.before), second.take(match.after)
    meta = {
        **made_by(seed),
        "arguments": {
            **{name: _origin(side) for name, side in (("a", first), ("b", second))},
            "axis": list(dict.fromkeys(axis.name for axis in after.curves.axes)),
            "within": float(within),
            "delta": float(first.arguments["delta"]),
        },
    }
    notes = (*match.notes, *_note_of_models(first, second), *_both_notes(first, second))
    return Diff(before, after, _tolerance(before, after, within), meta=meta, notes=notes)


def _check_within(within: Any) -> None:
    number = isinstance(within, (int, float, np.number)) and not isinstance(within, bool)
    if not number or not np.isfinite(within) or within < 1:
        raise DataError(f"within: expected a factor of 1 or more, but got {shown(within)}")


def _loaded(given: Given) -> Given:
    """A saved fit loaded; anything else as it is."""
    if isinstance(given, (str, os.PathLike)) and Path(given).suffix.lower() in SUFFIXES:
        return load(given)
    return given


def _answered(
    given: Given, like: Fit | None, progress: Progress | None, how: dict[str, Any]
) -> Fit | Classification:
    """The answer for a table: fitted as another fit was, or averaged over shapes."""
    if isinstance(given, (Fit, Classification)):
        return given
    shared = {name: how[name] for name in ("metric", "seed", "threads")}
    if like is not None:
        done = like.meta["arguments"]
        return fit(
            given, axis=list(dict.fromkeys(like.curves.axes)), model=like.model,
            by=done["by"], scatter=done["scatter"], delta=done["delta"], draws=done["draws"],
            progress=progress, **shared,
        )  # fmt: skip
    return classify(
        given, axis=how["axis"], models=how["models"], by=how["by"], scatter=how["scatter"],
        draws=how["draws"], learn_prevalence=False, criteria=Criteria(delta=how["delta"]),
        progress=progress, **shared,
    )  # fmt: skip


def _check_same(first: Side, second: Side) -> None:
    """Refuse scales of different meanings."""
    deltas = [float(side.arguments["delta"]) for side in (first, second)]
    if deltas[0] != deltas[1]:
        raise DataError(
            f"delta: expected the same on both sides, but got {deltas[0]:g} and {deltas[1]:g}; "
            f"fit again with --delta {deltas[0]:g}"
        )


def _note_of_models(first: Side, second: Side) -> tuple[str, ...]:
    models = [side.arguments["models"] for side in (first, second)]
    if models[0] == models[1]:
        return ()
    return (
        f"A is answered by {listed(models[0], most=3)}, B by {listed(models[1], most=3)}: "
        "a difference may be one of curve models",
    )


def _both_notes(first: Side, second: Side) -> tuple[str, ...]:
    """The notes of the two, each once, with the side that has it where only one does."""
    shared = [note for note in first.notes if note in second.notes]
    return tuple(
        note if note in shared else f"{name}: {note}"
        for name, side in (("A", first), ("B", second))
        for note in side.notes
        if name == "A" or note not in shared
    )


def _origin(side: Side) -> dict[str, Any]:
    """The table and the selected rows."""
    return {name: side.arguments.get(name) for name in ("table", "where", "metric")}


def _tolerance(before: Side, after: Side, within: float) -> Floats:
    """How far apart scales are the same, as coordinates: (curve,)."""
    ends = np.stack([side.curves.limits[:, 0] for side in (before, after)])
    spread = ends[:, 1].max(axis=0) - ends[:, 0].min(axis=0)
    decades = np.array([axis.is_log for axis in after.curves.axes])
    return np.where(decades, np.log10(within), LINEAR_SHARE * spread)
