"""Files that are written whole or not at all."""

import os
from pathlib import Path

from upturn.checks.errors import DataError


def write_text(path: Path, text: str) -> None:
    """Write a text under a temporary name beside its own, then rename it.

    Raises
    ------
    DataError
        Where the operating system refuses.
    """
    temporary = path.with_name(f".upturn.{os.getpid()}.tmp")
    try:
        try:
            temporary.write_text(text, encoding="utf-8", newline="")
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise DataError(
            f"{path}: expected to write it, but got: {error.strerror}; check the disk"
        ) from error
