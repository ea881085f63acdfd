"""Backends: NumPy, the default, or JAX for the stages of the population sampler.

JAX is loaded only if it is asked for.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from importlib.util import find_spec

from upturn.checks.errors import DataError
from upturn.sampling.density.target import Target


def check_backend(name: str) -> None:
    """Refuse a backend whose package is not installed.

    Raises
    ------
    DataError
        With the command that installs it.
    """
    if name == "jax" and find_spec("jax") is None:
        raise DataError(
            "backend: expected the package jax to be installed, but got none; install it with: "
            "pip install 'upturn[jax]', or 'upturn[cuda]' for a GPU of NVIDIA"
        )


@dataclass(frozen=True)
class Backend:
    """The parts of a backend.

    Attributes
    ----------
    target : type of Target
        The class that evaluates the likelihood.
    session : callable
        A context in which a thread's work runs.
    curves : int, optional
        The curves in a block; None: by the processor's cache and the number of its cores.
    threads : int, optional
        The largest useful number.
    """

    target: type[Target]
    session: Callable[[], AbstractContextManager[None]]
    curves: int | None = None
    threads: int | None = None


def backend(name: str) -> Backend:
    """The backend of a name, "numpy" or "jax"."""
    if name == "numpy":
        return Backend(Target, nullcontext)
    check_backend(name)
    from upturn.sampling.jax import engine

    return Backend(
        engine.Accelerated,
        engine.doubles,
        engine.curves_a_block(),
        None if engine.free_memory() is None else engine.WORKERS,
    )
