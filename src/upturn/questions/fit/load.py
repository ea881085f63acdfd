"""load: read a saved fit."""

import os

from upturn.checks.errors import DataError, shown_path
from upturn.posterior import files
from upturn.questions.fit.result import Fit


def load(path: str | os.PathLike[str]) -> Fit:
    """Read a saved fit.

    Parameters
    ----------
    path : str or path
        A file (.nc) or folder (.zarr) that `Fit.save` wrote.

    Returns
    -------
    Fit

    Raises
    ------
    DataError
        For a file that is not a saved fit.

    Examples
    --------
    >>> import tempfile, upturn
    >>> table = upturn.read("gpt3").where("setting=few-shot", "task=arithmetic_3da")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     upturn.fit(table, draws=100).save(f"{folder}/fit.nc")
    ...     len(upturn.load(f"{folder}/fit.nc"))
    1
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
