"""OpenCompass: ``summary/summary_*.csv``, or the ``.txt`` and ``.md`` beside it; else its results.

One row a data set and metric with the columns ``dataset``, ``version`` (a hash of the prompt),
``metric``, ``mode``, and then one column a model. Scores are per cent; a model that was not
evaluated has "-", and so has the version of a group, whose row averages over other rows. A run
without a summary has ``results/MODEL/DATASET.json``, metrics with their values in per cent.
"""

import csv
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from upturn.checks.errors import DataError, shown_path
from upturn.tables.cells import is_missing
from upturn.tables.readers.documents import mapping, number, read_json
from upturn.tables.readers.schema import continuous_by_name

TITLE = "OpenCompass"
RESULTS, BESIDE_RESULTS = "results", ("predictions", "configs", "logs")
_LABELS = ["dataset", "version", "metric", "mode"]
_COUNT = "total_count"
_BESIDE = (".txt", ".md")  # the same again, for people
_START = 65_536  # characters among which the header of a table for people is looked for
_MOST = 16_000_000  # characters of a summary
_CELL = re.compile(r"(?P<score>[-+]?\d+(?:\.\d+)?)(?:\s*\(\d+/(?P<trials>\d+)\))?")
_CLASS = re.compile(r"opencompass\.models\.(?:\w+\.)*(?:[A-Z]\w*?_)?(?P<path>.+)")
_SHARES = re.compile(r"acc|score|exact_match|pass@|f1|average|auc|rouge|mean", re.I)


@dataclass(frozen=True)
class Result:
    """What a file of results holds."""

    fields: Mapping[str, Any]

    def metrics(self) -> Iterator[tuple[str, float]]:
        """The metrics and their values, without the details."""
        values = ((key, number(value)) for key, value in self.fields.items())
        return ((key, value) for key, value in values if not math.isnan(value))


def by_name(path: Path) -> bool:
    """Whether a file is such a summary: it holds the header; or results, by where it lies."""
    suffix = path.suffix.lower()
    if suffix == ".json":
        of_run = path.parents[2] if len(path.parents) > 2 else path.parent
        is_result = path.parent.parent.name == RESULTS
        return is_result and any((of_run / beside).is_dir() for beside in BESIDE_RESULTS)
    if suffix in _BESIDE and (path.with_suffix(".csv").exists() or "summary" not in path.name):
        return False
    if suffix not in {".csv", *_BESIDE}:
        return False
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as lines:
            start = lines.readline(_START) if suffix == ".csv" else lines.read(_START)
    except OSError:
        return False
    return any(_cells(line)[:4] == _LABELS for line in start.splitlines())


def load(path: Path) -> Any:
    """The rows of the table in a summary, its header first; or what a file of results holds.

    Raises
    ------
    DataError
        For a summary that is too large, and one of which a row has more or fewer cells.
    """
    if path.suffix.lower() == ".json":
        return Result(dict(mapping(read_json(path))))
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        text = file.read(_MOST + 1)
    if len(text) > _MOST:
        raise DataError(
            f"{shown_path(path)}: expected a summary of at most {_MOST / 1e6:g} MB, but got more; "
            "remove it from the folder"
        )
    return list(_table(text.splitlines(), path))


def _table(lines: Sequence[str], path: Path) -> Iterator[list[str]]:
    width = 0
    for row, line in enumerate(lines, start=1):
        cells = _cells(line)
        if not width:
            width = len(cells) if cells[:4] == _LABELS else 0
        elif len(cells) < 4 and path.suffix.lower() != ".csv":
            return  # the end of the table, other forms of which follow
        elif not any(cells) or set("".join(cells)) <= set("-: "):
            continue
        if width and len(cells) != width:
            raise DataError(
                f"{shown_path(path)}, row {row}: expected {width} cells as in the header, "
                f"but got {len(cells)}; let OpenCompass write the summary again"
            )
        if width:
            yield cells


def _cells(line: str) -> list[str]:
    """The cells of a row of CSV, or of Markdown."""
    if line.lstrip().startswith("|"):
        return [cell.strip() for cell in line.strip().strip("|").split("|")]
    return [cell.strip() for cell in next(csv.reader([line]), [])]


def holds(document: object) -> bool:
    """Whether there is a table, with a column of a model, or a result."""
    if isinstance(document, Result):
        return True
    header = document[0] if isinstance(document, list) and document else None
    return isinstance(header, list) and header[:4] == _LABELS and len(header) > len(_LABELS)


def rows(document: Any, path: Path) -> Iterator[dict[str, Any]]:
    """One row a data set, metric and model; the mode ("gen", "ppl") is the setting."""
    labels = {"task": path.stem, "model": _model(path.parent.name)}
    for metric, value in document.metrics() if isinstance(document, Result) else ():
        is_share = 0 <= value <= 100 and not continuous_by_name(metric)
        score = round(value / 100, 9) if is_share else value
        yield labels | {"metric": metric, "score": score, "continuous": not is_share}
    yield from _summed_up(document) if isinstance(document, list) else ()


def _summed_up(document: Sequence[Sequence[str]]) -> Iterator[dict[str, Any]]:
    header, *table = document
    records = [dict(zip(header, cells, strict=True)) for cells in table]
    in_per_cent = _metrics_in_per_cent(records, header[len(_LABELS) :])
    for record in records:
        metric = record["metric"]
        for model in (m for m in header[len(_LABELS) :] if m != _COUNT):
            cell = _CELL.fullmatch(record[model])
            if cell is None:
                continue
            score = float(cell["score"])
            yield {
                "task": record["dataset"],
                "model": _model(model),
                "setting": "" if is_missing(record["mode"]) else record["mode"],
                "metric": metric,
                "score": round(score / 100, 9) if metric in in_per_cent else score,
                "trials": float(cell["trials"] or record.get(_COUNT) or math.nan),
                "is_group": is_missing(record["version"]),
                "continuous": continuous_by_name(metric),
            }


def _model(column: str) -> str:
    """The model of a column: without a name of its own it is called by its class and its path."""
    match = _CLASS.fullmatch(column)
    return column if match is None else match["path"].replace("_", "/")


def _metrics_in_per_cent(
    records: Iterable[Mapping[str, str]], models: Sequence[str]
) -> frozenset[str]:
    """The metrics that are proportions, all of whose scores lie between 0 and 100."""
    scores: dict[str, list[float]] = {}
    for record in records:
        cells = [_CELL.fullmatch(record[m]) for m in models if m != _COUNT]
        scores.setdefault(record["metric"], []).extend(float(c["score"]) for c in cells if c)
    return frozenset(
        metric
        for metric, values in scores.items()
        if values
        and min(values) >= 0
        and max(values) <= 100
        and not continuous_by_name(metric)
        and (_SHARES.search(metric) or max(values) > 1)
    )
