"""Mix: a learned axis, the weighted sum of several, with weights that all curves share.

u = sum_k w_k u_k, where u_k is axis k on the unit interval between limits that the curves of the
table share, and w ~ Dirichlet(1). Given w this is an ordinary axis, on which every curve has its
evidence; the posterior of w is proportional to the product of those over curves, evaluated on a
grid that is refined where the mass is.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from upturn.arrays.types import Booleans, Floats
from upturn.checks.errors import DataError, listed
from upturn.model import Model
from upturn.sampling import batch
from upturn.sampling.batch import Progress, Sample
from upturn.sampling.particles import diagnostics
from upturn.sampling.particles.chains import REPLICATES, Population
from upturn.simplex import Simplex
from upturn.tables.axis import Axis
from upturn.tables.curves import Curves, own_limits

if TYPE_CHECKING:
    import pandas as pd

type Index = NDArray[np.intp]

WEIGHTS = "weights"  # the label, and the group of the tree

# The grid: even halvings at first, then cells are halved that hold more than a share of the mass.
EVEN = {2: 3, 3: 5}  # by the number of axes: 9 points, then 25
EVEN_MORE = 6
FINEST_SHARE = {2: 1 / 10, 3: 1 / 32}
FINEST_SHARE_MORE = 1 / 48
MAX_POINTS = {2: 97, 3: 257}
MAX_POINTS_MORE = 513

FEWEST_DRAWS = 400  # a point of the grid: its evidence is no better for fewer
MOST_SHARE = 8  # draws / this are enough at most points of the grid, which the cells keep small
CELLS = 8_000_000  # doubles of draws sampled in one go: 64 MB
KEPT_CELLS = 24_000_000  # doubles of draws kept while the grid grows: 192 MB
NEGLIGIBLE = 1e-3  # posterior probability of a point of the grid whose diagnostics nobody needs
PERTURBATIONS = 400  # of the log evidences by their Monte Carlo errors
TOGETHER = 0.002  # of the axis: axes that differ by less, root mean square, are the same
TIE = 1.0  # nats: less is no evidence worth the name, whatever the Monte Carlo error


# --- coordinates ----------------------------------------------------------------------------------


def is_mix(curves: Curves) -> bool:
    """Whether the curves are on a mix of axes."""
    return any(axis.components for axis in curves.axes)


def shared(curves: Curves) -> Curves:
    """Curves of one mix, with limits that they share, checked for axes that can be told apart.

    The limits of each axis are the lowest and the highest of any curve's, so that a weight means
    the same on every curve.

    Raises
    ------
    DataError
        For another axis beside the mix, for an axis with one value only, and for axes that are
        linear functions of one another on every curve, whose weights no data could tell.
    """
    if len(names := list(dict.fromkeys(axis.name for axis in curves.axes))) > 1:
        mixed = next(axis.name for axis in curves.axes if axis.components)
        raise DataError(
            f"axis: expected a mix by itself, but got {listed(names)}; fit {mixed} alone: each of "
            "its axes is compared with it anyway"
        )
    low, high = curves.limits
    ends = np.stack([low.min(axis=1), high.max(axis=1)])
    out = replace(curves, limits=np.repeat(ends[:, :, None], len(curves), axis=2))
    _check_constant(out)
    _check_together(out)
    return out


def _check_constant(curves: Curves) -> None:
    for part, (low, high) in zip(curves.axes[0].parts, curves.limits[:, :, 0].T, strict=True):
        if not high > low:
            got = part.format(float(part.value(low)))
            raise DataError(
                f"axis {curves.axes[0].name}: expected values of {part.name} that differ, but got "
                f"{got} throughout; leave {part.name} out of the mix"
            )


def _within(curves: Curves) -> Floats:
    """Each axis's u about its mean in each curve: (point of any curve, axis)."""
    u, mask = curves.u, curves.mask
    mean = u.sum(axis=2) / np.maximum(curves.points, 1)
    return (u - mean[:, :, None])[:, mask].T


