"""Net: posterior moments as weighted sums over a scrambled net, where a lattice would be too large.

A posterior with a thin neck needs a lattice as fine as the neck everywhere. Here a proposal follows
it instead: Student-t's around draws, each as wide as the draws about it, half of them around draws
of the posterior and half around draws of a colder one, which know of thin ends of necks of which
the others see little. The densities are those of `benchmarks.references.posterior`; nothing of the
library is used. From the prior, particles are tempered until they are the posterior's; the proposal
is then made anew from its own draws. How far off the result is, is what replicates of the net say.
"""

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.spatial import KDTree
from scipy.special import gammaln, logsumexp, ndtr, ndtri
from scipy.stats import chi2, qmc

from benchmarks.problems.pymc_models import Counts
from benchmarks.references.posterior import Posterior
from benchmarks.references.quadrature import labels_of

type Floats = NDArray[np.float64]

KERNELS = 512
SEEN = 8192  # draws that neighbours are looked for among
NEIGHBOURS = 96  # that say how wide a kernel is
WIDER = 1.3  # than they lie
DEGREES = 5.0
DEFENSE = 0.05  # of the prior
PARTICLES = 2**16  # of a stage
LEAST = 0.02  # effective share of them that a temperature leaves
STAGES = 40
AGAIN = 3  # proposals from draws of a proposal for the posterior
COLD = 2.0  # inverse temperature of the other half of the kernels
REPLICATES, POINTS = 8, 2**22
PIECE = 2**15  # points at a time
BLOCK = 256  # of them in the fastest cache


@dataclass(frozen=True)
class Found:
    """Weighted sums over the replicates of a net, with standard errors by their spread.

    Attributes
    ----------
    log_evidence, log_evidence_error : float
    mean, sd : dict
        By parameter, and of the logarithm of positive ones as ``log rate`` and so on.
    moment_error : float
        The largest of those of means and sds, in posterior sds.
    quantiles : list of float
        Of the changepoint.
    points : int
    efficiency : float
        Effective share of the points.
    """

    log_evidence: float
    log_evidence_error: float
    mean: dict[str, float]
    sd: dict[str, float]
    moment_error: float
    quantiles: list[float]
    points: int
    efficiency: float


@dataclass(frozen=True)
class Proposal:
    """DEFENSE × N(0, 1) + (1 - DEFENSE) × an even mixture of Student-t's.

    Attributes
    ----------
    means : array (kernel, dimension)
    roots : array (kernel, dimension, dimension)
        Lower Cholesky factors of the scale matrices.
    """

    means: Floats
    roots: Floats

    @classmethod
    def around(cls, draws: Floats) -> "Proposal":
        """Kernels at some of equally weighted draws, in random order (draw, dimension)."""
        dimension = draws.shape[1]
        scale = draws.std(axis=0) + 1e-12
        # which lie about one is asked where all of them together are round
        root = np.linalg.cholesky(np.cov(draws.T / scale[:, None]) + 1e-9 * np.eye(dimension))
        even = np.linalg.solve(root, draws.T / scale[:, None]).T
        means = draws[:KERNELS]
        _, near = KDTree(even).query(even[:KERNELS], NEIGHBOURS)
        off = draws[near] - means[:, None]
        spread = np.einsum("knd,kne->kde", off, off) / NEIGHBOURS
        floor = 1e-8 * np.einsum("kdd->kd", spread) + 1e-16
        spread += np.einsum("kd,de->kde", floor, np.eye(dimension))
        return cls(means, WIDER * np.linalg.cholesky(spread))

    def beside(self, other: "Proposal") -> "Proposal":
        """The kernels of both."""
        means = np.concatenate([self.means, other.means])
        return Proposal(means, np.concatenate([self.roots, other.roots]))

    def draw(self, uniform: Floats) -> Floats:
        """Points of the proposal from points (point, dimension + 2) of the unit cube."""
        normal = ndtri(uniform[:, :-2])
        tail = np.sqrt(DEGREES / chi2.ppf(uniform[:, -2], DEGREES))
        place = (uniform[:, -1] - DEFENSE) / (1 - DEFENSE)
        kernel = np.minimum(
            (np.maximum(place, 0) * len(self.means)).astype(int), len(self.means) - 1
        )
        off = np.einsum("nde,ne->nd", self.roots[kernel], normal) * tail[:, None]
        return np.where((place < 0)[:, None], normal, self.means[kernel] + off)

    def log_density(self, z: Floats) -> Floats:
        """(point,)."""
        count, dimension = self.means.shape
        inverse = np.linalg.inv(self.roots)
        constant = float(gammaln((DEGREES + dimension) / 2) - gammaln(DEGREES / 2))
        constant -= 0.5 * dimension * math.log(DEGREES * math.pi)
        height = np.exp(constant - np.log(np.einsum("kdd->kd", self.roots)).sum(axis=1)) / count
        out = np.empty(len(z))
        _density(z, inverse, np.einsum("kde,ke->kd", inverse, self.means), height, out)
        return np.log(DEFENSE * np.exp(_log_prior(z)) + (1 - DEFENSE) * out)


