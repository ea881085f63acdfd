"""DataError and the words that messages are made of.

A message is one line: where (table, row, column), what was expected, "but got …", the remedy.
"""

import difflib
import re
from collections.abc import Iterable

import numpy as np


class DataError(ValueError):
    """What the user gave is not what was asked for. The text is one line and says what to do."""


class NothingThereError(DataError):
    """There is nothing of what was asked for; in another part of the table there may be."""


def shown(value: object, most: int = 60) -> str:
    """A value as a message quotes it: numbers bare, text in quotes, on one line, not too long."""
    if isinstance(value, (float, np.floating)):
        return f"{value:.10g}"
    if isinstance(value, str) and re.fullmatch(r"[-+]?[\d.]+([eE][-+]?\d+)?", value):
        return value
    text = repr(value)
    return text if len(text) <= most else f"{text[: most - 4]}…{text[-1]}"


def shown_path(path: object) -> str:
    """A path as a message quotes it: whole, since its end says most, unless it is absurd."""
    return shown(str(path), most=300)


def listed(names: Iterable[object], most: int = 8) -> str:
    """Names as a message lists them: "'a', 'b' and 3 more"."""
    texts = [shown(str(name)) if str(name) else "''" for name in names]
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return (", ".join(texts[:most]) + more) or "none"


def counted(count: int, thing: str) -> str:
    """A count with its noun: "1 row", "3 rows", "12,000 rows"."""
    return f"{count:,} {thing}" + ("" if count == 1 else "s")


def also(more: int, thing: str) -> str:
    """The tail " (and 3 more rows)", or nothing."""
    return f" (and {more:,} more {thing}{'' if more == 1 else 's'})" if more else ""


def nearest(name: str, names: Iterable[object], cutoff: float = 0.6) -> str | None:
    """The existing name that looks most like the one given, or None."""
    by_folded = {str(existing).strip().casefold(): str(existing) for existing in names}
    close = difflib.get_close_matches(name.strip().casefold(), by_folded, n=1, cutoff=cutoff)
    return by_folded[close[0]] if close else None
