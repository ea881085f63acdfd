"""The hot loops of the likelihoods, compiled by numba.

log_rising(x, k) = log Gamma(x + k) - log Gamma(x), the logarithm of a rising factorial, is what
the beta-binomial spends its time on. The loops here are written so that LLVM turns them into
vector instructions: the logarithm is a polynomial on the bits of its argument instead of a call
of the C library, which no compiler can vectorise. Measured at 84 points on one core of an AVX-512
machine: 3 ns a point, against 41 ns with the C library's lgamma and 61 ns with SciPy's gammaln.

Nothing is summed in an order that depends on the size of the batch, so results are the same bits
however the rows are cut.
"""

from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from upturn.validate import Floats

MEAN_MARGIN = 1e-9
# Of the beta density at a printed 0 or 1: the size at which the sd of a mean of 5e-4 is that of
# rounding, and terms of a series that then has 1e-8 of the probability.
CELL_SIZE = 1e4
CELL_TERMS = 22
# Of scores that follow one another: the farthest that one moves the log odds of the next, the
# size beyond which the beta-binomial is the binomial, what makes scores near 0 and 1 say less (see
# `upturn.serial`), and what is left of a score that is left out.
FARTHEST_SHIFT = 40.0
LARGEST_SIZE = 1e8 - 1
DOUBT = 0.2
FADED = 1e-6
_SHIFT = 6.0  # Stirling's series is used from here on; below, the recurrence moves up to it


def compiled(function: Any) -> Any:
    """Compile on first use, and keep the machine code on disk where there is a place for it."""
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": {"contract"}}
    try:
        return njit(cache=True, **options)(function)
    except RuntimeError:  # neither the package nor the user's cache folder can be written
        return njit(**options)(function)


