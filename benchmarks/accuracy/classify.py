"""Classify: are p_emergent and p_sharp right, on curves simulated from every shape?

Curves, noise and truths are made in NumPy from the written definitions, without the package's own
segments, priors and functionals. `python -m benchmarks classify --curves 130` takes minutes on two
cores; the bar is meant for 1,300. Curves are classified in parts, each kept in results/classify as
soon as it is done, so that a run that was ended goes on where it was. `--tables` counts false
alarms in tables of flat tasks; `--figure` draws the reliability of what was found.
"""

from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.output import report
from benchmarks.problems import workloads
from benchmarks.problems.shapes import (
    SHAPES,
    Floats,
    simulated,
)
from benchmarks.problems.simulate import Table

BINS = (0.0, 0.05, 0.2, 0.4, 0.6, 0.8, 0.95, 1.0)
SURE = 0.95
LEVEL = 0.9
POINT_BINS = ((12, 19), (20, 29), (30, 40))
WIDTH_BINS = ((0.0, 0.05), (0.05, 0.15), (0.15, 0.25), (0.25, 0.4), (0.4, 1.0))
ANSWERS = ("emergent", "sharp")
PRIORS = ("equal odds", "prevalence learned")
SHOWN = "prevalence learned"  # the default, in reliability and power
PART = 140  # curves in a part: ten of each shape
DRAWS = 1000
FLAT_DRAWS = 200
FLAT_TASKS = 100  # in a table of flat tasks, which is a part too


# --- classifying in parts -------------------------------------------------------------------------


def _parts(kind: str, count: int, *, draws: int, seed: int) -> list[dict[str, Any]]:
    """What is known of each part, from the folder of results or made now."""

    def part(number: int) -> dict[str, Any]:
        start = process_time()
        with _light() if kind == "flat" else nullcontext():
            found = _classified(_part_of(kind, [seed, number]), draws, seed)
        return found | {"cpu_seconds": process_time() - start}

    return report.in_parts("classify", f"{kind}-{seed}-{draws}", count, part)


@contextmanager
def _light() -> Iterator[None]:
    """The sampler's small effort for all curves: flat ones have no thin necks to be missed."""
    from upturn.sampling.population import budget

    ordinary = budget.ORDINARY
    budget.ORDINARY = budget.LIGHT
    try:
        yield
    finally:
        budget.ORDINARY = ordinary


