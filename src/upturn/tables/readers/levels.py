"""Headers of several rows: columns in levels, as pivot tables and merged cells have them.

Pandas writes a table whose columns are tasks and metrics as ::

    ,arc,arc,piqa
    ,acc,acc_stderr,acc
    model,,,
    m-1b,0.5,0.01,0.7

and spreadsheets with merged cells leave all but the first cell of a level empty. One name a column
is made of it: ``arc/acc``. Where the names of the lowest level are all different and none is a
metric, the levels above only sort them, and are left out.
"""

from collections.abc import Sequence

from upturn.checks.errors import listed
from upturn.tables.cells import is_missing, plain_number
from upturn.tables.readers.metric_words import is_metric

MOST = 5  # rows that a header may have
JOINED = "/"
_PLAIN = {"task", "model", "score", "metric"}  # columns of tables with a row a measurement

type Texts = Sequence[str]


def flattened(rows: Sequence[Texts]) -> tuple[list[str], int]:
    """The names of the columns, and how many rows they take: 1 for a plain header.

    Parameters
    ----------
    rows
        The first of the table, as text, the header before the others.
    """
    plain = list(rows[0]) if rows else []
    depth = _depth(rows)
    if depth < 2:
        return plain, min(len(rows), 1)
    levels = [_filled(level, rows[depth - 1]) for level in rows[: depth - 1]] + [rows[depth - 1]]
    below = rows[depth]
    index = below if len(below) == len(plain) and _names_index(below) else None
    names = joined(list(zip(*levels, strict=True)))
    if index is not None:
        names = [given.strip() or name for given, name in zip(index, names, strict=True)]
    return names, depth + (index is not None)


def remark(names: Sequence[str], depth: int) -> str:
    """A note about a header of several rows."""
    return f"header of {depth} rows: columns {listed([n for n in names if n], most=4)}"


def joined(columns: Sequence[Texts]) -> list[str]:
    """One name a column of its names in every level.

    Examples
    --------
    >>> joined([("model", ""), ("acc", "arc"), ("acc", "piqa")])
    ['model', 'arc/acc', 'piqa/acc']
    >>> joined([("Model", ""), ("Knowledge", "MMLU"), ("Reasoning", "ARC")])
    ['Model', 'MMLU', 'ARC']
    """
    parts = [
        list(dict.fromkeys(text.strip() for text in names if text.strip())) for names in columns
    ]
    deep = [of for of in parts if len(of) > 1]
    last = [of[-1] for of in deep]
    if deep and len({*last}) == len(last) and not any(is_metric(n) for of in deep for n in of):
        return [of[-1] if of else "" for of in parts]
    return [JOINED.join(sorted(of, key=is_metric)) for of in parts]


def _depth(rows: Sequence[Texts]) -> int:
    """How many rows name columns: several only where the first repeats names or has gaps."""
    if len(rows) < 3 or len(rows[0]) < 2:
        return 1
    first = [text.strip() for text in rows[0]]
    named = [text for text in first[1:] if text]
    pairs = zip(first[1:], rows[1][1:], strict=False)
    is_below = not rows[1][0].strip() and not _PLAIN & {text.casefold() for text in named}
    has_gaps = is_below and any(not top and below.strip() for top, below in pairs)
    if not named or not (has_gaps or len({*named}) < len(named)):
        return 1
    depth = 1
    while depth < min(len(rows) - 1, MOST) and _is_level(rows[depth], len(first)):
        depth += 1
    return depth if any(_has_number(row) for row in rows[depth:]) else 1


def _is_level(row: Texts, width: int) -> bool:
    texts = [text for text in row[1:] if text.strip()]
    return len(row) == width and bool(texts) and not _has_number(row)


def _names_index(row: Texts) -> bool:
    """Whether a row names the first columns and is empty otherwise."""
    return bool(row[0].strip()) and not row[-1].strip() and not _has_number(row)


def _has_number(row: Texts) -> bool:
    return any(_is_number(text) for text in row[1:])


def _is_number(text: str) -> bool:
    if is_missing(text):
        return False
    try:
        plain_number(text.strip().rstrip("%"))
    except ValueError:
        return False
    return True


def _filled(level: Texts, lowest: Texts) -> list[str]:
    """A level with the names that merged cells leave out."""
    filled = list(level)
    for place in range(2, len(filled)):
        if not filled[place].strip() and lowest[place].strip():
            filled[place] = filled[place - 1]
    return filled
