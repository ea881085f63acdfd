"""The schema: cells as they were given to validated labels, measures and scales."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from upturn.arrays.types import Booleans, Floats, Integers, Objects
from upturn.checks import errors
from upturn.checks.arguments import known
from upturn.checks.errors import DataError, NothingThereError, counted, shown
from upturn.tables import cells as cells_module
from upturn.tables import rules, units
from upturn.tables.axis import lower_is_better
from upturn.tables.cells import Cells

if TYPE_CHECKING:
    import pandas as pd

LABELS = ("task", "model", "family", "setting", "shots", "metric", "run", "source")
SCALES = ("flops", "params", "perplexity", "tokens", "loss")


def _absolute(column: str, rule: Callable[[Floats, Cells], Floats]) -> Callable[..., Floats]:
    return lambda values, cells: units.plausible(rule(values, cells), cells, column)


SCALE_RULES: dict[str, Callable[[Floats, Cells], Floats] | None] = {
    "flops": _absolute("flops", rules.positive),
    "params": _absolute("params", rules.positive),
    "perplexity": rules.perplexity,
    "tokens": _absolute("tokens", rules.not_negative),
    "loss": None,
}
CURVE = ("task", "metric", "setting", "shots")
NO_METRIC = "score"  # what the metric is called where a table names none

MEASURES = ("score", "successes", "trials", "stderr", "chance", "ceiling")
TRIALS = ("trials", "n", "num_samples")
_CONTINUOUS = {
    "bleu", "sacrebleu", "bleurt", "chrf", "comet", "bertscore", "meteor", "cider", "elo",
    "rating", "reward", "logprob", "logprobs", "logit", "logits", "loglik", "loglikelihood",
    "likelihood", "margin", "mcc", "matthews", "pearson", "spearman", "kendall", "correlation",
    "0to100", "percent", "percentage", "pct",
}  # fmt: skip

_DERIVED_FLOPS = "FLOPs derived as 6 × params × tokens"
_DERIVED_TRIALS = "trials derived from stderr"


@dataclass(frozen=True, eq=False)
class Clean:
    """A validated table.

    Parameters
    ----------
    frame
        One row a measurement. Labels are text ("" where one is missing), measures and scales
        floats (NaN where one is missing): ``score``, ``successes``, ``trials``, ``chance``,
        ``ceiling`` always, the others where the table has them. The index says how messages call
        a row.
    name
        What messages call the table.
    lower_metrics, continuous_metrics
        The metrics of which less is better, and those that are no proportions (which include
        them).
    marks
        What was derived: a column of booleans each, rows as in ``frame``.
    remarks
        What was left out, or noticed, on reading.
    """

    frame: "pd.DataFrame"
    name: str
    lower_metrics: frozenset[str]
    continuous_metrics: frozenset[str]
    marks: "pd.DataFrame"
    remarks: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def columns(self) -> list[str]:
        """The columns of the frame."""
        return [str(column) for column in self.frame.columns]

    def texts(self, label: str) -> Objects:
        """A label of each row, "" throughout where the table has none. Shape (row,)."""
        if label not in self.frame:
            return cells_module.objects([""] * len(self))
        return self.frame[label].to_numpy(dtype=object)

    @property
    def metric(self) -> Objects:
        """The metric of each row, "score" where the table names none. Shape (row,)."""
        return metric_of(self.frame)

    @property
    def is_continuous(self) -> Booleans:
        """Whether the metric of each row is no proportion. Shape (row,)."""
        return is_one(self.metric, self.continuous_metrics)

    def select(self, keep: Booleans) -> Self:
        """The rows where ``keep``, shape (row,), is True."""
        return replace(self, frame=self.frame[keep], marks=self.marks[keep])

    def cells(self, column: str) -> Cells:
        """A column for the rules of ``validate`` and their messages."""
        return cells_of(self.frame, self.name, column)


def metric_of(frame: "pd.DataFrame") -> Objects:
    """The metric of each row."""
    if "metric" not in frame:
        return cells_module.objects([NO_METRIC] * len(frame))
    metric = frame["metric"].to_numpy(dtype=object)
    return np.where(metric == "", NO_METRIC, metric)


def ids_of(frame: "pd.DataFrame", columns: Sequence[str]) -> Integers:
    """Numbers 0, 1, … by first appearance, which rows with the same labels share."""
    return np.asarray(frame.groupby(list(columns), sort=False).ngroup(), dtype=np.int64)


def is_one(texts: Objects, names: Iterable[str]) -> Booleans:
    """Whether each text is one of the names."""
    import pandas as pd

    return pd.Series(texts, dtype=object).isin(list(names)).to_numpy()


def cells_of(frame: "pd.DataFrame", name: str, column: str) -> Cells:
    """A column for the rules of ``validate`` and their messages."""
    raw = frame[column]
    rows, positions = frame.index.to_numpy(dtype=np.int64), frame.index.name == "position"
    if raw.dtype == "str":
        codes, different = cells_module.distinct(raw)
        different[[not isinstance(value, str) for value in different]] = None
        return Cells(name, column, different[codes], rows, positions, (codes, different))
    values = raw.to_numpy(dtype=object)
    if (empty := raw.isna().to_numpy()).any():
        values = values.copy()
        values[empty] = None
    return Cells(name, column, values, rows, positions)


def scale_numbers(cells: Cells, column: str, factor: float = 1.0) -> Floats:
    """A column of a scale: its units read, its numbers checked.

    Parameters
    ----------
    cells, column
        The column as it was given, and what it holds.
    factor
        What the header says that plain numbers are multiplied by.

    Raises
    ------
    DataError
        For a cell that is no amount, and for numbers that are no absolute ones.
    """
    rule = SCALE_RULES[column]
    values = (
        units.numbers(cells, column, factor)
        if column in units.PLAUSIBLE
        else cells_module.number(cells)
    )
    return values if rule is None else rule(values, cells)


@dataclass(frozen=True, eq=False)
class _Table:
    """The cells as they were given, found under the names of the schema."""

    frame: "pd.DataFrame"
    name: str
    given: Mapping[str, str]  # what the table calls a column of the schema

    @classmethod
    def of(cls, frame: "pd.DataFrame", name: str) -> Self:
        columns = [str(column) for column in frame.columns]
        for column in ("task", "model"):
            rules.required_column(name, column, columns)
        if "successes" not in columns:
            rules.required_column(name, "score", columns)
        alias = rules.at_most_one_column(name, TRIALS, columns)
        if "successes" in columns and alias is None:
            rules.required_column(name, "trials", columns)
        given = {c: c for c in (*LABELS, *MEASURES, *SCALES) if c in columns}
        return cls(frame, name, given | ({"trials": alias} if alias else {}))

    def __contains__(self, column: str) -> bool:
        return column in self.given

    def cells(self, column: str) -> Cells:
        return cells_of(self.frame, self.name, self.given.get(column, column))

    def unknown(self) -> list[str]:
        """The columns that are none of the schema's."""
        return [c for c in map(str, self.frame.columns) if c not in self.given.values()]

    def number(self, column: str, rule: Callable[[Floats, Cells], Floats] | None = None) -> Floats:
        """A column of numbers, NaN throughout where it is not there."""
        if column not in self:
            return np.full(len(self.frame), np.nan)
        cells = self.cells(column)
        values = cells_module.number(cells, grouped=column == "trials")
        return values if rule is None else rule(values, cells)

    def labels(self) -> dict[str, Objects]:
        texts = {c: cells_module.label(self.cells(c)) for c in LABELS if c in self}
        for column in ("task", "model"):
            cells_module.required_label(texts[column], self.cells(column))
        if "shots" in texts:
            texts["shots"] = cells_module.objects(
                [cells_module.whole_label(t) for t in texts["shots"]]
            )
        return texts

    def scales(self) -> dict[str, Floats]:
        return {c: self.scale(c) for c in SCALES if c in self}

    def scale(self, column: str) -> Floats:
        """A column of scales, with its units read and its numbers checked."""
        return scale_numbers(self.cells(column), column)

    def spelled_missing(self) -> tuple[str, ...]:
        """A note for each column in which an unknown value has a spelling of its own."""
        notes = []
        for column in (*MEASURES, *SCALES):
            if column not in self:
                continue
            codes, different = cells_module.distinct(self.frame[self.given[column]])
            spelled = np.array([_is_spelled_missing(value) for value in different], dtype=np.bool_)
            if spelled.any():
                texts = errors.listed(dict.fromkeys(map(str.strip, different[spelled])), most=3)
                count = counted(int(spelled[codes].sum()), "row")
                notes.append(f"column {column}: {texts} in {count} is unknown")
        return tuple(notes)

    def others(self) -> dict[str, Floats | Objects]:
        """The columns that the schema does not know: numbers where they all are, else text."""
        columns: dict[str, Floats | Objects] = {}
        for column in self.unknown():
            for rule in (cells_module.number, cells_module.label):
                try:
                    columns[column] = rule(self.cells(column))
                    break
                except DataError:  # a column that nothing needs may hold anything
                    continue
        return columns