def _part_of(kind: str, seed: Sequence[int]) -> Table:
    if kind == "curves":
        return simulated(SHAPES * (PART // len(SHAPES)), seed=seed)
    return simulated(("flat", "chance") * (FLAT_TASKS // 2), seed=seed)


def _classified(table: Table, draws: int, seed: int) -> dict[str, Any]:
    """Evidences, probabilities within classes, and intervals of the curves of a table."""
    from upturn.questions.classify.classify import classify

    curves = workloads.curves_of(table)
    classification = classify(curves, draws=draws, seed=seed, learn_prevalence=False)
    summary = classification.summary(LEVEL)
    crossed = 10 ** table.truth["scale"]
    low, high = (summary[f"scale_{end}"].to_numpy() for end in ("low", "high"))
    return {
        "truth": {name: value.tolist() for name, value in table.truth.items()},
        "points": table.mask.sum(axis=1).tolist(),
        "classes": list(classification.classes),
        "log_evidence": classification.average.class_evidence.tolist(),
        **{name: classification.given_class(name).tolist() for name in ANSWERS},
        "covered": ((low <= crossed * 1.01) & (crossed <= high * 1.01)).tolist(),
        "failed": len(classification.failed),
    }


def _probability(part: dict[str, Any], prior: str, answer: str, seed: int) -> Floats:
    """What is said of each curve of a part, or of all parts joined."""
    from upturn.posterior.prevalence import equal, learned

    evidence = np.array(part["log_evidence"])
    prevalence = equal(evidence) if prior == "equal odds" else learned(evidence, seed)
    return (prevalence.probability * np.array(part[answer])).sum(axis=1)


def _joined(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Parts as one: lists joined, counts added up."""
    out = dict(parts[0])
    out["truth"] = {k: [v for p in parts for v in p["truth"][k]] for k in parts[0]["truth"]}
    for name, value in parts[0].items():
        if name not in {"truth", "classes"}:
            values = [p[name] for p in parts]
            out[name] = (
                [v for part in values for v in part] if isinstance(value, list) else sum(values)
            )
    return out


# --- what came out --------------------------------------------------------------------------------


def run(
    *, curves: int = PART, draws: int = DRAWS, flat_tables: int = 0, seed: int = 5
) -> dict[str, Any]:
    """Classify simulated curves; see `as_tables`.

    Parameters
    ----------
    curves : int
        Rounded up to whole parts.
    draws : int
    flat_tables : int
        Tables of flat tasks to look for false alarms in.
    seed : int
    """
    out: dict[str, Any] = {"draws": draws, "seed": seed}
    if curves:
        whole = _joined(_parts("curves", -(-curves // PART), draws=draws, seed=seed))
        out["curves"] = len(whole["points"])
        out["cpu_seconds_a_fit"] = whole["cpu_seconds"] / out["curves"] / len(SHAPES)
        out["failed"] = whole["failed"]
        truth = {name: np.array(value) for name, value in whole["truth"].items()}
        for prior in PRIORS:
            out[prior] = {
                answer: _measured(
                    _probability(whole, prior, answer, seed), truth[answer] > 0,
                    np.array(whole["points"]), truth["width"],
                )
                for answer in ANSWERS
            }  # fmt: skip
        covered, emerged = np.array(whole["covered"], dtype=float), truth["emergent"] > 0
        out["coverage"] = _mean_and_error(covered)
        out["coverage_emergent"] = _mean_and_error(covered[emerged])
    if flat_tables:
        out["flat"] = _false_alarms(_parts("flat", flat_tables, draws=FLAT_DRAWS, seed=seed), seed)
    return out


def _measured(
    p: Floats, true: NDArray[np.bool_], points: NDArray[np.int64], width: Floats
) -> dict[str, Any]:
    return {
        "brier": _mean_and_error((p - true) ** 2),
        "base_rate": float(true.mean()),
        "sure": _called(p > SURE, true),
        "sure_not": _called(p < 1 - SURE, ~true),
        "reliability": _reliability(p, true),
        "by_points": _power(p, true, points, POINT_BINS),
        "by_width": _power(p, true, width, WIDTH_BINS),
    }


def _false_alarms(parts: list[dict[str, Any]], seed: int) -> dict[str, Any]:
    """Tables of flat tasks: how many have any p_emergent above a half."""
    from scipy.stats import beta

    out: dict[str, Any] = {"tables": len(parts), "tasks": len(parts[0]["points"])}
    for prior in PRIORS:
        largest = [float(_probability(p, prior, "emergent", seed).max()) for p in parts]
        alarmed = int((np.array(largest) > 0.5).sum())
        below = len(parts) - alarmed
        out[prior] = {
            "largest": largest,
            "alarmed": alarmed,
            # one-sided 95 % limit of the share of such tables (Clopper & Pearson 1934)
            "at_most": float(beta.ppf(0.95, alarmed + 1, below)) if below else 1.0,
        }
    return out


def _mean_and_error(values: Floats) -> list[float]:
    return [float(values.mean()), float(values.std() / np.sqrt(len(values)))]


def _called(called: NDArray[np.bool_], right: NDArray[np.bool_]) -> dict[str, Any]:
    count = int(called.sum())
    return {"calls": count, "right": float(right[called].mean()) if count else None}


def _reliability(p: Floats, true: NDArray[np.bool_]) -> list[dict[str, Any]]:
    place = np.clip(np.searchsorted(BINS, p, side="right") - 1, 0, len(BINS) - 2)
    out = []
    for i in range(len(BINS) - 1):
        here = place == i
        if here.any():
            out.append({
                "from": BINS[i], "to": BINS[i + 1], "curves": int(here.sum()),
                "said": float(p[here].mean()), "was": float(true[here].mean()),
            })  # fmt: skip
    return out


def _power(
    p: Floats, true: NDArray[np.bool_], by: Any, bins: tuple[tuple[float, float], ...]
) -> list[dict[str, Any]]:
    """Of the curves that are emergent, how many are called so, likely and for sure."""
    out = []
    for low, high in bins:
        closed = by <= high if isinstance(high, int) else by < high + (high == 1.0)
        here = true & (by >= low) & closed
        if here.any():
            out.append({
                "from": low, "to": high, "curves": int(here.sum()),
                "likely": float((p[here] > 0.5).mean()), "sure": float((p[here] > SURE).mean()),
            })  # fmt: skip
    return out


def as_tables(results: dict[str, Any]) -> str:
    """Scores, reliability, power and false alarms, as Markdown."""
    parts = _scores(results) if "curves" in results else []
    if "flat" in results:
        flat = results["flat"]
        rows = [
            [prior, flat["tables"], flat["tasks"], flat[prior]["alarmed"],
             100 * flat[prior]["at_most"], max(flat[prior]["largest"])]
            for prior in PRIORS
        ]  # fmt: skip
        columns = ["flat tasks", "tables", "tasks in each", "any p > 0.5", "at most %", "largest p"]
        parts.append(report.table(columns, rows))
    return "\n\n".join(parts)


def _scores(results: dict[str, Any]) -> list[str]:
    parts = []
    for prior in PRIORS:
        rows: list[list[Any]] = []
        for answer, a in results[prior].items():
            sure, never = a["sure"], a["sure_not"]
            rows.append([
                f"p_{answer}", 100 * a["base_rate"], *a["brier"],
                sure["calls"], _percent(sure["right"]), never["calls"], _percent(never["right"]),
            ])  # fmt: skip
        columns = ["", "true %", "Brier", "± s.e.", "> 0.95", "right %", "< 0.05", "right % "]
        parts.append(f"{prior}\n\n" + report.table(columns, rows))
    all_, of_emergent = results["coverage"], results["coverage_emergent"]
    parts.append(
        f"{LEVEL:.0%} intervals of the emergence scale hold the truth: {all_[0]:.3f} ± "
        f"{all_[1]:.3f}; where there is one: {of_emergent[0]:.3f} ± {of_emergent[1]:.3f}"
    )
    for answer in ANSWERS:
        a = results[SHOWN][answer]
        rows = [
            [f"{r['from']:g} – {r['to']:g}", r["curves"], r["said"], r["was"]]
            for r in a["reliability"]
        ]
        parts.append(report.table([f"p_{answer}", "curves", "mean p", "true share"], rows))
        for by in ("points", "width"):
            rows = [
                [f"{r['from']:g} – {r['to']:g}", r["curves"], 100 * r["likely"], 100 * r["sure"]]
                for r in a[f"by_{by}"]
            ]
            columns = [f"{answer}, by {by}", "curves", "p > 0.5 %", "p > 0.95 %"]
            parts.append(report.table(columns, rows))
    return parts


def _percent(share: float | None) -> float:
    return float("nan") if share is None else 100 * share


def diagram(results: dict[str, Any], path: Path) -> None:
    """A reliability diagram: of the curves of which p was said, how many were so."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    settings: Any = {"svg.hashsalt": "upturn", "svg.fonttype": "none", "font.size": 9}
    with mpl.rc_context(settings):
        page = Figure(figsize=(6.2, 3.1), layout="constrained")
        for axes, answer in zip(page.subplots(1, 2, sharey=True), ANSWERS, strict=True):
            bins = results[SHOWN][answer]["reliability"]
            said, was, curves = (np.array([b[k] for b in bins]) for k in ("said", "was", "curves"))
            error = 1.96 * np.sqrt(np.maximum(said * (1 - said), 1e-9) / curves)
            axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
            axes.vlines(said, *np.clip([said - error, said + error], 0, 1), color="0.7", lw=4)
            axes.plot(said, was, "o", color="C0", markersize=4)
            axes.set(title=f"p_{answer}", xlabel="probability said", xlim=(-0.03, 1.03))
            axes.set(ylim=(-0.03, 1.03), aspect="equal")
        page.axes[0].set_ylabel("share that were so")
        page.savefig(path, format="svg", metadata={"Date": None, "Creator": None})


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--curves", type=int, default=PART, help="simulated from every shape")
    parser.add_argument("--tables", type=int, default=0, help="tables of flat tasks")
    parser.add_argument("--draws", type=int, default=DRAWS)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--figure", type=Path, metavar="FILE.svg")


def main(*, curves: int, tables: int, draws: int, seed: int, figure: Path | None) -> None:
    """Run, print and store."""
    results = run(curves=curves, draws=draws, flat_tables=tables, seed=seed)
    text = as_tables(results)
    print(text)
    if figure and "curves" in results:
        diagram(results, figure)
    report.note(f"written to {report.save('classify', results, text=text)}")
