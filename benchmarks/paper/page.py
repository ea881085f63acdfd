"""Page: docs/paper.md from the figures of `measure`. Nothing here is computed from data."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import inf, log10
from pathlib import Path
from string import Template
from typing import Any

from benchmarks.paper import claims
from benchmarks.paper.claims import Stated
from upturn.checks.numbers import probability, signed
from upturn.show.text.formats import escape_markdown, to_markdown

TEMPLATE = Path(__file__).with_name("template.md")
UNDECIDED = 0.25, 0.75  # of p_emergent
PICTURES = ("paper-few-shot", "paper-techniques", "paper-axes")

type Facts = Mapping[str, Any]


def page(facts: Mapping[str, Facts], settings: Facts, versions: Mapping[str, str]) -> str:
    """The page.

    Parameters
    ----------
    facts : mapping
        Those of each part of `benchmarks.paper.measure`.
    settings : mapping
        Seed and draws.
    versions : mapping of str

    Returns
    -------
    str
        Markdown. Names of tasks, models and abilities are escaped.
    """
    table1, labels = facts["abilities"]["table1"], facts["abilities"]["labels"]
    techniques = facts["techniques"]["rows"]
    filled = {
        "table1": abilities_table(table1),
        "techniques": techniques_table(techniques),
        "missing": missing_table(claims.table1(), claims.MISSING),
        "labels": abilities_table(labels, shapes=True),
        "panels": panels_table(facts["panels"]["rows"]),
        "axes_gpt3": axes_table(facts["axes"]["gpt3"]["curves"]),
        "axes_mmlu": axes_table(facts["axes"]["olmo-mmlu"]["curves"]),
        "axes_gpt3_verdict": escape_markdown(facts["axes"]["gpt3"]["verdict"]),
        "axes_mmlu_verdict": escape_markdown(facts["axes"]["olmo-mmlu"]["verdict"]),
        "metrics": metrics_table(facts["metrics"]["rows"]),
        "metrics_verdict": escape_markdown(facts["metrics"]["verdict"]),
        **{f"n_{name}": str(n) for name, n in _counts(table1, labels).items()},
        **_lists("table1", table1),
        **_lists("labels", labels),
        "gap": _gap(labels),
        "one_step": _one_step(table1),
        "five_digits": _top_score(table1, "arithmetic_5da"),
        "failed": _failed(facts["abilities"]["failed"]),
        "seconds": f"{sum(part['seconds'] for part in facts.values()):.0f}",
        "seed": str(settings["seed"]), "draws": str(settings["draws"]),
        "gains": str(settings["gains"]), "drawn": str(settings["drawn"]),
        "versions": ", ".join(f"{name} {v}" for name, v in versions.items()),
    }  # fmt: skip
    return Template(TEMPLATE.read_text("utf-8")).substitute(filled)


# --- tables ---------------------------------------------------------------------------------------


def standing(row: Facts) -> str:
    """Where the paper's point lies, of 90 % intervals; "as stated" where neither sees it yet."""
    low, _, high = row["x"]
    at = _coordinate(row["flops"])
    least, most = UNDECIDED
    if row["p_emergent"] < least:
        return "not yet, as stated" if at > row["ends"][1] else "not emergent"
    if row["p_emergent"] <= most:
        return "undecided"
    if high is not None and high < at:
        return "earlier"
    return "later" if low is None or low > at else "within"


def abilities_table(rows: Iterable[Facts], *, shapes: bool = False) -> str:
    """What is stated of each ability, and what the posterior says."""
    heads = ["ability", "stated", "first model", "data", "task", "models", "p(emergent)"]
    more = ["p(sharp)", "shape"] if shapes else []
    tail = ["turns up at", "90 % interval", "p(by the stated)", "ours is"]
    lines = []
    for row in rows:
        shape = [probability(row["p_sharp"]), f"{row['shape']}, {probability(row['p_shape'])}"]
        lines.append(
            [row["ability"], scale(row["flops"]), row["model"], row["data"], row["task"],
             str(row["models"]), probability(row["p_emergent"]), *(shape if shapes else []),
             row["scale"], row["interval"], probability(row["p_by"]), standing(row)]
        )  # fmt: skip
    numbers = [1, 5, 6, *([7] if shapes else []), len(heads) + len(more) + 2]
    return to_markdown([*heads, *more, *tail], lines, numbers)


def techniques_table(rows: Iterable[Facts]) -> str:
    """The gain of each technique."""
    heads = [
        "ability", "stated", "technique:baseline", "models", "gain begins to grow", "p(by then)",
        "break-even", "p(by then)", "p(hurts) smallest", "p(helps) largest",
    ]  # fmt: skip
    lines = [
        [row["ability"], scale(row["flops"]), row["setting"], str(row["models"]),
         both(row, "gain_change"), probability(row["p_change_by"]), both(row, "break_even"),
         probability(row["p_even_by"]), probability(row["p_hurts"]), probability(row["p_helps"])]
        for row in rows
    ]  # fmt: skip
    return to_markdown(heads, lines, (1, 3, 5, 7, 8, 9))


def both(row: Facts, name: str) -> str:
    """A median with its interval."""
    middle, interval = row[f"{name}_text"], row[f"{name}_interval_text"]
    return str(middle) if middle == interval else f"{middle} ({interval})"


def missing_table(stated: Iterable[Stated], reasons: Mapping[str, str]) -> str:
    """The rows of Table 1 that no data reach, with the reason."""
    lines = [
        [claim.ability, scale(claim.flops), claim.model, reasons[claim.ability]]
        for claim in stated
        if claim.ability in reasons
    ]
    return to_markdown(["ability", "stated", "first model", "why not"], lines, (1,))