def _reinterpret(source: Any, result: Any, llvm_type: Any) -> Any:
    """A cast of 64 bits that changes none of them."""

    def typed(typing_context: Any, value: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.bitcast(arguments[0], llvm_type)

        return result(source), generate

    return intrinsic(typed)


_bits = _reinterpret(types.float64, types.int64, ir.IntType(64))
_float = _reinterpret(types.int64, types.float64, ir.DoubleType())


@njit(inline="always")
def _exponent(x: float) -> int:
    """E of x = 2^e m with m in [sqrt(1/2), sqrt 2), for a positive normal number."""
    return (_bits(x) - 0x3FE6A09E667F3BCD) >> 52


@njit(inline="always")
def _fraction(x: float, exponent: int) -> float:
    """The fraction m - 1 of x = 2^e m."""
    return _float(_bits(x) - (exponent << 52)) - 1.0


@njit(inline="always")
def _log_from(f: float, s: float, exponent: int) -> float:
    """log(2^e (1 + f)) given s = f / (2 + f): log(1 + f) = 2 atanh(s), by its minimax polynomial.

    Coefficients of fdlibm's e_log.c (Ng 1993); to one unit in the last place.
    """
    z = s * s
    tail = 0.1531383769920937332 + z * 0.1479819860511658591
    tail = 0.1818357216161805012 + z * tail
    tail = 0.2222219843214978396 + z * tail
    tail = 0.2857142874366239149 + z * tail
    tail = 0.3999999999940941908 + z * tail
    tail = z * (0.6666666666666735130 + z * tail)
    half = 0.5 * f * f
    # the integer as a float without a conversion, which compilers do not vectorise: the last
    # bits of 2^52 + 4096 + e are e itself
    e = _float(0x4330000000001000 + exponent) - 4503599627374592.0
    # log 2 in two parts, so that e * log 2 is exact to the last place
    return e * 6.93147180369123816490e-01 - (
        (half - (s * (half + tail) + e * 1.90821492927058770002e-10)) - f
    )


@njit(inline="always")
def _log(x: float) -> float:
    """log(x) of a positive normal number."""
    e = _exponent(x)
    f = _fraction(x, e)
    return _log_from(f, f / (2.0 + f), e)


@njit(inline="always")
def _stirling(r: float) -> float:
    """The correction of Stirling's series at x = 1/r >= 6, to 1e-12 (DLMF 5.11.1)."""
    q = r * r
    tail = 5.95238095238095238e-4 - q * 8.41750841750841751e-4
    tail = 7.93650793650793651e-4 - q * tail
    tail = 2.77777777777777778e-3 - q * tail
    return r * (8.33333333333333333e-2 - q * tail)


@njit(inline="always")
def _six(x: float) -> float:
    """Product x (x + 1) … (x + 5), which carries the gamma function six up."""
    return x * (x + 1.0) * (x + 2.0) * (x + 3.0) * (x + 4.0) * (x + 5.0)


@njit(inline="always")
def _log_rising(x: float, k: float) -> float:
    """Log Gamma(x + k) - log Gamma(x) for x > 0, k >= 0, without cancellation where x >> k."""
    a = x + _SHIFT
    b = a + k
    t = k / a
    w = 1.0 + t
    log1p = _log(w) - ((w - 1.0) - t) / w
    correction = _stirling(1.0 / b) - _stirling(1.0 / a) + _log(_six(x) / _six(x + k))
    return (a - 0.5) * log1p + k * (_log(b) - 1.0) + correction


@njit(inline="always")
def _two_log_risings(x: float, k: float, y: float, m: float) -> float:
    """log_rising(x, k) + log_rising(y, m), with three divisions where one by one takes sixteen.

    Divisions are what the loop waits for. The four logarithms and four series divide by eight
    numbers; one division by their product serves all of them. Differences of x log x lose
    x log x times 1e-16, which is 4e-7 at the largest x that the likelihoods use.
    """
    a, c = x + _SHIFT, y + _SHIFT
    b, d = a + k, c + m
    ea, eb, ec, ed = _exponent(a), _exponent(b), _exponent(c), _exponent(d)
    fa, fb, fc, fd = _fraction(a, ea), _fraction(b, eb), _fraction(c, ec), _fraction(d, ed)
    ga, gb, gc, gd = 2.0 + fa, 2.0 + fb, 2.0 + fc, 2.0 + fd
    ab, cd, gab, gcd = a * b, c * d, ga * gb, gc * gd
    abcd, gabcd = ab * cd, gab * gcd
    inverse = 1.0 / (abcd * gabcd)
    by_numbers, by_fractions = inverse * gabcd, inverse * abcd
    by_ab, by_cd = by_numbers * cd, by_numbers * ab
    by_gab, by_gcd = by_fractions * gcd, by_fractions * gab
    total = (b - 0.5) * _log_from(fb, fb * by_gab * ga, eb)
    total -= (a - 0.5) * _log_from(fa, fa * by_gab * gb, ea)
    total += (d - 0.5) * _log_from(fd, fd * by_gcd * gc, ed)
    total -= (c - 0.5) * _log_from(fc, fc * by_gcd * gd, ec)
    total += _stirling(by_ab * a) - _stirling(by_ab * b)
    total += _stirling(by_cd * c) - _stirling(by_cd * d)
    return total - k - m + _log(_six(x) * _six(y) / (_six(x + k) * _six(y + m)))


@njit(inline="always")
def _log_gamma(x: float) -> float:
    """Log Gamma(x) for x > 0."""
    a = x + _SHIFT
    return (a - 0.5) * _log(a) - a + 0.91893853320467274178 + _stirling(1.0 / a) - _log(_six(x))


@njit(inline="always")
def _inside(mean: float) -> float:
    """A proportion kept off 0 and 1, where it would forbid what rounding can produce."""
    return min(max(mean, MEAN_MARGIN), 1.0 - MEAN_MARGIN)


@compiled
def log_rising(x: Floats, k: Floats) -> Floats:
    """Log rising factorials of two flat arrays of one length."""
    out = np.empty_like(x)
    for i in range(x.size):
        out[i] = _log_rising(x[i], k[i])
    return out


@compiled
def log_gamma(x: Floats) -> Floats:
    """Log Gamma(x) of a flat array."""
    out = np.empty_like(x)
    for i in range(x.size):
        out[i] = _log_gamma(x[i])
    return out


@compiled
def beta_binomial(
    mean: Floats,
    size: Floats,
    successes: Floats,
    failures: Floats,
    group: NDArray[np.int32],
    out: Floats,
) -> None:
    """Add to out[r, group[r, p], :] the part of the beta-binomial that depends on the mean.

    log_rising(mean size, k) + log_rising((1 - mean) size, n - k) of each point p.

    mean is (row, point, particle); size = 1/rho - 1 is (row, particle); successes, failures and
    group are (row, point), group -1 leaving a point out; out is (row, group, particle).
    """
    rows, points, particles = mean.shape
    for r in range(rows):
        for p in range(points):
            g = group[r, p]
            if g < 0:
                continue
            k = successes[r, p]
            m = failures[r, p]
            for n in range(particles):
                alpha = _inside(mean[r, p, n]) * size[r, n]
                beta = size[r, n] - alpha
                out[r, g, n] += _two_log_risings(alpha, k, beta, m)


@njit(inline="always")
def _exp(x: float) -> float:
    """exp(x) for |x| < 700: 2^k e^r, with the Taylor series of e^r to 1e-15 (|r| < log(2)/2)."""
    k = np.floor(x * 1.4426950408889634 + 0.5)
    r = (x - k * 6.93147180369123816490e-01) - k * 1.90821492927058770002e-10
    tail = 1.0 / 6227020800.0
    tail = 1.0 / 479001600.0 + r * tail
    tail = 1.0 / 39916800.0 + r * tail
    tail = 1.0 / 3628800.0 + r * tail
    tail = 1.0 / 362880.0 + r * tail
    tail = 1.0 / 40320.0 + r * tail
    tail = 1.0 / 5040.0 + r * tail
    tail = 1.0 / 720.0 + r * tail
    tail = 1.0 / 120.0 + r * tail
    tail = 1.0 / 24.0 + r * tail
    tail = 1.0 / 6.0 + r * tail
    tail = 0.5 + r * tail
    return _float((np.int64(k) + 1023) << 52) * (1.0 + r * (1.0 + r * tail))


@njit(inline="always")
def _spread_of_log_odds(a: float, b: float) -> float:
    """The variance of logit x, x ~ Beta(a, b), roughly; see `upturn.serial`."""
    c, d = 1.0 / (a + 0.25), 1.0 / (b + 0.25)
    return c * c + d * d + 1.0 / (a + 0.5) + 1.0 / (b + 0.5)


@njit(inline="always")
def _moved_log_odds(a: float, b: float, k: float, m: float) -> float:
    """What k successes and m failures add to the mean of logit x, x ~ Beta(a, b), roughly."""
    c, d = a + k, b + m
    ratio = (c + 0.5) * (b + 0.5) / ((d + 0.5) * (a + 0.5))
    before = 1.0 / (a + 0.25) - 1.0 / (b + 0.25)
    return _log(ratio) + before - 1.0 / (c + 0.25) + 1.0 / (d + 0.25)


@njit(inline="always")
def _serial_step(
    mean: float, size: float, at: float, variance: float, k: float, m: float
) -> tuple[float, float, float]:
    """Log density of k successes and m failures, and what is known of their noise after them.

    See `upturn.serial`, whose functions say the same.
    """
    middle = _inside(mean)
    a = middle * size
    b = size - a
    sd = np.sqrt(_spread_of_log_odds(a, b))
    gain = a * b / ((a + DOUBT) * (b + DOUBT))
    shift = _exp(min(max(sd * at, -FARTHEST_SHIFT), FARTHEST_SHIFT))
    odds = middle / (1.0 - middle) * shift
    whole = min((size + 1.0) / variance - 1.0, LARGEST_SIZE)
    a = _inside(odds / (1.0 + odds)) * whole
    b = whole - a
    density = _two_log_risings(a, k, b, m) - _log_rising(whole, k + m)
    left = _spread_of_log_odds(a + k, b + m) / _spread_of_log_odds(a, b)
    moved = gain * _moved_log_odds(a, b, k, m) / sd
    return density, at + moved, variance * (1.0 - gain * (1.0 - left))


@compiled
def beta_binomial_serial(
    mean: Floats,
    size: Floats,
    correlation: Floats,
    successes: Floats,
    failures: Floats,
    group: NDArray[np.int32],
    out: Floats,
) -> None:
    """Add to out[r, group[r, p], :] the log density of the points of a group, one after the other.

    All of it but the binomial coefficients, each point given those of its group before it: the
    noise of one is correlated with that of the next. correlation is (row, particle), the rest as
    for `beta_binomial`.
    """
    rows, points, particles = mean.shape
    at = np.empty((out.shape[1], particles))
    variance = np.empty((out.shape[1], particles))
    for r in range(rows):
        at[:] = 0.0
        variance[:] = 1.0
        for p in range(points):
            g = group[r, p]
            if g < 0:
                continue
            k = successes[r, p]
            m = failures[r, p]
            for n in range(particles):
                density, place, left = _serial_step(
                    mean[r, p, n], size[r, n], at[g, n], variance[g, n], k, m
                )
                out[r, g, n] += density
                phi = correlation[r, n]
                at[g, n] = phi * place
                variance[g, n] = phi * phi * (left - 1.0) + 1.0


@compiled
def beta_binomial_left_out(
    mean: Floats,
    size: Floats,
    correlation: Floats,
    successes: Floats,
    failures: Floats,
    group: NDArray[np.int32],
    out: Floats,
    total: Floats,
) -> None:
    """Log densities of points given all others of their groups, and of whole groups.

    To out (point, particle), 0 outside groups, and, added, to total (group, particle); arguments as
    for `beta_binomial_serial`, without rows. A point left out is a step of the noise that nobody
    has seen; what others then have of it fades, and is followed until nothing is left.
    """
    points, particles = mean.shape
    groups = total.shape[0]
    at = np.zeros((points + groups, particles))
    variance = np.ones((points + groups, particles))
    last = np.arange(points, points + groups)  # where the state of each group is
    density = np.zeros((points, particles))
    for p in range(points):
        g = group[p]
        if g < 0:
            continue
        for n in range(particles):
            at[p, n] = at[last[g], n]
            variance[p, n] = variance[last[g], n]
        last[g] = points + g
        for n in range(particles):
            density[p, n], place, left = _serial_step(
                mean[p, n], size[n], at[p, n], variance[p, n], successes[p], failures[p]
            )
            total[g, n] += density[p, n]
            phi = correlation[n]
            at[points + g, n] = phi * place
            variance[points + g, n] = phi * phi * (left - 1.0) + 1.0
    place_without = np.empty(particles)
    left_without = np.empty(particles)
    for p in range(points):
        g = group[p]
        if g < 0:
            continue
        for n in range(particles):
            out[p, n] = density[p, n]
            phi = correlation[n]
            place_without[n] = phi * at[p, n]
            left_without[n] = phi * phi * (variance[p, n] - 1.0) + 1.0
        for q in range(p + 1, points):
            if group[q] != g:
                continue
            apart = 0.0
            for n in range(particles):
                apart = max(apart, abs(place_without[n] - at[q, n]))
                apart = max(apart, abs(left_without[n] - variance[q, n]))
            if apart < FADED:
                break
            for n in range(particles):
                other, place, left = _serial_step(
                    mean[q, n], size[n], place_without[n], left_without[n],
                    successes[q], failures[q],
                )  # fmt: skip
                out[p, n] += density[q, n] - other
                phi = correlation[n]
                place_without[n] = phi * place
                left_without[n] = phi * phi * (left - 1.0) + 1.0


@njit(nogil=True)
def _log_cell(a: float, b: float, cell: float) -> float:
    """The logarithm of the probability of [0, cell] under Beta(a, b), by a series (DLMF 8.17.8)."""
    total = 1.0
    for n in range(CELL_TERMS - 1, -1, -1):
        total = 1.0 + (a + b + n) * cell / (a + 1.0 + n) * total
    front = a * np.log(cell) + b * np.log1p(-cell) - _log_gamma(a + 1.0) - _log_gamma(b)
    return front + _log_gamma(a + b) + np.log(total)


@compiled
def log_beta_cell(a: Floats, b: Floats, cell: Floats) -> Floats:
    """Logarithms of the probability of [0, cell] under Beta(a, b), a + b at most CELL_SIZE."""
    out = np.empty_like(a)
    for i in range(a.size):
        out[i] = _log_cell(a[i], b[i], cell[i])
    return out


@compiled
def beta_density(
    mean: Floats,
    size: Floats,
    y: Floats,
    cell: float,
    group: NDArray[np.int32],
    out: Floats,
) -> None:
    """The same for the beta density of a proportion y, that of [0, cell] and [1 - cell, 1] even."""
    rows, points, particles = mean.shape
    log_cell = np.log(cell)
    for r in range(rows):
        for p in range(points):
            g = group[r, p]
            if g < 0:
                continue
            low = y[r, p] < cell
            if low or y[r, p] > 1.0 - cell:
                for n in range(particles):
                    # noise far below what rounding makes is none
                    most = min(size[r, n], CELL_SIZE)
                    alpha = _inside(mean[r, p, n]) * most
                    beta = most - alpha
                    a, b = (alpha, beta) if low else (beta, alpha)
                    out[r, g, n] += _log_cell(a, b, cell) - log_cell - _log_gamma(size[r, n])
                continue
            log_y, log_not_y = np.log(y[r, p]), np.log1p(-y[r, p])
            for n in range(particles):
                alpha = _inside(mean[r, p, n]) * size[r, n]
                beta = size[r, n] - alpha
                out[r, g, n] += (
                    (alpha - 1.0) * log_y
                    + (beta - 1.0) * log_not_y
                    - _log_gamma(alpha)
                    - _log_gamma(beta)
                )


@compiled
def add_by_group(terms: Floats, group: NDArray[np.int32], out: Floats) -> None:
    """Add terms (row, point, particle) to out[r, group[r, p], :]; group -1 leaves a point out."""
    rows, points, particles = terms.shape
    for r in range(rows):
        for p in range(points):
            g = group[r, p]
            if g < 0:
                continue
            for n in range(particles):
                out[r, g, n] += terms[r, p, n]


@compiled
def mix_by_group(
    terms: Floats,
    kept: Floats,
    broken: Floats,
    uniform: Floats,
    group: NDArray[np.int32],
    out: Floats,
) -> None:
    """Add log(e^(kept + terms) + e^(broken + uniform)) to out[r, group[r, p], :].

    terms is (row, point, particle), kept and broken are (row, particle), uniform (row, point).
    """
    rows, points, particles = terms.shape
    for r in range(rows):
        for p in range(points):
            g = group[r, p]
            if g < 0:
                continue
            for n in range(particles):
                likely = kept[r, n] + terms[r, p, n]
                other = broken[r, n] + uniform[r, p]
                top = max(likely, other)
                out[r, g, n] += top + np.log1p(np.exp(min(likely, other) - top))


@compiled
def rise_of_curves(score: Floats, flat_share: float, steep_share: float) -> Floats:
    """Start, rise, flat_until and width of curves on an even grid; see `upturn.functionals`.

    Parameters
    ----------
    score : array (curve, node)
    flat_share, steep_share : float

    Returns
    -------
    array (4, curve)
    """
    curves, nodes = score.shape
    step = 1.0 / (nodes - 1)
    out = np.empty((4, curves))
    for c in range(curves):
        s = score[c]
        rise = s[nodes - 1] - s[0]
        out[0, c], out[1, c], out[2, c], out[3, c] = s[0], rise, 1.0, 1.0
        if rise <= 0.0:
            continue
        flat, steep = s[0] + flat_share * rise, steep_share * rise
        i = 1
        while s[i] < flat:
            i += 1
        out[2, c] = step * (i - 1 + (flat - s[i - 1]) / (s[i] - s[i - 1]))
        b = 0
        width = 1.0
        for a in range(nodes):
            if a > 0 and s[a] < s[a - 1]:
                b = a  # the curve fell, and the end of the stretch may come sooner
            goal = s[a] + steep
            while b < nodes and s[b] < goal:
                b += 1
            if b < nodes and b > a:
                end = b - 1 + (goal - s[b - 1]) / (s[b] - s[b - 1])
                width = min(width, step * (end - a))
        out[3, c] = width
    return out
