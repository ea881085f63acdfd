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
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.special import betainccinv, betaincinv, expit, gammaln, log_ndtr, logit, ndtr, ndtri
from scipy.stats import qmc

from benchmarks.problems.pymc_models import Counts, parsed, priors

type Floats = NDArray[np.float64]
type Function = Callable[[Floats], Floats]

MARGIN = 1e-9
RHO = (1e-8, 0.999)
REACH = 12.0  # of outer whitened coordinates
DEPTH = 8  # halvings
FIRST_WAVE = {1: 8, 2: 6, 3: 3, 4: 1, 5: 1}  # its half width, by dimension
LENGTHS = np.array([0.0, 1e-3, 0.01, 0.05, 0.2, 0.5, 1.0, 1.5])  # of Newton's steps

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


@dataclass(frozen=True)
class Rule:
    """How finely, along which axes and how far out sums are made.

    Attributes
    ----------
    step : float
        Of the lattice, in posterior standard deviations.
    cutoff : float
        Nats below the mode at which the lattice ends.
    turned : bool
        Lay the lattice along the principal axes in place of the Cholesky factor.
    tolerance : float
        Share of the evidence by which an interval's two rules may differ: Kronrod's is far closer.
    """

    step: float = 0.7
    cutoff: float = 14.0
    turned: bool = False
    tolerance: float = 3e-4

    @property
    def coarser(self) -> "Rule":
        """One that shows how far off this one is."""
        return replace(self, step=1.25 * self.step, turned=True)


FINE = Rule(step=0.5, cutoff=24.0, tolerance=1e-4)


# --- priors: quantile functions of z, exact, each tail from its own side --------------------------


def _half_normal(sd: float) -> Function:
    return lambda z: -sd * ndtri(0.5 * ndtr(-z))


def _beta(a: float, b: float) -> Function:
    if a == 1:
        return lambda z: -np.expm1(log_ndtr(-z) / b)
    return lambda z: np.where(z < 0, betaincinv(a, b, ndtr(z)), betainccinv(a, b, ndtr(-z)))


QUANTILES: dict[str, Callable[..., Function]] = {
    "Uniform": lambda low, high: lambda z: low + (high - low) * ndtr(z),
    "Normal": lambda mean, sd: lambda z: mean + sd * z,
    "LogNormal": lambda mean, sd: lambda z: np.exp(mean + sd * z),
    "HalfNormal": _half_normal,
    "Beta": _beta,
}


def _quantiles(text: str, chance: float) -> Function:
    if text.startswith("BetaMode"):
        return _beta(1, 4) if math.isnan(chance) else _beta(1 + 98 * chance, 1 + 98 * (1 - chance))
    name, numbers = parsed(text)
    return QUANTILES[name](*numbers)


# --- expected scores ------------------------------------------------------------------------------


def _beyond(p: dict[str, Floats], u: Floats) -> Floats:
    return np.maximum(u - p["changepoint"], 0)


# The share of the way from floor to ceiling, (node, point), of parameters (node, 1)
SHARES: dict[str, Callable[[dict[str, Floats], Floats], Floats]] = {
    "hinge": lambda p, u: p["height"] * -np.expm1(-p["rate"] * _beyond(p, u)),
    "ramp": lambda p, u: np.minimum(p["slope"] * _beyond(p, u), 1),
    "step": lambda p, u: np.where(u > p["changepoint"], p["level"], 0.0),
    "delayed-logit": lambda p, u: expit(logit(p["level"]) + p["slope"] * _beyond(p, u)),
    "logit-line": lambda p, u: expit(p["intercept"] + p["slope"] * u),
    "logistic": lambda p, u: p["height"] * expit((u - p["midpoint"]) / p["width"]),
    "flat": lambda p, u: p["level"] + 0 * u,
    "chance": lambda p, u: 0 * u + 0 * p["floor"],
}


