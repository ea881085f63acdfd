"""Whatever a person names as a table: a file, a folder of tables, or what a harness wrote."""

import gzip
import os
import re
from collections.abc import Iterator, Sequence
from io import BytesIO
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from upturn.checks.errors import DataError, NothingThereError, counted
from upturn.tables.cells import objects
from upturn.tables.readers import Source, is_table, read_stream, read_table
from upturn.tables.readers.documents import parse_json, read_json
from upturn.tables.readers.evaluations import Harvest, is_evaluation, may_hold, read_evaluations
from upturn.tables.readers.json_folders import read_documents
from upturn.tables.readers.json_tables import table_of
from upturn.tables.readers.jsonl import is_json_lines
from upturn.tables.readers.kinds import kinds, recognised
from upturn.tables.readers.notes import taken_notes
from upturn.tables.readers.spreadsheet import read_spreadsheet
from upturn.tables.rules import byte_limit, most_unpacked, row_limit, unpacked_limit

if TYPE_CHECKING:
    import pandas as pd

_SAMPLES = re.compile(r"samples_(?P<task>.+?)_\d{4}-\d\d-\d\dT.*\.jsonl")
_MODELS = {"model_name", "model_id", "model_version", "full_model_name", "llm"}
_NO_FILTER = {"", "none", "None", "nan"}
_NO_METRICS = {"doc_id", "doc_hash", "prompt_hash", "target_hash", "idx"}


def harvested(source: Source, name: str, *, groups: bool = False) -> Harvest:
    """The cells of a source, and what it says of its metrics.

    Parameters
    ----------
    source, name
        As in `read_table`, or a folder.
    groups
        As in `read_evaluations`.

    Raises
    ------
    DataError
        For a source that cannot be read.
    """
    if not isinstance(source, (str, PathLike)) or source == "-":
        cells = read_table(source, name)
        return Harvest(cells, notes=taken_notes(cells))
    path = Path(os.path.expanduser(source))
    if os.path.isdir(path):  # unlike Path.is_dir, False for a name that no file can have
        return _folder(path, name, groups=groups)
    special = _special(path, name) if os.path.isfile(path) else None
    if special is None and is_evaluation(source):
        return read_evaluations(source, name, groups=groups)
    cells = read_table(source, name) if special is None else special
    return Harvest(cells, notes=taken_notes(cells))


def _special(path: Path, name: str) -> "pd.DataFrame | None":
    """The table in a file of a particular kind, or None for any other."""
    if _SAMPLES.fullmatch(path.name):
        return _samples(path, name, path.parent.name)
    readers = {".gz": _unzipped, ".xlsx": read_spreadsheet, ".json": _records}
    reader = readers.get(path.suffix.lower())
    return None if reader is None else reader(path, name)


def _folder(folder: Path, name: str, *, groups: bool) -> Harvest:
    """The results of a harness, or else the tables or the answers that a folder holds."""
    paths = sorted(path for path in _walk(folder) if path.is_file())
    samples = [path for path in paths if _SAMPLES.fullmatch(path.name)]
    tables = [] if samples else [path for path in paths if is_table(path)]
    if not (samples or tables) or any(map(may_hold, paths)):
        try:
            return read_evaluations(folder, name, groups=groups)
        except NothingThereError:  # a table may have some other JSON file beside it
            if not samples and not tables:
                documents = read_documents(paths, folder, name)
                if documents is None:
                    raise
                note = f"{counted(len(paths), 'file')} read as one table"
                return Harvest(documents, notes=(note,))
    frames = [_samples(path, _place(path, folder), path.parent.name) for path in samples]
    frames += [_with_source(path, folder) for path in tables]
    notes = dict.fromkeys(note for frame in frames for note in taken_notes(frame))
    cells = _stacked(frames, name)
    return Harvest(cells, notes=(f"{counted(len(frames), 'file')} read as one table", *notes))


