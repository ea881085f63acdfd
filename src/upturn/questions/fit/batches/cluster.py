"""Distributed: the batches of a store, each fitted by whichever worker of a Dask cluster is free.

Workers read the curves of a batch from the store and write to it, by the path that this process
knows it by: they need the same disk, and the same versions of the numerical libraries. What passes
through the scheduler is numbers of batches. A worker that dies loses the batches it was at, which
others begin anew, with the same bits for the same curves.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from upturn.checks.errors import DataError, shown, shown_path
from upturn.questions.fit.batches.store import Store
from upturn.sampling.batch import Progress

PATIENCE = 60.0  # seconds for a scheduler to answer, and for a first worker to appear
WAITING = 4  # batches in the hands of the scheduler for each thread of a worker


def complete(
    store: Store,
    *,
    dask: str | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> None:
    """Fit the batches that are missing on a cluster, and finish.

    Parameters
    ----------
    store : Store
    dask : str, optional
        The address of a scheduler, such as "tcp://10.0.0.1:8786".
    workers : int, optional
        Processes of this machine, where there is no scheduler.
    progress : callable, optional
        Called with (curves done, curves in all), each curve counting twice as elsewhere.

    Raises
    ------
    DataError
        Where Dask is not installed, no scheduler or worker answers, the scheduler is lost, or a
        batch ends one worker after the other.
    """
    with _client(dask, workers) as client, store.interruptible(), _surviving(store):
        left = len(store.missing())
        for _ in _done(client, store):
            left -= 1
            if progress is not None:
                total = int(store.run["curves"])
                progress(2 * max(total - left * int(store.run["batch"]), 0), 2 * total)
        store.finish()


@contextmanager
def _client(dask: str | None, workers: int | None) -> Iterator[Any]:
    """A client of the cluster, which it closes if it made it."""
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        raise DataError(
            f"{'dask' if dask else 'workers'}: expected Dask to be installed, but it is not; "
            "pip install 'upturn[distributed]'"
        ) from None
    with ExitStack() as stack:
        if dask is None:
            made = LocalCluster(
                n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=":0",
                silence_logs="CRITICAL",
            )  # fmt: skip
            yield stack.enter_context(Client(stack.enter_context(made), set_as_default=False))
            return
        try:
            client = Client(dask, timeout=PATIENCE, set_as_default=False)
            stack.enter_context(client).wait_for_workers(1, timeout=PATIENCE)
        except (OSError, ValueError, TypeError) as error:  # a TimeoutError is an OSError
            why = (str(error).splitlines() or [type(error).__name__])[0]
            raise DataError(
                f"dask: expected a scheduler with a worker at {shown(dask)}, but got: {why}; "
                "start them with `dask scheduler` and `dask worker ADDRESS`"
            ) from error
        yield client


@contextmanager
def _surviving(store: Store) -> Iterator[None]:
    """Say how to go on where the cluster is lost."""
    from concurrent.futures import CancelledError

    from distributed import KilledWorker
    from distributed.comm import CommClosedError

    try:
        yield
    except (KilledWorker, CommClosedError, CancelledError, TimeoutError) as error:
        why = (str(error).splitlines() or ["the scheduler is gone"])[0]
        raise DataError(
            f"{shown_path(store.path)}: expected workers that live as long as a batch takes, but "
            f"got: {why} ({store.progress}); see their logs, and continue with --resume"
        ) from error


def _done(client: Any, store: Store) -> Iterator[int]:
    """The batches that were missing, as they are done; a few at a time with the scheduler."""
    from distributed import as_completed

    path = os.fspath(store.path.absolute())
    missing = iter(store.missing())
    name = f"upturn-{os.getpid()}-{id(store):x}"

    def submitted(batch: int) -> Any:
        return client.submit(work, path, batch, key=f"{name}-{batch}", pure=False)

    threads = sum(client.nthreads().values())
    first = [submitted(batch) for batch, _ in zip(missing, range(WAITING * threads), strict=False)]
    queue: Any = as_completed(first, loop=client.loop)
    for future in queue:
        yield future.result()
        future.release()
        if (batch := next(missing, None)) is not None:
            queue.add(submitted(batch))


def work(path: str, batch: int) -> int:
    """Fit a batch, on a worker; its number."""
    mark = os.stat(Path(path) / "unfinished" / "zarr.json")
    store = _opened(path, (mark.st_ino, mark.st_mtime_ns))
    if batch in store.missing():
        store.fit(batch, threads=1)
    return batch


@lru_cache(maxsize=1)
def _opened(path: str, mark: tuple[int, int]) -> Store:
    """The store of a run, opened once by each worker; another of the same path has another mark."""
    store = Store.open(Path(path))
    for name, wanted in store.versions.items():
        if (got := version(name)) != wanted:
            raise DataError(
                f"{shown_path(path)}: expected workers with {name} {wanted}, but got {got}; "
                "install the same versions everywhere, or the last bits differ"
            )
    return store
