"""Changes: how probable each is, from draws of the scales before and after."""

import numpy as np

from upturn.arrays.types import Floats
from upturn.questions.diff.side import Side

CHANGES = ("emerged", "vanished", "earlier", "later", "same", "untested")
UNDECIDED = "undecided"
LIKELY = 0.5
BATCHES = 10  # of draws, from whose scatter the Monte Carlo error is taken
PAIRS = 5_000_000  # compared at once


def probabilities(before: Side, after: Side, tolerance: Floats) -> tuple[Floats, Floats]:
    """The probability of each change of each curve, and its Monte Carlo error.

    Draws of the two are independent, and each is compared with each of its batch.

    Parameters
    ----------
    before, after : Side
        The same curves in the same order.
    tolerance : array (curve,)
        How far apart, as coordinates, two scales count as the same.

    Returns
    -------
    p, error : array (curve, change)
    """
    curves = len(tolerance)
    draws = min(before.x.shape[1], after.x.shape[1]) // BATCHES
    step = max(1, PAIRS // (BATCHES * draws**2))
    parts = [
        _by_batch(
            _batches(before.x[chosen], draws),
            _batches(after.x[chosen], draws),
            before.curves.limits[0, 0, chosen, None, None],
            after.curves.limits[:, 0, chosen, None, None],
            tolerance=tolerance[chosen, None, None, None],
        )
        for chosen in (slice(start, start + step) for start in range(0, curves, step))
    ]
    p = np.concatenate(parts)
    return p.mean(axis=1), p.std(axis=1, ddof=1) / np.sqrt(BATCHES)


def named(p: Floats) -> list[str]:
    """The change that is more probable than not, of each curve.

    Examples
    --------
    >>> named(np.array([[0.9, 0, 0, 0, 0.1, 0], [0.4, 0, 0.3, 0, 0.3, 0]]))
    ['emerged', 'undecided']
    """
    likeliest = p.argmax(axis=1).tolist()
    return [
        CHANGES[k] if row[k] > LIKELY else UNDECIDED for row, k in zip(p, likeliest, strict=True)
    ]


def _batches(x: Floats, draws: int) -> Floats:
    """Draws (curve, batch, draw)."""
    return x[:, : BATCHES * draws].reshape(len(x), BATCHES, draws)


def _by_batch(x: Floats, y: Floats, low: Floats, ends: Floats, *, tolerance: Floats) -> Floats:
    """The share of pairs with each change: (curve, batch, change).

    Of an ability that is there at the smallest scale, only an upper limit of its scale is known:
    it is earlier or later than another only where all scales below that limit would be. And it has
    vanished only where the later result has a model at its scale.

    Parameters
    ----------
    x, y : array (curve, batch, draw)
        Scales before and after.
    low : array (curve, 1, 1)
        The smallest scale before.
    ends : array (2, curve, 1, 1)
        The smallest and the largest scale after.
    tolerance : array (curve, 1, 1, 1)
    """
    seen, seen_after = x < np.inf, y < np.inf
    most, most_after = np.maximum(x, low), np.maximum(y, ends[0])
    absent, absent_after = 1 - seen.mean(axis=2), 1 - seen_after.mean(axis=2)
    emerged = absent * seen_after.mean(axis=2)
    vanished = (seen & (most <= ends[1])).mean(axis=2) * absent_after
    untested = (seen & (most > ends[1])).mean(axis=2) * absent_after
    x, y, most = x[..., :, None], y[..., None, :], most[..., :, None]
    both = seen[..., :, None] & seen_after[..., None, :]
    earlier = (both & (most_after[..., None, :] < x - tolerance)).mean(axis=(2, 3))
    later = (both & (y > most + tolerance)).mean(axis=(2, 3))
    same = 1 - emerged - vanished - earlier - later - untested
    return np.stack([emerged, vanished, earlier, later, np.maximum(same, 0), untested], axis=2)
