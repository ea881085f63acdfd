"""A fit that is written batch by batch."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from upturn.checks.arguments import whole
from upturn.checks.errors import DataError, shown, shown_path
from upturn.posterior import files
from upturn.questions.arguments import curves_of, table_of
from upturn.questions.fit.batches import cluster, processes
from upturn.questions.fit.batches.begin import begin
from upturn.questions.fit.batches.store import Store
from upturn.questions.fit.batches.stream import stream_of
from upturn.questions.fit.batches.survey import InMemory
from upturn.questions.fit.job import Job, asked_of, of_runs
from upturn.questions.fit.mix import coordinates
from upturn.questions.fit.result import Fit
from upturn.sampling.batch import Progress
from upturn.tables.axis import Axis
from upturn.tables.curves import Curves
from upturn.tables.results import Results

if TYPE_CHECKING:
    import pandas as pd


MOST = {"batch": 1_000_000, "workers": 4096}


@dataclass(frozen=True)
class Batches:
    """A fit that is written batch by batch: its store, workers, and whether to continue a run."""

    path: Path
    resume: bool
    size: int | None
    dask: str | None
    workers: int | None
    threads: int | None
    progress: Progress | None

    def fit(
        self,
        job: Job,
        results: "Results | Curves | pd.DataFrame | str | os.PathLike[str]",
        axis: str | Axis | Sequence[str | Axis],
        metric: str | Sequence[str] | None,
    ) -> Fit:
        """The fit of a table, which is in memory only while the store is made, if at all."""
        asked = job.meta["arguments"]
        by, scatter, sampler = (asked[name] for name in ("by", "scatter", "sampler"))
        stream = None
        if sampler == "population" and metric is None:
            stream = stream_of(results, axis, self.path, by=by, scatter=scatter)
        if stream is not None:
            asked |= asked_of(stream, metric, [stream.axis])
            with stream:
                job = of_runs(job) if stream.has_runs else job
                run = begin(job, stream, self.path, resume=self.resume, batch=self.size)
            return self.complete(run)
        data = table_of(results)
        curves = curves_of(data, axis, by, metric, scatter, mixes=sampler == "population")
        self._check(curves, sampler)
        asked |= asked_of(data, metric, curves.axes)
        if curves.runs.any():
            job = of_runs(job)
        run = begin(job, InMemory(curves), self.path, resume=self.resume, batch=self.size)
        del data, curves  # batches read theirs from the store
        return self.complete(run)

    def _check(self, curves: Curves, sampler: str) -> None:
        """Refuse batches for a fit that needs all curves together."""
        reason = (
            "NUTS" if sampler == "nuts" else "a mix of axes" if coordinates.is_mix(curves) else None
        )
        if reason is not None:
            raise DataError(
                f"{shown_path(self.path)}: expected a fit whose curves are independent, but got "
                f"{reason}, which needs all of them together; save the fit when it is done"
            )

    def complete(self, run: Store | None) -> Fit:
        """Complete the missing batches, and return the fit."""
        if run is not None:
            try:
                self._complete(run)
            finally:
                run.release()
        return Fit(files.open_saved(self.path))

    def _complete(self, run: Store) -> None:
        if self.dask:
            cluster.complete(run, self.dask, self.progress)
        elif self.workers:
            processes.complete(run, self.workers, self.progress)
        else:
            run.complete(threads=self.threads, progress=self.progress)


def check_run(path: Path | None, **given: Any) -> None:
    """Refuse wrong options of batches, and any without an output."""
    name = next((name for name, value in given.items() if value), None)
    if path is None and name is not None:
        raise DataError(
            f"{name}: expected an output to write batches to, but got none; name one that ends in "
            ".zarr"
        )
    for name in ("batch", "workers"):
        if given[name] is not None:
            whole(name, given[name], 1, MOST[name])
    if given["dask"] is not None and not isinstance(given["dask"], str):
        raise DataError(f"dask: expected an address, but got {shown(given['dask'])}")
    if given["dask"] and given["workers"]:
        raise DataError("workers: expected them or a scheduler, but got both; leave one out")
