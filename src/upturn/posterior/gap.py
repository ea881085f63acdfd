"""Gap: the stretch above the smallest scale, which counts for as much as the widest of the others.

Priors of steepness are shares of the axis. One model far below all others would make every curve
less steep beforehand, in decades, and change what is said of scales that it says nothing about. So
shapes are fitted with that model no further below the next than two other neighbours are apart, and
looked at where it stands. At the upper end nothing is changed: an ability that is new in the
largest model appears in the gap below it.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from upturn.arrays.types import Floats
from upturn.tables.curves import Curves

EQUAL = 1e-6  # gaps of an even grid differ in their last digits


@dataclass(frozen=True)
class Gap:
    """Where the second-smallest scale stands on two unit axes: arrays (curve,).

    Attributes
    ----------
    second : array
        On the axis of the data; 0 where nothing is changed.
    counted : array
        On the axis on which the shapes are fitted.
    """

    second: Floats
    counted: Floats

    @classmethod
    def of(cls, curves: Curves) -> "Gap":
        """The gap of each curve; none where limits are wider than its scales, and on a mix."""
        second, counted = np.zeros((2, len(curves)))
        for i, (x, mask) in enumerate(zip(curves.x[0], curves.mask, strict=True)):
            scales = np.unique(x[mask])
            spans_curve = len(scales) > 2 and scales[0] == curves.limits[0, 0, i]
            if len(curves.axes[i].parts) > 1 or not spans_curve:
                continue
            first, *others = np.diff(scales).tolist()
            most = max(others)
            if first > most * (1 + EQUAL):
                rest = float(curves.limits[1, 0, i]) - scales[1]
                second[i], counted[i] = first / (first + rest), most / (most + rest)
        return cls(second, counted)

    def take(self, index: Any) -> "Gap":
        """Those of some of the curves."""
        return Gap(self.second[index], self.counted[index])

    def shortened(self, curves: Curves) -> Curves:
        """Curves with the smallest scale where it counts; the same object where nothing changes.

        Examples
        --------
        >>> import pandas as pd
        >>> from upturn import read
        >>> rows = {"model": list("klmno"), "flops": [1e14, 1e20, 1e21, 1e22, 1e23]}
        >>> curves = read(pd.DataFrame({"task": "a", **rows, "score": 0.5})).curves("flops")
        >>> Gap.of(curves).shortened(curves).x[0, 0].tolist()
        [19.0, 20.0, 21.0, 22.0, 23.0]
        """
        if not self.second.any():
            return curves
        low, high = curves.limits[:, 0]
        place = low + self.second * (high - low)
        far = high - (high - place) / (1 - self.counted)
        changed = self.second > 0
        x, limits = curves.x.copy(), curves.limits.copy()
        smallest = curves.mask & (x[0] == low[:, None]) & changed[:, None]
        x[0] = np.where(smallest, far[:, None], x[0])
        limits[0, 0] = np.where(changed, far, low)
        return replace(curves, x=x, limits=limits)

    def fitted(self, u: Floats) -> Floats:
        """Points of the data's unit axis on that of the shapes: (curve, …)."""
        if not self.second.any():
            return u
        shape = (-1, *(1,) * (u.ndim - 1))
        second, counted = self.second.reshape(shape), self.counted.reshape(shape)
        below = u * counted / np.where(second > 0, second, 1.0)
        above = counted + (u - second) * (1 - counted) / (1 - second)
        return np.where(second > 0, np.where(u < second, below, above), u)
