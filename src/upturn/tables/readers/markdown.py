"""Markdown: the tables in a text, without what is written around them."""

import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice, pairwise

_LOOK = 200  # lines among which the first row of a table is looked for
_RULE = re.compile(r"\s*\|?[-:|\s]*-[-:|\s]*")
_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")
_MARKS = re.compile(r"(\*\*|__|`)(.+?)\1")


def without_text(lines: Iterable[str]) -> Iterator[str]:
    """Lines of which those of a Markdown table alone are left; all of them where there is none.

    Others are blank, so that rows have the numbers that an editor shows. Of further tables with
    the same header the rows are left, and bold type, code and links are plain text.
    """
    lines = iter(lines)
    start = list(islice(lines, _LOOK))
    if not _has_table(start):
        yield from chain(start, lines)
        return
    header = ""
    for line in chain(start, lines):
        is_row = line.lstrip().startswith("|")
        if is_row and header and line.split() == header.split():
            yield "\n"
        else:
            header = header or (line if is_row else "")
            yield _plain(line) if is_row else "\n"


def _has_table(lines: list[str]) -> bool:
    """Whether a row with bars around it stands above a rule."""
    return any(a.lstrip().startswith("|") and _RULE.fullmatch(b) for a, b in pairwise(lines))


def _plain(line: str) -> str:
    return _MARKS.sub(r"\2", _LINK.sub(r"\1", line))
