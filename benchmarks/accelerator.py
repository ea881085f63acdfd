"""Accelerator: `backend="jax"` against the default engine, by the number of curves.

Both fit the same simulated curves under the hinge and its no-change twin. JAX fits its first two
blocks of curves twice before: the difference is what compiling costs. Each size has a process of
its own.
"""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks import report
from benchmarks.simulate import hinges

SIZES = (100, 1000, 10_000)
MODEL = "hinge"
POINTS = 20


def run(
    *, sizes: tuple[int, ...] = SIZES, draws: int = 4000, threads: int = 2, groups: int = 0
) -> dict[str, Any]:
    """Fit every size by both; see `table`. Without JAX it says so, and measures nothing."""
    rows: list[dict[str, Any]] = []
    device = "jax is not installed: pip install 'upturn[jax]'"
    if find_spec("jax") is not None:
        for size in sizes:
            report.note(f"accelerator: {size} curves")
            command = [sys.executable, "-m", "benchmarks.accelerator"]
            command += map(str, (size, draws, threads, groups))
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            found = json.loads(done.stdout)
            device = found.pop("device")
            rows.append(found)
    return {
        "device": device, "model": MODEL, "draws": draws, "threads": threads, "points": POINTS,
        "groups": groups, "rows": rows,
    }  # fmt: skip


def table(found: dict[str, Any]) -> str:
    """Seconds by number of curves, and how far the answers of the two are apart."""
    columns = [
        "curves", "default s", "jax s", "default / jax", "compiling s",
        "largest difference of log evidence", "in standard errors", "not converged (default)",
        "not converged (jax)",
    ]  # fmt: skip
    rows = [
        [r["curves"], r["default"], r["jax"], r["default"] / r["jax"], r["compiling"],
         r["difference"], r["in_errors"], *r["failed"]]
        for r in found["rows"]
    ]  # fmt: skip
    text = f"device: {found['device']}; default engine on {found['threads']} threads"
    return f"{text}\n\n{report.table(columns, rows)}" if rows else text


def _measure(size: int, draws: int, threads: int, groups: int) -> dict[str, Any]:
    """One size, in this process; importing and the default engine's compilation do not count."""
    import upturn
    from upturn.sampling import backends

    curves = hinges(size, seed=5, points=(POINTS, POINTS), groups=groups).curves

    def fit(backend: str, some: Any = curves) -> tuple[float, Any]:
        start = perf_counter()
        found = upturn.fit(some, model=MODEL, draws=draws, threads=threads, backend=backend)
        return perf_counter() - start, found

    begun = curves.take(slice(0, 2 * (backends.backend("jax").curves or 1)))
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
        "device": _device(),
        "curves": size,
        "default": default,
        "jax": warm,
        "compiling": first - again,
        "difference": float(difference.max()),
        "in_errors": float((difference / np.hypot(*error)).max()),
        "failed": [len(f.failed) for f in (ours, theirs)],
    }


def _device() -> str:
    """What JAX computed on."""
    import jax

    one = jax.devices()[0]
    cores = f", {os.cpu_count()} cores" if one.platform == "cpu" else ""
    return f"{one.platform} ({one.device_kind}{cores}), jax {jax.__version__}"


if __name__ == "__main__":
    print(json.dumps(_measure(*map(int, sys.argv[1:5]))))
