"""Simulation: a simulated table and its truth."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from upturn.checks.errors import DataError
from upturn.model import Model
from upturn.questions.simulate.draw import Drawn
from upturn.tables.curves import Curves
from upturn.tables.results import Results, read

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Simulation:
    """A simulated table and its truth.

    Attributes
    ----------
    models : tuple of Model
    which : array of int (curve,)
        The model that each curve was drawn from.
    drawn : Drawn
    """

    models: tuple[Model, ...]
    which: Any
    drawn: Drawn
    _truth: Mapping[str, Any]

    def __repr__(self) -> str:
        names = ", ".join(model.name for model in self.models)
        return f"Simulation({names}; {self.curves!r})"

    @property
    def with_twin(self) -> bool:
        """Whether it was drawn from exactly a model and its no-change twin."""
        return len(self.models) == 2 and self.models[1] == self.models[0].twin()

    @property
    def curves(self) -> Curves:
        """The simulated data as curves, an input of every question."""
        return self.drawn.curves

    @cached_property
    def frame(self) -> "pd.DataFrame":
        """The simulated data as a table for `upturn.read`."""
        return to_table(self.curves)

    @cached_property
    def results(self) -> Results:
        """The simulated data as results."""
        continuous = self.curves.kind == "continuous"
        metrics = self.curves.labels.get("metric", np.full(len(self.curves), "score"))
        lower = continuous & (self.curves.orientation < 0)
        return read(
            self.frame,
            name="simulated",
            continuous=tuple(dict.fromkeys(metrics[continuous].tolist())),
            lower_is_better=tuple(dict.fromkeys(metrics[lower].tolist())),
        )

    @cached_property
    def truth(self) -> "pd.DataFrame":
        """The truth: one row a task; see `truth_of`.

        `task`, `drawn_from` (the model), parameters by name, `scale`, `changepoint_scale`,
        `onset_scale`, `rise`, `gain`, `emergent`, `sharp`.
        """
        import pandas as pd

        labels = {"task": self.curves.labels["task"]}
        names = np.array([model.name for model in self.models])[self.which]
        values = dict(self._truth)
        for name in ("emergent", "sharp"):
            values[name] = np.asarray(values[name]).astype(bool)
        last = ("scale", "changepoint_scale", "onset_scale", "rise", "gain", "emergent", "sharp")
        order = [*(name for name in values if name not in last), *last]
        columns = {name: values[name] for name in order}
        index = pd.Index(self.curves.name.astype(object), name="curve")
        return pd.DataFrame({**labels, "drawn_from": names, **columns}, index=index)


def to_table(curves: Curves) -> "pd.DataFrame":
    """Curves on one axis as a table of results, one row a point.

    Parameters
    ----------
    curves : Curves
    """
    import pandas as pd

    axis = curves.axes[0]
    if set(curves.axes) != {axis}:
        raise DataError("axis: expected curves on one axis to make a table of, but got several")
    curve, point = np.nonzero(curves.mask)
    at = (curve, point)
    columns: dict[str, Any] = {"task": curves.labels["task"][curve], "model": curves.model[at]}
    for name in ("metric", "setting", "shots"):
        if name in curves.labels:
            columns[name] = curves.labels[name][curve]
    if (curves.family[at] != "").any():
        columns["family"] = curves.family[at]
    if (curves.run >= 0).any():
        names = np.char.add("run ", (curves.run[at] + 1).astype(str))
        columns["run"] = np.where(curves.run[at] >= 0, names, "")
    columns |= {part.name: part.value(x[at]) for part, x in zip(axis.parts, curves.x, strict=False)}
    counts = curves.kind[curve] == "counts"
    if not counts.all():
        columns["score"] = np.where(counts, np.nan, curves.score[at])
    for name, values in (("successes", curves.response[at]), ("trials", curves.trials[at])):
        if counts.all():
            columns[name] = values.astype(np.int64)
        elif counts.any():
            columns[name] = np.where(counts, values, np.nan)
    for name in ("chance", "ceiling"):
        values = getattr(curves, name)
        if not np.isnan(values).all():
            columns[name] = values[curve]
    return pd.DataFrame(columns)
