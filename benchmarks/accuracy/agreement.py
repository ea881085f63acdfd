"""Agreement: posterior means and sds of every parameter against long NUTS runs and quadrature.

Ours is pooled over several seeds of four replicates each, whose spread gives the Monte Carlo
error. A difference is a z-score against the combined error, so that over thousands of comparisons
0.27 % lie beyond 3 and 0.006 % beyond 4 by chance alone.
"""

from argparse import ArgumentParser
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import samplers
from benchmarks.output import report
from benchmarks.output.arguments import count
from benchmarks.problems import workloads
from benchmarks.problems.pymc_models import Counts, parameters
from benchmarks.references import measures, stored
from benchmarks.references.measures import Moment, Tally

type Floats = NDArray[np.float64]

MODELS = ("hinge", "ramp", "logistic", "logit-line", "delayed-logit")
# one to three parameters, and a quadrature that takes seconds
EVIDENCE = (
    ("chance", False), ("flat", False), ("chance", True), ("flat", True), ("step", True),
    ("ramp", True), ("logit-line", True),
)  # fmt: skip
EVIDENCE_BAR = 0.05


def fits(
    curves: Any, model: str, seeds: int, *, likelihood: str | None = None
) -> tuple[dict[str, Floats], Floats, NDArray[np.bool_]]:
    """Draws (curve, replicate, draw) by parameter; log evidence and convergence (curve, seed)."""
    import upturn

    draws: dict[str, list[Floats]] = {}
    evidence, fine = [], []
    for seed in range(seeds):
        fit = upturn.fit(curves, model=model, seed=seed, scatter="none", likelihood=likelihood)
        for name in parameters(model, binomial=likelihood == "binomial"):
            draws.setdefault(name, []).append(samplers.unit_draws(fit, curves, name))
        summary = fit.summary()
        evidence.append(summary["log_evidence"].to_numpy())
        fine.append(~summary.index.isin(fit.failed))
    joined = {name: np.concatenate(parts, axis=1) for name, parts in draws.items()}
    return joined, np.stack(evidence, axis=1), np.stack(fine, axis=1)


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--seeds", type=count, default=8)
    parser.add_argument("--datasets", nargs="+", default=["open-models", "gpt3"])
    parser.add_argument("--models", nargs="+", choices=MODELS, default=MODELS)


def run(
    *,
    seeds: int = 8,
    datasets: tuple[str, ...] = ("open-models", "gpt3"),
    models: tuple[str, ...] = MODELS,
) -> dict[str, Any]:
    """Compare with whatever references are stored; say which are missing."""
    nuts, sums = stored.load("nuts"), stored.load("quadrature")
    rows: list[dict[str, Any]] = []
    left_out: dict[str, list[str]] = {"no reference": [], "NUTS did not converge, or diverged": []}
    evidence: list[dict[str, Any]] = []
    for dataset in datasets:
        curves = workloads.counts(dataset)
        counts = Counts.of(curves)
        for model in models:
            report.note(f"agreement: {dataset}, {model}")
            draws, log_evidence, fine = fits(curves, model, seeds)
            moments = {
                name: measures.by_replicates(values)
                for name, values in stored.with_logs(draws).items()
            }
            for i, curve in enumerate(curves.name.tolist()):
                label = stored.key(dataset, curve, model)
                entry = stored.lookup(nuts, label, counts.one(i))
                if entry is None:
                    left_out["no reference"].append(label)
                elif not stored.converged(entry):
                    left_out["NUTS did not converge, or diverged"].append(label)
                else:
                    rows += _against_nuts(
                        label, entry, moments, i, ours_converged=bool(fine[i].all())
                    )
                exact = stored.lookup(sums, label, counts.one(i))
                if exact is not None:
                    rows += _against_sums(
                        label, exact, moments, i, ours_converged=bool(fine[i].all())
                    )
                    evidence.append(_evidence(label, exact, log_evidence[i], fine[i]))
        for model, binomial in EVIDENCE:
            evidence += _low_dimensional(
                dataset, curves, model, sums=sums, seeds=seeds, binomial=binomial
            )
    return {
        "seeds": seeds, "moments": rows, "left_out": left_out, "evidence": evidence,
        "tallies": tallies(rows), "evidence_bar": EVIDENCE_BAR,
    }  # fmt: skip


def _against_nuts(
    label: str, entry: dict[str, Any], moments: Any, curve: int, *, ours_converged: bool
) -> list[dict[str, Any]]:
    out = []
    for name, (mean, mean_error, sd, sd_error) in entry["moments"].items():
        theirs = (Moment(mean, mean_error, np.inf), Moment(sd, sd_error, np.inf))
        for what, ours, other in zip(("mean", "sd"), moments[name], theirs, strict=True):
            moment = Moment(ours.value[curve], ours.error[curve], ours.degrees)
            about = {"parameter": name, "moment": what, "ours_converged": ours_converged}
            out.append(_row(moment, other, against="NUTS", posterior=label, **about))
    return out


