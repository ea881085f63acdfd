"""Survey of all curves, for the layout of a store before the first batch is fitted."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np

from upturn.arrays.types import Integers
from upturn.posterior import tree as trees
from upturn.questions.fit.job import Job
from upturn.sampling.batch import parameters_of
from upturn.sampling.particles.chains import REPLICATES
from upturn.tables.curves import Curves

if TYPE_CHECKING:
    import xarray as xr


OBSERVATIONS = 16_384  # of a chunk along obs; batches do not write those

PART = 1024  # curves whose data are read or written at a time


class Parts(Protocol):
    """The curves of a table, some at a time; they can be read more than once.

    Attributes
    ----------
    notes : sequence of str
        What was noted, after all were read.
    """

    @property
    def notes(self) -> Sequence[str]: ...

    def __iter__(self) -> Iterator[Curves]: ...


@dataclass(frozen=True)
class InMemory:
    """Curves in memory, a part at a time."""

    curves: Curves

    @property
    def notes(self) -> Sequence[str]:
        """What was noted when they were read."""
        return self.curves.notes

    def __iter__(self) -> Iterator[Curves]:
        for start in range(0, len(self.curves), PART):
            yield self.curves.take(slice(start, start + PART))


@dataclass
class Survey:
    """What the store needs to know of all curves, and what identifies a run.

    Attributes
    ----------
    points : list of array of int
        The points of the curves of each part.
    widths : dict
        Characters of the longest text of each variable, by its path.
    digests : dict
        The hash of each variable, by its path; independent of the division into parts.
    """

    job: Job
    kinds: dict[str, None] = field(default_factory=dict)
    grouped: bool = False
    curves: int = 0
    observations: int = 0
    points: list[Integers] = field(default_factory=list)
    widths: dict[str, int] = field(default_factory=dict)
    digests: dict[str, Any] = field(default_factory=lambda: defaultdict(hashlib.sha256))

    @classmethod
    def of(cls, job: Job, parts: Iterable[Curves]) -> Self:
        """Survey all parts of a table."""
        survey = cls(job)
        for part in parts:
            survey._add(part)
        return survey

    def _add(self, part: Curves) -> None:
        self.kinds |= dict.fromkeys(part.kind.tolist())
        self.grouped |= bool((part.groups > 0).any())
        known = variables_of(self.empty(part), drawn=False)
        for path, variable in placed(known, self.curves, self.observations):
            if variable.dtype.kind == "U":
                width = variable.dtype.itemsize // 4
                self.widths[path] = max(self.widths.get(path, 1), width)
            if path.startswith("constant_data/"):
                self.digests[path].update(hashed_bytes(variable))
        self.points.append(part.points)
        self.curves += len(part)
        self.observations += int(part.points.sum())

    def empty(self, part: Curves) -> "xr.DataTree":
        """The fit of some curves before sampling; its draws take no memory."""
        shape = len(part), REPLICATES, -(-self.job.draws // REPLICATES)
        unknown = np.broadcast_to(np.nan, shape)
        names = parameters_of(self.job.model, self.kinds, grouped=self.grouped)
        return trees.build(
            part,
            posterior=dict.fromkeys(names, unknown),
            derived=dict.fromkeys(trees.DERIVED, unknown),
            stats={name: np.zeros(len(part), kind) for name, kind in trees.STAT_TYPES.items()},
            meta=self.job.meta,
        )

    @property
    def ends(self) -> Integers:
        """The start of the first curve along obs, then the end of each curve."""
        return np.concatenate([[0], np.cumsum(np.concatenate(self.points))])

    def same(self) -> dict[str, Any]:
        """What must be equal for one run to continue another, by the names in messages."""
        meta = self.job.meta
        named = ("draws", "delta", "likelihood", "scatter", "priors", "axis", "by", "backend")
        return {
            "seed": meta["seed"],
            **{name: meta["arguments"][name] for name in named},
            "model": meta["model"],
            "version of upturn": meta["version"],
            **{f"version of {name}": number for name, number in meta["versions"].items()},
            "table": {path: digest.hexdigest() for path, digest in self.digests.items()},
        }


def hashed_bytes(variable: "xr.Variable") -> bytes:
    """The values of a variable by curve or point, independent of the width of texts."""
    if variable.dtype.kind == "U":
        return "".join(f"{text}\0" for text in variable.values.tolist()).encode()
    return np.moveaxis(
        variable.values, -1, 0
    ).tobytes()  # the last dimension is that of curves or points


def variables_of(tree: "xr.DataTree", *, drawn: bool) -> "Iterator[tuple[str, xr.Variable]]":
    """The variables of draws, or those known before sampling, by their paths."""
    for group, node in tree.children.items():
        for name, variable in node.to_dataset().variables.items():
            is_stat = group == "sample_stats" and name in trees.STAT_TYPES
            is_draw = {"chain", "draw"} <= set(variable.dims)
            if drawn == (is_stat or is_draw):
                yield f"{group}/{name}", variable


@dataclass(frozen=True)
class Layout:
    """Sizes and chunks of the dimensions that grow with a table, and widths of texts."""

    sizes: Mapping[str, int]
    chunks: Mapping[str, int]
    widths: Mapping[str, int]

    @classmethod
    def of(cls, survey: Survey, batch: int) -> Self:
        sizes = {"curve": survey.curves, "curves": survey.curves, "obs": survey.observations}
        chunks = {"curve": batch, "curves": batch, "obs": OBSERVATIONS}
        return cls(sizes, chunks, survey.widths)

    def grows(self, variable: "xr.Variable") -> bool:
        return not self.sizes.keys().isdisjoint(variable.dims)

    def shape(self, variable: "xr.Variable") -> list[int]:
        return [self.sizes.get(str(dim), size) for dim, size in variable.sizes.items()]

    def cut(self, variable: "xr.Variable") -> list[int]:
        dims = zip(variable.dims, self.shape(variable), strict=True)
        return [max(1, min(self.chunks.get(str(dim), size), size)) for dim, size in dims]


def placed(
    variables: "Iterable[tuple[str, xr.Variable]]", curves: int, observations: int
) -> "Iterator[tuple[str, xr.Variable]]":
    """Variables of some curves, with indices of curves and points counted over all."""
    first = {"obs": observations, "curve_index": curves}
    for path, variable in variables:
        shift = first.get(path.rpartition("/")[2])
        yield path, variable if shift is None else variable + shift
