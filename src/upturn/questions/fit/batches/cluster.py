"""Batches of a store, fitted by the workers of a Dask cluster.

Anybody who can reach a scheduler can run programs on it and on its workers. The cluster is the
user's: none is started here. For an address that begins with ``tls://``, Dask's configuration
names the certificates (``distributed.comm.tls``).

Workers read the curves of a batch from the store and write to it, under the path that this process
uses: they need the same disk, and the same versions of the numerical libraries. Only the numbers of
batches go through the scheduler. If a worker dies, other workers repeat its batches, with the same
result to the bit.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from upturn.checks.errors import DataError, shown, shown_path
from upturn.questions.fit.batches.store import Store
from upturn.questions.fit.batches.work import work
from upturn.sampling.batch import Progress

PATIENCE = 60.0  # seconds for a scheduler to answer, and for a first worker to appear
WAITING = 4  # batches that the scheduler holds for each thread of a worker


def complete(store: Store, dask: str, progress: Progress | None = None) -> None:
    """Fit the batches that are missing on a cluster, and finish.

    Parameters
    ----------
    store : Store
    dask : str
        The address of a scheduler, such as "tcp://10.0.0.1:8786" or "tls://10.0.0.1:8786".
    progress : callable, optional
        Called with (curves done, curves in all), each curve counting twice.

    Raises
    ------
    DataError
        If Dask is not installed, no scheduler or worker answers, the scheduler is lost, or a batch
        kills several workers.
    """
    with _client(dask) as client, store.interruptible(), surviving(store):
        for _ in _done(client, store):
            store.tell(progress)
        store.finish()


@contextmanager
def _client(dask: str) -> Iterator[Any]:
    """A client of the cluster."""
    try:
        from distributed import Client, Security
    except ImportError:
        raise DataError(
            "dask: expected Dask to be installed, but it is not; pip install 'upturn[distributed]'"
        ) from None
    try:
        client = Client(dask, timeout=PATIENCE, set_as_default=False, security=Security())
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
        except BaseException:
            client.close()
            raise
    except (OSError, ValueError, TypeError, RuntimeError) as error:  # TimeoutError: an OSError
        why = (str(error).splitlines() or [type(error).__name__])[0]
        raise DataError(
            f"dask: expected a scheduler with a worker at {shown(dask)}, but got: {why}; "
            "start them with `dask scheduler` and `dask worker ADDRESS`"
        ) from error
    with client:
        yield client


@contextmanager
def surviving(store: Store) -> Iterator[None]:
    """Say how to continue if the cluster is lost."""
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
    """The missing batches as they are done; the scheduler gets a few at a time."""
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
