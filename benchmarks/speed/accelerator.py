"""Accelerator: `backend="jax"` against the default engine, by the number of curves.

Both fit the same simulated curves under the hinge and its no-change twin. JAX fits its first two
blocks of curves twice before: the difference is what compiling costs. Each size has a process of
its own. With `--real`, posteriors of real curves are compared as well: with the default engine's of
the same seed, which are made from the same random numbers, and with those of another.
"""

import json
import os
import subprocess
import sys
from argparse import ArgumentParser
from importlib.util import find_spec
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.output import report
from benchmarks.problems.simulate import hinges
from benchmarks.references import measures

SIZES = (100, 1000, 10_000)
MODEL = "hinge"
POINTS = 20


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--sizes", nargs="*", type=int, default=SIZES)
    parser.add_argument("--draws", type=int, default=4000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--groups", type=int, default=0, help="families a curve [%(default)s]")
    parser.add_argument("--real", action="store_true", help="compare posteriors of real curves too")


def run(
    *,
    sizes: tuple[int, ...] = SIZES,
    draws: int = 4000,
    threads: int = 2,
    groups: int = 0,
    real: bool = False,
) -> dict[str, Any]:
    """Fit every size by both; see `table`. Without JAX it says so, and measures nothing."""
    rows: list[dict[str, Any]] = []
    device = "jax is not installed: pip install 'upturn[jax]'"
    if find_spec("jax") is not None:
        device = _device()
        for size in sizes:
            report.note(f"accelerator: {size} curves")
            command = [sys.executable, "-m", "benchmarks.speed.accelerator"]
            command += map(str, (size, draws, threads, groups))
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            rows.append(json.loads(done.stdout))
    return {
        "device": device, "model": MODEL, "draws": draws, "threads": threads, "points": POINTS,
        "groups": groups, "rows": rows, "real": _real(draws) if real and find_spec("jax") else [],
    }  # fmt: skip


def table(results: dict[str, Any]) -> str:
    """Seconds by number of curves, and how far the answers of the two are apart."""
    columns = [
        "curves", "default s", "jax s", "default / jax", "compiling s",
        "largest difference of log evidence", "in standard errors", "not converged (default)",
        "not converged (jax)",
    ]  # fmt: skip
    rows = [
        [r["curves"], r["default"], r["jax"], r["default"] / r["jax"], r["compiling"],
         r["difference"], r["in_errors"], *r["failed"]]
        for r in results["rows"]
    ]  # fmt: skip
    text = f"device: {results['device']}; default engine on {results['threads']} threads"
    tables = [report.table(columns, rows)] if rows else []
    if results["real"]:
        names = {
            "table": "table", "curves": "curves",
            "rounding": "difference of log evidence, same seed",
            "moments": "moments, another seed", "largest": "largest z", "beyond_3": "beyond 3",
            "beyond_4": "beyond 4", "failed": "not converged",
        }  # fmt: skip
        compared = [[r[key] for key in names] for r in results["real"]]
        tables.append(report.table(list(names.values()), compared))
    return "\n\n".join([text, *tables])


def _measure(size: int, draws: int, threads: int, groups: int) -> dict[str, Any]:
    """One size, in this process; importing and the default engine's compilation do not count."""
    import upturn
    from upturn.sampling.jax import choose

    curves = hinges(size, seed=5, points=(POINTS, POINTS), groups=groups).curves

    def fit(backend: str, some: Any = curves) -> tuple[float, Any]:
        start = perf_counter()
        results = upturn.fit(some, model=MODEL, draws=draws, threads=threads, backend=backend)
        return perf_counter() - start, results

    begun = curves.take(slice(0, 2 * (choose.backend("jax").curves or 1)))
    fit("numpy", curves.take(slice(0, 2)))
    default, ours = fit("numpy")
    first, _ = fit("jax", begun)
    again, _ = fit("jax", begun)
    warm, theirs = fit("jax")
    stats = [f.tree["sample_stats"].dataset for f in (ours, theirs)]
    evidence, error = (
        np.stack([s[name].to_numpy() for s in stats])
        for name in ("log_evidence", "log_evidence_se")
    )
    difference = np.abs(np.diff(evidence, axis=0)[0])
    return {
        "curves": size,
        "default": default,
        "jax": warm,
        "compiling": first - again,
        "difference": float(difference.max()),
        "in_errors": float((difference / np.hypot(*error)).max()),
        "failed": [len(f.failed) for f in (ours, theirs)],
    }


def _real(draws: int) -> list[dict[str, Any]]:
    """JAX against the default engine on GPT-3's few-shot curves and on the open models."""
    import upturn

    few = upturn.read("gpt3").where("setting=few-shot").curves("flops")
    families = upturn.read("open-models").curves("flops")
    rows = []
    for name, curves in (("gpt3, few-shot", few), ("open-models, by family", families)):
        report.note(f"accelerator: {name}")
        theirs = upturn.fit(curves, model=MODEL, draws=draws, seed=0, backend="jax")
        same, other = (upturn.fit(curves, model=MODEL, draws=draws, seed=s) for s in (0, 1))
        evidence = [f.tree["sample_stats"]["log_evidence"].to_numpy() for f in (theirs, same)]
        z = np.concatenate([
            measures.z_score(a, b).ravel()
            for a, b in zip(_moments(theirs), _moments(other), strict=True)
        ])  # fmt: skip
        tally = measures.Tally.of(z)
        rows.append({
            "table": name, "curves": len(curves), "moments": tally.count,
            "rounding": float(np.abs(evidence[0] - evidence[1]).max()),
            "largest": tally.largest, "beyond_3": tally.beyond_3, "beyond_4": tally.beyond_4,
            "failed": len(theirs.failed),
        })  # fmt: skip
    return rows


def _moments(fit: Any) -> list[measures.Moment]:
    """Means and standard deviations of every parameter, with errors by replicates."""
    results: list[measures.Moment] = []
    for values in fit.tree["posterior"].data_vars.values():
        draws = values.transpose("curve", "chain", "draw").to_numpy()
        results += measures.by_replicates(draws[np.isfinite(draws).all(axis=(1, 2))])
    return results


def _device() -> str:
    """What JAX computed on."""
    import jax

    device = jax.devices()[0]
    cores = f", {os.cpu_count()} cores" if device.platform == "cpu" else ""
    return f"{device.platform} ({device.device_kind}{cores}), jax {jax.__version__}"


if __name__ == "__main__":
    print(json.dumps(_measure(*map(int, sys.argv[1:5]))))
