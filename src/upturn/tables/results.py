"""Results: a validated table of evaluation results, one row a measurement."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from shlex import quote
from typing import Any, Self

import numpy as np

from upturn.arrays.types import Floats
from upturn.checks.arguments import known
from upturn.checks.errors import DataError, NothingThereError, counted, listed, shown
from upturn.checks.names import SCATTERS
from upturn.tables import cells as cells_module
from upturn.tables import datasets, rules
from upturn.tables.axis import Axis, check_names
from upturn.tables.cleaning import clean
from upturn.tables.curves import Curves, Limits
from upturn.tables.facts.fill import filled
from upturn.tables.facts.tables import Facts, knowledge
from upturn.tables.limits import with_limits
from upturn.tables.readers import Source, table_name
from upturn.tables.readers.harvest import harvested
from upturn.tables.readers.schema import (
    CURVE,
    LABELS,
    MEASURES,
    SCALES,
    Clean,
    is_one,
)
from upturn.tables.reading import arguments_of
from upturn.tables.rows import Rows
from upturn.tables.shaping.filters import conditions_by_column, filtered, metric_labels, rows_with
from upturn.tables.shaping.headers import normal, resolve
from upturn.tables.shaping.shape import Layout, measured, shaped


def read(
    source: Source,
    *,
    lower_is_better: str | Iterable[str] = (),
    continuous: str | Iterable[str] = (),
    facts: Facts | None = None,
    where: str | Iterable[str] = (),
    metric: str | Iterable[str] = (),
    repeats: str = "refuse",
    wide: bool = False,
    groups: bool = False,
    percent: str | Iterable[str] = (),
    ignore: str | Iterable[str] = (),
    columns: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
    name: str | None = None,
) -> "Results":
    """Read a table of results, one row a measurement.

    Parameters
    ----------
    source : str, path or DataFrame
        A file (.csv, .tsv, .jsonl, .parquet), ``-`` for standard input, the name of a bundled
        data set (a file of that name wins), a data frame, which is left as it is, or a folder (or
        one file) that an evaluation harness wrote: see ``upturn.tables.readers.evaluations``.
        Columns: ``task``, ``model``, and ``score`` or ``successes``; of the others see the
        description of the data.
    lower_is_better : str or several
        Metrics of which less is better, beside those whose name says so (loss, ppl, brier …).
        They are continuous.
    continuous : str or several
        Metrics that are no proportions, beside those whose name says so (bleu, elo …): any real
        number, in native units.
    facts : str, path or DataFrame, optional
        What fills in empty cells: by default the bundled facts about models (``family``,
        ``params``, ``tokens``, ``flops``, ``date``) and tasks (chance, number of questions), but
        not for a bundled data set; a table with a column of models is asked first; "none" for
        nothing. No cell that has a value is changed.
    where : str or several
        Conditions COLUMN=VALUE that rows have to meet, as in `Results.where`; rows that do not are
        never checked.
    metric : str or several
        Metrics to take; rows of others are never checked.
    repeats : str
        What to do about repeated measurements: "refuse", "pool" (add their counts up), "mean", or
        "latest" (the last row). Rows that a column ``seed`` or ``repeat`` tells apart are pooled.
    wide : bool
        Whether every task (or metric) has a column of its own.
    groups : bool
        Whether averages over tasks that a harness reports beside the tasks are taken too.
    percent : str or several
        Metrics in per cent, to be divided by 100; "all" for every one.
    ignore : str or several
        Columns to leave out.
    columns : mapping of str to str, optional
        From a name of the schema to the column that holds it; "a+b" joins several.
    units : mapping of str to str, optional
        From a column to the unit of its numbers, such as {"size": "B"}.
    name : str, optional
        What messages call the table.

    Returns
    -------
    Results

    Raises
    ------
    DataError
        With one line that names the file, the row and the column, says what was expected and what
        to do.

    Examples
    --------
    >>> import upturn
    >>> upturn.read("gpt3", where="setting=few-shot", metric="acc").axes()[:2]
    ('flops', 'params')
    """
    reading = arguments_of(
        read,
        lower_is_better=_names(lower_is_better), continuous=_names(continuous), facts=facts,
        metric=_names(metric), repeats=repeats, wide=wide, percent=_names(percent),
        ignore=_names(ignore), columns=columns, units=units, groups=groups,
    )  # fmt: skip
    name = table_name(source) if name is None else name
    table = datasets.resolve(source)
    harvest = harvested(table, name, groups=groups)
    layout = Layout(columns or {}, _names(ignore), units or {}, wide=wide, percent=_names(percent))
    shape = shaped(harvest.frame, name, layout)
    chosen, later = filtered(shape.cells, name, _names(where), _names(metric))
    cells, read_units = measured(shape, chosen, name, layout)
    notes = (*harvest.notes, *shape.notes, *read_units)
    done = filled(cells, name, knowledge(facts, bundled=table is source))
    cells, notes = done.cells, (*notes, *done.notes())
    present = set(metric_labels(cells))
    known_lower = (m for m in harvest.lower if m in present)
    lower = (*_names(lower_is_better), *known_lower, *done.lower)
    others = (
        *_names(continuous),
        *(m for m in (*harvest.continuous, *shape.continuous) if m in present),
    )
    cleaned = clean(
        cells,
        name,
        lower=tuple(dict.fromkeys(lower)),
        continuous=tuple(dict.fromkeys(others)),
        repeats=repeats,
    )
    met = tuple(condition for condition in _names(where) if condition not in later)
    remarks = (*notes, *cleaned.remarks)
    results = Results(**vars(replace(cleaned, remarks=remarks)), conditions=met, reading=reading)
    return results.where(*later) if later else results


def _names(names: str | Iterable[str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)


# Words in the names of columns that describe an evaluation and not the scale of a model.
_BOOKKEEPING = {
    "score", "scores", "best", "rank", "stderr", "std", "id", "index", "started", "completed",
    "created", "timestamp", "url", "notes", "version", "seed", "repeat", "samples", "epochs",
    "cost", "price", "ci", "lower", "upper", "epoch", "latency", "seconds", "retries", "total",
}  # fmt: skip


def _is_bookkeeping(column: str) -> bool:
    return not _BOOKKEEPING.isdisjoint(normal(column).split("_"))


@dataclass(frozen=True, eq=False)
class Results(Clean):
    """A validated table, one row a measurement; `read` makes one.

    Parameters
    ----------
    conditions
        Those of `where` that its rows meet.
    reading
        The other arguments of `read` that were not the defaults.
    """

    conditions: tuple[str, ...] = ()
    reading: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        tasks, models = (counted(self.frame[c].nunique(), c) for c in ("task", "model"))
        axes = ", ".join(self.axes()) or "none"
        return f"Results({self.name}: {counted(len(self), 'row')}, {tasks}, {models}; axes {axes})"

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out, derived and rounded, and which metrics are no proportions."""
        counts = {str(text): int(mark.sum()) for text, mark in self.marks.items()}
        marks = [f"{text} in {counted(count, 'row')}" for text, count in counts.items() if count]
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
        others = [column for column in others if not _is_bookkeeping(column)]
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
        for column, values in conditions_by_column(conditions).items():
            given = resolve(column, self.columns)
            if given is None:
                known(column, self._filled(), kind="column", where=f"{self.name}, where")
            wanted.setdefault(given or column, []).extend(values)
        keep = np.ones(len(self), dtype=np.bool_)
        for column, values in wanted.items():
            keep &= rows_with(self.frame, self.name, column, values)
        if not keep.any():
            raise DataError(
                f"{self.name}: expected rows with {' and '.join(conditions)}, but got none; "
                "each is there, though not together: leave one out"
            )
        return replace(self.select(keep), conditions=(*self.conditions, *conditions))

    def _filled(self) -> list[str]:
        """The columns in which there is something: not those that the table did not give."""
        return [column for column in self.columns if self.frame[column].notna().any()]

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
        curves = Curves.concatenate(rows.on_axis(spec, scatter) for spec in axes)
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
        if axis.name not in self.frame:
            axis = self._synonym(axis)
        if axis.name not in self.frame or axis.name in {*LABELS, *MEASURES}:
            self._refuse_without_axes(axis.name)
            known(axis.name, self.axes(), kind="axis", where=self.name)
        if self._is_text(axis.name) and self._has_dates(axis.name):
            axis = axis.as_date()
        if np.isnan(self._coordinate(axis)).all():
            raise NothingThereError(
                f"{self.name}: expected values on the axis {axis.name}, but got none; "
                f"fill it in, or choose of the axes {listed(self.axes())}"
            )
        return axis

    def _refuse_without_axes(self, name: str) -> None:
        """Say how a table that names models alone gets its scales."""
        if not self.axes():
            table = quote(self.name)
            raise DataError(
                f"{self.name}: expected a column {shown(name)}, but got no scale of any model; "
                f"list what is known by: upturn facts {table} -o models.csv, fill it in, and add "
                "--facts models.csv"
            )

    def _synonym(self, axis: Axis) -> Axis:
        """The axis under the name of the table: "compute" is flops, "date" is "Release date"."""
        usable = [column for column in self.columns if column not in {*LABELS, *MEASURES}]
        given = resolve(axis.name, usable)
        return axis if given is None else replace(axis, name=given)

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
        if self._is_text(axis.name):
            rules.no_foreign_dates(cells)
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
