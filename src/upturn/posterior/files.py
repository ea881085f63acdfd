"""Fits on disk: NetCDF and Zarr, checked before anything is loaded."""

import errno
import logging
import os
import shutil
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from upturn.checks.errors import DataError, shown, shown_path
from upturn.posterior import foreign
from upturn.posterior.scratch import whole
from upturn.posterior.tree import SCHEMA, meta_of

if TYPE_CHECKING:
    import xarray as xr


REMEDY = "make one with `upturn fit TABLE -o fit.nc`"

UNFINISHED = "unfinished"  # a folder in a Zarr store of which batches are missing

SUFFIXES = (".nc", ".zarr")

HELD_BYTES = 128_000_000  # of what is larger in Zarr, arrays are read when asked for

EVERY_CHUNK = {"write_empty_chunks": True}  # of an array in Zarr

LONGEST_TEXT = 20_000  # characters; texts of one variable are all as wide as the longest


def check_writable(path: str | os.PathLike[str], suffixes: tuple[str, ...] = SUFFIXES) -> Path:
    """A path that can be written, before any work is done for it.

    Raises
    ------
    DataError
        For another suffix, a folder that is not there or not writable, or a folder in its place.
    """
    target, name = Path(os.path.expanduser(path)), shown_path(path)
    _check_name(target, suffixes)
    folder = target.parent
    if not folder.is_dir():
        got = "got a file" if folder.exists() else "there is none"
        raise DataError(
            f"{name}: expected a folder {shown_path(folder)} to write to, "
            f"but {got}; make it first, or name another"
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise DataError(
            f"{name}: expected a folder that can be written to, but got one that is read-only; "
            "change its permissions, or name another"
        )
    if target.is_dir() and target.suffix.lower() != ".zarr":
        raise DataError(f"{name}: expected a file, but got a folder; name a file in it")
    if target.suffix.lower() == ".zarr" and target.exists() and not is_saved(target):
        raise DataError(
            f"{name}: expected nothing there or a saved fit to replace, "
            "but got something else; name another"
        )
    return target


def _check_name(target: Path, suffixes: tuple[str, ...]) -> None:
    """A name with one of the endings, such as the file system takes."""
    name, got = shown_path(target), target.suffix
    if got.lower() not in suffixes:
        *most, last = suffixes
        expected = f"{', '.join(most)} or {last}" if most else last
        raise DataError(
            f"{name}: expected a name that ends in {expected}, "
            f"but got {shown(got) if got else 'no ending'}; rename it"
        )
    try:
        target.lstat()
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return  # of folders that are not there or closed the caller has more to say
    except (OSError, ValueError) as error:
        got = "one that is too long" if isinstance(error, OSError) else "one with NUL in it"
        raise DataError(
            f"{name}: expected a name that a file can have, but got {got}; choose another"
        ) from None


def is_saved(path: Path) -> bool:
    """Whether a folder is a store in Zarr."""
    return path.is_dir() and (path / "zarr.json").is_file()


def save(tree: "xr.DataTree", path: str | os.PathLike[str]) -> None:
    """Write a tree as NetCDF (.nc) or Zarr (.zarr), whole or not at all."""
    target = check_writable(path)
    with whole(target) as draft:
        if target.suffix.lower() == ".nc":
            _write_netcdf(tree, draft)
        else:
            write_zarr(tree, draft)


def _write_netcdf(tree: "xr.DataTree", path: Path) -> None:
    """Write a file of HDF5, for which there has to be room.

    Where a disk is full, HDF5 cannot close its file and ends the process. So a fit of the usual
    size is written in memory, and then to the disk; for a larger one, room is looked for first.
    """
    packed = _compact(tree)
    if tree.nbytes <= HELD_BYTES:
        memory = BytesIO()
        tree.to_netcdf(memory, engine="h5netcdf", encoding=packed)
        path.write_bytes(memory.getvalue())
        return
    if shutil.disk_usage(path.parent).free < tree.nbytes:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    tree.to_netcdf(path, engine="h5netcdf", encoding=packed)


def write_zarr(tree: "xr.DataTree", path: Path) -> None:
    """Write a store with all its chunks, also empty ones, so that one that is lost is noticed."""
    options: Any = EVERY_CHUNK
    tree.to_zarr(path, zarr_format=3, consolidated=False, **options)


def _compact(tree: "xr.DataTree") -> dict[str, dict[str, Any]]:
    """Light compression of draws: a third off the size for a tenth more time."""
    packed = {"zlib": True, "complevel": 1, "shuffle": True}
    return {
        f"/{name}": {
            str(name_of): dict(packed)
            for name_of, variable in group.data_vars.items()
            if variable.dtype.kind == "f" and variable.ndim > 1
        }
        for name, group in tree.children.items()
    }


def load(path: str | os.PathLike[str]) -> "xr.DataTree":
    """Read a tree that `save` wrote.

    Raises
    ------
    DataError
        For a file that is not there, not a saved fit, or written by a newer version.
    """
    source, name = Path(os.path.expanduser(path)), shown_path(path)
    if not os.path.exists(source):  # unlike the method, it has an answer for any name
        raise DataError(
            f"{name}: expected a saved fit (.nc or .zarr), but there is no such file; {REMEDY}"
        )
    if is_unfinished(source):
        raise DataError(
            f"{name}: expected a finished fit, but got a run of which batches are missing; "
            "continue it by the command that began it with --resume"
        )
    logging.getLogger("asyncio").addFilter(_not_of_zarr)  # once, however often it is added
    tree, reason = _attempt(source)
    if tree is None:
        raise DataError(f"{name}: expected a saved fit {reason}")
    _check(tree, name)
    return tree


def _attempt(source: Path) -> "tuple[xr.DataTree | None, str]":
    """The tree, or why there is none."""
    try:
        foreign.check(source)
        return open_saved(source), ""
    except MemoryError:
        return None, "that fits into memory, but it does not; fit fewer curves or draws at a time"
    except Exception as error:  # readers raise whatever they meet in a foreign file
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        return None, f"(.nc or .zarr), but got something unreadable ({why}); {REMEDY}"


def is_unfinished(path: Path) -> bool:
    """Whether a folder is a store of which batches are missing."""
    return os.path.isdir(path / UNFINISHED)


def open_lazily(path: Path) -> "xr.DataTree":
    """A tree of ours in Zarr whose arrays are read when asked for, and not kept."""
    import xarray as xr

    tree = xr.open_datatree(
        path, engine="zarr", zarr_format=3, consolidated=False, chunks=None, cache=False
    )
    return tree.drop_nodes(UNFINISHED, errors="ignore")


def open_saved(source: Path) -> "xr.DataTree":
    """A tree that we wrote, in memory unless it is a large one in Zarr; nothing is checked."""
    import xarray as xr

    if source.is_dir() and foreign.zarr_bytes(source) > HELD_BYTES:
        return open_lazily(source)
    if source.is_dir():
        # no other format than our own: Zarr 2 may hold pickles, which are programs
        opened = xr.open_datatree(
            source, engine="zarr", zarr_format=3, consolidated=False, chunks=None
        )
    else:
        opened = xr.open_datatree(source, engine="h5netcdf")
    with opened:
        # how it was packed is no part of it: what is loaded is saved as if it were new
        return opened.load().map_over_datasets(lambda group: group.drop_encoding())


def _not_of_zarr(record: logging.LogRecord) -> bool:
    """Whether asyncio speaks of a task that is not zarr's.

    Of several broken arrays zarr reports one, and asyncio prints the others whenever their tasks
    are thrown away, which may be long after.
    """
    return "zarr" not in record.getMessage()


def _check(tree: "xr.DataTree", name: str) -> None:
    try:
        meta = meta_of(tree)
        version = int(meta["schema"])
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError):
        raise DataError(
            f"{name}: expected a fit saved by upturn, but got another file; {REMEDY}"
        ) from None
    if version != SCHEMA:
        raise DataError(
            f"{name}: expected a saved fit of schema {SCHEMA}, but got schema {version}; "
            "use the version of upturn that wrote it, or fit again"
        )
    wanted = ("posterior", "emergence", "sample_stats", "observed_data", "constant_data")
    missing = [group for group in wanted if group not in tree.children]
    if missing:
        raise DataError(f"{name}: expected a group {missing[0]!r}, but got none; {REMEDY}")
    for group in tree.children.values():
        for variable in group.variables.values():
            if variable.dtype.kind in "OTSU" and _longest(variable.values) > LONGEST_TEXT:
                raise DataError(
                    f"{name}: expected texts of at most {LONGEST_TEXT:,} characters, "
                    f"but got a longer one; {REMEDY}"
                )


def _longest(texts: np.ndarray) -> int:
    return max((len(str(text)) for text in set(texts.ravel().tolist())), default=0)
