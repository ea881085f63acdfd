"""Page: docs/benchmarks.md and its two figures, from results that were measured.

Nothing on the page is written by hand but what explains the measures: every figure comes from the
JSON files given, and a part that was not measured is not there. What the page was made from lies
beside it (benchmarks.json), so that a part can be measured again by itself.
"""

import json
import os
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.accuracy import least_squares
from benchmarks.speed import contest, draws_a_second, growth, kernel, precision, scale

PARTS: dict[str, Any] = {
    "contest": contest,
    "speed": draws_a_second,
    "precision": precision,
    "growth": growth,
    "scale": scale,
    "kernel": kernel,
    "least-squares": least_squares,
}
TITLES = {
    "contest": "Samplers side by side",
    "speed": "The default sampler against nutpie",
    "precision": "Draws an evaluation, from many seeds",
    "growth": "Growth",
    "scale": "Many curves, three models",
    "kernel": "One evaluation of the likelihood",
    "least-squares": "For context: least squares",
}
INTRODUCTION = """\
# Benchmarks

Which sampler, how fast, how right: every sampler on the same curves, the same model (the hinge \
under the beta-binomial), the same priors. `make bench` measures a little of it in minutes, \
`make bench-full` more in an hour and a quarter, `python -m benchmarks speed`, `precision` and \
`scale` what bears their names; `python -m benchmarks render results/full.json` makes this page.

**Effective draws** are counted by replication: the posterior variance of the changepoint τ over \
the mean squared error against a reference, over runs with different seeds. That needs nobody's \
formula of an effective sample size, and a bias that all runs share counts as the error it is. Of \
independent draws it is their number for the mean, and a 4.5th of it for a 5 % quantile of a \
normal posterior. From n seeds it is known to within √(2/n) of itself: 32 % with 20. From one it \
hardly is: nine times in ten the truth is between a 250th and 3.8 times what is shown, since one \
run may be right by chance. The table against nutpie has more seeds. \
A rate divides by the warm time of a run: imports and compilation are not in it, except for \
`pm.sample`, which compiles each time it is called. Cold is from starting Python to the first \
answer. Ours counts all that `upturn.fit` does: the no-change twins, diagnostics and the tree.

**Wrong** is an answer, one run on one curve, in which the posterior mean of some parameter is \
more than 4 of its own claimed Monte Carlo standard errors from the reference. It was \
**flagged** where R̂ > 1.01, the effective size was below 400, or the sampler itself objected \
(divergences; k̂; replicates that disagree). NUTS and SMC have 4 chains of 1,000 draws after 1,000 \
of tuning, JAGS 4 of 4,000, where a row does not say otherwise; tuning is in the time of a run, \
for everyone. Runs have the seeds 0, 1, 2 and so on. Memory is the peak of a sampler's own \
process, with its largest child.

**Draws an evaluation** are effective draws over evaluations of a curve's likelihood, of the \
median and the worst curve. Of ours all evaluations count, the no-change twin's too; of NUTS \
gradients after tuning, each as one, and a joint model's once for every curve.
"""
NOTES = {
    "speed": "Effective draws of τ a second, worst and median curve, setting up not counted.",
    "precision": (
        "Of the default sampler with 4,000 draws, by `python -m benchmarks precision`: the worst "
        "of a few curves from a few seeds, as above, is that with the worst luck."
    ),
    "growth": (
        "Seconds of a warm run, peak memory in brackets. Curves have 20 points and the hinge; "
        "where something else grows there are 10. Models of 1 to 8 parameters: `chance` under the "
        "binomial, `chance`, `step` under the binomial, `hinge`, and two rises one after the "
        "other. nutpie's loop compiles within its time unless the model is the hinge or "
        "`chance`."
    ),
    "scale": "Wall time and peak memory of `upturn.fit` under three models, 4,000 draws each.",
    "kernel": (
        "Nanoseconds of one core for a point and a particle: the log likelihood of the hinge under "
        "the beta-binomial. Ours is what the sampler calls: blocks, the priors' quantiles and "
        "the loop. That in C is tuned for the processor and is given the parameters; that by "
        "numba is the formula with the C library's `lgamma`. The last column is the largest "
        "difference of log likelihoods, relative."
    ),
    "least-squares": (
        "The broken line of the package piecewise-regression on simulated curves of 10 to 30 "
        "points, truths known: ramps, which it was made for, and hinges, which bend. Errors and "
        "widths are shares of the axis; the interval is of 95 %."
    ),
}
KEPT = "benchmarks.json"
# Parts of which each workload may be measured by itself, and what is known of where it was.
SEVERAL = {"contest": "workloads", "speed": "datasets", "precision": "datasets"}
PLACE: dict[str, Any] = {"machine": None, "threads": 0, "lanes": 1}
FIGURES = {
    "benchmarks-speed.svg": "Effective draws of τ a second",
    "benchmarks-growth.svg": "Seconds against the number of curves",
}


