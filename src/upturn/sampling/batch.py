"""Sampling of many curves in blocks, on all cores.

Curves of one kind and similar length make a block. Results do not depend on the blocks.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, fields, replace
from functools import partial
from threading import Event

import numpy as np

from upturn.arrays.types import Floats, Index
from upturn.checks import processors
from upturn.formulas.curve import CurveModel
from upturn.formulas.likelihoods.registry import LIKELIHOODS
from upturn.formulas.scaling import Scaling
from upturn.sampling.density.target import Target
from upturn.sampling.jax import choose
from upturn.sampling.particles import diagnostics, sobol
from upturn.sampling.particles.chains import REPLICATES, Population
from upturn.sampling.population import sampler
from upturn.tables.curves import Curves

CURVES_A_BLOCK = 16
# Also for few curves, or one core would have them all; more blocks where there are groups, whose
# curves are long enough to outweigh the fixed cost of a block.
BLOCKS_A_THREAD = 2, 4
CELLS_A_BLOCK = 4096  # points times curves, so that a block of long curves fits into the cache

# Effective particles for each draw. Points of a low-discrepancy net are better than independent
# ones, so draws from this many are as good as independent draws.
ENOUGH = 0.75
ENOUGH_GROUPED = 0.5  # where a particle costs thirty times as much: 2,000 for 4,000 draws

_NOTHING = np.empty((0, 0, 0, 0))

type Progress = Callable[[int, int], None]
type Part = tuple[Index, dict[str, Floats], Population]  # the draws of a block


@dataclass(frozen=True)
class Sample:
    """Draws and diagnostics of all curves under one model.

    Attributes
    ----------
    parameters : dict of array (curve, chain, draw)
        On the model's scale; nan where a curve's likelihood has no such parameter.
    population : Population
        Diagnostics, `ess` that of the worst parameter; z and weight are empty.
    """

    parameters: dict[str, Floats]
    population: Population


def joined_chains(parameters: Mapping[str, Floats]) -> dict[str, Floats]:
    """Draws of all chains one after the other: (curve, chain, draw) to (curve, draw)."""
    return {name: values.reshape(len(values), -1) for name, values in parameters.items()}


def label_keys(curves: Curves, model: CurveModel, seed: int) -> sobol.Keys:
    """Random keys of each curve's replicates, from its labels and the model only."""
    names = sorted(curves.labels)
    columns = [curves.labels[name].tolist() for name in names]
    labels = []
    for row in zip(*columns, strict=True):
        # a label is empty if only other curves of the table have it
        present = {name: value for name, value in zip(names, row, strict=True) if value}
        labels.append("\x1f".join([model.name, *present, *present.values()]))
    return sobol.keys(seed, labels, REPLICATES)


def sample(
    model: CurveModel,
    curves: Curves,
    *,
    draws: int,
    seed: int,
    threads: int | None = None,
    progress: Progress | None = None,
    scaling: Scaling | None = None,
    backend: str = "numpy",
    attempts: int = 2,
) -> Sample:
    """Sample every curve under a model.

    Parameters
    ----------
    model : CurveModel
    curves : Curves
    draws : int
        Over all replicates; rounded up to a multiple of them.
    seed : int
    threads : int, optional
        All cores by default.
    progress : callable, optional
        (curves done, curves in all), called from this thread.
    scaling : Scaling, optional
        By default from the scores; simulated scores need that of their design.
    backend : str
        See `upturn.sampling.jax.choose`.
    attempts : int
        How far to escalate where sampling is difficult; see `sampler.sample`.
    """
    (result,) = sample_each(
        [(model, draws)], curves, seed=seed, threads=threads, progress=progress, scaling=scaling,
        backend=backend, attempts=attempts,
    )  # fmt: skip
    return result


