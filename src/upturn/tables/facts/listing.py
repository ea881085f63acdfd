"""Listing: the models of a table or a folder, what is known of each, and from where."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from upturn.arrays.types import Floats, Objects
from upturn.checks.errors import DataError, counted
from upturn.tables import cells as cells_module
from upturn.tables import datasets, rules
from upturn.tables.cells import Cells
from upturn.tables.checkpoints import checkpoint_in
from upturn.tables.facts.fill import OF_ALL_CHECKPOINTS
from upturn.tables.facts.headers import facts_of_headers
from upturn.tables.facts.models import COLUMNS, FIGURES, known_models
from upturn.tables.facts.names import looked_up, nearest_names, params_in
from upturn.tables.facts.tables import Facts, Knowledge, is_empty, knowledge
from upturn.tables.readers import Source, table_name
from upturn.tables.readers.harvest import harvested
from upturn.tables.readers.schema import SCALES, cells_of, scale_numbers
from upturn.tables.shaping.headers import meant

if TYPE_CHECKING:
    import pandas as pd

# what the source of a figure is called that the table or a model's name states
FROM_TABLE, FROM_NAME = "table", "name"
_MOST = 5  # names that notes list


def facts(source: Source, *, facts: Facts | None = None, name: str | None = None) -> "pd.DataFrame":
    """The models of a table, what is known of each, and from where.

    Parameters
    ----------
    source : str, path or DataFrame
        As in `upturn.read`: a file, a data frame, a folder of evaluations, a bundled data set; only
        a column of models is needed.
    facts : str, path or DataFrame, optional
        A table of facts that is asked before the bundled one; "none" for what the table itself
        says.
    name : str, optional
        What messages call the table.

    Returns
    -------
    DataFrame
        One row a model: ``model``, ``family``, ``params``, ``tokens``, ``flops``, ``date``, each
        with its ``…_source``; ``guessed``, the column that is read from the name; ``near``, names
        that look like one that is not known. With checkpoints, ``run`` and ``step`` too.

    Raises
    ------
    DataError
        For a table without models, and a bad table of facts.

    Examples
    --------
    >>> import pandas as pd, upturn
    >>> table = pd.DataFrame({"model": ["EleutherAI/pythia-410m", "my-model-1.4b"]})
    >>> known = upturn.facts(table)
    >>> known[["model", "params", "params_source", "guessed"]].values.tolist()  # doctest: +ELLIPSIS
    [['EleutherAI/pythia-410m', 410000000.0, 'Maia Polo et al. 2024', ''], ['my-model-1.4b', ...
    """
    import pandas as pd

    name = table_name(source) if name is None else name
    cells = _cells(source, name)
    models = cells_module.label(cells_of(cells, name, "model"))
    models = cells_module.required_label(models, cells_of(cells, name, "model"))
    known = knowledge(facts)
    stated = _own(cells, name, models)
    rows = [_row(model, stated.get(model, {}), known) for model in dict.fromkeys(models)]
    columns = [name for column in COLUMNS for name in (column, f"{column}_source")]
    moments = [c for c in ("run", "step") if any(not is_empty(row.values.get(c)) for row in rows)]
    table = {
        "model": [row.model for row in rows],
        **{c: [row.values.get(c) for row in rows] for c in (*moments, *columns)},
        "guessed": [row.guessed for row in rows],
        "near": [row.near for row in rows],
    }
    frame = pd.DataFrame(table)
    numbers = {c: frame[c].astype(float) for c in (*FIGURES, "step") if c in frame}
    texts = frame.columns.difference([*numbers])
    return frame.assign(**numbers, **{c: frame[c].fillna("") for c in texts})[list(table)]


def notes_of(listing: "pd.DataFrame") -> list[str]:
    """How many models of a list are known, what was guessed, and names that may be meant.

    Parameters
    ----------
    listing
        As `facts` gives it.
    """
    sources = listing[[f"{column}_source" for column in COLUMNS]]
    known = (~sources.isin(["", FROM_NAME])).any(axis=1)
    stated = sources.isin([FROM_TABLE]).any(axis=1) & known
    in_table = f", {int(stated.sum())} of them from the table itself" if stated.any() else ""
    guessed = int((listing["guessed"] != "").sum())
    names = "its name" if guessed == 1 else "their names"
    guesses = f"; params of {guessed} read from {names}" if guessed else ""
    near = listing[listing["near"] != ""]
    return [
        f"{int(known.sum())} of {counted(len(listing), 'model')} known{in_table}{guesses}",
        *(
            f"{model!r} is not known: is {names.split('; ')[0]!r} meant?"
            for model, names in zip(near["model"][:_MOST], near["near"], strict=False)
        ),
    ]


def _cells(source: Source, name: str) -> "pd.DataFrame":
    """The cells of whatever has models."""
    table = datasets.resolve(source)
    cells = harvested(table, name).frame
    cells = cells.rename(columns=facts_of_headers(map(str, cells.columns)))
    others = [h for h in meant(list(map(str, cells.columns))) if h.factor in {None, 1.0}]
    cells = cells.rename(columns={h.given: h.column for h in others})
    rules.required_column(name, "model", [str(column) for column in cells.columns])
    return cells


def _own(cells: "pd.DataFrame", name: str, models: Objects) -> dict[str, dict[str, object]]:
    """What a table itself says of its models: values that are the same in all rows of a model."""
    stated: dict[str, dict[str, set[object]]] = {}
    for column in (c for c in (*COLUMNS, "run", "step") if c in cells):
        given = cells_of(cells, name, column)
        is_number = column in FIGURES or column == "step"
        try:
            values = _numbers(given, column) if is_number else cells_module.label(given)
        except DataError:  # ranks, or another unit: nothing that can be passed on as a fact
            continue
        for model, value in zip(models, values.tolist(), strict=True):
            if not is_empty(value):
                stated.setdefault(model, {}).setdefault(column, set()).add(value)
    return {
        model: {column: next(iter(of)) for column, of in columns.items() if len(of) == 1}
        for model, columns in stated.items()
    }


def _numbers(given: Cells, column: str) -> Floats:
    return scale_numbers(given, column) if column in SCALES else cells_module.number(given)


@dataclass
class _Row:
    """One model of the list."""

    model: str
    values: dict[str, object] = field(default_factory=dict)
    guessed: str = ""
    near: str = ""

    def take(self, values: Mapping[str, object], sources: Mapping[str, str]) -> None:
        """Values for the columns that have none yet."""
        for column, value in values.items():
            if column not in self.values:
                self.values[column] = value
                self.values[f"{column}_source"] = sources.get(column, "")


def _row(model: str, stated: Mapping[str, object], known: Sequence[Knowledge]) -> _Row:
    row = _Row(model)
    row.take(stated, dict.fromkeys(stated, FROM_TABLE))
    checkpoint = checkpoint_in(model)
    amounts = {"step": checkpoint.step, "tokens": checkpoint.tokens}
    moments = {c: v for c, v in amounts.items() if not math.isnan(v)}
    if moments:
        row.take({"run": checkpoint.run, **moments}, {"tokens": FROM_NAME})
    for name, is_itself in looked_up(model, str(stated.get("run", ""))):
        facts = next(filter(None, (of.of(name) for of in known)), None)
        if facts is not None:
            whole = is_itself and not checkpoint.revision and "step" not in stated
            columns = COLUMNS if whole else OF_ALL_CHECKPOINTS
            row.take({c: v for c, v in facts.values.items() if c in columns}, facts.sources)
            return row
    row.near = "; ".join(_near(model)) if known else ""
    if "params" not in row.values and not math.isnan(params := params_in(model)):
        row.take({"params": params}, {"params": FROM_NAME})
        row.guessed = "params"
    return row


def _near(model: str) -> list[str]:
    """Known models whose names look like one."""
    return nearest_names(model, [facts.model for facts in known_models().values()])