def panels_table(rows: Iterable[Facts]) -> str:
    """The hinge on each task of Figure 2."""
    lines = [
        [f"{row['panel']} {row['title']}", row["data"], row["task"], str(row["points"]),
         probability(row["p_change"]), row["scale"], row["interval"]]
        for row in rows
    ]  # fmt: skip
    heads = ["panel", "data", "task", "models", "p(change)", "changepoint", "90 % interval"]
    return to_markdown(heads, lines, (3, 4))


def axes_table(curves: Sequence[Facts]) -> str:
    """The emergence scale of each task on each axis, and its interval as a share of the axis."""
    names = list(dict.fromkeys(row["axis"] for row in curves))
    tasks = list(dict.fromkeys(row["task"] for row in curves))
    by = {(row["task"], row["axis"]): row for row in curves}
    lines = []
    for task in tasks:
        cells = [task]
        for name in names:
            row = by[task, name]
            width = share(row["width"])
            scales = row["scale"]
            if row["interval"] != scales:
                scales += f" ({row['interval']})"
            cells += [scales, width]
        lines.append(cells)
    heads = ["task", *(head for name in names for head in (name, "of the axis"))]
    return to_markdown(heads, lines, range(2, len(heads), 2))


def share(width: float | None) -> str:
    """A share of an axis; a dash where the scale is beyond it."""
    if width is None:
        return "–"
    return f"{100 * width:.0f} %" if width >= 0.005 else "< 1 %"


def metrics_table(rows: Iterable[Facts]) -> str:
    """Accuracy beside a loss."""
    lines = [
        [row["task"], probability(row["p_emergent"]), probability(row["p_emergent_2"]),
         f"{signed(row['shift'])} ({signed(row['shift_low'])} to {signed(row['shift_high'])})",
         row["outcome"]]
        for row in rows
    ]  # fmt: skip
    heads = ["task", "p(emergent), accuracy", "Brier loss", "decades later", "emergent under"]
    return to_markdown(heads, lines, (1, 2))


def scale(flops: float | None) -> str:
    """FLOPs as the paper prints them; a dash where it states none."""
    return "–" if flops is None else f"{flops:.1e}".replace("e+", "e")


# --- what they add up to --------------------------------------------------------------------------

KINDS = ("within", "earlier", "later", "undecided", "not emergent", "not yet, as stated")


def _counts(table1: Sequence[Facts], labels: Sequence[Facts]) -> dict[str, int]:
    """Numbers in the text."""
    counts = {"table1": len(table1), "labels": len(labels)}
    counts["label_tasks"] = len({row["ability"] for row in labels})
    counts["labels_all"] = len(claims.labels())
    counts["mmlu"] = claims.topics()
    counts["abilities"] = len(claims.table1())
    counts["abilities_reached"] = len(claims.TABLE1) + len(claims.TECHNIQUES)
    for name, rows in (("table1", table1), ("labels", labels)):
        counts[f"{name}_sure"] = _how_many(rows, lambda row: row["p_emergent"] > 0.95)
        counts[f"{name}_sharp"] = _how_many(rows, lambda row: row["p_sharp"] > 0.5)
        counts[f"{name}_smooth"] = _how_many(rows, lambda row: row["shape"] == "smooth")
    return counts


def _how_many(rows: Iterable[Facts], holds: Callable[[Facts], bool]) -> int:
    return sum(holds(row) for row in rows)


def _lists(prefix: str, rows: Sequence[Facts]) -> dict[str, str]:
    """Per standing, how many curves and which, in words that are escaped."""
    results = {}
    for kind in KINDS:
        names = [f"{row['task']} ({row['data']})" for row in rows if standing(row) == kind]
        key = f"{prefix}_{kind.replace(', ', '_').replace(' ', '_')}"
        results[key] = f"{len(names)} ({', '.join(map(code, names))})" if names else "none"
    return results


def code(name: str) -> str:
    """A name as code in Markdown, whatever is in it."""
    return "`" + " ".join(name.replace("`", "'").split()) + "`"


def _gap(rows: Sequence[Facts]) -> str:
    """By how many decades ours come before the stated, in the median over curves that emerge."""
    gaps = sorted(
        _coordinate(row["flops"]) - row["x"][1] for row in rows if row["x"][1] is not None
    )
    if not gaps:
        return "–"
    middle = len(gaps) // 2
    median = gaps[middle] if len(gaps) % 2 else (gaps[middle - 1] + gaps[middle]) / 2
    return f"{median:.1f} decades ({gaps[0]:.1f} to {gaps[-1]:.1f})"


def _one_step(rows: Sequence[Facts]) -> str:
    """How probable it is that an ability of GPT-3 emerged after the next smaller model."""
    words = [
        f"{code(row['task'])} {probability(row['p_after'])}"
        for row in rows
        if row["data"] == "gpt3" and row["p_emergent"] > UNDECIDED[1]
    ]
    return ", ".join(words) if words else "none"


def _top_score(rows: Sequence[Facts], task: str) -> str:
    """What the largest model scores on a task."""
    return next((f"{100 * row['top_score']:.0f} %" for row in rows if row["task"] == task), "–")


def _failed(names: Sequence[str]) -> str:
    return "All converged." if not names else f"Not converged: {', '.join(map(code, names))}."


def _coordinate(flops: float | None) -> float:
    """Its logarithm, beyond everything where none is stated."""
    return inf if flops is None else log10(flops)
