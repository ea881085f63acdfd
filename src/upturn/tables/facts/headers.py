"""What tables of others call the facts about models."""

import re
from collections.abc import Iterable, Mapping

_NAMES = {
    "model": ("model name", "name", "system", "model version"),
    "family": ("model family",),
    "params": ("parameters", "n params", "num params", "parameter count", "number of parameters"),
    "tokens": ("training tokens", "training dataset size (gradients)", "number of tokens"),
    "flops": (
        "flop", "training flop", "training flops", "training compute", "training compute (flop)",
        "training compute (flops)", "compute (flop)",
    ),
    "date": ("publication date", "release date", "published", "released"),
}  # fmt: skip
_FACTS = {alias: fact for fact, aliases in _NAMES.items() for alias in (fact, *aliases)}


def facts_of_headers(columns: Iterable[str]) -> Mapping[str, str]:
    """The facts that columns hold under other names, as those of a download of Epoch AI.

    Parameters
    ----------
    columns
        As a table calls them.

    Returns
    -------
    dict
        From a table's name to the schema's; without the columns that have that name already, and
        without a fact that the table has, or seems to have twice.

    Examples
    --------
    >>> facts_of_headers(["Model", "Parameters", "Training compute (FLOP)", "Domain"])
    {'Model': 'model', 'Parameters': 'params', 'Training compute (FLOP)': 'flops'}
    """
    columns = list(columns)
    meant = {column: _FACTS.get(_plain(column), "") for column in columns}
    facts = list(meant.values())
    return {
        column: fact
        for column, fact in meant.items()
        if fact and fact not in columns and facts.count(fact) == 1
    }


def _plain(column: str) -> str:
    return re.sub(r"[\s_-]+", " ", column).strip().casefold()
