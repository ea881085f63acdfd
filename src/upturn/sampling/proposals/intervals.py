"""Gaps: stretches between neighbouring observations, where a changepoint is told by log odds.

A curve may take off just before an observation, as late as that one allows. It is then the
logarithm of the distance that the observation tells, in a line with that of the rate: on the plain
scale the posterior has a neck there, the thinner the less noise there is, which no mixture follows.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from upturn.arrays.namespaces import NUMPY
from upturn.arrays.types import Floats

END = 9.0  # of the first and of the last interval, in standard deviations of the prior
NEAR = 0.1  # standard deviations before an observation that are looked at for a neck
EVERY = 4  # particles, of which one is looked at
LEAST = 1e-3  # what a particle elsewhere in an interval counts for


@dataclass(frozen=True)
class Interval:
    """For each row, a stretch of the first coordinate.

    Attributes
    ----------
    low, high : array (row,)
    """

    low: Floats
    high: Floats

    @classmethod
    def before_observation(cls, z: Floats, marks: Floats, xp: Any = NUMPY) -> Self:
        """Each row's interval that has most particles close to its end, if any has, or most at all.

        Parameters
        ----------
        z : array (row, dimension, particle)
            Of equal weight.
        marks : array (row, mark)
            The first coordinate at the observations, in ascending order.
        """
        first = z[:, 0, ::EVERY]
        spread = first.std(axis=1, keepdims=True)
        aside = marks[:, :1] * 0
        edges = xp.module.concatenate([aside - END, marks, aside + END], axis=1)
        low, high = edges[:, :-1, None], edges[:, 1:, None]
        inside = (first[:, None] > low) & (high > first[:, None])
        near = high - first[:, None] < NEAR * spread[:, None]
        best = (inside * (near + LEAST)).sum(axis=2).argmax(axis=1)[:, None]
        take = xp.module.take_along_axis
        return cls(take(edges, best, axis=1)[:, 0], take(edges, best + 1, axis=1)[:, 0])

    def holds(self, first: Floats) -> Any:
        """Whether the first coordinate (row, particle) lies in it."""
        return (first > self.low[:, None]) & (self.high[:, None] > first)

    def odds(self, z: Floats, xp: Any = NUMPY) -> tuple[Floats, Floats]:
        """Logarithms of (high - z) / (z - low) in place of z, and how steeply they fall.

        Z is the first coordinate; outside the interval nothing falls.

        Parameters
        ----------
        z : array (row, dimension, particle)

        Returns
        -------
        array (row, dimension, particle)
            Any number in place of the first coordinate of what is not in the interval.
        array (row, particle)
        """
        left, right = z[:, 0] - self.low[:, None], self.high[:, None] - z[:, 0]
        inside = self.holds(z[:, 0])
        left, right = xp.where(inside, left, 1.0), xp.where(inside, right, 1.0)
        slope = xp.where(inside, 1 / left + 1 / right, 0.0)
        return _with_first(z, xp.log(right / left), xp), slope

    def placed(self, z: Floats, those: Any, xp: Any = NUMPY) -> Floats:
        """Those of the particles whose first coordinate is log odds, with it where it belongs."""
        low, high = self.low[:, None], self.high[:, None]
        first = high - (high - low) * xp.expit(z[:, 0])
        return _with_first(z, xp.where(those, first, z[:, 0]), xp)


def _with_first(z: Floats, first: Floats, xp: Any) -> Floats:
    out: Floats = xp.module.concatenate([first[:, None], z[:, 1:]], axis=1)
    return out


def marks(z: Floats) -> Floats:
    """Places (curve, mark) made ascending and finite, as many as a multiple of four."""
    kept = np.sort(np.clip(np.nan_to_num(z, nan=END), -END, END), axis=1)
    return np.pad(kept, ((0, 0), (0, -kept.shape[1] % 4)), constant_values=END)
