"""Rows of a table into padded arrays, and their groups within each curve."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from upturn.arrays.types import Booleans, Floats, Integers, Objects

type Groups = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Packing:
    """Rows, sorted by curve, into padded arrays.

    Parameters
    ----------
    curve, slot
        The place of each row: its curve and its number there. Shape (row,).
    points
        The number of rows of each curve. Shape (curve,).
    """

    curve: Integers
    slot: Integers
    points: Integers

    @classmethod
    def of(cls, curve: Integers) -> Self:
        """The packing of rows that are sorted by curve, 0 … curves − 1 without gaps."""
        points = np.bincount(curve)
        start = np.cumsum(points) - points
        return cls(curve, np.arange(len(curve)) - start[curve], points)

    @property
    def shape(self) -> tuple[int, int]:
        """Curves and the points of the longest."""
        return len(self.points), int(self.points.max())

    def floats(self, values: Floats) -> Floats:
        """Of shape (…, row) to (…, curve, point), padded with 0."""
        packed = np.zeros(values.shape[:-1] + self.shape)
        packed[..., self.curve, self.slot] = values
        return packed

    def codes(self, values: Integers) -> Groups:
        """Of shape (row,) to (curve, point), padded with −1."""
        packed = np.full(self.shape, -1, dtype=np.int32)
        packed[self.curve, self.slot] = values
        return packed

    def texts(self, values: Objects) -> Objects:
        """Of shape (row,) to (curve, point), padded with ""."""
        packed = np.full(self.shape, "", dtype=object)
        packed[self.curve, self.slot] = values
        return packed


def within(curve: Integers, codes: Integers) -> Integers:
    """Codes numbered anew within each curve from 0; −1 stays. Shape (row,)."""
    labelled = codes >= 0
    within = np.full(len(codes), -1)
    if labelled.any():
        span = int(codes.max()) + 1
        pairs, inverse = np.unique(curve[labelled] * span + codes[labelled], return_inverse=True)
        first = np.searchsorted(pairs, pairs // span * span)
        within[labelled] = (np.arange(len(pairs)) - first)[inverse]
    return within


def scatter_groups(
    curve: Integers, codes: Mapping[str, Integers], scatter: str, by: str | None
) -> Integers:
    """The scatter group of each row within its curve, −1 in curves without groups.

    Parameters
    ----------
    curve
        Shape (row,).
    codes
        The labels "run" and "family" as codes, −1 where a row has none. Shape (row,) each.
    scatter
        "auto", "none", "family" or "run".
    by
        The label that curves are split by: "auto" leaves it out.
    """
    groups = np.full(len(curve), -1)
    for label in ("family", "run"):  # runs take precedence
        if scatter == label or (scatter == "auto" and label != by):
            grouped, usable = _groups_of(curve, codes[label], repeated=scatter == "auto")
            groups = np.where(usable, grouped, groups)
    return groups


def _groups_of(curve: Integers, codes: Integers, *, repeated: bool) -> tuple[Integers, Booleans]:
    """Groups of one label, a row without it on its own, and whether the curve of a row has them.

    It has where the label takes two values or more, and with ``repeated`` one of them twice: a
    single group's offset cannot be told from the curve's place on the axis, and groups of one
    point each are what the likelihood's own dispersion is for.
    """
    alone = codes < 0
    span = int(codes.max(initial=-1)) + 1
    groups = within(curve, np.where(alone, span + np.arange(len(codes)), codes))
    usable = _largest(curve, within(curve, codes)) > 0
    if repeated:
        usable &= np.bincount(curve) > _largest(curve, groups) + 1
    return groups, usable[curve]


def _largest(curve: Integers, values: Integers) -> Integers:
    """The largest value of each curve, shape (curve,)."""
    largest = np.full(int(curve.max()) + 1, -1)
    np.maximum.at(largest, curve, values)
    return largest
