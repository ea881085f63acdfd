"""Kernel: what one evaluation of the likelihood costs, beside kernels written by hand.

The hinge under the beta-binomial at many particles of one curve after another: ours as the sampler
calls it (`Target.log_likelihood`, the way from whitened coordinates through the priors' quantiles
included), `kernel.c`, tuned for its processor and given the parameters themselves, and what one
would write with numba in ten minutes. One thread, the least of some repeats, by turns; all have
to agree.
"""

import ctypes
import math
import os
import shutil
import subprocess
import tempfile
from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.special import gammaln

from benchmarks.output import report
from benchmarks.problems import workloads
from benchmarks.problems.pymc_models import MARGIN, RHO, Counts

type Floats = NDArray[np.float64]
type Kernel = Callable[[Counts, Mapping[str, Floats]], Floats]

SOURCE = Path(__file__).with_suffix(".c")
FLAGS = ("-O3", "-march=native", "-ffast-math", "-fPIC", "-Wno-psabi")
PARAMETERS = ("changepoint", "rate", "floor", "height", "overdispersion")
AGREEMENT = 1e-8  # of log likelihoods, relative
WIDTH = 0.2  # of the ball of particles, in prior standard deviations
OURS, QUANTILES, BY_HAND, PLAIN = "upturn", "quantiles", "c", "numba"


# --- kernels --------------------------------------------------------------------------------------


def compiler() -> str:
    """The C compiler of the system, empty where there is none."""
    names = (os.environ.get("CC", ""), "cc", "gcc", "clang")
    return next((results for name in names if name and (results := shutil.which(name))), "")


def by_hand(*flags: str) -> Kernel:
    """Compile `kernel.c` and load it.

    Parameters
    ----------
    *flags : str
        More of them for the compiler.
    """
    with tempfile.TemporaryDirectory() as folder:  # what is loaded stays without its file
        compiled, path = str(Path(folder) / "kernel.o"), str(Path(folder) / "kernel.so")
        _compile(*FLAGS, *flags, "-c", str(SOURCE), "-o", compiled)
        # Linked without fast-math: gcc before 13 would add a start that makes whoever loads the
        # library, all of this process, take subnormal numbers for zero.
        _compile("-shared", compiled, "-lm", "-o", path)
        library = ctypes.CDLL(path)
    array = np.ctypeslib.ndpointer(np.float64, flags="C_CONTIGUOUS")
    number, real = ctypes.c_long, ctypes.c_double
    library.log_likelihood.restype = None
    library.log_likelihood.argtypes = [
        number, array, array, array, number, array, array, real, real, number, *[array] * 6,
    ]  # fmt: skip
    lanes: int = library.lanes()

    def kernel(counts: Counts, p: Mapping[str, Floats]) -> Floats:
        particles = len(p["rate"])
        if particles % lanes:
            raise ValueError(f"kernel: expected a multiple of {lanes} particles")
        out = np.empty(particles)
        u, k, rest, sizes, often, constant = arranged(counts)
        library.log_likelihood(
            len(u), u, k, rest, len(sizes), sizes, often, constant, float(counts.ceiling[0]),
            particles, *(p[name] for name in PARAMETERS), out,
        )  # fmt: skip
        return out

    return kernel


def _compile(*arguments: str) -> None:
    done = subprocess.run([compiler(), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"kernel: {done.stderr.strip()[-500:]}")


def arranged(counts: Counts) -> tuple[Any, ...]:
    """Points by scale: u, successes, failures; distinct trials, their numbers; the constant."""
    order = np.argsort(counts.u)
    k, n = counts.successes[order], counts.trials[order]
    sizes, often = np.unique(n, return_counts=True)
    constant = float((gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)).sum())
    return counts.u[order], k, n - k, sizes, often.astype(float), constant


@njit(fastmath=True)
def _plain(points: Any, ceiling: Any, p: Any, out: Any) -> None:
    """The formula as it stands, with the C library's lgamma."""
    u, k, rest = points[0], points[1], points[2]
    for i in range(out.size):
        changepoint, rate, floor, height, noise = p[0, i], p[1, i], p[2, i], p[3, i], p[4, i]
        size = 1 / min(max(noise * noise, RHO[0]), RHO[1]) - 1
        total = 0.0
        for j in range(u.size):
            share = height * (1 - math.exp(-rate * max(u[j] - changepoint, 0.0)))
            mean = min(max(floor + (ceiling - floor) * share, MARGIN), 1 - MARGIN)
            alpha, beta = mean * size, (1 - mean) * size
            total += math.lgamma(alpha + k[j]) - math.lgamma(alpha)
            total += math.lgamma(beta + rest[j]) - math.lgamma(beta)
            total += math.lgamma(size) - math.lgamma(size + k[j] + rest[j])
        out[i] += total


def plain(counts: Counts, p: Mapping[str, Floats]) -> Floats:
    """A kernel by numba, nothing done for its speed but fast-math."""
    u, k, rest, _, _, constant = arranged(counts)
    stacked = np.stack([p[name] for name in PARAMETERS])
    out = np.full(stacked.shape[1], constant)
    _plain(np.stack([u, k, rest]), float(counts.ceiling[0]), stacked, out)
    return out


# --- measuring ------------------------------------------------------------------------------------


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--dataset", choices=tuple(workloads.DATA), default="open-models")
    parser.add_argument("--particles", type=int, default=16_384)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--seed", type=int, default=1)


