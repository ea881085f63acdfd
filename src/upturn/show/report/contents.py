"""The contents of a report: answers, scales, the verdict and the command that makes it again."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from upturn.checks.errors import shown
from upturn.posterior import tree as trees
from upturn.questions.check.check import check
from upturn.questions.check.result import Check
from upturn.questions.classify.result import Classification
from upturn.questions.fit.result import Fit
from upturn.show.report.answers import TaskAnswer, Turn, answers_of, by_verdict, first_axis, turns
from upturn.show.report.command import command_of
from upturn.show.report.verdict import verdict
from upturn.show.report.wording import span_words
from upturn.tables.axis import Axis
from upturn.version import __version__


@dataclass(frozen=True, eq=False)
class Contents:
    """A fit, the verdict on its curves, and how both are shown.

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
    ci: float = 0.9
    shapes: str = "lean"
    title: str = ""
    output: str = "report.html"

    def __repr__(self) -> str:
        return f"Report({shown(self.title)}, {len(self.answers)} {self.noun[1]})"

    @cached_property
    def answers(self) -> list[TaskAnswer]:
        """One answer a task, the most certain verdict first."""
        return by_verdict(answers_of(self.fit, self.classification, self.ci))

    @cached_property
    def turns(self) -> list[Turn]:
        """The scale at which each curve of the fit rises."""
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
        """Singular and plural of what is judged."""
        return "task", "tasks"

    @cached_property
    def apart(self) -> list[str]:
        """The labels besides the task that distinguish answers of one task."""
        labels = {n: v for n, v in self.fit.curves.labels.items() if n not in {"task", "axis"}}
        rows = {
            tuple(v) for v in zip(self.fit.curves.labels["task"], *labels.values(), strict=True)
        }
        values_of: dict[str, dict[str, set[str]]] = {name: {} for name in labels}
        for task, *values in rows:
            for name, value in zip(labels, values, strict=True):
                values_of[name].setdefault(str(task), set()).add(str(value))
        return [n for n, by_task in values_of.items() if any(len(v) > 1 for v in by_task.values())]

    @cached_property
    def verdict(self) -> list[str]:
        """Sentences; the first can be read by itself."""
        span = span_words(self.axis, np.array(self.limits))
        classified = self.classification is not None
        return verdict(self.answers, self.axis, span, self.noun, classified=classified)

    @cached_property
    def checked(self) -> Check | None:
        """Whether the curves on the first axis fit; None on a mix of axes."""
        if self.axis.components:
            return None
        chosen = first_axis(self.fit)
        points = int(self.fit.curves.points[chosen].sum())
        part = trees.part(self.fit.tree, slice(0, len(chosen)), slice(0, points))
        return check(Fit(part), seed=int(self.fit.meta["seed"]))

    @cached_property
    def fits(self) -> list[str]:
        """Of each curve on the first axis: that it fits, or what is off; empty on a mix."""
        return [] if self.checked is None else self.checked.texts()["fits"].tolist()

    @property
    def version(self) -> str:
        """The version of the package that made the page."""
        return __version__

    @property
    def command(self) -> str:
        """The command line that makes this report again."""
        asked = self.fit.meta["arguments"]
        axes = [axis.spec for axis in dict.fromkeys(self.fit.curves.axes)]
        return command_of(
            {**self.fit.meta, "arguments": {**asked, "axis": axes}},
            output=self.output,
            chosen={"ci": self.ci, "shapes": self.shapes},
            usual={"ci": Contents.ci, "shapes": Contents.shapes},
        )
