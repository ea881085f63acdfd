"""Standard errors that stand in rows of their own, joined to their scores."""

import re
from typing import TYPE_CHECKING

import numpy as np

from upturn.checks.errors import counted
from upturn.tables.cells import label, objects
from upturn.tables.readers.schema import LABELS, cells_of

if TYPE_CHECKING:
    import pandas as pd

_STDERR = re.compile(
    r"(?P<base>.*?)[_\s-]*(?:std_?err(?:or)?|standard error|_se)(?P<rest>(?:,.*)?)", re.I
)


def base_metric(name: str) -> str | None:
    """The metric whose standard error a name means, or None.

    Examples
    --------
    >>> base_metric("acc_stderr,none"), base_metric("acc stderr"), base_metric("acc")
    ('acc', 'acc', None)
    """
    match = _STDERR.fullmatch(name)
    return None if match is None else without_filter(match["base"] + match["rest"])


def without_filter(name: str) -> str:
    """A metric of the LM Evaluation Harness without the filter that does nothing.

    Examples
    --------
    >>> without_filter("acc,none"), without_filter("exact_match,strict-match")
    ('acc', 'exact_match,strict-match')
    """
    return name.removesuffix(",none")


def joined(cells: "pd.DataFrame", name: str) -> tuple["pd.DataFrame", list[str]]:
    """Rows such as ``acc_stderr,none`` as the standard error of the rows of ``acc,none``.

    A row without a score to go with is left out: a standard error is no ability.
    """
    if "metric" not in cells or "score" not in cells:
        return cells, []
    metric = label(cells_of(cells, name, "metric"))
    bases = [base_metric(text) for text in metric]
    is_error = np.array([base is not None for base in bases], dtype=np.bool_)
    plain = objects([without_filter(text) for text in metric])
    if not is_error.any():
        changed = any(a != b for a, b in zip(plain, metric, strict=True))
        return (cells.assign(metric=plain) if changed else cells), []
    columns = [c for c in (*LABELS, "seed", "repeat") if c in cells and c != "metric"]
    keys = list(zip(*([str(v) for v in cells[c]] for c in columns), strict=True))
    errors_of = {
        (keys[row], bases[row]): cells["score"].iloc[row] for row in np.flatnonzero(is_error)
    }
    errors = [errors_of.get((key, base)) for key, base in zip(keys, plain, strict=True)]
    given = cells["stderr"].to_numpy(dtype=object) if "stderr" in cells else [None] * len(errors)
    filled = [old if new is None else new for old, new in zip(given, errors, strict=True)]
    kept = cells.assign(metric=plain, stderr=objects(filled))[~is_error]
    return kept, [
        f"{counted(int(is_error.sum()), 'row')} of standard errors joined to their scores"
    ]
