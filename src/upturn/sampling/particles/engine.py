"""Engines: where the stages of the population sampler run.

A stage is a function of arrays whose first axis is that of rows, with `xp`, the namespace, as its
last argument. The driver calls stages through an engine, so there is one driver for all engines.
`Host` runs a stage as it is, over NumPy's arrays; `upturn.sampling.jax.engine.Device` compiles it.
"""

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any

from upturn.arrays.types import Floats, Integers
from upturn.sampling.particles import sobol

type Tree = Any  # an array, or lists, tuples and dataclasses of them


def over(tree: Tree, function: Callable[[Any], Any]) -> Tree:
    """A tree with each array replaced."""
    if isinstance(tree, (list, tuple)):
        return type(tree)(over(item, function) for item in tree)
    if is_dataclass(tree) and not isinstance(tree, type):
        return type(tree)(*(over(getattr(tree, f.name), function) for f in fields(tree)))
    return tree if tree is None else function(tree)


class Host:
    """NumPy's functions on NumPy's arrays."""

    def run(self, stage: Callable[..., Any], *arrays: Tree, **options: Any) -> Any:
        """The result of a stage; arrays are this engine's, options are plain values."""
        return stage(*arrays, **options)

    def put(self, tree: Tree) -> Tree:
        """NumPy's arrays as arrays of this engine."""
        return tree

    def take(self, tree: Tree, rows: Integers) -> Tree:
        """Some of the rows."""
        return over(tree, lambda array: array[rows])

    def get(self, tree: Tree, rows: int) -> Tree:
        """The first rows as NumPy's arrays: an engine may have added padding rows."""
        return tree

    def uniforms(
        self, keys: sobol.Keys, stream: int, dimensions: int, start: int, count: int
    ) -> Floats:
        """See `sobol.uniforms`."""
        return sobol.uniforms(keys, stream, dimensions, start, count)
