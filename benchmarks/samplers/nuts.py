"""NUTS and SMC from PyMC models: nutpie, `pm.sample`, `pm.sample_smc`."""

from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.problems.pymc_models import PRIORS, Compiled, build
from benchmarks.problems.workloads import Problem
from benchmarks.samplers import CHAINS, DRAWS, TUNE, Answer, Floats, only_result


def named(title: str, draws: int) -> str:
    """With the draws of a chain, where they are not the usual ones."""
    return title if draws == DRAWS else f"{title}, {draws:,} draws a chain"


class NutpieJoint:
    """One PyMC model of all curves, sampled by nutpie; setting up is compiling it."""

    def __init__(self, problem: Problem, threads: int, *, draws: int = DRAWS) -> None:
        self.name = named("nutpie, one joint model", draws)
        self._draws = draws
        self._compiled = Compiled(problem.known_model, problem.counts)
        self._counts, self._threads = problem.counts, threads
        self.setup = self._compiled.seconds

    def run(self, seed: int) -> Answer:
        with only_result():
            run = self._compiled.sample(
                self._counts, seed=seed, cores=self._threads, draws=self._draws, tune=TUNE,
                chains=CHAINS,
            )  # fmt: skip
        curves = len(self._counts.chance)
        return Answer(
            run.seconds,
            {name: np.moveaxis(values, 2, 0) for name, values in run.draws.items()},
            objections=np.full(curves, run.divergences > 0),
            evaluations=np.full(curves, float(run.gradients)),
        )


class NutpieLoop:
    """A PyMC model of one curve, compiled once, sampled by nutpie on one curve after another.

    Models that `benchmarks.problems.pymc_models` does not have are built by `Model.to_pymc`.
    """

    def __init__(self, problem: Problem, threads: int, *, draws: int = DRAWS) -> None:
        self.name = named("nutpie, a loop over curves", draws)
        self._draws = draws
        self._problem, self._threads = problem, threads
        self._each = problem.counts.each()
        self._compiled: Compiled | None = None
        self.setup = 0.0
        if problem.model in PRIORS and problem.likelihood is None:
            self._compiled = Compiled(problem.known_model, self._each[0])
            self.setup = self._compiled.seconds

    def run(self, seed: int) -> Answer:
        if self._compiled is None:
            return self._by_library(seed)
        seconds, parts, objections, gradients = 0.0, [], [], []
        for i, counts in enumerate(self._each):
            with only_result():
                run = self._compiled.sample(
                    counts, seed=1000 * seed + i, cores=self._threads, draws=self._draws,
                    tune=TUNE, chains=CHAINS,
                )  # fmt: skip
            seconds += run.seconds
            parts.append({name: values[:, :, 0] for name, values in run.draws.items()})
            objections.append(run.divergences > 0)
            gradients.append(float(run.gradients))
        return Answer(
            seconds, stacked(parts), objections=np.array(objections),
            evaluations=np.array(gradients),
        )  # fmt: skip

    def _by_library(self, seed: int) -> Answer:
        """Compiling is in the time of the first run."""
        from upturn.sampling.nuts import sample

        start = perf_counter()
        with only_result():
            chains = sample.sample(
                self._problem.parsed_model, self._problem.curves,
                draws=CHAINS * self._draws, seed=seed, cores=self._threads, tune=TUNE,
            )  # fmt: skip
        seconds = perf_counter() - start
        return Answer(seconds, chains.parameters, objections=~chains.converged)


class _Loop:
    """PyMC on one curve after another, compiling each, as people do it."""

    name = ""
    setup = 0.0

    def __init__(self, problem: Problem, threads: int) -> None:
        import pymc  # noqa: F401, so that importing is not in the first run

        self._problem, self._threads = problem, threads
        self._each = problem.counts.each()

    def run(self, seed: int) -> Answer:
        start = perf_counter()
        parts, objections, evaluations = [], [], []
        for i, counts in enumerate(self._each):
            with only_result(), build(self._problem.known_model, counts):
                trace = self._sample(1000 * seed + i)
            posterior = trace["posterior"]
            parts.append({n: posterior[n].values[:, :, 0] for n in self._problem.parameters})
            objected, evaluated = self._read(trace)
            objections.append(objected)
            evaluations.append(evaluated)
        return Answer(
            perf_counter() - start, stacked(parts), objections=np.array(objections),
            evaluations=np.array(evaluations) if all(evaluations) else None,
        )  # fmt: skip

    def _sample(self, seed: int) -> Any:
        raise NotImplementedError

    def _read(self, trace: Any) -> tuple[bool, float]:
        """Whether it objects, and evaluations; 0 where it does not say."""
        raise NotImplementedError


class PymcLoop(_Loop):
    name = "PyMC NUTS, a loop of pm.sample"

    def _sample(self, seed: int) -> Any:
        import pymc as pm

        return pm.sample(
            draws=DRAWS, tune=TUNE, chains=CHAINS, cores=min(self._threads, CHAINS),
            nuts_sampler="pymc", progressbar=False, quiet=True, random_seed=seed,
            compute_convergence_checks=False,
        )  # fmt: skip

    def _read(self, trace: Any) -> tuple[bool, float]:
        stats = trace["sample_stats"]
        return bool(stats["diverging"].values.any()), float(stats["n_steps"].values.sum())


class PymcSmc(_Loop):
    name = "PyMC SMC, a loop of pm.sample_smc"

    def _sample(self, seed: int) -> Any:
        import pymc as pm

        return pm.sample_smc(
            draws=DRAWS, chains=CHAINS, cores=min(self._threads, CHAINS), progressbar=False,
            random_seed=seed, compute_convergence_checks=False,
        )  # fmt: skip

    def _read(self, trace: Any) -> tuple[bool, float]:
        return False, 0.0


def stacked(parts: list[dict[str, Floats]]) -> dict[str, Floats]:
    """Draws (chain, draw) of one curve after another as (curve, chain, draw)."""
    return {name: np.stack([part[name] for part in parts]) for name in parts[0]}
