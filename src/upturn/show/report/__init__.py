"""report: one HTML file in which a reader who knows no statistics finds the answer."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import upturn
from upturn.checks.arguments import known
from upturn.checks.errors import shown
from upturn.posterior.files import check_writable
from upturn.questions.classify.classify import classify
from upturn.questions.classify.result import Classification
from upturn.questions.fit.result import Fit
from upturn.sampling.batch import Progress
from upturn.show.report.answers import Answer, Turn, answers_of, by_verdict, first_axis, turns
from upturn.show.report.command import command_of
from upturn.show.report.verdict import verdict
from upturn.show.report.wording import span_words
from upturn.show.text.files import write_text
from upturn.tables.axis import Axis

if TYPE_CHECKING:
    import pandas as pd

    from upturn.tables.curves import Curves
    from upturn.tables.results import Results

SUFFIXES = (".html", ".htm")
SHAPES = ("lean", "all", "none")
# One to three models a class. Against all of them p_emergent moves by little at half the time:
# docs/report.md has the numbers.
LEAN = ("flat", "logistic", "gompertz", "logit-line", "step", "hinge", "inverse")
DRAWS = 400  # of each model in the classification: enough for a probability in percent


def report(
    results: "Fit | Results | Curves | pd.DataFrame | str | os.PathLike[str]",
    *,
    axis: str | Axis | Sequence[str | Axis] = "flops",
    shapes: str = "lean",
    ci: float = 0.9,
    title: str | None = None,
    seed: int = 0,
    threads: int | None = None,
    progress: Progress | None = None,
    **how: Any,
) -> "Report":
    """Fit a table, ask which tasks emerge, and put the answer together as one HTML file.

    Parameters
    ----------
    results : Fit, or whatever `upturn.fit` takes
        A fit is taken as it is, with its axes and its seed.
    axis : str or Axis, or several
        The verdict is about the first.
    shapes : str
        What the verdict averages over: "lean" (seven models, one to three a class), "all", or
        "none" for no verdict on emergence, only on change.
    ci : float
        Probability of the intervals.
    title : str, optional
        By default the table and what of it was taken.
    seed, threads, progress, **how
        As for `upturn.fit`.

    Returns
    -------
    Report

    Raises
    ------
    DataError
        For anything wrong with the table or the arguments.
    """
    known(shapes, SHAPES, kind="choice of shapes", where="shapes")
    done = (
        results
        if isinstance(results, Fit)
        else upturn.fit(results, axis=axis, seed=seed, threads=threads, progress=progress, **how)
    )
    done.texts(ci)  # refuses an impossible probability before the longer part
    found = None
    if shapes != "none":
        found = classify(
            done.curves.take(first_axis(done)),
            models=LEAN if shapes == "lean" else None,
            draws=DRAWS,
            seed=int(done.meta["seed"]),
            threads=threads,
            progress=progress,
        )
    return Report(done, found, ci, shapes, title or _title(done.meta["arguments"]))


def _title(arguments: Mapping[str, Any]) -> str:
    """The table and what of it was taken."""
    chosen = [f"metric={name}" for name in arguments.get("metric", ())]
    parts = [arguments.get("table") or "", *arguments.get("where", ()), *chosen]
    what = " · ".join(part for part in parts if part)
    return f"Which abilities emerge, and where: {what}" if what else "Which abilities emerge?"


@dataclass(frozen=True, eq=False)
class Report:
    """A fit, whether its curves are emergent, and both as a page.

    Attributes
    ----------
    fit : Fit
    classification : Classification or None
        Of the curves on the first axis.
    ci : float
    shapes : str
    title : str
    """

    fit: Fit
    classification: Classification | None
    ci: float
    shapes: str
    title: str
    output: str = "report.html"

    def __repr__(self) -> str:
        return f"Report({shown(self.title)}, {len(self.answers)} {self.noun[1]})"

    @cached_property
    def answers(self) -> list[Answer]:
        """One a task, the surest verdict first."""
        return by_verdict(answers_of(self.fit, self.classification, self.ci))

    @cached_property
    def turns(self) -> list[Turn]:
        """Where each curve of the fit turns up."""
        return turns(self.fit, self.ci)

    @property
    def axis(self) -> Axis:
        """The axis that the verdict is about."""
        return self.fit.curves.axes[0]

    @cached_property
    def limits(self) -> tuple[float, float]:
        """The lowest and the highest coordinate on it."""
        low, high = self.fit.curves.limits[:, 0, first_axis(self.fit)]
        return float(low.min()), float(high.max())

    @cached_property
    def noun(self) -> tuple[str, str]:
        """What the answers are about."""
        return "task", "tasks"

    @cached_property
    def apart(self) -> list[str]:
        """The labels beside the task by which answers of one task are told apart."""
        labels = {n: v for n, v in self.fit.curves.labels.items() if n not in {"task", "axis"}}
        rows = {
            tuple(v) for v in zip(self.fit.curves.labels["task"], *labels.values(), strict=True)
        }
        found: dict[str, dict[str, set[str]]] = {name: {} for name in labels}
        for task, *values in rows:
            for name, value in zip(labels, values, strict=True):
                found[name].setdefault(str(task), set()).add(str(value))
        return [n for n, held in found.items() if any(len(v) > 1 for v in held.values())]

    @cached_property
    def verdict(self) -> list[str]:
        """Sentences, the first of which stands alone."""
        span = span_words(self.axis, np.array(self.limits))
        classified = self.classification is not None
        return verdict(self.answers, self.axis, span, self.noun, classified=classified)

    @property
    def version(self) -> str:
        """Of the package that put the page together."""
        return upturn.__version__

    @property
    def command(self) -> str:
        """The command line that makes this report again."""
        return command_of(self.fit.meta, ci=self.ci, shapes=self.shapes, output=self.output)

    def html(self) -> str:
        """The page: one file, which loads nothing."""
        from upturn.show.report.page import page

        return page(self)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page (.html), whole or not at all.

        Raises
        ------
        DataError
            For another ending, and where nothing can be written.
        """
        target: Path = check_writable(path, SUFFIXES)
        write_text(target, self.html())
