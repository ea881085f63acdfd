"""The pooled posterior on one axis: draws, diagnostics, and scales in native units."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from upturn.arrays.types import Floats, Integers
from upturn.checks.arguments import interval_levels
from upturn.checks.errors import counted
from upturn.posterior import emergence as em
from upturn.questions.pool.hierarchy import Pooled
from upturn.sampling.nuts.sample import LARGEST_RHAT, LEAST_ESS
from upturn.tables.axis import Axis


@dataclass(frozen=True)
class OnAxis:
    """The pooled posterior on one axis, on the unit axis that all tasks share.

    Attributes
    ----------
    pooled : Pooled
        The tasks and families.
    scale : array (draw, curve)
        Emergence scale of each task, for a family without offset.
    cell_scale : array (draw, cell)
        Emergence scale of each task in each family.
    offset : array (draw, family)
        Offset of each family.
    sigma : mapping of array (draw,)
        Standard deviations of offsets: `sigma_family` and `sigma_task`.
    elpd, khat : array (family,)
        Log predictive density of each family given the others, and the k̂ of its weights.
    rhat, ess : array (curve,)
        R̂ and effective sample size of the worst parameter of each task.
    family_rhat, family_ess : array (family,)
        The same of each family's offset.
    spread_rhat, spread_ess : float
        The same of the worse of the two standard deviations.
    divergences : int
        Divergent transitions of NUTS.
    """

    pooled: Pooled
    scale: Floats
    cell_scale: Floats
    offset: Floats
    sigma: Mapping[str, Floats]
    elpd: Floats
    khat: Floats
    rhat: Floats
    ess: Floats
    family_rhat: Floats
    family_ess: Floats
    spread_rhat: float
    spread_ess: float
    divergences: int

    @property
    def axis(self) -> Axis:
        """The axis."""
        return self.pooled.curves.axes[0]

    @property
    def ends(self) -> tuple[float, float]:
        """The coordinates of u = 0 and u = 1."""
        low, high = self.pooled.curves.limits[:, 0, 0]
        return float(low), float(high)

    @property
    def width(self) -> float:
        """The length of the axis, in decades if it is logarithmic."""
        return self.ends[1] - self.ends[0]

    @property
    def worst_rhat(self) -> float:
        """The largest R̂ of all parameters."""
        return float(max(self.rhat.max(), self.family_rhat.max(), self.spread_rhat))

    @property
    def least_ess(self) -> float:
        """The smallest effective sample size of all parameters."""
        return float(min(self.ess.min(), self.family_ess.min(), self.spread_ess))

    @property
    def converged(self) -> bool:
        """Whether R̂, effective sample sizes and divergences are all in order."""
        return not self.trouble

    @property
    def trouble(self) -> str:
        """What is wrong with the draws, in words; empty if they converged."""
        problems = []
        if not self.worst_rhat < LARGEST_RHAT:
            problems.append(f"R̂ {self.worst_rhat:.3f}, not below {LARGEST_RHAT:g}")
        if not self.least_ess >= LEAST_ESS:
            problems.append(f"{self.least_ess:.0f} effective draws, fewer than {LEAST_ESS}")
        if self.divergences:
            problems.append(counted(self.divergences, "divergence"))
        return "; ".join(problems)


def unit_of(axis: Axis) -> str:
    """The unit of distances along an axis."""
    if axis.is_log:
        return "decades"
    return "days" if axis.transform == "date" else axis.name


def native_scales(part: OnAxis, u: Floats, ci: float) -> dict[str, Any]:
    """Median and interval of scales u (draw, any) in native units; inf or 0 beyond the axis."""
    inside = np.where(u > 1, np.inf, np.where(u < 0, -np.inf, u))
    levels = em.quantiles(inside.T, np.ones(u.shape[1]), interval_levels(ci))
    low, high = part.ends
    with np.errstate(over="ignore", under="ignore"):
        scale = part.axis.value(low + levels * (high - low))
    return {
        "scale": scale[1],
        "scale_low": np.minimum(scale[0], scale[2]),
        "scale_high": np.maximum(scale[0], scale[2]),
        "censored": np.isinf(levels[1]),
    }


def models_of_families(pooled: Pooled) -> Integers:
    """The number of different models of each family."""
    names = pooled.curves.model[pooled.curves.mask]
    pairs = {(int(f), str(m)) for f, m in zip(pooled.family, names, strict=True)}
    return np.bincount([f for f, _ in pairs], minlength=len(pooled.families)).astype(np.int64)


def flags_of(part: OnAxis) -> list[str]:
    """What a reader should know about each task, as one text a task."""
    out = []
    for i, data in enumerate(part.pooled.curves.flags):
        flags = list(data)
        if part.rhat[i] >= LARGEST_RHAT or part.ess[i] < LEAST_ESS:
            flags.append(f"not converged (R̂ {part.rhat[i]:.3f}, ESS {part.ess[i]:.0f})")
        if part.divergences:
            flags.append(counted(part.divergences, "divergence"))
        out.append("; ".join(flags))
    return out
