"""The hot loops of the mixtures, compiled by numba.

With four degrees of freedom a Student-t in d dimensions is (1 + distance / 4)^(-(4 + d) / 2): a
power by multiplication, and a square root where d is odd, with no logarithm and no exponential.
The innermost loops are over particles, so that they become vector instructions. Sums are within a
row, so results do not depend on batching.
"""

import numpy as np

from upturn.arrays.compiled import compiled, inner
from upturn.arrays.types import Floats

DEGREES = 4.0  # of freedom: wide tails, for parts of the posterior that no component covers
_PIECE = 512  # particles whose distances fit into the fastest cache
LEAST = 1e-300
LEAST_MASS = 1e-12  # of a component without particles
JITTER = 1e-10


@inner
def _distances(
    z: Floats, particles: int, lower: Floats, shift: Floats, work: Floats, distance: Floats
) -> None:
    """Squared length of lower z - shift of the first particles of z (dimension, particle)."""
    for i in range(len(z)):
        row = lower[i]
        first = z[0]
        for p in range(particles):
            work[p] = row[0] * first[p] - shift[i]
        for j in range(1, i, 2):  # two in a pass: loads and stores dominate
            second, third = z[j], z[j + 1]
            for p in range(particles):
                work[p] += row[j] * second[p] + row[j + 1] * third[p]
        if i % 2:
            last = z[i]
            for p in range(particles):
                work[p] += row[i] * last[p]
        if i == 0:
            for p in range(particles):
                distance[p] = work[p] * work[p]
        else:
            for p in range(particles):
                distance[p] += work[p] * work[p]


