"""References: posterior moments that samplers are held to, stored with how they were made.

`quadrature.json` holds deterministic sums (`benchmarks.references.quadrature`), each with its own
error: what a finer lattice along other axes changes. Where that is too large, they are weighted
sums over a scrambled net (`benchmarks.references.dense_net`), with the standard error of its
replicates. `nuts.json` holds long runs of the PyMC models by nutpie, each moment with ArviZ's Monte
Carlo error. An entry carries a digest of the data and the priors it was made from, so that one that
no longer belongs to them is refused, not used.
"""

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.problems import workloads
from benchmarks.problems.pymc_models import Compiled, Counts, priors
from benchmarks.references import dense_net, lattice, measures, quadrature

FOLDER = Path(__file__).parent
NUTS: dict[str, Any] = {"chains": 4, "draws": 10_000, "tune": 2_000, "target_accept": 0.95}
COARSE_ERROR = 5e-3  # of a quadrature, above which it is done again with a finer rule
# NUTS that diverges may miss a corner of the posterior with nothing in R̂ or ESS that says so: for
# GPT-3's four-digit addition under delayed-logit (170 divergences, R̂ 1.005) the mean of the log
# overdispersion came out 0.3 too high. Runs with more divergences than this are made with care.
MOST_DIVERGENCES = 20
CAREFUL: dict[str, Any] = {"chains": 4, "draws": 20_000, "tune": 4_000, "target_accept": 0.999}
LARGEST_RHAT = 1.01
LEAST_ESS = 400
POSITIVE = ("rate", "slope", "width", "overdispersion")


def digest(counts: Counts, model: str) -> str:
    """Of one curve's data and the model's priors."""
    parts = (counts.u, counts.successes, counts.trials, counts.chance, counts.ceiling)
    text = json.dumps([[np.round(p, 12).tolist() for p in parts], priors(model)])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def key(dataset: str, curve: str, model: str, likelihood: str = "beta-binomial") -> str:
    """What an entry is stored under."""
    return " / ".join((dataset, curve, model, likelihood))


def load(kind: str) -> dict[str, Any]:
    """The entries of "quadrature" or "nuts", none where there is no file."""
    path = FOLDER / f"{kind}.json"
    return json.loads(path.read_text("utf-8")) if path.exists() else {}


def store(kind: str, entries: dict[str, Any]) -> None:
    """Write entries beside those there are, in alphabetical order, one a line."""
    FOLDER.mkdir(exist_ok=True)
    merged = load(kind) | entries
    lines = [f"{json.dumps(k)}: {json.dumps(v)}" for k, v in sorted(merged.items())]
    temporary = FOLDER / f"{kind}.json.part"
    temporary.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")
    temporary.replace(FOLDER / f"{kind}.json")


def lookup(entries: dict[str, Any], name: str, counts: Counts) -> dict[str, Any] | None:
    """An entry, if it was made from these data and the priors of today."""
    entry = entries.get(name)
    model = name.split(" / ")[-2]
    return entry if entry is not None and entry["digest"] == digest(counts, model) else None


# --- making them ----------------------------------------------------------------------------------


def by_quadrature(counts: Counts, model: str, *, binomial: bool) -> dict[str, Any]:
    """One curve's entry: by a lattice, a finer one where that is too coarse, or by a net."""
    entry: dict[str, Any] = {}
    for rule in (lattice.Rule(), lattice.FINE):
        entry = _of_lattice(quadrature.check(model, counts, binomial=binomial, rule=rule))
        if max(entry["log_evidence_error"], entry["moment_error"]) <= COARSE_ERROR:
            break
    else:
        by_net = _of_net(dense_net.integrate(model, counts, binomial=binomial))
        entry = min(entry, by_net, key=lambda e: e["moment_error"])
    return {"digest": digest(counts, model)} | entry


def _of_lattice(results: tuple[quadrature.Answer, float, float]) -> dict[str, Any]:
    answer, evidence_error, moment_error = results
    entry: dict[str, Any] = {
        "log_evidence": answer.log_evidence,
        "log_evidence_error": evidence_error,
        "moment_error": moment_error,
        "mean": answer.mean,
        "sd": answer.sd,
        "nodes": answer.nodes,
    }
    if answer.pieces:
        entry["changepoint_quantiles"] = [answer.quantile(level) for level in measures.LEVELS]
    return entry


