"""Parquet files, through pyarrow (the extra ``upturn[parquet]``)."""

from pathlib import Path
from typing import TYPE_CHECKING

from upturn.checks.errors import DataError
from upturn.tables.rules import columns, row_limit

if TYPE_CHECKING:
    import pandas as pd


def read_parquet(path: Path, name: str) -> "pd.DataFrame":
    """A table from a Parquet file.

    Parameters
    ----------
    path
        The file.
    name
        What messages call the table.

    Returns
    -------
    DataFrame
        The index ``position`` counts rows from 0.

    Raises
    ------
    DataError
        Without pyarrow, for a file that is not Parquet, and for one without rows.
    """
    import pandas as pd

    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise DataError(
            f"{name}: expected pyarrow to read Parquet, but it is not installed; "
            "pip install 'upturn[parquet]', or save the table as CSV"
        ) from error
    try:
        with ParquetFile(path) as file:
            rows = row_limit(name, file.metadata.num_rows)
            columns(name, file.schema_arrow.names)
            frame: pd.DataFrame = file.read().to_pandas(ignore_metadata=True)
    except ArrowException as error:
        raise DataError(
            f"{name}: expected a Parquet file, but got something else; "
            "check the file, or its ending if it is CSV"
        ) from error
    if not rows:
        raise DataError(f"{name}: expected rows of results, but got none; add rows")
    return frame.set_axis(pd.RangeIndex(rows, name="position"))