@inner
def _powers(distance: Floats, dimension: int, particles: int, out: Floats) -> None:
    """(1 + distance / DEGREES)^(-(DEGREES + dimension) / 2) of each particle."""
    whole = (int(DEGREES) + dimension) // 2
    odd, single, double = dimension % 2 == 1, whole & 1 == 1, whole & 2 == 2
    for p in range(particles):
        base = 1.0 / (1.0 + distance[p] * (1.0 / DEGREES))
        square = base * base
        out[p] = (
            (np.sqrt(base) if odd else 1.0)
            * (base if single else 1.0)
            * (square if double else 1.0)
        )
    for _ in range(whole // 4):
        for p in range(particles):
            square = 1.0 / (1.0 + distance[p] * (1.0 / DEGREES))
            square *= square
            out[p] *= square * square


@compiled
def add_densities(
    z: Floats, lower: Floats, shift: Floats, coefficient: Floats, out: Floats
) -> None:
    """Add the density of a sum of Student-t's to out (row, particle).

    z is (row, dimension, particle); lower (row, component, dimension, dimension) and shift
    (row, component, dimension) take z to where a component is standard; coefficient is
    (row, component), its weight times the normalising constant.
    """
    rows, dimension, particles = z.shape
    distance, work, power = np.empty(_PIECE), np.empty(_PIECE), np.empty(_PIECE)
    piece, total = np.empty((dimension, _PIECE)), np.empty(_PIECE)
    for r in range(rows):
        for start in range(0, particles, _PIECE):
            count = min(_PIECE, particles - start)
            for i in range(dimension):
                for p in range(count):
                    piece[i, p] = z[r, i, start + p]
            for p in range(count):
                total[p] = out[r, start + p]
            for k in range(lower.shape[1]):
                _distances(piece, count, lower[r, k], shift[r, k], work, distance)
                _powers(distance, dimension, count, power)
                for p in range(count):
                    total[p] += coefficient[r, k] * power[p]
            for p in range(count):
                out[r, start + p] = total[p]


@compiled
def add_odds_densities(
    z: Floats,
    low: Floats,
    high: Floats,
    lower: Floats,
    shift: Floats,
    coefficient: Floats,
    out: Floats,
) -> None:
    """As `add_densities`, with the first coordinate as log odds between low and high (row,).

    The density includes the derivative of the log odds; it is 0 outside the interval.
    """
    rows, dimension, particles = z.shape
    distance, work, power = np.empty(_PIECE), np.empty(_PIECE), np.empty(_PIECE)
    piece, total, slope = np.empty((dimension, _PIECE)), np.empty(_PIECE), np.empty(_PIECE)
    inside = np.empty(_PIECE, dtype=np.int64)
    for r in range(rows):
        start = 0
        while start < particles:
            count = 0
            while start < particles and count < _PIECE:
                first = z[r, 0, start]
                inside[count] = start
                count += low[r] < first < high[r]
                start += 1
            for p in range(count):
                left, right = z[r, 0, inside[p]] - low[r], high[r] - z[r, 0, inside[p]]
                piece[0, p] = np.log(right / left)
                slope[p] = 1.0 / left + 1.0 / right
                total[p] = 0.0
            for i in range(1, dimension):
                for p in range(count):
                    piece[i, p] = z[r, i, inside[p]]
            for k in range(lower.shape[1]):
                _distances(piece, count, lower[r, k], shift[r, k], work, distance)
                _powers(distance, dimension, count, power)
                for p in range(count):
                    total[p] += coefficient[r, k] * power[p]
            for p in range(count):
                out[r, inside[p]] += slope[p] * total[p]


@compiled
def expect(
    y: Floats,
    weights: Floats,
    lower: Floats,
    shift: Floats,
    coefficient: Floats,
    share: Floats,
    pulled: Floats,
) -> None:
    """The expectation step of a fit: the responsibility of each component for each particle.

    share and pulled (row, component, particle) are overwritten: the weight of each particle times
    each component's responsibility for it, without and with the factor
    (DEGREES + dimension) / (DEGREES + distance) that reduces the weight of outlying particles.
    """
    rows, dimension, particles = y.shape
    components = lower.shape[1]
    distance, work, total = np.empty(particles), np.empty(particles), np.empty(particles)
    for r in range(rows):
        for p in range(particles):
            total[p] = LEAST
        for k in range(components):
            _distances(y[r], particles, lower[r, k], shift[r, k], work, distance)
            _powers(distance, dimension, particles, share[r, k])
            for p in range(particles):
                share[r, k, p] *= coefficient[r, k]
                total[p] += share[r, k, p]
                pulled[r, k, p] = (DEGREES + dimension) / (DEGREES + distance[p])
        for p in range(particles):
            total[p] = weights[r, p] / total[p]
        for k in range(components):
            for p in range(particles):
                share[r, k, p] *= total[p]
                pulled[r, k, p] *= share[r, k, p]


@compiled
def maximise(
    mass: Floats,
    moments: Floats,
    size: Floats,
    shares: Floats,
    means: Floats,
    roots: Floats,
) -> None:
    """The maximisation step of a fit: each component's share, mean and root.

    mass (row, component) and moments (row, component, feature) are sums over particles, size (row,)
    their effective number; the last three arguments are overwritten.
    """
    rows, components, dimension = means.shape
    for r in range(rows):
        whole = 0.0
        for k in range(components):
            whole += mass[r, k] + LEAST_MASS
        for k in range(components):
            component, total = mass[r, k] + LEAST_MASS, moments[r, k, 0] + LEAST_MASS
            shares[r, k] = component / whole
            for i in range(dimension):
                means[r, k, i] = moments[r, k, 1 + i] / total
            # shrunk to the covariance of all particles, 1, if few effective particles are in it
            trust = component * size[r]
            trust /= trust + dimension + 1.0
            scale = trust * (total / component)
            feature = dimension + 1
            root = roots[r, k]
            for i in range(dimension):
                for j in range(i + 1):
                    spread = moments[r, k, feature] / total - means[r, k, i] * means[r, k, j]
                    root[i, j] = scale * spread + ((1.0 - trust + JITTER) if i == j else 0.0)
                    if i != j:
                        root[j, i] = 0.0
                    feature += 1
            _cholesky(root)


@inner
def _cholesky(a: Floats) -> None:
    """The lower Cholesky factor of a positive matrix, in its place; reads the lower triangle."""
    for j in range(len(a)):
        for m in range(j):
            a[j, j] -= a[j, m] * a[j, m]
        a[j, j] = np.sqrt(a[j, j])
        for i in range(j + 1, len(a)):
            for m in range(j):
                a[i, j] -= a[i, m] * a[j, m]
            a[i, j] /= a[j, j]


@compiled
def standardise(
    weights: Floats, means: Floats, roots: Floats, lower: Floats, shift: Floats, height: Floats
) -> None:
    """The maps z to lower z - shift that standardise each component, and the component's height.

    lower (row, component, dimension, dimension) becomes the inverse of the root, height the weight
    over the determinant of the root.
    """
    rows, components, dimension = means.shape
    for r in range(rows):
        for k in range(components):
            root, inverse = roots[r, k], lower[r, k]
            volume = 1.0
            for j in range(dimension):
                volume *= root[j, j]
                for i in range(dimension):
                    inverse[i, j] = 0.0
                inverse[j, j] = 1.0 / root[j, j]
                for i in range(j + 1, dimension):
                    total = 0.0
                    for m in range(j, i):
                        total -= root[i, m] * inverse[m, j]
                    inverse[i, j] = total / root[i, i]
            for i in range(dimension):
                shift[r, k, i] = 0.0
                for j in range(i + 1):
                    shift[r, k, i] += inverse[i, j] * means[r, k, j]
            height[r, k] = weights[r, k] / volume


@compiled
def place(
    normal: Floats,
    tail: Floats,
    choice: Floats,
    edges: Floats,
    means: Floats,
    roots: Floats,
    defense: float,
) -> None:
    """Turn standard normals (row, dimension, particle) into draws of the mixture, in their place.

    A particle whose choice (row, particle) is below defense stays a standard normal. The others
    become mean + root normal tail of the component between whose edges (row, component - 1) the
    choice lies.
    means is (row, component, dimension), roots (row, component, dimension, dimension).
    """
    rows, dimension, particles = normal.shape
    for r in range(rows):
        for p in range(particles):
            if choice[r, p] < defense:
                continue
            k = 0
            for edge in edges[r]:
                k += choice[r, p] > edge
            for i in range(
                dimension - 1, -1, -1
            ):  # downwards: a coordinate needs those before it unchanged
                total = 0.0
                for j in range(i + 1):
                    total += roots[r, k, i, j] * normal[r, j, p]
                normal[r, i, p] = means[r, k, i] + tail[r, p] * total
