"""JAGS: the reference models in its own language, through files and a subprocess.

Chains are processes of their own, as many at a time as there are threads. Reading the model and
adapting are in the time, as they are for whoever uses it.
"""

import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.problems.pymc_models import MARGIN, RHO, parsed, priors
from benchmarks.problems.workloads import Problem
from benchmarks.samplers import CHAINS, TUNE, Answer, Floats

DRAWS = 4000  # of each chain: its steps are cheap, and more of them cost it little
BEYOND = "max(u[i] - changepoint[of[i]], 0)"
SHARES = {
    "hinge": f"height[of[i]] * (1 - exp(-rate[of[i]] * {BEYOND}))",
    "ramp": f"min(slope[of[i]] * {BEYOND}, 1)",
    "step": "level[of[i]] * step(u[i] - changepoint[of[i]])",
    "logistic": "height[of[i]] * ilogit((u[i] - midpoint[of[i]]) / width[of[i]])",
    "logit-line": "ilogit(intercept[of[i]] + slope[of[i]] * u[i])",
    "delayed-logit": f"ilogit(logit(level[of[i]]) + slope[of[i]] * {BEYOND})",
    "chance": "0",
    "flat": "level[of[i]]",
}
# JAGS has precisions in the place of standard deviations.
PRIORS: dict[str, Any] = {
    "Uniform": lambda low, high: f"dunif({low}, {high})",
    "Normal": lambda mean, sd: f"dnorm({mean}, {1 / sd**2!r})",
    "LogNormal": lambda mean, sd: f"dlnorm({mean}, {1 / sd**2!r})",
    "HalfNormal": lambda sd: f"dnorm(0, {1 / sd**2!r}) T(0,)",
    "Beta": lambda a, b: f"dbeta({a}, {b})",
}


def program(model: str) -> str:
    """The model of all curves, in JAGS's language."""
    texts = {
        name: "dbeta(floor_alpha[j], floor_beta[j])" if name == "floor" else _prior(text)
        for name, text in priors(model).items()
    }
    floor = "floor[of[i]]" if "floor" in texts else "0"
    lines = ["model {", "  for (i in 1:observations) {"]
    lines += [
        f"    share[i] <- {SHARES[model]}",
        f"    score[i] <- {floor} + (ceiling[of[i]] - {floor}) * share[i]",
        f"    mean[i] <- min(max(score[i], {MARGIN!r}), 1 - {MARGIN!r})",
        "    k[i] ~ dbetabin(mean[i] * size[of[i]], (1 - mean[i]) * size[of[i]], n[i])",
        "  }",
        "  for (j in 1:curves) {",
        *(f"    {name}[j] ~ {text}" for name, text in texts.items()),
        f"    size[j] <- 1 / min(max(pow(overdispersion[j], 2), {RHO[0]!r}), {RHO[1]!r}) - 1",
        "  }",
        "}",
    ]
    return "\n".join(lines) + "\n"


def _prior(text: str) -> str:
    name, numbers = parsed(text)
    return PRIORS[name](*numbers)


def data_of(problem: Problem) -> str:
    """The data as R's dump, which is what JAGS reads."""
    counts = problem.counts
    alpha, beta = counts.floor_prior
    arrays = {
        "u": counts.u, "k": counts.successes, "n": counts.trials, "of": counts.curve + 1,
        "ceiling": counts.ceiling, "floor_alpha": alpha, "floor_beta": beta,
    }  # fmt: skip
    whole = ("k", "n", "of")
    lines = [f'"observations" <- {len(counts.u)}', f'"curves" <- {len(counts.chance)}']
    for name, values in arrays.items():
        if name.startswith("floor") and "floor" not in problem.parameters:
            continue
        texts = [str(int(v)) if name in whole else repr(float(v)) for v in values]
        lines.append(f'"{name}" <- c({", ".join(texts)})')
    return "\n".join(lines) + "\n"


def script(names: tuple[str, ...], draws: int, tune: int) -> str:
    """What JAGS is told to do: one chain, written in CODA's format."""
    monitors = "".join(f"monitor {name}\n" for name in names)
    return (
        "load basemod\nload bugs\nload mix\n"  # dbetabin is in mix
        'model in "model.bug"\ndata in "data.R"\ncompile, nchains(1)\n'
        f'parameters in "inits.R", chain(1)\ninitialize\nadapt {tune}\n'
        f"{monitors}update {draws}\ncoda *\nexit\n"
    )


def parsed_coda(folder: Path, names: tuple[str, ...], curves: int) -> dict[str, Floats]:
    """Draws (curve, draw) by parameter from an index and a chain."""
    values = np.loadtxt(folder / "CODAchain1.txt", usecols=1)
    results: dict[str, Floats] = {}
    for line in (folder / "CODAindex.txt").read_text("utf-8").splitlines():
        label, first, last = line.split()
        name, _, rest = label.partition("[")
        curve = int(rest.rstrip("]")) - 1 if rest else 0
        draws = values[int(first) - 1 : int(last)]
        results.setdefault(name, np.empty((curves, len(draws))))[curve] = draws
    return {name: results[name] for name in names}


class Jags:
    """Gibbs, slice and Metropolis steps, chosen by JAGS."""

    name = "JAGS"
    setup = 0.0

    def __init__(
        self, problem: Problem, threads: int, *, draws: int = DRAWS, tune: int = TUNE
    ) -> None:
        self._problem, self._threads = problem, threads
        self._files = {
            "model.bug": program(problem.known_model),
            "data.R": data_of(problem),
            "script.cmd": script(problem.parameters, draws, tune),
        }

    def run(self, seed: int) -> Answer:
        start = perf_counter()
        with ThreadPoolExecutor(self._threads) as pool:
            chains = list(pool.map(lambda i: self._chain(CHAINS * seed + i + 1), range(CHAINS)))
        seconds = perf_counter() - start
        draws = {n: np.stack([c[n] for c in chains], axis=1) for n in self._problem.parameters}
        return Answer(seconds, draws)

    def _chain(self, seed: int) -> dict[str, Floats]:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            inits = f'".RNG.name" <- "base::Mersenne-Twister"\n".RNG.seed" <- {seed}\n'
            for file, text in (self._files | {"inits.R": inits}).items():
                (folder / file).write_text(text, "utf-8")
            done: Any = subprocess.run(
                ["jags", "script.cmd"], cwd=folder, capture_output=True, text=True, check=False
            )
            if not (folder / "CODAchain1.txt").exists():
                said = (done.stdout + done.stderr).strip().splitlines()[-3:]
                raise RuntimeError(f"jags: {' '.join(said)}")
            return parsed_coda(folder, self._problem.parameters, len(self._problem.curves))
