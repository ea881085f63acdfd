"""Stream: a table too large for memory, split by task into files that are read one at a time."""

import csv
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from upturn.arrays.types import Integers
from upturn.checks.errors import DataError, NothingThereError, counted
from upturn.posterior.scratch import scratch
from upturn.questions.fit.batches.store import writing
from upturn.tables.axis import Axis
from upturn.tables.cleaning import clean
from upturn.tables.curves import Curves
from upturn.tables.facts.fill import filled
from upturn.tables.facts.filled import Filled
from upturn.tables.facts.tables import Knowledge, knowledge
from upturn.tables.readers import is_delimited, read_in_pieces, table_name
from upturn.tables.readers.notes import notes_of
from upturn.tables.results import Results
from upturn.tables.shaping.headers import resolve
from upturn.tables.shaping.shape import Layout, measured, shaped

if TYPE_CHECKING:
    import pandas as pd

LARGE = 8_000_000  # bytes of a file; smaller files are read into memory
ROWS, TASKS = 65_536, 4096  # of a part; the next task goes to another part
JOINT = " | "  # between the labels in names of curves: see `Stream._place`
_COUNT = re.compile(r"\b([\d,]+) (row|curve)s?\b")


def stream_of(
    source: object, axis: object, output: Path, *, by: str | None, scatter: str
) -> "Stream | None":
    """The stream of a large source; None for a small one, and for one that cannot be streamed.

    Parameters
    ----------
    source
        Only files of CSV and TSV are streamed.
    axis
        Only a single axis: several are ordered by axis, and the weights of a mix need all curves.
    output
        The table is split on the disk of this path.
    by, scatter
        As for `Results.curves`.
    """
    if not isinstance(source, (str, Path)) or not isinstance(axis, (str, Axis)):
        return None
    path, chosen = Path(os.path.expanduser(source)), Axis.parse(axis)
    if chosen.components or not is_delimited(path) or not path.is_file():
        return None
    if path.stat().st_size < LARGE:
        return None
    name = table_name(source)
    task = _column_of_tasks(path, name)
    if task is None:
        return None
    return Stream(path, name, chosen, output, by=by, scatter=scatter, task=task)


def _column_of_tasks(path: Path, name: str) -> str | None:
    """The column that cuts a table up; None for a table that has to be seen whole to be shaped.

    A table with an error is held too, so that what is said of it is what is always said.
    """
    try:
        cells = next(read_in_pieces(path, name))
        shaped(cells, name, Layout())
    except DataError:
        return None
    return None if notes_of(cells) else resolve("task", map(str, cells.columns))


