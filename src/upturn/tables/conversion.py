"""Conversion: what an evaluation harness wrote as a table that can be read again."""

import os
from os import PathLike
from typing import TYPE_CHECKING, Any

from upturn.checks.errors import counted
from upturn.tables.cells import objects
from upturn.tables.cleaning import clean
from upturn.tables.facts.fill import filled
from upturn.tables.facts.tables import knowledge
from upturn.tables.readers.evaluations import read_evaluations
from upturn.tables.shaping.items import summed

if TYPE_CHECKING:
    import pandas as pd


def tabulate(
    source: str | PathLike[str],
    *,
    kind: str | None = None,
    facts: Any = None,
    groups: bool = False,
) -> "tuple[pd.DataFrame, tuple[str, ...]]":
    """The results of a folder as a table that can be read again, and notes.

    Parameters
    ----------
    source, kind, groups
        As in `read_evaluations`.
    facts
        A table of facts about models, which fills in empty cells: see `upturn.tables.facts`. By
        default nothing does, so that the table is what the harness wrote.

    Raises
    ------
    DataError
        As `upturn.read` does.
    """
    import pandas as pd

    name = os.fspath(source)
    harvest = read_evaluations(source, name, kind=kind, groups=groups)
    done = filled(harvest.frame, name, knowledge(facts, bundled=False))
    cells = done.cells
    rows, _ = summed(cells, name)
    checked = clean(
        rows, name, lower=harvest.lower, continuous=harvest.continuous, repeats="latest"
    )
    repeated = len(rows) - len(checked)
    repeats = f"{counted(repeated, 'repeated row')}: choose by --repeats when the table is read"
    more = (repeats,) if repeated else ()
    columns = {str(c): objects([_written(cell) for cell in cells[c]]) for c in cells}
    return pd.DataFrame(columns, dtype=object), (
        *harvest.notes,
        *done.notes(),
        *more,
        *harvest.hints(),
    )


def _written(cell: object) -> object:
    """A cell as a table holds it: whole numbers without a point."""
    return int(cell) if isinstance(cell, float) and cell.is_integer() else cell
