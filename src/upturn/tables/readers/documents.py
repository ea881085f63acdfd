"""JSON documents that others wrote: bounded in size, nothing in them trusted or executed."""

import json
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from upturn.checks.errors import DataError, shown_path

MAX_JSON_BYTES = 256_000_000  # a tree of Python objects takes some ten times that in memory


def read_json(path: Path, *, remedy: str = "remove it from the folder") -> Any:
    """What a JSON file holds.

    Parameters
    ----------
    path
        The file.
    remedy
        What to do about a file that is too large.

    Raises
    ------
    DataError
        Naming the file, where it is too large, not JSON, or ends in the middle.
    """
    name = shown_path(path)
    try:
        with path.open("rb") as file:
            content = file.read(MAX_JSON_BYTES + 1)
    except OSError as error:
        raise DataError(
            f"{name}: expected a file that can be read, but got: {error.strerror}; "
            "change its permissions, or remove it from the folder"
        ) from error
    return parse_json(content, name, remedy=remedy)


def parse_json(content: bytes, name: str, *, remedy: str = "remove it from the folder") -> Any:
    """What a JSON text holds; NaN and Infinity are None.

    Raises
    ------
    DataError
        Naming the document, as `read_json` does.
    """
    if len(content) > MAX_JSON_BYTES:
        raise DataError(
            f"{name}: expected at most {MAX_JSON_BYTES / 1e6:g} MB of JSON, but got more; {remedy}"
        )
    try:
        return json.loads(content, parse_constant=lambda constant: None)
    except json.JSONDecodeError as error:
        if not error.doc[error.pos :].strip() or error.msg.startswith("Unterminated"):
            got = "one that ends in the middle" if error.doc.strip() else "an empty one"
            what = "was the run interrupted? finish it, or remove the file"
        else:
            got = f"{error.msg} at line {error.lineno}, column {error.colno}"
            what = "write it again, or remove it from the folder"
    except RecursionError:
        got, what = "one nested too deeply", "remove it from the folder"
    except ValueError:  # bytes that are no text, numbers of thousands of digits
        got, what = "other bytes", "write it again, or remove it from the folder"
    raise DataError(f"{name}: expected a JSON file, but got {got}; {what}")


def mapping(value: object) -> Mapping[str, Any]:
    """The value where it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> Iterator[Mapping[str, Any]]:
    """The objects of a JSON list."""
    return (item for item in (value if isinstance(value, list) else []) if isinstance(item, dict))


def number(value: object) -> float:
    """A finite number, or NaN."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return math.nan
    try:
        return float(value) if math.isfinite(value) else math.nan
    except OverflowError:
        return math.nan


def text(value: object) -> str:
    """A text, or "" for anything else."""
    return value if isinstance(value, str) else ""


def whole(value: object) -> str:
    """A whole number of at least 0 as text, or ""."""
    count = number(value)
    return str(int(count)) if count >= 0 and count.is_integer() else ""


def relative(path: Path, root: Path) -> str:
    """What the column ``source`` calls a file: its path in the folder, any name as UTF-8."""
    place = path.relative_to(root) if path != root else Path(path.name)
    return os.fsencode(place.as_posix()).decode(errors="backslashreplace")
