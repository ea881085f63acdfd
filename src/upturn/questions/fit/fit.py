"""fit: a table of results in, emergence scales with intervals out."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from upturn.checks.arguments import check_names, check_numbers
from upturn.checks.errors import DataError, shown
from upturn.formulas.likelihoods.registry import SERIAL
from upturn.model import Model
from upturn.posterior import emergence as em
from upturn.posterior.files import check_writable
from upturn.questions.arguments import COMPUTING, curves_of, made_by, table_of, without_folders
from upturn.questions.fit.assemble import NUTS_NOTE, held, to_tree, with_chains, with_population
from upturn.questions.fit.batches.batches import Batches, check_run
from upturn.questions.fit.job import Job, asked_of, of_runs
from upturn.questions.fit.mix import coordinates, learn
from upturn.questions.fit.result import Fit
from upturn.sampling.batch import Progress
from upturn.sampling.jax.choose import check_backend
from upturn.sampling.nuts.sample import check_available
from upturn.sampling.nuts.sample import sample as sample_nuts
from upturn.tables.axis import Axis
from upturn.tables.curves import Curves
from upturn.tables.results import Results

if TYPE_CHECKING:
    import pandas as pd


def fit(
    results: "Results | Curves | pd.DataFrame | str | os.PathLike[str]",
    *,
    axis: str | Axis | Sequence[str | Axis] = "flops",
    model: str | Path | Model = "hinge",
    by: str | None = None,
    metric: str | Sequence[str] | None = None,
    draws: int = 4000,
    seed: int = 0,
    sampler: str = "population",
    nuts: str = "nutpie",
    backend: str = "numpy",
    likelihood: str | None = None,
    scatter: str = "auto",
    priors: Mapping[str, str] | None = None,
    delta: float = em.DELTA,
    threads: int | None = None,
    progress: Progress | None = None,
    output: str | os.PathLike[str] | None = None,
    resume: bool = False,
    batch: int | None = None,
    dask: str | None = None,
    workers: int | None = None,
) -> Fit:
    """Fit a model to every curve of a table.

    Parameters
    ----------
    results : Results, Curves, DataFrame, path or name of a bundled data set
    axis : str or Axis, or several
        "flops", "params", "perplexity", any numeric column; several run as one batch, and
        `axis` is then a label of the curves. "mix:params,tokens" is one learned axis: the weighted
        sum of several, with weights that all curves share (see `Fit.weights`).
    model : str, Path or Model
        A built-in's name, a TOML file, or a Model.
    by : str, optional
        A label to split curves by, as "family".
    metric : str or several, optional
    draws : int
        Posterior draws of each curve, over four independent replicates (chains).
    seed : int
        Same seed and input, same result to the bit, whatever the number of threads.
    sampler : str
        "population" or "nuts". NUTS gives draws, of a model in PyMC (`Model.to_pymc`), but no
        evidence: `p_change` and `log_evidence` are the population sampler's then too.
    nuts : str
        "nutpie", "numpyro", "blackjax" or "pymc".
    backend : str
        "numpy" or "jax": what computes the population sampler's stages (see `docs/inference.md`).
        JAX's draws are different but equally good; use it with a GPU.
    likelihood : str, optional
        By default the model's, which by default depends on the kind of each curve.
    scatter : str
        "auto", "none", "family" or "run": the groups whose offsets along the axis are integrated
        out. Given `Curves` keep their groups, unless "none".
    priors : mapping, optional
        Such as ``{"changepoint": "Uniform(0.2, 0.9)"}``.
    delta : float
        How far above chance a score is an ability; a share of the observed range for continuous
        metrics.
    threads : int, optional
    progress : callable, optional
        Called with (curves done, curves in all).
    output : path, optional
        A Zarr store (.zarr) to which each batch of curves is written when it is done. It can be
        loaded after the last one. Not for NUTS and mixes of axes, which need all curves together.
    resume : bool
        Whether to continue an interrupted run from its store. The result is, to the bit, that of a
        run without interruption. Without a store, a new run begins.
    batch : int, optional
        Curves of a batch; by default 64, or 256 for more than 4,096 curves.
    dask : str, optional
        The address of a Dask scheduler ("tcp://host:8786") whose workers fit the batches; they
        need the output under the same path. The result is the same to the bit.
    workers : int, optional
        Processes of this machine that fit batches, with one thread each.

    Returns
    -------
    Fit

    Raises
    ------
    DataError
        For anything wrong with the table or the arguments, in one line that says what to do.

    Examples
    --------
    >>> import upturn
    >>> found = upturn.fit("gpt3", metric="acc", axis="params", draws=400, seed=1)
    >>> bool(found.summary().loc["arithmetic_3da | few-shot | 50", "p_change"] > 0.99)
    True
    """
    check_names(
        sampler=sampler, backend=backend, scatter=scatter, likelihood=likelihood, by=by, nuts=nuts
    )
    if sampler == "nuts":
        check_available(nuts)
    check_backend(backend)
    check_numbers(draws=draws, seed=seed, delta=delta, threads=threads)
    path = None if output is None else check_writable(output, (".zarr",))
    check_run(path, resume=resume, batch=batch, dask=dask, workers=workers)
    chosen = Model.read(model)
    if likelihood is not None:
        chosen = chosen.with_likelihood(likelihood)
    if priors is not None:
        chosen = chosen.with_priors(_mapping(priors))
    packages = (*COMPUTING, "jax", "jaxlib") if backend == "jax" else COMPUTING
    meta: dict[str, Any] = {
        **made_by(seed, packages),
        "arguments": {
            "model": chosen.name if isinstance(model, Model) else without_folders(str(model)),
            "draws": int(draws),
            "sampler": sampler,
            **({"nuts": nuts} if sampler == "nuts" else {}),
            "backend": backend,
            "likelihood": chosen.likelihood,
            "scatter": scatter,
            "by": by,
            "delta": float(delta),
            "priors": dict(chosen.given),
        },
        "model": chosen.to_toml(),
    }
    job = Job(chosen, meta)
    if path is not None:
        batches = Batches(path, resume, batch, dask, workers, threads, progress)
        return batches.fit(job, results, axis, metric)
    data = table_of(results)
    curves = curves_of(data, axis, by, metric, scatter, mixes=sampler == "population")
    meta["arguments"] |= asked_of(data, metric, curves.axes)
    meta["notes"] = [*curves.notes]
    if curves.runs.any() and not coordinates.is_mix(curves):
        job = of_runs(job)
    return _in_memory(job, curves, nuts=nuts, threads=threads, progress=progress)


def _in_memory(
    job: Job, curves: Curves, *, nuts: str, threads: int | None, progress: Progress | None
) -> Fit:
    """The fit of all curves at once, in memory."""
    sampler = job.meta["arguments"]["sampler"]
    chosen, meta, draws, delta = job.model, dict(job.meta), job.draws, job.delta
    if coordinates.is_mix(curves):
        if (backend := job.meta["arguments"]["backend"]) != "numpy":
            raise DataError(
                f"backend: expected 'numpy' for a mix of axes, but got {shown(backend)}"
            )
        curves = coordinates.shared(curves)
    for kind in dict.fromkeys(curves.kind.tolist()):
        chosen.likelihood_for(kind)
    if chosen.likelihood in SERIAL and not curves.runs.any():
        raise DataError(
            f"likelihood {chosen.likelihood!r}: expected runs with several checkpoints of a curve, "
            "but got none; add a column run, or leave --likelihood out"
        )
    learned, alternatives = None, None
    if coordinates.is_mix(curves):
        learned = learn.learn(
            chosen, curves, draws=draws, progress=progress, seed=meta["seed"], threads=threads
        )
        meta["notes"] += learned.notes
        sample = learned.sample
        twin = learn.unchanged(chosen.twin(), curves, seed=meta["seed"], threads=threads)
    else:
        total = (3 if sampler == "nuts" else 2) * len(curves)
        among_all = progress and (lambda done, _: progress(done, total))
        sample, twin = job.samples(curves, threads=threads, progress=among_all)
        alternatives = job.alternatives(curves, threads=threads)
    how: dict[str, Any] = {"twin": twin, "delta": delta, "alternatives": alternatives, "meta": meta}
    if sampler == "population" and learned is None:
        return Fit(held(curves, chosen, sample=sample, **how))
    tree = to_tree(curves, chosen, sample=sample, learned=learned, **how)
    if sampler == "nuts":
        chains = sample_nuts(
            chosen, curves, draws=draws, seed=meta["seed"], nuts=nuts, cores=threads,
            progress=progress and (lambda done, _: progress(2 * len(curves) + done, total)),
        )  # fmt: skip
        meta["notes"].append(NUTS_NOTE)
        nuts_tree = to_tree(curves, chosen, sample=with_chains(sample, chains), **how)
        tree = with_population(nuts_tree, tree, sample, chains)
    return Fit(tree)


def _mapping(priors: Any) -> Mapping[str, str]:
    if not isinstance(priors, Mapping):
        raise DataError(
            "priors: expected a mapping such as {'changepoint': 'Uniform(0.2, 0.9)'}, "
            f"but got {shown(priors)}"
        )
    return priors
