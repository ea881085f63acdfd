"""Rules for the arguments of a question: one function a rule, each returns the cleaned value."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from upturn.checks.errors import DataError, listed, nearest, shown
from upturn.checks.names import BACKENDS, SAMPLERS, SCATTERS

MAX_DRAWS = 1_000_000


def check_names(*, sampler: str, backend: str, scatter: str, **optional: str | None) -> None:
    """Refuse names that are no text, and those of choices that there are not."""
    given = {"sampler": sampler, "backend": backend, "scatter": scatter}
    for name, value in (given | {k: v for k, v in optional.items() if v is not None}).items():
        if not isinstance(value, str):
            raise DataError(f"{name}: expected a name in quotes, but got {shown(value)}")
    known(sampler, SAMPLERS, kind="sampler", where="sampler")
    known(backend, BACKENDS, kind="backend", where="backend")
    known(scatter, SCATTERS, kind="scatter", where="scatter")


def check_numbers(*, draws: Any, seed: Any, delta: Any, threads: Any) -> None:
    """Refuse numbers of the wrong kind or size."""
    for name, value, least, most in (
        ("draws", draws, 40, MAX_DRAWS),
        ("seed", seed, 0, 2**63 - 1),
        ("threads", threads if threads is not None else 1, 1, 4096),
    ):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
            raise DataError(f"{name}: expected a whole number, but got {shown(value)}")
        if not least <= value <= most:
            raise DataError(f"{name}: expected {least} to {most}, but got {value}")
    if not (isinstance(delta, (int, float, np.floating)) and 0 < delta < 1):
        raise DataError(f"delta: expected a number between 0 and 1, but got {shown(delta)}")


def whole(name: str, value: Any, least: int, most: int) -> None:
    """Refuse what is no whole number between the two."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise DataError(f"{name}: expected a whole number, but got {shown(value)}")
    if not least <= value <= most:
        raise DataError(f"{name}: expected {least:,} to {most:,}, but got {value:,}")


def interval_levels(ci: Any) -> NDArray[np.float64]:
    """The levels of an equal-tailed interval's ends and of the median between them."""
    if not (isinstance(ci, (int, float, np.floating)) and 0 < ci < 1):
        raise DataError(f"ci: expected a probability between 0 and 1, but got {shown(ci)}")
    return np.array([(1 - ci) / 2, 0.5, (1 + ci) / 2], dtype=np.float64)


def known(name: str, names: Sequence[str], *, kind: str, where: str) -> str:
    """A name that has to be one of those that exist.

    Parameters
    ----------
    name
        What was given.
    names
        What exists.
    kind
        The noun for it: "axis", "column".
    where
        What the message begins with: the table's name or the argument's.

    Returns
    -------
    str
        The name.

    Raises
    ------
    DataError
        With the nearest name and those that exist.
    """
    if name in names:
        return name
    guess = nearest(name, names)
    hint = f"did you mean {shown(guess)}? " if guess is not None else ""
    raise DataError(
        f"{where}: expected a known {kind}, but got {shown(name)}; "
        f"{hint}there {'is' if len(names) == 1 else 'are'}: {listed(names)}"
    )