def _against_sums(
    label: str, entry: dict[str, Any], moments: Any, curve: int, *, ours_converged: bool
) -> list[dict[str, Any]]:
    out = []
    for name, mean in entry["mean"].items():
        sd, error = entry["sd"][name], entry["moment_error"] * entry["sd"][name]
        theirs = (Moment(mean, error, np.inf), Moment(sd, error, np.inf))
        for what, ours, other in zip(("mean", "sd"), moments[name], theirs, strict=True):
            moment = Moment(ours.value[curve], ours.error[curve], ours.degrees)
            about = {"parameter": name, "moment": what, "ours_converged": ours_converged}
            out.append(_row(moment, other, against="quadrature", posterior=label, **about))
    return out


def _row(ours: Moment, theirs: Moment, **about: Any) -> dict[str, Any]:
    return {
        **about,
        "model": about["posterior"].split(" / ")[-2],
        "ours": float(ours.value),
        "ours_error": float(ours.error),
        "theirs": float(theirs.value),
        "theirs_error": float(theirs.error),
        "z": float(measures.z_score(ours, theirs)),
    }


def _evidence(
    label: str, entry: dict[str, Any], log_evidence: Floats, fine: NDArray[np.bool_]
) -> dict[str, Any]:
    """One curve's differences; fits that say themselves that they did not converge stand apart."""
    off = log_evidence - entry["log_evidence"]
    flagged = np.abs(off[~fine])
    return {
        "posterior": label,
        "quadrature": entry["log_evidence"],
        "quadrature_error": entry["log_evidence_error"],
        "mean_difference": float(off[fine].mean()) if fine.any() else 0.0,
        "worst_difference": float(np.abs(off[fine]).max(initial=0)),
        "flagged": int((~fine).sum()),
        "worst_flagged": float(flagged.max(initial=0)),
        "parameters": len(entry["mean"]) - sum(n.startswith("log ") for n in entry["mean"]),
    }


def _low_dimensional(
    dataset: str, curves: Any, model: str, *, sums: Any, seeds: int, binomial: bool
) -> list[dict[str, Any]]:
    likelihood = "binomial" if binomial else "beta-binomial"
    counts = Counts.of(curves)
    results = []
    names = curves.name.tolist()
    for i, curve in enumerate(names):
        label = stored.key(dataset, curve, model, likelihood)
        results.append((i, label, stored.lookup(sums, label, counts.one(i))))
    chosen = [(i, label, entry) for i, label, entry in results if entry is not None]
    if not chosen:
        return []
    report.note(f"evidence: {dataset}, {model}, {likelihood}")
    part = curves.take(np.array([i for i, _, _ in chosen]))
    _, log_evidence, fine = fits(part, model, seeds, likelihood=likelihood)
    return [
        _evidence(label, entry, log_evidence[j], fine[j])
        for j, (_, label, entry) in enumerate(chosen)
    ]


def tallies(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Counts of large z-scores by reference, model and moment, heavy-tailed ones apart."""
    groups: dict[tuple[str, str, str], list[float]] = {}
    for row in rows:
        for model in (row["model"], "all"):
            groups.setdefault((row["against"], model, row["moment"]), []).append(row["z"])
    return [
        {"against": a, "model": m, "moment": w, **vars(Tally.of(np.array(z)))}
        for (a, m, w), z in groups.items()
    ]


def table(results: dict[str, Any]) -> str:
    """The tallies, the evidence, the largest differences and what was left out, as Markdown."""
    columns = ["against", "model", "moment", "compared", "largest |z|"]
    columns += ["> 3", "by chance", "> 4", "by chance"]
    rows = [
        [t["against"], t["model"], t["moment"], t["count"], t["largest"], t["beyond_3"],
         t["expected_3"], t["beyond_4"], t["expected_4"]]
        for t in results["tallies"]
    ]  # fmt: skip
    parts = [report.table(columns, rows)]
    worst = sorted(results["moments"], key=lambda r: -abs(r["z"]))[:10]
    columns = [
        "largest differences",
        "posterior",
        "parameter",
        "moment",
        "ours",
        "±",
        "theirs",
        "±",
        "z",
    ]
    parts.append(
        report.table(
            columns,
            [[r["against"], r["posterior"], r["parameter"], r["moment"], r["ours"], r["ours_error"],
              r["theirs"], r["theirs_error"], r["z"]] for r in worst],
        )
    )  # fmt: skip
    by_model: dict[str, list[dict[str, Any]]] = {}
    for e in results["evidence"]:
        _, _, model, likelihood = e["posterior"].split(" / ")
        by_model.setdefault(f"{model}, {likelihood}", []).append(e)
    columns = ["log evidence against quadrature", "parameters", "curves", "largest mean difference"]
    columns += ["largest of one fit", f"beyond {EVIDENCE_BAR}", "flagged fits", "their largest"]
    columns += ["quadrature's own error"]
    rows = [
        [name, es[0]["parameters"], len(es), max(abs(e["mean_difference"]) for e in es),
         max(e["worst_difference"] for e in es),
         sum(e["worst_difference"] > EVIDENCE_BAR for e in es),
         sum(e["flagged"] for e in es), max(e["worst_flagged"] for e in es),
         max(e["quadrature_error"] for e in es)]
        for name, es in by_model.items()
    ]  # fmt: skip
    if rows:
        parts.append(report.table(columns, rows))
    for why, labels in results["left_out"].items():
        if labels:
            parts.append(f"{why} ({len(labels)}): " + "; ".join(labels))
    return "\n\n".join(parts)