def _check_together(curves: Curves) -> None:
    """Refuse axes of which some weighted sum stays the same along every curve."""
    parts = [part.name for part in curves.axes[0].parts]
    spread, directions = np.linalg.svd(_within(curves), full_matrices=False)[1:]
    if spread[-1] > TOGETHER * np.sqrt(curves.points.sum()):
        return
    alike = [name for name, share in zip(parts, directions[-1], strict=True) if abs(share) > 0.05]
    if len(alike) < 2:
        raise DataError(
            f"axis {curves.axes[0].name}: expected values of {alike[0]} that differ within a "
            f"curve, but got one on each; leave {alike[0]} out of the mix"
        )
    raise DataError(
        f"axis {curves.axes[0].name}: expected axes that vary apart, but got {listed(alike)} bound "
        "to one another on every curve, so that no data could tell their weights; leave "
        f"{alike[-1]} out"
    )


def notes_on(curves: Curves) -> list[str]:
    """What a reader should know of how far the axes vary apart."""
    within, parts = _within(curves), curves.axes[0].parts
    size = np.sqrt((within**2).sum(axis=0))
    found = [
        f"axes {parts[i].name} and {parts[j].name} rise together within curves (correlation "
        f"{r:.3f}): their weights can hardly be told apart"
        for i in range(len(parts))
        for j in range(i + 1, len(parts))
        if (r := float(within[:, i] @ within[:, j] / (size[i] * size[j]))) > 0.95
    ]
    u = curves.u
    low = np.where(curves.mask, u, np.inf).min(axis=2)
    high = np.where(curves.mask, u, -np.inf).max(axis=2)
    still = (high <= low) & (curves.points > 1)
    for part, on_curve in zip(parts, still, strict=True):
        if on_curve.any():
            names = listed(curves.name[on_curve].tolist(), most=3)
            found.append(f"axis {part.name}: one value only in {names}")
    return found


def along(curves: Curves, weights: Floats) -> Curves:
    """The curves on the axes that weights make, one copy of all curves for each.

    Each curve's limits are the lowest and highest u of its own points: a model sees the same unit
    axis, and its priors mean the same, for every weight and on every single axis.

    Parameters
    ----------
    curves : Curves
        Of one mix, with limits that they share.
    weights : array (copy, axis)

    Returns
    -------
    Curves
        Copy after copy, with one component, and the weights as one more label: random numbers,
        which go by the labels, are each copy's own.
    """
    copies, count = len(weights), len(curves)
    tiled = curves.take(np.tile(np.arange(count), copies))
    u = np.einsum("nk,kcp->ncp", weights, curves.u)[..., : tiled.mask.shape[1]]
    x = u.reshape(1, copies * count, -1)
    axis = Axis(curves.axes[0].name, "linear")
    texts = np.array([",".join(f"{w:.9g}" for w in row) for row in weights.tolist()], dtype=np.str_)
    return replace(
        tiled,
        labels=tiled.labels | {WEIGHTS: np.repeat(texts, count)},
        x=x,
        axes=(axis,) * len(tiled),
        limits=own_limits(x, tiled.mask),
    )


def by_weights(draws: Floats) -> Iterator[tuple[Floats, Index]]:
    """Weights (axis,) that draws (chain, draw, axis) have, and the places of those in a row."""
    different, which = np.unique(draws.reshape(-1, draws.shape[-1]), axis=0, return_inverse=True)
    for number, weights in enumerate(different):
        yield weights, np.flatnonzero(which.reshape(-1) == number)


def ends(curves: Curves, draws: Floats) -> tuple[Floats, Floats]:
    """The lowest and the highest u of each curve at the weights of each draw: (curve, draw)."""
    out = np.empty((2, len(curves), draws[..., 0].size))
    for weights, places in by_weights(draws):
        out[:, :, places] = along(curves, weights[None]).limits[:, 0, :, None]
    return out[0], out[1]


# --- the posterior of the weights -----------------------------------------------------------------


