"""Scratch folders: what is written there takes its place once it is whole.

A scratch folder lies beside its target, on the same disk, under a name that nobody can guess, made
by this process alone and closed to other users, so that nothing can be planted in it. Its process
holds a lock on it. Where a process was killed, the next that writes to the same target finds the
folder without a lock and removes it; a folder without our mark is left alone.
"""

import hashlib
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from upturn.checks.errors import DataError, shown_path

if sys.platform != "win32":
    import fcntl

MARK = "made-by-upturn"


class InUseError(Exception):
    """Another process holds the lock."""


class Lock:
    """A lock on a file or folder, which ends with the process that holds it.

    Raises
    ------
    InUseError
        Where another one holds it and there is to be no wait.
    """

    def __init__(self, path: Path, *, wait: bool = False):
        self._descriptor = -1
        if sys.platform == "win32":
            return  # nothing is locked, and what a killed process left stays
        with suppress(OSError):  # where it may not be read, or the file system has no locks
            self._descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                self.release()
                raise InUseError(path) from None

    def release(self) -> None:
        """Let others have it; more than once does no harm."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        self.release()


@contextmanager
def scratch(target: Path) -> Iterator[Path]:
    """A scratch folder of a target, removed at the end."""
    remove_abandoned(target)
    folder = Path(tempfile.mkdtemp(prefix=_prefix(target), dir=target.parent))
    try:
        with Lock(folder, wait=True):
            (folder / MARK).touch()  # from now on it may be removed by others, once it is unlocked
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _prefix(target: Path) -> str:
    """How scratch folders of a target begin, of the same length for every name."""
    return f".upturn.{hashlib.sha256(os.fsencode(target.name)).hexdigest()[:8]}."


def remove_abandoned(target: Path) -> None:
    """Remove the scratch folders of processes that were killed as they wrote to a target."""
    for folder in target.parent.glob(f"{_prefix(target)}*"):
        if is_scratch(folder):
            with suppress(InUseError, OSError), Lock(folder):
                shutil.rmtree(folder, ignore_errors=True)


def is_scratch(folder: Path) -> bool:
    """Whether a folder is one that a process of this user made here."""
    try:
        status = folder.lstat()
        is_mine = not hasattr(os, "geteuid") or status.st_uid == os.geteuid()
        return stat.S_ISDIR(status.st_mode) and is_mine and (folder / MARK).is_file()
    except OSError:
        return False


@contextmanager
def whole(target: Path) -> Iterator[Path]:
    """A path to write a file or folder to, which takes the target's place where all went well.

    Raises
    ------
    DataError
        Where the operating system refuses.
    """
    try:
        with scratch(target) as folder:
            draft = folder / target.name
            yield draft
            put(draft, target, aside=folder / "old")
    except OSError as error:
        raise DataError(
            f"{shown_path(target)}: expected to write it, but got: {error.strerror or error}; "
            "check the disk"
        ) from error


def put(draft: Path, target: Path, *, aside: Path) -> None:
    """Move a file or folder into place; what was there stays where that fails."""
    if not target.is_dir():
        os.replace(draft, target)
        return
    os.rename(target, aside)  # no folder replaces one that holds something
    try:
        os.rename(draft, target)
    except BaseException:
        os.rename(aside, target)
        raise