def run(
    *, dataset: str = "open-models", particles: int = 16_384, repeats: int = 9, seed: int = 1
) -> dict[str, Any]:
    """Time the kernels on every curve of a data set; see `table`.

    Parameters
    ----------
    dataset : str
    particles : int
        A multiple of 8, around the best of as many from the prior.
    repeats : int
        Of which the least time counts.
    seed : int
        Of the particles.

    Raises
    ------
    RuntimeError
        Where log likelihoods differ by more than 1e-8 of themselves.
    """
    curves = workloads.counts(dataset)
    target = target_of(curves)
    problem = "" if compiler() else "missing: a C compiler"
    kernels: dict[str, Kernel] = {} if problem else {BY_HAND: by_hand()}
    kernels[PLAIN] = plain
    names = [OURS, QUANTILES, *kernels]
    times, differences = np.empty((len(names), len(curves))), np.zeros(len(names))
    for i, counts in enumerate(Counts.of(curves).each()):
        row, z = np.array([i]), cloud(target, i, particles, seed)
        p = parameters(target, row, z)
        calls: dict[str, Callable[[], Any]] = {
            OURS: partial(target.log_likelihood, row, z),
            QUANTILES: partial(target.parameters, row, z),
        }
        calls |= {name: partial(kernel, counts, p) for name, kernel in kernels.items()}
        right = calls[OURS]()[0]
        for j, name in enumerate(names):
            if name in kernels:
                differences[j] = max(differences[j], difference(calls[name](), right, name))
        times[:, i] = least(list(calls.values()), repeats) / (particles * len(counts.u))
        report.note(f"kernel: {curves.name[i]}, {i + 1} of {len(curves)}")
    ns = dict(zip(names, 1e9 * times, strict=True))
    return {
        "dataset": dataset, "threads": 1, "particles": particles, "repeats": repeats, "seed": seed,
        "compiler": compiler_version(), "flags": FLAGS, "problem": problem,
        "curves": curves.name.tolist(), "points": curves.points.tolist(), "ns": ns,
        "difference": dict(zip(names, differences.tolist(), strict=True)),
    }  # fmt: skip


def target_of(curves: Any) -> Any:
    """Ours: the hinge under the beta-binomial."""
    from upturn import Model
    from upturn.formulas.likelihoods.registry import LIKELIHOODS
    from upturn.sampling.density.target import Target

    return Target(Model.read("hinge"), curves, LIKELIHOODS["beta-binomial"])


def cloud(target: Any, curve: int, particles: int, seed: int) -> Floats:
    """A ball of particles (1, dimension, particle) about the likeliest of the prior's."""
    rng = np.random.default_rng([seed, curve])
    z = rng.standard_normal((1, target.dimension, particles))
    best = target.log_likelihood(np.array([curve]), z)[0].argmax()
    return z[:, :, [best]] + WIDTH * rng.standard_normal(z.shape)


def parameters(target: Any, row: NDArray[np.intp], z: Floats) -> dict[str, Floats]:
    """What the kernels written by hand are given: (particle,) of each."""
    results = target.parameters(row, z)
    return {name: np.ascontiguousarray(results[name][0]) for name in PARAMETERS}


def difference(values: Floats, right: Floats, name: str) -> float:
    """The largest, relative to the log likelihood."""
    largest = float(np.max(np.abs(values - right) / np.maximum(np.abs(right), 1.0)))
    if not largest <= AGREEMENT:
        raise RuntimeError(f"kernel: {name} differs from ours by {largest:.1e} of itself")
    return largest


def least(calls: list[Callable[[], Any]], repeats: int) -> Floats:
    """Seconds of each call, the least of some repeats by turns."""
    seconds = np.empty((repeats, len(calls)))
    for i in range(repeats):
        for j, call in enumerate(calls):
            start = perf_counter()
            call()
            seconds[i, j] = perf_counter() - start
    return np.asarray(seconds.min(axis=0))


def compiler_version() -> str:
    """What the C compiler calls itself."""
    if not compiler():
        return "missing"
    done = subprocess.run([compiler(), "--version"], capture_output=True, text=True, check=False)
    return done.stdout.partition("\n")[0].strip()


# --- reporting ------------------------------------------------------------------------------------

TITLES = {
    OURS: "upturn, all of it",
    QUANTILES: "of it, from whitened coordinates to parameters",
    BY_HAND: "C, tuned by hand",
    PLAIN: "numba, plainly written",
}


def table(results: Mapping[str, Any]) -> str:
    """Nanoseconds a point and particle, and ours as a multiple, of the median and worst curve."""
    columns = ["kernel", "ns a point, median", "largest", "ours ×, median", "worst", "difference"]
    ours = np.asarray(results["ns"][OURS])
    rows: list[list[Any]] = []
    for name, values in results["ns"].items():
        ns = np.asarray(values)
        line: list[Any] = [TITLES[name], float(np.median(ns)), float(ns.max())]
        ratio = ours / ns
        shown = name not in (OURS, QUANTILES)
        line += [float(np.median(ratio)), float(ratio.max())] if shown else ["–", "–"]
        rows.append([*line, f"{results['difference'][name]:.0e}" if shown else "–"])
    if results["problem"]:
        rows.append([TITLES[BY_HAND], results["problem"], *[""] * (len(columns) - 2)])
    said = (
        f"{results['dataset']}, {len(results['curves'])} curves of {min(results['points'])} to "
        f"{max(results['points'])} points, {results['particles']:,} particles, the least of "
        f"{results['repeats']} repeats; {results['compiler']}, {' '.join(results['flags'][:3])}"
    )
    return f"{report.table(columns, rows)}\n\n{said}"