def _is_spelled_missing(value: object) -> bool:
    """Whether a cell is a text for an unknown value, other than the usual two."""
    is_text = isinstance(value, str) and cells_module.is_missing(value)
    return is_text and str(value).strip() not in {"", "NA"}


def validated(
    cells: "pd.DataFrame",
    name: str,
    *,
    lower: Sequence[str] = (),
    continuous: Sequence[str] = (),
) -> Clean:
    """The validated rows of a table of cells, before repeats are settled and counts filled in.

    Parameters
    ----------
    cells
        As `upturn.tables.readers.read_table` gives them.
    name
        What messages call the table.
    lower, continuous
        Metrics of which less is better, and metrics that are no proportions, beside those whose
        name says so.

    Raises
    ------
    DataError
        For the first rule that a cell breaks.
    """
    import pandas as pd

    table = _Table.of(cells, name)
    labels = table.labels()
    metric = metric_of(pd.DataFrame(labels))
    lower_metrics, continuous_metrics = _metric_kinds(table, metric, lower, continuous)
    orientation = np.where(is_one(metric, lower_metrics), -1.0, 1.0)
    proportions = ~is_one(metric, continuous_metrics)

    measures, marks = _measures(table, metric, proportions)
    chance, ceiling = _bounds(table, proportions, orientation)
    scales = table.scales()
    marks[_DERIVED_FLOPS] = _derive_flops(scales, len(cells))
    bounds = {"chance": chance, "ceiling": ceiling}

    scored = ~np.isnan(measures["score"])
    if not scored.any():
        raise NothingThereError(f"{name}: expected scores, but got only empty cells; fill them in")
    return Clean(
        frame=pd.DataFrame(labels | measures | bounds | scales | table.others(), cells.index),
        name=name,
        lower_metrics=lower_metrics,
        continuous_metrics=continuous_metrics,
        marks=pd.DataFrame(marks, cells.index),
        remarks=_dropped(~scored) + table.spelled_missing() + _misspelt(table),
    ).select(scored)


