"""Readers: a file, standard input or a data frame to a table of cells as they were given.

The index of the table says how to call a row. Where it is named ``row`` it holds row numbers as an
editor or a spreadsheet shows them (the header is row 1); where it is named ``position``, 0-based
positions in a data frame.
"""

import codecs
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from io import BytesIO
from itertools import chain
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from upturn.checks.errors import DataError, shown
from upturn.tables.readers.delimited import read_delimited, read_pieces
from upturn.tables.readers.jsonl import read_jsonl
from upturn.tables.readers.levels import joined
from upturn.tables.readers.markdown import without_text
from upturn.tables.readers.parquet import read_parquet
from upturn.tables.readers.unquoted import LARGE, read_unquoted
from upturn.tables.rules import byte_limit, columns, row_limit

if TYPE_CHECKING:
    import pandas as pd

type Source = str | PathLike[str] | pd.DataFrame

STDIN = "-"
_OLD_END = b"\r"  # of lines, before 2001
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_DELIMITERS = {".csv": ",", ".tsv": "\t", ".tab": "\t", ".txt": None, ".md": None}
_JSON_LINES = {".jsonl", ".ndjson"}
_PARQUET = {".parquet", ".pq"}
_SUFFIXES = ".csv, .tsv, .txt, .md, .json, .jsonl, .parquet or .xlsx"


def read_table(source: Source, name: str) -> "pd.DataFrame":
    """The cells of a table, as they were given.

    Parameters
    ----------
    source
        A path (the suffix says the format), ``-`` for standard input (CSV, TSV or JSON lines,
        told apart by the first line), or a data frame, which is copied.
    name
        What messages call the table.

    Returns
    -------
    DataFrame
        Text where the source is text; the index as the module describes it.

    Raises
    ------
    DataError
        For a file that is not there, too large, in no known format, empty, or not UTF-8.
    """
    if not isinstance(source, (str, PathLike)):
        return _from_frame(source, name)
    if source == STDIN:
        return _read_lines(sys.stdin.buffer, name)
    path = Path(os.path.expanduser(source))
    suffix = path.suffix.lower()
    if suffix not in {*_DELIMITERS, *_JSON_LINES, *_PARQUET}:
        raise DataError(f"{name}: expected a file ending in {_SUFFIXES}{_got(path)}")
    with _readable(path, name):
        byte_limit(name, path.stat().st_size)
        if suffix in _PARQUET:
            return read_parquet(path, name)
        with path.open("rb") as lines:
            return read_stream(lines, name, suffix)


def read_stream(lines: BinaryIO, name: str, suffix: str) -> "pd.DataFrame":
    """The cells of a table of text, in the format that an ending of a file's name says."""
    if suffix in _JSON_LINES:
        return read_jsonl(_decoded(lines, name), name)
    delimiter = _DELIMITERS.get(suffix)
    if delimiter is None:
        return _read_lines(lines, name)
    start = lines.read(LARGE)
    if len(start) == LARGE:
        start += lines.read()
        cells = read_unquoted(start, delimiter)
        if cells is not None:
            columns(name, list(map(str, cells.columns)))
            return cells
    return read_delimited(_decoded(BytesIO(start), name), name, delimiter)


def is_table(path: Path) -> bool:
    """Whether a file is a table, by its ending."""
    return path.suffix.lower() in {*_DELIMITERS, *_JSON_LINES, *_PARQUET} - {".txt", ".md"}


def is_delimited(path: Path) -> bool:
    """Whether a file is one of CSV or TSV, by its ending."""
    return _DELIMITERS.get(path.suffix.lower()) is not None


def read_in_pieces(path: Path, name: str) -> Iterator["pd.DataFrame"]:
    """The cells of a file of CSV or TSV, some thousand rows at a time, however many there are."""
    delimiter = _DELIMITERS[path.suffix.lower()] or ","
    with _readable(path, name), path.open("rb") as lines:
        yield from read_pieces(_decoded(lines, name, _any), name, delimiter, limit=_any)


def _any(name: str, size: int) -> int:
    """No limit: what is read in pieces has to fit on the disk only."""
    return size


def table_name(source: Source) -> str:
    """What messages call a source where the caller gives it no name."""
    if not isinstance(source, (str, PathLike)):
        return "table"
    return "standard input" if source == STDIN else fspath(source)


def _got(path: Path) -> str:
    got = shown(path.suffix) if path.suffix else "no ending"
    if path.is_dir():
        return ", but got a folder; name a file in it"
    if not os.path.exists(path):
        return f", but got {shown(str(path))}, and there is no such file; check the path"
    return f", but got {got}; convert it, or rename it if its ending is wrong"


