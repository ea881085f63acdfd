"""The rows of a table as the points of curves: groups, kinds and shared labels."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np

from upturn.arrays.types import Booleans, Floats, Integers, Objects
from upturn.checks.errors import DataError, NothingThereError, counted, listed
from upturn.tables import rules
from upturn.tables.axis import Axis
from upturn.tables.cells import Cells
from upturn.tables.curves import Curves, Texts, curve_names, own_limits
from upturn.tables.flags import CHANCE_UNKNOWN, data_flags
from upturn.tables.packing import Packing, scatter_groups, within
from upturn.tables.readers.schema import CURVE, ids_of, is_one

if TYPE_CHECKING:
    import pandas as pd

_GROUPING = ("model", "run", "family")
_MANY = 6  # curves of one point each, from which on a label is blamed
_POINTS = 3  # a curve would have on average without the label


class Table(Protocol):
    """What curves are made of; `upturn.Results` is such a table."""

    @property
    def frame(self) -> "pd.DataFrame":
        """One row a measurement."""

    @property
    def name(self) -> str:
        """What messages call the table."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What was derived, dropped or doubted on reading."""

    @property
    def metric(self) -> Objects:
        """The metric of each row."""

    @property
    def continuous_metrics(self) -> frozenset[str]:
        """Metrics that are no proportions."""

    @property
    def lower_metrics(self) -> frozenset[str]:
        """Metrics of which less is better."""

    def texts(self, column: str) -> Objects:
        """A label of each row, "" where there is none."""

    def cells(self, column: str) -> Cells:
        """A column as messages quote it."""

    def axes(self) -> tuple[str, ...]:
        """Columns that may be an axis."""

    def coordinates(self, axis: Axis) -> Floats:
        """The coordinates of all rows, shape (component, row)."""


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of a table and the curves to which they belong, on whatever axis.

    ``curve``, ``keep`` and ``codes`` are of shape (row,), the others of shape (curve,).
    """

    results: Table
    by: str | None
    curve: Integers
    keep: Booleans
    codes: Mapping[str, Integers]  # of model, run and family; −1 where there is none
    labels: dict[str, Texts]
    kind: Texts
    orientation: Floats
    chance: Floats
    ceiling: Floats
    lacking: Booleans  # curves that lack the trials of some rows
    notes: tuple[str, ...]

    @classmethod
    def of(cls, results: Table, by: str | None) -> Self:
        frame = results.frame
        columns = [column for column in CURVE if column in frame] + ([by] if by else [])
        curve = ids_of(frame, columns)
        first = np.unique(curve, return_index=True)[1]
        metric = results.metric[first]
        continuous = is_one(metric, results.continuous_metrics)
        kind, keep, lacking, notes = _kinds(results, curve, continuous)
        ceiling = _shared(results, "ceiling", curve)
        return cls(
            results=results,
            by=by,
            curve=curve,
            keep=keep,
            codes={c: _codes(results.texts(c), sort=c == "model") for c in _GROUPING},
            labels={c: results.texts(c)[first].astype(np.str_) for c in columns},
            kind=kind,
            orientation=np.where(is_one(metric, results.lower_metrics), -1.0, 1.0),
            chance=_shared(results, "chance", curve),
            ceiling=np.where(~continuous & np.isnan(ceiling), 1.0, ceiling),
            lacking=lacking,
            notes=(*results.notes, *notes),
        )

    def on_axis(self, axis: Axis, scatter: str) -> Curves:
        """The curves on one axis; those without a point there are left out."""
        x = self.results.coordinates(axis)
        placed = ~np.isnan(x).any(axis=0)
        rows = np.flatnonzero(self.keep & placed)
        if not len(rows):
            raise NothingThereError(
                f"{self.results.name}: expected rows with a value on the axis {axis.name}, "
                f"but got none; choose of the axes {listed(self.results.axes())}"
            )
        rows = rows[np.lexsort((self.codes["model"][rows], x[0, rows], self.curve[rows]))]
        present, curve = np.unique(self.curve[rows], return_inverse=True)
        pack = Packing.of(curve)
        kind, orientation = self.kind[present], self.orientation[present]
        labels = self._labels(present, axis)
        name = curve_names(labels)
        self._check_size(name, pack)
        self._check_points(pack, axis)

        response, trials = self._response(rows, kind[curve] == "counts", orientation[curve])
        arrays = {"x": x[:, rows], "response": response, "trials": trials}
        padded = {field: pack.floats(values) for field, values in arrays.items()}
        mask = pack.floats(np.ones(len(rows))) > 0
        codes = {label: codes[rows] for label, codes in self.codes.items()}
        chance = self.chance[present]
        flags = data_flags(mask=mask, kind=kind, **padded)
        flags = _with_flag(flags, self.lacking[present], "trials missing")
        flags = _with_flag(flags, np.isnan(chance) & (kind != "continuous"), CHANCE_UNKNOWN)
        return Curves(
            name=name,
            labels=labels,
            axes=(axis,) * len(present),
            limits=own_limits(padded["x"], mask),
            mask=mask,
            group=pack.codes(scatter_groups(curve, codes, scatter, self.by)),
            run=pack.codes(within(curve, codes["run"])),
            model=pack.texts(self.results.texts("model")[rows]),
            family=pack.texts(self.results.texts("family")[rows]),
            chance=chance,
            ceiling=self.ceiling[present],
            kind=kind,
            orientation=orientation,
            flags=flags,
            notes=(*self.notes, *self._axis_notes(axis, placed, present)),
            **padded,
        )

    def _labels(self, present: Integers, axis: Axis) -> dict[str, Texts]:
        labels = {name: values[present] for name, values in self.labels.items()}
        return labels | {"axis": np.full(len(present), axis.name)}

    def _check_points(self, pack: Packing, axis: Axis) -> None:
        """Refuse a table of single points that a label other than the task sets apart."""
        if len(pack.points) < _MANY or pack.points.max() > 1:
            return
        curves, tasks = len(self.kind), len(set(self.labels["task"].tolist()))
        for label in (c for c in ("setting", "shots", "metric", self.by) if c in self.labels):
            others = [values for c, values in self.labels.items() if c != label]
            joined = len(set(zip(*(values.tolist() for values in others), strict=True)))
            if joined * _POINTS <= curves and tasks * _POINTS <= curves:
                raise DataError(
                    f"{self.results.name}: expected curves of several points on the axis "
                    f"{axis.name}, but got {counted(curves, 'curve')} of one point, since the "
                    f"column {label} differs from model to model; leave it out by --ignore {label}"
                )

    def _check_size(self, names: Texts, pack: Packing) -> None:
        table, curves, longest = self.results.name, *pack.shape
        rules.points_limit(table, str(names[np.argmax(pack.points)]), longest)
        rules.cell_limit(table, curves, longest)

    def _response(
        self, rows: Integers, is_count: Booleans, orientation: Floats
    ) -> tuple[Floats, Floats]:
        """What was measured in each row, and the trials behind it (0 where none count)."""
        score, successes, trials = (
            self.results.frame[c].to_numpy(dtype=np.float64)[rows]
            for c in ("score", "successes", "trials")
        )
        oriented = 0.0 + orientation * score  # no negative zero
        return np.where(is_count, successes, oriented), np.where(is_count, trials, 0.0)

    def _axis_notes(self, axis: Axis, placed: Booleans, present: Integers) -> list[str]:
        notes = []
        if missing := int((self.keep & ~placed).sum()):
            notes.append(f"axis {axis.name}: {counted(missing, 'row')} without a value left out")
        absent = np.setdiff1d(np.arange(len(self.kind)), present)
        if len(absent):
            names = curve_names(self.labels)[absent]
            notes.append(
                f"axis {axis.name}: {counted(len(absent), 'curve')} without a point left out: "
                f"{listed(names, most=3)}"
            )
        return notes


def _with_flag(
    flags: tuple[tuple[str, ...], ...], holds: Booleans, flag: str
) -> tuple[tuple[str, ...], ...]:
    return tuple((*said, flag) if more else said for said, more in zip(flags, holds, strict=True))


def _shared(results: Table, column: str, curve: Integers) -> Floats:
    values = results.frame[column].to_numpy(dtype=np.float64)
    count = int(curve.max(initial=-1)) + 1
    return rules.consistent(values, curve, count, results.cells(column))


def _kinds(
    results: Table, curve: Integers, continuous: Booleans
) -> tuple[Texts, Booleans, Booleans, tuple[str, ...]]:
    """The kind of each curve, the rows that stay, the curves that lack some trials, and notes.

    A curve of which most rows have trials is one of counts, and rows without are left out; where
    fewer have them it is one of proportions, and the trials are.
    """
    has = ~np.isnan(results.frame["successes"].to_numpy(dtype=np.float64))
    rows = np.bincount(curve, minlength=len(continuous))
    with_trials = np.bincount(curve, weights=has, minlength=len(continuous))
    counts = ~continuous & (with_trials > 0) & (2 * with_trials >= rows)
    lacking = ~continuous & (with_trials > 0) & (with_trials < rows)
    kind = np.where(continuous, "continuous", np.where(counts, "counts", "proportion"))
    keep = has | ~counts[curve]
    notes = []
    if dropped := int((~keep).sum()):
        notes.append(
            f"{counted(dropped, 'row')} without trials left out of "
            f"{counted(int((lacking & counts).sum()), 'curve')} whose other rows have them"
        )
    if ignored := int((lacking & ~counts).sum()):
        notes.append(
            f"{counted(ignored, 'curve')} with trials in fewer than half of the rows "
            "taken as proportions without trials"
        )
    return kind, keep, lacking, tuple(notes)


def _codes(texts: Objects, *, sort: bool = False) -> Integers:
    """Codes of texts, by first appearance or sorted; −1 for ""."""
    import pandas as pd

    return np.where(texts == "", -1, pd.factorize(texts, sort=sort)[0]).astype(np.int64)
