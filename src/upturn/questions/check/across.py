"""Models that are off on many tasks at once, and models that are off together."""

from collections.abc import Sequence

import numpy as np

from upturn.arrays.types import Floats, Index
from upturn.posterior import shared
from upturn.questions.check.findings import Finding
from upturn.tables.curves import Curves

FEWEST_TASKS = 5
LEAST_SHIFT = 0.5  # mean residual of a model, in standard deviations, below which it is not off
LEAST_ALIKE = 0.25  # mean similarity of a group's models; a prior makes neighbours a little alike


def residuals_by_model(curves: Curves, residuals: Sequence[Floats]) -> tuple[list[str], Floats]:
    """Names of the models, and the residuals of the curves on the first axis: (task, model).

    Parameters
    ----------
    curves : Curves
    residuals : sequence of array (point,)
        One a curve. Of several scores of a model on a task, their mean.
    """
    index = [i for i, axis in enumerate(curves.axes) if axis == curves.axes[0]]
    names = np.unique(np.concatenate([curves.model[i, : curves.points[i]] for i in index]))
    total, count = np.zeros((2, len(index), len(names)))
    for row, i in enumerate(index):
        column = np.searchsorted(names, curves.model[i, : curves.points[i]])
        np.add.at(total[row], column, residuals[i])
        np.add.at(count[row], column, 1)
    mean = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return [str(name) for name in names], mean


def across(curves: Curves, residuals: Sequence[Floats], seed: int) -> list[list[Finding]]:
    """The tests over all tasks: of single models, and of groups of them."""
    names, values = residuals_by_model(curves, residuals)
    if len(values) < FEWEST_TASKS or len(names) < 2:
        return []
    return [_single(names, values, seed), _groups(names, values, seed)]


def _single(names: list[str], values: Floats, seed: int) -> list[Finding]:
    off = shared.off(values, seed=seed)
    tasks = (~np.isnan(values)).sum(axis=0)
    mean = np.nansum(values, axis=0) / np.maximum(tasks, 1)
    out = []
    for k in np.flatnonzero(np.abs(mean) >= LEAST_SHIFT):
        name = names[k]
        side = "above" if off.shift[k] > 0 else "below"
        says = f"{name} scores {side} the curves on most of its {tasks[k]} tasks"
        remedy = f"look at the evaluation of {name}, and at its scale"
        out.append(Finding(-1, "shared", name, float(off.p[k]), says, remedy))
    return out


def _groups(names: list[str], values: Floats, seed: int) -> list[Finding]:
    together = shared.together(values, seed=seed)
    out = []
    for g, p in enumerate(together.p.tolist()):
        index = np.flatnonzero(together.group == g)
        if _mean_similarity(together.similarity, index) < LEAST_ALIKE:
            continue
        members = [names[k] for k in index]
        some = ", ".join(members[:3]) + (f" and {len(members) - 3} more" if members[3:] else "")
        says = f"{some} are off on the same tasks, as a family is"
        remedy = "give them one name in a column family; --scatter family"
        out.append(Finding(-1, "shared", some, p, says, remedy))
    return out


def _mean_similarity(similarity: Floats, index: Index) -> float:
    """Of the pairs of some models."""
    pairs = similarity[np.ix_(index, index)]
    return float(pairs[np.triu_indices(len(index), 1)].mean())
