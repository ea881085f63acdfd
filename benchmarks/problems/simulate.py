"""Simulate: hinges drawn from their prior by `upturn.simulate`, and tables made by hand."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from upturn.questions.simulate.draw import Drawn

type Floats = NDArray[np.float64]

CHANCES = (0.0, 0.2, 0.25, 0.5, np.nan)
DECADES = (19.0, 25.0)  # log10 of FLOPs


@dataclass(frozen=True)
class Table:
    """Simulated counts with the truths they were made from.

    Attributes
    ----------
    x, successes, trials : array (curve, point)
        0 in padding.
    mask : array (curve, point)
    group : array (curve, point)
        -1 in padding, and everywhere without groups.
    chance : array (curve,)
        nan where unknown.
    truth : dict of array (curve,)
        Parameters by name; the changepoint on the unit axis.
    """

    x: Floats
    successes: Floats
    trials: Floats
    mask: NDArray[np.bool_]
    group: NDArray[np.int64]
    chance: Floats
    truth: dict[str, Floats]


def hinges(
    count: int,
    *,
    seed: int,
    points: tuple[int, int] = (12, 40),
    trials: tuple[int, int] = (100, 2000),
    groups: int = 0,
    sigma: float | None = None,
) -> "Drawn":
    """Curves of the hinge whose every parameter is drawn from its prior.

    Parameters
    ----------
    count : int
    seed : int
    points, trials : (int, int)
        Least and most; of trials the logarithm is uniform.
    groups : int
        Families, or runs: each has an offset along the unit axis, and points fall to them evenly.
    sigma : float, optional
        The offsets' standard deviation; by default drawn from its prior, HalfNormal(0.1).
    """
    from upturn import Design, Model
    from upturn.questions.simulate.draw import draw

    rng = np.random.default_rng(seed)
    low, high = DECADES
    design = Design(points, trials, CHANCES, groups, limits=(10**low, 10**high))
    fixed = {} if sigma is None else {"scatter": sigma}
    return draw(Model.read("hinge"), design.curves(count, rng=rng), rng, fixed=fixed)
