"""BlackJAX: NUTS and adaptive tempered SMC, vmapped over curves."""

from time import perf_counter
from typing import Any

import blackjax
import jax
import jax.numpy as jnp
import numpy as np
from blackjax.adaptation.base import get_filter_adapt_info_fn
from blackjax.smc import resampling
from blackjax.smc.tuning.from_particles import particles_covariance_matrix

from benchmarks.problems.pymc_models import priors
from benchmarks.problems.workloads import Problem
from benchmarks.samplers import CHAINS, DRAWS, TUNE, Answer
from benchmarks.samplers.density import (
    constrained,
    draw_prior,
    finished,
    log_likelihood,
    log_prior,
)

ACCEPT = 0.8
# Of the Hamiltonian moves of SMC, in units of the particles' spread.
STEP, LEAPS, MOVES = 0.3, 8, 5
TARGET_ESS = 0.7


class _Vmapped:
    """A program for all chains of all curves, compiled ahead of time."""

    name = ""

    def __init__(self, problem: Problem, threads: int) -> None:
        self._problem = problem
        self._data = problem.counts.padded()
        start = perf_counter()
        program = jax.jit(jax.vmap(jax.vmap(self._chain, in_axes=(0, None))))
        self._compiled = program.lower(self._keys(0), self._data).compile()
        self.setup = perf_counter() - start

    def _chain(self, key: Any, data: dict[str, Any]) -> tuple[dict[str, Any], Any, Any]:
        """One chain of one curve: draws, whether it objects, evaluations."""
        raise NotImplementedError

    def _keys(self, seed: int) -> Any:
        shape = (len(self._problem.curves), CHAINS)
        return jax.random.split(jax.random.PRNGKey(seed), shape)

    def run(self, seed: int) -> Answer:
        start = perf_counter()
        results = finished(self._compiled(self._keys(seed), self._data))
        seconds = perf_counter() - start
        draws, objections, evaluations = results
        return Answer(
            seconds,
            {name: np.asarray(draws[name]) for name in self._problem.parameters},
            objections=np.asarray(objections).any(axis=1),
            evaluations=np.asarray(evaluations).sum(axis=1).astype(float),
        )


class Nuts(_Vmapped):
    name = "BlackJAX NUTS, vmapped"

    def _chain(self, key: Any, data: dict[str, Any]) -> tuple[dict[str, Any], Any, Any]:
        model = self._problem.known_model

        def log_density(x: dict[str, Any]) -> Any:
            return log_prior(model, x, data) + log_likelihood(model, constrained(model, x)[0], data)

        first, warm, last = jax.random.split(key, 3)
        starts = jax.random.uniform(first, (len(priors(model)),), minval=-2, maxval=2)
        position = dict(zip(priors(model), starts, strict=True))
        adaptation = blackjax.window_adaptation(
            blackjax.nuts, log_density, target_acceptance_rate=ACCEPT,
            adaptation_info_fn=get_filter_adapt_info_fn(),
        )  # fmt: skip
        (state, tuned), _ = adaptation.run(warm, position, num_steps=TUNE)
        kernel = blackjax.nuts(log_density, **tuned)

        def step(state: Any, key: Any) -> Any:
            state, info = kernel.step(key, state)
            return state, (state.position, info.is_divergent, info.num_integration_steps)

        _, (x, divergent, leaps) = jax.lax.scan(step, state, jax.random.split(last, DRAWS))
        return constrained(model, x)[0], divergent.any(), leaps.sum()


class Tempered(_Vmapped):
    """As in BlackJAX's own guide: Hamiltonian moves, tuned by the particles of the stage before."""

    name = "BlackJAX adaptive tempered SMC, vmapped"

    def _chain(self, key: Any, data: dict[str, Any]) -> tuple[dict[str, Any], Any, Any]:
        model = self._problem.known_model

        def prior(x: dict[str, Any]) -> Any:
            return log_prior(model, x, data)

        def likelihood(x: dict[str, Any]) -> Any:
            return log_likelihood(model, constrained(model, x)[0], data)

        def stage(carry: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
            key, state, count = carry
            key, step_key = jax.random.split(key)
            smc = blackjax.adaptive_tempered_smc(
                prior, likelihood, blackjax.hmc.build_kernel(), blackjax.hmc.init,
                {
                    "step_size": jnp.full(1, STEP),
                    "inverse_mass_matrix": particles_covariance_matrix(state.particles)[None],
                    "num_integration_steps": jnp.full(1, LEAPS),
                },
                resampling.systematic, target_ess=TARGET_ESS, num_mcmc_steps=MOVES,
            )  # fmt: skip
            state, _ = smc.step(step_key, state)
            return key, state, count + 1

        first, later = jax.random.split(key)
        particles = draw_prior(model, first, data, DRAWS)
        start = blackjax.smc.tempered.init(particles)
        tempered = jax.lax.while_loop(
            lambda carry: carry[1].tempering_param < 1, stage, (later, start, 0)
        )
        # a stage weights last, so it takes one more to resample and move at temperature 1
        _, state, count = stage(tempered)
        draws = constrained(model, state.particles)[0]
        return draws, jnp.zeros((), bool), count * DRAWS * MOVES * LEAPS
