"""Parquet files, through pyarrow (the extra ``upturn[parquet]``)."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from upturn.checks.errors import DataError
from upturn.tables.cells import MAX_LABEL
from upturn.tables.rules import columns, row_limit, unpacked_limit

if TYPE_CHECKING:
    import pandas as pd

_BATCH = 8192  # rows


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
        Without pyarrow, for a file that is not Parquet, for one without rows, and for one that
        unpacks to far more than its size.
    """
    import pandas as pd

    try:
        from pyarrow import ArrowException, Table
        from pyarrow.parquet import ParquetFile, read_schema
    except ImportError as error:
        raise DataError(
            f"{name}: expected pyarrow to read Parquet, but it is not installed; "
            "pip install 'upturn[parquet]', or save the table as CSV"
        ) from error
    try:
        schema = read_schema(path)
        texts = [field.name for field in schema if _is_text(field.type)]
        with ParquetFile(path, read_dictionary=texts) as file:
            if not row_limit(name, file.metadata.num_rows):
                raise DataError(f"{name}: expected rows of results, but got none; add rows")
            columns(name, schema.names)
            batches = _batches(file, name, path.stat().st_size)
            frame: pd.DataFrame = Table.from_batches(batches).to_pandas(ignore_metadata=True)
            # rows of one label share one text
            frame = frame.astype(dict.fromkeys(frame.select_dtypes("category"), object))
    except ArrowException as error:
        raise DataError(
            f"{name}: expected a Parquet file, but got something else; "
            "check the file, or its ending if it is CSV"
        ) from error
    return frame.set_axis(pd.RangeIndex(len(frame), name="position"))


def _is_text(kind: Any) -> bool:
    from pyarrow import types

    return types.is_string(kind) or types.is_large_string(kind)


def _batches(file: Any, name: str, stored: int) -> Iterator[Any]:
    """The rows of a file, some thousand at a time, as long as they are not absurdly many bytes.

    Texts come as a list of labels and the place of each row in it. How long they would be, written
    out for each row, is known before anybody does so.
    """
    from pyarrow import RecordBatch

    groups = [file.metadata.row_group(i) for i in range(file.metadata.num_row_groups)]
    claimed = sum(g.column(i).total_uncompressed_size for g in groups for i in range(g.num_columns))
    unpacked_limit(name, claimed, stored)
    unpacked = 0
    for batch in file.iter_batches(_BATCH):
        arrays = [_shortened(array) for array in batch.columns]
        unpacked += sum(map(_bytes, arrays))
        unpacked_limit(name, unpacked, stored)
        yield RecordBatch.from_arrays(arrays, batch.schema.names)


def _is_labels(array: Any) -> bool:
    from pyarrow import types

    return types.is_dictionary(array.type) and _is_text(array.type.value_type)


def _shortened(array: Any) -> Any:
    """Labels cut to one character more than is allowed, so that their row is named all the same."""
    from pyarrow import DictionaryArray, compute

    if not _is_labels(array):
        return array
    labels = compute.utf8_slice_codeunits(array.dictionary, 0, MAX_LABEL + 1)
    return DictionaryArray.from_arrays(array.indices, labels)


def _bytes(array: Any) -> int:
    """What a column takes where each row has its own text."""
    from pyarrow import compute

    if not _is_labels(array):
        return int(array.nbytes)
    lengths = compute.take(compute.binary_length(array.dictionary), array.indices)
    return int(compute.sum(lengths).as_py() or 0) + 8 * len(array)
