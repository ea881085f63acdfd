"""NumPyro's NUTS: one joint model of all curves, or one model vmapped over curves."""

from time import perf_counter
from typing import Any

import jax
import numpy as np
import numpyro
from numpyro import distributions as dist
from numpyro.infer import MCMC, NUTS

from benchmarks.problems.pymc_models import parsed, priors
from benchmarks.problems.workloads import Problem
from benchmarks.samplers import CHAINS, DRAWS, TUNE, Answer
from benchmarks.samplers.density import finished, log_likelihood

FIELDS = ("num_steps", "diverging")


def model(name: str, data: dict[str, Any], curves: int | None = None) -> None:
    """The reference model in NumPyro, of one curve or of several along a plate."""
    plate = None if curves is None else numpyro.plate("curve", curves)
    parameters = {}
    for parameter, text in priors(name).items():
        if parameter == "floor":
            prior = dist.Beta(data["floor_alpha"], data["floor_beta"])
        else:
            kind, numbers = parsed(text)
            prior = getattr(dist, kind)(*numbers)
        if plate is None:
            parameters[parameter] = numpyro.sample(parameter, prior)
        else:
            with plate:
                parameters[parameter] = numpyro.sample(parameter, prior)
    if plate is not None:
        parameters = {parameter: value[:, None] for parameter, value in parameters.items()}
        data = data | {"ceiling": data["ceiling"][:, None]}
    numpyro.factor("log_likelihood", log_likelihood(name, parameters, data))


class _Numpyro:
    """A program for all chains, compiled ahead of time."""

    name = ""

    def __init__(self, problem: Problem, threads: int) -> None:
        self._problem = problem
        self._data = problem.counts.padded()
        start = perf_counter()
        program = jax.jit(self._program())
        self._compiled = program.lower(self._keys(0), self._data).compile()
        self.setup = perf_counter() - start

    def _program(self) -> Any:
        raise NotImplementedError

    def _keys(self, seed: int) -> Any:
        raise NotImplementedError

    def _run(self, seed: int) -> tuple[float, dict[str, Any], dict[str, Any]]:
        start = perf_counter()
        draws, extra = finished(self._compiled(self._keys(seed), self._data))
        seconds = perf_counter() - start
        given, statistics = ({k: np.asarray(v) for k, v in d.items()} for d in (draws, extra))
        return seconds, given, statistics


def chain(name: str, curves: int | None = None) -> Any:
    """One chain, as a function of a key and data."""

    def run(key: Any, data: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        kernel = NUTS(lambda data: model(name, data, curves))
        mcmc = MCMC(kernel, num_warmup=TUNE, num_samples=DRAWS, progress_bar=False)
        mcmc.run(key, data, extra_fields=FIELDS)
        return mcmc.get_samples(), mcmc.get_extra_fields()

    return run


class Joint(_Numpyro):
    name = "NumPyro NUTS, one joint model"

    def _program(self) -> Any:
        curves = len(self._problem.curves)
        return jax.vmap(chain(self._problem.known_model, curves), in_axes=(0, None))

    def _keys(self, seed: int) -> Any:
        return jax.random.split(jax.random.PRNGKey(seed), CHAINS)

    def run(self, seed: int) -> Answer:
        seconds, draws, extra = self._run(seed)
        curves = len(self._problem.curves)
        return Answer(
            seconds,
            {name: np.moveaxis(draws[name], 2, 0) for name in self._problem.parameters},
            objections=np.full(curves, extra["diverging"].any()),
            evaluations=np.full(curves, float(extra["num_steps"].sum())),
        )


class Vmapped(_Numpyro):
    name = "NumPyro NUTS, vmapped"

    def _program(self) -> Any:
        chains = jax.vmap(chain(self._problem.known_model), in_axes=(0, None))
        return jax.vmap(chains)

    def _keys(self, seed: int) -> Any:
        shape = (len(self._problem.curves), CHAINS)
        return jax.random.split(jax.random.PRNGKey(seed), shape)

    def run(self, seed: int) -> Answer:
        seconds, draws, extra = self._run(seed)
        return Answer(
            seconds,
            {name: draws[name] for name in self._problem.parameters},
            objections=extra["diverging"].any(axis=(1, 2)),
            evaluations=extra["num_steps"].sum(axis=(1, 2)).astype(float),
        )
