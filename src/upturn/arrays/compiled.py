"""How hot loops are compiled by numba."""

from typing import Any

from numba import njit, types
from numba.extending import intrinsic

MEAN_MARGIN = 1e-9


def compiled(function: Any) -> Any:
    """Compile on first use, and keep the machine code on disk where there is a place for it."""
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": {"contract"}}
    try:
        return njit(cache=True, **options)(function)
    except RuntimeError:  # neither the package nor the user's cache folder can be written
        return njit(**options)(function)


def _widest(typing_context: Any) -> Any:
    """To be called in a hot loop's function: use the widest vectors that the processor has.

    For many processors LLVM keeps to half of them, since older ones slowed down when the wide ones
    were in use. It is a wish: a processor without them, or LLVM without the attribute, has none.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        # llvmlite lists attributes that it knows, and this is LLVM's own
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.void(), generate


widest: Any = intrinsic(_widest)  # called without the context


@njit(inline="always")
def inside(mean: float) -> float:
    """A proportion kept off 0 and 1, where it would forbid what rounding can produce."""
    return min(max(mean, MEAN_MARGIN), 1.0 - MEAN_MARGIN)
