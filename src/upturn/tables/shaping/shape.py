"""From a table as people keep it to cells under the schema's names, step by step."""

import os
import re
import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from upturn.checks.arguments import known
from upturn.checks.errors import DataError, counted, nearest, shown
from upturn.tables.cells import distinct, is_unknown, label, objects
from upturn.tables.readers.schema import LABELS, MEASURES, SCALES, cells_of
from upturn.tables.shaping import (
    answers,
    headers,
    items,
    nameless,
    percent,
    printed,
    stderr,
    wide,
)
from upturn.tables.shaping.headers import Header
from upturn.tables.units import PLAUSIBLE, amount, numbers, plausible, unit

if TYPE_CHECKING:
    import pandas as pd

type Notes = list[str]

_FEW = 3  # rows of which each may be a task of its own
_LINK = re.compile(r"\s*<a\b[^<>]*>([^<>]+)</a>\s*", re.I)


@dataclass(frozen=True)
class Layout:
    """How a table is laid out, where it does not follow the schema.

    Parameters
    ----------
    columns
        From a name of the schema to the column that holds it; "a+b" joins several with a hyphen.
    ignore
        Columns to leave out.
    units
        From a column to the unit of its numbers: {"size": "B"}.
    wide
        Whether every task (or metric) has a column of its own.
    percent
        Metrics in per cent; "all" for every one.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    ignore: Sequence[str] = ()
    units: Mapping[str, str] = field(default_factory=dict)
    wide: bool = False
    percent: Sequence[str] = ()


@dataclass(frozen=True, eq=False)
class Shaped:
    """A table under the schema's names; what was noticed; units that headers name."""

    cells: "pd.DataFrame"
    notes: Notes
    units: Sequence[Header] = ()
    continuous: Sequence[str] = ()  # metrics of records that are no proportions
    header: str = ""  # what the table calls its scores


def shaped(cells: "pd.DataFrame", name: str, layout: Layout) -> Shaped:
    """A table of cells with the schema's columns, one row a measurement.

    Raises
    ------
    DataError
        For a column that is not there, and for one of the schema that is missing.
    """
    cells, scorers = answers.graded(_without(cells, name, layout.ignore))
    cells, joined = _with_columns(cells, name, layout.columns)
    given_units = _given_units(cells, name, layout.units)
    cells, unnamed = nameless.named(_without_empty(cells))
    meant = headers.meant(list(map(str, cells.columns)))
    columns = [*map(str, cells.columns), *(header.column for header in meant)]
    renamed = [header for header in meant if _holds(cells, header, columns)]
    cells = cells.rename(columns={header.given: header.column for header in renamed})
    cells, tidy = printed.tidied(_without_links(cells))
    units = [*given_units, *(h for h in renamed if h.factor not in (None, 1.0))]
    notes = [*scorers, *joined, *unnamed, *headers.renaming_notes(renamed), *tidy]
    cells, finished = _finished(cells, name)
    has_records = wide.has_records(cells)
    cells, records = wide.records_of(cells, name)
    continuous = wide.beyond_proportions(cells) if has_records else ()
    cells, added = items.summed(cells, name)
    notes += [*finished, *records, *added]
    if layout.wide:
        cells, more = wide.melted(cells, name)
        notes += more
    elif wide.is_wide(cells):
        wide.refuse(cells, name, with_units={header.column for header in units})
    cells, more = _with_task(cells, name)
    notes += more
    _check_required(cells, name)
    cells, more = percent.parts_read(cells)
    cells, joined = stderr.joined(cells, name)
    scores = next((header.given for header in renamed if header.column == "score"), "")
    every_note = [*notes, *more, *joined]
    return Shaped(cells, every_note, _renamed_units(units, renamed), continuous, scores)


