"""A learned axis: the weighted sum of several axes, with weights that all curves share.

u = sum_k w_k u_k, where u_k is axis k on the unit interval between limits that the curves of the
table share, and w ~ Dirichlet(1). Given w this is an ordinary axis, on which every curve has an
evidence. The posterior of w is proportional to the product of the evidences of all curves,
evaluated on a grid that is refined where the posterior is high.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from upturn.arrays.types import Booleans, Floats
from upturn.model import Model
from upturn.questions.fit.mix.coordinates import along, notes_on
from upturn.questions.fit.mix.simplex import Simplex
from upturn.questions.fit.mix.weights import Posterior
from upturn.sampling import batch
from upturn.sampling.batch import Progress, Sample
from upturn.sampling.particles import diagnostics
from upturn.sampling.particles.chains import REPLICATES, Population
from upturn.tables.curves import Curves

type Index = NDArray[np.intp]


# The grid: all cells are halved at first, then those with more than a share of the posterior.
EVEN = {2: 3, 3: 5}  # by the number of axes: 9 points, then 25
EVEN_MORE = 6
FINEST_SHARE = {2: 1 / 10, 3: 1 / 32}
FINEST_SHARE_MORE = 1 / 48
MAX_POINTS = {2: 97, 3: 257}
MAX_POINTS_MORE = 513

FEWEST_DRAWS = 400  # at a point of the grid: fewer would save nothing
MOST_SHARE = 8  # a share 1/8 of the draws is enough at most points of the grid
CELLS = 8_000_000  # doubles of draws sampled at once: 64 MB
KEPT_CELLS = 24_000_000  # doubles of draws kept while the grid is refined: 192 MB
NEGLIGIBLE = 1e-3  # posterior probability of a grid point whose diagnostics are ignored


@dataclass(frozen=True)
class Learned:
    """Weights and draws of all curves on a learned axis.

    Attributes
    ----------
    posterior : Posterior
    sample : Sample
        Draws from the mixture over weights; the log evidence of a curve is given the other curves.
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
        As for `upturn.sampling.batch.sample`; the total of `progress` is an estimate until the
        grid is complete.
    """
    sampler = _Sampler(model, curves, seed=seed, threads=threads, progress=progress)
    grid = _explore(sampler, draws=max(FEWEST_DRAWS, -(-draws // MOST_SHARE)))
    posterior = grid.posterior
    sample, weights = _mixture(sampler, grid, posterior, draws)
    sampler.finish()
    return Learned(posterior, sample, weights, (*notes_on(curves), *grid.notes))


def explore(model: Model, curves: Curves, *, seed: int, threads: int | None = None) -> Posterior:
    """The posterior of the weights alone; arguments as for `learn`."""
    sampler = _Sampler(model, curves, seed=seed, threads=threads, progress=None)
    return _explore(sampler, draws=FEWEST_DRAWS).posterior


def unchanged(model: Model, curves: Curves, *, seed: int, threads: int | None = None) -> Sample:
    """Sample a no-change twin; with its own weights if it depends on scale."""
    if model.moves:
        return learn(model, curves, draws=FEWEST_DRAWS, seed=seed, threads=threads).sample
    anywhere = along(curves, np.eye(len(curves.axes[0].parts))[:1])
    return batch.sample(model, anywhere, draws=FEWEST_DRAWS, seed=seed, threads=threads)


class _Sampler:
    """Samples all curves at points of the grid, a few at a time, and reports progress."""

    GUESS = 30  # points of the grid, for progress, until more are known

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

    def at(self, weights: Floats, draws: int) -> Iterator[tuple[int, Sample]]:
        """Samples at some points of the grid (point, axis), with the number of the first."""
        width = max(1, CELLS // (len(self.curves) * draws * (len(self._model.parameters) + 3)))
        self._total = max(self._total, self._done + len(weights) * len(self.curves))
        for start in range(0, len(weights), width):
            part = along(self.curves, weights[start : start + width])
            yield start, batch.sample(
                self._model, part, draws=draws, seed=self._seed, threads=self._threads,
                progress=self._tell if self._report is not None else None,
            )  # fmt: skip
            self._done += len(part)

    def _tell(self, here: int, _: int) -> None:
        if self._report is not None:
            self._report(self._done + here, self._total)

    def finish(self) -> None:
        """Report that everything is done."""
        if self._report is not None:
            self._report(self._total, self._total)


KEPT = ("log_evidence", "log_evidence_se", "khat", "ess", "evaluations", "converged", "method")


class _Grid:
    """The points of the grid, with evidences and diagnostics, and the draws at likely points."""

    def __init__(self, axes: int, curves: int, seed: int) -> None:
        self.simplex = Simplex.of(axes, bisections=EVEN.get(axes, EVEN_MORE))
        self.finest = FINEST_SHARE.get(axes, FINEST_SHARE_MORE)
        self.most = MAX_POINTS.get(axes, MAX_POINTS_MORE)
        self.curves, self.seed = curves, seed
        self.sampled: dict[str, np.ndarray] = {}
        self.draws: dict[int, dict[str, Floats]] = {}

    def __len__(self) -> int:
        return len(self.sampled.get("khat", ()))

    @property
    def log_evidence(self) -> Floats:
        """Log evidence of all curves: (point,)."""
        return self.sampled["log_evidence"].sum(axis=1)

    @property
    def share(self) -> Floats:
        """The posterior probability of each cell."""
        return self.simplex.mass(self.log_evidence)

    @property
    def posterior(self) -> Posterior:
        return Posterior(
            self.simplex.vertices,
            self.simplex.quadrature,
            self.sampled["log_evidence"],
            self.sampled["log_evidence_se"],
            self.seed,
        )

    @property
    def notes(self) -> list[str]:
        """A note if the grid is too coarse."""
        if (largest := self.share.max()) <= self.finest:
            return []
        return [
            f"weights: the posterior is narrower than the grid of {len(self)} points resolves; one "
            f"cell holds {100 * largest:.0f} % of it"
        ]

    def add(self, sample: Sample) -> None:
        """Add the sample at the next points."""
        first = len(self)
        for name, rows in _rows(sample.population, self.curves).items():
            self.sampled[name] = np.concatenate([self.sampled[name], rows]) if first else rows
        for number in range(first, len(self)):
            copy = slice((number - first) * self.curves, (number - first + 1) * self.curves)
            self.draws[number] = {name: v[copy] for name, v in sample.parameters.items()}

    def forget(self) -> None:
        """Drop draws at unlikely points, and those that exceed the memory."""
        p = self.posterior.probability
        wanted = sorted((i for i in self.draws if p[i] > NEGLIGIBLE / 10), key=lambda i: -p[i])
        size = sum(value.size for value in self.draws[wanted[0]].values()) if wanted else 1
        self.draws = {
            i: {name: value.copy() for name, value in self.draws[i].items()}
            for i in wanted[: KEPT_CELLS // size]
        }


def _rows(population: Population, curves: int) -> dict[str, np.ndarray]:
    """Diagnostics of copies of all curves: (copy, curve)."""
    return {name: getattr(population, name).reshape(-1, curves) for name in KEPT}


def _explore(sampler: _Sampler, draws: int) -> _Grid:
    """Halve cells until none has more than a given share of the posterior."""
    grid = _Grid(sampler.axes, len(sampler.curves), sampler.seed)
    while True:
        for _, sample in sampler.at(grid.simplex.vertices[len(grid) :], draws):
            grid.add(sample)
        coarse = grid.share > grid.finest
        if not coarse.any() or len(grid) >= grid.most:
            return grid
        grid.forget()
        grid.simplex = grid.simplex.bisected(coarse)


def _mixture(
    sampler: _Sampler, grid: _Grid, posterior: Posterior, draws: int
) -> tuple[Sample, Floats]:
    """Draws from the mixture over weights: each draw has the same weights for all curves."""
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
        wanted = REPLICATES * int(most[some].max())
        for first, sample in sampler.at(posterior.weights[some], max(wanted, FEWEST_DRAWS)):
            rows = _rows(sample.population, grid.curves)
            here = some[first : first + len(rows["khat"])]
            _add(behind, rows, matter=posterior.probability[here] > NEGLIGIBLE)
            for place, number in enumerate(here):
                copy = slice(place * grid.curves, (place + 1) * grid.curves)
                put(number, {name: value[copy] for name, value in sample.parameters.items()})
    return Sample(parameters, replace(behind, rhat=_rhat(parameters))), posterior.weights[point]


def _points_of_draws(posterior: Posterior, count: int, seed: int) -> Index:
    """The grid point of each draw (chain, draw), in proportion to its probability."""
    order = np.lexsort(posterior.weights.T)
    summed = np.cumsum(posterior.probability[order])
    generator = np.random.default_rng([seed, 1])
    marks = (np.arange(count) + generator.uniform(size=(REPLICATES, 1))) / count
    place = np.minimum(np.searchsorted(summed / summed[-1], marks), len(order) - 1)
    return generator.permuted(order[place], axis=1)


def _alike(numbers: Sequence[int], most: Index) -> Iterator[list[int]]:
    """Points with similar numbers of draws: within a list by less than a factor of two."""
    some: list[int] = []
    for number in numbers:
        if some and 2 * most[number] < most[some[0]]:
            yield some
            some = []
        some.append(number)
    if some:
        yield some


def _diagnosed(posterior: Posterior, grid: _Grid) -> Population:
    """Diagnostics of the mixture: the worst of the points that are not negligible."""
    p, sampled = posterior.probability, grid.sampled
    matter = p > NEGLIGIBLE
    value, error = posterior.of_curves
    nothing = np.empty((grid.curves, 0, 0, 0))
    return Population(
        z=nothing,
        weight=nothing,
        log_evidence=value,
        log_evidence_se=error,
        khat=sampled["khat"][matter].max(axis=0),
        ess=1 / (p[:, None] ** 2 / sampled["ess"]).sum(axis=0),
        rhat=np.full(grid.curves, np.nan),  # computed from the draws later
        evaluations=sampled["evaluations"].sum(axis=0),
        converged=sampled["converged"][matter].all(axis=0),
        method=sampled["method"][matter].max(axis=0),
    )


def _add(behind: Population, rows: Mapping[str, np.ndarray], *, matter: Booleans) -> None:
    """Add the diagnostics of sampling again, at the points that are not negligible."""
    behind.evaluations[:] += rows["evaluations"].sum(axis=0)
    if matter.any():
        behind.khat[:] = np.maximum(behind.khat, rows["khat"][matter].max(axis=0))
        behind.converged[:] &= rows["converged"][matter].all(axis=0)
        behind.method[:] = np.maximum(behind.method, rows["method"][matter].max(axis=0))


def _rhat(parameters: Mapping[str, Floats]) -> Floats:
    """R̂ of the draws over chains, worst parameter: (curve,); 1 for parameters a curve lacks."""
    draws = np.stack([np.nan_to_num(values) for values in parameters.values()], axis=1)
    return diagnostics.rhat(draws)
