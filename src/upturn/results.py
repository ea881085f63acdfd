"""Results: a validated table of evaluation results, one row a measurement."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from upturn import datasets, validate
from upturn.axis import Axis, check_names
from upturn.checks.arguments import known
from upturn.checks.errors import DataError, NothingThereError, counted, listed, shown
from upturn.checks.names import SCATTERS
from upturn.curves import (
    Curves,
    Limits,
    Texts,
    curve_names,
    data_flags,
    own_limits,
    with_limits,
)
from upturn.packing import Packing, scatter_groups, within
from upturn.readers import Source, read_table, table_name
from upturn.readers.evaluations import Harvest, is_evaluation, read_evaluations
from upturn.readers.facts import Facts, with_facts
from upturn.readers.schema import CURVE, LABELS, MEASURES, SCALES, Clean, clean, ids_of, is_one
from upturn.validate import Booleans, Floats, Integers, Objects

_GROUPING = ("model", "run", "family")


def read(
    source: Source,
    *,
    lower_is_better: str | Iterable[str] = (),
    continuous: str | Iterable[str] = (),
    models: Facts | None = None,
    name: str | None = None,
) -> "Results":
    """Read a table of results, one row a measurement.

    Parameters
    ----------
    source
        A file (.csv, .tsv, .jsonl, .parquet), ``-`` for standard input, the name of a bundled
        data set (a file of that name wins), a data frame, which is left as it is, or a folder (or
        one file) that an evaluation harness wrote: see ``upturn.readers.evaluations``. Columns:
        ``task``, ``model``, and ``score`` or ``successes``; of the others see the description of
        the data.
    lower_is_better
        Metrics of which less is better, beside those whose name says so (loss, ppl, brier …).
        They are continuous.
    continuous
        Metrics that are no proportions, beside those whose name says so (bleu, elo …): any real
        number, in native units.
    models
        A table of facts about models, joined by ``model``: ``family``, ``params``, ``tokens``,
        ``flops``, ``perplexity`` and others. What it fills in wins over the results' own.
    name
        What messages call the table.

    Returns
    -------
    Results

    Raises
    ------
    DataError
        With one line that names the file, the row and the column, says what was expected and what
        to do.
    """
    name = table_name(source) if name is None else name
    found = datasets.resolve(source)
    harvest = (
        read_evaluations(found, name) if is_evaluation(found) else Harvest(read_table(found, name))
    )
    cells, notes = harvest.frame, harvest.notes
    if models is not None:
        cells, more = with_facts(cells, name, models)
        notes = (*notes, *more)
    lower = dict.fromkeys((*_names(lower_is_better), *harvest.lower))
    others = dict.fromkeys((*_names(continuous), *harvest.continuous))
    cleaned = clean(cells, name, lower=tuple(lower), continuous=tuple(others))
    return Results(**vars(replace(cleaned, remarks=(*notes, *cleaned.remarks))))


def _names(names: str | Iterable[str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)


@dataclass(frozen=True, eq=False)
class Results(Clean):
    """A validated table, one row a measurement; `read` makes one.

    Parameters
    ----------
    conditions
        Those of `where` that its rows meet.
    """

    conditions: tuple[str, ...] = ()

    def __repr__(self) -> str:
        tasks, models = (counted(self.frame[c].nunique(), c) for c in ("task", "model"))
        axes = ", ".join(self.axes()) or "none"
        return f"Results({self.name}: {counted(len(self), 'row')}, {tasks}, {models}; axes {axes})"

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out, derived and rounded, and which metrics are no proportions."""
        found = {str(text): int(mark.sum()) for text, mark in self.marks.items()}
        marks = [f"{text} in {counted(count, 'row')}" for text, count in found.items() if count]
        return (*self.remarks, *marks, *self._metric_notes())

    def _metric_notes(self) -> list[str]:
        metrics = self.metrics()
        lower = [m for m in metrics if m in self.lower_metrics]
        rest = [m for m in metrics if m in self.continuous_metrics - self.lower_metrics]
        notes = {"lower is better": lower, "taken as any number, not as a proportion": rest}
        return [f"metric {', '.join(names)}: {text}" for text, names in notes.items() if names]

    def axes(self) -> tuple[str, ...]:
        """The columns that can be an axis: the known scales first."""
        scales = [column for column in SCALES if column in self.columns]
        others = [c for c in self.columns if c not in {*LABELS, *MEASURES, *SCALES}]
        return tuple(c for c in [*scales, *others] if self._can_be_axis(c))

    def _can_be_axis(self, column: str) -> bool:
        values = self.frame[column]
        if not self._is_text(column):
            return bool(values.notna().any())
        days = [validate.day_number(text) for text in set(values) - {""}]
        return bool(days) and bool(np.isfinite(days).all())

    def _is_text(self, column: str) -> bool:
        return self.frame[column].dtype.kind != "f"

    def metrics(self) -> tuple[str, ...]:
        """The metrics, in the order of the table; "score" where it names none."""
        return tuple(dict.fromkeys(self.metric))

    def where(self, *conditions: str) -> Self:
        """The rows that meet every condition.

        Parameters
        ----------
        *conditions
            ``COLUMN=VALUE``; a column named in several of them may have any of the values.

        Raises
        ------
        DataError
            For a column or a value that is not there, with those that are; where no row is left.
        """
        wanted: dict[str, list[str]] = {}
        for condition in conditions:
            column, equals, value = condition.partition("=")
            if not (column and equals):
                raise DataError(
                    f"where: expected COLUMN=VALUE, but got {shown(condition)}; "
                    "for example setting=few-shot"
                )
            if column not in self.columns:
                known(column, self._filled(), kind="column", where=f"{self.name}, where")
            wanted.setdefault(column, []).append(value)
        keep = np.ones(len(self), dtype=np.bool_)
        for column, values in wanted.items():
            keep &= self._equal(column, values)
        if not keep.any():
            raise DataError(
                f"{self.name}: expected rows with {' and '.join(conditions)}, but got none; "
                "each is there, though not together: leave one out"
            )
        return replace(self.select(keep), conditions=(*self.conditions, *conditions))

    def _filled(self) -> list[str]:
        """The columns in which there is something: not those that the table did not give."""
        return [column for column in self.columns if self.frame[column].notna().any()]

    def _equal(self, column: str, values: Sequence[str]) -> Booleans:
        cells = self.frame[column]
        present = {_condition(column, str(cell)): cell for cell in cells.unique()}
        kind = column if column in LABELS else f"value of {column}"
        found = [
            present[known(text, list(present), kind=kind, where=f"{self.name}, where")]
            for text in (_condition(column, value) for value in values)
        ]
        return cells.isin(found).to_numpy(dtype=np.bool_)

    def curves(
        self,
        axis: "str | Axis | Sequence[str | Axis]" = "flops",
        *,
        by: str | None = None,
        metric: str | Sequence[str] | None = None,
        scatter: str = "auto",
        limits: Limits | None = None,
    ) -> Curves:
        """The curves of the table: one a task × metric × setting × shots (× ``by``) and axis.

        Parameters
        ----------
        axis
            An axis or several: a column, ``NAME:linear``, ``mix:a,b``. All curves of the first
            come before those of the second.
        by
            Split curves by this label too: "family", "run", "source".
        metric
            Take only this metric, or these.
        scatter
            What groups points that share an offset. "auto": runs where a curve has several and
            one has two points or more, else families likewise, else nothing; "family" and "run"
            where a curve has several; "none".
        limits
            Low and high in native units by column (``{"flops": (1e18, 1e25)}``), or curves whose
            limits to take, matched by the labels that both have. The curve's own by default.

        Returns
        -------
        Curves

        Raises
        ------
        DataError
            For an axis, metric or label that is not there, with those that are; for a row that
            has no coordinate; for a curve with two different chance levels or ceilings.
        """
        if metric is not None:
            return self._of_metrics(_names(metric)).curves(
                axis, by=by, scatter=scatter, limits=limits
            )
        known(scatter, SCATTERS, kind="scatter", where="scatter")
        self._check_label(by, "by")
        if scatter in {"family", "run"}:
            self._check_label(scatter, "scatter")
            if scatter == by:
                raise DataError(
                    f"scatter: expected another label than the curves are split by, "
                    f"but got {shown(by)} for both; leave one out"
                )
        specs = [axis] if isinstance(axis, (str, Axis)) else list(axis)
        axes = check_names(tuple(self._axis(spec) for spec in specs))
        rows = _Rows.of(self, by)
        curves = Curves.concatenate(rows.on_axis(each, scatter) for each in axes)
        return curves if limits is None else with_limits(curves, limits)

    def _of_metrics(self, metrics: Sequence[str]) -> Self:
        for metric in metrics:
            known(metric, self.metrics(), kind="metric", where=self.name)
        return self.select(is_one(self.metric, metrics))

    def _check_label(self, label: str | None, argument: str) -> None:
        if label is not None:
            labels = [c for c in LABELS if c in self.frame and c not in {*CURVE, "model"}]
            known(label, labels, kind="label", where=f"{self.name}, {argument}")

    def _axis(self, spec: str | Axis) -> Axis:
        """An axis whose columns are there, dates recognised by what is in them."""
        axis = Axis.parse(spec)
        if axis.components:
            return replace(axis, components=tuple(self._axis(part) for part in axis.components))
        if axis.name not in self.frame or axis.name in {*LABELS, *MEASURES}:
            known(axis.name, self.axes(), kind="axis", where=self.name)
        if self._is_text(axis.name) and self._has_dates(axis.name):
            axis = axis.as_date()
        if np.isnan(self._coordinate(axis)).all():
            raise NothingThereError(
                f"{self.name}: expected values on the axis {axis.name}, but got none; "
                f"fill it in, or choose of the axes {listed(self.axes())}"
            )
        return axis

    def _has_dates(self, column: str) -> bool:
        return any(np.isfinite(validate.day_number(text)) for text in set(self.frame[column]))

    def coordinates(self, axis: Axis) -> Floats:
        """The coordinates of all rows, NaN where there is none.

        Returns
        -------
        ndarray, shape (component, row)

        Raises
        ------
        DataError
            For a value that a logarithmic axis has no place for.
        """
        return np.stack([self._coordinate(part) for part in axis.parts])

    def _coordinate(self, axis: Axis) -> Floats:
        cells = self.cells(axis.name)
        if axis.transform == "date":
            return validate.day(cells)
        values = (
            validate.number(cells)
            if self._is_text(axis.name)
            else self.frame[axis.name].to_numpy(dtype=np.float64)
        )
        if axis.is_log:
            values = np.where((axis.name == "tokens") & (values == 0), np.nan, values)
            remedy = f"a column with other numbers is an axis as {axis.name}:linear"
            validate.positive(values, cells, remedy)
        return axis.coordinate(values)


