"""How probable statistics as large as the observed ones are, by residuals of replicated scores."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from upturn.arrays.types import Booleans, Floats
from upturn.questions.check.residuals import Residuals
from upturn.questions.check.statistics import CLOSE_TO_0, ONE_NUMBER, Setting, steps

MOST = 10_000  # replicates of a curve
ENOUGH = 20  # replicates beyond the observed statistic, after which its p is known well enough
SHAPE_SE = 0.07  # of the shape of a tail that is fitted to 500 replicates
TAIL = 0.05  # share of the replicates that a tail is fitted to


def p_values(
    residuals: Residuals, setting: Setting, kinds: Sequence[str], rng: np.random.Generator
) -> dict[str, float]:
    """The p of each kind of finding.

    Replicates are added until each p rests on enough of them (Besag and Clifford 1991, Sequential
    Monte Carlo p-values); beyond that the tail of their statistics is fitted, see `exceeded`.

    Parameters
    ----------
    residuals : Residuals
    setting : Setting
    kinds : sequence of str
        Of findings. That of "trend" is twice the smaller p of steps along the axis and of waves.
    rng : Generator
    """
    names = [*kinds, "wave"]
    first = residuals.replicated(rng)
    usual = np.maximum(steps(first, setting).mean(axis=0), CLOSE_TO_0)
    seen = _all(residuals.observed[None], setting, names, usual)
    p = _by_replicates(
        {name: float(value[0]) for name, value in seen.items()},
        _all(first, setting, names, usual),
        lambda: _all(residuals.replicated(rng), setting, names, usual),
    )
    along = min(p["trend"], p.pop("wave"))
    return p | {"trend": min(1.0, 2 * along)}


def p_of_level(
    residuals: Residuals, mean: float, rng: np.random.Generator, *, below: bool
) -> float:
    """The p of a mean score so far from a stated one, over the points at the floor.

    Parameters
    ----------
    residuals : Residuals
    mean : float
        The score that is stated, on the model's scale.
    rng : Generator
    below : bool
        Whether only scores below it count against it.
    """
    flat = at_floor(residuals)
    weight = 1 / residuals.noise_sd[flat] ** 2
    score = residuals.expected + residuals.observed * residuals.noise_sd

    def distance(from_mean: Floats) -> Mapping[str, Floats]:
        total = from_mean @ weight
        return {"": -total if below else np.abs(total)}

    def drawn() -> Mapping[str, Floats]:
        return distance(residuals.about(mean, rng)[:, flat])

    seen = {"": float(distance((score[flat] - mean)[None])[""][0])}
    return _by_replicates(seen, drawn(), drawn)[""]


def at_floor(residuals: Residuals) -> Booleans:
    """The points before any growth that noise would not hide: (point,)."""
    growth = residuals.expected - residuals.expected[0]
    later = np.cumsum(np.abs(growth) > 0.1 * residuals.noise_sd)
    return np.asarray(later == 0)


def exceeded(seen: float, replicated: Floats) -> float:
    """The probability of a statistic as large as the one seen, from replicates.

    Where few are as large, from a tail fitted to the largest of them: a generalised Pareto
    distribution (Knijnenburg et al. 2009, Fewer permutations, more accurate P-values) by
    probability-weighted moments (Hosking and Wallis 1987). To be on the safe side its shape is
    taken as heavier by its standard error, and a tail that ends as exponential.

    Parameters
    ----------
    seen : float
    replicated : array (row,)

    Examples
    --------
    >>> normal = np.random.default_rng(0).standard_normal(4000)
    >>> round(exceeded(-1.0, normal), 1), 1e-7 < exceeded(5.0, normal) < 1e-4
    (0.8, True)
    """
    beyond = int((replicated >= seen).sum())
    if beyond >= ENOUGH // 2:
        return (1 + beyond) / (1 + len(replicated))
    count = max(2, int(TAIL * len(replicated)))
    top = np.sort(replicated)[-count - 1 :]
    excess, distance = top[1:] - top[0], seen - top[0]
    mean = max(float(excess.mean()), CLOSE_TO_0)
    rank = 1 - (np.arange(1, count + 1) - 0.35) / count
    weighted = float((rank * excess).mean())
    shape = min(2 - mean / max(mean - 2 * weighted, CLOSE_TO_0) + SHAPE_SE, 0.9)
    if shape <= 0:
        beyond_top = np.exp(-distance / mean)
    else:
        scale = mean * (1 - shape)
        beyond_top = (1 + shape * distance / scale) ** (-1 / shape)
    return max(float(beyond_top) * count / len(replicated), float(np.finfo(np.float64).tiny))


def _by_replicates(
    seen: Mapping[str, float],
    first: Mapping[str, Floats],
    more: Callable[[], Mapping[str, Floats]],
) -> dict[str, float]:
    """The p of each statistic, with as many replicates as it needs."""
    values = dict(first)
    while _counted(values) < MOST and any(
        (values[name] >= value).sum() < ENOUGH for name, value in seen.items()
    ):
        other = more()
        values = {name: np.concatenate([value, other[name]]) for name, value in values.items()}
    return {name: exceeded(value, values[name]) for name, value in seen.items()}


def _counted(values: Mapping[str, Floats]) -> int:
    return len(next(iter(values.values())))


def _all(e: Floats, setting: Setting, names: Sequence[str], usual: Floats) -> Mapping[str, Floats]:
    """Each statistic of each row."""
    out = {name: ONE_NUMBER[name](e, setting) for name in names if name in ONE_NUMBER}
    return out | {"trend": (steps(e, setting) / usual).max(axis=1)}
