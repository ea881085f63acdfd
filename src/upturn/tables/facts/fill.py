"""Filling in: what is known of models and tasks goes into the empty cells of a table."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from upturn.arrays.types import Booleans, Floats, Integers, Objects
from upturn.checks.errors import DataError, counted
from upturn.tables import cells as cells_module
from upturn.tables.checkpoints import checkpoint_in
from upturn.tables.facts.fill_tasks import with_task_facts
from upturn.tables.facts.filled import Filled, coded, empty_cells, labels, put
from upturn.tables.facts.headers import facts_of_headers
from upturn.tables.facts.models import COLUMNS, FIGURES
from upturn.tables.facts.names import looked_up, nearest_names
from upturn.tables.facts.tables import Knowledge, Known, Table
from upturn.tables.readers.schema import SCALES, cells_of, scale_numbers

if TYPE_CHECKING:
    import pandas as pd

OF_ALL_CHECKPOINTS = ("family", "params")  # what training does not change
_ANOTHER_MODEL = 1.34  # parameters that differ by more are those of another model of that name
_SAME_TOKENS = 1.05  # tokens that differ by more are those of a checkpoint
_MOST = 5  # names that a message lists


def filled(cells: "pd.DataFrame", name: str, known: Sequence[Knowledge]) -> Filled:
    """A table of results, its empty cells filled in with what is known.

    Parameters
    ----------
    cells
        The results as they were given.
    name
        What messages call them.
    known
        The tables of facts, the first first; without any, nothing is filled in.

    Raises
    ------
    DataError
        Where a user's table has none of the models.
    """
    if not known:
        return Filled(cells)
    with_names = _with_checkpoints(_renamed(cells), name)
    return with_task_facts(_with_model_facts(with_names, name, known), name)


def _renamed(cells: "pd.DataFrame") -> Filled:
    """Facts under headers of downloads get the schema's, but for names that a user may have typed.

    Those are in small letters and one word; of such a column the name stays, to be an axis.
    """
    renamed = {
        given: fact
        for given, fact in facts_of_headers(map(str, cells.columns)).items()
        if fact not in {"model", "family"} and not re.fullmatch(r"[a-z_]+", given)
    }
    said = ", ".join(f"{given!r} as {fact}" for given, fact in renamed.items())
    return Filled(
        cells.rename(columns=renamed), remarks=(f"columns taken: {said}",) if renamed else ()
    )


def _with_checkpoints(done: Filled, name: str) -> Filled:
    """Run, step and tokens that names of models state, where the table lacks them."""
    if "model" not in done.cells:
        return done
    code, models = coded(labels(done.cells, name, "model"))
    checkpoints = [checkpoint_in(model) for model in models]
    read = np.array([c.step >= 0 or c.tokens > 0 for c in checkpoints], dtype=np.bool_)
    if not read.any():
        return done
    values: dict[str, list[object]] = {
        "run": [c.run for c in checkpoints],
        "step": [c.step if c.step > 0 else None for c in checkpoints],  # 0 has no place on an axis
        "tokens": [c.tokens if c.tokens > 0 else None for c in checkpoints],
    }
    cells, names = done.cells, set[str]()
    for column, of in values.items():
        stated = cells_module.objects([v if r else None for v, r in zip(of, read, strict=True)])
        cells, goes = put(cells, column, stated[code])
        names |= {str(models[i]) for i in set(code[goes])}
    return replace(done, cells=cells, checkpoints=frozenset(names))


# ---- models --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Model:
    """What is known of the model of a row."""

    known: Known
    table: str
    is_bundled: bool
    of_run: bool  # rather than of the model itself


def _with_model_facts(done: Filled, name: str, known: Sequence[Knowledge]) -> Filled:
    cells = done.cells
    if "model" not in cells:
        return done
    models, runs = (labels(cells, name, column) for column in ("model", "run"))
    code, pairs = _pairs(models, runs)
    models_known = [_find(*pair, known) for pair in pairs]
    remarks = _remarks(name, dict(zip(pairs, models_known, strict=True)), known)
    done = replace(
        done,
        all_models=frozenset(model for model, _ in pairs),
        remarks=(*done.remarks, *remarks),
    )
    if not any(models_known):
        return done
    closed = _Closed.of(cells, name, models_known, code)
    counts: dict[tuple[str, str], frozenset[str]] = {}
    for column in _columns(cells, models_known):
        values = cells_module.objects([_value(model, column) for model in models_known])[code]
        values[closed.to(column)] = None
        cells, goes = put(cells, column, values)
        for index in set(code[goes]):
            key = _table_of(models_known[index]), column
            counts[key] = counts.get(key, frozenset()) | {pairs[index][0]}
    return replace(
        done,
        cells=cells,
        models=dict(sorted(counts.items(), key=lambda item: item[0][0] == "")),
    )


def _pairs(models: Objects, runs: Objects) -> tuple[Integers, list[tuple[str, str]]]:
    """The distinct pairs of model and run, and the one of each row."""
    (model, models), (run, runs) = coded(models), coded(runs)
    both, code = np.unique(model * max(len(runs), 1) + run, return_inverse=True)
    return code, [(models[i // len(runs)], runs[i % len(runs)]) for i in both]


def _find(model: str, run: str, known: Sequence[Knowledge]) -> _Model | None:
    """The first table that knows a model, else the first that knows its run."""
    checkpoint = checkpoint_in(model)
    for name, is_itself in looked_up(model, run):
        for table in known:
            if facts := table.of(name):
                is_bundled = not isinstance(table, Table)
                of_run = not is_itself or (is_bundled and bool(checkpoint.revision))
                return _Model(facts, table.name, is_bundled, of_run)
    return None


def _table_of(model: _Model | None) -> str:
    return "" if model is None else model.table


def _columns(cells: "pd.DataFrame", models: Iterable[_Model | None]) -> list[str]:
    """The columns to fill in; bundled families only where the table names none at all."""
    present = [model for model in models if model is not None]
    columns = dict.fromkeys(column for model in present for column in model.known.values)
    ordered = [c for c in COLUMNS if c in columns] + [c for c in columns if c not in COLUMNS]
    has_families = "family" in cells and bool((~empty_cells(cells, "family")).any())
    only_bundled = all(model.is_bundled for model in present)
    return [c for c in ordered if c != "family" or not (has_families and only_bundled)]


@dataclass(frozen=True)
class _Closed:
    """The rows into which facts must not go. Each of shape (row,)."""

    another: Booleans  # of another model, which has that name
    in_training: Booleans  # of a checkpoint
    derived: Booleans  # whose FLOPs follow from their own parameters and tokens

    @classmethod
    def of(
        cls, cells: "pd.DataFrame", name: str, models: Sequence[_Model | None], code: Integers
    ) -> "_Closed":
        stated = {c: _numbers(cells, name, c) for c in (*FIGURES, "step")}
        known = {
            c: np.array([_number_of(model, c) for model in models], dtype=np.float64)[code]
            for c in ("params", "tokens")
        }
        bundled = np.array([model is not None and model.is_bundled for model in models])[code]
        tokens = ~np.isnan(stated["tokens"])
        other_tokens = tokens & ~_near(stated["tokens"], known["tokens"], _SAME_TOKENS)
        return cls(
            another=bundled & _far(stated["params"], known["params"], _ANOTHER_MODEL),
            in_training=bundled & (~np.isnan(stated["step"]) | other_tokens),
            derived=tokens & ~np.isnan(stated["params"]),
        )

    def to(self, column: str) -> Booleans:
        """The rows that are closed to a column."""
        closed = self.another
        if column not in OF_ALL_CHECKPOINTS:
            closed = closed | self.in_training
        return closed | self.derived if column == "flops" else closed


def _numbers(cells: "pd.DataFrame", name: str, column: str) -> Floats:
    """A column of numbers, NaN where it is not there or is no number, which is refused later."""
    if column not in cells:
        return np.full(len(cells), np.nan)
    try:
        given = cells_of(cells, name, column)
        return scale_numbers(given, column) if column in SCALES else cells_module.number(given)
    except DataError:
        return np.full(len(cells), np.nan)


def _number_of(model: _Model | None, column: str) -> float:
    value = None if model is None else model.known.values.get(column)
    return float(value) if isinstance(value, (int, float)) else np.nan


def _near(stated: Floats, known: Floats, factor: float) -> Booleans:
    return np.asarray((stated <= known * factor) & (known <= stated * factor))


def _far(stated: Floats, known: Floats, factor: float) -> Booleans:
    return np.asarray((stated > known * factor) | (known > stated * factor))


def _value(model: _Model | None, column: str) -> object:
    """What is known of a model, of a checkpoint only what training does not change."""
    if model is None or (model.of_run and column not in OF_ALL_CHECKPOINTS):
        return None
    return model.known.values.get(column)


# ---- what is said of names -----------------------------------------------------------------------


type _Found = Mapping[tuple[str, str], _Model | None]


def _remarks(name: str, models: _Found, known: Sequence[Knowledge]) -> list[str]:
    """Names that a user's table of facts spells otherwise, and those that no table has."""
    remarks = []
    missing = dict.fromkeys(run or model for (model, run), has in models.items() if has is None)
    for table in known:
        if isinstance(table, Table):
            if all(model is None or model.table != table.name for model in models.values()):
                raise DataError(_nothing(name, models, table))
            remarks += _spelt(table.name, models)
            if missing:
                names = counted(len(missing), "model")
                remarks.append(f"{table.name}: without {names}: {_suggested(missing, table)}")
    return remarks


def _nothing(name: str, pairs: Iterable[tuple[str, str]], table: Table) -> str:
    missing = dict.fromkeys(run or model for model, run in pairs)
    return (
        f"{table.name}: expected models of {name}, but got none: {_suggested(missing, table)}; "
        "write the names as the results have them"
    )


def _spelt(table: str, models: _Found) -> list[str]:
    """The models that a table calls by another spelling of the name."""
    other = {
        pair[0]: model.known.model
        for pair, model in models.items()
        if model is not None and model.table == table and model.known.model not in pair
    }
    said = [f"{name!r} = {spelt!r}" for name, spelt in other.items()]
    return [f"{table}: taken for one model: {_first(said)}"] if other else []


def _first(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - _MOST} more" if len(texts) > _MOST else ""
    return ", ".join(texts[:_MOST]) + more


def _suggested(missing: Iterable[str], table: Table) -> str:
    """Names, each with the one that looks most like it: "'a' (is 'b' meant?)"."""
    texts: list[str] = []
    for name in missing:
        near = nearest_names(name, table.rows, most=1) if len(texts) < _MOST else []
        texts.append(f"{name!r} (is {near[0]!r} meant?)" if near else repr(name))
    return _first(texts)
