"""What separates the cells of a table of text, whatever the ending of its name says."""

import csv
from collections.abc import Iterator, Sequence
from itertools import chain, islice

SEPARATORS = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars"}


def separator(start: Sequence[str], given: str) -> str:
    r"""The separator of a table that begins with these lines.

    Parameters
    ----------
    start
        The header, and the line that follows.
    given
        What the ending of the file's name says; it stays where both lines have it.

    Examples
    --------
    >>> separator(["task;score", "a;0,5"], ","), separator(["task,score", "a,0.5"], "\t")
    (';', ',')
    """
    if not start:
        return given
    counts = {mark: [_cells(line, mark) for line in start] for mark in SEPARATORS}
    equal = {
        mark: cells[0] for mark, cells in counts.items() if len({*cells}) == 1 and cells[0] > 1
    }
    if counts[given][0] > 1 and (counts[given][-1] > 1 or not equal):
        return given
    candidates = equal or {mark: cells[0] for mark, cells in counts.items() if cells[0] > 1}
    return max(candidates, key=lambda mark: candidates[mark]) if candidates else given


def _cells(line: str, mark: str) -> int:
    try:
        return len(next(csv.reader([line], delimiter=mark), []))
    except csv.Error:
        return 0


def without_comments(lines: Iterator[str]) -> tuple[list[str], Iterator[str]]:
    """The header with the line that follows, and all lines; comments above it are left blank.

    Blank lines stay, so that rows have the numbers that an editor shows.
    """
    before: list[str] = []
    for line in lines:
        if line.strip() and not _is_comment(line):
            following = list(islice(lines, 1))
            return [line, *following], chain(before, [line, *following], lines)
        before.append("\n")
    return [], iter(before)


def _is_comment(line: str) -> bool:
    """Whether a line begins with # and is no header, whose first column may be called so."""
    return (
        line.startswith("#")
        and not any(mark in line.rstrip("\r\n") for mark in "\t;|")
        and ("," not in line or line.startswith("# "))
    )
