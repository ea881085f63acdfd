"""JSON lines: one object a line."""

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from upturn.checks.errors import DataError, shown
from upturn.tables.cells import objects
from upturn.tables.rules import columns, row_limit

if TYPE_CHECKING:
    import pandas as pd

# NaN and Infinity become text, which the number rule refuses: null is the missing value.
_DECODER = json.JSONDecoder(parse_constant=str)


def read_jsonl(lines: Iterable[str], name: str) -> "pd.DataFrame":
    """A table from lines that hold one JSON object each; blank lines count but are not read.

    Parameters
    ----------
    lines
        Text.
    name
        What messages call the table.

    Returns
    -------
    DataFrame
        Of objects, None where a line lacks a key; the index ``row`` holds line numbers.

    Raises
    ------
    DataError
        For no lines, and for a line that is no object.
    """
    import pandas as pd

    numbers: list[int] = []
    records: list[dict[str, Any]] = []
    for number, record in _records(lines, name):
        row_limit(name, len(records) + 1)
        numbers.append(number)
        records.append(record)
    if not records:
        raise DataError(
            f"{name}: expected a JSON object on every line, but got an empty file; "
            'the least a line needs is {"task": …, "model": …, "score": …}'
        )
    keys = columns(name, list(dict.fromkeys(key for record in records for key in record)))
    return pd.DataFrame(
        {key: pd.Series(objects([r.get(key) for r in records]), dtype=object) for key in keys},
    ).set_axis(pd.Index(numbers, name="row"))


def is_json_lines(lines: Iterable[bytes]) -> bool:
    """Whether a file that is no JSON document has a JSON object on each of its first two lines."""
    start = [line for line in islice(lines, 10) if line.strip()][:2]
    try:
        documents = [_DECODER.decode(line.decode()) for line in start]
    except (ValueError, RecursionError):
        return False
    return len(documents) == 2 and all(isinstance(document, dict) for document in documents)


def _records(lines: Iterable[str], name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            record = _DECODER.decode(line)
        except (ValueError, RecursionError) as error:
            reason = getattr(error, "msg", type(error).__name__)
            raise DataError(
                f"{name}, row {number}: expected a JSON object, but got {shown(line.strip())} "
                f"({reason}); write one object a line"
            ) from error
        if not isinstance(record, dict):
            raise DataError(
                f"{name}, row {number}: expected a JSON object, but got {shown(record)}; "
                "write one object a line"
            )
        yield number, record