def _walk(folder: Path) -> Iterator[Path]:
    from upturn.tables.readers.evaluations import MAX_FILES

    seen = 0
    for place, _, names in os.walk(folder):
        seen += len(names) + 1
        if seen > MAX_FILES:
            return
        yield from (Path(place, name) for name in names)


def _place(path: Path, folder: Path) -> str:
    return str(path.relative_to(folder))


def _with_source(path: Path, folder: Path) -> "pd.DataFrame":
    """A table of a folder, whose file's name is the task, or else the model, that it lacks."""
    cells = read_table(path, _place(path, folder))
    texts = {} if "source" in cells else {"source": objects([_place(path, folder)] * len(cells))}
    names = {str(column).casefold().replace(" ", "_") for column in cells}
    for label, others in (("task", {"task_name", "benchmark", "dataset"}), ("model", _MODELS)):
        if not names & {label, *others}:
            return cells.assign(**{label: objects([path.stem] * len(cells))}, **texts)
    return cells.assign(**texts)


def _stacked(frames: Sequence["pd.DataFrame"], name: str) -> "pd.DataFrame":
    """Tables one below the other, rows numbered through."""
    import pandas as pd

    row_limit(name, sum(map(len, frames)))
    cells = pd.concat([frame.astype(object) for frame in frames], ignore_index=True)
    cells = cells.where(cells.notna(), None)
    return cells.set_axis(pd.RangeIndex(2, len(cells) + 2, name="row"))


def _unzipped(path: Path, name: str) -> "pd.DataFrame":
    """A table of text that gzip made smaller; no more is unpacked than a table may have."""
    stored = byte_limit(name, path.stat().st_size)
    try:
        with gzip.open(path) as file:
            content = file.read(most_unpacked(stored) + 1)
    except (OSError, EOFError) as error:
        raise DataError(
            f"{name}: expected a file that gzip made, but got a broken one ({error}); "
            "make it again, or unpack it"
        ) from error
    unpacked_limit(name, len(content), stored)
    suffix = path.with_suffix("").suffix.lower()
    if suffix == ".json":
        table = table_of(parse_json(content, name), name)
        if table is None:
            raise DataError(f"{name}: expected a table, but got another document; unpack the file")
        return table
    return read_stream(BytesIO(content), name, suffix)


def _records(path: Path, name: str) -> "pd.DataFrame | None":
    """A table in JSON; None for any other document, which may be one of a harness."""
    try:
        document: Any = read_json(path, remedy="split it")
    except DataError:
        with path.open("rb") as lines:
            if is_json_lines(lines):
                lines.seek(0)
                return read_stream(lines, name, ".jsonl")
        raise
    if any(kinds()[kind].holds(document) for kind in recognised()):
        return None
    return table_of(document, name)


def _samples(path: Path, name: str, model: str) -> "pd.DataFrame":
    """Single answers of the LM Evaluation Harness: ``samples_TASK_TIME.jsonl``, a row a metric."""
    import pandas as pd

    cells = read_table(path, name)
    place = _SAMPLES.fullmatch(path.name)
    lists = [row for row in cells.get("metrics", []) if isinstance(row, list)]
    given = {str(metric) for row in lists for metric in row}
    metrics = [
        column
        for column in map(str, cells.columns)
        if (column in given if given else column not in _NO_METRICS)
        and cells[column].map(lambda v: isinstance(v, (int, float))).any()
    ]
    if not metrics or "doc_id" not in cells or place is None:
        raise DataError(
            f"{name}: expected answers with doc_id and a metric, but got other columns; "
            "name the folder of results_*.json"
        )
    given_filters = cells["filter"] if "filter" in cells else ["none"] * len(cells)
    filters = ["" if text in _NO_FILTER else f",{text}" for text in map(str, given_filters)]
    parts = [
        pd.DataFrame(
            {
                "task": objects([place["task"]] * len(cells)),
                "model": objects([model.replace("__", "/")] * len(cells)),
                "question": cells["doc_id"],
                "metric": objects([f"{metric}{part}" for part in filters]),
                "score": cells[metric],
            }
        )
        for metric in metrics
    ]
    return pd.concat(parts)
