"""Sums over a lattice: the integral of a smooth density that dies out on all sides."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]
type Function = Callable[[Floats], Floats]

FIRST_WAVE = {1: 8, 2: 6, 3: 3, 4: 1, 5: 1}  # its half width, by dimension
LENGTHS = np.array([0.0, 1e-3, 0.01, 0.05, 0.2, 0.5, 1.0, 1.5])  # of Newton's steps


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
    modes = [mode_of(density, start) for start in starts]
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


def mode_of(density: Function, start: Floats) -> Floats:
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
