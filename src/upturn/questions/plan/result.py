"""The answer of `plan`: how well each design locates an emergence scale."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from upturn.arrays.types import Floats
from upturn.questions.notebook import InNotebooks
from upturn.tables.axis import Axis

if TYPE_CHECKING:
    import pandas as pd


RISK = 0.05  # probability of calling a design enough that is not


@dataclass(frozen=True)
class Plan(InNotebooks):
    """Designs, and how well each locates an emergence scale.

    Attributes
    ----------
    rows : tuple of dict
        One for each design.
    within, probability : float
        Largest error in decades, and the probability with which it should not be exceeded.
    axis : Axis
        The axis of scale.
    meta : dict
        Versions, seed, arguments and priors.
    """

    rows: tuple[Mapping[str, Any], ...]
    within: float
    probability: float
    axis: Axis
    meta: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"Plan({len(self.rows)} designs, within {self.within:g} decades)"

    def summary(self) -> "pd.DataFrame":
        """One row a design.

        Returns
        -------
        DataFrame
            `layout`, `models`, `trials`; `p_within`, the share of tasks whose estimate is close
            enough, its standard error `p_within_se`, and its lower limit `p_within_low` with
            probability 0.95 (Jeffreys interval); `enough`, whether that limit reaches the
            probability asked for; the median `error` and the median `half_width` of 90 % intervals,
            in decades; `coverage_90`, the share of intervals that contain the true scale; `tasks`,
            the number simulated, and `failed`, how many did not converge.
        """
        import pandas as pd

        frame = pd.DataFrame([dict(row) for row in self.rows])
        low = lower_limit(frame["p_within"].to_numpy() * frame["tasks"].to_numpy(), frame["tasks"])
        frame.insert(5, "p_within_low", low)
        frame.insert(6, "enough", low >= self.probability)
        return frame

    @property
    def verdict(self) -> str:
        """The design that is enough with the fewest models, then questions; or that none is."""
        table = self.summary()
        asked = (
            f"the emergence scale to ± {self.within:g} decades with {100 * self.probability:.0f} % "
            "probability"
        )
        enough = table[table["enough"]]
        if enough.empty:
            best = table.iloc[int(table["p_within"].to_numpy().argmax())]
            return (
                f"none of {len(table)} designs is certain to locate {asked}; the best, "
                f"{best['models']} models with {best['trials']:,} questions ({best['layout']}), "
                f"does so with {100 * best['p_within']:.0f} ± {100 * best['p_within_se']:.0f} %"
            )
        order = enough.sort_values(["models", "trials"], kind="stable")
        first = order.iloc[0]
        return (
            f"{first['models']} models with {first['trials']:,} questions each ({first['layout']}) "
            f"locate {asked}: {100 * first['p_within']:.0f} % of {first['tasks']} simulated tasks, "
            f"at least {100 * first['p_within_low']:.0f} % in the long run (p = {1 - RISK:g})"
        )


def lower_limit(hits: Any, tasks: Any) -> Floats:
    """The lower limit of a share with probability 0.95: the one-sided Jeffreys interval.

    Brown, Cai & DasGupta 2001, Interval estimation for a binomial proportion, section 4.1.2.

    Parameters
    ----------
    hits, tasks : array (design,)
        Successes, and how many were tried.

    Returns
    -------
    array (design,)

    Examples
    --------
    >>> lower_limit([81.0, 90.0], [100, 100]).round(3).tolist()
    [0.739, 0.842]
    """
    from scipy.special import betaincinv

    k, n = np.asarray(hits, dtype=np.float64), np.asarray(tasks, dtype=np.float64)
    return np.asarray(betaincinv(k + 0.5, n - k + 0.5, RISK))