@dataclass
class Stream:
    """The curves of a large file on one axis, those of a task together.

    Parameters
    ----------
    path : Path
        Of CSV or TSV.
    name : str
        What messages call it.
    axis : Axis
    output : Path
        Its disk needs room for a copy of the table, within a `with` statement.
    by, scatter
        As for `Results.curves`.
    task : str
        The column of tasks.

    Attributes
    ----------
    notes : sequence of str
        What was noted when all curves were last read.
    """

    path: Path
    name: str
    axis: Axis
    output: Path
    by: str | None = None
    scatter: str = "auto"
    task: str = "task"
    notes: Sequence[str] = ()
    _header: list[str] = field(default_factory=list)
    _places: dict[str, int] = field(default_factory=dict)  # of tasks, among the cuts
    _last: list[int] = field(default_factory=lambda: [-1, TASKS, 0])  # cut, its tasks and rows

    _known: Sequence[Knowledge] = field(default_factory=lambda: knowledge(None))
    _done: list[Filled] = field(default_factory=list)  # of each cut, what was filled in

    folder: Path = Path()  # of the cuts, within a `with` statement
    _open: ExitStack = field(default_factory=ExitStack)
    conditions: tuple[str, ...] = ()  # as of `Results`: none
    reading: Mapping[str, Any] = field(default_factory=dict)  # as of `Results`: all defaults

    @property
    def has_runs(self) -> bool:
        """Whether there is a column of runs; known within a `with` statement."""
        return "run" in self._header

    def __enter__(self) -> Self:
        """Write the rows to files of some tasks each, in the order of the first rows of tasks.

        Raises
        ------
        DataError
            For anything wrong with the file except its size.
        """
        with ExitStack() as stack, writing(self.output):
            self.folder = stack.enter_context(scratch(self.output))
            self._cut()
            self._open = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def _cut(self) -> None:
        for cells in read_in_pieces(self.path, self.name):
            self._header = [str(column) for column in cells.columns]
            for place, rows in cells.groupby(self._place(cells[self.task])):
                path = self.folder / str(place)
                with path.open("a", encoding="utf-8", newline="") as file:
                    # in quotes, since Python before 3.13 cannot read a carriage return otherwise
                    rows.to_csv(file, header=False, lineterminator="\n", quoting=csv.QUOTE_ALL)

    def _place(self, tasks: "pd.Series[str]") -> Integers:
        """The part of each row.

        Tasks whose names could be those of one task with labels stay together: see `curve_names`.
        """
        import pandas as pd

        codes, names = pd.factorize(tasks.str.split(JOINT, n=1, regex=False).str[0])
        places = np.empty(len(names), dtype=np.int64)
        for index, count in enumerate(np.bincount(codes).tolist()):
            places[index] = self._place_of(str(names[index]), count)
        return places[codes]

    def _place_of(self, task: str, rows: int) -> int:
        if task not in self._places:
            cut, tasks, held = self._last
            full = tasks >= TASKS or held >= ROWS
            self._last = [cut + 1, 1, 0] if full else [cut, tasks + 1, held]
            self._places[task] = self._last[0]
        if self._places[task] == self._last[0]:
            self._last[2] += rows
        return self._places[task]

    def __iter__(self) -> Iterator[Curves]:
        """The curves of one part after the other.

        Raises
        ------
        DataError
            For anything wrong with them, and if none has a score and a scale.
        """
        notes: list[str] = []
        self._done.clear()
        nothing: NothingThereError | None = None
        some = False
        for place in range(self._last[0] + 1):
            cells = self._read(place)
            try:
                curves = self._curves(cells)
            except NothingThereError as error:
                nothing = error
                notes.append(f"{counted(len(cells), 'row')} of tasks without a point left out")
                continue
            some = True
            notes += curves.notes
            yield curves
        if nothing is not None and not some:
            raise nothing
        self.notes = [*Filled.of_parts(self._done).notes(), *added_up(notes)]

    def _curves(self, cells: "pd.DataFrame") -> Curves:
        shape = shaped(cells, self.name, Layout())
        cells, read_units = measured(shape, shape.cells, self.name, Layout())
        done = filled(cells, self.name, self._known)
        self._done.append(replace(done, cells=cells[:0]))
        cleaned = clean(done.cells, self.name, lower=done.lower, continuous=shape.continuous)
        remarks = (*shape.notes, *read_units, *cleaned.remarks)
        results = Results(**vars(replace(cleaned, remarks=remarks)))
        return results.curves(self.axis, by=self.by, scatter=self.scatter)

    def _read(self, place: int) -> "pd.DataFrame":
        """The cells of a part, with the row numbers of the table."""
        import pandas as pd

        with (self.folder / str(place)).open(encoding="utf-8", newline="") as file:
            numbers, *columns = zip(*csv.reader(file), strict=True)
        cells = zip(self._header, columns, strict=True)
        return pd.DataFrame(
            {name: pd.Series(values, dtype=str) for name, values in cells}
        ).set_axis(pd.Index([int(number) for number in numbers], name="row"))


def added_up(notes: Iterable[str]) -> list[str]:
    """Notes of parts as notes of the whole: those that differ only in a count are added up.

    Examples
    --------
    >>> added_up(["trials derived in 2 rows", "odd", "trials derived in 1 row", "odd"])
    ['trials derived in 3 rows', 'odd']
    """
    counts: dict[str, int] = {}
    for note in notes:
        match = _COUNT.search(note)
        key = (
            note if match is None else f"{note[: match.start()]}\0{match[2]}\0{note[match.end() :]}"
        )
        counts[key] = counts.get(key, 0) + (0 if match is None else int(match[1].replace(",", "")))
    return [
        counted(count, key.split("\0")[1]).join(key.split("\0")[::2]) if "\0" in key else key
        for key, count in counts.items()
    ]
