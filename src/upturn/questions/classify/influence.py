"""Influence: which verdicts flip when one shape, one family or one model is left out?"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from upturn.arrays.types import Booleans
from upturn.checks.arguments import known
from upturn.questions.arguments import part_of
from upturn.questions.classify.left_out import left_out
from upturn.questions.classify.model_fit import model_fits
from upturn.questions.classify.result import Classification
from upturn.questions.classify.verdicts import Change, Verdicts
from upturn.sampling.batch import Progress
from upturn.tables.curves import Curves

KINDS = ("shape", "family", "model")
LONGEST = 20  # points of the curves of which single models are left out


def influence(
    classification: Classification,
    *,
    of: Sequence[str] = KINDS,
    longest: int = LONGEST,
    ci: float = 0.9,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Verdicts:
    """Leave things out one at a time, and say which verdicts flip.

    Leaving a shape (a curve model) out needs no new fit. Leaving a family or a language model out
    is answering anew as if its rows had never been in the table: the axis ends where the others
    end, and the prevalence of the classes is learned from what is left.

    Parameters
    ----------
    classification : Classification
        The answer of `upturn.classify`.
    of : sequence of str
        "shape", "family", "model".
    longest : int
        Single models are left out of curves of up to so many points; in longer ones one model of
        the table is one point of many.
    ci : float
        Probability of the intervals of the emergence scale.
    threads : int, optional
        Number of threads; all cores by default.
    progress : callable, optional
        Called with (fits done, fits in all).

    Returns
    -------
    Verdicts

    Raises
    ------
    DataError
        For a name that is none of these.

    Examples
    --------
    >>> import upturn
    >>> table = upturn.read("gpt3").where("setting=few-shot", "task=arithmetic_3da")
    >>> classification = upturn.classify(table, models=["flat", "hinge"], draws=100)
    >>> upturn.influence(classification, of=["shape"]).summary().index.tolist()
    ['arithmetic_3da']
    """
    for name in of:
        known(name, KINDS, kind="thing to leave out", where="of")
    changes = []
    if "shape" in of and len(classification.models) > 1:
        everywhere = np.arange(len(classification.curves))
        changes = [
            Change.of("shape", f"without {m.name}", classification.without(m.name), everywhere, ci)
            for m in classification.models
        ]
    jobs = [
        job for kind in of if kind != "shape" for job in _jobs(classification.curves, kind, longest)
    ]
    total = sum(len(index) for *_, index, _ in jobs) * len(classification.models)
    done = 0
    for kind, name, index, drop in jobs:
        left = left_out(classification.curves.take(index), drop)
        fits = model_fits(
            left, classification.models, classification.criteria, draws=classification.draws,
            seed=classification.seed,
            threads=threads, progress=part_of(progress, done, total), ends=False,
        )  # fmt: skip
        other = classification.put(index, fits, curves=left)
        changes.append(Change.of(kind, f"without {name}", other, index, ci))
        done += len(index) * len(classification.models)
    return Verdicts(classification, changes, ci)


def _jobs(
    curves: Curves, kind: str, longest: int
) -> Iterator[tuple[str, str, NDArray[np.intp], Booleans]]:
    """What to leave out: kind, name, the curves that have it beside others, and their points."""
    labels = curves.family if kind == "family" else curves.model
    eligible = curves.mask & (labels != "")
    if kind == "model":
        eligible &= (curves.points <= longest)[:, None]
    for name in sorted(set(labels[eligible].tolist())):
        drop = eligible & (labels == name)
        index = np.flatnonzero(drop.any(axis=1) & (curves.mask & ~drop).any(axis=1))
        if len(index):
            points = int(curves.points[index].max())
            yield kind, str(name), index, drop[index, :points]
