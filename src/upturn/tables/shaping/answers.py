"""Single answers in a table that Inspect makes: ``samples_df``, with a column a scorer."""

from typing import TYPE_CHECKING

import numpy as np

from upturn.checks.errors import listed
from upturn.tables.cells import is_unknown, objects

if TYPE_CHECKING:
    import pandas as pd

_PREFIX = "score_"
_MARKS = {"sample_id", "eval_id"}  # columns of every such table
_GRADES = {"C": 1.0, "I": 0.0, "P": 0.5, "N": 0.0}  # correct, incorrect, partial, no answer


def graded(cells: "pd.DataFrame") -> tuple["pd.DataFrame", list[str]]:
    """Such a table as one row an answer and scorer; other tables as they are.

    The question is the column ``id``: ``sample_id`` is another for each of its repeats.
    """
    import pandas as pd

    names = [str(column) for column in cells.columns]
    scorers = [name for name in names if name.startswith(_PREFIX) and _is_graded(cells[name])]
    if not set(names) >= _MARKS or "score" in names or not scorers or "id" not in names:
        return cells, []
    kept = cells.drop(columns=[n for n in names if n.startswith(_PREFIX) or n == "sample_id"])
    kept = kept.rename(columns={"id": "question"})
    parts = [
        kept.assign(
            metric=objects([scorer.removeprefix(_PREFIX)] * len(kept)),
            score=objects([_GRADES.get(str(value), value) for value in cells[scorer]]),
        )
        for scorer in scorers
    ]
    graded = pd.concat(parts)
    order = np.argsort(graded.index.to_numpy(), kind="stable")
    return graded.iloc[order], [f"single answers, graded in {listed(scorers, most=4)}"]


def _is_graded(values: "pd.Series") -> bool:
    """Whether most answers have a grade, or a number."""
    known = [value for value in values if not is_unknown(value)]
    return bool(known) and 2 * sum(map(_is_grade, known)) >= len(known)


def _is_grade(value: object) -> bool:
    if str(value) in _GRADES:
        return True
    try:
        return isinstance(value, (str, int, float)) and bool(np.isfinite(float(value)))
    except ValueError:
        return False
