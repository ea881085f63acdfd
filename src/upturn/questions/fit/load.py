"""load: read a saved fit."""

import os

from upturn.checks.errors import DataError, shown_path
from upturn.posterior import files
from upturn.questions.fit.result import Fit


def load(path: str | os.PathLike[str]) -> Fit:
    """Read a saved fit.

    Raises
    ------
    DataError
        For a file that is not one.
    """
    tree = files.load(path)
    try:
        loaded = Fit(tree)
        loaded.check()
        next(loaded.parts()).summary()
    except (KeyError, ValueError, IndexError, TypeError, AttributeError) as error:
        raise DataError(
            f"{shown_path(path)}: expected a fit saved by upturn, but got one with parts missing "
            f"or changed ({error}); fit again"
        ) from None
    return loaded
