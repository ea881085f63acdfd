"""Store: a fit written to Zarr batch by batch, so that what is done survives whatever ends the run.

A batch is one chunk of every variable along the curves: whoever writes it shares no file with
anybody. The store appears under its name with everything that is known beforehand in it: data,
labels, what is to be done. Batches read their curves from it, write their numbers and, last, a
flag. As long as the folder ``unfinished`` is in the store it is not finished, and what finishes it
is that this folder is renamed away.
"""

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from upturn.checks.errors import DataError, shown, shown_path
from upturn.posterior import files
from upturn.posterior import tree as trees
from upturn.questions.fit.batches.survey import PART, Layout, Parts, Survey, _variables, placed
from upturn.questions.fit.job import Job
from upturn.questions.fit.result import Fit, keeps_log_likelihood
from upturn.sampling.batch import Progress
from upturn.tables.curves import Curves

if TYPE_CHECKING:
    import xarray as xr

DONE = "done"  # an array in the group of what is unfinished
BATCH, LARGE_BATCH = 64, 256  # curves
MANY = 4096  # curves from which batches are large: there would be too many files
CHUNK = 4_000_000  # bytes of one of the log likelihood, of which batches write parts
LOG_LIKELIHOOD = "log_likelihood"


# ---- looking through a table ---------------------------------------------------------------------


# ---- making a store ------------------------------------------------------------------------------


def _create(folder: Path, tree: "xr.DataTree", layout: Layout) -> None:
    """Empty arrays of their full size: those that xarray makes of a small fit, grown."""
    tree.to_zarr(folder, zarr_format=3, consolidated=False)
    for path, variable in (*_variables(tree, drawn=False), *_variables(tree, drawn=True)):
        if layout.grows(variable):
            _remove(folder / path / "c")
            description = folder / path / "zarr.json"
            described = json.loads(description.read_bytes())
            described["shape"] = layout.shape(variable)
            described["chunk_grid"]["configuration"]["chunk_shape"] = layout.cut(variable)
            if (width := layout.widths.get(path)) is not None:
                described["data_type"]["configuration"]["length_bytes"] = 4 * width
            description.write_text(json.dumps(described, indent=2), encoding="utf-8")


def _fill(
    folder: Path, variables: "Iterable[tuple[str, xr.Variable]]", curves: int, observations: int
) -> None:
    """Write variables of some curves, the first of which stands at those places."""
    import zarr

    root = zarr.open_group(folder, mode="r+", zarr_format=3)
    starts = {"curve": curves, "curves": curves, "obs": observations}
    for path, variable in variables:
        if not starts.keys().isdisjoint(variable.dims):
            array: Any = root[path]
            where = tuple(
                slice(starts[str(dim)], starts[str(dim)] + size) if dim in starts else slice(None)
                for dim, size in variable.sizes.items()
            )
            array[where] = variable.values.astype(array.dtype)


def begin(
    job: Job, parts: Parts, path: Path, *, resume: bool = False, batch: int | None = None
) -> "Store | None":
    """The store of a run, made or found; None where it is finished already.

    Parameters
    ----------
    job : Job
    parts : Parts
    path : Path
        Where a finished fit may be, to be replaced at the end.
    resume : bool
        Whether to continue the run of which the store is at the path, if there is one.
    batch : int, optional
        Curves a batch.

    Raises
    ------
    DataError
        For an unfinished run that is not to be continued, one of something else that is, or a
        disk that is full.
    """
    with writing(path):
        if resume and path.exists():
            return _found(job, parts, path, batch)
        if files.is_unfinished(path):
            raise DataError(
                f"{shown_path(path)}: expected nothing there or a finished fit to replace, but got "
                f"an unfinished run ({Store.open(path).progress}); continue it with --resume "
                "(resume=True), or remove it"
            )
        return _new(job, parts, path, batch)


def _new(job: Job, parts: Parts, path: Path, batch: int | None) -> "Store":
    """A store with all that is known, under another name until it is whole."""
    survey = Survey.of(job, parts)
    survey.job = replace(job, meta={**job.meta, "notes": list(parts.notes)})
    size = batch or (BATCH if survey.curves <= MANY else LARGE_BATCH)
    draft, ends, start = beside(path, "new"), survey.ends, 0
    _remove(draft)
    for part in parts:
        if start == 0:
            _create(draft, survey.empty(part.take(slice(0, 1))), Layout.of(survey, size))
        known = _variables(survey.empty(part), drawn=False)
        _fill(draft, placed(known, start, int(ends[start])), start, int(ends[start]))
        start += len(part)
    bounds = [*range(0, start, size), start]
    _mark(draft, {"batch": size, "curves": start, "starts": ends[bounds].tolist()})
    if path.exists():
        _remove(replaced(path))
        os.rename(path, replaced(path))
    os.rename(draft, path)
    return Store.open(path)