def sample_each(
    models: Sequence[tuple[CurveModel, int]],
    curves: Curves,
    *,
    seed: int,
    threads: int | None = None,
    progress: Progress | None = None,
    scaling: Scaling | None = None,
    backend: str = "numpy",
    attempts: int = 2,
) -> list[Sample]:
    """Sample every curve under each of several models with its number of draws; see `sample`.

    No core waits for the last curve of a model. `progress` counts each curve once for each model.
    """
    how = choose.backend(backend)
    stop = Event()
    workers = threads or processors.usable()
    cut = list(_blocks(curves, workers, how.curves))
    jobs = []
    for model, draws in models:
        work = partial(
            _sampled, model, curves, label_keys(curves, model, seed).reshape(len(curves), -1),
            per_chain=-(-draws // REPLICATES), scaling=scaling, attempts=attempts, how=how,
            stop=stop,
        )  # fmt: skip
        jobs += [(block, partial(work, block)) for block in cut]
    workers = min(workers, how.threads or len(jobs))
    results = _map(jobs, len(models) * len(curves), workers, progress, stop)
    return [
        _together(
            results[i * len(cut) : (i + 1) * len(cut)], len(curves), _all_parameters(model, curves)
        )
        for i, (model, _) in enumerate(models)
    ]


def _sampled(
    model: CurveModel,
    curves: Curves,
    keys: sobol.Keys,
    block: Index,
    *,
    per_chain: int,
    scaling: Scaling | None,
    attempts: int,
    how: choose.Backend,
    stop: Event,
) -> Part:
    """The draws of a block of curves of one kind."""
    part = curves.take(block)
    with how.session():
        target = how.target(
            model, part, model.likelihood_for(str(part.kind[0])), stop=stop,
            scaling=None if scaling is None else scaling.take(block),
        )  # fmt: skip
        enough = ENOUGH_GROUPED if target.grouped else ENOUGH
        population = sampler.sample(
            target, keys=keys[block].reshape(-1), draws=per_chain,
            size=enough * REPLICATES * per_chain, attempts=attempts,
        )  # fmt: skip
        parameters = _native(target, population)
        worth = [diagnostics.worth(value, population.weight) for value in parameters.values()]
        ess = population.ess * np.min(worth, axis=0)
        return block, parameters, replace(population, ess=ess, z=_NOTHING, weight=_NOTHING)


def _blocks(curves: Curves, threads: int, curves_a_block: int | None = None) -> Iterator[Index]:
    """Curves of one kind, with or without groups and runs, the longest first; by default few."""
    long = curves.points
    sort = 2 * (curves.groups > 0) + curves.runs
    for kind in dict.fromkeys(curves.kind.tolist()):
        for sort_key in range(4):
            index = np.flatnonzero((curves.kind == kind) & (sort == sort_key))
            index = index[np.argsort(-long[index], kind="stable")]
            start, fair = 0, -(-len(index) // (BLOCKS_A_THREAD[sort_key >= 2] * threads))
            while start < len(index):
                cells = CELLS_A_BLOCK // int(long[index[start]] + 1)
                size = curves_a_block or max(1, min(CURVES_A_BLOCK, cells, fair))
                yield index[start : start + size]
                start += size


def _map(
    jobs: Sequence[tuple[Index, Callable[[], Part]]],
    total: int,
    threads: int,
    progress: Progress | None,
    stop: Event,
) -> list[Part]:
    """Do each block's job, reporting as they end; results in the order of the jobs."""
    done = 0
    with ThreadPoolExecutor(threads) as pool:
        futures = {pool.submit(work): len(block) for block, work in jobs}
        try:
            for future in as_completed(futures):
                future.result()
                done += futures[future]
                if progress is not None:
                    progress(done, total)
        finally:
            # on an interrupt, end the blocks that run and begin no others
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
    return [future.result() for future in futures]


def _native(target: Target, population: Population) -> dict[str, Floats]:
    """Draws on the model's scale: (curve, chain, draw)."""
    curves, dimension, chains, draws = population.z.shape
    z = population.z.reshape(curves, dimension, chains * draws)
    flat = target.parameters(np.arange(curves), z)
    return {name: value.reshape(curves, chains, draws) for name, value in flat.items()}


def parameters_of(model: CurveModel, kinds: Iterable[str], *, grouped: bool) -> list[str]:
    """The parameters of curves of some kinds, in an order that does not depend on the curves."""
    present = {name for kind in kinds for name in model.likelihood_for(kind).parameters}
    every = dict.fromkeys(name for item in LIKELIHOODS.values() for name in item.parameters)
    scatter = ["scatter"] if model.moves and grouped else []
    return [*model.parameters, *(name for name in every if name in present), *scatter]


def _all_parameters(model: CurveModel, curves: Curves) -> list[str]:
    grouped = bool((curves.groups > 0).any())
    return parameters_of(model, set(curves.kind.tolist()), grouped=grouped)


def _together(results: list[Part], count: int, names: list[str]) -> Sample:
    """The sample of all blocks in the order of curves; parameters that a curve lacks are nan."""
    order = np.concatenate([block for block, _, _ in results])
    back = np.argsort(order)
    shape = (count, *next(iter(results[0][1].values())).shape[1:])
    parameters = {name: np.full(shape, np.nan) for name in names}
    for block, parameters_of_block, _ in results:
        for name, value in parameters_of_block.items():
            parameters[name][block] = value
    merged = {
        f.name: np.concatenate([getattr(population, f.name) for _, _, population in results])[back]
        for f in fields(Population)
        if f.name not in ("z", "weight")
    }
    return Sample(parameters, Population(z=_NOTHING, weight=_NOTHING, **merged))