@dataclass(frozen=True)
class Posterior:
    """What the evidences say of the weights.

    Attributes
    ----------
    weights : array (point, axis)
        The grid; the corners, where one axis has all the weight, come first.
    prior : array (point,)
        What each point counts in the mean over Dirichlet(1).
    log_evidence, log_evidence_se : array (point, curve)
    """

    weights: Floats
    prior: Floats
    log_evidence: Floats
    log_evidence_se: Floats

    @cached_property
    def total(self) -> Floats:
        """Log evidence of all curves at each point: (point,)."""
        return self.log_evidence.sum(axis=1)

    @cached_property
    def total_se(self) -> Floats:
        """Its Monte Carlo error: (point,)."""
        return np.sqrt((self.log_evidence_se**2).sum(axis=1))

    @cached_property
    def _perturbed(self) -> Floats:
        """Probabilities under log evidences moved by their Monte Carlo errors: (move, point).

        Each on its own: the points have random numbers of their own.
        """
        moves = np.random.default_rng(0).standard_normal((PERTURBATIONS, len(self.total)))
        moves -= moves.mean(axis=0)
        return self._normalised(self.total + moves * self.total_se)

    def _normalised(self, log_evidence: Floats) -> Floats:
        """Posterior probabilities of the points: (…, point)."""
        mass = self.prior * np.exp(log_evidence - log_evidence.max(axis=-1, keepdims=True))
        return mass / mass.sum(axis=-1, keepdims=True)

    @cached_property
    def probability(self) -> Floats:
        """Of each point, averaged over the Monte Carlo errors of the evidences: (point,)."""
        return self._perturbed.mean(axis=0)

    @property
    def likeliest(self) -> Floats:
        """The weights of the highest posterior density: (axis,)."""
        return self.weights[self.total.argmax()]

    @property
    def resolution(self) -> float:
        """The number of points that share the mass: the exponential of the entropy."""
        p = self.probability[self.probability > 0]
        return float(np.exp(-(p * np.log(p)).sum()))

    def mean(self, values: Floats) -> tuple[Floats, Floats]:
        """The posterior mean of values at the points (point, any), and its Monte Carlo error."""
        return self.probability @ values, (self._perturbed @ values).std(axis=0)

    def quantiles(self, values: Floats, levels: Floats) -> Floats:
        """Posterior quantiles of values at the points (point,), nan where one is: (level,).

        Half of a point's mass lies to either side of it, and quantiles between are interpolated.
        """
        if np.isnan(values).any():
            return np.full(len(levels), np.nan)
        at, place = np.unique(values, return_inverse=True)
        p = np.bincount(place, weights=self.probability)
        return np.interp(levels, np.cumsum(p) - p / 2, at)

    @cached_property
    def log_marginal(self) -> tuple[float, float]:
        """Log evidence of the mix under Dirichlet(1), all curves, and its Monte Carlo error."""
        return _log_mean(self.total, self.prior), _norm(self.probability * self.total_se)

    @property
    def advantage(self) -> tuple[Floats, Floats]:
        """Log evidence of the mix less that of each axis alone, and its Monte Carlo error."""
        axes = self.weights.shape[1]
        value, error = self.log_marginal
        return value - self.total[:axes], np.hypot(error, self.total_se[:axes])

    @cached_property
    def of_curves(self) -> tuple[Floats, Floats]:
        """Log evidence of each curve given what the others say of the weights, and its error.

        The log of the mean of a curve's evidence over the posterior of the weights given all
        other curves: what it adds to theirs.
        """
        others = self.total[:, None] - self.log_evidence
        given = self.prior[:, None] * np.exp(others - others.max(axis=0))
        given /= given.sum(axis=0)
        value = np.array(
            [_log_mean(own, p) for own, p in zip(self.log_evidence.T, given.T, strict=True)]
        )
        return value, np.sqrt(((given * self.log_evidence_se) ** 2).sum(axis=0))

    def of(self, curve: int) -> "Posterior":
        """What one curve says alone, on the grid that was made for all of them."""
        own = slice(curve, curve + 1)
        return replace(
            self,
            log_evidence=self.log_evidence[:, own],
            log_evidence_se=self.log_evidence_se[:, own],
        )

    @property
    def agreement(self) -> float:
        """Log evidence for shared weights against weights of each curve's own.

        Below 0 where curves follow different mixes.
        """
        own = sum(_log_mean(one, self.prior) for one in self.log_evidence.T)
        return self.log_marginal[0] - float(own)


