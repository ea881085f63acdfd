"""What the comparisons share: arguments, the columns of scores, what was asked for."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from upturn.arrays.types import Booleans, Floats, Integers
from upturn.checks.errors import DataError, listed
from upturn.model import Model
from upturn.questions.arguments import made_by, origin_of
from upturn.questions.compare.differences import difference_error, stacking_weights
from upturn.questions.compare.leave_one_out import Scores
from upturn.sampling.batch import Sample
from upturn.sampling.particles.weights import LARGEST_K
from upturn.tables.axis import Axis
from upturn.tables.curves import Curves
from upturn.tables.results import Results


def named(axes: Sequence[Axis]) -> tuple[str, ...]:
    """The names of axes."""
    return tuple(axis.name for axis in axes)


def one_axis(curves: Curves, what: str) -> None:
    """Refuse to compare models, or what else, on several axes at once."""
    if len(set(curves.axes)) > 1:
        names = listed(dict.fromkeys(named(curves.axes)))
        raise DataError(f"axis: expected one axis, but got {names}; compare {what} on each alone")


def failures(curves: Curves, models: Sequence[Model], samples: Sequence[Sample]) -> list[str]:
    """Curves, with the model, whose sampling did not converge."""
    return [
        f"{name} ({model.name})"
        for model, sample in zip(models, samples, strict=True)
        for name in curves.name[~sample.population.converged].tolist()
    ]


def loo_columns(
    scores: Sequence[Scores],
    elpd: Floats,
    *,
    code: Integers,
    best: int,
    mask: Booleans,
    families: Sequence[str] = (),
) -> dict[str, Floats]:
    """The columns of scores that every comparison has: each (candidate,).

    Parameters
    ----------
    scores : sequence of Scores
        Of each candidate.
    elpd : array (candidate, obs)
    code : array (obs,)
        Clusters.
    best : int
        The candidate that differences are to.
    mask : array (curve, point)
    families : sequence of str
        Those left out one by one.
    """
    evidence = np.array([s.log_evidence.sum() for s in scores])
    errors = np.array([np.sqrt((s.log_evidence_se**2).sum()) for s in scores])
    count = len(scores)
    apart = np.where(np.arange(count) == best, 0.0, np.hypot(errors, errors[best]))
    columns = {
        "log_evidence": evidence,
        "log_evidence_se": errors,
        "log_evidence_diff": evidence - evidence[best],
        "log_evidence_diff_se": apart,
        **_sums("elpd", elpd, code, best, [s.elpd_error for s in scores]),
    }
    if families:
        left_out = np.stack([s.families.sum(axis=1) for s in scores])
        columns |= _sums("lofo", left_out, np.arange(len(families)), best, [np.empty(0)] * count)
    columns["weight"] = stacking_weights(elpd)
    columns["high_k"] = np.array(
        [float((s.khat[mask] > LARGEST_K).mean()) if mask.any() else 0.0 for s in scores]
    )
    return columns


def _sums(
    name: str, values: Floats, code: Integers, best: int, by_chance: Sequence[Floats]
) -> dict[str, Floats]:
    """Sums over points, differences to the best, and errors: by_chance are those of the sampler."""
    gaps = values - values[best]
    with_best = [np.append(contributions, by_chance[best]) for contributions in by_chance]
    with_best[best] = np.empty(0)  # which differs from itself by nothing

    def errors(rows: Floats, chance: Sequence[Floats]) -> Floats:
        pairs = zip(rows, chance, strict=True)
        return np.array([difference_error(row, code, differences) for row, differences in pairs])

    return {
        name: values.sum(axis=1),
        f"{name}_se": errors(values, by_chance),
        f"{name}_diff": gaps.sum(axis=1),
        f"{name}_diff_se": errors(gaps, with_best),
    }


def meta_of(
    table: Results | Curves, *, metric: str | Sequence[str] | None, seed: int, **arguments: Any
) -> dict[str, Any]:
    """Version, seed and arguments, without the folders of this machine."""
    return {
        **made_by(seed),
        "arguments": {**origin_of(table, metric), **arguments},
    }
