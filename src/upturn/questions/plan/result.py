"""Plan: how sure a design will make us."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from upturn.arrays.types import Floats
from upturn.tables.axis import Axis

if TYPE_CHECKING:
    import pandas as pd


RISK = 0.05  # of calling a design enough that is not


@dataclass(frozen=True)
class Plan:
    """Designs, and how well each pins an emergence scale.

    Attributes
    ----------
    rows : tuple of dict
        One a design.
    within, probability : float
        What was asked for.
    axis : Axis
    meta : dict
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
            `layout`, `models`, `trials`; `p_within`, the share of tasks whose estimate comes so
            close, its standard error, and `p_within_low`, what it is at least, with probability
            .95 (Jeffreys's interval); `enough`, where that is what was asked for; the median
            `error` and the median `half_width` of 90 % intervals, in decades; `coverage_90`, how
            many of those hold the truth; `tasks` simulated, and how many `failed` to converge.
        """
        import pandas as pd

        frame = pd.DataFrame([dict(row) for row in self.rows])
        low = surely(frame["p_within"].to_numpy() * frame["tasks"].to_numpy(), frame["tasks"])
        frame.insert(5, "p_within_low", low)
        frame.insert(6, "enough", low >= self.probability)
        return frame

    @property
    def verdict(self) -> str:
        """The design with the fewest models, then examples, that is enough; or that none is."""
        table = self.summary()
        asked = (
            f"the emergence scale to ± {self.within:g} decades with {100 * self.probability:.0f} % "
            "probability"
        )
        enough = table[table["enough"]]
        if enough.empty:
            best = table.iloc[int(table["p_within"].to_numpy().argmax())]
            return (
                f"none of {len(table)} designs is sure to pin {asked}; the best, {best['models']} "
                f"models with {best['trials']:,} examples ({best['layout']}), does so with "
                f"{100 * best['p_within']:.0f} ± {100 * best['p_within_se']:.0f} %"
            )
        order = enough.sort_values(["models", "trials"], kind="stable")
        first = order.iloc[0]
        return (
            f"{first['models']} models with {first['trials']:,} examples each ({first['layout']}) "
            f"pin {asked}: {100 * first['p_within']:.0f} % of {first['tasks']} simulated tasks, at "
            f"least {100 * first['p_within_low']:.0f} % in the long run (p = {1 - RISK:g})"
        )


def surely(hits: Any, tasks: Any) -> Floats:
    """What a share is at least, with probability .95: Jeffreys's one-sided interval.

    Brown, Cai & DasGupta 2001, Interval estimation for a binomial proportion, section 4.1.2.

    Parameters
    ----------
    hits, tasks : array (design,)

    Examples
    --------
    >>> surely([81.0, 90.0], [100, 100]).round(3).tolist()
    [0.739, 0.842]
    """
    from scipy.special import betaincinv

    k, n = np.asarray(hits, dtype=np.float64), np.asarray(tasks, dtype=np.float64)
    return np.asarray(betaincinv(k + 0.5, n - k + 0.5, RISK))
