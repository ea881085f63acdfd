"""Curves of every shape, and the truth about each, by the written definitions.

In NumPy alone: without the package's own segments, priors and functionals.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.problems.simulate import CHANCES, DECADES, Table

type Floats = NDArray[np.float64]
type Curve = Callable[[Floats], Floats]
type Maker = Callable[[np.random.Generator], Curve]

NODES = 801
WIDTHS = (0.02, 0.2)  # of the steep and not so steep smooth curves


# --- curves by the formulas -----------------------------------------------------------------------


def _logistic(eta: Floats) -> Floats:
    return 1 / (1 + np.exp(-np.clip(eta, -700, 700)))


def _s_shaped(form: Curve) -> Maker:
    """An S of a form, from the prior, or, as often, with a width spread evenly over decades."""

    def make(rng: np.random.Generator) -> Curve:
        height = rng.uniform()
        midpoint, width = rng.normal(0.6, 0.4), np.exp(rng.normal(-2.3, 0.8))
        if rng.uniform() < 0.5:
            midpoint, width = rng.uniform(), np.exp(rng.uniform(*np.log(WIDTHS)))
        return lambda u: height * form(np.clip((u - midpoint) / width, -700, 700))

    return make


def _logit_line(rng: np.random.Generator) -> Curve:
    start, slope = rng.normal(-3, 2), np.exp(rng.normal(1.5, 1))
    return lambda u: _logistic(start + slope * u)


def _step(rng: np.random.Generator) -> Curve:
    tau, level = rng.uniform(size=2)
    return lambda u: np.where(u > tau, level, 0.0)


def _hinge(rng: np.random.Generator) -> Curve:
    (tau, height), rate = rng.uniform(size=2), np.exp(rng.normal(1, 1.2))
    return lambda u: -height * np.expm1(-rate * np.maximum(u - tau, 0))


def _ramp(rng: np.random.Generator) -> Curve:
    tau, slope = rng.uniform(), np.exp(rng.normal(0, 1))
    return lambda u: np.minimum(slope * np.maximum(u - tau, 0), 1)


def _delayed_logit(rng: np.random.Generator) -> Curve:
    tau, level, slope = rng.uniform(), rng.beta(1, 19), np.exp(rng.normal(2, 1))
    start = np.log(level) - np.log1p(-level)
    return lambda u: _logistic(start + slope * np.maximum(u - tau, 0))


def _takeoff(rng: np.random.Generator) -> Curve:
    first, last = np.sort(rng.uniform(size=2))
    slope = np.exp(rng.normal(0.5, 1))
    return lambda u: np.minimum(slope * np.clip(u - first, 0, last - first), 1)


def _flat(rng: np.random.Generator) -> Curve:
    level = rng.uniform()
    return lambda u: np.full_like(u, level)


def _inverse(rng: np.random.Generator) -> Curve:
    start, slope = rng.normal(0, 1.5), np.exp(rng.normal(0.5, 1))
    return lambda u: _logistic(start - slope * u)


def _u_shaped(rng: np.random.Generator) -> Curve:
    tau, start = rng.uniform(), rng.normal(0, 1.5)
    down, up = np.exp(rng.normal(0.5, 1)), np.exp(rng.normal(1, 1))
    return lambda u: _logistic(start - down * np.minimum(u, tau) + up * np.maximum(u - tau, 0))


def _rise_and_fall(rng: np.random.Generator) -> Curve:
    tau, start = rng.uniform(), rng.normal(-1.5, 1.5)
    up, down = np.exp(rng.normal(1, 1)), np.exp(rng.normal(1, 1))
    return lambda u: _logistic(start + up * np.minimum(u, tau) - down * np.maximum(u - tau, 0))


# The share of the way from the floor to the ceiling, its parameters drawn from their priors; for
# those without a floor, the expected score itself.
MAKERS: dict[str, Maker] = {
    "chance": lambda rng: np.zeros_like,
    "flat": _flat,
    "logistic": _s_shaped(_logistic),
    "gompertz": _s_shaped(lambda steps: np.exp(-np.exp(-steps))),
    "gompertz-mirror": _s_shaped(lambda steps: -np.expm1(-np.exp(steps))),
    "logit-line": _logit_line,
    "step": _step,
    "hinge": _hinge,
    "ramp": _ramp,
    "delayed-logit": _delayed_logit,
    "takeoff": _takeoff,
    "inverse": _inverse,
    "u-shaped": _u_shaped,
    "rise-and-fall": _rise_and_fall,
}
WITHOUT_FLOOR = ("flat", "inverse", "u-shaped", "rise-and-fall")
SHAPES = tuple(MAKERS)


def _mean(rng: np.random.Generator, shape: str, chance: float) -> Curve:
    """The expected score of a curve of that shape."""
    made = MAKERS[shape](rng)
    if shape in WITHOUT_FLOOR:
        return made
    known = not np.isnan(chance)
    floor = rng.beta(1 + 98 * chance, 1 + 98 * (1 - chance)) if known else rng.beta(1, 4)
    return lambda u: floor + (1 - floor) * made(u)


# --- truths by the definitions --------------------------------------------------------------------


def truth_of(mean: Curve, chance: float, x: Floats) -> dict[str, float]:
    """Whether a curve is emergent and sharp, from its functionals on a fine grid, all pairs.

    Parameters
    ----------
    mean : callable
        Expected score at u.
    chance : float
        nan where unknown.
    x : array (point,)
        Where it is measured: decades of FLOPs, ascending.

    Returns
    -------
    dict
        `emergent` and `sharp` (0 or 1), `rise`, `flat_until`, `width`, and `scale`, the decade of
        the headline scale: inf beyond the largest, -inf below the smallest.
    """
    grid = np.linspace(0, 1, NODES)
    score = mean(grid)
    extent = x[-1] - x[0]
    above = score > (score[0] if np.isnan(chance) else chance) + 0.1
    scale = x[0] + grid[above.argmax()] * extent if above.any() else np.inf
    rise = score[-1] - score[0]
    width = 1.0
    if rise > 0:
        gained = score[None, :] - score[:, None] >= 0.8 * rise
        apart = grid[None, :] - grid[:, None]
        width = apart[gained & (apart > 0)].min()
    scales = np.unique(x)
    heights = mean((scales - x[0]) / extent)
    reference = score[0] if np.isnan(chance) else chance
    first = next((i for i in range(len(scales)) if _flat_from(scales, heights, i, reference)), -1)
    emergent = first >= 0
    base = heights[max(first, 0)]
    flat_until = 1.0
    if score[-1] > base:
        past = grid >= (scales[max(first, 0)] - x[0]) / extent - 1e-9
        flat_until = grid[np.argmax(past & (score >= base + 0.1 * (score[-1] - base)))]
    return {
        "emergent": float(emergent),
        "sharp": float(emergent and width * extent <= 1),
        "rise": rise,
        "flat_until": flat_until,
        "width": width,
        "scale": -np.inf if above[0] else scale,
    }


def _flat_from(scales: Floats, heights: Floats, first: int, reference: float) -> bool:
    """Whether a flat stretch near the reference, with a rise after it, begins at a scale."""
    x, y = scales[first:], heights[first:]
    later = y[-1] - y[0]
    if later < 0.1 or np.abs(heights[: first + 1] - reference).max() > 0.1:
        return False
    risen = y > y[0] + 0.1 * later
    flat = x[: risen.argmax()] if risen.any() else x
    enough = len(flat) >= max(3, len(scales) / 4)
    return bool(enough and np.minimum(np.diff(flat), 0.25).sum() >= 0.5 - 1e-9)


def simulated(shapes: Sequence[str], *, seed: int | Sequence[int]) -> Table:
    """One curve for each shape named, with its truths.

    12 to 40 points at random scales, 100 to 2,000 trials each, beta-binomial noise whose
    overdispersion comes from its prior.
    """
    rng = np.random.default_rng(seed)
    columns: dict[str, list[Floats]] = {"x": [], "solved": [], "trials": []}
    chances, truths = [], []
    for shape in shapes:
        points = rng.integers(12, 41)
        x = np.sort(rng.uniform(*DECADES, points))
        u = (x - x[0]) / (x[-1] - x[0])
        chance = rng.choice(CHANCES)
        mean = _mean(rng, shape, chance)
        rho = np.clip((0.2 * rng.standard_normal()) ** 2, 1e-8, 0.999)
        size = 1 / rho - 1
        p = mean(u)
        p = rng.beta(np.maximum(p * size, 1e-12), np.maximum((1 - p) * size, 1e-12))
        trials = np.floor(np.exp(rng.uniform(np.log(100), np.log(2001), points)))
        solved = rng.binomial(trials.astype(int), np.clip(p, 0, 1)).astype(float)
        for name, values in zip(columns, (x, solved, trials), strict=True):
            columns[name].append(values)
        chances.append(chance)
        truths.append(truth_of(mean, chance, x))
    x, solved, trials = (_padded(values) for values in columns.values())
    truth = {name: np.array([truth[name] for truth in truths]) for name in truths[0]}
    return Table(x, solved, trials, trials > 0, np.full(x.shape, -1), np.array(chances), truth)


def _padded(rows: list[Floats]) -> Floats:
    long = max(len(row) for row in rows)
    return np.stack([np.pad(row, (0, long - len(row))) for row in rows])
