"""Cleaning: a table of cells to validated rows, each measurement once, with its counts."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from upturn.tables.readers.counts import counted_successes, share_trials
from upturn.tables.readers.schema import Clean, validated
from upturn.tables.repeats import settled

if TYPE_CHECKING:
    import pandas as pd


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
    return counted_successes(settled(share_trials(rows), repeats))
