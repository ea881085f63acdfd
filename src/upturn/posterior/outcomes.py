"""Outcomes: what a curve does over the scales that were measured, in the words of the verdict."""

import numpy as np

from upturn.arrays.types import Floats, Integers
from upturn.posterior.functionals import Functionals

# Of a draw of the expected curve; the first that holds.
OUTCOMES = (
    "emerges",
    "U-shaped",
    "rises and falls",
    "falls",
    "grows from the first model",
    "not yet",
    "no change",
)
PROBABLY = "probably emerges"
UNDECIDED = "undecided"
VERDICTS = (OUTCOMES[0], PROBABLY, *OUTCOMES[1:], UNDECIDED)
SURE = 0.95
LIKELY = 0.5


def outcomes(
    per_draw: Functionals, emergent: np.ndarray, reference: Floats, *, rise: Floats, delta: Floats
) -> Integers:
    """What each draw of each curve does: the place in `OUTCOMES` of the first that holds.

    U-shaped: it falls by `rise` and rises again by as much. Rises and falls: the reverse. Falls:
    it ends `rise` below its start. Grows: it ends `rise` above its start, or delta above chance.
    Not yet: it ends less than delta above chance. No change: it is above that from the start.

    Parameters
    ----------
    per_draw : Functionals
    emergent : array of bool (curve, draw)
    reference : array (curve, draw)
        Chance on the model's scale, or the expected score at the smallest scale.
    rise, delta : array (curve,)
    """
    rise, delta = rise[:, None], delta[:, None]
    start, end = per_draw.start, per_draw.start + per_draw.rise
    dips = (start - per_draw.lowest >= rise) & (end - per_draw.lowest >= rise)
    humps = (per_draw.highest - start >= rise) & (per_draw.highest - end >= rise)
    above = start > reference + delta
    grows = (per_draw.rise >= rise) | (~above & (end > reference + delta))
    holds = [emergent, dips, humps, per_draw.rise <= -rise, grows, ~above]
    return np.select(holds, range(len(holds)), default=len(OUTCOMES) - 1).astype(np.int8)


def verdict_of(probability: Floats) -> list[str]:
    """The verdict on each curve from the probabilities of its outcomes (curve, outcome).

    An outcome that is more likely than not is the verdict; emergence that is not sure is said to
    be probable. Otherwise the curve is undecided.

    Examples
    --------
    >>> verdict_of(np.array([[0.97, 0, 0, 0, 0.03, 0, 0], [0.4, 0, 0, 0, 0.3, 0.3, 0]]))
    ['emerges', 'undecided']
    """
    out = []
    for p in np.where(np.isnan(probability), 0.0, probability):
        likeliest = int(p.argmax())
        if p[likeliest] <= LIKELY:
            out.append(UNDECIDED)
        elif likeliest == 0 and p[0] < SURE:
            out.append(PROBABLY)
        else:
            out.append(OUTCOMES[likeliest])
    return out