@njit(nogil=True, cache=True)
def _log_rising(x: float, k: float) -> float:
    """Log Gamma(x + k) - log Gamma(x): a product while it is short, else Stirling's series."""
    if k <= 8.0:
        product = 1.0
        for i in range(int(k)):
            product *= x + i
        return math.log(product)
    product = 1.0
    while x < 10.0:
        product *= x
        x += 1.0
        k -= 1.0
    y = x + k
    if y < 10.0:  # then the recurrence ran past the end, which is a product again
        return math.log(product) - _log_rising(y, -k)
    sx, sy = 1.0 / (x * x), 1.0 / (y * y)
    corrections = (1 / 12 - sy * (1 / 360 - sy * (1 / 1260 - sy / 1680))) / y - (
        1 / 12 - sx * (1 / 360 - sx * (1 / 1260 - sx / 1680))
    ) / x
    return (x - 0.5) * math.log1p(k / x) + k * (math.log(y) - 1.0) + corrections + math.log(product)


@njit(nogil=True, cache=True)
def _beta_binomial(mean: Floats, size: Floats, k: Floats, n: Floats) -> Floats:
    nodes, points = mean.shape
    out = np.zeros(nodes)
    for i in range(nodes):
        for j in range(points):
            alpha = mean[i, j] * size[i]
            beta = (1.0 - mean[i, j]) * size[i]
            out[i] += _log_rising(alpha, k[j]) + _log_rising(beta, n[j] - k[j])
            if j == 0 or n[j] != n[j - 1]:
                whole = _log_rising(size[i], n[j])
            out[i] -= whole
    return out


# --- the posterior of one curve -------------------------------------------------------------------


class Posterior:
    """Log prior times likelihood of one curve in whitened coordinates.

    Parameters
    ----------
    name : str
        One of `reference.PRIORS`.
    counts : Counts
        Of one curve.
    binomial : bool
        The binomial likelihood in place of the beta-binomial.
    """

    def __init__(self, name: str, counts: Counts, *, binomial: bool = False) -> None:
        self.name, self.counts, self.binomial = name, counts, binomial
        outer = {"ramp": ("changepoint", "slope")}.get(name, ("changepoint",))
        own = priors(name, binomial=binomial)
        self.outer = tuple(p for p in own if p in outer)
        self.inner = tuple(p for p in own if p not in outer)
        self.names = (*self.outer, *self.inner)
        self.ceiling = float(counts.ceiling[0])
        self._priors = {n: _quantiles(text, float(counts.chance[0])) for n, text in own.items()}
        # the slope's prior, for where a ramp meets the ceiling
        self._slope = parsed(own["slope"])[1] if name == "ramp" else ()
        k, n = counts.successes, counts.trials
        self._constant = float((gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)).sum())

    def parameters(self, z: Floats) -> dict[str, Floats]:
        """Parameters at z (node, dimension), outer ones first."""
        return {name: self._priors[name](z[:, i]) for i, name in enumerate(self.names)}

    def log_likelihood(self, p: dict[str, Floats]) -> Floats:
        """(node,), binomial coefficients included."""
        k, n = self.counts.successes, self.counts.trials
        column = {name: value[:, None] for name, value in p.items()}
        mean = self.ceiling * SHARES[self.name](column, self.counts.u)
        if "floor" in p:
            mean = column["floor"] * (1 - mean / self.ceiling) + mean
        mean = np.clip(mean, MARGIN, 1 - MARGIN)
        if self.binomial:
            return (k * np.log(mean) + (n - k) * np.log1p(-mean)).sum(axis=1) + self._constant
        size = 1 / np.clip(p["overdispersion"] ** 2, *RHO) - 1
        return _beta_binomial(mean, size, k, n) + self._constant

    def log_density(self, z: Floats) -> Floats:
        """(node,), with the priors' densities in z."""
        prior = -0.5 * (z * z).sum(axis=1) - 0.5 * math.log(2 * math.pi) * z.shape[1]
        return prior + self.log_likelihood(self.parameters(z))

    def given(self, fixed: Sequence[float]) -> Function:
        """The density of the other coordinates, the first ones fixed and without their priors'."""
        own = 0.5 * sum(z * z for z in fixed) + 0.5 * math.log(2 * math.pi) * len(fixed)
        return lambda z: self.log_density(_whole(fixed, z)) + own

    def breaks(self, fixed: Sequence[float]) -> Floats:
        """Where the next outer parameter's integrand has kinks, in z, given the ones before."""
        if not fixed:  # the changepoint, where it passes a data point
            theta = np.unique(self.counts.u)
            inside = ndtri(theta[(theta > 0) & (theta < 1)])
        else:  # the slope of a ramp, where a data point meets the ceiling
            beyond = np.unique(self.counts.u) - ndtr(fixed[0])
            mean, sd = self._slope
            inside = (np.log(1 / beyond[beyond > 0]) - mean) / sd
        inside = inside[np.abs(inside) < REACH]
        return np.concatenate(([-REACH], np.sort(inside), [REACH]))


