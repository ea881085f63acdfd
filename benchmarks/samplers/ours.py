"""Ours: `upturn.fit` as a user calls it."""

from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.problems.workloads import Problem
from benchmarks.samplers import Answer, unit_draws


class Ours:
    """`upturn.fit`: the no-change twins, the diagnostics and the tree are in its time.

    Parameters
    ----------
    problem : Problem
    threads : int
    draws : int
        Resampled from the weighted ones, over four replicates. With few of them it is their number
        and not that of the evaluations that limits how well a 5 % quantile is known.
    backend : str
    """

    def __init__(
        self, problem: Problem, threads: int, *, draws: int = 4000, backend: str = "numpy"
    ) -> None:
        self.name = f"upturn, {draws:,} draws" + (f", {backend}" if backend != "numpy" else "")
        self._problem = problem
        self._options: dict[str, Any] = {
            "model": problem.model, "likelihood": problem.likelihood, "scatter": "none",
            "threads": threads, "backend": backend, "draws": draws,
        }  # fmt: skip
        start = perf_counter()
        # compiles; JAX has a program for each shape, so it is all curves that are fitted
        if backend == "numpy":
            self._fit(0, problem.curves.take(slice(0, 2)))
        else:
            self._fit(0, problem.curves)
        self.setup = perf_counter() - start

    def _fit(self, seed: int, curves: Any) -> Any:
        import upturn

        return upturn.fit(curves, seed=seed, **self._options)

    def run(self, seed: int) -> Answer:
        curves = self._problem.curves
        start = perf_counter()
        fit = self._fit(seed, curves)
        seconds = perf_counter() - start
        stats = fit.tree["sample_stats"]
        names = [str(name) for name in self._problem.parameters if name in fit.tree["posterior"]]
        return Answer(
            seconds,
            {name: unit_draws(fit, curves, name) for name in names},
            ess=stats["ess"].values.astype(float),
            objections=np.isin(curves.name, fit.failed) | (stats["khat"].values > 0.7),
            evaluations=stats["evaluations"].values.astype(float),
        )
