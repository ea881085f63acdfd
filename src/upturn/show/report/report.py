"""report: one HTML file with the answer, for readers without training in statistics."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from upturn.checks.arguments import known
from upturn.posterior.files import check_writable
from upturn.questions.classify.classify import classify
from upturn.questions.fit.result import Fit
from upturn.sampling.batch import Progress
from upturn.show.report.answers import first_axis
from upturn.show.text.files import write_text
from upturn.tables.axis import Axis

if TYPE_CHECKING:
    import pandas as pd

    from upturn.tables.curves import Curves
    from upturn.tables.results import Results

from upturn.questions.fit.fit import fit
from upturn.show.report.contents import Contents

SUFFIXES = (".html", ".htm")
SHAPES = ("lean", "all", "none")
# One to three models a class. p_emergent is nearly the same as with all models, in half the time:
# docs/report.md has the figures.
LEAN = ("flat", "logistic", "gompertz", "logit-line", "step", "hinge", "inverse")
DRAWS = 400  # of each model in the classification: enough for a probability in percent


def report(
    results: "Fit | Results | Curves | pd.DataFrame | str | os.PathLike[str]",
    *,
    axis: str | Axis | Sequence[str | Axis] = "flops",
    shapes: str = Contents.shapes,
    ci: float = Contents.ci,
    title: str | None = None,
    seed: int = 0,
    threads: int | None = None,
    progress: Progress | None = None,
    **how: Any,
) -> "Report":
    """Fit a table, ask which tasks emerge, and write the answer as one HTML file.

    Parameters
    ----------
    results : Fit, or whatever `upturn.fit` takes
        A fit is used as it is, with its axes and its seed.
    axis : str or Axis, or several
        The verdict is about the first.
    shapes : str
        Curve models that the verdict averages over: "lean" (seven models, one to three a class of
        shapes), "all", or "none" for no verdict on emergence, only on change.
    ci : float
        Probability of the intervals.
    title : str, optional
        By default the table and the selected rows.
    seed : int
        Random seed.
    threads : int, optional
        Number of threads; all cores by default.
    progress : callable, optional
        Called with (steps done, steps in all).
    **how : dict
        Further arguments of `upturn.fit`.

    Returns
    -------
    Report

    Raises
    ------
    DataError
        For anything wrong with the table or the arguments.

    Examples
    --------
    >>> import upturn
    >>> table = upturn.read("gpt3").where("setting=few-shot", "task=arithmetic_3da")
    >>> report = upturn.report(table, shapes="none", draws=100)
    >>> [answer.title for answer in report.answers]
    ['arithmetic_3da']
    """
    known(shapes, SHAPES, kind="choice of shapes", where="shapes")
    fitted = (
        results
        if isinstance(results, Fit)
        else fit(results, axis=axis, seed=seed, threads=threads, progress=progress, **how)
    )
    fitted.texts(ci)  # refuses an impossible probability before the longer part
    classification = None
    if shapes != "none":
        classification = classify(
            fitted.curves.take(first_axis(fitted)),
            models=LEAN if shapes == "lean" else None,
            draws=DRAWS,
            seed=int(fitted.meta["seed"]),
            threads=threads,
            progress=progress,
        )
    return Report(fitted, classification, ci, shapes, title or _title(fitted.meta["arguments"]))


def _title(arguments: Mapping[str, Any]) -> str:
    """The table and what of it was taken."""
    chosen = [f"metric={name}" for name in arguments.get("metric", ())]
    parts = [arguments.get("table") or "", *arguments.get("where", ()), *chosen]
    what = " · ".join(part for part in parts if part)
    return f"Which abilities emerge, and where: {what}" if what else "Which abilities emerge?"


class Report(Contents):
    """A fit, the verdict on its curves, and both as a page.

    Attributes
    ----------
    fit : Fit
    classification : Classification or None
        Of the curves on the first axis.
    ci : float
    shapes : str
    title : str
    """

    def html(self) -> str:
        """The page: one file that loads nothing from elsewhere."""
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