# --- sums over lattices ---------------------------------------------------------------------------


@dataclass
class Sum:
    """The integral of a density, its moments, and where to start on a neighbouring one.

    Attributes
    ----------
    log : float
        The logarithm of the integral.
    moments : array (moment,)
        Averages over it.
    mode : array (dimension,)
    nodes : int
        Evaluations.
    """

    log: float
    moments: Floats
    mode: Floats
    nodes: int


def lattice(
    density: Function,
    moments: Callable[[Floats], Floats],
    starts: Floats,
    rule: Rule,
) -> Sum:
    """Integrate a smooth density that dies out on all sides.

    Parameters
    ----------
    density : callable
        z (node, dimension) to log densities (node,).
    moments : callable
        z (node, dimension) to what is to be averaged (node, moment).
    starts : array (start, dimension)
        Where to look for modes; the fill starts from every one found.
    rule : Rule

    Notes
    -----
    The flood cannot cross where a ridge bends by more than its width from one node to the next:
    what lies behind is lost, and more of it on a coarser lattice.
    """
    modes = [_mode(density, start) for start in starts]
    heights = density(np.array(modes))
    best = modes[int(heights.argmax())]
    frame = rule.step * _frame(density, best, turned=rule.turned)
    dimension = len(best)
    inverse = np.linalg.inv(frame)
    high = heights > heights.max() - rule.cutoff
    places = np.rint((np.array(modes)[high] - best) @ inverse.T).astype(np.int64)
    # a first wave that is a box saves the many small ones that would fill it
    sides = (np.arange(-r, r + 1) for r in [FIRST_WAVE[dimension]] * dimension)
    box = np.stack(np.meshgrid(*sides, indexing="ij"), axis=-1).reshape(-1, dimension)
    seeds = np.unique((places[:, None] + box).reshape(-1, dimension), axis=0)
    offsets = np.concatenate(
        (np.eye(dimension, dtype=np.int64), -np.eye(dimension, dtype=np.int64))
    )
    # a neighbour of a wave that holds mass lies in the wave before, in it or in the next
    before = wave = np.empty(0, dtype=np.int64)
    kept_z, kept_log, top, nodes = [], [], -np.inf, 0
    while len(seeds):
        z = best + seeds @ frame.T
        log = density(z)
        nodes += len(z)
        top = max(top, float(log.max()))
        before, wave = wave, _codes(seeds)
        alive = log > top - rule.cutoff
        kept_z.append(z[alive])
        kept_log.append(log[alive])
        around = (seeds[alive][:, None] + offsets).reshape(-1, dimension)
        codes, first = np.unique(_codes(around), return_index=True)
        known = np.isin(codes, wave) | np.isin(codes, before)
        seeds = around[first[~known]]
    z, log = np.concatenate(kept_z), np.concatenate(kept_log)
    weight = np.exp(log - top)
    total = weight.sum()
    _, volume = np.linalg.slogdet(frame)
    averages = (weight[:, None] * moments(z)).sum(axis=0) / total
    return Sum(float(np.log(total) + top + volume), averages, best, nodes)


