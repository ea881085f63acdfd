"""Kinds of evaluation harness: what tells their files, and who reads them.

A package of one's own adds a kind by an entry point of the group ``upturn.readers``: its name is
what `upturn convert` calls the kind, its object a `Kind`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from upturn.checks.errors import DataError, shown
from upturn.tables.readers import (
    bigbench,
    code_results,
    details_card,
    every_eval_ever,
    helm,
    inspect,
    inspect_answers,
    lighteval,
    lm_eval,
    mteb,
    olmes,
    opencompass,
)
from upturn.tables.readers.documents import read_json

ENTRY_POINTS = "upturn.readers"


@dataclass(frozen=True)
class Kind:
    """What one harness writes.

    Parameters
    ----------
    title
        What people call it.
    by_name
        Whether a file holds its results: None where only a look inside can tell.
    holds
        Whether a document does.
    rows
        The rows of a document.
    load
        The document of a file.
    is_finished
        Whether a document is that of an evaluation that came to its end.
    only_named
        Whether it is read only where a person names it, since another kind reads the same files.
    """

    title: str
    by_name: Callable[[Path], bool | None]
    holds: Callable[[object], bool]
    rows: Callable[[Any, Path], Iterator[dict[str, Any]]]
    load: Callable[[Path], Any] = read_json
    is_finished: Callable[[Any], bool] = lambda document: True
    only_named: bool = False


def _plain(module: Any) -> Kind:
    return Kind(module.TITLE, module.by_name, module.holds, module.rows)


# A file is of the first kind that it holds: the more particular layouts come first.
BUILT_IN: Mapping[str, Kind] = {
    "lighteval": _plain(lighteval),
    "every-eval-ever": _plain(every_eval_ever),
    "olmes": _plain(olmes),
    "mteb": _plain(mteb),
    "lm-eval": _plain(lm_eval),
    "bigbench": _plain(bigbench),
    "helm": _plain(helm),
    "inspect": Kind(
        inspect.TITLE, inspect.by_name, inspect.holds, inspect.rows, inspect.load,
        inspect.is_finished,
    ),
    "details-card": _plain(details_card),
    "code": _plain(code_results),
    "opencompass": Kind(
        opencompass.TITLE, opencompass.by_name, opencompass.holds, opencompass.rows,
        opencompass.load,
    ),
    "inspect-answers": Kind(
        inspect_answers.TITLE, inspect_answers.by_name, inspect_answers.holds,
        inspect_answers.rows, inspect_answers.load, only_named=True,
    ),
}  # fmt: skip
ALIASES = {
    "lm_eval": "lm-eval", "lm-evaluation-harness": "lm-eval", "big-bench": "bigbench",
    "inspect_ai": "inspect", "inspect-ai": "inspect", "evalplus": "code", "bigcode": "code",
    "eee": "every-eval-ever", "every_eval_ever": "every-eval-ever",
}  # fmt: skip


@cache
def kinds() -> Mapping[str, Kind]:
    """The kinds that can be read: those of other packages first, since they know better.

    Raises
    ------
    DataError
        For an entry point that cannot be loaded or is no `Kind`.
    """
    return {entry.name: _loaded(entry) for entry in entry_points(group=ENTRY_POINTS)} | dict(
        BUILT_IN
    )


def recognised() -> list[str]:
    """The names of the kinds that are told by what is in a file."""
    return [name for name, kind in kinds().items() if not kind.only_named]


def is_certain(path: Path) -> bool:
    """Whether a file holds results of some kind by its name, or by the line it begins with."""
    return any(kinds()[name].by_name(path) is True for name in recognised())


def _loaded(entry: Any) -> Kind:
    try:
        kind = entry.load()
    except Exception as error:
        raise DataError(
            f"reader {shown(entry.name)}: expected {entry.value} to load, but got "
            f"{type(error).__name__}: {error}; reinstall or remove its package"
        ) from error
    if not isinstance(kind, Kind):
        raise DataError(
            f"reader {shown(entry.name)}: expected a Kind at {entry.value}, but got "
            f"{type(kind).__name__}; see the page Extending"
        )
    return kind


def canonical(name: str) -> str:
    """The name of a kind that an alias stands for.

    Examples
    --------
    >>> canonical("lm_eval"), canonical("helm")
    ('lm-eval', 'helm')
    """
    return ALIASES.get(name.casefold(), name)