def _norm(values: Floats) -> float:
    return float(np.sqrt((values**2).sum()))


def _log_mean(log_values: Floats, share: Floats) -> float:
    top = log_values.max()
    return float(np.log(share @ np.exp(log_values - top)) + top)


def exponents(weights: Floats, axis: Axis, limits: Floats) -> Floats:
    """The weights as exponents of the axes in native units, which sum to 1.

    u changes with a = w / range for every unit of an axis's logarithm, so that equal u is equal
    N^a D^b …; scaled so that a + b + … = 1.

    Parameters
    ----------
    weights : array (…, axis)
    axis : Axis
        The mix.
    limits : array (2, axis)
        Coordinates between which each axis is laid on [0, 1].

    Returns
    -------
    array (…, axis)
        Nan unless all axes are logarithmic; of an axis on which less is better, the exponent of
        its inverse.

    Examples
    --------
    >>> mix = Axis.parse("mix:params,tokens")
    >>> exponents(np.array([0.5, 0.5]), mix, np.array([[7.0, 9.0], [10.0, 10.0]])).tolist()
    [0.25, 0.75]
    """
    if not all(part.is_log for part in axis.parts):
        return np.full(weights.shape, np.nan)
    slope = weights / (limits[1] - limits[0])
    return np.asarray(slope / slope.sum(axis=-1, keepdims=True))


def table(posterior: Posterior, axis: Axis, limits: Floats, ci: float) -> "pd.DataFrame":
    """One row an axis: its weight and its exponent with intervals, and the axis on its own.

    Parameters
    ----------
    posterior, axis, limits
        As for `exponents`.
    ci : float
        Probability of the equal-tailed intervals.
    """
    import pandas as pd

    levels = np.array([(1 - ci) / 2, (1 + ci) / 2])
    columns: dict[str, Floats] = {}
    native = exponents(posterior.weights, axis, limits)
    for name, values in (("weight", posterior.weights), ("exponent", native)):
        columns[name], columns[f"{name}_se"] = posterior.mean(values)
        ranges = [posterior.quantiles(value, levels) for value in values.T]
        columns[f"{name}_low"], columns[f"{name}_high"] = np.array(ranges).T
    columns["likeliest"] = posterior.likeliest
    columns["log_evidence"] = posterior.total[: len(native.T)]
    columns["advantage"], columns["advantage_se"] = posterior.advantage
    return pd.DataFrame(columns, index=pd.Index([part.name for part in axis.parts], name="axis"))


def verdict(posterior: Posterior, axis: Axis, limits: Floats, ci: float = 0.9) -> str:
    """One sentence: does the mix beat each axis alone, and at which weights?

    A difference below a nat, or below two of its Monte Carlo errors, is a tie.
    """
    names = [part.name for part in axis.parts]
    gain, error = posterior.advantage
    best = int(gain.argmin())
    margin = max(TIE, 2 * float(error[best]))
    others = " and ".join(name for i, name in enumerate(names) if i != best)
    found = _product(posterior, axis, limits, ci)
    if gain[best] > margin:
        lead = f"{' and '.join(names)} both matter" if len(names) == 2 else "no axis alone does"
        beaten = (f"{n} alone by {_nats(g)}" for n, g in zip(names, gain, strict=True))
        return f"{lead}: {found}; beats {', '.join(beaten)}"
    if gain[best] < -margin:
        return (
            f"{names[best]} alone is enough: beats the mix with {others} by {_nats(-gain[best])}; "
            f"the mix would be {found}"
        )
    return (
        f"a tie: {names[best]} alone and the mix with {others} differ by {_nats(abs(gain[best]))}; "
        f"the mix would be {found}"
    )


