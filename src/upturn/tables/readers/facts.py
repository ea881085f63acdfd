"""A side table with facts about models, joined to results by the model's name."""

from itertools import islice
from os import PathLike
from typing import TYPE_CHECKING

from upturn.arrays.types import Objects
from upturn.checks.errors import DataError, counted, nearest, shown
from upturn.tables import cells as cells_module
from upturn.tables import rules
from upturn.tables.cells import objects
from upturn.tables.readers import read_table, table_name
from upturn.tables.readers.schema import LABELS, MEASURES, SCALE_RULES, TRIALS, cells_of

if TYPE_CHECKING:
    import pandas as pd

type Facts = str | PathLike[str] | pd.DataFrame

_MOST = 5  # names that a message lists
_OF_ALL_CHECKPOINTS = ("family", "params")  # what training does not change


def with_facts(
    cells: "pd.DataFrame", name: str, source: Facts
) -> tuple["pd.DataFrame", tuple[str, ...]]:
    """A table of results, filled in from a side table.

    Parameters
    ----------
    cells
        The results as they were given.
    name
        What messages call them.
    source
        The side table, in any format of `upturn.tables.readers.read_table`: ``model``, and of
        ``family``, ``params``, ``tokens``, ``flops``, ``perplexity``, ``loss`` and other columns
        those that it has. A cell that it fills wins over the results' own. A model that it lacks
        takes family and parameters from its ``run``, if that is there.

    Returns
    -------
    DataFrame
        The results.
    tuple of str
        A note about the models (of checkpoints, the runs) that the side table lacks, with the names
        that look like theirs.

    Raises
    ------
    DataError
        For a bad cell, a model that is there twice, and where no model is there.
    """
    import pandas as pd

    table = table_name(source)
    facts = read_table(source, table)
    columns = [str(column) for column in facts.columns]
    rules.required_column(table, "model", columns)
    rules.required_column(name, "model", [str(column) for column in cells.columns])
    rows = _rows_by_model(facts, table)
    models = cells_module.label(cells_of(cells, name, "model"))
    runs = cells_module.label(cells_of(cells, name, "run")) if "run" in cells else models
    pairs = set(zip(models, runs, strict=True))
    missing = {
        run or model: model for model, run in sorted(pairs) if not rows.keys() & {model, run}
    }
    if not any(rows.keys() & pair for pair in pairs):
        raise DataError(
            f"{table}: expected models of {name}, but got none: {_suggested(missing, rows)}; "
            "write the names as the results have them"
        )
    given = [column for column in columns if _is_fact(column)]
    filled = cells.copy()
    for column in given:
        values = _values(facts, table, column)
        checkpoints = column in _OF_ALL_CHECKPOINTS
        keys = [
            run if checkpoints and model not in rows else model
            for model, run in zip(models, runs, strict=True)
        ]
        joined = objects([values[rows[key]] if key in rows else None for key in keys])
        new = pd.Series(joined, index=filled.index, dtype=object)
        old = filled[column].astype(object) if column in filled else new
        filled[column] = new.where(new.notna(), old)
    told = f"{table}: without {counted(len(missing), 'model')}: {_suggested(missing, rows)}"
    return filled, ((told,) if missing else ())


def _rows_by_model(facts: "pd.DataFrame", table: str) -> dict[str, int]:
    """The position of each model's row."""
    cells = cells_of(facts, table, "model")
    models = cells_module.required_label(cells_module.label(cells), cells)
    rows: dict[str, int] = {}
    for position, model in enumerate(models):
        if model in rows:
            raise DataError(
                f"{table}, {cells.row(position)}, column model: expected each model once, but got "
                f"{shown(model)} again, after {cells.row(rows[model])}; remove one of the rows"
            )
        rows[model] = position
    return rows


def _is_fact(column: str) -> bool:
    return column == "family" or column not in {*LABELS, *MEASURES, *TRIALS, "successes", ""}


def _values(facts: "pd.DataFrame", table: str, column: str) -> Objects:
    """The cells of a column, None where one is empty; scales checked by the rules of results."""
    cells = cells_of(facts, table, column)
    if column in SCALE_RULES:
        numbers, rule = cells_module.number(cells), SCALE_RULES[column]
        if rule is not None:
            rule(numbers, cells)
    empty = [cell is None or (isinstance(cell, str) and not cell.strip()) for cell in cells.raw]
    return objects([None if none else cell for none, cell in zip(empty, cells.raw, strict=True)])


def _suggested(missing: dict[str, str], names: dict[str, int]) -> str:
    """Names, each with the one that looks most like it: "'a' (is 'b' meant?)".

    A run has one of its checkpoints beside it, which may be what looks alike.
    """
    texts = []
    for name, checkpoint in islice(missing.items(), _MOST):
        guess = nearest(name, names) or nearest(checkpoint, names)
        texts.append(f"{shown(name)} (is {shown(guess)} meant?)" if guess else shown(name))
    more = f" and {len(missing) - _MOST} more" if len(missing) > _MOST else ""
    return ", ".join(texts) + more
