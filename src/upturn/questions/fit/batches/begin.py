"""Begin a run that is written batch by batch, or find the run to continue."""

import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from upturn.checks.errors import DataError, shown, shown_path
from upturn.posterior import files
from upturn.posterior import tree as trees
from upturn.posterior.scratch import Lock, remove_abandoned, scratch
from upturn.questions.fit.batches.arrays import create, fill
from upturn.questions.fit.batches.store import DONE, Store, in_use, unreadable, writing
from upturn.questions.fit.batches.survey import PART, Layout, Parts, Survey, placed, variables_of
from upturn.questions.fit.job import Job
from upturn.tables.curves import Curves

if TYPE_CHECKING:
    import xarray as xr

BATCH, LARGE_BATCH = 64, 256  # curves
MANY = 4096  # curves from which batches are large: there would be too many files


def begin(
    job: Job, parts: Parts, path: Path, *, resume: bool = False, batch: int | None = None
) -> Store | None:
    """The store of a run, new or found; None if the run is finished.

    Parameters
    ----------
    job : Job
    parts : Parts
    path : Path
        The output. A finished fit there is replaced at the end.
    resume : bool
        Whether to continue the run whose store is at the path, if there is one.
    batch : int, optional
        Curves a batch.

    Raises
    ------
    DataError
        For an unfinished run there without `resume`, for a run of something else with it, and for
        a full disk.
    """
    with writing(path):
        remove_abandoned(path)
        if resume and path.exists():
            return _found(job, parts, path, batch)
        if files.is_unfinished(path):
            Store.held(path).release()  # raises if another process is writing it
            raise DataError(
                f"{shown_path(path)}: expected nothing there or a finished fit to replace, but got "
                f"an unfinished run ({Store.open(path).progress}); continue it with --resume "
                "(resume=True), or remove it"
            )
        return _new(job, parts, path, batch)


def _new(job: Job, parts: Parts, path: Path, batch: int | None) -> Store:
    """A store with everything known beforehand, under another name until it is complete."""
    survey = Survey.of(job, parts)
    survey.job = replace(job, meta={**job.meta, "notes": list(parts.notes)})
    size = batch or (BATCH if survey.curves <= MANY else LARGE_BATCH)
    ends, start = survey.ends, 0
    with scratch(path) as folder:
        draft = folder / "new"
        for part in parts:
            if start == 0:
                create(draft, survey.empty(part.take(slice(0, 1))), Layout.of(survey, size))
            known = variables_of(survey.empty(part), drawn=False)
            fill(draft, placed(known, start, int(ends[start])), start, int(ends[start]))
            start += len(part)
        bounds = [*range(0, start, size), start]
        old = f"{path.name}.replaced-{secrets.token_hex(4)}"
        run = {"batch": size, "curves": start, "starts": ends[bounds].tolist(), "replaced": old}
        _mark(draft, run)
        return _put_in_place(draft, path, path.with_name(old))


def _put_in_place(draft: Path, path: Path, old: Path) -> Store:
    """Give a store its name, unless another run has taken it in the meantime."""
    with Lock(path.parent, wait=True):
        if files.is_unfinished(path):
            raise in_use(path)
        if path.exists():
            os.rename(path, old)
        os.rename(draft, path)
        return Store.held(path)


def _mark(folder: Path, run: Mapping[str, Any]) -> None:
    """Mark a store as one without finished batches."""
    import zarr

    group = zarr.open_group(folder, mode="r+", zarr_format=3).create_group(files.UNFINISHED)
    group.attrs.update(run)
    batches = len(run["starts"]) - 1
    group.create_array(
        DONE, shape=(batches,), chunks=(1,), dtype=np.int8, dimension_names=["batch"]
    )


def _found(job: Job, parts: Parts, path: Path, batch: int | None) -> Store | None:
    """The store at a path, if it is of the same run; None if that is finished."""
    store = Store.held(path) if files.is_unfinished(path) else None
    try:
        _agree(Survey.of(job, parts), _stored(path), path)
        if store is not None:
            if batch not in {None, store.run["batch"]}:
                _refuse(path, "batch", store.run["batch"], batch)
            store.clear()
    except BaseException:
        if store is not None:
            store.release()
        raise
    return store


def _stored(path: Path) -> Survey:
    """The survey of the store at a path."""
    try:
        tree = files.open_lazily(path)
        return Survey.of(Job.of(trees.meta_of(tree)), _parts_in(tree))
    except Exception as error:  # any error can come from a damaged file
        why = (str(error).splitlines() or [type(error).__name__])[0]
        raise unreadable(path, why) from error


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
