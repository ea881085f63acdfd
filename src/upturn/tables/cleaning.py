"""Cleaning: a table of cells to validated rows, each measurement once, with its counts."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from upturn.checks.errors import counted, shown
from upturn.tables.readers.counts import counted_successes, share_trials
from upturn.tables.readers.schema import Clean, validated
from upturn.tables.repeats import settled

if TYPE_CHECKING:
    import pandas as pd

_SAME_SIZE = 1.05  # sizes that differ by less are one size, rounded


def clean(
    cells: "pd.DataFrame",
    name: str,
    *,
    lower: Sequence[str] = (),
    continuous: Sequence[str] = (),
    repeats: str = "refuse",
) -> Clean:
    """The validated results of a table of cells.

    Parameters
    ----------
    cells, name, lower, continuous
        As for `upturn.tables.readers.schema.validated`.
    repeats
        What to do about repeated measurements: see `upturn.tables.repeats`.

    Raises
    ------
    DataError
        For the first rule that a cell breaks.
    """
    rows = validated(cells, name, lower=lower, continuous=continuous)
    done = counted_successes(settled(share_trials(rows), repeats))
    return replace(done, remarks=(*done.remarks, *_sizes(done.frame)))


def _sizes(frame: "pd.DataFrame") -> Sequence[str]:
    """A note about models that have several sizes, which a model has not."""
    if "params" not in frame:
        return []
    of_model = frame.groupby("model", sort=False)["params"].agg(["min", "max"])
    several = of_model[of_model["max"] > _SAME_SIZE * of_model["min"]]
    if several.empty:
        return []
    first = several.iloc[0]
    return [
        f"{counted(len(several), 'model')} with several sizes, such as "
        f"{shown(str(several.index[0]))}: {first['min']:.3g} and {first['max']:.3g} parameters"
    ]