@njit(nogil=True, cache=True)
def _density(z: Floats, inverse: Floats, shift: Floats, height: Floats, out: Floats) -> None:
    points, dimension = z.shape
    for start in range(0, points, BLOCK):
        block = z[start : start + BLOCK].T.copy()  # points innermost, for vector instructions
        count = block.shape[1]
        coordinate, root, power, total = (
            np.empty(count),
            np.empty(count),
            np.empty(count),
            np.zeros(count),
        )
        for k in range(len(height)):
            root[:] = 1.0
            for i in range(dimension):
                coordinate[:] = -shift[k, i]
                for j in range(i + 1):
                    for n in range(count):
                        coordinate[n] += inverse[k, i, j] * block[j, n]
                for n in range(count):
                    root[n] += coordinate[n] * coordinate[n] / DEGREES
            for n in range(count):
                root[n], power[n] = 1.0 / np.sqrt(root[n]), height[k]
            left = int(DEGREES) + dimension  # root ** left, by squares
            while left:
                for n in range(count):
                    power[n] *= root[n] if left % 2 else 1.0
                    root[n] *= root[n]
                left //= 2
            for n in range(count):
                total[n] += power[n]
        out[start : start + BLOCK] = total


def _log_prior(z: Floats) -> Floats:
    values: Floats = -0.5 * (z * z).sum(axis=1) - 0.5 * math.log(2 * math.pi) * z.shape[1]
    return values


def integrate(name: str, counts: Counts, *, binomial: bool = False, seed: int = 1) -> Found:
    """Evidence and posterior moments of one curve under one of the models.

    Parameters
    ----------
    name : str
        One of `reference.PRIORS`.
    counts : Counts
        Of one curve.
    binomial : bool
    seed : int
        Of what scrambles the nets.
    """
    posterior = Posterior(name, counts, binomial=binomial)
    rng = np.random.default_rng(seed)
    proposal = _tempered(posterior, rng)
    for _ in range(AGAIN):
        z, log_weights = _drawn(posterior, proposal, PARTICLES, rng)
        colder = log_weights + (COLD - 1) * (posterior.log_density(z) - _log_prior(z))
        own, other = (Proposal.around(_resampled(z, w, rng)) for w in (log_weights, colder))
        proposal = own.beside(other)
    parts = [
        part_of(posterior, *_drawn(posterior, proposal, POINTS, rng)) for _ in range(REPLICATES)
    ]
    return _summed(posterior, parts)


def _tempered(posterior: Posterior, rng: np.random.Generator) -> Proposal:
    """A proposal for the posterior, from the prior through the temperatures between."""
    z = ndtri(_net(len(posterior.names), PARTICLES, rng))
    log_weights = posterior.log_density(z) - _log_prior(z)
    offset, heat = np.zeros(PARTICLES), 0.0
    for _ in range(STAGES):
        likelihood = log_weights - offset
        heat = _warmer(offset, likelihood, heat)
        proposal = Proposal.around(_resampled(z, offset + heat * likelihood, rng))
        if heat == 1:
            return proposal
        z, log_weights = _drawn(posterior, proposal, PARTICLES, rng)
        offset = _log_prior(z) - proposal.log_density(z)
    raise RuntimeError(f"net: not at the posterior after {STAGES} stages, but at {heat:.3g}")


def _warmer(offset: Floats, likelihood: Floats, before: float) -> float:
    """The highest temperature that leaves enough effective particles."""

    def enough(heat: float) -> bool:
        log_weights = offset + heat * likelihood
        share = np.exp(2 * logsumexp(log_weights) - logsumexp(2 * log_weights)) / len(offset)
        return bool(share >= LEAST)

    if enough(1.0):
        return 1.0
    low, high = max(before, 1e-12), 1.0
    for _ in range(30):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if enough(middle) else (low, middle)
    return low


