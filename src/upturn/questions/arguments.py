"""Arguments that the questions share: tables, curves, models, seeds and provenance."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from upturn.checks.errors import DataError, shown
from upturn.model import Model
from upturn.sampling.batch import Progress
from upturn.tables.axis import Axis
from upturn.tables.curves import Curves
from upturn.tables.results import Results, read
from upturn.version import __version__

if TYPE_CHECKING:
    import pandas as pd


ALL = "all"  # the name of all built-in models together
COMPUTING = ("numpy", "scipy", "numba")  # the packages on which the last bits of results depend


def table_of(
    results: "Results | Curves | pd.DataFrame | str | os.PathLike[str]",
) -> Results | Curves:
    """Results or curves as they are, anything else read."""
    return results if isinstance(results, (Results, Curves)) else read(results)


def curves_of(
    results: Results | Curves,
    axis: str | Axis | Sequence[str | Axis],
    by: str | None,
    metric: str | Sequence[str] | None,
    scatter: str,
    *,
    mixes: bool = False,
) -> Curves:
    """The curves of a table that a question is about; given curves are returned.

    A mix of axes is refused unless the question can answer for one.
    """
    if isinstance(results, Curves):
        curves = results
        if scatter == "none":
            curves = _ungrouped(curves)
    else:
        curves = results.curves(axis, by=by, metric=metric, scatter=scatter)
    mixed = next((a for a in curves.axes if len(a.parts) > 1), None)
    if mixed is not None and not mixes:
        raise DataError(
            f"axis: expected single axes, but got {shown(mixed.name)}; "
            "name its axes one by one, or learn their weights with fit and the population sampler"
        )
    return curves


def _ungrouped(curves: Curves) -> Curves:
    return replace(curves, group=np.full_like(curves.group, -1))


class Origin(Protocol):
    """A table that says where it comes from: `Results`, or one that is read in pieces."""

    @property
    def name(self) -> str:
        """The name of the table in messages."""

    @property
    def conditions(self) -> tuple[str, ...]:
        """The conditions that selected its rows."""

    @property
    def reading(self) -> Mapping[str, Any]:
        """How it was read: arguments of `upturn.read` other than the defaults."""


def origin_of(data: Origin | Curves, metric: str | Sequence[str] | None) -> dict[str, Any]:
    """The table, conditions and metrics, without folders of this machine."""
    chosen = [metric] if isinstance(metric, str) else list(metric or ())
    if isinstance(data, Curves):
        return {"table": None, "where": [], "metric": chosen, "reading": {}}
    reading = dict(data.reading)
    chosen = chosen or reading.get("metric", [])
    reading.pop("metric", None)
    if "facts" in reading:
        reading["facts"] = without_folders(reading["facts"])
    return {
        "table": without_folders(data.name),
        "where": list(data.conditions),
        "metric": chosen,
        "reading": reading,
    }


def without_folders(path: str) -> str:
    """A path without the folders of this machine; a relative one as it is."""
    return os.path.basename(path) if os.path.isabs(path) else path


def made_by(seed: int, packages: Sequence[str] = COMPUTING) -> dict[str, Any]:
    """The versions and the seed that determine an answer."""
    return {
        "version": __version__,
        "versions": {name: version(name) for name in packages},
        "seed": int(seed),
    }


def models_of(given: str | Model | Sequence[str | Model] | None) -> list[Model]:
    """Models by name, file or themselves, each once; None and "all" are all built-ins.

    Raises
    ------
    DataError
        For no model, and for a model given twice.
    """
    several = [given] if given is None or isinstance(given, (str, os.PathLike, Model)) else given
    every = any(m is None or (isinstance(m, str) and m == ALL) for m in several)
    chosen = [Model.read(m) for m in (Model.names() if every else several)]  # type: ignore[arg-type]
    if not chosen:
        raise DataError("models: expected at least one, but got none")
    twice = [m.name for i, m in enumerate(chosen) if m.name in {n.name for n in chosen[:i]}]
    if twice:
        raise DataError(f"models: expected each once, but got {shown(twice[0])} twice")
    return chosen


def part_of(progress: Progress | None, done: int, total: int) -> Progress | None:
    """Progress within one part of the work as progress in all of it."""
    if progress is None:
        return None
    report = progress
    return lambda here, _: report(done + here, total)


def half_of(progress: Progress | None, half: int) -> Progress | None:
    """Progress within the first or the second half of the work, 0 or 1, as progress in all of it.

    The two halves have as many steps, which need not be known beforehand.
    """
    if progress is None:
        return None
    report = progress
    return lambda done, total: report(half * total + done, 2 * total)
