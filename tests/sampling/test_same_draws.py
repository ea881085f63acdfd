"""Draws stay the same to the bit through changes that are not meant to change them.

`same_draws.json` holds hashes of the draws of a few curves by model, likelihood and seed. Bits
depend on the processor (fused multiply-add, vector width) and on the versions of the numeric
libraries, so hashes are stored for each combination they were made with; on any other the
posterior is compared with the stored quantiles within their Monte Carlo errors instead.

After a change that is meant to change draws: ``python -m tests.sampling.test_same_draws``.
"""

import hashlib
import json
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import upturn

STORED = Path(__file__).with_name("same_draws.json")
MODELS = (
    "chance", "flat", "step", "hinge", "ramp", "delayed-logit", "logistic", "gompertz",
    "gompertz-mirror", "logit-line", "inverse", "u-shaped", "takeoff",
)  # fmt: skip
DRAWS = 400


def table(*, families: int = 1, runs: bool = False, metric: str = "acc") -> pd.DataFrame:
    """Two tasks of ten scales a family: one that rises in the middle, one that hardly does."""
    rows = []
    for task, height in (("rises", 0.6), ("hardly", 0.05)):
        for family in range(families):
            for i in range(10):
                wiggle = 0.03 * ((7 * i + 3 * family) % 5 - 2)
                share = max(0.0, (i - 4 + family) / 5) + wiggle / 3
                score = min(max(0.25 + height * share, 0.02), 0.98)
                rows.append({
                    "task": task, "metric": metric, "model": f"m{family}-{i}",
                    "family": f"f{family}", "flops": 10.0 ** (20 + 0.4 * i),
                    "params": 10.0 ** (8 + 0.3 * i + 0.1 * (i % 3)), "chance": 0.25,
                    "score": round(200 * score) / 200, "trials": 200,
                    **({"run": f"r{family}"} if runs else {}),
                })  # fmt: skip
    frame = pd.DataFrame(rows)
    if families == 1:
        frame = frame.drop(columns="family")
    return frame


def continuous(frame: pd.DataFrame) -> pd.DataFrame:
    """The same scores as a metric without bounds: no chance, no trials."""
    return frame.assign(metric="bleu", score=60 * frame["score"]).drop(columns=["trials", "chance"])


def proportions(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.drop(columns="trials")


CASES = {
    **{f"{model}, counts, seed 0": (table(), {"model": model, "seed": 0}) for model in MODELS},
    "hinge, counts, seed 7": (table(), {"seed": 7}),
    "hinge, binomial": (table(), {"likelihood": "binomial"}),
    "hinge, counts, robust": (table(), {"likelihood": "beta-binomial-robust"}),
    "hinge, proportions": (proportions(table()), {}),
    "hinge, normal": (continuous(table()), {"likelihood": "normal"}),
    "hinge, student-t": (continuous(table()), {"likelihood": "student-t"}),
    "hinge, three families": (table(families=3), {}),
    "ramp, three families": (table(families=3), {"model": "ramp"}),
    "hinge, runs": (table(families=3, runs=True), {}),
    "logistic, runs": (table(families=3, runs=True), {"model": "logistic"}),
    "hinge, mix": (table(), {"axis": "mix:flops,params"}),
    "hinge, two axes": (table(), {"axis": ("flops", "params")}),
    "hinge, prior": (table(), {"priors": {"changepoint": "Uniform(0.2, 0.9)"}}),
}  # fmt: skip


def draws_of(name: str) -> dict[str, np.ndarray]:
    """What a fit draws: parameters and log evidence, by name."""
    frame, options = CASES[name]
    tree = upturn.fit(frame, **{"draws": DRAWS, **options}).tree
    groups = {"posterior": tree["posterior"], "sample_stats": tree["sample_stats"]}
    return {
        f"{group}/{variable}": np.ascontiguousarray(values.to_numpy())
        for group, node in groups.items()
        for variable, values in node.data_vars.items()
        if values.dtype.kind == "f" and (group == "posterior" or variable == "log_evidence")
    }


def hash_of(draws: dict[str, np.ndarray]) -> str:
    digest = hashlib.sha256()
    for variable in sorted(draws):
        digest.update(variable.encode())
        digest.update(draws[variable].tobytes())
    return digest.hexdigest()[:16]


def machine() -> str:
    """What bits depend on: the processor and the numeric libraries."""
    from llvmlite.binding import get_host_cpu_name

    libraries = " ".join(f"{name} {version(name)}" for name in ("numpy", "scipy", "numba"))
    return f"{get_host_cpu_name()} {libraries}"


def summary_of(draws: dict[str, np.ndarray]) -> dict[str, list[list[float]]]:
    """Mean and standard deviation by curve of every parameter."""
    return {
        variable: [values.mean(axis=(0, 1)).tolist(), values.std(axis=(0, 1)).tolist()]
        for variable, values in draws.items()
        if values.ndim == 3
    }


@pytest.fixture(scope="module")
def stored() -> dict:
    return json.loads(STORED.read_text())


@pytest.mark.parametrize("name", CASES)
def test_draws_are_those_that_were_stored(name, stored):
    draws = draws_of(name)
    hashes = stored["hashes"].get(machine())
    if hashes is not None:
        assert hash_of(draws) == hashes[name]
        return
    # 400 draws of which at least 100 are effective: eight standard errors, so that a failure by
    # chance (twice 27 cases of some ten numbers) has probability below 1e-11.
    for variable, (mean, deviation) in stored["summaries"][name].items():
        values = draws[variable]
        error = np.maximum(deviation, 1e-9) * np.sqrt(2 / 100)
        assert np.all(np.abs(values.mean(axis=(0, 1)) - mean) < 8 * error), variable


def test_every_stored_case_is_asked_for(stored):
    assert set(stored["summaries"]) == set(CASES)


def main() -> None:
    """Store what is drawn now."""
    stored = json.loads(STORED.read_text()) if STORED.exists() else {"hashes": {}}
    draws = {name: draws_of(name) for name in CASES}
    if "--add" not in sys.argv:  # draws have changed: what other machines drew is out of date
        stored["hashes"] = {}
    stored["hashes"][machine()] = {name: hash_of(d) for name, d in draws.items()}
    stored["summaries"] = {name: summary_of(d) for name, d in draws.items()}
    STORED.write_text(json.dumps(stored, indent=1) + "\n")


if __name__ == "__main__":
    main()
