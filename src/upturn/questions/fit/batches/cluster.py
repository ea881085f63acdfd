"""The batches of a store, each fitted by whichever worker of a Dask cluster is free.

Whoever reaches a scheduler runs programs on it and on its workers as their user. It is the user's
own: none is started here. Dask's configuration says by which certificates it is reached
(``distributed.comm.tls``), where the address begins with ``tls://``.

Workers read the curves of a batch from the store and write to it, by the path that this process
knows it by: they need the same disk, and the same versions of the numerical libraries. What passes
through the scheduler is numbers of batches. A worker that dies loses the batches it was at, which
others begin anew, with the same bits for the same curves.
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
WAITING = 4  # batches in the hands of the scheduler for each thread of a worker


def complete(store: Store, dask: str, progress: Progress | None = None) -> None:
    """Fit the batches that are missing on a cluster, and finish.

    Parameters
    ----------
    store : Store
    dask : str
        The address of a scheduler, such as "tcp://10.0.0.1:8786" or "tls://10.0.0.1:8786".
    progress : callable, optional
        Called with (curves done, curves in all), each curve counting twice as elsewhere.

    Raises
    ------
    DataError
        Where Dask is not installed, no scheduler or worker answers, the scheduler is lost, or a
        batch ends one worker after the other.
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
