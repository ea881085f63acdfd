"""NUTS: draws from a PyMC model by nutpie, NumPyro, BlackJAX or PyMC itself, with diagnostics.

Nothing of PyMC is imported before a model is sampled.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from upturn.arrays.types import Booleans, Floats, Integers
from upturn.checks.arguments import known
from upturn.checks.errors import DataError
from upturn.formulas.curve import CurveModel
from upturn.sampling.batch import label_keys
from upturn.sampling.density.target import Target
from upturn.sampling.nuts.to_pymc import build, inputs, tabled, target_of
from upturn.sampling.particles.chains import REPLICATES
from upturn.tables.curves import Curves

if TYPE_CHECKING:
    import pymc as pm

# From this version BlackJAX's adaptation refuses an argument that PyMC 6 passes
BLACKJAX_BEFORE = (1, 6)
SAMPLERS = ("nutpie", "numpyro", "blackjax", "pymc")
CHAINS = 4
TUNE = 1000
ACCEPT = 0.9  # the mean acceptance probability that the step size is tuned to
# Vehtari et al. (2021), sections 4 and 5: R̂ below 1.01 and 100 effective draws a chain.
LARGEST_RHAT = 1.01
LEAST_ESS = 100 * CHAINS
TAILS = (0.05, 0.95)


def check_available(nuts: str) -> None:
    """Refuse a sampler that is not known or not installed.

    Raises
    ------
    DataError
        With the command that installs it.
    """
    known(nuts, SAMPLERS, kind="NUTS sampler", where="nuts")
    if find_spec(nuts) is None:
        raise DataError(
            f"nuts: expected the package {nuts} to be installed, but got none; "
            "install it with: pip install 'upturn[nuts]'"
        )
    if nuts == "blackjax":
        have = version(nuts)
        if tuple(int(part) for part in have.split(".")[:2]) >= BLACKJAX_BEFORE:
            before = ".".join(map(str, BLACKJAX_BEFORE))
            raise DataError(
                f"nuts: expected a blackjax before {before}, which PyMC can call, but got {have}; "
                f"install it with: pip install 'blackjax<{before}'"
            )


@dataclass(frozen=True)
class Run:
    """Draws and statistics of NUTS.

    Attributes
    ----------
    draws : dict of array (chain, draw, …)
    divergences : int
        Transitions that left the posterior because the step was too long for its curvature.
    gradients : int
        Evaluations of the gradient after tuning; 0 where the sampler does not report them.
    """

    draws: dict[str, Floats]
    divergences: int
    gradients: int

    def diagnosed(self, names: Iterable[str] | None = None) -> tuple[Floats, Floats]:
        """R̂ (rank-normalised, split) and effective sizes of all scalars of some variables.

        The effective size is the smaller of that of the bulk and that of the tails, and the number
        of draws for a constant (Vehtari et al. 2021).

        Returns
        -------
        rhat, ess : array (scalar,)
        """
        flat = [
            self.draws[name].reshape(*self.draws[name].shape[:2], -1)
            for name in (self.draws if names is None else names)
        ]
        return diagnose(np.concatenate(flat, axis=2))


def diagnose(draws: Floats) -> tuple[Floats, Floats]:
    """R̂ and the smaller of the bulk's and the tails' effective size, of (chain, draw, scalar)."""
    array_stats = _array_stats()
    chains, count, scalars = draws.shape
    rhat, ess = np.ones(scalars), np.full(scalars, float(chains * count))
    for i in np.flatnonzero(np.ptp(draws, axis=(0, 1)) > 0):
        scalar = draws[:, :, i]
        rhat[i] = array_stats.rhat(scalar)
        ess[i] = min(array_stats.ess(scalar), array_stats.ess(scalar, method="tail", prob=TAILS))
    return rhat, ess


def _array_stats() -> Any:
    from arviz_stats.base import array_stats

    return array_stats


@dataclass(frozen=True)
class Compiled:
    """A PyMC model for several data sets, compiled once where the sampler allows that.

    Attributes
    ----------
    model : pymc.Model
    nuts : str
    names : tuple of str
        The variables to keep.
    program : object
        The program that nutpie compiled; None for other samplers.
    """

    model: "pm.Model"
    nuts: str
    names: tuple[str, ...]
    program: Any

    @classmethod
    def of(cls, model: "pm.Model", names: Sequence[str], nuts: str = "nutpie") -> Self:
        """Compile a model.

        Raises
        ------
        DataError
            Where the sampler is not installed.
        """
        check_available(nuts)
        program = None
        if nuts == "nutpie":
            import nutpie

            program = nutpie.compile_pymc_model(model, var_names=list(names))
        return cls(model, nuts, tuple(names), program)

    def run(
        self,
        *,
        draws: int,
        seed: int,
        tune: int = TUNE,
        chains: int = CHAINS,
        cores: int | None = None,
        accept: float = ACCEPT,
        dense: bool = False,
        data: Mapping[str, Any] | None = None,
    ) -> Run:
        """Sample.

        Parameters
        ----------
        draws, tune : int
            In each chain.
        seed : int
        cores : int, optional
            All by default.
        accept : float
        dense : bool
            Whether the mass matrix has correlations, of low rank; nutpie only, others have a
            diagonal one.
        data : mapping, optional
            New values of the model's data.
        """
        if self.program is None:
            return self._by_pymc(draws, seed, tune, chains, cores, accept, data or {})
        import nutpie

        # data that a model does not use, as u in `flat`, are not in the program
        used = {variable.name for variable in self.program.shared_var_keys}
        new = {name: value for name, value in (data or {}).items() if name in used}
        program = self.program.with_data(**new) if new else self.program
        tree = nutpie.sample(
            program, draws=draws, tune=tune, chains=chains, cores=cores, seed=seed,
            target_accept=accept, adaptation="low_rank" if dense else "diag",
            progress_bar=False, save_warmup=False,
        )  # fmt: skip
        return self._from(tree, "n_steps")

    def _by_pymc(
        self,
        draws: int,
        seed: int,
        tune: int,
        chains: int,
        cores: int | None,
        accept: float,
        data: Mapping[str, Any],
    ) -> Run:
        import pymc as pm

        with self.model:
            if data:
                pm.set_data(dict(data))
            tree = pm.sample(
                draws=draws, tune=tune, chains=chains, cores=cores, random_seed=seed,
                target_accept=accept, nuts_sampler=self.nuts, var_names=list(self.names),
                progressbar=False, compute_convergence_checks=False, quiet=True,
            )  # fmt: skip
        return self._from(tree, "n_steps")

    def _from(self, tree: Any, steps: str) -> Run:
        posterior, stats = tree["posterior"], tree["sample_stats"]
        count = int(stats[steps].values.sum()) if steps in stats else 0
        draws = {name: np.asarray(posterior[name].values, dtype=float) for name in self.names}
        return Run(draws, int(stats["diverging"].values.sum()), count)


# --- every curve of a table -----------------------------------------------------------------------


@dataclass(frozen=True)
class Chains:
    """NUTS's draws and diagnostics of all curves under one model.

    Attributes
    ----------
    parameters : dict of array (curve, chain, draw)
        On the model's scale; nan where a curve's likelihood has no such parameter.
    rhat, ess, divergences : array (curve,)
        R̂ of the worst parameter, effective size of the worst, transitions that diverged.
    """

    parameters: dict[str, Floats]
    rhat: Floats
    ess: Floats
    divergences: Integers

    @property
    def converged(self) -> Booleans:
        """Whether no diagnostic rejects the draws: (curve,)."""
        return (self.rhat < LARGEST_RHAT) & (self.ess >= LEAST_ESS) & (self.divergences == 0)


def sample(
    model: CurveModel,
    curves: Curves,
    *,
    draws: int,
    seed: int,
    nuts: str = "nutpie",
    tune: int = TUNE,
    cores: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Chains:
    """Sample every curve under a model, each separately.

    Curves share no parameter. A joint model would need the step size of the most difficult curve,
    and a divergence could not be assigned to a curve. nutpie compiles one model for all curves of
    one kind and exchanges the data; other samplers build a model for each curve.

    Parameters
    ----------
    model : CurveModel
    curves : Curves
    draws : int
        Over all chains; rounded up to a multiple of them.
    seed : int
    nuts : str
        One of `SAMPLERS`.
    tune : int
        Steps of each chain before its first draw.
    cores : int, optional
    progress : callable, optional
        (curves done, curves in all).
    """
    check_available(nuts)
    per_chain = -(-draws // CHAINS)
    seeds = (label_keys(curves, model, seed)[::REPLICATES] >> np.uint64(33)).astype(int).tolist()
    runs: dict[int, Run] = {}
    for index in _alike(model, curves):
        compiled = None
        for i in index:
            target = target_of(model, curves.take(i))
            if compiled is None or nuts != "nutpie":
                compiled = _compiled(target, int(curves.groups[index].max()), nuts)
            runs[i] = compiled.run(
                draws=per_chain, seed=seeds[i], tune=tune, cores=cores,
                data=inputs(target) if nuts == "nutpie" else None,
            )  # fmt: skip
            if progress is not None:
                progress(len(runs), len(curves))
    return _joined([runs[i] for i in range(len(curves))])


def _alike(model: CurveModel, curves: Curves) -> list[list[int]]:
    """Sets of curves that can use one compiled model: of one kind, all with groups or all without.

    A tabulated prior is part of the program, so chance has to be the same there too.
    """
    sets: dict[tuple[Any, ...], list[int]] = {}
    for i in range(len(curves)):
        target = target_of(model, curves.take(i))
        fixed = any(tabled(target, name) for name in target.names)
        chance = repr(float(target.chance[0])) if fixed else ""
        sets.setdefault((str(curves.kind[i]), target.grouped, chance), []).append(i)
    return list(sets.values())


def _compiled(target: Target, groups: int, nuts: str) -> Compiled:
    """The model of one curve, with the most groups of any curve whose data it may get."""
    import pymc as pm

    names = [str(group) for group in range(groups)] if target.grouped else []
    return Compiled.of(build(target, ["curve"], names, pm), target.names, nuts)


def _joined(runs: list[Run]) -> Chains:
    names = dict.fromkeys(name for run in runs for name in run.draws)
    shape = next(iter(runs[0].draws.values())).shape[:2]
    nothing = np.full((*shape, 1), np.nan)
    parameters = {
        name: np.stack([run.draws.get(name, nothing)[:, :, 0] for run in runs]) for name in names
    }
    diagnostics = [run.diagnosed() for run in runs]
    return Chains(
        parameters,
        np.array([rhat.max() for rhat, _ in diagnostics]),
        np.array([ess.min() for _, ess in diagnostics]),
        np.array([run.divergences for run in runs]),
    )