def _mark(folder: Path, run: Mapping[str, Any]) -> None:
    """Say of a store that no batch is done."""
    import zarr

    group = zarr.open_group(folder, mode="r+", zarr_format=3).create_group(files.UNFINISHED)
    group.attrs.update(run)
    batches = len(run["starts"]) - 1
    group.create_array(
        DONE, shape=(batches,), chunks=(1,), dtype=np.int8, dimension_names=["batch"]
    )


def _found(job: Job, parts: Parts, path: Path, batch: int | None) -> "Store | None":
    """The store at a path, where it is of the same run; None where that is finished."""
    store = Store.open(path) if files.is_unfinished(path) else None
    _agree(Survey.of(job, parts), _stored(path), path)
    if store is not None:
        if batch not in {None, store.run["batch"]}:
            _refuse(path, "batch", store.run["batch"], batch)
        store.clear()
    return store


def _stored(path: Path) -> Survey:
    """What there is at a path."""
    try:
        tree = files.open_lazily(path)
        return Survey.of(Job.of(trees.meta_of(tree)), _parts_in(tree))
    except Exception as error:  # readers raise whatever they meet in a damaged file
        why = (str(error).splitlines() or [type(error).__name__])[0]
        raise _unreadable(path, why) from error


def _unreadable(path: Path, why: object) -> DataError:
    return DataError(
        f"{shown_path(path)}: expected a run to continue, but got one that cannot be read "
        f"({why}); remove it and begin anew"
    )


def _parts_in(tree: "xr.DataTree") -> Iterator[Curves]:
    """The curves of a store, in the same parts as those in memory."""
    data = tree["constant_data"].to_dataset()
    count, index = data.sizes["curves"], data["curve_index"].values
    for start in range(0, count, PART):
        curves = slice(start, min(start + PART, count))
        observations = slice(*np.searchsorted(index, [curves.start, curves.stop]).tolist())
        yield trees.curves_of(trees.part(tree, curves, observations))


def _agree(ours: Survey, stored: Survey, path: Path) -> None:
    """Refuse to continue a run of something else."""
    before = stored.same()
    for name, now in ours.same().items():
        if now != before.get(name):
            _refuse(path, name, before.get(name), now)


def _refuse(path: Path, name: str, before: object, now: object) -> None:
    got = {
        "table": "another table, or other rows of it",
        "model": "another model, or another prior",
    }.get(name, f"{shown(now)} instead of {shown(before)}")
    raise DataError(
        f"{shown_path(path)}: expected the {name} of the run to be continued, but got {got}; "
        "resume by the command that began it, or name another file"
    )


# ---- a store that is there -----------------------------------------------------------------------


