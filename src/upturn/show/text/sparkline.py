"""Sparklines: the mean score along the axis in small blocks."""

from dataclasses import dataclass

import numpy as np

from upturn.arrays.types import Floats
from upturn.tables.curves import Curves

BLOCKS = "▁▂▃▄▅▆▇█"
NOTHING = "·"  # no point in this part of the axis
WIDTH = 10


@dataclass(frozen=True)
class Sparkline:
    """The blocks of one curve, and whether each is drawn faintly.

    Parts without a point, and those whose score is at or below chance, are faint.
    """

    blocks: str
    faint: tuple[bool, ...]

    def __str__(self) -> str:
        return self.blocks


def sparklines(curves: Curves, width: int = WIDTH) -> list[Sparkline]:
    """One sparkline a curve; upward is better, whatever the metric.

    Parameters
    ----------
    curves
        Of any axes. Proportions are drawn from 0 to the ceiling; continuous metrics from their
        lowest value, or chance, to the highest, or the ceiling.
    width
        Number of blocks, which divide the axis between the limits of the curve equally.
    """
    means = _means(curves, width)
    low, high = _range(curves)
    levels = _levels(means, low[:, None], high[:, None])
    chance = _levels(curves.orientation * curves.chance, low, high)
    return [
        _sparkline(row, floor) for row, floor in zip(levels.tolist(), chance.tolist(), strict=True)
    ]


def _sparkline(levels: list[int], chance: int) -> Sparkline:
    blocks = "".join(NOTHING if level < 0 else BLOCKS[level] for level in levels)
    return Sparkline(blocks, tuple(level <= chance for level in levels))


def _means(curves: Curves, width: int) -> Floats:
    """The mean oriented score of the points in each part of the axis, NaN where there are none."""
    components = np.array([len(axis.parts) for axis in curves.axes])
    u = curves.u.sum(axis=0) / components[:, None]  # a mix is drawn along its equal mixture
    stretch = np.clip((u * width).astype(np.int64), 0, width - 1)
    cell = (np.arange(len(curves))[:, None] * width + stretch)[curves.mask]
    score = (curves.orientation[:, None] * curves.score)[curves.mask]
    size = len(curves) * width
    count = np.bincount(cell, minlength=size)
    total = np.bincount(cell, weights=score, minlength=size)
    mean = np.divide(total, count, out=np.full(size, np.nan), where=count > 0)
    return mean.reshape(len(curves), width)


def _range(curves: Curves) -> tuple[Floats, Floats]:
    """The scores of the lowest and the highest block, each of shape (curve,)."""
    score = curves.orientation[:, None] * curves.score
    continuous = curves.kind == "continuous"
    chance, ceiling = (curves.orientation * ends for ends in (curves.chance, curves.ceiling))
    lowest = np.fmin(np.where(curves.mask, score, np.inf).min(axis=1), chance)
    highest = np.where(curves.mask, score, -np.inf).max(axis=1)
    high = np.where(np.isnan(ceiling), highest, ceiling)
    return np.where(continuous, lowest, 0.0), np.where(continuous, np.fmax(high, highest), high)


def _levels(score: Floats, low: Floats, high: Floats) -> Floats:
    """The block of each score, −1 where there is none."""
    room = np.where(high > low, high - low, 1.0)
    level = np.clip(np.floor((score - low) / room * len(BLOCKS)), 0, len(BLOCKS) - 1)
    return np.where(np.isnan(score), -1, level).astype(np.int64)
