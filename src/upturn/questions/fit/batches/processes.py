"""Batches of a store, fitted by processes of this machine, in a pool of the standard library.

They communicate with this process through private pipes. If one is killed, the pool ends; another
pool begins with the missing batches, so that finished batches are not lost.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager

from upturn.checks.errors import DataError, shown_path
from upturn.questions.fit.batches.store import Store
from upturn.questions.fit.batches.work import work
from upturn.sampling.batch import Progress

ATTEMPTS = 3  # pools that end in a row without a finished batch

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def complete(store: Store, workers: int, progress: Progress | None = None) -> None:
    """Fit the batches that are missing by some processes, and finish.

    Parameters
    ----------
    store : Store
    workers : int
        Processes, one thread each.
    progress : callable, optional
        Called with (curves done, curves in all), each curve counting twice.

    Raises
    ------
    DataError
        If several pools in a row end without a finished batch.
    """
    with store.interruptible():
        attempts = 0
        while missing := store.missing():
            try:
                for _ in fitted(store, missing, workers):
                    store.tell(progress)
            except BrokenProcessPool as error:
                attempts = 0 if len(store.missing()) < len(missing) else attempts + 1
                if attempts == ATTEMPTS:
                    raise _lost(store) from error
        store.finish()


def _lost(store: Store) -> DataError:
    return DataError(
        f"{shown_path(store.path)}: expected processes that live as long as a batch takes, but got "
        f"{ATTEMPTS} times one that was killed ({store.progress}); is there memory for them? "
        "take fewer --workers, and continue with --resume"
    )


def fitted(store: Store, batches: list[int], workers: int) -> Iterator[int]:
    """The numbers of batches, as they are done."""
    path = os.fspath(store.path.absolute())
    # "spawn" starts new programs: no threads and locks of this one are copied
    pool = ProcessPoolExecutor(
        min(workers, len(batches)), multiprocessing.get_context("spawn"), initializer=_prepare
    )
    try:
        with _environment(ONE_THREAD):
            futures = [pool.submit(work, path, batch) for batch in batches]
        for future in as_completed(futures):
            yield future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _prepare() -> None:
    """In a new process: leave Ctrl-C to the parent, and end when the parent ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
        os._exit(1)


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Set environment variables for new processes, unless the user has set them."""
    added = {name: value for name, value in values.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)