def _metric_kinds(
    table: _Table, metric: Objects, lower: Sequence[str], continuous: Sequence[str]
) -> tuple[frozenset[str], frozenset[str]]:
    """The metrics of which less is better, and those that are continuous."""
    names = list(dict.fromkeys(metric))
    for given in (*lower, *continuous):
        known(given, names, kind="metric", where=table.name)
    less = {name for name in names if name in lower or lower_is_better(name)}
    reals = {name for name in names if name in continuous or continuous_by_name(name)}
    return frozenset(less), frozenset(less | reals)


def continuous_by_name(metric: str) -> bool:
    """Whether a metric is no proportion, judged by the words of its name."""
    return not _CONTINUOUS.isdisjoint(re.split(r"[^a-z0-9]+", metric.casefold()))


def _measures(
    table: _Table, metric: Objects, proportions: Booleans
) -> tuple[dict[str, Floats], dict[str, Booleans]]:
    """Score, successes and trials of each row; what was derived."""
    trials = table.number("trials", rules.trials)
    successes = table.number("successes")
    if "successes" in table:
        successes = rules.successes(successes, trials, table.cells("successes"))
    score = table.number("score")
    if "score" in table:
        cells = table.cells("score")
        rules.proportion(np.where(proportions, score, np.nan), metric, cells)
        rules.same_score(score, successes, trials, cells)
    score = np.where(np.isnan(successes), score, successes / trials)
    of = proportions & np.isnan(trials)
    stderr = table.number("stderr", lambda v, cells: rules.standard_error(v, of, cells))
    derived = np.where(proportions & np.isnan(trials), _trials_of(score, stderr), np.nan)
    trials = np.where(np.isnan(derived), trials, derived)
    measures = {"score": score, "successes": successes, "trials": trials, "stderr": stderr}
    if "stderr" not in table:
        del measures["stderr"]
    return measures, {_DERIVED_TRIALS: ~np.isnan(derived)}


def _trials_of(score: Floats, stderr: Floats) -> Floats:
    """Trials behind a standard error, NaN where it is 0, as it is at scores of 0 and 1."""
    with np.errstate(over="ignore"):  # the square of an error of 1e160 is inf
        variance, square = score * (1 - score), stderr**2
        known = (variance > 0) & (square * rules.MAX_COUNT > variance)  # else the error is 0
    ratio = np.divide(variance, square, out=np.full(len(score), np.nan), where=known)
    return np.asarray(np.rint(ratio + 1))


def _bounds(table: _Table, proportions: Booleans, orientation: Floats) -> tuple[Floats, Floats]:
    """Chance and ceiling of each row, NaN where none is given."""
    chance = table.number("chance", lambda v, cells: rules.chance(v, proportions, cells))
    ceiling = table.number("ceiling", lambda v, cells: rules.ceiling(v, proportions, cells))
    if "chance" in table:
        rules.chance_below_ceiling(chance, ceiling, orientation, table.cells("chance"))
    return chance, ceiling


def _derive_flops(scales: dict[str, Floats], rows: int) -> Booleans:
    """Fill in missing FLOPs as 6·N·D; True where it was done."""
    if not {"params", "tokens"} <= scales.keys():
        return np.zeros(rows, dtype=np.bool_)
    flops = scales.get("flops", np.full(rows, np.nan))
    with np.errstate(over="ignore"):
        product = 6 * scales["params"] * scales["tokens"]
    derived = np.isnan(flops) & (product > 0) & np.isfinite(product)
    if "flops" in scales or derived.any():
        scales["flops"] = np.where(derived, product, flops)
    return derived


def _dropped(missing: Booleans) -> tuple[str, ...]:
    count = int(missing.sum())
    return (f"{counted(count, 'row')} without a score left out",) if count else ()


def _misspelt(table: _Table) -> tuple[str, ...]:
    """A note for each column that looks like a misspelt one of the schema."""
    schema = [c for c in (*LABELS, *MEASURES, *SCALES) if c not in table]
    close = [(c, errors.nearest(c, schema, cutoff=0.8)) for c in table.unknown()]
    return tuple(
        f"column {shown(column)} is none of the schema's: is {shown(meant)} meant?"
        for column, meant in close
        if meant is not None
    )