@contextmanager
def _readable(path: Path, name: str) -> Iterator[None]:
    """Turn what the operating system says into one line."""
    try:
        if "\0" in str(path):
            raise FileNotFoundError(path)  # as a name that no file has
        yield
    except FileNotFoundError as error:
        folder = path.parent
        place = "" if folder.is_dir() else f" (nor the folder {shown(str(folder))})"
        raise DataError(
            f"{name}: expected a file, but there is none of that name{place}; check the path"
        ) from error
    except IsADirectoryError as error:
        raise DataError(f"{name}: expected a file, but got a folder; name a file in it") from error
    except PermissionError as error:
        raise DataError(
            f"{name}: expected a file that may be read, but permission is denied; "
            "change its permissions"
        ) from error
    except OSError as error:  # as for a path that is too long
        reason = error.strerror or str(error)
        raise DataError(
            f"{shown(name)}: expected a file that can be read, but got: {reason}; check the path"
        ) from error


def _read_lines(stream: BinaryIO, name: str) -> "pd.DataFrame":
    """A table in a text format that its first line tells."""
    lines = without_text(_decoded(stream, name))
    blank: list[str] = []
    for line in lines:
        if line.strip():
            rest = chain(blank, [line], lines)
            if line.lstrip().startswith("{"):
                return read_jsonl(rest, name)
            return read_delimited(rest, name, ",")
        blank.append(line)
    return read_delimited(blank, name, ",")


def _decoded(
    stream: Iterable[bytes], name: str, limit: Callable[[str, int], int] = byte_limit
) -> Iterator[str]:
    """Lines of UTF-8 text, a byte order mark left out; the line that is no UTF-8 is named."""
    size = 0
    lines = iter(stream)
    first = next(lines, b"")
    encoding = _utf16(first)
    if encoding:
        yield from _of_utf16(chain([first], lines), name, limit, encoding)
        return
    lines = chain([first] if first else [], lines)
    if _OLD_END in first.rstrip(b"\r\n"):
        lines = chain.from_iterable(line.splitlines(keepends=True) for line in lines)
    for number, line in enumerate(lines, start=1):
        size = limit(name, size + len(line))
        try:
            text = line.decode()
        except UnicodeDecodeError as error:
            raise DataError(
                f"{name}, row {number}: expected UTF-8 text, but got the byte "
                f"0x{line[error.start]:02x} at position {error.start + 1} of the line; "
                "save the table as UTF-8"
            ) from error
        yield text.removeprefix("\ufeff") if number == 1 else text


def _utf16(start: bytes) -> str:
    """The encoding of a text in UTF-16, which may have a mark; "" for any other."""
    if start.startswith(_UTF16):
        return "utf-16"
    pairs = min(len(start) // 2, 4)
    for offset, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        zeros = start[offset : 2 * pairs : 2]
        if pairs and not any(zeros) and start[1 - offset]:
            return encoding
    return ""


def _of_utf16(
    pieces: Iterable[bytes], name: str, limit: Callable[[str, int], int], encoding: str
) -> Iterator[str]:
    """Lines of UTF-16, in which spreadsheets save "Unicode text"."""
    decoder, rest, size = codecs.getincrementaldecoder(encoding)(), "", 0
    try:
        for piece in pieces:
            size = limit(name, size + len(piece))
            *lines, rest = (rest + decoder.decode(piece)).split("\n")
            yield from (f"{line}\n" for line in lines)
        yield rest + decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise DataError(
            f"{name}: expected UTF-16 text, as the file begins, but got other bytes; "
            "save the table as UTF-8"
        ) from error


def _with_index(frame: "pd.DataFrame") -> "pd.DataFrame":
    """A copy with the names in the index as columns, as a pivot table has them."""
    names = [name for name in frame.index.names if name is not None]
    if not names or set(names) & {*frame.columns} or frame.index.dtype.kind in "iu":
        return frame.copy()
    return frame.reset_index()


def _from_frame(frame: "pd.DataFrame", name: str) -> "pd.DataFrame":
    import pandas as pd

    if not isinstance(frame, pd.DataFrame):
        raise TypeError(
            f"expected a path, '-' or a pandas.DataFrame, but got {type(frame).__name__}; "
            "convert it with pandas.DataFrame(…)"
        )
    copy = _with_index(frame)
    levels = copy.columns.nlevels > 1
    names = joined([tuple(map(str, c)) for c in copy.columns]) if levels else map(str, copy.columns)
    copy.columns = columns(name, list(names))
    copy.index = pd.RangeIndex(row_limit(name, len(copy)), name="position")
    if not len(copy):
        raise DataError(f"{name}: expected rows of results, but got an empty table; add rows")
    return copy