def _product(posterior: Posterior, axis: Axis, limits: Floats, ci: float) -> str:
    """Such as "params^0.38 · tokens^0.62 (90 %: 0.33 – 0.43 of params)"."""
    values = exponents(posterior.weights, axis, limits)
    as_weights = bool(np.isnan(values).any())
    values = posterior.weights if as_weights else values
    mean, _ = posterior.mean(values)
    low, high = posterior.quantiles(values[:, 0], np.array([(1 - ci) / 2, (1 + ci) / 2]))
    names = [part.name for part in axis.parts]
    if as_weights:
        text = " + ".join(f"{m:.2f} {name}" for name, m in zip(names, mean, strict=True))
    else:
        text = " · ".join(
            f"{part.name}^{'-' * part.transform.startswith('-')}{m:.2f}"
            for part, m in zip(axis.parts, mean, strict=True)
        )
    return f"{text} ({100 * ci:.4g} %: {low:.2f} to {high:.2f} for {names[0]})"


def _nats(value: float) -> str:
    return f"{value:.1f} nats" if value < 99.95 else f"{value:.0f} nats"


# --- learning -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Learned:
    """Weights and draws of all curves on a learned axis.

    Attributes
    ----------
    posterior : Posterior
    sample : Sample
        Draws from the mixture over weights; the log evidence of a curve is that given the others.
    weights : array (chain, draw, axis)
        The weights of each draw, the same for all curves.
    notes : tuple of str
    """

    posterior: Posterior
    sample: Sample
    weights: Floats
    notes: tuple[str, ...]


