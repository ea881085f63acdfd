"""The stages of the population sampler on JAX arrays, compiled by XLA.

They are the functions that NumPy runs. A program is compiled for given shapes, so curves, points,
groups and particles are padded to a few sizes, and a table of any size compiles only a few
programs. Padding is not computed: programs go through blocks of rows up to a number that is an
argument.

JAX computes in single precision unless a thread asks for more, by `doubles`.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from functools import cache, cached_property, partial, wraps
from threading import Lock, RLock
from typing import Any, Self

import numpy as np

from upturn.arrays import namespaces as arrays
from upturn.arrays.types import Index, Integers
from upturn.sampling.density.offsets import Rule
from upturn.sampling.density.target import LOWEST, Target
from upturn.sampling.jax import likelihood
from upturn.sampling.particles import sobol as points
from upturn.sampling.particles.chains import REPLICATES
from upturn.sampling.particles.engine import Host, Tree, over
from upturn.sampling.proposals.intervals import Interval
from upturn.sampling.proposals.mixtures import Mixture, Near

PIECE = 128  # particles of one row that a program works on at once
FEWEST_PIECES = 64  # that a likelihood's program is compiled for; larger sizes are times 4, 16 …
FEWEST_ROWS = 2 * REPLICATES  # fewer rows are padded
FEWEST_CURVES = 16  # of a block; smaller ones would need further programs
CACHED = 4096  # doubles in the largest temporary of a block on a processor
TEMPORARIES = 12  # arrays of a block's size that are in an accelerator's memory at once
# The share of an accelerator's free memory that blocks may fill, and that programs may need.
SHARE = 0.4
WORKERS = 4  # threads that share an accelerator
MOST_CURVES = 512
CURVE_BYTES = 25 << 20  # of all particles of one curve with the largest budget
UNKNOWN_MEMORY = 2 << 30  # bytes assumed to be free if a device does not report it


@contextmanager
def doubles() -> Iterator[None]:
    """Double precision for JAX's work in this thread."""
    import jax

    with jax.enable_x64(True):
        yield


def power(count: int, least: int = 1, base: int = 4) -> int:
    """The smallest of least × 1, base, base² … that is no smaller than a count."""
    size = least
    while size < count:
        size *= base
    return size


def bucket(count: int, least: int = 1) -> int:
    """The smallest of least × 1, 2, 3, 4, 6, 8, 12, 16 … that is no smaller than a count."""
    size = power(count, least, 2)
    between = size * 3 // 4
    return between if size >= 4 * least and between >= count else size


class Device(Host):
    """Stages as programs of XLA, on the arrays of a device.

    Rows are padded to one of a few numbers: all replicates of a block of curves, half of them
    (those that adapt), and quarters of that, so that rows that are done cost nothing.

    Parameters
    ----------
    curves : int
        The curves in a block.
    """

    def __init__(self, curves: int) -> None:
        full = REPLICATES * power(curves, FEWEST_CURVES, 2)
        self.sizes = [full]
        while self.sizes[0] > FEWEST_ROWS:
            smaller = self.sizes[0] // (2 if len(self.sizes) == 1 else 4)
            self.sizes.insert(0, max(FEWEST_ROWS, smaller))

    def size(self, rows: int) -> int:
        """The number that rows are padded to."""
        return next(size for size in self.sizes if size >= rows)

    def run(self, stage: Callable[..., Any], *arrays: Tree, **options: Any) -> Any:
        return _compiled(stage, tuple(options.items()))(*arrays)

    def put(self, tree: Tree) -> Tree:
        import jax

        return over(tree, lambda array: jax.device_put(_pad(array, 0, self.size(len(array)))))

    def take(self, tree: Tree, rows: Integers) -> Tree:
        return _compiled(_taken, ())(tree, _pad(rows, 0, self.size(len(rows))))

    def get(self, tree: Tree, rows: int) -> Tree:
        return over(tree, lambda array: np.asarray(array)[:rows])

    def uniforms(
        self, keys: points.Keys, stream: int, dimensions: int, start: int, count: int
    ) -> Any:
        seeds = self.put(points.seeds(keys, stream, dimensions))
        return self.run(points.scrambled, _net(dimensions, start, count), seeds)


