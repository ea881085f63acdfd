"""Files that are written whole or not at all."""

from pathlib import Path

from upturn.posterior.scratch import whole


def write_text(path: Path, text: str) -> None:
    """Write a text under a temporary name, then rename it.

    Raises
    ------
    DataError
        Where the operating system refuses.
    """
    with whole(path) as draft:
        draft.write_text(text, encoding="utf-8", newline="")
