"""HangsOn: on which model the verdict on a curve hangs.

A verdict that rests on the smallest or on the largest model alone may be a fact about that model.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from upturn.arrays.types import Booleans, Floats
from upturn.posterior.averaging import ModelAverage
from upturn.posterior.outcomes import LIKELY
from upturn.questions.classify.ends import Ends, dropped
from upturn.sampling.particles.weights import LARGEST_K
from upturn.tables.curves import Curves

MOVES = 0.3  # a p_emergent that moves so far hangs on what was left out
UNTRUSTED = 0.3  # probability of models with a high k̂ from which on a curve is fitted again
CLEAR = 0.05  # a p_emergent within this of 0 or 1 with and without a scale is not refitted for k̂


@dataclass(frozen=True)
class HangsOn:
    """`p_emergent` without each of the smallest and largest scales: arrays (curve, scale).

    Attributes
    ----------
    p : array
        nan for scales that a curve has not.
    p_model : array (curve, model, scale)
        Probability of each model without the scale.
    untrusted : array
        Probability of the models whose weights have too heavy a tail; 0 where the curve was fitted
        without the scale.
    refitted : array of bool
        Whether it was.
    """

    p: Floats
    p_model: Floats
    untrusted: Floats
    refitted: Booleans

    @classmethod
    def of(cls, average: ModelAverage, ends: Sequence[Ends], refitted: Floats) -> "HangsOn":
        """Averages over models, replaced where curves were fitted without a scale.

        Parameters
        ----------
        average : ModelAverage
        ends : sequence of Ends
            One a model.
        refitted : array (curve, scale)
            nan where the curve was not.
        """
        ratio, emergent, khat = (
            np.stack([getattr(e, name) for e in ends], axis=1)
            for name in ("log_ratio", "emergent", "khat")
        )
        weight = np.stack(
            [average.with_evidence(average.log_evidence + ratio[:, :, k])
             for k in range(refitted.shape[1])], axis=2,
        )  # fmt: skip
        p = (weight * emergent).sum(axis=1)
        untrusted = (weight * (khat > LARGEST_K)).sum(axis=1)
        exact = np.isfinite(refitted)
        return cls(np.where(exact, refitted, p), weight, np.where(exact, 0.0, untrusted), exact)

    def doubtful(self, p: Floats) -> Booleans:
        """Where an exact answer could matter, p being that with all scales: (curve, scale)."""
        apart = self.changed(p) & ~self.refitted
        together = np.stack([np.broadcast_to(p[:, None], self.p.shape), self.p])
        clear = (together.max(axis=0) < CLEAR) | (together.min(axis=0) > 1 - CLEAR)
        return np.isfinite(self.p) & (apart | ((self.untrusted > UNTRUSTED) & ~clear))

    def changed(self, p: Floats) -> Booleans:
        """Where leaving the scale out changes the verdict: (curve, scale)."""
        with np.errstate(invalid="ignore"):
            crossed = (self.p > LIKELY) != (p[:, None] > LIKELY)
            moved = np.abs(self.p - p[:, None])
            # a move of a few hundredths across one half is no change of verdict
            return np.isfinite(self.p) & ((moved >= MOVES) | (crossed & (moved >= MOVES / 3)))

    def names(self, curves: Curves, p: Floats) -> tuple[list[str], list[str]]:
        """The models that each curve's verdict hangs on, and a flag that says so; "" for none."""
        changed, drop = self.changed(p), dropped(curves)
        names, flags = [""] * len(curves), [""] * len(curves)
        for i in np.flatnonzero(changed.any(axis=1)):
            moved = np.where(changed[i], np.abs(self.p[i] - p[i]), -1.0)
            k = int(moved.argmax())
            names[i] = ", ".join(dict.fromkeys(curves.model[i, drop[k, i]].tolist()))
            flags[i] = f"hangs on {names[i]}: p_emergent {self.p[i, k]:.2f} without"
        return names, flags