def measured(
    shape: Shaped, cells: "pd.DataFrame", name: str, layout: Layout
) -> tuple["pd.DataFrame", Notes]:
    """Cells whose percentages and units are read; of the rows that are taken."""
    cells, signs = percent.signs_read(cells, name)
    metrics = percent.signed_by_header(cells, name, layout.percent, shape.header)
    cells, divided = percent.divided(cells, name, metrics)
    for header in shape.units:
        raw = cells_of(cells, name, header.column)
        raw = type(raw)(raw.table, header.given, raw.raw, raw.rows, raw.positions)
        values = numbers(raw, header.column, header.factor or 1.0)
        cells = cells.assign(**{header.column: plausible(values, raw, header.column)})
    return cells, [*signs, *divided]


def _without_empty(cells: "pd.DataFrame") -> "pd.DataFrame":
    """Without empty columns of the schema whose content stands in another column."""
    names = list(map(str, cells.columns))
    empty = [c for c in ("task", "model", "score") if c in names and _is_empty(cells, c)]
    others = headers.meant([name for name in names if name not in empty])
    meant = {header.column for header in others}
    return cells.drop(columns=[column for column in empty if column in meant])


def _is_empty(cells: "pd.DataFrame", column: str) -> bool:
    return all(is_unknown(value) for value in cells[column])


def _holds(cells: "pd.DataFrame", header: Header, columns: Collection[str]) -> bool:
    """Whether a column holds what its header is taken for: most of its cells are numbers."""
    if header.column == "task" and not {"score", "successes"} & {*columns}:
        return not cells[header.given].is_unique or len(cells) < _FEW  # else a name of each row
    if header.column in LABELS:
        return True
    raw = [value for value in cells[header.given] if not is_unknown(value)]
    return 2 * sum(_reads(header.column, value) for value in raw) >= max(len(raw), 1)


def _without_links(cells: "pd.DataFrame") -> "pd.DataFrame":
    """Names of models in place of the links to their pages, as leaderboards have them."""
    if "model" not in cells:
        return cells
    texts = [v for v in distinct(cells["model"])[1] if isinstance(v, str) and "<a" in v]
    links = {text: _LINK.fullmatch(text) for text in texts}
    names = {value: link[1] for value, link in links.items() if link}
    return cells.assign(model=[names.get(v, v) for v in cells["model"]]) if names else cells


def _reads(column: str, value: object) -> bool:
    if not isinstance(value, str):
        return not isinstance(value, (list, dict))
    try:
        return bool(amount(column, re.split("%|±", value)[0]) + 1)
    except ValueError:
        return value.casefold() in {"true", "false", "c", "i"}


def _without(cells: "pd.DataFrame", name: str, ignore: Sequence[str]) -> "pd.DataFrame":
    present = [str(column) for column in cells.columns]
    return cells.drop(columns=[_present(c, present, name, "ignore") for c in ignore])


def _present(column: str, present: Sequence[str], name: str, argument: str) -> str:
    meant = headers.resolve(column, present)
    return meant or known(column, present, kind="column", where=f"{name}, {argument}")


def _with_columns(
    cells: "pd.DataFrame", name: str, columns: Mapping[str, str]
) -> tuple["pd.DataFrame", Notes]:
    """Columns renamed, or made of several."""
    notes = []
    for new, text in columns.items():
        present = [str(column) for column in cells.columns]
        parts = [text] if text in present else [part.strip() for part in text.split("+")]
        parts = [_present(part, present, name, "column") for part in parts]
        if len(parts) == 1 and new in LABELS and _is_scale(parts[0]):
            cells = cells.assign(**{new: label(cells_of(cells, name, parts[0]))})
            continue
        if len(parts) == 1:
            kept = cells.drop(columns=new) if new in present and new != parts[0] else cells
            cells = kept.rename(columns={parts[0]: new})
            continue
        texts = [label(cells_of(cells, name, part)) for part in parts]
        whole = ["-".join(filter(None, row)) for row in zip(*texts, strict=True)]
        cells = cells.assign(**{new: objects(whole)})
        notes.append(f"column {new} made of {', '.join(parts)}")
    return cells, notes


