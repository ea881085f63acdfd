"""Facts about models from a table: the bundled one, or any that has a column of models."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from typing import TYPE_CHECKING, Protocol

import numpy as np

from upturn.arrays.types import Objects
from upturn.checks.errors import DataError, shown
from upturn.tables import cells as cells_module
from upturn.tables import datasets, rules
from upturn.tables.facts.headers import facts_of_headers
from upturn.tables.facts.models import COLUMNS, model_facts
from upturn.tables.facts.names import canonical
from upturn.tables.readers import read_table, table_name
from upturn.tables.readers.schema import (
    LABELS,
    MEASURES,
    SCALE_RULES,
    TRIALS,
    cells_of,
    scale_numbers,
)
from upturn.tables.shaping.headers import meant

if TYPE_CHECKING:
    import pandas as pd

type Facts = str | PathLike[str] | pd.DataFrame

NONE = "none"
_NO_FACTS = {*LABELS, *MEASURES, *TRIALS, "successes", "guessed", "near", ""} - {"family"}


@dataclass(frozen=True)
class Known:
    """What a table knows of a model.

    Parameters
    ----------
    model
        Its name there.
    values
        Of each column that is known.
    sources
        Where each value is from.
    """

    model: str
    values: Mapping[str, object]
    sources: Mapping[str, str]


class Knowledge(Protocol):
    """A table of facts, asked for one model at a time."""

    @property
    def name(self) -> str:
        """What messages call it, "" for the bundled one."""

    def of(self, model: str) -> Known | None:
        """What is known of a model, by any spelling of its name."""


@dataclass(frozen=True)
class Bundled:
    """The facts of the package."""

    name: str = ""

    def of(self, model: str) -> Known | None:
        """What is known of a model, by any spelling of its name."""
        facts = model_facts(model)
        return None if facts is None else Known(facts.model, facts.known(), facts.sources)


@dataclass(frozen=True)
class Table:
    """The facts of a table.

    Parameters
    ----------
    name
        What messages call it.
    columns
        Those that hold facts.
    rows
        What is known of each model.
    forms
        The models by their canonical names; without those of which two have one.
    """

    name: str
    columns: tuple[str, ...]
    rows: Mapping[str, Known]
    forms: Mapping[str, str] = field(default_factory=dict)

    def of(self, model: str) -> Known | None:
        """What is known of a model: by its exact name, else by another spelling."""
        return self.rows.get(model) or self.rows.get(self.forms.get(canonical(model), ""))


def facts_table(source: Facts) -> Table:
    """The facts of a table with a column of models.

    Parameters
    ----------
    source
        A file, a data frame or the name of a bundled data set: one row a model, or results in which
        the facts about a model are the same in all its rows. Headers as of Epoch AI are known.

    Raises
    ------
    DataError
        For a bad cell, and for a model of which two rows say different things.
    """
    name = table_name(source)
    cells = read_table(datasets.resolve(source), name)
    renamed = facts_of_headers(map(str, cells.columns))
    cells = cells.rename(columns=renamed)
    headers = [
        header for header in meant(list(map(str, cells.columns))) if header.column in COLUMNS
    ]
    cells = cells.rename(columns={header.given: header.column for header in headers})
    factors = {header.column: header.factor or 1.0 for header in headers}
    columns = [str(column) for column in cells.columns]
    rules.required_column(name, "model", columns)
    given = cells_of(cells, name, "model")
    models = cells_module.required_label(cells_module.label(given), given)
    facts = [c for c in columns if _is_fact(c, has_headers_of_others=bool(renamed))]
    values = {column: _values(cells, name, column, factors.get(column, 1.0)) for column in facts}
    kept = [c for c in facts if _is_one_a_model(cells, name, c, models, values[c])]
    rows = _rows(models, {column: values[column] for column in kept}, name)
    return Table(name, tuple(kept), rows, _forms(rows))


def _is_fact(column: str, *, has_headers_of_others: bool) -> bool:
    if column in COLUMNS:
        return True
    return not (has_headers_of_others or column in _NO_FACTS or column.endswith("_source"))


def _values(cells: "pd.DataFrame", name: str, column: str, factor: float) -> Objects:
    """The cells of a column, None where one is empty; scales checked by the rules of results."""
    given = cells_of(cells, name, column)
    if column in SCALE_RULES:
        numbers = scale_numbers(given, column, factor)
        return cells_module.objects([None if np.isnan(value) else value for value in numbers])
    return cells_module.objects([None if is_empty(cell) else cell for cell in given.raw])


def is_empty(cell: object) -> bool:
    """Whether there is nothing in a cell."""
    if isinstance(cell, str):
        return not cell.strip()
    return cell is None or (isinstance(cell, float) and math.isnan(cell))


def _is_one_a_model(
    cells: "pd.DataFrame", name: str, column: str, models: Objects, values: Objects
) -> bool:
    """Whether each model has one value; a fact about models has to."""
    first: dict[str, int] = {}
    for row, (model, value) in enumerate(zip(models, values, strict=True)):
        if value is None or str(values[first.setdefault(model, row)]) == str(value):
            continue
        if column not in COLUMNS:
            return False
        given = cells_of(cells, name, column)
        raise DataError(
            f"{name}, {given.row(row)}, column {column}: expected one value for {shown(model)}, "
            f"but got {shown(value)} after {shown(values[first[model]])} in "
            f"{given.row(first[model])}; correct one of them"
        )
    return True


def _rows(models: Objects, values: Mapping[str, Objects], name: str) -> dict[str, Known]:
    facts: dict[str, dict[str, object]] = {}
    for row, model in enumerate(models):
        known = {column: of[row] for column, of in values.items() if of[row] is not None}
        facts[model] = known | facts.get(model, {})
    return {model: Known(model, of, dict.fromkeys(of, name)) for model, of in facts.items()}


def _forms(models: Mapping[str, Known]) -> dict[str, str]:
    forms: dict[str, list[str]] = {}
    for model in models:
        forms.setdefault(canonical(model), []).append(model)
    return {form: names[0] for form, names in forms.items() if len(names) == 1}


def knowledge(facts: Facts | None, *, bundled: bool = True) -> Sequence[Knowledge]:
    """The tables of facts that are asked, the first first.

    Parameters
    ----------
    facts
        A table, which is asked before the bundled one; None for that alone; "none" for no table.
    bundled
        Whether the bundled one is asked.
    """
    if isinstance(facts, str) and facts == NONE:
        return ()
    given: list[Knowledge] = [] if facts is None else [facts_table(facts)]
    return [*given, Bundled()] if bundled else given
