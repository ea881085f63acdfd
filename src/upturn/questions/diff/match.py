"""Matching: which curve of one result is which of another."""

from dataclasses import dataclass

import numpy as np

from upturn.arrays.types import Index
from upturn.checks.errors import DataError, counted, listed, shown
from upturn.tables.curves import Curves

type Key = tuple[str, ...]


@dataclass(frozen=True)
class Match:
    """The places of the same curves in two results, and what a reader should know of them."""

    before: Index
    after: Index
    notes: tuple[str, ...]


def matched(before: Curves, after: Curves) -> Match:
    """The curves of one task, one axis, and as many other labels as tell curves apart.

    Raises
    ------
    DataError
        Where there are none, and where the labels that both have leave it open which is which.
    """
    shared = [name for name in before.labels if name in after.labels and name != "axis"]
    names = _telling(before, after, shared)
    first, second = (_places(c, names, side) for c, side in ((before, "A"), (after, "B")))
    both = [key for key in first if key in second]
    if not both:
        raise DataError(
            f"diff: expected curves that are in both, but got {listed(before.name[:3])} in A and "
            f"{listed(after.name[:3])} in B; give both the same axis, --by and --metric"
        )
    old, new = (
        np.array([places[key] for key in both], dtype=np.intp) for places in (first, second)
    )
    notes = (
        *_others(before.take(old), after.take(new), [name for name in shared if name not in names]),
        *_only(before, [first[key] for key in first if key not in second], "A"),
        *_only(after, [second[key] for key in second if key not in first], "B"),
    )
    return Match(old, new, notes)


def _keys(curves: Curves, names: list[str]) -> list[Key]:
    columns = [curves.labels[name].tolist() for name in names]
    return list(zip((axis.spec for axis in curves.axes), *columns, strict=True))


def _telling(before: Curves, after: Curves, shared: list[str]) -> list[str]:
    """The task, and the labels of both that tell further curves of either apart."""
    chosen = ["task"]
    for name in shared:
        more = [*chosen, name]
        if any(len(set(_keys(c, more))) > len(set(_keys(c, chosen))) for c in (before, after)):
            chosen = more
    return chosen


def _places(curves: Curves, names: list[str], side: str) -> dict[Key, int]:
    """The place of each curve by its axis and labels."""
    out: dict[Key, int] = {}
    for i, key in enumerate(_keys(curves, names)):
        if key in out:
            raise DataError(
                f"diff: expected curves that labels of both tables tell apart, but got "
                f"{shown(str(curves.name[out[key]]))} and {shown(str(curves.name[i]))} in {side}; "
                "choose rows with --where or --metric"
            )
        out[key] = i
    return out


def _others(before: Curves, after: Curves, names: list[str]) -> list[str]:
    """Notes on labels that are not the same on both sides of matched curves."""
    notes = []
    for name in names:
        old, new = before.labels[name], after.labels[name]
        differs = np.flatnonzero(old != new)
        if len(differs):
            i = differs[0]
            notes.append(
                f"{name} differs between the two in {counted(len(differs), 'curve')}: "
                f"{shown(str(old[i]))} in A, {shown(str(new[i]))} in B for {after.name[i]!s}"
            )
    return notes


def _only(curves: Curves, places: list[int], side: str) -> list[str]:
    if not places:
        return []
    names = listed([str(curves.name[i]) for i in places], most=3)
    return [f"{counted(len(places), 'curve')} only in {side} left out: {names}"]
