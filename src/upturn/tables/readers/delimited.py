"""Comma- and tab-separated tables, cell by cell as text."""

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import batched, chain, islice
from typing import TYPE_CHECKING

from upturn.checks.errors import DataError, counted, shown
from upturn.tables.cells import plain_number
from upturn.tables.readers.formula import plain
from upturn.tables.readers.levels import MOST, flattened, remark
from upturn.tables.readers.notes import noted, notes_of
from upturn.tables.readers.separators import separator, without_comments
from upturn.tables.rules import columns, row_limit

if TYPE_CHECKING:
    import pandas as pd

type Row = tuple[int, list[str]]

_BATCH = 50_000
NAMELESS = "Unnamed: 0"  # what pandas calls the first column where its header is empty


def read_delimited(lines: Iterable[str], name: str, delimiter: str) -> "pd.DataFrame":
    """A table of text cells from lines of CSV or TSV, whatever separates them.

    A quoted cell may hold the delimiter, quotes and line breaks. The apostrophe that keeps a
    spreadsheet from running a cell as a formula is taken off again. Blank rows count as rows but
    are not read, and neither is a column without a name (pandas writes its index as one), unless it
    is the first and holds names.

    Parameters
    ----------
    lines
        Text with its line ends.
    name
        What messages call the table.
    delimiter
        What the ending of the file's name says, "," or a tab.

    Returns
    -------
    DataFrame
        Of str; the index ``row`` holds row numbers.

    Raises
    ------
    DataError
        For an empty file, a header alone, a column that is there twice, a row with more or fewer
        cells than the header, quotes that do not close.
    """
    import pandas as pd

    pieces = list(read_pieces(lines, name, delimiter))
    return noted(pd.concat(pieces), *(note for piece in pieces for note in notes_of(piece)))


def read_pieces(
    lines: Iterable[str],
    name: str,
    delimiter: str,
    *,
    limit: Callable[[str, int], int] = row_limit,
) -> Iterator["pd.DataFrame"]:
    """The same, some thousand rows at a time.

    Parameters
    ----------
    lines, name, delimiter
        As above.
    limit
        Told the table's name and how many rows there are by now.
    """
    start, lines = without_comments(iter(lines))
    delimiter = separator(start, delimiter)
    if delimiter == "|":
        lines = map(_without_frame, lines)
    rows = _rows(lines, name, delimiter, is_spaced=_is_spaced(start, delimiter))
    start_rows = list(islice(rows, MOST + 2))
    names, depth = flattened([row for _, row in start_rows])
    first = start_rows[depth:]
    header = named([plain(name).strip(" ") for name in names], *(row for _, row in first))
    rows = chain(first, rows)
    if not header:
        raise DataError(
            f"{name}: expected a header and rows of results, but got an empty file; "
            "the least it needs is task,model,score"
        )
    _check_spaces(header, name)
    columns(name, [column for column in header if column])
    batch = None
    for batch in batched(_checked(rows, header, name, limit), _BATCH):
        frame = _frame(batch, header)
        frame = with_decimal_points(frame) if delimiter == ";" else frame
        yield frame if depth < 2 else noted(frame, remark(header, depth))
    if batch is None:
        raise DataError(f"{name}: expected rows of results, but got a header only; add rows")


def named(header: list[str], *rows: list[str]) -> list[str]:
    """A header whose first column has a name of its own where it has none but holds names."""
    first = next((row[0] for row in rows if row and row[0].strip()), "")
    return [NAMELESS, *header[1:]] if header[:1] == [""] and _is_name(first) else header


def _is_name(text: str) -> bool:
    try:
        plain_number(text)
    except ValueError:
        return True
    return False


def _is_spaced(start: list[str], delimiter: str) -> bool:
    """Whether a space follows every separator of the header."""
    _, *others = start[0].rstrip("\r\n").split(delimiter) if start else [""]
    return bool(others) and all(cell.startswith(" ") for cell in others)


_RULE = re.compile(r"\s*[-:|\s]*-[-:|\s]*")


def _without_frame(line: str) -> str:
    """A row of a Markdown table without the bars around it; the rule below the header is blank."""
    if _RULE.fullmatch(line):
        return "\n"
    cells = line.strip().removeprefix("|").removesuffix("|").split("|")
    return "|".join(cell.strip() for cell in cells) + "\n"


def _rows(lines: Iterable[str], name: str, delimiter: str, *, is_spaced: bool) -> Iterator[Row]:
    """Rows that are not blank, with their numbers."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=is_spaced)
    number = 0
    try:
        for number, row in enumerate(reader, start=1):
            if any(cell and not cell.isspace() for cell in row):
                yield number, row
    except csv.Error as error:
        raise DataError(
            f"{name}, row {number + 1}: expected cells with quotes that close, "
            f"but got {error}; write a quote inside a quoted cell twice"
        ) from error


def _checked(
    rows: Iterable[Row], header: list[str], name: str, limit: Callable[[str, int], int]
) -> Iterator[Row]:
    width = len(header)
    for count, (number, row) in enumerate(rows, start=1):
        if len(row) != width:
            raise DataError(
                f"{name}, row {number}: expected {counted(width, 'cell')} as in the header, "
                f"but got {len(row)}; {_what_to_do(row)}"
            )
        limit(name, count)
        yield number, row


def _what_to_do(row: list[str]) -> str:
    return (
        "quote cells that hold the separator"
        if len(row) > 1
        else "remove the row if it is a remark, else complete it"
    )


def _frame(batch: tuple[Row, ...], header: list[str]) -> "pd.DataFrame":
    import pandas as pd

    numbers, rows = zip(*batch, strict=True)
    cells = zip(header, zip(*rows, strict=True), strict=True)
    return pd.DataFrame(
        {column: pd.Series(map(plain, values), dtype=str) for column, values in cells if column},
    ).set_axis(pd.Index(numbers, name="row"))


_DECIMAL_COMMA = re.compile(
    r"[-+]?(?:(?:\d{1,3}(?:\.\d{3})+|\d+),\d+(?:[eE][-+]?\d+)?|\d{1,3}(?:\.\d{3}){2,})\s*[\w%-]*"
)
_UNMISTAKABLE = re.compile(
    r"[-+]?(?:(?:0|\d{4,}|[\d.]+\.\d{3}),\d+|\d+,(?:\d{1,2}|\d{4,}))(?:\s*%|\s+\w+)?"
)
_COMMAS = "decimal commas read as points"


def with_decimal_points(frame: "pd.DataFrame") -> "pd.DataFrame":
    """A table with decimal commas, as spreadsheets of many countries write it, with points.

    "1,234" alone may be a thousand and more, so one cell has to be unmistakable.
    """
    import pandas as pd

    texts = {column: frame[column].str.strip() for column in frame}
    if not any(values.str.fullmatch(_UNMISTAKABLE).any() for values in texts.values()):
        return frame
    points = {
        column: [
            text.replace(".", "").replace(",", ".") if _DECIMAL_COMMA.fullmatch(text) else text
            for text in values
        ]
        for column, values in texts.items()
    }
    return noted(pd.DataFrame(points, dtype=str).set_axis(frame.index), _COMMAS)


def _check_spaces(header: list[str], name: str) -> None:
    """Refuse columns that only spaces separate, which names of models may hold too."""
    words = header[0].split() if len(header) == 1 else []
    if len(words) > 2 and {"model", "task", "score"} & {word.casefold() for word in words}:
        raise DataError(
            f"{name}, row 1: expected columns separated by commas, tabs, semicolons or |, but got "
            f"{shown(header[0])}, separated by spaces; save the table with commas"
        )