def _codes(index: NDArray[np.int64]) -> NDArray[np.int64]:
    """One number for each node of the lattice."""
    code = np.zeros(len(index), dtype=np.int64)
    for i in range(index.shape[1]):
        code = code * 4096 + index[:, i] + 2048
    return code


def _mode(density: Function, start: Floats) -> Floats:
    """Climb by Newton's method, the best of several step lengths each time.

    Near the mode is enough: what is missed costs a wider lattice, no more.
    """
    z, height = start, -np.inf
    for _ in range(100):
        value, gradient, hessian = _expansion(density, z)
        if value - height < 1e-3:
            break
        height = value
        size, axes = np.linalg.eigh(-hessian)
        step = axes @ ((axes.T @ gradient) / np.maximum(np.abs(size), 0.5))
        tried = z + LENGTHS[:, None] * step
        z = tried[int(density(tried).argmax())]
    return z


def _expansion(density: Function, z: Floats) -> tuple[float, Floats, Floats]:
    """Value, gradient and Hessian by differences, from one call."""
    dimension, width = len(z), 1e-3
    i, j = np.tril_indices(dimension)
    eye = width * np.eye(dimension)
    corners = [a * eye[i] + b * eye[j] for a, b in ((1, 1), (1, -1), (-1, 1), (-1, -1))]
    values = density(z + np.concatenate((np.zeros((1, dimension)), eye, -eye, *corners)))
    gradient = (values[1 : dimension + 1] - values[dimension + 1 : 2 * dimension + 1]) / (2 * width)
    pp, pm, mp, mm = values[2 * dimension + 1 :].reshape(4, -1)
    hessian = np.zeros((dimension, dimension))
    hessian[i, j] = hessian[j, i] = (pp - pm - mp + mm) / (4 * width * width)
    return float(values[0]), gradient, hessian


def _frame(density: Function, mode: Floats, *, turned: bool) -> Floats:
    """A root of the covariance that the Hessian at the mode implies."""
    # the prior alone gives every direction a precision of about 1, so less is a flaw of the mode's
    size, axes = np.linalg.eigh(-_expansion(density, mode)[2])
    size = np.maximum(size, 0.5)
    covariance = (axes / size) @ axes.T
    return axes / np.sqrt(size) if turned else np.linalg.cholesky(covariance)


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
    """What quadrature says of one curve.

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
        for piece, own in zip(self.pieces, mass, strict=True):
            if before + own >= target:
                return float(ndtr(_inside(piece, (target - before) / own)))
            before += own
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
            one, _ = _nested(posterior, moments, [*fixed, float(value)], start, rule)
            modes[float(value)] = one.mode
            nodes += one.nodes
            sums.append(one)
        return Piece(low, high, z, sums, halvings)

    todo = [piece(a, b, 0) for a, b in _worth_while(posterior, fixed, near, rule)]
    done: list[Piece] = []
    while todo:
        top = max(float(p.log_weights.max()) for p in (*todo, *done))
        total = sum(p.masses(top)[0] for p in (*todo, *done))
        one = todo.pop()
        fine, coarse = one.masses(top)
        if abs(fine - coarse) < rule.tolerance * total or one.halvings == DEPTH:
            done.append(one)
            continue
        middle = 0.5 * (one.low + one.high)
        todo.append(piece(one.low, middle, one.halvings + 1))
        todo.append(piece(middle, one.high, one.halvings + 1))
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
        found = []
        for share in (0.02, 0.5, 0.98):
            density = posterior.given([*fixed, low + share * (high - low)])
            starts = _scattered(density, left) if start is None else start[None, -left:]
            start = max((_mode(density, s) for s in starts), key=lambda z: density(z[None])[0])
            found.append(float(density(start[None])[0]))
        heights.append(max(found))
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
    return lattice(density, lambda z: moments(_whole(fixed, z)), starts, rule)


def _whole(fixed: Sequence[float], z: Floats) -> Floats:
    return np.concatenate((np.broadcast_to(fixed, (len(z), len(fixed))), z), axis=1)


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
