"""Families that were not named: models that are ahead of their scale on the same tasks.

Models of a family are ahead of or behind their scale together, so that their scores are no
independent evidence. Where many tasks share their models, this shows: how far ahead of the averaged
curve each score stands, tasks being weighed by how steep their curves are at the model.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from upturn.arrays.types import Floats
from upturn.checks.errors import DataError, counted
from upturn.formulas.scaling import proportions
from upturn.posterior.shared import partition, together
from upturn.tables.flags import family_notes

if TYPE_CHECKING:
    import pandas as pd

    from upturn.questions.classify.averaged import Averaged

OFFSET = 0.05  # of the axis: by how much a family may well be ahead
FEWEST_TASKS = 10  # that share models: from fewer nothing is concluded
FEWEST_MODELS, MOST_MODELS = 5, 300  # the latter since pairs are compared 200 times
FLIPS = 199
FEWEST_GROUPS, MODELS_A_GROUP = 3, 4


@dataclass(frozen=True)
class Families:
    """Models that are ahead of or behind their scale together, in groups.

    All models are in some group, since intervals that allow for families are right where there are
    none too; `p` says whether the scores show any.

    Attributes
    ----------
    groups : tuple of tuple of str
        The names of the models; none where too few tasks share them.
    p : float
        Probability that the closest models would be so close by chance.
    tasks : int
        On which they were compared.
    """

    groups: tuple[tuple[str, ...], ...]
    p: float
    tasks: int

    def table(self) -> "pd.DataFrame":
        """`model` and `family`, as `--facts` takes them.

        Raises
        ------
        DataError
            Where too few tasks share their models.
        """
        import pandas as pd

        if not self.groups:
            raise DataError(
                f"families: expected at least {FEWEST_TASKS} tasks that share {FEWEST_MODELS} to "
                f"{MOST_MODELS} models, but got {counted(self.tasks, 'task')}; a column family "
                "names families"
            )
        rows = [(m, f"group {i + 1}") for i, group in enumerate(self.groups) for m in group]
        return pd.DataFrame(rows, columns=["model", "family"])

    @property
    def note(self) -> str:
        """Which models look like families, and what to do; "" where too few tasks share them."""
        if not self.groups:
            return ""
        groups = "; ".join(", ".join(group) for group in self.groups if len(group) > 1)
        return (
            f"on {self.tasks} tasks these models are ahead of or behind their scale together, as "
            f"families are (p = {self.p:.2g}): {groups}; --families FILE.csv writes that down, and "
            "with --facts FILE.csv intervals allow for it"
        )


def families(averaged: "Averaged") -> Families:
    """Which models of a table look like families, by what `classify` makes of its tasks.

    One curve of each task counts, on the first axis, since two metrics of one task share the noise.

    Parameters
    ----------
    averaged : Averaged

    Returns
    -------
    Families

    Examples
    --------
    >>> import upturn
    >>> few_shot = upturn.read("gpt3").where("setting=few-shot", "task=arithmetic_3da")
    >>> found = upturn.classify(few_shot, models=["flat", "logistic"], draws=100)
    >>> families(found).groups
    ()
    """
    curves, ahead = averaged.curves, averaged.ahead
    models = list(dict.fromkeys(curves.model[curves.mask].tolist()))
    chosen = _of_each_task(averaged)
    if len(chosen) < FEWEST_TASKS or not FEWEST_MODELS <= len(models) <= MOST_MODELS:
        return Families((), 1.0, len(chosen))
    place = {name: k for k, name in enumerate(models)}
    table = np.full((len(chosen), len(models)), np.nan)
    for row, i in enumerate(chosen):
        for k in np.flatnonzero(curves.mask[i]):
            table[row, place[curves.model[i, k]]] = ahead[i, k]
    alike = together(table, seed=averaged.seed, flips=FLIPS)
    label = partition(alike.similarity, max(FEWEST_GROUPS, len(models) // MODELS_A_GROUP))
    groups = [tuple(models[m] for m in np.flatnonzero(label == g)) for g in range(max(label) + 1)]
    return Families(tuple(groups), alike.p_any, len(chosen))


def _of_each_task(averaged: "Averaged") -> list[int]:
    """One curve of each task, on the first axis."""
    first: dict[str, int] = {}
    for i, (task, axis) in enumerate(
        zip(averaged.curves.labels["task"].tolist(), averaged.curves.axes, strict=True)
    ):
        if axis.name == averaged.curves.axes[0].name:
            first.setdefault(task, i)
    return list(first.values())


def unnamed_families(averaged: "Averaged") -> tuple[str, ...]:
    """The note where no families are named, and which models look like one."""
    notes = family_notes(averaged.curves)
    look_alikes = families(averaged).note if notes else ""
    return (*notes, look_alikes) if look_alikes else notes


def how_far_ahead(averaged: "Averaged", mean: Floats, slope: Floats) -> Floats:
    """How far each score is ahead of its scale, shrunk and in standard deviations: (curve, point).

    The residual in standard deviations, times how many of them an offset of a twentieth of the axis
    is worth where the model stands, as in the posterior mean of such an offset. What scatters more
    than the trials allow is noise of each model alone.

    Parameters
    ----------
    averaged : Averaged
    mean, slope : array (curve, point)
        Of the averaged curve, oriented, by score and by score a unit of the axis.

    Returns
    -------
    array (curve, point)
        nan in padding, and where all residuals are 0.
    """
    curves = averaged.curves
    residual = np.where(curves.mask, proportions(curves) - mean, 0.0)
    share = np.clip(mean, 0, 1)
    noise = np.where(curves.trials > 0, share * (1 - share) / np.maximum(curves.trials, 1), 0.0)
    points = np.maximum(curves.points, 1)
    extra = np.maximum((residual**2 - np.where(curves.mask, noise, 0)).sum(axis=1) / points, 0)
    sd = np.sqrt(noise + extra[:, None])
    known = curves.mask & (sd > 0)
    sd = np.where(known, sd, 1.0)
    worth = slope * OFFSET / sd
    return np.where(known, residual / sd * worth / (1 + worth**2), np.nan)
