"""Who is told when kernels are compiled; without numba, which takes long to import."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

_listeners: list[Callable[[], None]] = []


@contextmanager
def on_compilation(tell: Callable[[], None]) -> Iterator[None]:
    """Call a function when the first kernel is compiled that was not on disk, and once only."""
    _listeners.append(tell)
    try:
        yield
    finally:
        if tell in _listeners:
            _listeners.remove(tell)


def announce() -> None:
    """A kernel is about to be compiled: tell those who wait for it."""
    while _listeners:
        _listeners.pop()()
