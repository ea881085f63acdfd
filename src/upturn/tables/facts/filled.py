"""A table while facts go into it: what was filled in, and how it is said."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from upturn.arrays.types import Booleans, Integers, Objects
from upturn.checks.errors import counted
from upturn.tables import cells as cells_module
from upturn.tables.facts.tables import is_empty
from upturn.tables.readers.schema import LABELS, cells_of

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Filled:
    """A table with facts in it.

    Parameters
    ----------
    cells
        The table.
    lower
        Metrics of which less is better.
    models, tasks
        Of each column, the models (tasks) whose cells were filled in, by the table of facts.
    checkpoints
        Names from which run, step or tokens were read.
    remarks
        What else there is to say.
    """

    cells: "pd.DataFrame"
    lower: tuple[str, ...] = ()
    models: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    tasks: Mapping[str, frozenset[str]] = field(default_factory=dict)
    checkpoints: frozenset[str] = frozenset()
    all_models: frozenset[str] = frozenset()
    all_tasks: frozenset[str] = frozenset()
    remarks: tuple[str, ...] = ()

    @classmethod
    def of_parts(cls, parts: Sequence["Filled"]) -> "Filled":
        """What was filled in in the parts of a table; ``cells`` are those of the first alone."""
        return cls(
            cells=parts[0].cells,
            lower=tuple(dict.fromkeys(metric for part in parts for metric in part.lower)),
            models=_joined(part.models for part in parts),
            tasks=_joined(part.tasks for part in parts),
            checkpoints=frozenset().union(*(part.checkpoints for part in parts)),
            all_models=frozenset().union(*(part.all_models for part in parts)),
            all_tasks=frozenset().union(*(part.all_tasks for part in parts)),
            remarks=tuple(dict.fromkeys(remark for part in parts for remark in part.remarks)),
        )

    def notes(self) -> tuple[str, ...]:
        """What was filled in, in a sentence a table of facts."""
        return (*self.remarks, *self._of_checkpoints(), *self._of_models(), *self._of_tasks())

    def _of_checkpoints(self) -> list[str]:
        count = len(self.checkpoints)
        names = counted(count, "checkpoint")
        return [f"run, step and tokens read from the names of {names}"] if count else []

    def _of_models(self) -> list[str]:
        notes = []
        for table in dict.fromkeys(table for table, _ in self.models):
            columns = {c: names for (of, c), names in self.models.items() if of == table}
            some = _some_of(frozenset().union(*columns.values()), self.all_models, "model")
            counts = ", ".join(f"{column} of {len(names)}" for column, names in columns.items())
            grouped = "; models of one family share an offset" if "family" in columns else ""
            source = table or "bundled facts"
            stop = "" if table else " (--facts none leaves them out)"
            notes.append(f"{source} filled in for {some}: {counts}{grouped}{stop}")
        return notes

    def _of_tasks(self) -> list[str]:
        if not self.tasks:
            return []
        some = _some_of(frozenset().union(*self.tasks.values()), self.all_tasks, "task")
        counts = ", ".join(f"{column} of {len(names)}" for column, names in self.tasks.items())
        return [f"bundled facts filled in for {some}: {counts} (--facts none leaves them out)"]


def _joined[K](parts: Iterable[Mapping[K, frozenset[str]]]) -> dict[K, frozenset[str]]:
    joined: dict[K, frozenset[str]] = {}
    for part in parts:
        for key, names in part.items():
            joined[key] = joined.get(key, frozenset()) | names
    return joined


def _some_of(some: frozenset[str], every: frozenset[str], thing: str) -> str:
    if len(some) == len(every):
        return counted(len(some), thing)
    return f"{len(some):,} of {counted(len(every), thing)}"


def labels(cells: "pd.DataFrame", name: str, column: str) -> Objects:
    """The texts of a column, "" throughout where the table lacks it."""
    if column not in cells:
        return cells_module.objects([""] * len(cells))
    return cells_module.label(cells_of(cells, name, column))


def coded(texts: Objects) -> tuple[Integers, Objects]:
    """The distinct texts, and the one of each row."""
    import pandas as pd

    code, distinct = pd.factorize(texts)
    return np.asarray(code, dtype=np.int64), np.asarray(distinct, dtype=object)


def empty_cells(cells: "pd.DataFrame", column: str) -> Booleans:
    """The rows in which there is nothing in a column, which may be missing altogether."""
    if column not in cells:
        return np.ones(len(cells), dtype=np.bool_)
    codes, different = cells_module.distinct(cells[column])
    is_free = is_empty if column in LABELS else cells_module.is_unknown  # "NA" may be a name
    return np.array([is_free(cell) for cell in different], dtype=np.bool_)[codes]


def put(cells: "pd.DataFrame", column: str, values: Objects) -> "tuple[pd.DataFrame, Booleans]":
    """A table with values in the empty cells of a column, and where they went; None is no value."""
    import pandas as pd

    goes = empty_cells(cells, column)
    if goes.any():
        goes &= np.array([value is not None for value in values], dtype=np.bool_)
    if not goes.any():
        return cells, goes
    old = cells[column].to_numpy(dtype=object) if column in cells else np.full(len(cells), None)
    new = pd.Series(np.where(goes, values, old), index=cells.index, dtype=object)
    return cells.assign(**{column: new}), goes
