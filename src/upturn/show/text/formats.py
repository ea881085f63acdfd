"""Answers for programs and documents: JSON, CSV and Markdown."""

import csv
import io
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from upturn.show.text.text import one_line
from upturn.tables.readers.formula import protected

if TYPE_CHECKING:
    import pandas as pd

ENDINGS = {".json": "json", ".csv": "csv", ".md": "markdown"}
# Where it would act: underscores at the edge of a word, and < before anything but a space.
_MARKUP = re.compile(r"[\\|`*\[\]~$&]|<(?! )|(?<!\w)_|_(?!\w)")
_ENTITIES = {"<": "&lt;", "&": "&amp;"}


def to_json(curves: "pd.DataFrame", **parts: object) -> str:
    """One JSON object: ``curves`` (one record a row), then the other parts.

    NaN and infinities, which JSON has no numbers for, become null.

    Parameters
    ----------
    curves
        One row a curve.
    **parts
        ``totals``, ``meta`` and what else there is.
    """
    return to_object(curves=curves.to_dict(orient="records"), **parts)


def to_object(**parts: object) -> str:
    """One JSON object of these parts, NaN and infinities as null."""
    return json.dumps(_plain(parts), ensure_ascii=False, allow_nan=False, indent=2) + "\n"


def _plain(value: Any) -> Any:
    """The value in the types that JSON has."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if hasattr(value, "tolist"):  # a NumPy scalar or array
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def to_csv(frame: "pd.DataFrame") -> str:
    """A CSV table in which spreadsheets do not read a name as a formula.

    Text that begins with =, +, -, @, a tab or a line break gets a leading apostrophe, which
    `upturn.read` takes off again.
    """
    stream = io.StringIO()
    plain = csv.writer(stream, lineterminator="\n")
    # Python before 3.13 leaves a lone carriage return unquoted, and then cannot read it
    quoted = csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    for row in (map(str, frame.columns), *frame.itertuples(index=False)):
        cells = [_cell(value) for value in row]
        broken = any(isinstance(cell, str) and "\r" in cell for cell in cells)
        (quoted if broken else plain).writerow(cells)
    return stream.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, str):
        return protected(value)
    if isinstance(value, float) and math.isnan(value):
        return ""
    return value


def to_markdown(
    headers: Sequence[str], rows: Iterable[Sequence[str]], numbers: Iterable[int]
) -> str:
    """A Markdown table.

    Parameters
    ----------
    headers
        One a column.
    rows
        Cells; what Markdown or HTML would act on is escaped.
    numbers
        The columns that are aligned to the right.
    """
    right = set(numbers)
    rule = ["---:" if index in right else "---" for index in range(len(headers))]
    lines = [_escaped(headers), rule, *map(_escaped, rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _escaped(cells: Sequence[str]) -> list[str]:
    return [escape_markdown(cell) for cell in cells]


def escape_markdown(text: str) -> str:
    r"""The text as Markdown shows it unchanged, on one line.

    Examples
    --------
    >>> print(escape_markdown("a|b `c` <i> 3_digit < 0.01"))
    a\|b \`c\` &lt;i> 3_digit < 0.01
    """
    return _MARKUP.sub(lambda match: _ENTITIES.get(match[0], f"\\{match[0]}"), one_line(text))
