"""Task: what all joint models together say of the gain on one task."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from upturn.arrays.namespaces import NUMPY
from upturn.arrays.types import Booleans, Floats, Integers
from upturn.questions.contrast.gains import Paired

GRID = 257  # places along the axis at which the sign of a gain is looked at
NEGLIGIBLE = 1e-4  # probability of a joint model below which its draws are left out


@dataclass(frozen=True)
class Joint:
    """One joint model of one task: draws of its parameters, each (draw,), and its evidence."""

    model: Paired
    p: Mapping[str, Floats]
    log_evidence: float
    log_evidence_se: float
    converged: bool
    log_prior: float = 0.0

    def with_prior(self, log_prior: float) -> "Joint":
        return replace(self, log_prior=log_prior)


@dataclass(frozen=True)
class Task:
    """What all joint models together say of one task: arrays (draw,) unless said otherwise.

    Attributes
    ----------
    weight : array
        They sum to 1.
    change : array
        U at which the gain begins to grow; inf where it does not.
    helps, stops : array
        The first u from which on the technique helps, and at which it stops helping; -inf and inf
        where it does from the start and never.
    baseline, gain : array (place, draw)
        Expected score, and what the technique adds to it.
    joint, draw : array of int
        The joint model of each draw, and its place among the draws of that.
    crossings : tuple
        Names, and where each is: array (draw,), inf where there is none.
    """

    weight: Floats
    change: Floats
    helps: Floats
    stops: Floats
    baseline: Floats
    gain: Floats
    joint: Integers
    draw: Integers
    crossings: tuple[tuple[str, Floats], ...]


def crossings(gain: Floats, u: Floats, *, up: bool, which: int = 0) -> Floats:
    """The u of the k-th place where a gain becomes positive (up) or stops being so: (draw,).

    Inf where there is none. Between places the gain is a straight line.

    Parameters
    ----------
    gain : array (place, draw)
    u : array (place,)

    Examples
    --------
    >>> crossings(np.array([[-1.0], [3.0]]), np.array([0.0, 1.0]), up=True).tolist()
    [0.25]
    """
    positive = gain > 0
    flips = (positive[1:] & ~positive[:-1]) if up else (~positive[1:] & positive[:-1])
    order = np.cumsum(flips, axis=0)
    mine = flips & (order == which + 1)
    place = mine.argmax(axis=0)
    draws = np.arange(gain.shape[1])
    before, after = gain[place, draws], gain[place + 1, draws]
    apart = np.where(after != before, after - before, 1.0)
    at = u[place] + (u[place + 1] - u[place]) * np.clip(-before / apart, 0, 1)
    return np.where(mine.any(axis=0), at, np.inf)


def share_of(holds: Booleans, weight: Floats) -> float:
    """The probability of what holds in some draws, 1 at most whatever was rounded."""
    return min(float(weight[holds].sum()), 1.0)


def task_of(joints: Sequence[Joint], weights: Floats, ceiling: float) -> Task:
    """All draws of a task, on places along its axis.

    Parameters
    ----------
    joints : sequence of Joint
    weights : array (joint,)
    ceiling : float
        The best possible score.
    """
    u = np.linspace(0, 1, GRID)
    kept = np.flatnonzero(weights >= NEGLIGIBLE)
    parts = [_on_places(joints[k], u, ceiling) for k in kept.tolist()]
    counts = [part[0].shape[1] for part in parts]
    base, gain, odds = (np.concatenate([part[k] for part in parts], axis=1) for k in range(3))
    change = np.concatenate([part[3] for part in parts])
    weight = np.repeat(weights[kept] / counts, counts)
    named = tuple(
        (f"{'starts to help' if up else 'stops helping'}{' again' * (which > 0)}",
         crossings(odds, u, up=up, which=which))
        for which in range(2) for up in (True, False)
    )  # fmt: skip
    return Task(
        weight=weight / weight.sum(),
        change=change,
        helps=np.where(odds[0] > 0, -np.inf, named[0][1]),
        stops=named[1][1],
        baseline=base,
        gain=gain,
        joint=np.repeat(kept, counts),
        draw=np.concatenate([np.arange(count) for count in counts]),
        crossings=named,
    )


def _on_places(joint: Joint, u: Floats, ceiling: float) -> tuple[Floats, ...]:
    """Baseline, gain in score and gain in log odds (place, draw), and where the gain grows."""
    p = {name: value[None, None] for name, value in joint.p.items()}
    place, limit = u[None, :, None], np.full((1, 1, 1), ceiling)
    shape = (1, len(u), len(next(iter(joint.p.values()))))
    base, treated, odds = (
        np.broadcast_to(value, shape)[0]
        for value in (
            joint.model.base.mean(NUMPY, p, place, limit),
            joint.model.treated(NUMPY, p, place, limit),
            joint.model.gain.value(NUMPY, p, place),
        )
    )
    grows = joint.model.gain.kind == "growing"
    change = joint.p["gain_change"] if grows else np.full(shape[2], np.inf)
    return base, treated - base, odds, change
