"""Folders that evaluation harnesses wrote: which files hold results, and the table they make."""

import math
import os
import shlex
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

from upturn.checks.arguments import known
from upturn.checks.errors import DataError, NothingThereError, counted, listed, shown, shown_path
from upturn.tables.readers import helm, opencompass
from upturn.tables.readers.documents import relative
from upturn.tables.readers.kinds import canonical, is_certain, kinds, recognised
from upturn.tables.rules import row_limit

if TYPE_CHECKING:
    import pandas as pd

MAX_FILES = 100_000  # files and folders
MAX_STRANGE = 1_000  # JSON files without results, and
MAX_STRANGE_BYTES = 500_000_000  # their size in all: the folder is a wrong one
SUFFIXES = (".json", ".eval")
_COLUMNS = (
    "task", "model", "family", "run", "step", "setting", "shots", "metric", "score", "trials",
    "stderr", "chance", "ceiling", "params", "tokens", "flops", "perplexity", "question", "repeat",
    "source",
)  # fmt: skip
_LABELS = ("task", "model", "family", "setting", "shots", "metric", "run", "question", "repeat")
_MEASURES = ("score", "trials", "stderr")
_BOUNDS = ("chance", "ceiling")


@dataclass(frozen=True, eq=False)
class Harvest:
    """A table of cells, and what its source says of its metrics.

    Parameters
    ----------
    frame
        The cells, one row a measurement; the index as `upturn.tables.readers` describes it.
    lower, continuous
        Metrics of which less is better, and metrics that are no proportions.
    notes
        What was left out.
    """

    frame: "pd.DataFrame"
    lower: tuple[str, ...] = ()
    continuous: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def hints(self) -> tuple[str, ...]:
        """What a reader of the bare table has to be told, since the metrics' names do not say it.

        One text an option of the command line.
        """
        from upturn.tables.axis import lower_is_better
        from upturn.tables.readers.schema import continuous_by_name

        lower = [m for m in self.lower if not lower_is_better(m)]
        others = [m for m in self.continuous if m not in self.lower and not continuous_by_name(m)]
        others = [m for m in others if not lower_is_better(m)]
        options = {"--lower-is-better": lower, "--continuous": others}
        return tuple(
            "read the table with " + " ".join(f"{option} {shlex.quote(name)}" for name in names)
            for option, names in options.items()
            if names
        )


def is_evaluation(source: object) -> TypeGuard[str | PathLike[str]]:
    """Whether a source is a folder, or a file that only a harness writes."""
    if not isinstance(source, (str, PathLike)):
        return False
    path = os.path.expanduser(source)
    return os.path.isdir(path) or (os.path.isfile(path) and may_hold(Path(path)))


def may_hold(path: Path) -> bool:
    """Whether a file may hold results of a harness, so that it has to be looked into."""
    return path.suffix.lower() in SUFFIXES or is_certain(path)


def read_evaluations(
    source: str | PathLike[str],
    name: str | None = None,
    *,
    kind: str | None = None,
    groups: bool = False,
) -> Harvest:
    """The table that the files of a folder make.

    Parameters
    ----------
    source
        A folder, searched to the bottom, or one file.
    name
        What messages call it; the path by default.
    kind
        Of `upturn.tables.readers.kinds`. By default what is there, which has to be one kind.
    groups
        Whether averages over tasks are taken where the tasks are there too.

    Returns
    -------
    Harvest
        Rows in the order of the files' names; the column ``source`` names the file.

    Raises
    ------
    DataError
        For a folder without results or with those of several harnesses; for a file that is broken
        or ends in the middle; for two files that disagree on one measurement.
    """
    if kind is not None:
        kind = known(canonical(kind), list(kinds()), kind="harness", where="kind")
    root = Path(os.path.expanduser(source))
    name = os.fspath(source) if name is None else name
    shown_name = name if name.isprintable() else shown_path(name)
    if not os.path.exists(root):
        raise DataError(
            f"{shown_name}: expected a folder or a file of results, but there is none of that "
            "name; check the path"
        )
    search = _Search(shown_name, groups)
    for path in _files(root, search):
        search.look(path, root, kind)
    return search.table(kind)


