"""Single answers in logs of Inspect, read where they are asked for by name.

They are the ``samples`` of a ``.json`` log, ``summaries.json`` of a ``.eval`` one,
``_journal/summaries`` of one whose evaluation was interrupted, or, in a log without samples, the
``reductions``, which have the mean of the repeats (epochs) of each sample.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from upturn.tables.readers import inspect
from upturn.tables.readers.documents import items, mapping, number, text, whole

TITLE = "Inspect, single answers"
_SUMMARIES, _JOURNAL, _REDUCTIONS = "summaries.json", "_journal/summaries/", "reductions.json"
_GRADES = {"C": 1.0, "I": 0.0, "P": 0.5, "N": 0.0}  # correct, incorrect, partial, no answer

by_name = inspect.by_name
holds = inspect.holds


def load(path: Path) -> Any:
    """A log with its samples.

    Raises
    ------
    DataError
        Naming a log that is broken, or too large to be one.
    """
    document = inspect.load(path)
    if path.suffix.lower() != ".eval":
        return document
    with inspect.opened(path) as archive:
        names = archive.namelist()
        parts = [inspect.member(archive, name, path) for name in _summaries(names)]
        reduced = inspect.member(archive, _REDUCTIONS, path) if _REDUCTIONS in names else []
    samples = [sample for part in parts for sample in items(part)]
    return document | {"samples": samples, "reductions": reduced}


def _summaries(names: Sequence[str]) -> list[str]:
    if _SUMMARIES in names:
        return [_SUMMARIES]
    return [name for name in names if name.startswith(_JOURNAL) and name.endswith(".json")]


def rows(document: Mapping[str, Any], path: Path) -> Iterator[dict[str, Any]]:
    """One row a sample, epoch and scorer."""
    shared = inspect.labels(document)
    answers = _samples(document) if document.get("samples") else _reductions(document)
    for scorer, question, epoch, value in answers:
        if not math.isnan(grade := _grade(value)):
            yield shared | {
                "metric": scorer,
                "score": grade,
                "question": text(question) or whole(question),
                "repeat": whole(epoch) or shared["repeat"],
            }


type _Answer = tuple[str, object, object, object]  # scorer, question, epoch, value


def _samples(document: Mapping[str, Any]) -> Iterator[_Answer]:
    for sample in items(document.get("samples")):
        for scorer, score in mapping(sample.get("scores")).items():
            yield scorer, sample.get("id"), sample.get("epoch"), mapping(score).get("value")


def _reductions(document: Mapping[str, Any]) -> Iterator[_Answer]:
    for reduction in items(document.get("reductions")):
        for score in items(reduction.get("samples")):
            yield text(reduction.get("scorer")), score.get("sample_id"), None, score.get("value")


def _grade(value: object) -> float:
    """The number that a grade or a value stands for, NaN for records and other texts."""
    if isinstance(value, bool):
        return float(value)
    return _GRADES.get(value, math.nan) if isinstance(value, str) else number(value)