def _is_scale(column: str) -> bool:
    what = headers.meaning(column)
    return what is not None and what[0] in SCALES


def _given_units(cells: "pd.DataFrame", name: str, units: Mapping[str, str]) -> list[Header]:
    present = [str(column) for column in cells.columns]
    given = []
    for asked, text in units.items():
        column = _present(asked, present, name, "unit")
        what = headers.meaning(column)
        if what is None or what[0] not in PLAUSIBLE:
            raise DataError(
                f"{name}, unit: expected a column of params, tokens or flops, but got "
                f"{shown(column)}; say which it is by --column params={shlex.quote(column)}"
            )
        factor = unit(what[0], text)
        if factor is None:
            raise DataError(
                f"{name}, unit: expected a unit of {what[0]} such as K, M, B, T or ZFLOP, but got "
                f"{shown(text)}; for example --unit {column}=B"
            )
        given.append(Header(column, what[0], factor))
    return given


def _renamed_units(units: Sequence[Header], renamed: Sequence[Header]) -> list[Header]:
    """Each column once: a unit on the command line wins over that of the header."""
    by_column: dict[str, Header] = {}
    for header in units:
        by_column.setdefault(header.column, header)
    return list(by_column.values())


def _finished(cells: "pd.DataFrame", name: str) -> tuple["pd.DataFrame", Notes]:
    """Without evaluations of Inspect that did not come to their end."""
    if not {"status", "eval_id"} <= set(map(str, cells.columns)):
        return cells, []
    done = np.array([str(status) == "success" for status in cells["status"]], dtype=np.bool_)
    count = int((~done).sum())
    if not count or not done.any():
        return cells, []
    return cells[done], [f"{counted(count, 'unfinished evaluation')} left out (status)"]


def _with_task(cells: "pd.DataFrame", name: str) -> tuple["pd.DataFrame", Notes]:
    """A table of one task may lack the column: the file's name is the task."""
    names = [str(column) for column in cells.columns]
    stem = Path(name).stem
    is_file = os.path.isfile(os.path.expanduser(name))
    if "task" in names or not is_file or "model" not in names or nearest("task", names, 0.75):
        return cells, []
    if not {"score", "successes"} & set(names):
        return cells, []
    note = f"no column 'task': all rows are of the task {shown(stem)}, the name of the file"
    return cells.assign(task=objects([stem] * len(cells))), [note]


def _check_required(cells: "pd.DataFrame", name: str) -> None:
    """Raise for all columns that are missing at once, with what may be meant."""
    names = [str(column) for column in cells.columns]
    wanted = ["task", "model"] + ([] if "successes" in names else ["score"])
    missing = [column for column in wanted if column not in names]
    if not missing:
        return
    others = [c for c in names if c not in {*LABELS, *MEASURES, *SCALES}]
    remedies = [_remedy(column, others, cells) for column in missing]
    unknown = [column for column, text in zip(missing, remedies, strict=True) if not text]
    add = "add it, or name the column: " if unknown else ""
    if len(missing) > 1 and unknown:
        add = f"add {', '.join(unknown)}, or name the columns: "
    options = [text or f"--column {c}=NAME" for c, text in zip(missing, remedies, strict=True)]
    remedy = add + " ".join(options)
    raise DataError(f"{name}: expected {headers.missing(missing, names)}; {remedy}")


def _remedy(column: str, others: Sequence[str], cells: "pd.DataFrame") -> str:
    guess = nearest(column, others, cutoff=0.75)
    if guess is not None:
        return f"--column {shlex.quote(f'{column}={guess}')}"
    if column == "model":
        parts = [c for c in ("params", "data", "recipe", "size", "seed", "step") if c in cells]
        if len(parts) > 1 or parts == ["params"]:
            return f"--column model={'+'.join(parts)}"
    return ""


__all__ = ["Layout", "Shaped", "measured", "shaped"]
