"""Measure: the posterior behind every figure and table, as plain numbers and pictures.

Each part is computed on its own, from bundled data alone, and kept in results/paper under a key
that changes with the data, the versions and the settings: the page is made anew in a second.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING, Any

import numpy as np

import upturn
from benchmarks.output import report
from benchmarks.paper import claims, figures
from benchmarks.paper.claims import Source, Stated
from upturn.questions.classify.result import Classification
from upturn.show import plots
from upturn.show.report.report import LEAN
from upturn.tables import datasets
from upturn.tables.results import Results

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FOLDER = Path("results/paper")
SHAPES = ("flat", "logistic", "logit-line", "hinge")  # of baselines under a technique
AXES = ("flops", "params", "perplexity")
SUMS = ("arithmetic_3da", "arithmetic_3ds", "arithmetic_4da", "arithmetic_4ds")
ROUNDED = 0.02  # decades that a scale in print is off: two digits
PAIRS = 20_000  # draws behind the probability that an ability was there by some scale

type Facts = dict[str, Any]
type Pictures = dict[str, "Figure"]


@dataclass(frozen=True)
class Effort:
    """What the figures hang on beside the data: draws of classifications, techniques, pictures."""

    seed: int = 0
    draws: int = 400
    gains: int = 200
    drawn: int = 2000
    threads: int | None = None


def results_of(source: Source) -> Results:
    """Its rows."""
    tasks = (f"task={task}" for task in source.tasks)
    return upturn.read(source.data).where(*source.where, *tasks)


# --- Table 1 and Appendix E -----------------------------------------------------------------------


def classified(name: str, effort: Effort) -> Classification:
    """The curves of a source, shapes having equal prior odds."""
    source = claims.SOURCES[name]
    return upturn.classify(
        results_of(source), metric=source.metric, models=LEAN, learn_prevalence=False,
        draws=effort.draws, seed=effort.seed, threads=effort.threads,
    )  # fmt: skip


def abilities(effort: Effort) -> tuple[Facts, Pictures]:
    """Every ability of Table 1 and Appendix E that has a curve, beside what is stated."""
    results = {name: classified(name, effort) for name in claims.SOURCES}
    rows = {
        "table1": [*_held(claims.table1(), claims.TABLE1, results, effort)],
        "labels": [*_held(claims.labels(), claims.LABELS, results, effort)],
    }
    failed = [f"{name}: {task}" for name, entry in results.items() for task in entry.failed]
    return {**rows, "failed": failed}, {}


def _held(
    stated: list[Stated], curves: Any, results: dict[str, Classification], effort: Effort
) -> Iterator[Facts]:
    """One row a statement and curve."""
    for claim in stated:
        for name, task in curves.get(claim.ability, ()):
            i = results[name].curves.labels["task"].tolist().index(task)
            yield {
                **asdict(claim), "data": claims.SOURCES[name].data, "task": task,
                **verdict(results[name], i, claim.flops, effort.seed),
            }  # fmt: skip


def verdict(classification: Classification, i: int, flops: float | None, seed: int) -> Facts:
    """Posterior facts about a curve, and about the scale that is stated for it.

    Parameters
    ----------
    found : Classification
    i : int
        Which curve.
    flops : float or None
        The scale stated.
    seed : int
    """
    summary: Any = classification.summary().iloc[i]
    text: Any = classification.texts().iloc[i]
    low, middle, high = classification.scale_x()[:, i].tolist()
    shapes = {
        name: float(p)
        for name, p in zip(classification.classes, classification.p_class[i], strict=True)
    }
    x, emergent = (values[i] for values in classification.drawn(PAIRS, seed))
    at = np.inf if flops is None else float(np.log10(flops))
    here = classification.curves.mask[i]
    measured = classification.curves.x[0, i][here]
    smaller = measured[measured < at - ROUNDED]
    last = float(smaller.max()) if len(smaller) else -np.inf
    return {
        "models": int(summary["points"]),
        "p_emergent": float(summary["p_emergent"]),
        "p_sharp": float(summary["p_sharp"]),
        "scale": text["scale"], "interval": text["interval"],
        "x": [finite(low), finite(middle), finite(high)],
        "ends": classification.curves.limits[:, 0, i].tolist(),
        "top_score": float(classification.curves.score[i][here][measured.argmax()]),
        "p_by": float((emergent & (x <= _rounds_to(at))).mean()),
        "p_after": float((emergent & (x > last)).mean()),
        "shape": max(shapes, key=lambda name: shapes[name]),
        "p_shape": max(shapes.values()),
    }  # fmt: skip


def _rounds_to(x: float) -> float:
    """The largest coordinate that is printed, with two digits, as this one is."""
    if not np.isfinite(x):
        return x
    unit = 10.0 ** (np.floor(x) - 1)
    return float(np.log10(10**x + unit / 2))


def finite(value: float) -> float | None:
    """A number, or none where it is beyond the axis."""
    return float(value) if np.isfinite(value) else None


# --- Figure 2 -------------------------------------------------------------------------------------


def panels(effort: Effort) -> tuple[Facts, Pictures]:
    """The panels of Figure 2 that data reach: the hinge on the task of each."""
    drawn = []
    rows = []
    for panel in figures.FEW_SHOT:
        source = claims.SOURCES[panel.source]
        panel_source = Source(source.data, source.where, source.metric, (panel.task,))
        fit = upturn.fit(
            results_of(panel_source), metric=source.metric, draws=effort.drawn, seed=effort.seed,
            threads=effort.threads,
        )  # fmt: skip
        drawn.append((panel, fit))
        row: Any = fit.summary().iloc[0]
        text: Any = fit.texts().iloc[0]
        rows.append(
            {"panel": panel.letter, "title": panel.title, "data": source.data, "task": panel.task,
             "points": int(row["points"]), "p_change": float(row["p_change"]),
             **{str(name): str(value) for name, value in text.items()}}
        )  # fmt: skip
    return {"rows": rows}, {"paper-few-shot": figures.few_shot(drawn)}


# --- Figure 3 -------------------------------------------------------------------------------------


def techniques(effort: Effort) -> tuple[Facts, Pictures]:
    """The gain of each technique over its baseline, beside the scale that is stated."""
    stated = {claim.ability: claim for claim in claims.table1()}
    drawn, rows = [], []
    for ability, (setting, task) in claims.TECHNIQUES.items():
        contrast = upturn.contrast(
            upturn.read("prompting").where(f"task={task}"), setting, models=SHAPES,
            draws=effort.gains, seed=effort.seed, threads=effort.threads,
        )  # fmt: skip
        drawn.append((stated[ability], contrast))
        summary, text = contrast.summary().iloc[0], contrast.texts().iloc[0]
        low, high = contrast.curves.limits[:, 0, 0].tolist()
        at = (float(np.log10(stated[ability].flops or np.nan)) - low) / (high - low)
        seen = contrast.tasks[0]
        cells = {str(name): finite_or_same(value) for name, value in summary.items()}
        rows.append(
            {**asdict(stated[ability]), **cells, "setting": setting, "task": task,
             **{f"{name}_text": str(value) for name, value in text.items()},
             "p_change_by": float(seen.weight[seen.change <= at].sum()),
             "p_even_by": float(seen.weight[seen.helps <= at].sum()),
             "crossings": contrast.crossings().to_dict(orient="records")}
        )  # fmt: skip
    return {"rows": rows}, {"paper-techniques": figures.techniques(drawn)}


def finite_or_same(value: Any) -> Any:
    """A cell as JSON has it."""
    if isinstance(value, (float, np.floating)):
        return finite(float(value))
    return report.plain(value) if isinstance(value, np.generic) else value


# --- Figure 4 -------------------------------------------------------------------------------------


def axes(effort: Effort) -> tuple[Facts, Pictures]:
    """The same tasks against FLOPs, parameters and perplexity."""
    few_shot = upturn.read("gpt3").where("setting=few-shot", *(f"task={task}" for task in SUMS))
    mmlu = upturn.read("olmo-mmlu")
    # of MMLU, parameters take two values, on which no curve can be seen
    compared = {
        "gpt3": upturn.compare_axes(
            few_shot, axes=AXES, metric="acc", draws=effort.draws, seed=effort.seed,
            threads=effort.threads,
        ),
        "olmo-mmlu": upturn.compare_axes(
            mmlu, axes=("flops", "perplexity"), draws=effort.draws, seed=effort.seed,
            threads=effort.threads, families=False,
        ),
    }  # fmt: skip
    first = upturn.fit(
        few_shot.where(f"task={SUMS[0]}"), axis=AXES, metric="acc", draws=effort.drawn,
        seed=effort.seed, threads=effort.threads,
    )  # fmt: skip
    second = upturn.fit(
        mmlu.where("task=mmlu_other_val_mc"), axis=("flops", "perplexity"), draws=effort.drawn,
        seed=effort.seed, threads=effort.threads,
    )  # fmt: skip
    results: Facts = {}
    for name, entry in compared.items():
        summary = entry.summary().reset_index().to_dict(orient="records")
        texts = entry.classification.texts()
        curves: list[Facts] = []
        for i, axis in enumerate(entry.classification.curves.axes):
            row: Any = entry.curve_summary().iloc[i]
            curves.append(
                {"task": str(row["task"]), "axis": axis.name, "scale": texts["emergence"].iloc[i],
                 "interval": texts["interval"].iloc[i],
                 "width": finite(float(row["relative_width"]))}
            )  # fmt: skip
        results[name] = {"verdict": entry.verdict, "axes": summary, "curves": curves}
    return results, {"paper-axes": figures.axes(first, second)}


# --- Appendix A -----------------------------------------------------------------------------------


def metrics(effort: Effort) -> tuple[Facts, Pictures]:
    """Accuracy against a loss of the same answers."""
    comparison = upturn.compare_metrics(
        "brier", metrics=("acc", "tc_brier_loss"), models=LEAN, learn_prevalence=False,
        draws=effort.draws, seed=effort.seed, threads=effort.threads,
    )  # fmt: skip
    names = ("p_emergent", "p_emergent_2", "shift", "shift_low", "shift_high", "p_second_first")
    rows = [
        {"task": str(row["task"]), "outcome": str(row["outcome"]),
         **{name: finite(float(row[name])) for name in names}}
        for _, row in comparison.summary().iterrows()
    ]  # fmt: skip
    return {"verdict": comparison.verdict, "rows": rows}, {}


# --- all of it ------------------------------------------------------------------------------------

PARTS: dict[str, tuple[Callable[[Effort], tuple[Facts, Pictures]], tuple[str, ...]]] = {
    "abilities": (
        abilities,
        ("gpt3", "open-models", "brier", "prompting", "wei2022-table1", "wei2022-labels"),
    ),
    "panels": (panels, ("gpt3", "open-models", "brier")),
    "techniques": (techniques, ("prompting", "wei2022-table1")),
    "axes": (axes, ("gpt3", "olmo-mmlu")),
    "metrics": (metrics, ("brier",)),
}


def versions() -> dict[str, str]:
    """Of the sampler and what its numbers hang on."""
    return {"upturn": upturn.__version__} | {
        name: version(name) for name in ("numpy", "scipy", "numba")
    }


def key_of(name: str, effort: Effort) -> str:
    """Changes with the data of a part, the versions and the settings (not with the threads)."""
    settings = {k: v for k, v in asdict(effort).items() if k != "threads"}
    text = json.dumps([name, settings, versions(), sorted(SHAPES), sorted(LEAN)])
    digest = hashlib.sha256(text.encode())
    for data in PARTS[name][1]:
        digest.update(datasets.path(data).read_bytes())
    return digest.hexdigest()[:16]


def part(name: str, effort: Effort, *, fresh: bool = False, folder: Path = FOLDER) -> Facts:
    """The figures of a part, from results/paper where they are there; its pictures beside them."""
    path = folder / f"{name}.json"
    key = key_of(name, effort)
    if path.exists() and not fresh:
        kept: Facts = json.loads(path.read_text("utf-8"))
        if kept["key"] == key:
            return kept
    report.note(f"paper: {name}")
    begun = process_time()
    facts, pictures = PARTS[name][0](effort)
    folder.mkdir(parents=True, exist_ok=True)
    for stem, figure in pictures.items():
        plots.save(figure, folder / f"{stem}.svg")
    results = {
        "key": key, "seconds": round(process_time() - begun, 1), "pictures": list(pictures), **facts
    }  # fmt: skip
    text = json.dumps(results, indent=1, default=report.plain)
    temporary = path.with_suffix(".part")
    temporary.write_text(text + "\n", "utf-8")
    temporary.replace(path)
    return json.loads(text)
