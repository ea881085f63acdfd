"""Deterministic quadrature: log evidence and posterior moments, to compare samplers with.

No random number is drawn here and no code is shared with the library, nor with the PyMC models.
In whitened coordinates every prior is N(0, 1). A posterior that is smooth and dies out on all
sides is summed over a lattice, for which the trapezoidal rule converges exponentially (Trefethen
& Weideman 2014): the lattice is laid along the Hessian at the mode, and only the nodes that hold
mass are visited, by a flood fill from the mode, so that bent and skewed posteriors cost no more
than they must. A changepoint breaks the smoothness wherever it passes a data point, as does the
slope of a ramp where the ramp meets the ceiling: those are integrated outside, by Gauss-Kronrod
rules between the breaks, halved where the two rules differ.

How far off the result is, is what a coarser lattice along other axes says (`check`).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri
from scipy.stats import qmc

from benchmarks.problems.pymc_models import Counts
from benchmarks.references.lattice import Rule, Sum, lattice, mode_of
from benchmarks.references.posterior import REACH, Posterior, whole

type Floats = NDArray[np.float64]
type Function = Callable[[Floats], Floats]

DEPTH = 8  # halvings

# Gauss-Legendre with 3 nodes, and Kronrod's extension of it to 7
NODES = np.array(
    [-0.9604912687080202, -0.7745966692414834, -0.4342437493468026, 0.0,
     0.4342437493468026, 0.7745966692414834, 0.9604912687080202]
)  # fmt: skip
KRONROD = np.array(
    [0.1046562260264673, 0.2684880898683334, 0.4013974147759622, 0.4509165386584741,
     0.4013974147759622, 0.2684880898683334, 0.1046562260264673]
)  # fmt: skip
GAUSS = np.array([0, 5 / 9, 0, 8 / 9, 0, 5 / 9, 0])


# --- outer parameters -----------------------------------------------------------------------------


@dataclass
class Piece:
    """One rule on an interval of an outer parameter."""

    low: float
    high: float
    z: Floats
    sums: list[Sum]
    halvings: int = 0

    @property
    def log_weights(self) -> Floats:
        """Log of rule weight × prior density × inner integral."""
        half = 0.5 * (self.high - self.low)
        prior = -0.5 * self.z**2 - 0.5 * math.log(2 * math.pi)
        return np.log(half * KRONROD) + prior + np.array([s.log for s in self.sums])

    def masses(self, top: float) -> tuple[float, float]:
        """exp(-top) times the integral over the interval, by Kronrod's rule and by Gauss's."""
        weights = np.exp(self.log_weights - top)
        return float(weights.sum()), float((weights * (GAUSS / KRONROD)).sum())


@dataclass(frozen=True)
class Answer:
    """The posterior of one curve by quadrature.

    Attributes
    ----------
    log_evidence : float
    mean, sd : dict
        By parameter, and of the logarithm of positive ones as ``log rate`` and so on.
    nodes : int
        Likelihood evaluations.
    pieces : list of Piece
        Of the changepoint, where there is one.
    """

    log_evidence: float
    mean: dict[str, float]
    sd: dict[str, float]
    nodes: int
    pieces: list[Piece] = field(default_factory=list, repr=False)

    def quantile(self, share: float) -> float:
        """Of the changepoint: where its distribution function reaches `share`."""
        top = max(float(p.log_weights.max()) for p in self.pieces)
        mass = np.array([np.exp(p.log_weights - top).sum() for p in self.pieces])
        target, before = share * mass.sum(), 0.0
        for piece, share_of_piece in zip(self.pieces, mass, strict=True):
            if before + share_of_piece >= target:
                return float(ndtr(_inside(piece, (target - before) / share_of_piece)))
            before += share_of_piece
        raise AssertionError("a share below 1 is reached before the end")


def integrate(
    name: str,
    counts: Counts,
    *,
    binomial: bool = False,
    rule: Rule | None = None,
) -> Answer:
    """Evidence and posterior moments of one curve under one of the models."""
    posterior = Posterior(name, counts, binomial=binomial)
    labels = labels_of(posterior.names)

    def moments(z: Floats) -> Floats:
        p = posterior.parameters(z)
        values = [
            np.log(np.maximum(p[label[4:]], 1e-300)) if label.startswith("log ") else p[label]
            for label in labels
        ]
        return np.stack([power for v in values for power in (v, v * v)], axis=1)

    total, pieces = _nested(posterior, moments, [], None, rule or Rule())
    first, second = total.moments[0::2], total.moments[1::2]
    spread = np.sqrt(np.maximum(second - first**2, 0))
    return Answer(
        total.log,
        dict(zip(labels, first.tolist(), strict=True)),
        dict(zip(labels, spread.tolist(), strict=True)),
        total.nodes,
        pieces,
    )


def check(
    name: str, counts: Counts, *, binomial: bool = False, rule: Rule | None = None
) -> tuple[Answer, float, float]:
    """An answer with its errors: of log evidence, and of moments in posterior sds.

    They are what changes on a coarser lattice laid along other axes, and so larger than its own.
    """
    rule = rule or Rule()
    answer = integrate(name, counts, binomial=binomial, rule=rule)
    coarse = integrate(name, counts, binomial=binomial, rule=rule.coarser)
    moments = [
        max(abs(answer.mean[n] - coarse.mean[n]), abs(answer.sd[n] - coarse.sd[n])) / answer.sd[n]
        for n in answer.mean
    ]
    return answer, abs(answer.log_evidence - coarse.log_evidence), max(moments)


def labels_of(names: Sequence[str]) -> list[str]:
    positive = [n for n in names if n in ("rate", "slope", "width", "overdispersion")]
    return [*names, *(f"log {n}" for n in positive)]


def _nested(
    posterior: Posterior,
    moments: Callable[[Floats], Floats],
    fixed: list[float],
    near: Floats | None,
    rule: Rule,
) -> tuple[Sum, list[Piece]]:
    """The integral over what is not fixed yet: outer parameters one by one, then the lattice."""
    if len(fixed) == len(posterior.outer):
        return _inner(posterior, moments, fixed, near, rule), []
    modes: dict[float, Floats] = {}
    nodes = 0

    def piece(low: float, high: float, halvings: int) -> Piece:
        nonlocal nodes
        z = 0.5 * (low + high) + 0.5 * (high - low) * NODES
        sums = []
        for value in z:
            start = modes[min(modes, key=lambda m: abs(m - value))] if modes else near
            entry, _ = _nested(posterior, moments, [*fixed, float(value)], start, rule)
            modes[float(value)] = entry.mode
            nodes += entry.nodes
            sums.append(entry)
        return Piece(low, high, z, sums, halvings)

    todo = [piece(a, b, 0) for a, b in _worth_while(posterior, fixed, near, rule)]
    done: list[Piece] = []
    while todo:
        top = max(float(p.log_weights.max()) for p in (*todo, *done))
        total = sum(p.masses(top)[0] for p in (*todo, *done))
        last = todo.pop()
        fine, coarse = last.masses(top)
        if abs(fine - coarse) < rule.tolerance * total or last.halvings == DEPTH:
            done.append(last)
            continue
        middle = 0.5 * (last.low + last.high)
        todo.append(piece(last.low, middle, last.halvings + 1))
        todo.append(piece(middle, last.high, last.halvings + 1))
    done.sort(key=lambda p: p.low)
    log = np.concatenate([p.log_weights for p in done])
    top = log.max()
    weight = np.exp(log - top)
    averages = np.stack([s.moments for p in done for s in p.sums])
    mean = (weight[:, None] * averages).sum(axis=0) / weight.sum()
    best = [s for p in done for s in p.sums][int(log.argmax())]
    return Sum(float(np.log(weight.sum()) + top), mean, best.mode, nodes), done


def _worth_while(
    posterior: Posterior, fixed: list[float], near: Floats | None, rule: Rule
) -> list[tuple[float, float]]:
    """The intervals between breaks that may hold mass, by the height of the mode in each."""
    edges = posterior.breaks(fixed)
    edges = np.unique(np.concatenate((edges, np.linspace(-REACH, REACH, 9))))
    left = len(posterior.names) - len(fixed) - 1
    start, heights = near, []
    for low, high in pairwise(edges):
        results = []
        for share in (0.02, 0.5, 0.98):
            density = posterior.given([*fixed, low + share * (high - low)])
            starts = _scattered(density, left) if start is None else start[None, -left:]
            start = max((mode_of(density, s) for s in starts), key=lambda z: density(z[None])[0])
            results.append(float(density(start[None])[0]))
        heights.append(max(results))
    least = max(heights) - 2 * rule.cutoff
    pairs = zip(edges[:-1], edges[1:], heights, strict=True)
    return [(a, b) for a, b, height in pairs if height > least]


def _scattered(density: Function, dimension: int) -> Floats:
    """The best three of some hundred points of the prior."""
    net = ndtri(qmc.Sobol(dimension, scramble=False).random_base2(9)[1:])
    return net[np.argsort(density(net))[-3:]]


def _inner(
    posterior: Posterior,
    moments: Callable[[Floats], Floats],
    fixed: list[float],
    near: Floats | None,
    rule: Rule,
) -> Sum:
    density = posterior.given(fixed)
    starts = _scattered(density, len(posterior.inner)) if near is None else near[None]
    return lattice(density, lambda z: moments(whole(fixed, z)), starts, rule)


def _inside(piece: Piece, share: float) -> float:
    """Where within a piece its own distribution function reaches a share, by its polynomial."""
    weights = piece.log_weights
    values = np.exp(weights - weights.max()) / KRONROD  # the density at the nodes
    polynomial = np.polynomial.Legendre.fit(NODES, values, len(NODES) - 1, domain=[-1, 1])
    summed = polynomial.integ(lbnd=-1)
    low, high = -1.0, 1.0
    target = share * summed(1.0)
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if summed(middle) < target else (low, middle)
    return 0.5 * (piece.low + piece.high) + 0.5 * (piece.high - piece.low) * low
