"""Observation intervals: a changepoint reparametrised as log odds between two observations.

A curve may begin to rise just before an observation. The data then determine the logarithm of the
distance between the two, together with the logarithm of the rate. On the plain scale the posterior
has a narrow ridge there, the narrower the less noise there is, which no mixture can follow.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from upturn.arrays.namespaces import NUMPY
from upturn.arrays.types import Floats

END = 9.0  # of the first and of the last interval, in standard deviations of the prior
NEAR = 0.1  # standard deviations: particles that close before an observation may be on a ridge
EVERY = 4  # every 4th particle is used to choose the interval
LEAST = 1e-3  # the weight of a particle elsewhere in an interval


@dataclass(frozen=True)
class Interval:
    """An interval of the first coordinate for each row.

    Attributes
    ----------
    low, high : array (row,)
    """

    low: Floats
    high: Floats

    @classmethod
    def before_observation(cls, z: Floats, marks: Floats, xp: Any = NUMPY) -> Self:
        """For each row, the interval with the most particles close to its end, or the most at all.

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
        """Whether the first coordinate (row, particle) is in the interval."""
        return (first > self.low[:, None]) & (self.high[:, None] > first)

    def odds(self, z: Floats, xp: Any = NUMPY) -> tuple[Floats, Floats]:
        """The first coordinate z as log((high - z) / (z - low)), and minus its derivative.

        The derivative is 0 outside the interval.

        Parameters
        ----------
        z : array (row, dimension, particle)

        Returns
        -------
        array (row, dimension, particle)
            The first coordinate of particles outside the interval is arbitrary.
        array (row, particle)
        """
        left, right = z[:, 0] - self.low[:, None], self.high[:, None] - z[:, 0]
        inside = self.holds(z[:, 0])
        left, right = xp.where(inside, left, 1.0), xp.where(inside, right, 1.0)
        slope = xp.where(inside, 1 / left + 1 / right, 0.0)
        return _with_first(z, xp.log(right / left), xp), slope

    def placed(self, z: Floats, in_odds: Any, xp: Any = NUMPY) -> Floats:
        """The inverse of `odds` for the particles whose first coordinate is log odds."""
        low, high = self.low[:, None], self.high[:, None]
        first = high - (high - low) * xp.expit(z[:, 0])
        return _with_first(z, xp.where(in_odds, first, z[:, 0]), xp)


def _with_first(z: Floats, first: Floats, xp: Any) -> Floats:
    out: Floats = xp.module.concatenate([first[:, None], z[:, 1:]], axis=1)
    return out


def marks(z: Floats) -> Floats:
    """Values (curve, mark) sorted, made finite, and padded to a multiple of four."""
    kept = np.sort(np.clip(np.nan_to_num(z, nan=END), -END, END), axis=1)
    return np.pad(kept, ((0, 0), (0, -kept.shape[1] % 4)), constant_values=END)
