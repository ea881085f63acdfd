"""Bundled data sets: published evaluation results, with a source in every row.

>>> from upturn.tables import datasets
>>> datasets.names()[:4]
['brier', 'gpt3', 'olmo-mmlu', 'open-models']
>>> datasets.path("gpt3").name
'gpt3.csv'
"""

import csv
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from upturn.checks import arguments
from upturn.checks.errors import DataError, listed, nearest, shown

__all__ = ["Dataset", "catalogue", "names", "path", "resolve"]

_FOLDER = Path(__file__).parent
_AXES = ("flops", "params", "perplexity", "tokens", "loss")
_SCALES = 3  # fewer distinct values are no axis to see a curve on


@dataclass(frozen=True)
class Dataset:
    """One line of the catalogue: what a bundled data set holds and where it comes from.

    Attributes
    ----------
    name : str
        What ``upturn fit NAME`` and `path` take.
    title : str
        A short description.
    rows, tasks, models : int
        Measurements, and distinct tasks and models among them.
    axes : tuple of str
        Axes with at least three distinct scales.
    citation : str
        The publication the figures are from.
    licence : str
        Of the figures as they were published.
    """

    name: str
    title: str
    rows: int
    tasks: int
    models: int
    axes: tuple[str, ...]
    citation: str
    licence: str


def catalogue() -> list[Dataset]:
    """Describe every bundled data set, counted from its file."""
    return [_describe(name, entry) for name, entry in _entries().items()]


def names() -> list[str]:
    """Return the names of the bundled data sets, in alphabetical order."""
    return list(_entries())


def path(name: str) -> Path:
    """Locate the CSV file of a bundled data set.

    Parameters
    ----------
    name : str
        One of `names`.

    Returns
    -------
    pathlib.Path
        The file, readable by `upturn.read`.

    Raises
    ------
    upturn.DataError
        If there is no data set of that name; the message lists those there are.
    """
    arguments.known(name, names(), kind="data set", where="bundled data")
    return _FOLDER / f"{name}.csv"


def resolve[T](source: T) -> T | Path:
    """Say what a user means by a table: a bundled data set, where no file has that name.

    Parameters
    ----------
    source : str, path or data frame
        A name is plain text: a path object is always a file.

    Returns
    -------
    str, path or data frame
        The file of the data set, or else what was given.

    Raises
    ------
    upturn.DataError
        For a word that is neither a file nor a data set, and for a data set without scores.

    Examples
    --------
    >>> resolve("gpt3").name, resolve("results.csv")
    ('gpt3.csv', 'results.csv')
    """
    if not isinstance(source, str) or source == "-" or os.path.exists(os.path.expanduser(source)):
        return source
    if source in names():
        return _with_scores(source)
    if not Path(source).suffix:
        guess = nearest(source, names())
        hint = f"is the data set {guess} meant? " if guess else ""
        raise DataError(
            f"{_quoted(source)}: expected a file, - or a bundled data set, but there is no file "
            f"of that name; {hint}data sets: {listed(names())}"
        )
    return source


def _quoted(name: str) -> str:
    """A name as messages begin with it: bare where it is a plain word."""
    return name if name.isprintable() and 0 < len(name) <= 60 else shown(name)


def _with_scores(name: str) -> Path:
    """The file of a data set, which is refused where it holds nothing to fit."""
    file = path(name)
    with file.open(encoding="utf-8") as lines:
        header = lines.readline().rstrip().split(",")
    if "score" not in header:
        raise DataError(
            f"{name}: expected a table with scores, but got one with answers, of which there is "
            f"nothing to fit; see it by: upturn datasets {name}"
        )
    return file


def _entries() -> dict[str, dict[str, Any]]:
    with (_FOLDER / "catalogue.toml").open("rb") as file:
        return dict(sorted(tomllib.load(file).items()))


def _describe(name: str, entry: Mapping[str, Any]) -> Dataset:
    with path(name).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    columns = entry.get("columns", {})

    def distinct(part: str) -> int:
        column = columns.get(part, part)
        return len({row[column] for row in rows if row.get(column)})

    return Dataset(
        name=name,
        title=entry["title"],
        rows=len(rows),
        tasks=distinct("task"),
        models=distinct("model"),
        axes=tuple(axis for axis in _AXES if distinct(axis) >= _SCALES),
        citation=entry["citation"],
        licence=entry["licence"],
    )