@dataclass(frozen=True)
class Store:
    """A store that is not finished.

    Attributes
    ----------
    path : Path
    run : mapping
        ``curves``, those of a ``batch``, and where batches start along obs.
    """

    path: Path
    run: Mapping[str, Any]

    @classmethod
    def open(cls, path: Path) -> Self:
        """The unfinished store at a path.

        Raises
        ------
        DataError
            Where its description is damaged.
        """
        try:
            described = json.loads((path / files.UNFINISHED / "zarr.json").read_text("utf-8"))
            run = described["attributes"]
            return cls(path, {name: run[name] for name in ("batch", "curves", "starts")})
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _unreadable(path, error) from error

    @property
    def batches(self) -> int:
        """How many there are."""
        return len(self.run["starts"]) - 1

    @property
    def progress(self) -> str:
        """How far it is, for messages."""
        done = self.batches - len(self.missing())
        return f"{done:,} of {self.batches:,} batches done"

    def missing(self) -> list[int]:
        """The batches that are not done."""
        folder = self.path / files.UNFINISHED / DONE / "c"  # where Zarr puts what is written
        return [batch for batch in range(self.batches) if not (folder / str(batch)).exists()]

    def span(self, batch: int) -> tuple[slice, slice]:
        """Where a batch stands along the curves, and along obs."""
        start = batch * self.run["batch"]
        end = min(start + self.run["batch"], self.run["curves"])
        return slice(start, end), slice(*self.run["starts"][batch : batch + 2])

    @cached_property
    def _tree(self) -> "xr.DataTree":
        return files.open_lazily(self.path)

    @cached_property
    def _job(self) -> Job:
        return Job.of(trees.meta_of(self._tree))

    @property
    def versions(self) -> Mapping[str, str]:
        """Of the libraries on which the last bits of numbers hang, by name."""
        versions: Mapping[str, str] = self._job.meta["versions"]
        return versions

    def fit(
        self, batch: int, *, threads: int | None = None, progress: Progress | None = None
    ) -> None:
        """Fit the curves of a batch and write what was found; see `Job.tree`."""
        curves = trees.curves_of(trees.part(self._tree, *self.span(batch)))
        with writing(self.path, self):
            self.write(batch, self._job.tree(curves, threads=threads, progress=progress))

    def complete(self, *, threads: int | None = None, progress: Progress | None = None) -> None:
        """Fit the batches that are missing, one after the other, and finish."""
        with self.interruptible():
            for batch in self.missing():
                self.fit(batch, threads=threads, progress=self._among_all(batch, progress))
            self.finish()

    def _among_all(self, batch: int, progress: Progress | None) -> Progress | None:
        """Progress of a batch as one of all curves."""
        if progress is None:
            return None
        before, total = 2 * self.span(batch)[0].start, 2 * int(self.run["curves"])
        return lambda done, _: progress(before + done, total)

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Say how to go on where somebody interrupts."""
        try:
            yield
        except KeyboardInterrupt as stop:
            stop.add_note(f"{shown_path(self.path)}: {self.progress}; continue with --resume")
            raise

    def write(self, batch: int, tree: "xr.DataTree") -> None:
        """Write the numbers of a batch, and then that it is done."""
        import zarr

        curves, _ = self.span(batch)
        _fill(self.path, _variables(tree, drawn=True), curves.start, 0)
        zarr.open_array(self.path / files.UNFINISHED / DONE, mode="r+", zarr_format=3)[batch] = 1

    def clear(self) -> None:
        """Remove what was written of batches that are not done."""
        for unnamed in self.path.rglob("*.partial"):  # Zarr writes, then renames
            unnamed.unlink(missing_ok=True)
        missing = set(map(str, self.missing()))
        for path, _ in _variables(self._tree, drawn=True):
            for chunk in (self.path / path / "c").rglob("*"):
                if chunk.name in missing and chunk.is_file():
                    chunk.unlink()
        _remove(self.path / LOG_LIKELIHOOD)

    def finish(self) -> None:
        """Add the log likelihood where it is small, and say that nothing is missing."""
        with writing(self.path, self):
            self._add_log_likelihood()
            end = beside(self.path, "end")
            _remove(end)
            os.rename(self.path / files.UNFINISHED, end)
        for leftover in (end, replaced(self.path)):
            shutil.rmtree(leftover, ignore_errors=True)

    def _add_log_likelihood(self) -> None:
        """What `arviz.loo` needs, from the draws that were written."""
        *starts, observations = self.run["starts"]
        if not keeps_log_likelihood(self._job.draws, observations):
            return
        draft = beside(self.path, "draft")
        _remove(draft)
        cut = max(1, CHUNK // (self._job.draws * 8))
        layout = Layout({"obs": observations}, {"obs": cut}, {})
        for batch, start in enumerate(starts):
            part = trees.part(self._tree, *self.span(batch))
            whole = trees.add_log_likelihood(part, Fit(part).log_likelihood())
            added = whole.filter(lambda node: node.name == LOG_LIKELIHOOD)
            if batch == 0:
                _create(draft, added, layout)
            _fill(draft, _variables(added, drawn=False), 0, start)
            _fill(draft, _variables(added, drawn=True), 0, start)
        _remove(self.path / LOG_LIKELIHOOD)
        os.rename(draft / LOG_LIKELIHOOD, self.path / LOG_LIKELIHOOD)
        _remove(draft)


# ---- files ---------------------------------------------------------------------------------------


def replaced(path: Path) -> Path:
    """Where a finished fit waits until the one that takes its place is finished too."""
    return path.with_name(f"{path.name}.replaced")


def beside(path: Path, what: str) -> Path:
    """A place of our own on the disk of a path."""
    return path.with_name(f".upturn.{path.name}.{what}")


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)


@contextmanager
def writing(path: Path, store: Store | None = None) -> Iterator[None]:
    """Say what the operating system refuses, and how to go on from there."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        how = f"{store.progress}: make room and continue with --resume" if store else "make room"
        raise DataError(
            f"{shown_path(path)}: expected to write it, but got: {reason}; {how}"
        ) from error
