"""Curves: results as padded arrays with a mask, the form in which models take them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from upturn.arrays.types import Booleans, Floats, Objects
from upturn.checks.errors import counted
from upturn.tables.axis import Axis
from upturn.tables.packing import Groups

type Texts = NDArray[np.str_]
type Limits = Mapping[str, tuple[float, float]] | Curves

_PADDING: dict[str, Any] = {
    "x": 0.0,
    "response": 0.0,
    "trials": 0.0,
    "mask": False,
    "group": -1,
    "run": -1,
    "model": "",
    "family": "",
}
_PER_CURVE = ("name", "chance", "ceiling", "kind", "orientation")


@dataclass(frozen=True, eq=False)
class Curves:
    """A batch of curves, padded to the points of the longest.

    Real points come first, sorted by the coordinate of the first component and the model's name.

    Parameters
    ----------
    name
        Unique: the task where that says which curve it is, else with the labels that differ.
        Shape (curve,).
    labels
        ``task``, then those of ``metric``, ``setting``, ``shots``, what the curves are split by,
        and ``axis`` that there are, each of shape (curve,); "" where one is missing.
    axes
        The axis of each curve.
    x
        Coordinates, shape (component, curve, point); more than one component for a mix only;
        0 in padding.
    limits
        Low and high coordinate, the curve's own unless given. Shape (2, component, curve).
    response
        Successes of a curve of counts, scores of proportions, orientation × score of continuous
        metrics; 0 in padding. Shape (curve, point).
    trials
        Examples behind the score, 0 in padding and where there are none. Shape (curve, point).
    mask
        True for a real point. Shape (curve, point).
    group
        Scatter group within the curve, 0 … groups − 1; −1 in padding and in a curve without
        groups. Shape (curve, point).
    run
        Run within the curve, −1 for none. Shape (curve, point).
    model, family
        Names, objects of type str; "" in padding and for no family. Shape (curve, point).
    chance, ceiling
        In native units, NaN where unknown. Shape (curve,).
    kind
        "counts", "proportion" or "continuous". Shape (curve,).
    orientation
        +1 where higher is better, −1 where lower is. Shape (curve,).
    flags
        What the data say of each curve: "2 points", "1 scale", "constant", "all zeros" ….
    notes
        What was derived, rounded, left out, with counts.
    """

    name: Texts
    labels: dict[str, Texts]
    axes: tuple[Axis, ...]
    x: Floats
    limits: Floats
    response: Floats
    trials: Floats
    mask: Booleans
    group: Groups
    run: Groups
    model: Objects
    family: Objects
    chance: Floats
    ceiling: Floats
    kind: Texts
    orientation: Floats
    flags: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        curves, points = self.mask.shape
        shapes = {
            "x": (len(self.x), curves, points),
            "limits": (2, len(self.x), curves),
            **dict.fromkeys(
                ("response", "trials", "group", "run", "model", "family"), (curves, points)
            ),
            **dict.fromkeys(_PER_CURVE, (curves,)),
        }
        for field, shape in shapes.items():
            if (got := getattr(self, field).shape) != shape:
                raise ValueError(f"expected {field} of shape {shape}, but got {got}")
        if not len(self.axes) == len(self.flags) == curves:
            raise ValueError(f"expected an axis and flags for each of {curves} curves")

    def __len__(self) -> int:
        return len(self.name)

    def __repr__(self) -> str:
        names = ", ".join(dict.fromkeys(axis.name for axis in self.axes))
        curves, points = counted(len(self), "curve"), counted(int(self.points.sum()), "point")
        return f"Curves({curves}, {points}; axis {names})"

    @property
    def points(self) -> NDArray[np.int64]:
        """The number of real points, shape (curve,)."""
        return self.mask.sum(axis=1)

    @property
    def groups(self) -> NDArray[np.int64]:
        """The number of scatter groups, 0 for none; shape (curve,)."""
        return self.group.max(axis=1, initial=-1).astype(np.int64) + 1

    @property
    def runs(self) -> Booleans:
        """Whether a curve has runs of several points that groups, if any, do not cut across.

        Shape (curve,).
        """
        known = self.run >= 0
        alike = (~known | (self.group == self.run)).all(axis=1) | (self.group < 0).all(axis=1)
        ordered = np.sort(self.run, axis=1)
        again = (ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)
        return np.asarray(alike & again.any(axis=1))

    @property
    def chain(self) -> Groups:
        """Which points follow one another: the run, or a number of its own; (curve, point).

        −1 in padding.
        """
        apart = self.run.max(initial=-1) + 1 + np.arange(self.mask.shape[1])
        chain = np.where(self.runs[:, None] & (self.run >= 0), self.run, apart)
        return np.where(self.mask, chain, -1).astype(np.int32)

    @property
    def u(self) -> Floats:
        """Coordinates scaled by the limits to [0, 1], shape (component, curve, point).

        0 in padding, and throughout a component whose limits are equal.
        """
        low, high = self.limits[..., None]
        width = high - low
        return np.where(
            self.mask & (width > 0), (self.x - low) / np.where(width > 0, width, 1), 0.0
        )

    @property
    def score(self) -> Floats:
        """Proportions, or native values of continuous metrics; NaN in padding. (curve, point)."""
        native = np.where(
            self.trials > 0,
            self.response / np.maximum(self.trials, 1),
            self.orientation[:, None] * self.response,
        )
        return np.where(self.mask, native, np.nan)

    def take(self, index: Any) -> Self:
        """The curves that an index selects, in its order.

        Parameters
        ----------
        index
            A slice, an integer, or an array of integers or booleans over curves.

        Returns
        -------
        Curves
            With the point axis trimmed to the longest of them, and components likewise.
        """
        chosen = np.atleast_1d(np.arange(len(self))[index])
        axes = tuple(self.axes[i] for i in chosen)
        points = int(self.points[chosen].max(initial=0))
        components = max((len(axis.parts) for axis in axes), default=1)
        arrays = {field: getattr(self, field)[..., chosen, :points] for field in _PADDING}
        arrays["x"] = arrays["x"][:components]
        return type(self)(
            labels={label: values[chosen] for label, values in self.labels.items()},
            axes=axes,
            limits=self.limits[:, :components, chosen],
            flags=tuple(self.flags[i] for i in chosen),
            notes=self.notes,
            **arrays,
            **{field: getattr(self, field)[chosen] for field in _PER_CURVE},
        )

    def without(self, drop: Booleans) -> Self:
        """The same curves without some of their points; limits, groups and names stay.

        Parameters
        ----------
        drop
            True for a point to leave out. Shape (curve, point).

        Returns
        -------
        Curves
        """
        kept = self.mask & ~drop
        order = np.argsort(~kept, axis=1, kind="stable")
        mask = np.take_along_axis(kept, order, axis=1)
        arrays: dict[str, Any] = {}
        for field, padding in _PADDING.items():
            values = getattr(self, field)
            moved = np.take_along_axis(values, np.broadcast_to(order, values.shape), axis=-1)
            arrays[field] = np.where(mask, moved, padding).astype(values.dtype)
        return replace(self, **arrays)

    @classmethod
    def concatenate(cls, parts: Iterable["Curves"]) -> "Curves":
        """One batch of several, padded to the longest curve of all; names are made anew."""
        parts = list(parts)
        if len(parts) == 1:
            return parts[0]
        points = max(part.mask.shape[1] for part in parts)
        components = max(len(part.x) for part in parts)
        arrays = {
            field: np.concatenate(
                [_pad(part, field, components, points) for part in parts], axis=-2
            )
            for field in _PADDING
        }
        limits = [
            np.pad(part.limits, ((0, 0), (0, components - len(part.x)), (0, 0))) for part in parts
        ]
        labels = _join_labels(parts)
        per_curve = {
            field: np.concatenate([getattr(part, field) for part in parts])
            for field in _PER_CURVE
            if field != "name"
        }
        return cls(
            name=curve_names(labels),
            labels=labels,
            axes=tuple(axis for part in parts for axis in part.axes),
            limits=np.concatenate(limits, axis=-1),
            flags=tuple(flags for part in parts for flags in part.flags),
            notes=tuple(dict.fromkeys(note for part in parts for note in part.notes)),
            **arrays,
            **per_curve,
        )


def _pad(part: Curves, field: str, components: int, points: int) -> NDArray[Any]:
    array = getattr(part, field)
    widths = [(0, 0), (0, points - array.shape[-1])]
    if array.ndim == 3:
        widths.insert(0, (0, components - len(array)))
    return np.pad(array, widths, constant_values=_PADDING[field])


def _join_labels(parts: Sequence[Curves]) -> dict[str, Texts]:
    names = dict.fromkeys(label for part in parts for label in part.labels)
    ordered = sorted(names, key=lambda name: name == "axis")  # the axis stays last
    return {
        name: np.concatenate([part.labels.get(name, np.full(len(part), "")) for part in parts])
        for name in ordered
    }


def curve_names(labels: Mapping[str, Texts]) -> Texts:
    """Unique names of curves.

    A curve is called by its task where no other has that task, else by the task and those labels
    in which the curves of that task differ, joined by " | ".

    Parameters
    ----------
    labels
        ``task`` first; each of shape (curve,).

    Returns
    -------
    ndarray of str, shape (curve,)

    Examples
    --------
    >>> curve_names({"task": np.array(["a", "b", "b"]), "run": np.array(["", "x", "y"])}).tolist()
    ['a', 'b | x', 'b | y']
    """
    task, *others = labels.values()
    _, curve_task = np.unique(task, return_inverse=True)
    parts = [task.tolist()]
    for values in others:
        _, codes = np.unique(values, return_inverse=True)
        differs = _spread(codes, curve_task) > 0
        parts.append([v if d else "" for v, d in zip(values.tolist(), differs, strict=True)])
    rows = list(zip(*parts, strict=True))
    return np.array(_unique([" | ".join(filter(None, row)) for row in rows]), dtype=np.str_)


def _spread(codes: NDArray[np.int64], ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """The largest code minus the smallest among the entries that share an id, for each entry."""
    count = int(ids.max(initial=-1)) + 1
    low, high = np.full(count, np.iinfo(np.int64).max), np.full(count, -1)
    np.minimum.at(low, ids, codes)
    np.maximum.at(high, ids, codes)
    return np.asarray((high - low)[ids])


def _unique(names: Sequence[str]) -> list[str]:
    """Names, numbered where by the accident of a " | " one stands for several curves."""
    given, taken = set(names), set[str]()
    result = []
    for name in names:
        unique, number = name, 1
        while unique in taken or (number > 1 and unique in given):
            number += 1
            unique = f"{name} ({number})"
        taken.add(unique)
        result.append(unique)
    return result


def own_limits(x: Floats, mask: Booleans) -> Floats:
    """The lowest and highest coordinate of each curve.

    Parameters
    ----------
    x
        Shape (component, curve, point).
    mask
        Shape (curve, point).

    Returns
    -------
    ndarray, shape (2, component, curve)
        0 for a curve without points.
    """
    low = np.where(mask, x, np.inf).min(axis=-1, initial=np.inf)
    high = np.where(mask, x, -np.inf).max(axis=-1, initial=-np.inf)
    return np.where(mask.any(axis=-1), np.stack([low, high]), 0.0)