def render(paths: Sequence[Path], folder: Path) -> list[Path]:
    """Write the page, its figures, and what they are made from.

    Parameters
    ----------
    paths : sequence of Path
        Results; where a part, or a workload of the contest, is in several, the last one wins. What
        the page in the folder was made from comes before all of them.
    folder : Path

    Returns
    -------
    list of Path
        What was written.
    """
    kept = folder / KEPT
    results: dict[str, Any] = json.loads(kept.read_text("utf-8")) if kept.exists() else {}
    for path in paths:
        _add(results, json.loads(path.read_text("utf-8")))
    if not results:
        raise SystemExit(f"render: expected results of {', '.join(PARTS)}, but got none")
    folder.mkdir(parents=True, exist_ok=True)
    lines = [
        f"{json.dumps(name)}: {json.dumps(results[name])}" for name in PARTS if name in results
    ]
    _write(kept, "{\n" + ",\n".join(lines) + "\n}\n")
    written = []
    drawn = {"benchmarks-speed.svg": speeds_of(results), "benchmarks-growth.svg": times_of(results)}
    draw: dict[str, Any] = {
        "benchmarks-speed.svg": speed_figure,
        "benchmarks-growth.svg": growth_figure,
    }
    for name, data in drawn.items():
        if data:
            draw[name](data, folder / name)
            written.append(folder / name)
    text = page(results, [path.name for path in written])
    _write(folder / "benchmarks.md", text)
    return [folder / "benchmarks.md", *written, kept]


def _add(measured: dict[str, Any], results: dict[str, Any]) -> None:
    """Take over what results have measured, each part with where it was.

    Of parts with workloads, those that were not measured again stay, with where they were.
    """
    for name in PARTS:
        if name not in results:
            continue
        part = results[name] | {"machine": results["machine"]}
        several = SEVERAL.get(name)
        if several:
            kept = measured.get(name, {several: {}})
            part[several] = _with_place(kept, several) | _with_place(part, several)
        measured[name] = part


def _with_place(part: dict[str, Any], several: str) -> dict[str, Any]:
    """The workloads of a part, each with its machine, threads and lanes."""
    place = {key: part.get(key, usual) for key, usual in PLACE.items()}
    return {name: place | entry for name, entry in part[several].items()}


def page(results: dict[str, Any], figures: Sequence[str]) -> str:
    """The page's text."""
    parts = [INTRODUCTION]
    parts += [f"![{FIGURES[name]}]({name})\n" for name in figures]
    for name, measure in PARTS.items():
        if name not in results:
            continue
        parts.append(f"## {TITLES[name]}\n")
        if name in NOTES:
            parts.append(f"{NOTES[name]}\n")
        parts.append(f"{_table(name, measure, results[name])}\n")
        parts.append(f"{machine_lines(results[name])}\n")
    return "\n".join(parts)


def _table(name: str, measure: Any, results: dict[str, Any]) -> str:
    """In files keys of JSON are texts; tables take what the measure itself gave."""
    if name in ("speed", "precision"):
        results = results | {"functionals": list(results["functionals"])}
    return str(measure.table(results))


def machine_lines(results: dict[str, Any]) -> str:
    """Where a part was measured, and with what: of the contest, which workload on which machine."""
    several = next((results[key] for key in SEVERAL.values() if key in results), {"": {}})
    by_line: dict[str, list[str]] = {}
    for name, entry in several.items():
        by_line.setdefault(_machine_line(results | entry), []).append(name)
    if len(by_line) == 1:
        return f"*{next(iter(by_line))}*"
    return "\n\n".join(f"*{', '.join(names)}: {line}*" for line, names in by_line.items())


