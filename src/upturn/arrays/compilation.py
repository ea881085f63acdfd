"""Callbacks before the first compilation of a kernel; does not import numba, which takes long."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

_listeners: list[Callable[[], None]] = []


@contextmanager
def on_compilation(callback: Callable[[], None]) -> Iterator[None]:
    """Call a function once, before the first kernel is compiled that is not cached on disk."""
    _listeners.append(callback)
    try:
        yield
    finally:
        if callback in _listeners:
            _listeners.remove(callback)


def announce() -> None:
    """Call the callbacks: a kernel is about to be compiled."""
    while _listeners:
        _listeners.pop()()
