"""Store: a fit written to Zarr batch by batch, so that an interrupted run loses no finished batch.

A batch is one chunk of every variable along the curves, so processes that write different batches
write different files. A new store gets its name when everything known beforehand is in it: data,
labels and the job. Batches read their curves from it, write their numbers and, last, a flag. A
store with the folder ``unfinished`` is not finished; renaming that folder finishes it.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from upturn.checks.errors import DataError, shown_path
from upturn.posterior import files
from upturn.posterior import tree as trees
from upturn.posterior.scratch import InUseError, Lock, scratch
from upturn.questions.fit.batches.arrays import create, fill, remove, remove_half_written
from upturn.questions.fit.batches.survey import Layout, variables_of
from upturn.questions.fit.job import Job
from upturn.questions.fit.pointwise import keeps_log_likelihood
from upturn.questions.fit.result import Fit
from upturn.sampling.batch import Progress

if TYPE_CHECKING:
    import xarray as xr

DONE = "done"  # an array in the group ``unfinished``
CHUNK = 4_000_000  # bytes of a chunk of the log likelihood
LOG_LIKELIHOOD = "log_likelihood"


@dataclass(frozen=True)
class Store:
    """A store that is not finished.

    Attributes
    ----------
    path : Path
    run : mapping
        The number of ``curves``, that of a ``batch``, where batches ``starts`` along obs, and the
        temporary name of the finished fit to be ``replaced``.
    lock : Lock, optional
        Prevents other processes from continuing it.
    """

    path: Path
    run: Mapping[str, Any]
    lock: Lock | None = None

    @classmethod
    def open(cls, path: Path) -> Self:
        """The unfinished store at a path.

        Raises
        ------
        DataError
            If its description is damaged.
        """
        try:
            described = json.loads((path / files.UNFINISHED / "zarr.json").read_text("utf-8"))
            run = described["attributes"]
            return cls(
                path, {name: run[name] for name in ("batch", "curves", "starts", "replaced")}
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise unreadable(path, error) from error

    @classmethod
    def held(cls, path: Path) -> Self:
        """The unfinished store at a path, locked by this process until it is released.

        Raises
        ------
        DataError
            If another process holds it, and as `open`.
        """
        store = cls.open(path)
        try:
            return replace(store, lock=Lock(path / files.UNFINISHED / "zarr.json"))
        except InUseError:
            raise in_use(path) from None

    def release(self) -> None:
        """Let other processes continue it."""
        if self.lock is not None:
            self.lock.release()

    @property
    def batches(self) -> int:
        """The number of batches."""
        return len(self.run["starts"]) - 1

    @property
    def progress(self) -> str:
        """How far it is, for messages."""
        done = self.batches - len(self.missing())
        return f"{done:,} of {self.batches:,} batches done"

    def missing(self) -> list[int]:
        """The batches that are not done."""
        folder = self.path / files.UNFINISHED / DONE / "c"  # Zarr's folder of written chunks
        return [batch for batch in range(self.batches) if not (folder / str(batch)).exists()]

    def span(self, batch: int) -> tuple[slice, slice]:
        """The positions of a batch along curves and obs."""
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
        """The versions of libraries on which the last bits of results depend, by name."""
        versions: Mapping[str, str] = self._job.meta["versions"]
        return versions

    def fit(
        self, batch: int, *, threads: int | None = None, progress: Progress | None = None
    ) -> None:
        """Fit the curves of a batch and write the result; see `Job.tree`."""
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

    def tell(self, progress: Progress | None) -> None:
        """Report how many of all curves are done, each counting twice."""
        if progress is not None:
            total, left = int(self.run["curves"]), len(self.missing())
            progress(2 * max(total - left * int(self.run["batch"]), 0), 2 * total)

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Say how to continue after an interrupt."""
        try:
            yield
        except KeyboardInterrupt as stop:
            stop.add_note(f"{shown_path(self.path)}: {self.progress}; continue with --resume")
            raise

    def write(self, batch: int, tree: "xr.DataTree") -> None:
        """Write the numbers of a batch, and then its flag."""
        import zarr

        curves, _ = self.span(batch)
        drawn = dict(variables_of(tree, drawn=True))
        fill(self.path, drawn.items(), curves.start, 0)
        # what other curves alone have is there too: a chunk that is missing is one that was lost
        fill(self.path, self._empty(batch, drawn), curves.start, 0)
        zarr.open_array(self.path / files.UNFINISHED / DONE, mode="r+", zarr_format=3)[batch] = 1

    def _empty(self, batch: int, written: Mapping[str, Any]) -> "Iterator[tuple[str, xr.Variable]]":
        """What the curves of a batch do not have and others do, empty."""
        for path, variable in variables_of(self._tree, drawn=True):
            if path not in written and not {"obs"} & set(variable.dims):
                yield path, variable.isel(curve=self.span(batch)[0])

    def clear(self) -> None:
        """Remove the files of batches that are not done."""
        remove_half_written(self.path)
        missing = set(map(str, self.missing()))
        for path, _ in variables_of(self._tree, drawn=True):
            for chunk in (self.path / path / "c").rglob("*"):
                if chunk.name in missing and chunk.is_file():
                    chunk.unlink()
        remove(self.path / LOG_LIKELIHOOD)

    def finish(self) -> None:
        """Add the log likelihood if it is small, and finish the store."""
        with writing(self.path, self), scratch(self.path) as folder:
            self._add_log_likelihood(folder)
            remove_half_written(self.path)
            with self._old_one_moved(folder / "old"):
                os.rename(self.path / files.UNFINISHED, folder / "end")

    @contextmanager
    def _old_one_moved(self, aside: Path) -> Iterator[None]:
        """Move the replaced fit to a folder that is removed, or back after an error."""
        name = str(self.run["replaced"])
        old = self.path.with_name(name)
        is_ours = re.fullmatch(rf"{re.escape(self.path.name)}\.replaced-[0-9a-f]{{8}}", name)
        if not (is_ours and files.is_saved(old) and not old.is_symlink()):
            yield
            return
        os.rename(old, aside)
        try:
            yield
        except BaseException:
            os.rename(aside, old)
            raise

    def _add_log_likelihood(self, folder: Path) -> None:
        """Add the log likelihood, for `arviz.loo`, from the draws that were written."""
        *starts, observations = self.run["starts"]
        if not keeps_log_likelihood(self._job.draws, observations):
            return
        draft = folder / "draft"
        cut = max(1, CHUNK // (self._job.draws * 8))
        layout = Layout({"obs": observations}, {"obs": cut}, {})
        for batch, start in enumerate(starts):
            part = trees.part(self._tree, *self.span(batch))
            whole = trees.add_log_likelihood(part, Fit(part).log_likelihood())
            added = whole.filter(lambda node: node.name == LOG_LIKELIHOOD)
            if batch == 0:
                create(draft, added, layout)
            fill(draft, variables_of(added, drawn=False), 0, start)
            fill(draft, variables_of(added, drawn=True), 0, start)
        remove(self.path / LOG_LIKELIHOOD)
        os.rename(draft / LOG_LIKELIHOOD, self.path / LOG_LIKELIHOOD)


# ---- errors --------------------------------------------------------------------------------------


def unreadable(path: Path, why: object) -> DataError:
    """The error of a run that cannot be continued."""
    return DataError(
        f"{shown_path(path)}: expected a run to continue, but got one that cannot be read "
        f"({why}); remove it and begin anew"
    )


def in_use(path: Path) -> DataError:
    """The error of a run that another process is writing."""
    return DataError(
        f"{shown_path(path)}: expected a run that no other process is writing, but got one that "
        "is; wait for it to end, or name another output"
    )


@contextmanager
def writing(path: Path, store: Store | None = None) -> Iterator[None]:
    """Turn an error of the operating system into one that says how to continue."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        how = f"{store.progress}: make room and continue with --resume" if store else "make room"
        raise DataError(
            f"{shown_path(path)}: expected to write it, but got: {reason}; {how}"
        ) from error