def _machine_line(part: dict[str, Any]) -> str:
    machine, count, lanes = part["machine"], part.get("threads", 0), part.get("lanes", 1)
    versions = ", ".join(f"{k} {v}" for k, v in machine["versions"].items() if v != "missing")
    threads = f"{count} thread{'s' if count > 1 else ''}" if count else ""
    threads += f" each, {lanes} at a time on cores of their own" if lanes > 1 else ""
    load = machine["load"][0]
    date = f"{machine['date']}; " if "date" in machine else ""
    return (
        f"{date}{machine['processor']}, {machine['cores']} cores, load {load:.1f} at the end; "
        f"{threads}{'; ' if threads else ''}Python {machine['python']}, {versions}."
    )


# --- figures --------------------------------------------------------------------------------------


def speeds_of(results: dict[str, Any]) -> dict[str, dict[str, tuple[float, float]]]:
    """Rates of the mean, median and worst curve, by workload and sampler."""
    if "contest" in results:
        return {
            name: {
                row["title"]: (row["median"][0], row["worst"][0])
                for row in entry["samplers"].values()
                if "seeds" in row
            }
            for name, entry in results["contest"]["workloads"].items()
            if "samplers" in entry
        }
    if "speed" in results:
        return {
            dataset: {
                name: (row["median"][0], row["worst"][0]) for name, row in entry["samplers"].items()
            }
            for dataset, entry in results["speed"]["datasets"].items()
        }
    return {}


def times_of(results: dict[str, Any]) -> dict[str, list[tuple[float, float]]]:
    """Warm seconds by number of curves, by sampler."""
    times: dict[str, list[tuple[float, float]]] = {}
    if "growth" in results:
        for row in results["growth"]["rows"]:
            if row["axis"] == "curves" and "seconds" in row:
                times.setdefault(row["title"], []).append((row["size"], row["seconds"]))
    if not times and "scale" in results:
        for row in results["scale"]["rows"]:
            for model, seconds in row["by_model"].items():
                times.setdefault(f"upturn, {model}", []).append((row["curves"], seconds))
    return times


def speed_figure(speeds: dict[str, dict[str, tuple[float, float]]], path: Path) -> None:
    """A row a sampler: the median curve's rate as a dot, joined to the worst curve's."""
    names = list(dict.fromkeys(title for rows in speeds.values() for title in rows))
    with _settings():
        figure = _figure(width=2.6 + 2.1 * len(speeds), height=1.1 + 0.24 * len(names))
        panels = np.atleast_1d(figure.subplots(1, len(speeds), sharey=True))
        for axes, (workload, rows) in zip(panels, speeds.items(), strict=True):
            for place, title in enumerate(names):
                if title not in rows:
                    continue
                median, worst = rows[title]
                axes.plot([worst, median], [place, place], color="0.7", linewidth=1)
                axes.plot(worst, place, "|", color="C0", markersize=8)
                axes.plot(median, place, "o", color="C0", markersize=4)
            axes.set(title=workload, xscale="log", xlabel="effective draws a second")
            axes.set(yticks=range(len(names)), yticklabels=names, ylim=(len(names) - 0.5, -0.5))
            axes.grid(visible=True, axis="x", color="0.92")
        _save(figure, path)


def growth_figure(times: dict[str, list[tuple[float, float]]], path: Path) -> None:
    """A line a sampler, both axes logarithmic."""
    with _settings():
        figure = _figure(width=6.2, height=3.4)
        axes = figure.subplots()
        for number, (title, points) in enumerate(times.items()):
            x, y = zip(*sorted(points), strict=True)
            axes.plot(x, y, "o-", color=f"C{number}", markersize=3.5, linewidth=1.2, label=title)
        axes.set(xscale="log", yscale="log", xlabel="curves", ylabel="seconds")
        axes.grid(visible=True, color="0.92")
        axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
        _save(figure, path)


def _settings() -> Any:
    import matplotlib as mpl

    settings: Any = {"svg.hashsalt": "upturn", "svg.fonttype": "none", "font.size": 9}
    return mpl.rc_context(settings)


def _figure(*, width: float, height: float) -> Any:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _save(figure: Any, path: Path) -> None:
    temporary = path.with_suffix(".part")
    figure.savefig(temporary, format="svg", metadata={"Date": None, "Creator": None})
    temporary.replace(path)


def _write(path: Path, text: str) -> None:
    """Whole or not at all."""
    temporary = path.with_suffix(".part")
    temporary.write_text(text, "utf-8")
    os.replace(temporary, path)


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("results", nargs="+", type=Path, help="JSON files; later ones win")
    parser.add_argument("--folder", type=Path, default=Path("docs"))


def main(*, results: Sequence[Path], folder: Path) -> None:
    for path in render(results, folder):
        print(path)
