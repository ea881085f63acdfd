"""Robust likelihoods: each point may be broken."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from upturn.arrays import compiled, namespaces
from upturn.arrays.types import Floats
from upturn.formulas.kernels import by_group
from upturn.formulas.likelihoods.likelihood import Data, Likelihood
from upturn.formulas.parameters import UNIT, Parameter

BROKEN_RANGE = (1e-12, 1 - 1e-12)


def robust(plain: Likelihood) -> Likelihood:
    """The robust form: with probability `broken`, a score is uniform over all possible scores.

    A mixture of the likelihood and a uniform distribution (Box and Tiao 1968). All of it depends on
    the expected score, so `log_rest` is 0.
    """

    def log_uniform(xp: Any, n: Any) -> Any:
        return -xp.log(n + 1.0) if plain.counted else 0.0 * n

    def log_terms(xp: Any, mean: Any, p: Mapping[str, Any], y: Any, n: Any) -> Any:
        likely = plain.log_terms(xp, mean, p, y, n) + plain.log_rest(xp, p, y, n)
        likely = likely + xp.log1p(-_share(xp, p))
        other = log_uniform(xp, n) + xp.log(_share(xp, p))
        return xp.maximum(likely, other) + xp.log1p(xp.exp(-xp.abs(likely - other)))

    def log_rest(xp: Any, p: Mapping[str, Any], y: Any, n: Any) -> Any:
        return 0.0 * p["broken"] + 0.0 * y

    def draw(rng: np.random.Generator, mean: Floats, p: Mapping[str, Any], n: Floats) -> Floats:
        right = plain.draw(rng, mean, p, n)
        uniform = rng.uniform(size=right.shape)
        wrong = np.floor(uniform * (n + 1)) if plain.counted else uniform
        return np.where(rng.uniform(size=right.shape) < _share(np, p), wrong, right)

    def total(mean: Floats, p: Mapping[str, Any], data: Data, out: Floats) -> None:
        terms = np.zeros(mean.shape)
        alone = np.arange(mean.shape[1], dtype=np.int32)
        single = np.where(data.group >= 0, alone, np.int32(-1))
        y, n = data.y[:, :, None], data.trials[:, :, None]
        if plain.total is None:
            inside = np.clip(mean, compiled.MEAN_MARGIN, 1 - compiled.MEAN_MARGIN)
            terms += plain.log_terms(namespaces.NUMPY, inside, p, y, n)
        else:
            plain.total(mean, p, Data(data.y, data.trials, single), terms)
        terms += plain.log_rest(namespaces.NUMPY, p, y, n)
        share = _share(np, p)[:, 0]
        uniform = np.broadcast_to(log_uniform(np, data.trials), data.y.shape)
        by_group.mix_by_group(
            terms, np.log1p(-share), np.log(share), np.ascontiguousarray(uniform), data.group, out
        )

    return replace(
        plain,
        name=f"{plain.name}-robust",
        parameters={**plain.parameters, "broken": Parameter("Beta(1, 49)", UNIT)},
        log_terms=log_terms,
        log_rest=log_rest,
        draw=draw,
        total=total,
        log_uniform=log_uniform,
        constant=None,
        rest_total=None,
        fused=None,
    )


def _share(xp: Any, p: Mapping[str, Any]) -> Any:
    """The probability of a broken evaluation, kept off 0 and 1."""
    return xp.clip(p["broken"], *BROKEN_RANGE)
