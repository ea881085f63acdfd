"""Selection: which curves an answer shows, and in which order."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from upturn.arrays.types import Floats
from upturn.checks.arguments import known
from upturn.checks.errors import DataError, shown
from upturn.posterior.outcomes import VERDICTS

SORTS = ("table", "verdict", "scale", "name")


def verdict_named(text: Any) -> str:
    """The verdict that a text names: hyphens stand for spaces, and a beginning is enough.

    Raises
    ------
    DataError
        Where no verdict, or more than one, begins like that.

    Examples
    --------
    >>> verdict_named("not-yet"), verdict_named("grows"), verdict_named("Emerges")
    ('not yet', 'grows from the first model', 'emerges')
    """
    if not isinstance(text, str):
        raise DataError(f"only: expected the name of a verdict, but got {shown(text)}")
    by_word = {_plain(verdict): verdict for verdict in VERDICTS}
    word = _plain(text)
    begins = [verdict for key, verdict in by_word.items() if word and key.startswith(word)]
    if word in by_word:
        return by_word[word]
    return begins[0] if len(begins) == 1 else known(text, VERDICTS, kind="verdict", where="only")


def _plain(text: str) -> str:
    return " ".join(text.lower().replace("-", " ").replace("_", " ").split())


def shows_all(only: str | Sequence[str] | None, sort: str) -> bool:
    """Whether all curves are wanted in the order of the table."""
    return not only and sort == "table"


def selected(
    verdicts: Sequence[str],
    x: Floats,
    names: Sequence[str],
    *,
    only: str | Sequence[str] | None = None,
    sort: str = "table",
) -> NDArray[np.intp]:
    """The places of the curves to show, in the order to show them in.

    Parameters
    ----------
    verdicts : sequence of str
        One a curve.
    x : array (curve,)
        Coordinates of the headline scales; infinite beyond the axis.
    names : sequence of str
    only : str or several, optional
        Verdicts; all by default.
    sort : str
        "table" keeps the order of the table; "verdict" takes the order of
        `upturn.posterior.outcomes.VERDICTS`, and within a verdict the smallest scale first;
        "scale"; "name".

    Raises
    ------
    DataError
        For a verdict or an order that there is not.

    Examples
    --------
    >>> words = ["not yet", "emerges", "emerges"]
    >>> selected(words, np.array([np.inf, 22.0, 21.0]), ["a", "b", "c"], sort="verdict").tolist()
    [2, 1, 0]
    """
    known(sort, SORTS, kind="order", where="sort")
    wanted = [only] if isinstance(only, str) else list(only or ())
    kept = {verdict_named(text) for text in wanted} or set(VERDICTS)
    rank = [VERDICTS.index(verdict) for verdict in verdicts]
    keys: dict[str, Any] = {
        "table": lambda i: i,
        "verdict": lambda i: (rank[i], x[i], i),
        "scale": lambda i: (x[i], i),
        "name": lambda i: (names[i], i),
    }
    places = [i for i, verdict in enumerate(verdicts) if verdict in kept]
    return np.array(sorted(places, key=keys[sort]), dtype=np.intp)
