"""Logs of Inspect: ``.eval`` (a zip of JSON) or ``.json``."""

import json
import math
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from upturn.checks.errors import DataError, shown_path
from upturn.tables.readers import zstandard
from upturn.tables.readers.documents import (
    MAX_JSON_BYTES,
    items,
    mapping,
    number,
    parse_json,
    read_json,
    text,
    whole,
)

TITLE = "Inspect"
_HEADER = "header.json"  # all of the log but its samples
_START = "_journal/start.json"  # what is known before the first sample
_SPREADS = {"stderr", "bootstrap_stderr", "std", "var"}
_SHOTS = ("fewshot", "few_shot", "num_fewshot", "shots")
_BROKEN = (
    zipfile.BadZipFile, zlib.error, zstandard.BrokenFrameError,
    EOFError, OSError, RuntimeError, NotImplementedError, ValueError, KeyError,
)  # fmt: skip


def by_name(path: Path) -> bool | None:
    """Whether a file is such a log, by its name: None where only a look inside can tell."""
    return {".eval": True, ".json": None}.get(path.suffix.lower(), False)


def holds(document: object) -> bool:
    """Whether a JSON document is such a log."""
    fields = mapping(document)
    return {"status", "eval"} <= fields.keys() and isinstance(fields["eval"], dict)


def load(path: Path) -> Any:
    """The header of a log, or the whole of one that is JSON.

    Raises
    ------
    DataError
        Naming a log that is broken, or too large to be one.
    """
    if path.suffix.lower() != ".eval":
        return read_json(path, remedy="inspect log convert --to eval makes a log that can be read")
    with opened(path) as archive:
        if _HEADER in archive.namelist():
            return member(archive, _HEADER, path)
        start = member(archive, _START, path) if _START in archive.namelist() else None
        return {"status": "started", "eval": {}, **mapping(start)}


@contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """The archive that a log is.

    Raises
    ------
    DataError
        Naming a log that is broken.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except DataError:
        raise
    except _BROKEN as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(
            f"{shown_path(path)}: expected an Inspect log, but got a broken one ({reason}); "
            "was the run interrupted? repair it by inspect log recover, or remove it"
        ) from None


def member(archive: zipfile.ZipFile, name: str, path: Path) -> Any:
    """The document in a member of a log."""
    content = _content(archive, archive.getinfo(name))
    return parse_json(content, f"{shown_path(path)} ({name})")


def _content(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """One more byte than is allowed at most, whatever the archive claims.

    bzip2 and LZMA are not read: the standard library decompresses as much of them as there is.
    """
    if member.compress_type in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        with archive.open(member) as file:
            return file.read(MAX_JSON_BYTES + 1)
    if member.compress_type != zstandard.ZIP_METHOD:
        raise zipfile.BadZipFile("compressed in a way that Inspect does not use")
    stream = archive.fp
    if stream is None:
        raise zipfile.BadZipFile("closed")
    return zstandard.decompress(_raw(stream, member), MAX_JSON_BYTES)


def _raw(stream: IO[bytes], member: zipfile.ZipInfo) -> bytes:
    """The compressed bytes of a member (APPNOTE.TXT 4.3.7: the local header)."""
    stream.seek(member.header_offset)
    header = stream.read(30)
    if header[:4] != b"PK\x03\x04":
        raise zipfile.BadZipFile("no local header")
    lengths = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
    stream.seek(lengths, 1)
    return stream.read(min(member.compress_size, MAX_JSON_BYTES + 1))


def is_finished(document: Mapping[str, Any]) -> bool:
    """Whether the evaluation came to its end, so that its results are those of all samples."""
    return document.get("status") == "success"


def rows(document: Mapping[str, Any], path: Path) -> Iterator[dict[str, Any]]:
    """One row a scorer and metric of a finished evaluation.

    Where there are several scorers, the metric is called ``scorer/metric``, and where the answers
    of one were put together in several ways, ``scorer/reducer/metric``.
    """
    if not is_finished(document):
        return
    spec, results = mapping(document.get("eval")), mapping(document.get("results"))
    shared = labels(document)
    scores = list(items(results.get("scores"))) or [results]
    for score in scores:
        metrics = mapping(score.get("metrics"))
        stderr = number(mapping(metrics.get("stderr")).get("value"))
        for key, entry in metrics.items():
            metric = key.removeprefix("inspect_ai/")
            value = number(mapping(entry).get("value"))
            if metric in _SPREADS or math.isnan(value):
                continue
            yield shared | {
                "metric": "/".join([*_named(score, scores), metric]),
                "score": value,
                "trials": _trials(score, results, spec),
                "stderr": stderr,
            }


def _named(score: Mapping[str, Any], scores: Sequence[Mapping[str, Any]]) -> Sequence[str]:
    """The scorer, and the reducer, where they tell scores apart."""
    scorers = [text(of.get("name")) for of in scores]
    name, reducer = text(score.get("name")), text(score.get("reducer"))
    if len(scores) < 2:
        return []
    return [name, reducer] if scorers.count(name) > 1 and reducer else [name]


def labels(document: Mapping[str, Any]) -> dict[str, str]:
    """What was evaluated: the arguments of the task are the setting, but for the shots."""
    spec = mapping(document.get("eval"))
    arguments = dict(mapping(spec.get("task_args")))
    shots = next(filter(None, (whole(arguments.pop(key, None)) for key in _SHOTS)), "")
    return {
        "task": text(spec.get("task")),
        "model": text(spec.get("model")),
        "shots": shots,
        "repeat": text(spec.get("eval_id")) or text(spec.get("run_id")),
        "setting": ", ".join(f"{key}={_written(arguments[key])}" for key in sorted(arguments)),
    }


def _written(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _trials(score: Mapping[str, Any], results: Mapping[str, Any], spec: Mapping[str, Any]) -> float:
    """The samples behind a score: repeats of a sample (epochs) are one."""
    epochs = number(mapping(spec.get("config")).get("epochs"))
    repeats = number(results.get("completed_samples")) / (epochs if epochs >= 1 else 1)
    scored = number(score.get("scored_samples"))
    count = scored if scored >= 1 else repeats
    return count if count >= 1 and count.is_integer() else math.nan