def _condition(column: str, text: str) -> str:
    """A cell or a value as ``where`` compares them: 7e9 and 7000000000 are the same number."""
    if column in LABELS:
        return validate.whole_label(text) if column == "shots" else text
    try:
        value = float(text)
        return "" if np.isnan(value) else f"{value:.15g}"
    except ValueError:
        return text


# ---- curves --------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Rows:
    """The rows of a table and the curves to which they belong, on whatever axis.

    ``curve``, ``keep`` and ``codes`` are of shape (row,), the others of shape (curve,).
    """

    results: Results
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
    def of(cls, results: Results, by: str | None) -> Self:
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

        response, trials = self._response(rows, kind[curve] == "counts", orientation[curve])
        arrays = {"x": x[:, rows], "response": response, "trials": trials}
        padded = {field: pack.floats(values) for field, values in arrays.items()}
        mask = pack.floats(np.ones(len(rows))) > 0
        codes = {label: codes[rows] for label, codes in self.codes.items()}
        flags = data_flags(mask=mask, kind=kind, **padded)
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
            chance=self.chance[present],
            ceiling=self.ceiling[present],
            kind=kind,
            orientation=orientation,
            flags=_with_flag(flags, self.lacking[present], "trials missing"),
            notes=(*self.notes, *self._axis_notes(axis, placed, present)),
            **padded,
        )

    def _labels(self, present: Integers, axis: Axis) -> dict[str, Texts]:
        labels = {name: values[present] for name, values in self.labels.items()}
        return labels | {"axis": np.full(len(present), axis.name)}

    def _check_size(self, names: Texts, pack: Packing) -> None:
        table, curves, longest = self.results.name, *pack.shape
        validate.points_limit(table, str(names[np.argmax(pack.points)]), longest)
        validate.cell_limit(table, curves, longest)

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


def _shared(results: Results, column: str, curve: Integers) -> Floats:
    values = results.frame[column].to_numpy(dtype=np.float64)
    count = int(curve.max(initial=-1)) + 1
    return validate.consistent(values, curve, count, results.cells(column))


def _kinds(
    results: Results, curve: Integers, continuous: Booleans
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
