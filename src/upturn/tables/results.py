"""Results: a validated table of evaluation results, one row a measurement."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from upturn.arrays.types import Booleans, Floats
from upturn.checks.arguments import known
from upturn.checks.errors import DataError, NothingThereError, counted, listed, shown
from upturn.checks.names import SCATTERS
from upturn.tables import cells as cells_module
from upturn.tables import datasets, rules
from upturn.tables.axis import Axis, check_names
from upturn.tables.curves import Curves, Limits
from upturn.tables.facts.fill import filled
from upturn.tables.facts.tables import Facts, knowledge
from upturn.tables.limits import with_limits
from upturn.tables.readers import Source, read_table, table_name
from upturn.tables.readers.evaluations import Harvest, is_evaluation, read_evaluations
from upturn.tables.readers.schema import (
    CURVE,
    LABELS,
    MEASURES,
    SCALES,
    Clean,
    clean,
    is_one,
)
from upturn.tables.rows import Rows


def read(
    source: Source,
    *,
    lower_is_better: str | Iterable[str] = (),
    continuous: str | Iterable[str] = (),
    facts: Facts | None = None,
    name: str | None = None,
) -> "Results":
    """Read a table of results, one row a measurement.

    Parameters
    ----------
    source
        A file (.csv, .tsv, .jsonl, .parquet), ``-`` for standard input, the name of a bundled
        data set (a file of that name wins), a data frame, which is left as it is, or a folder (or
        one file) that an evaluation harness wrote: see ``upturn.tables.readers.evaluations``.
        Columns: ``task``, ``model``, and ``score`` or ``successes``; of the others see the
        description of the data.
    lower_is_better
        Metrics of which less is better, beside those whose name says so (loss, ppl, brier …).
        They are continuous.
    continuous
        Metrics that are no proportions, beside those whose name says so (bleu, elo …): any real
        number, in native units.
    facts
        What fills in empty cells: by default the bundled facts about models (``family``,
        ``params``, ``tokens``, ``flops``, ``date``) and tasks (chance, number of questions), but
        not for a bundled data set; a table with a column of models is asked first; "none" for
        nothing. No cell that has a value is changed.
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
    done = filled(harvest.frame, name, knowledge(facts, bundled=found is source))
    notes = (*harvest.notes, *done.notes())
    lower = dict.fromkeys((*_names(lower_is_better), *harvest.lower, *done.lower))
    others = dict.fromkeys((*_names(continuous), *harvest.continuous))
    cleaned = clean(done.cells, name, lower=tuple(lower), continuous=tuple(others))
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
        days = [cells_module.day_number(text) for text in set(values) - {""}]
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
        rows = Rows.of(self, by)
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
        return any(np.isfinite(cells_module.day_number(text)) for text in set(self.frame[column]))

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
            return cells_module.day(cells)
        values = (
            cells_module.number(cells)
            if self._is_text(axis.name)
            else self.frame[axis.name].to_numpy(dtype=np.float64)
        )
        if axis.is_log:
            values = np.where((axis.name == "tokens") & (values == 0), np.nan, values)
            remedy = f"a column with other numbers is an axis as {axis.name}:linear"
            rules.positive(values, cells, remedy)
        return axis.coordinate(values)


def _condition(column: str, text: str) -> str:
    """A cell or a value as ``where`` compares them: 7e9 and 7000000000 are the same number."""
    if column in LABELS:
        return cells_module.whole_label(text) if column == "shots" else text
    try:
        value = float(text)
        return "" if np.isnan(value) else f"{value:.15g}"
    except ValueError:
        return text


# ---- curves --------------------------------------------------------------------------------------
