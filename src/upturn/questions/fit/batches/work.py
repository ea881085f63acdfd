"""The work of one worker on one batch, in any process."""

import os
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

from upturn.checks.errors import DataError, shown_path
from upturn.questions.fit.batches.store import Store


def work(path: str, batch: int) -> int:
    """Fit a batch unless it is done, and return its number."""
    mark = os.stat(Path(path) / "unfinished" / "zarr.json")
    store = _opened(path, (mark.st_ino, mark.st_mtime_ns))
    if batch in store.missing():
        store.fit(batch, threads=1)
    return batch


@lru_cache(maxsize=1)
def _opened(path: str, mark: tuple[int, int]) -> Store:
    """The store of a run, opened once by each worker; a new store at the path has another mark."""
    store = Store.open(Path(path))
    for name, wanted in store.versions.items():
        if (got := version(name)) != wanted:
            raise DataError(
                f"{shown_path(path)}: expected workers with {name} {wanted}, but got {got}; "
                "install the same versions everywhere, or the last bits differ"
            )
    return store
