"""Workbooks of a spreadsheet program (.xlsx), through openpyxl: the extra ``upturn[excel]``."""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from upturn.checks.errors import DataError, listed, shown
from upturn.tables.cells import is_unknown, objects
from upturn.tables.readers.delimited import named
from upturn.tables.readers.levels import MOST, flattened, remark
from upturn.tables.readers.notes import noted
from upturn.tables.rules import byte_limit, columns, row_limit, unpacked_limit

if TYPE_CHECKING:
    import pandas as pd

_HEADERS = {"model", "task", "score", "benchmark", "dataset", "accuracy", "successes"}
_ROWS = 30  # among which the header is looked for


def read_spreadsheet(path: Path, name: str) -> "pd.DataFrame":
    """The cells of the first sheet that has a header with models, tasks or scores.

    Rows above the header, such as a title, are left out. Where no sheet has such a header, it is
    the first row of the first sheet.

    Raises
    ------
    DataError
        For a file that is none, or has no rows; where openpyxl is missing.
    """
    sheets = _sheets(path, name)
    places = {sheet: place for sheet, cells in sheets.items() if (place := _header(cells)) >= 0}
    sheet = next(iter(places or sheets), None)
    if sheet is None:
        raise DataError(f"{name}: expected rows of results, but got none; add rows")
    frame = _table(sheets[sheet], max(places.get(sheet, 0), 0), name)
    others = [other for other in sheets if other != sheet and len(sheets[other])]
    note = f"sheet {shown(sheet)} read, not {listed(others, most=3)}"
    return noted(frame, note) if others else frame


def _sheets(path: Path, name: str) -> "Mapping[str, pd.DataFrame]":
    import pandas as pd

    stored = byte_limit(name, path.stat().st_size)
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
    except (OSError, zipfile.BadZipFile) as error:
        raise DataError(
            f"{name}: expected an .xlsx file, but got something else; save the sheet as CSV"
        ) from error
    unpacked_limit(name, size, stored)
    try:
        return pd.read_excel(path, sheet_name=None, header=None, dtype=object, engine="openpyxl")
    except ImportError as error:
        raise DataError(
            f"{name}: expected openpyxl to read .xlsx, but it is not installed; "
            "pip install 'upturn[excel]', or save the sheet as CSV"
        ) from error
    except Exception as error:  # openpyxl raises whatever its parts do
        raise DataError(
            f"{name}: expected an .xlsx file, but got a broken one; save the sheet as CSV"
        ) from error


def _header(cells: "pd.DataFrame") -> int:
    """The row with a header, −1 where there is none."""
    for place, row in enumerate(cells.head(_ROWS).itertuples(index=False)):
        texts = [str(value).strip().casefold() for value in row if not is_unknown(value)]
        words = {word for text in texts for word in text.replace("_", " ").split()}
        if len(texts) > 1 and words & _HEADERS:
            return place
    return -1


def _table(cells: "pd.DataFrame", place: int, name: str) -> "pd.DataFrame":
    import pandas as pd

    start = cells.iloc[place : place + MOST + 2].to_numpy(dtype=object)
    texts = [["" if is_unknown(value) else str(value).strip() for value in row] for row in start]
    header, depth = flattened(texts)
    header = named(header, *texts[depth:])
    rows = cells.iloc[place + depth :]
    rows = rows[[not all(map(is_unknown, row)) for row in rows.itertuples(index=False)]]
    if not len(rows):
        raise DataError(f"{name}: expected rows of results, but got none; add rows")
    row_limit(name, len(rows))
    columns(name, [column for column in header if column])
    values = {
        column: objects([_cell(value) for value in rows[index]])
        for index, column in enumerate(header)
        if column
    }
    frame = pd.DataFrame({c: pd.Series(v, dtype=object) for c, v in values.items()})
    frame = frame.set_axis(pd.Index(rows.index + 1, name="row"))
    return frame if depth < 2 else noted(frame, remark(header, depth))


def _cell(value: object) -> object:
    """None for an empty cell, the day of a date as a table of text has it; others as they are."""
    if not isinstance(value, str) and is_unknown(value):
        return None
    return str(value)[:10] if hasattr(value, "isoformat") else value