def learn(
    model: Model,
    curves: Curves,
    *,
    draws: int,
    seed: int,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Learned:
    """Learn the weights of the axes of a mix, and sample every curve along it.

    Parameters
    ----------
    model : Model
    curves : Curves
        Of one mix, as `shared` gives them.
    draws, seed, threads, progress
        As for `upturn.sampling.batch.sample`; how much there is to do is an estimate until the
        grid is as fine as it will be.
    """
    sampler = _Sampler(model, curves, seed=seed, threads=threads, progress=progress)
    grid = _explore(sampler, each=max(FEWEST_DRAWS, -(-draws // MOST_SHARE)))
    posterior = grid.posterior
    sample, weights = _mixture(sampler, grid, posterior, draws)
    sampler.finish()
    return Learned(posterior, sample, weights, (*notes_on(curves), *grid.notes))


def explore(model: Model, curves: Curves, *, seed: int, threads: int | None = None) -> Posterior:
    """The posterior of the weights alone; arguments as for `learn`."""
    sampler = _Sampler(model, curves, seed=seed, threads=threads, progress=None)
    return _explore(sampler, each=FEWEST_DRAWS).posterior


def unchanged(model: Model, curves: Curves, *, seed: int, threads: int | None = None) -> Sample:
    """Sample a no-change twin; with weights of its own where even that depends on scale."""
    if model.moves:
        return learn(model, curves, draws=FEWEST_DRAWS, seed=seed, threads=threads).sample
    anywhere = along(curves, np.eye(len(curves.axes[0].parts))[:1])
    return batch.sample(model, anywhere, draws=FEWEST_DRAWS, seed=seed, threads=threads)


class _Sampler:
    """Samples all curves at weights of the grid, a few at a time, and tells how far it is."""

    GUESS = 30  # points of the grid, until more are known of

    def __init__(
        self,
        model: Model,
        curves: Curves,
        *,
        seed: int,
        threads: int | None,
        progress: Progress | None,
    ) -> None:
        self._model, self.curves, self._seed, self._threads = model, curves, seed, threads
        self._report, self._done, self._total = progress, 0, self.GUESS * len(curves)

    @property
    def seed(self) -> int:
        return self._seed

    @property
    def axes(self) -> int:
        return len(self.curves.axes[0].parts)

    def at(self, weights: Floats, each: int) -> Iterator[tuple[int, Sample]]:
        """Samples at points of the grid (point, axis): the first's number, and some from it on."""
        width = max(1, CELLS // (len(self.curves) * each * (len(self._model.parameters) + 3)))
        self._total = max(self._total, self._done + len(weights) * len(self.curves))
        for start in range(0, len(weights), width):
            part = along(self.curves, weights[start : start + width])
            yield start, batch.sample(
                self._model, part, draws=each, seed=self._seed, threads=self._threads,
                progress=self._tell if self._report is not None else None,
            )  # fmt: skip
            self._done += len(part)

    def _tell(self, here: int, _: int) -> None:
        if self._report is not None:
            self._report(self._done + here, self._total)

    def finish(self) -> None:
        """Say that all is done, whatever the guess was."""
        if self._report is not None:
            self._report(self._total, self._total)


KEPT = ("log_evidence", "log_evidence_se", "khat", "ess", "evaluations", "converged", "method")


class _Grid:
    """The points of the grid, what sampling at each gave, and draws where they will be wanted."""

    def __init__(self, axes: int, curves: int) -> None:
        self.simplex = Simplex.of(axes, bisections=EVEN.get(axes, EVEN_MORE))
        self.finest = FINEST_SHARE.get(axes, FINEST_SHARE_MORE)
        self.most = MAX_POINTS.get(axes, MAX_POINTS_MORE)
        self.curves = curves
        self.found: dict[str, np.ndarray] = {}
        self.draws: dict[int, dict[str, Floats]] = {}

    def __len__(self) -> int:
        return len(self.found.get("khat", ()))

    @property
    def log_evidence(self) -> Floats:
        """Of all curves: (point,)."""
        return self.found["log_evidence"].sum(axis=1)

    @property
    def share(self) -> Floats:
        """The share of the posterior in each cell."""
        return self.simplex.mass(self.log_evidence)

    @property
    def posterior(self) -> Posterior:
        return Posterior(
            self.simplex.vertices,
            self.simplex.quadrature,
            self.found["log_evidence"],
            self.found["log_evidence_se"],
        )

    @property
    def notes(self) -> list[str]:
        """What a reader should know of how fine the grid is."""
        if (largest := self.share.max()) <= self.finest:
            return []
        return [
            f"weights: the posterior is narrower than the grid of {len(self)} points resolves; one "
            f"cell holds {100 * largest:.0f} % of it"
        ]

    def add(self, sample: Sample) -> None:
        """The next points."""
        first = len(self)
        for name, rows in _rows(sample.population, self.curves).items():
            self.found[name] = np.concatenate([self.found[name], rows]) if first else rows
        for number in range(first, len(self)):
            own = slice((number - first) * self.curves, (number - first + 1) * self.curves)
            self.draws[number] = {name: v[own] for name, v in sample.parameters.items()}

    def forget(self) -> None:
        """Drop draws that are not likely to be wanted, and what memory has no room for."""
        p = self.posterior.probability
        wanted = sorted((i for i in self.draws if p[i] > NEGLIGIBLE / 10), key=lambda i: -p[i])
        size = sum(value.size for value in self.draws[wanted[0]].values()) if wanted else 1
        self.draws = {
            i: {name: value.copy() for name, value in self.draws[i].items()}
            for i in wanted[: KEPT_CELLS // size]
        }


def _rows(found: Population, curves: int) -> dict[str, np.ndarray]:
    """Diagnostics of copies of all curves: (copy, curve)."""
    return {name: getattr(found, name).reshape(-1, curves) for name in KEPT}


def _explore(sampler: _Sampler, each: int) -> _Grid:
    """Halve cells until none holds more of the posterior than it should."""
    grid = _Grid(sampler.axes, len(sampler.curves))
    while True:
        for _, sample in sampler.at(grid.simplex.vertices[len(grid) :], each):
            grid.add(sample)
        coarse = grid.share > grid.finest
        if not coarse.any() or len(grid) >= grid.most:
            return grid
        grid.forget()
        grid.simplex = grid.simplex.bisected(coarse)


def _mixture(
    sampler: _Sampler, grid: _Grid, posterior: Posterior, draws: int
) -> tuple[Sample, Floats]:
    """Draws from the mixture over weights: every curve's at the same weights, draw by draw."""
    point = _points_of_draws(posterior, -(-draws // REPLICATES), sampler.seed)
    counts = np.stack([np.bincount(row, minlength=len(posterior.prior)) for row in point], axis=1)
    behind = _diagnosed(posterior, grid)
    shape = (grid.curves, *point.shape)
    parameters: dict[str, Floats] = {}

    def put(number: int, values: Mapping[str, Floats]) -> None:
        for name, value in values.items():
            into = parameters.setdefault(name, np.full(shape, np.nan))
            for chain, row in enumerate(point):
                into[:, chain, row == number] = value[:, chain, : counts[number, chain]]

    most = counts.max(axis=1)
    kept = {i: next(iter(values.values())).shape[2] for i, values in grid.draws.items()}
    lacking = [i for i in np.flatnonzero(most).tolist() if kept.get(i, 0) < most[i]]
    for number in np.flatnonzero(most).tolist():
        if number not in lacking:
            put(number, grid.draws[number])
    for some in _alike(sorted(lacking, key=lambda i: -most[i]), most):
        each = REPLICATES * int(most[some].max())
        for first, sample in sampler.at(posterior.weights[some], max(each, FEWEST_DRAWS)):
            rows = _rows(sample.population, grid.curves)
            here = some[first : first + len(rows["khat"])]
            _add(behind, rows, matter=posterior.probability[here] > NEGLIGIBLE)
            for place, number in enumerate(here):
                own = slice(place * grid.curves, (place + 1) * grid.curves)
                put(number, {name: value[own] for name, value in sample.parameters.items()})
    return Sample(parameters, replace(behind, rhat=_rhat(parameters))), posterior.weights[point]


def _points_of_draws(posterior: Posterior, each: int, seed: int) -> Index:
    """The point of the grid of each draw: (chain, draw), as often as it is probable."""
    order = np.lexsort(posterior.weights.T)
    summed = np.cumsum(posterior.probability[order])
    generator = np.random.default_rng([seed, 1])
    marks = (np.arange(each) + generator.uniform(size=(REPLICATES, 1))) / each
    place = np.minimum(np.searchsorted(summed / summed[-1], marks), len(order) - 1)
    return generator.permuted(order[place], axis=1)


def _alike(numbers: Sequence[int], most: Index) -> Iterator[list[int]]:
    """Points by how many draws they want: those of one list differ by less than twice."""
    some: list[int] = []
    for number in numbers:
        if some and 2 * most[number] < most[some[0]]:
            yield some
            some = []
        some.append(number)
    if some:
        yield some


def _diagnosed(posterior: Posterior, grid: _Grid) -> Population:
    """Diagnostics of the mixture: the worst of the points that matter."""
    p, found = posterior.probability, grid.found
    matter = p > NEGLIGIBLE
    value, error = posterior.of_curves
    nothing = np.empty((grid.curves, 0, 0, 0))
    return Population(
        z=nothing,
        weight=nothing,
        log_evidence=value,
        log_evidence_se=error,
        khat=found["khat"][matter].max(axis=0),
        ess=1 / (p[:, None] ** 2 / found["ess"]).sum(axis=0),
        rhat=np.full(grid.curves, np.nan),  # that of the draws, once they are there
        evaluations=found["evaluations"].sum(axis=0),
        converged=found["converged"][matter].all(axis=0),
        method=found["method"][matter].max(axis=0),
    )


def _add(behind: Population, rows: Mapping[str, np.ndarray], *, matter: Booleans) -> None:
    """What sampling anew for draws was like, at the points that matter."""
    behind.evaluations[:] += rows["evaluations"].sum(axis=0)
    if matter.any():
        behind.khat[:] = np.maximum(behind.khat, rows["khat"][matter].max(axis=0))
        behind.converged[:] &= rows["converged"][matter].all(axis=0)
        behind.method[:] = np.maximum(behind.method, rows["method"][matter].max(axis=0))


def _rhat(parameters: Mapping[str, Floats]) -> Floats:
    """R̂ of the draws over chains, worst parameter: (curve,); 1 for those that a curve has not."""
    draws = np.stack([np.nan_to_num(values) for values in parameters.values()], axis=1)
    return diagnostics.rhat(draws)
