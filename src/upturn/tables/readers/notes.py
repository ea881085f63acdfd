"""Notes of readers: what was noticed while a table was read, kept with the cells."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

_KEY = "upturn.notes"


def noted(cells: "pd.DataFrame", *notes: str) -> "pd.DataFrame":
    """A table with notes, beside those that it has."""
    cells.attrs[_KEY] = tuple(dict.fromkeys((*notes_of(cells), *notes)))
    return cells


def notes_of(cells: "pd.DataFrame") -> tuple[str, ...]:
    """The notes of a table."""
    return tuple(cells.attrs.get(_KEY, ()))


def taken_notes(cells: "pd.DataFrame") -> tuple[str, ...]:
    """The notes of a table, which has none afterwards."""
    return tuple(cells.attrs.pop(_KEY, ()))