class Accelerated(Target):
    """A target whose likelihood a device computes."""

    @cached_property
    def engine(self) -> Device:  # type: ignore[override]
        return Device(len(self.curves))

    @property
    def host(self) -> Target:
        usual = Target(
            self.model, self.curves, self.likelihood, stop=self.stop, scaling=self.scaling
        )
        return usual._with(self.rule)

    def log_likelihood(self, rows: Index, z: Any) -> Any:
        self.check()
        padded, _, particles = z.shape
        pieces = -(-particles // PIECE)
        blocks = power(padded * pieces, FEWEST_PIECES)
        rows_at_once = min(blocks, rows_a_block(self._device["u"].shape[1] * PIECE))
        of = _pad(np.repeat(rows, pieces), 0, blocks)
        cut = self.engine.run(_cut, z, blocks=blocks)
        program = _likelihood(self._formulas, rows_at_once)
        values = program(self._device, of, cut, len(rows) * pieces)
        return self.engine.run(_pasted, values, rows=padded, particles=particles)

    @cached_property
    def _device(self) -> Any:
        """The arrays that a program takes from the curves, padded, on the device."""
        import jax

        return jax.device_put(_padded(self.arrays()))

    @cached_property
    def _formulas(self) -> "_Formulas":
        return _Formulas(self)

    def _with(self, rule: Rule) -> Self:
        other = super()._with(rule)
        for name in ("_device", "_formulas"):  # which depend on the rule
            other.__dict__.pop(name, None)
        return other


# --- programs -------------------------------------------------------------------------------------


PROGRAMS: list["_Program"] = []  # all of them; tests count compilations
_LOCK = RLock()


class _Program:
    """A compiled function. Threads with the same shapes wait for one compilation."""

    def __init__(self, function: Callable[..., Any]) -> None:
        import jax

        self._call = jax.jit(function)
        self._locks: dict[Any, Lock] = {}
        self._ready: set[Any] = set()
        PROGRAMS.append(self)

    def __call__(self, *arrays: Tree) -> Any:
        import jax

        leaves, structure = jax.tree.flatten(arrays)
        key = structure, tuple(np.shape(leaf) for leaf in leaves)
        if key in self._ready:
            return self._call(*arrays)
        with self._locks.setdefault(key, Lock()):
            result = self._call(*arrays)
            self._ready.add(key)
        return result


def _once[**P, R](function: Callable[P, R]) -> Callable[P, R]:
    """A function that runs once for the same arguments, also with several threads."""
    kept = cache(function)

    @wraps(function)
    def call(*arguments: P.args, **options: P.kwargs) -> R:
        with _LOCK:
            return kept(*arguments, **options)  # type: ignore[arg-type]

    return call


@_once
def _compiled(stage: Callable[..., Any], options: tuple[tuple[str, Any], ...]) -> _Program:
    """A stage with its options, over JAX's arrays."""
    import jax

    _register(jax)
    return _Program(partial(stage, **dict(options), xp=arrays.jax()))


@_once
def _register(jax: Any) -> None:
    """Tell JAX that mixtures are made of arrays."""
    for kind in (Mixture, Near, Interval):
        names = [f.name for f in fields(kind)]
        jax.tree_util.register_dataclass(kind, data_fields=names, meta_fields=[])


@cache
def _net(dimensions: int, start: int, count: int) -> Any:
    """Some points of the Sobol net, on the device."""
    import jax

    return jax.device_put(points.net(dimensions, start, count))


def _taken(tree: Tree, rows: Any, xp: Any) -> Tree:
    return over(tree, lambda array: array[rows])


def _cut(z: Any, *, blocks: int, xp: Any) -> Any:
    """Rows (row, dimension, particle) into pieces (piece, dimension, PIECE), as many as asked."""
    rows, dimension, particles = z.shape
    pieces = -(-particles // PIECE)
    padded = xp.module.pad(z, ((0, 0), (0, 0), (0, pieces * PIECE - particles)))
    cut = padded.reshape(rows, dimension, pieces, PIECE).swapaxes(1, 2)
    cut = cut.reshape(rows * pieces, dimension, PIECE)
    return xp.module.pad(cut, ((0, blocks - rows * pieces), (0, 0), (0, 0)))


def _pasted(values: Any, *, rows: int, particles: int, xp: Any) -> Any:
    """Pieces (piece, PIECE) as the rows (row, particle) that they were cut from."""
    pieces = -(-particles // PIECE)
    return values[: rows * pieces].reshape(rows, pieces * PIECE)[:, :particles]


class _Formulas:
    """The formulas of a target; equal for all targets that compute the same."""

    def __init__(self, target: Target) -> None:
        self.target = target.with_arrays(target.arrays())
        for name in (
            "curves",
            "_device",
            "engine",
        ):  # or they would stay in memory as long as the program
            self.target.__dict__.pop(name, None)
        self._key = target.formulas

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Formulas) and self._key == other._key


@_once
def _likelihood(formulas: _Formulas, rows_at_once: int) -> _Program:
    """Log likelihoods of pieces (piece, particle), some rows at once, up to a given count."""
    from jax import lax

    xp = arrays.jax()

    def evaluate(given: Mapping[str, Any], rows: Any, z: Any, count: Any) -> Any:
        target = formulas.target.with_arrays(given)

        def block(i: Any, out: Any) -> Any:
            of = lax.dynamic_slice_in_dim(rows, i * rows_at_once, rows_at_once)
            at = lax.dynamic_slice_in_dim(z, i * rows_at_once, rows_at_once)
            value = xp.maximum(likelihood.log_likelihood(target, of, at, xp), LOWEST)
            return lax.dynamic_update_slice_in_dim(out, value, i * rows_at_once, 0)

        none = xp.module.zeros((z.shape[0], z.shape[2]))
        return lax.fori_loop(0, (count + rows_at_once - 1) // rows_at_once, block, none)

    return _Program(evaluate)


# --- memory ---------------------------------------------------------------------------------------


@cache
def free_memory() -> int | None:
    """Free bytes of the accelerator at the first call; None where there is none."""
    import jax

    device = jax.devices()[0]
    if device.platform == "cpu":
        return None
    stats = device.memory_stats() or {}
    if "bytes_limit" not in stats:
        return UNKNOWN_MEMORY
    return max(int(stats["bytes_limit"]) - int(stats.get("bytes_in_use", 0)), 0)


def rows_a_block(cells: int) -> int:
    """How many rows a program works on at once, a power of two, from the doubles of a row.

    As many as fit into a processor's cache, or into an accelerator's memory.
    """
    memory = free_memory()
    doubles = CACHED if memory is None else SHARE * memory / WORKERS / (8 * TEMPORARIES)
    return 1 << max(0, int(doubles // cells).bit_length() - 1)


def curves_a_block() -> int:
    """How many curves are sampled at once; few on a processor.

    On an accelerator fewer than would fit: the host works on one block while the device works on
    others.
    """
    memory = free_memory()
    if memory is None:
        return FEWEST_CURVES
    curves = min(MOST_CURVES, int(SHARE * memory / WORKERS / CURVE_BYTES))
    return 1 << max(0, curves.bit_length() - 1)  # a number that needs no padding


# --- padding --------------------------------------------------------------------------------------


def _pad(array: Any, axis: int, size: int, value: Any = None) -> Any:
    """An array padded along an axis by a value, or by copies of its last element."""
    widths = [(0, 0)] * array.ndim
    widths[axis] = (0, size - array.shape[axis])
    if value is None:
        return np.pad(array, widths, mode="edge")
    return np.pad(array, widths, constant_values=value)


def _padded(given: dict[str, Any]) -> dict[str, Any]:
    """The arrays of a target, padded along every axis except the cells of tables."""
    curves, points = power(len(given["u"]), FEWEST_CURVES, 2), bucket(given["u"].shape[1], 4)
    y, trials, group = given["data"]
    values, counts = given["_distinct_trials"]
    several = bucket(values.shape[1], 4)

    def each_curve(array: Any) -> Any:
        return _pad(array, 0, curves)

    return {
        "u": each_curve(_pad(given["u"], 1, points, 0.0)),
        "data": tuple(
            each_curve(_pad(array, 1, points, value))
            for array, value in ((y, 0.0), (trials, 0.0), (group, -1))
        ),
        "nodes": each_curve(_pad(given["nodes"], 1, bucket(given["nodes"].shape[1]), 1)),
        "ceiling": each_curve(given["ceiling"]),
        "_constants": each_curve(given["_constants"]),
        "_points": each_curve(given["_points"]),
        "_distinct_trials": tuple(
            each_curve(_pad(array, 1, several, 0.0)) for array in (values, counts)
        ),
        "_quantiles": {
            name: (each_curve(index), _pad(table, 1, bucket(table.shape[1], 4)))
            for name, (index, table) in given["_quantiles"].items()
        },
    }