def _drawn(
    posterior: Posterior, proposal: Proposal, count: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Points of a proposal, by one net, and their log weights for the posterior."""
    uniform = _net(len(posterior.names) + 2, count, rng)
    pieces = [proposal.draw(uniform[i : i + PIECE]) for i in range(0, count, PIECE)]
    log_weights = [posterior.log_density(z) - proposal.log_density(z) for z in pieces]
    return np.concatenate(pieces), np.concatenate(log_weights)


def _net(dimension: int, count: int, rng: np.random.Generator) -> Floats:
    values: Floats = qmc.Sobol(dimension, rng=rng).random(count)
    return np.clip(values, 1e-12, 1 - 1e-12)


def _resampled(z: Floats, log_weights: Floats, rng: np.random.Generator) -> Floats:
    """Equally weighted draws, in random order."""
    share = np.exp(log_weights - logsumexp(log_weights))
    marks = (np.arange(SEEN) + rng.random()) / SEEN
    index = np.minimum(np.searchsorted(np.cumsum(share), marks), len(z) - 1)
    return z[rng.permutation(index)]


@dataclass(frozen=True)
class Part:
    """What one replicate of a net says.

    Attributes
    ----------
    sums : array (1 + 2 × quantity,)
        Means over its points of the weight, and of it times each quantity and its square.
    square : float
        Mean of the squared weight.
    z, weight : array (point,)
        The first coordinate, and the weights.
    top : float
        The logarithm of what weights are shares of.
    """

    sums: Floats
    square: float
    z: Floats
    weight: Floats
    top: float


def part_of(posterior: Posterior, z: Floats, log_weights: Floats) -> Part:
    """Moments of a posterior from points (point, dimension) with log weights (point,)."""
    top = float(log_weights.max())
    weight = np.exp(log_weights - top)
    p = posterior.parameters(z)
    sums = [weight.mean()]
    for label in labels_of(posterior.names):
        logged = label.startswith("log ")
        value = np.log(np.maximum(p[label[4:]], 1e-300)) if logged else p[label]
        value = np.where(weight > 0, value, 0.0)  # far out, where nothing weighs, it may be endless
        sums += [(weight * value).mean(), (weight * value**2).mean()]
    return Part(np.array(sums), float((weight**2).mean()), z[:, 0].copy(), weight, top)


def _summed(posterior: Posterior, parts: list[Part]) -> Found:
    """What the replicates say together, and apart."""
    labels = labels_of(posterior.names)
    top = max(part.top for part in parts)
    scale = np.exp([part.top - top for part in parts])
    sums = scale[:, None] * np.array([part.sums for part in parts])
    whole = sums.mean(axis=0)

    def moments(row: Floats) -> tuple[Floats, Floats]:
        first, second = row[1::2] / row[0], row[2::2] / row[0]
        return first, np.sqrt(np.maximum(second - first**2, 0))

    mean, sd = moments(whole)
    # errors of ratios from their influence on each replicate, as a jackknife takes them
    count = len(sums)
    left = [moments((whole * count - row) / (count - 1)) for row in sums]
    errors = [
        np.sqrt((count - 1) / count * np.square(np.array(v) - np.mean(v, axis=0)).sum(axis=0))
        for v in zip(*left, strict=True)
    ]
    square = float(scale**2 @ [part.square for part in parts]) / count
    quantiles = []
    if "changepoint" in posterior.names:
        weights = [s * part.weight for s, part in zip(scale, parts, strict=True)]
        quantiles = _quantiles(np.concatenate([p.z for p in parts]), np.concatenate(weights))
    return Found(
        float(np.log(whole[0]) + top),
        float(sums[:, 0].std(ddof=1) / math.sqrt(count) / whole[0]),
        dict(zip(labels, mean.tolist(), strict=True)),
        dict(zip(labels, sd.tolist(), strict=True)),
        float(max((e / sd).max() for e in errors)),
        quantiles,
        sum(len(part.z) for part in parts),
        float(whole[0] ** 2 / square),
    )


def _quantiles(z: Floats, weight: Floats) -> list[float]:
    """The 5 % and the 95 % quantile of the changepoint, the first coordinate."""
    order = np.argsort(z)
    share = np.cumsum(weight[order])
    index = np.searchsorted(share, np.array([0.05, 0.95]) * share[-1])
    return [float(ndtr(v)) for v in z[order][index]]