def _of_net(results: dense_net.Found) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "log_evidence": results.log_evidence,
        "log_evidence_error": results.log_evidence_error,
        "moment_error": results.moment_error,
        "mean": results.mean,
        "sd": results.sd,
        "points": results.points,
        "efficiency": results.efficiency,
    }
    if results.quantiles:
        entry["changepoint_quantiles"] = results.quantiles
    return entry


def by_nuts(
    compiled: Compiled, counts: Counts, model: str, *, seed: int, careful: bool = False
) -> dict[str, Any]:
    """One curve's entry, with the worst R̂ and the smallest bulk ESS of its parameters."""
    how = CAREFUL if careful else NUTS
    run = compiled.sample(counts, seed=seed, **how)
    if how is NUTS and run.divergences > MOST_DIVERGENCES:
        how = CAREFUL
        run = compiled.sample(counts, seed=seed, **how)
    entry: dict[str, Any] = {
        "digest": digest(counts, model),
        "seed": seed,
        **how,
        "seconds": round(run.seconds, 2),
        "divergences": run.divergences,
        "moments": {},
    }
    worst, least = 1.0, np.inf
    for name, draws in with_logs({n: d[:, :, 0] for n, d in run.draws.items()}).items():
        mean, sd, rhat, ess = measures.by_chains(draws)
        entry["moments"][name] = [float(v) for v in (mean.value, mean.error, sd.value, sd.error)]
        worst, least = max(worst, float(rhat)), min(least, float(ess))
    return entry | {"rhat": worst, "ess": least}


def _careful_enough(entry: dict[str, Any]) -> bool:
    """Whether a NUTS run need not be made with more care."""
    careful = entry["target_accept"] >= CAREFUL["target_accept"]
    return bool(careful or entry["divergences"] <= MOST_DIVERGENCES)


def converged(entry: dict[str, Any]) -> bool:
    """Whether a NUTS run is fit to be compared with."""
    mixed = entry["rhat"] < LARGEST_RHAT and entry["ess"] > LEAST_ESS
    return bool(mixed and _careful_enough(entry))


def with_logs(draws: dict[str, Any]) -> dict[str, Any]:
    """Parameters, and the logarithms of positive ones: heavy tails hide much in a mean and sd."""
    logs = {f"log {n}": np.log(np.maximum(d, 1e-300)) for n, d in draws.items() if n in POSITIVE}
    return draws | logs


def make_quadrature(
    dataset: str,
    models: list[str],
    *,
    binomial: bool,
    workers: int = 2,
    fresh: bool = False,
    tasks: Sequence[str] = (),
) -> None:
    """Store the entries of a data set's curves that are not there yet, of some tasks or all."""
    curves = workloads.counts(dataset)
    counts = Counts.of(curves)
    likelihood = "binomial" if binomial else "beta-binomial"
    there = {} if fresh else load("quadrature")
    with ProcessPoolExecutor(workers) as pool:
        futures = {}
        for model in models:
            for i, name in enumerate(curves.name.tolist()):
                entry, label = counts.one(i), key(dataset, name, model, likelihood)
                wanted = not tasks or name in tasks
                if wanted and lookup(there, label, entry) is None:
                    futures[pool.submit(by_quadrature, entry, model, binomial=binomial)] = label
        for number, future in enumerate(as_completed(futures), 1):
            store("quadrature", {futures[future]: future.result()})
            print(f"{number} of {len(futures)}: {futures[future]}", flush=True)


def make_nuts(dataset: str, models: list[str], *, seed: int = 1, fresh: bool = False) -> None:
    """Store long NUTS runs of all curves of a data set that are not there yet."""
    curves = workloads.counts(dataset)
    counts = Counts.of(curves)
    there = {} if fresh else load("nuts")
    for model in models:
        compiled = Compiled(model, counts.one(0))
        for i, name in enumerate(curves.name.tolist()):
            item, label = counts.one(i), key(dataset, name, model)
            stored = lookup(there, label, item)
            if stored is None or not _careful_enough(stored):
                # one that once diverged is not asked again whether it does: it may be lucky
                careful = stored is not None
                entry = by_nuts(compiled, item, model, seed=seed + i, careful=careful)
                store("nuts", {label: entry})
                print(
                    f"{label}: {entry['seconds']:.0f} s, R̂ {entry['rhat']:.3f}, "
                    f"ESS {entry['ess']:.0f}, divergences {entry['divergences']}",
                    flush=True,
                )


__all__ = [
    "by_nuts",
    "by_quadrature",
    "converged",
    "key",
    "load",
    "lookup",
    "make_nuts",
    "make_quadrature",
    "store",
    "with_logs",
]
