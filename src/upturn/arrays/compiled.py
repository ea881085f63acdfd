"""Compilation of hot loops by numba, cached on disk."""

from collections.abc import Callable
from contextlib import suppress
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numba
from numba import types
from numba.core import caching
from numba.extending import intrinsic

from upturn.arrays import compilation

MEAN_MARGIN = 1e-9
njit: Any = numba.njit  # Any: its type hints lack some of its options
OPTIONS: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"contract"},
    "no_cfunc_wrapper": True,
}
PACKAGE = Path(__file__).parents[1]
# Kernels take constants and functions from these folders: a change of any file there invalidates
# the cached machine code.
KERNEL_ROOMS = ("arrays", "formulas/kernels", "sampling/particles", "sampling/proposals")


def compiled(function: Any) -> Any:
    """A kernel that Python calls: compiled on first use, and cached on disk where possible.

    Compilation takes longer than most runs, so kernels are written to compile fast: no assignment
    of slices to slices, for which numba compiles the text of an error about shapes, and functions
    of scalars are `inlined`.
    """
    kernel = njit(**OPTIONS)(function)
    # RuntimeError: neither the package nor the user's cache folder can be written
    with suppress(RuntimeError):
        kernel._cache = KernelCache(function)  # type: ignore[no-untyped-call]
    return kernel


def inner(function: Any, **options: Any) -> Any:
    """A function that only kernels call: cached as a part of each of them."""
    return njit(no_cpython_wrapper=True, **OPTIONS, **options)(function)


def inlined(function: Callable[..., Any]) -> Any:
    """A function of scalars, inlined by LLVM.

    It is compiled once and copied into each loop that calls it. numba's own inlining infers all
    types again at each call, which took half of the compilation time of the hinge.
    """
    return inner(function, forceinline=True)


class _Implementation(caching.CompileResultCacheImpl):
    """Numba's storage of compiled functions, with a stamp of all sources of kernels."""

    def __init__(self, function: Any) -> None:
        super().__init__(function)  # type: ignore[no-untyped-call]
        stamp_of_file = self._locator.get_source_stamp
        self._locator.get_source_stamp = lambda: (stamp_of_file(), kernel_sources())


class KernelCache(caching.FunctionCache):
    """Numba's cache of one function.

    Numba alone checks only the file of the function, and would keep the old value of a constant or
    a formula that has changed in another file.
    """

    _impl_class = _Implementation

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        kernel = super().load_overload(sig, target_context)  # type: ignore[no-untyped-call]
        if kernel is None:
            compilation.announce()
        return kernel


@cache
def kernel_sources() -> str:
    """A hash of the files in the rooms of kernels and of the compiler's version."""
    digest = sha256(version("llvmlite").encode())
    for room in KERNEL_ROOMS:
        for path in sorted((PACKAGE / room).glob("*.py")):
            digest.update(path.name.encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _widest(typing_context: Any) -> Any:
    """Called in the function of a hot loop, makes it use the widest vectors of the processor.

    On many processors LLVM uses half of that width, because older ones slowed down with wide
    vectors. It is a hint: it has no effect on a processor without them, or in an LLVM that does not
    know the attribute.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        # a plain set: llvmlite refuses attributes that it does not know
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.void(), generate


widest: Any = intrinsic(_widest)  # called without the context


@inlined
def inside(mean: float) -> float:
    """A proportion kept off 0 and 1, which would make scores impossible that rounding produces."""
    return min(max(mean, MEAN_MARGIN), 1.0 - MEAN_MARGIN)
