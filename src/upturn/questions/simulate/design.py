"""Designs of simulations: the number of models, their scales, and the number of trials.

A design is `Curves` whose scores have no meaning yet; those of a table can be a design too.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from upturn.arrays.types import Floats
from upturn.checks.arguments import known, whole
from upturn.checks.errors import DataError, shown
from upturn.tables import rules
from upturn.tables.axis import Axis
from upturn.tables.curves import Curves
from upturn.tables.results import read

if TYPE_CHECKING:
    import pandas as pd

SPACINGS = ("random", "even")
KINDS = ("counts", "proportion", "continuous")
CONTINUOUS = "reward"  # the name of a metric that is read as continuous
MOST_FAMILIES = 1000

type Range = int | tuple[int, int]


@dataclass(frozen=True)
class Design:
    """A design of models and trials.

    Attributes
    ----------
    models_per_task : int or (int, int)
        A number: the same models for all tasks, as in most tables. Smallest and largest: each task
        has its own models, and their number is uniform between the two.
    trials : int or (int, int)
        Test questions of a score; between two numbers the logarithm is uniform.
    chance : float, or several
        Assigned to the tasks in turn; nan for unknown.
    families : int
        Families of models, each with an offset along the axis; 0 for none.
    axis : str or Axis
    limits : (float, float)
        The smallest and largest scale, in native units; there is a model at each.
    spacing : str
        "random": uniform along the axis between the ends; or "even".

    Raises
    ------
    DataError
        For invalid numbers.

    Examples
    --------
    >>> Design(models_per_task=8, trials=100).curves(3)
    Curves(3 curves, 24 points; axis flops)
    """

    models_per_task: Range = 12
    trials: Range = 500
    chance: float | Sequence[float] = 0.25
    families: int = 0
    axis: str | Axis = "flops"
    limits: tuple[float, float] = (1e19, 1e25)
    spacing: str = "random"

    def __post_init__(self) -> None:
        _range("models_per_task", self.models_per_task, 2, rules.MAX_POINTS)
        _range("trials", self.trials, 1, rules.MAX_COUNT)
        whole("families", self.families, 0, MOST_FAMILIES)
        known(self.spacing, SPACINGS, kind="spacing", where="spacing")
        for value in self._chances():
            if not (np.isnan(value) or 0 <= value < 1):
                raise DataError(f"chance: expected numbers in [0, 1), but got {value:g}")
        if len(self._axis.parts) > 1 or self._axis.transform == "date":
            raise DataError(f"axis: expected one of numbers, but got {shown(self._axis.name)}")
        self._ends()

    def curves(
        self, tasks: int, *, kind: str = "counts", rng: np.random.Generator | int = 0
    ) -> Curves:
        """Curves with this design.

        Parameters
        ----------
        tasks : int
        kind : str
            "counts", "proportion" or "continuous".
        rng : Generator or int
            The source, or the seed, of the random scales, trials and families.
        """
        known(kind, KINDS, kind="kind", where="kind")
        table = self.table(tasks, kind, np.random.default_rng(rng))
        return read(table, name="simulate").curves(self._axis)

    def table(self, tasks: int, kind: str, rng: np.random.Generator) -> "pd.DataFrame":
        """The design as a table of results whose scores are all the same."""
        import pandas as pd

        whole("tasks", tasks, 1, rules.MAX_ROWS)
        separate = isinstance(self.models_per_task, (tuple, list))
        least, most = _ends_of(self.models_per_task)
        rules.row_limit("simulate", tasks * most)
        points = rng.integers(least, most + 1, tasks if separate else 1)
        groups = [self._models(int(n), rng) for n in points]
        which = np.arange(tasks) if separate else np.zeros(tasks, dtype=np.intp)
        long = points[which]
        task = np.repeat(np.arange(tasks), long)
        x, model, family = (np.concatenate([groups[i][part] for i in which]) for part in range(3))
        names = {
            "task": _named("task", task, tasks),
            "model": np.char.add(
                np.char.add(_named("task", task, tasks), " ") if separate else "",
                _named("model", model, most),
            ),
        }
        if self.families:
            names["family"] = _named("family", family, self.families)
        if kind == "continuous":
            names["metric"] = np.full(len(task), CONTINUOUS)
        columns: dict[str, Any] = {**names, self._axis.name: self._axis.value(x)}
        chances = self._chances()
        if kind == "counts":
            tried = self._trials(rng, len(task))
            columns |= {"successes": np.zeros(len(task)), "trials": tried}
        else:
            columns["score"] = np.full(len(task), 0.5)
        columns["chance"] = chances[task % len(chances)]
        return pd.DataFrame(columns)

    def _models(self, count: int, rng: np.random.Generator) -> tuple[Floats, Any, Any]:
        """Coordinates, numbers and families of models, in the order of scale."""
        low, high = self._ends()
        between = np.linspace(0, 1, count)
        if self.spacing == "random":
            between[1:-1] = np.sort(rng.uniform(size=count - 2))
        family = rng.permutation(np.arange(count) % max(self.families, 1))
        return low + between * (high - low), np.arange(count), family

    def _trials(self, rng: np.random.Generator, rows: int) -> Floats:
        least, most = _ends_of(self.trials)
        drawn = np.floor(np.exp(rng.uniform(np.log(least), np.log(most + 1.0), rows)))
        return np.clip(drawn, least, most)

    @property
    def _axis(self) -> Axis:
        return Axis.parse(self.axis)

    def _ends(self) -> Floats:
        """The coordinates of the limits, in order."""
        native = np.asarray(self.limits, dtype=np.float64)
        least = 0.0 if self._axis.is_log else -np.inf
        if native.shape != (2,) or not (np.isfinite(native).all() and (native > least).all()):
            above = " above 0" if self._axis.is_log else ""
            raise DataError(f"limits: expected two numbers{above}, but got {shown(self.limits)}")
        ends = np.sort(self._axis.coordinate(native))
        if not ends[1] > ends[0]:
            raise DataError(f"limits: expected two different scales, but got {shown(self.limits)}")
        return ends

    def _chances(self) -> Floats:
        chances = np.atleast_1d(np.asarray(self.chance, dtype=np.float64))
        if not len(chances):
            raise DataError("chance: expected at least one number, but got none")
        return chances


def numbered(curves: Curves, count: int) -> Curves:
    """A number of curves, from the given ones in turn, each as a separate task.

    Parameters
    ----------
    curves : Curves
    count : int

    Returns
    -------
    Curves
        A task has the name of its curve, with a number if curves are used more than once.
    """
    index = np.arange(count) % len(curves)
    chosen = curves.take(index)
    rounds = np.arange(count) // len(curves)
    again = np.char.add(np.char.add(chosen.name, " #"), (rounds + 1).astype(str))
    names = chosen.name if count <= len(curves) else again
    labels = {"task": names} | {
        name: values for name, values in chosen.labels.items() if name in ("metric", "axis")
    }
    return replace(chosen, name=names, labels=labels, flags=((),) * count, notes=())


def _named(what: str, number: Any, count: int) -> Any:
    """Numbered names with leading zeros, so that they sort by number."""
    digits = len(str(count))
    return np.char.add(f"{what} ", np.char.zfill((np.asarray(number) + 1).astype(str), digits))


def _ends_of(given: Range) -> tuple[int, int]:
    least, most = given if isinstance(given, (tuple, list)) else (given, given)
    return int(least), int(most)


def _range(name: str, given: Any, least: int, most: int) -> None:
    """Refuse anything but a number, or two in ascending order."""
    ends = list(given) if isinstance(given, (tuple, list)) else [given, given]
    for end in ends:
        whole(name, end, least, most)
    if len(ends) != 2 or ends[0] > ends[1]:
        raise DataError(f"{name}: expected a number, or least and most, but got {shown(given)}")
