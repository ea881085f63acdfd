"""Panels: the numbers that a picture of a curve shows, for plots and reports alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from upturn.arrays.types import Booleans, Floats, Objects
from upturn.checks.arguments import known
from upturn.checks.errors import DataError, listed
from upturn.tables.axis import Axis
from upturn.tables.curves import Curves, curve_names

if TYPE_CHECKING:
    from upturn.questions.fit.result import Fit

type Index = NDArray[np.intp]

GRID = 61  # points along the axis at which the expected curve is drawn
BINS = 96  # points of the density of the emergence scale
DRAWS = 1000  # posterior draws of a band; more would not be visible
SHARPEST = 12.0  # density relative to a uniform one that fills the height kept for it
_NARROWEST = 0.004  # of the axis: the smallest visible width


@dataclass(frozen=True, eq=False)
class Panel:
    """One curve as it is drawn; x are axis coordinates, in which capability grows to the right.

    Attributes
    ----------
    name : str
        The curve's.
    title : str
        The same without the axis.
    labels : dict of str
    axis : Axis
    limits : tuple of float
        The lowest and the highest x.
    x, score : array (point,)
    low, high : array (point,)
        Ends of the binomial interval of each score, NaN where there are no trials.
    family, model : array of str (point,)
        "" where there is none.
    grid, expected_low, expected, expected_high : array (place,)
        x, and the posterior median of the expected score there with its band.
    density_x, density : array (bin,)
        Where the curve changes: posterior density per unit of x, which sums to the probability
        that it does so within the axis.
    before, beyond : float
        Probability that it had changed at the smallest scale, and that it has not by the largest.
    scale, interval : str
        The emergence scale as text.
    chance, ceiling : float
        NaN where unknown.
    """

    name: str
    title: str
    labels: dict[str, str]
    axis: Axis
    limits: tuple[float, float]
    x: Floats
    score: Floats
    low: Floats
    high: Floats
    family: Objects
    model: Objects
    grid: Floats
    expected_low: Floats
    expected: Floats
    expected_high: Floats
    density_x: Floats
    density: Floats
    before: float
    beyond: float
    scale: str
    interval: str
    chance: float
    ceiling: float

    @property
    def relative_density(self) -> Floats:
        """The density as a share of the height that it may fill; flat densities stay low."""
        width = self.limits[1] - self.limits[0]
        relative = self.density * (width if width > 0 else 1.0)
        return relative / max(SHARPEST, float(relative.max(initial=0.0)))

    @property
    def not_yet(self) -> bool:
        """Whether the curve has probably not changed up to the largest scale."""
        return self.beyond > 0.5

    @property
    def top(self) -> str:
        """The largest scale, as text."""
        return self.axis.format(float(self.axis.value(self.limits[1])))


def panels(
    fit: "Fit", index: Index | None = None, *, ci: float = 0.9, grid: int = GRID, bins: int = BINS
) -> list[Panel]:
    """The panels of the curves of a fit.

    Parameters
    ----------
    fit : Fit
    index : array of int, optional
        Which curves; all by default.
    ci : float
        Probability of every interval and band.
    grid, bins : int
        Places along the axis of the expected curve and of the density.
    """
    chosen = np.arange(len(fit.curves)) if index is None else np.asarray(index, dtype=np.intp)
    curves = fit.curves
    single_axes(curves)
    x, *bands = fit.expected(grid, ci, index=chosen, draws=DRAWS)
    low, high = score_intervals(curves, ci)
    start, end = curves.limits[:, 0, chosen]
    draws, p = fit.scales(chosen)
    places, density = densities(draws, p, start, end, bins)
    before = p * np.isneginf(draws).mean(axis=1)
    beyond = 1 - p * (draws < np.inf).mean(axis=1)
    texts, titles = fit.texts(ci), titles_of(curves)
    shown = []
    for place, i in enumerate(chosen.tolist()):
        real = curves.mask[i]
        shown.append(
            Panel(
                name=str(curves.name[i]),
                title=titles[i],
                labels={label: str(values[i]) for label, values in curves.labels.items()},
                axis=curves.axes[i],
                limits=(float(start[place]), float(end[place])),
                x=curves.x[0, i, real],
                score=curves.score[i, real],
                low=low[i, real],
                high=high[i, real],
                family=curves.family[i, real],
                model=curves.model[i, real],
                grid=x[place],
                expected_low=bands[0][place],
                expected=bands[1][place],
                expected_high=bands[2][place],
                density_x=places[place],
                density=density[place],
                before=float(before[place]),
                beyond=float(beyond[place]),
                scale=str(texts["scale"].iloc[i]),
                interval=str(texts["interval"].iloc[i]),
                chance=float(curves.chance[i]),
                ceiling=float(curves.ceiling[i]),
            )
        )
    return shown


def titles_of(curves: Curves) -> list[str]:
    """Names of the curves without their axis."""
    titles = [""] * len(curves)
    held = np.array([axis.name for axis in curves.axes])
    for axis in dict.fromkeys(held.tolist()):
        index = np.flatnonzero(held == axis)
        labels = {n: values[index] for n, values in curves.labels.items() if n != "axis"}
        for i, name in zip(index.tolist(), curve_names(labels).tolist(), strict=True):
            titles[i] = name
    return titles


def single_axes(curves: Curves) -> None:
    """Raise `DataError` for a mix of axes, which has no unit to draw in."""
    mixed = next((axis for axis in curves.axes if axis.components), None)
    if mixed is not None:
        raise DataError(
            f"axis: expected single axes to draw, but got {mixed.name}, which has no unit; "
            "fit its components"
        )


def score_intervals(curves: Curves, ci: float) -> tuple[Floats, Floats]:
    """Ends of the interval of each score for its trials: (curve, point), NaN where there are none.

    Wilson, "Probable inference, the law of succession, and statistical inference", 1927: the
    proportions p that a z-test of the successes k of n does not refuse, the roots of
    (k/n - p)² = z² p (1 - p) / n.
    """
    from scipy.special import ndtri

    z = ndtri((1 + ci) / 2)
    counted = curves.mask & (curves.trials > 0)
    n = np.where(counted, curves.trials, 1.0)
    share = np.where(counted, curves.response / n, np.nan)
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return np.clip(middle - half, 0, 1), np.clip(middle + half, 0, 1)


def densities(
    draws: Floats, p: Floats, start: Floats, end: Floats, bins: int = BINS
) -> tuple[Floats, Floats]:
    """The density of a scale along the axis, smoothed, without its two atoms.

    A histogram smoothed by a Gaussian kernel that is reflected at both ends of the axis, as the
    product of cosine transforms (Botev, Grotowski & Kroese 2010, "Kernel density estimation via
    diffusion", eq. 8); bandwidth by Silverman (1986, eq. 3.31), at least the width of a bin.

    Parameters
    ----------
    draws : array (curve, draw)
        x; infinite in an atom.
    p : array (curve,)
        The weight of the draws.
    start, end : array (curve,)
        Limits of the axis.

    Returns
    -------
    x, density : array (curve, bin)
    """
    from scipy.fft import dct, idct

    width = np.where(end > start, end - start, 1.0)
    u = (draws - start[:, None]) / width[:, None]
    inside = np.isfinite(u) & (u >= 0) & (u <= 1)
    cell = np.clip((np.where(inside, u, 0.0) * bins).astype(np.intp), 0, bins - 1)
    flat = (np.arange(len(u))[:, None] * bins + cell)[inside]
    counts = np.bincount(flat, minlength=len(u) * bins).reshape(len(u), bins)
    smooth = _bandwidth(u, inside, bins)
    order = np.arange(bins) * np.pi
    kernel = np.exp(-0.5 * (order * smooth[:, None]) ** 2)
    blurred = idct(dct(counts, axis=1) * kernel, axis=1).clip(0)
    held = counts.sum(axis=1)
    blurred *= (held / np.maximum(blurred.sum(axis=1), 1e-300))[:, None]
    share = p / draws.shape[1] * bins / width
    places = start[:, None] + (np.arange(bins) + 0.5) / bins * width[:, None]
    return places, blurred * share[:, None]


def _bandwidth(u: Floats, inside: Booleans, bins: int) -> Floats:
    """Silverman's, from the standard deviation or the quartiles, whichever is narrower."""
    count = np.maximum(inside.sum(axis=1), 1)
    held = np.where(inside, u, np.nan)
    held[~inside.any(axis=1)] = 0.5
    quartiles = np.nanquantile(held, [0.25, 0.75], axis=1)
    spread = np.minimum(np.nanstd(held, axis=1), (quartiles[1] - quartiles[0]) / 1.34)
    return np.maximum(0.9 * spread * count**-0.2, max(_NARROWEST, 1 / bins))


def chosen(
    curves: Curves,
    names: str | Sequence[str] | None = None,
    *,
    axis: str | None = None,
    where: Sequence[str] = (),
) -> Index:
    """The indices of the selected curves, in their order.

    Parameters
    ----------
    curves : Curves
    names : str or several, optional
        Names of curves or of tasks; all by default.
    axis : str, optional
        Only the curves on this axis.
    where : several str
        ``LABEL=VALUE``: two values of one label mean either, two labels mean both.

    Raises
    ------
    DataError
        For an unknown name, with the nearest known one; if no curve is left.
    """
    keep = np.ones(len(curves), dtype=np.bool_)
    if names is not None:
        given = [names] if isinstance(names, str) else list(names)
        tasks, names_of_curves = curves.labels["task"], curves.name
        both = [*dict.fromkeys(names_of_curves.tolist()), *dict.fromkeys(tasks.tolist())]
        for name in given:
            known(name, both, kind="curve", where="curve")
        keep &= np.isin(names_of_curves, given) | np.isin(tasks, given)
    if axis is not None:
        held = [item.name for item in curves.axes]
        known(axis, list(dict.fromkeys(held)), kind="axis", where="axis")
        keep &= np.array(held) == axis
    for label, values in _conditions(where).items():
        known(label, list(curves.labels), kind="label", where="where")
        present = list(dict.fromkeys(curves.labels[label].tolist()))
        for value in values:
            known(value, present, kind=label, where="where")
        keep &= np.isin(curves.labels[label], values)
    if not keep.any():
        raise DataError(
            "expected curves to draw, but got conditions that none meets; leave one out"
        )
    return np.flatnonzero(keep)


def single(curves: Curves, index: Index, where: str = "curve", remedy: str = "name one") -> int:
    """The index of the selected curve.

    Raises
    ------
    DataError
        For several.
    """
    if len(index) > 1:
        raise DataError(
            f"{where}: expected one to draw, but got {len(index)}: "
            f"{listed(curves.name[index].tolist())}; {remedy}"
        )
    return int(index[0])


def _conditions(where: Sequence[str]) -> dict[str, list[str]]:
    """Values by label."""
    wanted: dict[str, list[str]] = {}
    for condition in where:
        label, equals, value = condition.partition("=")
        if not (label and equals):
            raise DataError(
                f"where: expected LABEL=VALUE, but got {condition!r}; for example setting=few-shot"
            )
        wanted.setdefault(label, []).append(value)
    return wanted
