"""Samplers: each is set up once on a problem, then gives draws for a seed, timed.

The registry names all that are compared. What a peer needs may be missing; then it stays a row that
says how to get it. Every peer has the model of `benchmarks.problems.pymc_models`, written from the
definitions (JAGS in its own language), with the same priors on the same data.
"""

import shutil
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from benchmarks.problems.workloads import Problem

type Floats = NDArray[np.float64]
type Booleans = NDArray[np.bool_]

CHAINS = 4
DRAWS = 1000  # of each chain
TUNE = 1000


@dataclass(frozen=True)
class Answer:
    """What one run gives.

    Attributes
    ----------
    seconds : float
    draws : dict of array (curve, chain, draw)
        By parameter; changepoints on the unit axis. Chains may be independent replicates.
    ess : array (curve,), optional
        Of weights, where draws were made from weighted ones: ArviZ's formula cannot know it.
    objections : array (curve,), optional
        Whether the sampler itself objects to a curve: divergences, k̂, replicates that disagree.
    evaluations : array (curve,), optional
        Of each curve's likelihood, or of its gradient; of NUTS those after tuning.
    """

    seconds: float
    draws: dict[str, Floats]
    ess: Floats | None = None
    objections: Booleans | None = None
    evaluations: Floats | None = None

    @property
    def tau(self) -> Floats:
        """Draws of the changepoint: (curve, draw)."""
        tau = self.draws["changepoint"]
        return tau.reshape(len(tau), -1)


class Sampler(Protocol):
    """One that is set up."""

    name: str
    setup: float  # seconds of building and compiling

    def run(self, seed: int) -> Answer:
        """Sample all curves of the problem."""
        ...


@dataclass(frozen=True)
class Entry:
    """A sampler that may be there.

    Attributes
    ----------
    title : str
    factory : str
        module:name, of (Problem, threads) to Sampler.
    options : mapping
        More for the factory.
    modules : tuple of str
        That have to be installed.
    program : str
        That has to be on the path; none if empty.
    remedy : str
        The line that brings what is missing.
    device : str
        What kind of device JAX has to have; any if empty.
    """

    title: str
    factory: str
    options: Mapping[str, Any]
    modules: tuple[str, ...] = ()
    program: str = ""
    remedy: str = "pip install 'upturn[bench]'"
    device: str = ""

    @property
    def missing(self) -> str:
        """What is missing, and how to get it; empty where all is there."""
        lacking = [name for name in self.modules if find_spec(name) is None]
        if self.program and shutil.which(self.program) is None:
            lacking.append(self.program)
        if not lacking and self.options.get("backend") == "jax" and not _has_backend():
            return "missing: a version of upturn with the jax backend"
        return f"missing: {self.remedy}" if lacking else ""

    def make(self, problem: Problem, threads: int) -> Sampler:
        """Set it up."""
        module, _, name = self.factory.partition(":")
        factory: Callable[..., Sampler] = getattr(import_module(module), name)
        return factory(problem, threads, **self.options)


def _has_backend() -> bool:
    from upturn.checks.names import BACKENDS

    return "jax" in BACKENDS


def _entry(title: str, factory: str, *modules: str, **more: Any) -> Entry:
    keys = ("program", "remedy", "device")
    fixed = {key: more.pop(key) for key in keys if key in more}
    return Entry(title, f"benchmarks.samplers.{factory}", more, modules, **fixed)


_jax = partial(_entry, remedy="pip install 'upturn[bench]'")

REGISTRY: Mapping[str, Entry] = {
    "ours": _entry("upturn, 4,000 draws", "ours:Ours", draws=4000),
    "ours-16000": _entry("upturn, 16,000 draws", "ours:Ours", draws=16_000),
    "ours-jax": _entry(
        "upturn on JAX", "ours:Ours", "jax",
        draws=4000, backend="jax", remedy="pip install 'upturn[jax]'",
    ),
    "nutpie-joint": _entry("nutpie, one joint model", "nuts:NutpieJoint", "nutpie"),
    "nutpie-loop": _entry("nutpie, a loop over curves", "nuts:NutpieLoop", "nutpie"),
    "pymc-loop": _entry("PyMC NUTS, a loop of pm.sample", "nuts:PymcLoop"),
    "numpyro-joint": _entry("NumPyro NUTS, one joint model", "numpyro:Joint", "jax", "numpyro"),
    "numpyro-vmap": _entry("NumPyro NUTS, vmapped", "numpyro:Vmapped", "jax", "numpyro"),
    "blackjax-nuts": _entry("BlackJAX NUTS, vmapped", "blackjax:Nuts", "jax", "blackjax"),
    "blackjax-smc": _entry(
        "BlackJAX adaptive tempered SMC, vmapped", "blackjax:Tempered", "jax", "blackjax"
    ),
    "pymc-smc": _entry("PyMC SMC, a loop of pm.sample_smc", "nuts:PymcSmc"),
    "jags": _entry("JAGS", "jags:Jags", program="jags", remedy="apt-get install jags"),
    "nutpie-joint-long": _entry(
        "nutpie, one joint model, 4,000 draws a chain", "nuts:NutpieJoint", "nutpie", draws=4000
    ),
    "nutpie-loop-long": _entry(
        "nutpie, a loop over curves, 4,000 draws a chain", "nuts:NutpieLoop", "nutpie", draws=4000
    ),
}  # fmt: skip
# With four times the draws, over which tuning is spread; compared where that is asked for.
LONG = ("nutpie-joint-long", "nutpie-loop-long")


def unit_draws(fit: Any, curves: Any, name: str) -> Floats:
    """A parameter's draws (curve, chain, draw), changepoints on the unit axis."""
    values = np.moveaxis(
        fit.tree["posterior"][name].transpose("chain", "draw", "curve").values, 2, 0
    )
    if not name.startswith("changepoint"):
        return values
    low, high = curves.limits[:, 0, :, None, None]
    return (values - low) / (high - low)


@contextmanager
def only_result() -> Iterator[None]:
    """NUTS' remarks on divergences and R̂ are measured here, not read."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