@dataclass
class _Search:
    """What was found so far."""

    name: str
    groups: bool = False
    rows: list[dict[str, Any]] = field(default_factory=list)
    kinds: dict[str, str] = field(default_factory=dict)  # of each, the first file
    looked_at: int = 0
    skipped: int = 0
    strange: int = 0
    strange_bytes: int = 0
    unfinished: list[str] = field(default_factory=list)

    def look(self, path: Path, root: Path, wanted: str | None) -> None:
        """Take the rows of a file, or count it as skipped."""
        self.looked_at += 1
        place = relative(path, root)
        kind, document = _identify(path, [wanted] if wanted else recognised())
        if kind is None:
            self.skipped += 1
            self._count_strange(path, document)
            return
        if not kinds()[kind].is_finished(document):
            self.unfinished.append(place)
            return
        self.kinds.setdefault(kind, place)
        self._check_one_kind()
        for row in kinds()[kind].rows(document, path):
            row_limit(self.name, len(self.rows) + 1)
            self.rows.append(row | {"source": place})

    def _count_strange(self, path: Path, document: object) -> None:
        """Give up on a folder of other people's JSON, which may be a whole disk."""
        if document is not None:
            self.strange += 1
            self.strange_bytes += path.stat().st_size
        if self.strange > MAX_STRANGE or self.strange_bytes > MAX_STRANGE_BYTES:
            raise DataError(
                f"{self.name}: expected results of {listed(recognised())}, but got "
                f"{counted(self.strange, 'JSON file')} of other kinds; name the folder of results"
            )

    def _check_one_kind(self) -> None:
        if len(self.kinds) > 1:
            (kind, first), (other, second) = self.kinds.items()
            raise DataError(
                f"{self.name}: expected results of one harness, but got {kind} ({shown(first)}) "
                f"and {other} ({shown(second)}); convert them one by one: upturn convert {kind} …"
            )

    def table(self, wanted: str | None) -> Harvest:
        """The rows as a table."""
        if not self.rows:
            raise NothingThereError(self._nothing(wanted))
        whole, limited = _without_limited(self.rows)
        members, groups = (whole, []) if self.groups else _without_groups(whole)
        rows, same = _distinct(members)
        differing = _agree(rows)
        names = list(dict.fromkeys(str(row["metric"]) for row in rows))
        lower = {str(row["metric"]) for row in rows if row.get("lower")}
        return Harvest(
            frame=_frame(rows),
            lower=tuple(metric for metric in names if metric in lower),
            continuous=tuple(metric for metric in names if metric in _beyond(rows)),
            notes=(*self._notes(same, limited, groups), *differing),
        )

    def _nothing(self, wanted: str | None) -> str:
        titles = listed([wanted] if wanted else recognised())
        more = f", {len(self.unfinished)} of them unfinished" if self.unfinished else ""
        return (
            f"{self.name}: expected results of {titles}, but got none in "
            f"{counted(self.looked_at, 'file')}{more}; name a table or another folder"
        )

    def _notes(self, same: int, limited: int, groups: Sequence[str]) -> Iterator[str]:
        if self.skipped:
            yield f"{counted(self.skipped, 'file')} without results skipped"
        if self.unfinished:
            count = len(self.unfinished)
            yield f"{counted(count, 'unfinished evaluation')} left out: {listed(self.unfinished)}"
        if same:
            yield f"{counted(same, 'row')} left out that other files repeat"
        if limited:
            yield f"{counted(limited, 'row')} of runs with a limit left out beside the full run"
        if groups:
            names = listed(groups, most=4)
            yield f"groups left out beside their members: {names} (--groups takes them)"


def _files(root: Path, search: _Search) -> Iterator[Path]:
    """The files that may hold results, by name; of a run of HELM the statistics alone."""
    if not root.is_dir():
        yield root
        return
    seen = 0
    for folder, folders, names in os.walk(root):
        folders[:] = _kept(folders)
        seen += len(names) + 1
        if seen > MAX_FILES:
            raise DataError(
                f"{search.name}: expected at most {MAX_FILES:,} files, but got more; "
                "name a folder in it"
            )
        is_run = {helm.SPEC, helm.STATS} <= set(names)
        for name in sorted(names):
            path = Path(folder, name)
            if (name == helm.STATS or not is_run) and _is_file(path) and may_hold(path):
                yield path
            else:
                search.looked_at += 1
                search.skipped += name != helm.SPEC


def _kept(folders: Sequence[str]) -> list[str]:
    """The folders to search: beside a summary of OpenCompass lie the answers that it sums up."""
    if {"predictions", "configs"} & {*folders}:
        folders = [f for f in ("summary", opencompass.RESULTS) if f in folders][:1] or folders
    return sorted(folders)


def _is_file(path: Path) -> bool:
    """Whether it is a file and not, say, a pipe, which would be waited for without end."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return False


def _identify(path: Path, names: Sequence[str]) -> tuple[str | None, Any]:
    """The kind of a file and what it holds."""
    by_name = {kind: kinds()[kind].by_name(path) for kind in names}
    certain = [kind for kind, says in by_name.items() if says]
    possible = certain or [kind for kind, says in by_name.items() if says is None]
    if not possible:
        return None, None
    document = kinds()[possible[0]].load(path)
    return next((kind for kind in possible if kinds()[kind].holds(document)), None), document


def _distinct(rows: Iterable[dict[str, Any]]) -> tuple[list[dict[str, Any]], int]:
    """The rows without those that repeat another to the digit, and how many these were."""
    seen: dict[tuple[object, ...], dict[str, Any]] = {}
    kept, same = [], 0
    for row in rows:
        measured = tuple(_comparable(row.get(measure)) for measure in _MEASURES)
        key = (*_key(row), *measured)
        if key in seen:
            same += 1
            continue
        seen[key] = row
        kept.append(row)
    return kept, same


def _key(row: Mapping[str, Any], labels: Sequence[str] = _LABELS) -> tuple[object, ...]:
    return tuple(row.get(label, "") for label in labels)


def _comparable(value: Any) -> float | None:
    return None if value is None or math.isnan(value) else float(value)


def _without_limited(rows: Sequence[dict[str, Any]]) -> tuple[list[dict[str, Any]], int]:
    """Without trial runs on a part of the questions where the whole was run too."""
    whole = {_key(row) for row in rows if not row.get("limited")}
    kept = [row for row in rows if not row.get("limited") or _key(row) not in whole]
    return kept, len(rows) - len(kept)


def _without_groups(rows: Sequence[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[str]]:
    """Without averages over tasks that stand beside them in the same file."""
    members = {row["source"] for row in rows if not row.get("is_group")}
    left_out = [row for row in rows if row.get("is_group") and row["source"] in members]
    names = list(dict.fromkeys(str(row["task"]) for row in left_out))
    kept = [row for row in rows if not (row.get("is_group") and row["source"] in members)]
    return kept, names


def _agree(rows: Iterable[dict[str, Any]]) -> list[str]:
    """Leave out the baselines of curves whose files do not agree on them; say where."""
    bounds: dict[tuple[Any, ...], dict[str, set[float]]] = {}
    curves = [(row, tuple(row.get(c, "") for c in ("task", "metric", "shots"))) for row in rows]
    for row, curve in curves:
        for bound in _BOUNDS:
            if bound in row:
                bounds.setdefault(curve, {}).setdefault(bound, set()).add(row[bound])
    differing = {curve for curve, of in bounds.items() if any(len(v) > 1 for v in of.values())}
    for row, curve in curves:
        if curve in differing:
            for bound in _BOUNDS:
                row.pop(bound, None)
    names = listed([" | ".join(filter(None, curve)) for curve in sorted(differing)], most=3)
    return [f"chance and ceiling left out where files differ: {names}"] if differing else []


def _beyond(rows: Iterable[Mapping[str, Any]]) -> set[str]:
    """The metrics that are no proportions: said to be so, or outside [0, 1] somewhere."""
    return {
        str(row["metric"]) for row in rows if row.get("continuous") or not 0 <= row["score"] <= 1
    }


def _frame(rows: Sequence[Mapping[str, Any]]) -> "pd.DataFrame":
    """A column each that some row fills, rows numbered as in the file that `convert` writes."""
    import pandas as pd

    filled = [c for c in _COLUMNS if any(_is_filled(row.get(c)) for row in rows)]
    labels = tuple(label for label in _LABELS if label != "repeat")
    if len({_key(row, labels) for row in rows}) == len(rows):
        filled = [column for column in filled if column != "repeat"]
    columns = dict.fromkeys(["task", "model", "score", *filled])
    ordered = [column for column in _COLUMNS if column in columns]
    index = pd.RangeIndex(2, len(rows) + 2, name="row")
    cells = {c: [row.get(c) if _is_filled(row.get(c)) else None for row in rows] for c in ordered}
    return pd.DataFrame({c: pd.Series(v, dtype=object) for c, v in cells.items()}).set_axis(index)


def _is_filled(value: object) -> bool:
    return not (value is None or value == "" or (isinstance(value, float) and math.isnan(value)))
