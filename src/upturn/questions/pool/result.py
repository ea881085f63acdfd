"""Pool: tasks and families, partially pooled."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from upturn.arrays.types import Floats, Integers
from upturn.checks.arguments import interval_levels, known
from upturn.checks.errors import counted
from upturn.posterior import emergence as em
from upturn.questions.pool.hierarchy import Pooled
from upturn.sampling.nuts.sample import LARGEST_RHAT, LEAST_ESS
from upturn.tables.axis import Axis

if TYPE_CHECKING:
    import pandas as pd


LARGEST_K = 0.7


@dataclass(frozen=True)
class OnAxis:
    """The pooled posterior on one axis, on the unit axis that all tasks share.

    Attributes
    ----------
    pooled : Pooled
    scale : array (draw, curve)
        Emergence scale of each task, in a family without offset.
    cell_scale : array (draw, cell)
        Of each task in each family.
    offset : array (draw, family)
    sigma : mapping of array (draw,)
    elpd, khat : array (family,)
        Log predictive density of each family given the others.
    rhat, ess : array (curve,)
        Of the worst parameter of each task.
    family_rhat, family_ess : array (family,)
    spread_rhat, spread_ess : float
        Of the worse of the two standard deviations.
    divergences : int
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
        """The length of the axis: decades where it is logarithmic."""
        return self.ends[1] - self.ends[0]

    @property
    def worst_rhat(self) -> float:
        """R̂ of the worst of all parameters."""
        return float(max(self.rhat.max(), self.family_rhat.max(), self.spread_rhat))

    @property
    def least_ess(self) -> float:
        """Effective size of the worst of all parameters."""
        return float(min(self.ess.min(), self.family_ess.min(), self.spread_ess))

    @property
    def converged(self) -> bool:
        """Whether nothing speaks against the draws."""
        return (
            self.worst_rhat < LARGEST_RHAT and self.least_ess >= LEAST_ESS and self.divergences == 0
        )


class Pool:
    """Emergence scales of tasks and families, and how far families lie apart, by axis.

    Attributes
    ----------
    parts : tuple of OnAxis
    meta : dict
        Version, seed, arguments, the model, notes.
    """

    def __init__(self, parts: tuple[OnAxis, ...], meta: dict[str, Any]) -> None:
        self.parts, self.meta = parts, meta

    def __repr__(self) -> str:
        one = self.parts[0].pooled
        what = f"{counted(len(one.curves), 'task')}, {len(one.families)} families"
        return f"Pool({what}; axis {', '.join(part.axis.name for part in self.parts)})"

    @property
    def notes(self) -> tuple[str, ...]:
        """What was derived, rounded or dropped on the way from the table, with counts."""
        return tuple(self.meta["notes"])

    @property
    def failed(self) -> list[str]:
        """The axes on which sampling did not converge."""
        return [part.axis.name for part in self.parts if not part.converged]

    def totals(self) -> dict[str, Any]:
        """Counts, and diagnostics of the worst axis."""
        one = self.parts[0].pooled
        return {
            "tasks": len(one.curves),
            "families": len(one.families),
            "points": len(one.cell),
            "failed": self.failed,
            "rhat": max(part.worst_rhat for part in self.parts),
            "ess": min(part.least_ess for part in self.parts),
            "divergences": sum(part.divergences for part in self.parts),
        }

    def summary(self, ci: float = 0.9) -> "pd.DataFrame":
        """Emergence scale of each task in a family without offset, one row a task and axis.

        Returns
        -------
        DataFrame
            Labels, `points`, `families`, `scale`, `scale_low`, `scale_high` in native units (inf or
            0 beyond the axis), `censored`, `rhat`, `ess`, `flags`.
        """
        import pandas as pd

        frames = []
        for part in self.parts:
            curves = part.pooled.curves
            cells = np.bincount(part.pooled.cell_task, minlength=len(curves))
            labels = {name: v for name, v in curves.labels.items() if name != "axis"}
            frames.append(
                pd.DataFrame(
                    {
                        **labels,
                        "axis": part.axis.name,
                        "points": curves.points,
                        "families": cells,
                        **_native(part, part.scale, ci),
                        "rhat": part.rhat,
                        "ess": part.ess,
                        "flags": _flags(part),
                    },
                    index=pd.Index(curves.name.astype(object), name="curve"),
                )
            )
        return pd.concat(frames)

    def by_family(self, ci: float = 0.9) -> "pd.DataFrame":
        """Emergence scale of each task in each family that was measured on it.

        Returns
        -------
        DataFrame
            `task` (the curve's name), `family`, `axis`, `points`, and as in `summary`.
        """
        import pandas as pd

        frames = []
        for part in self.parts:
            one = part.pooled
            frames.append(
                pd.DataFrame(
                    {
                        "task": one.curves.name[one.cell_task],
                        "family": one.families[one.cell_family],
                        "axis": part.axis.name,
                        "points": np.bincount(one.cell),
                        **_native(part, part.cell_scale, ci),
                    }
                )
            )
        return pd.concat(frames, ignore_index=True)

    @property
    def families(self) -> "pd.DataFrame":
        """Offset of each family with its 90 % interval; see `offsets`."""
        return self.offsets()

    def offsets(self, ci: float = 0.9) -> "pd.DataFrame":
        """Offset of each family's emergence scales, one row a family and axis.

        Returns
        -------
        DataFrame
            `family`, `axis`, `models`, `points`, `offset`, `offset_low`, `offset_high` (decades of
            the axis, or its units where it is no logarithm; above 0 is later), `share` (of the
            axis), `p_later`, `elpd` (log predictive density given the other families), `khat`,
            `rhat`, `ess`.
        """
        import pandas as pd

        frames = []
        for part in self.parts:
            one = part.pooled
            low, middle, high = np.quantile(part.offset, interval_levels(ci), axis=0)
            frames.append(
                pd.DataFrame(
                    {
                        "family": one.families,
                        "axis": part.axis.name,
                        "models": _models(one),
                        "points": np.bincount(one.family, minlength=len(one.families)),
                        "offset": middle * part.width,
                        "offset_low": low * part.width,
                        "offset_high": high * part.width,
                        "share": middle,
                        "p_later": (part.offset > 0).mean(axis=0),
                        "elpd": part.elpd,
                        "khat": part.khat,
                        "rhat": part.family_rhat,
                        "ess": part.family_ess,
                    }
                )
            )
        return pd.concat(frames, ignore_index=True)

    @property
    def sigma_family(self) -> "pd.DataFrame":
        """The spread of families on each axis with its 90 % interval; see `spread`."""
        return self.spread()

    def spread(self, ci: float = 0.9) -> "pd.DataFrame":
        """Standard deviations of families' offsets, one row an axis.

        Returns
        -------
        DataFrame
            By axis: `sigma_family` with its interval in decades (or units of the axis), `share`
            with its interval as a share of the axis, `sigma_task` (of a family from task to task),
            `unit`.
        """
        import pandas as pd

        rows = []
        for part in self.parts:
            low, middle, high = np.quantile(part.sigma["sigma_family"], interval_levels(ci))
            rows.append(
                {
                    "axis": part.axis.name,
                    "sigma_family": middle * part.width,
                    "sigma_family_low": low * part.width,
                    "sigma_family_high": high * part.width,
                    "share": middle,
                    "share_low": low,
                    "share_high": high,
                    "sigma_task": float(np.median(part.sigma["sigma_task"])) * part.width,
                    "unit": _unit(part.axis),
                }
            )
        return pd.DataFrame(rows).set_index("axis")

    @property
    def axes(self) -> "pd.DataFrame":
        """Axes ranked by how well each family is predicted by the others.

        Returns
        -------
        DataFrame
            By axis, the best first: `elpd` (sum over families left out), `difference` from the best
            and its standard error over families, `sigma_family` and `unit`, `share`, `khat` (the
            worst family's) and `unsure` (families whose k̂ exceeds 0.7).
        """
        import pandas as pd

        spread = self.spread()
        best = max(self.parts, key=lambda part: part.elpd.sum())
        rows = []
        for part in sorted(self.parts, key=lambda part: -part.elpd.sum()):
            apart = part.elpd - best.elpd
            rows.append(
                {
                    "axis": part.axis.name,
                    "elpd": part.elpd.sum(),
                    "difference": apart.sum(),
                    "difference_se": np.sqrt(len(apart)) * apart.std(ddof=1),
                    "sigma_family": spread.loc[part.axis.name, "sigma_family"],
                    "unit": spread.loc[part.axis.name, "unit"],
                    "share": spread.loc[part.axis.name, "share"],
                    "khat": part.khat.max(),
                    "unsure": int((part.khat > LARGEST_K).sum()),
                }
            )
        return pd.DataFrame(rows).set_index("axis")

    def difference(self, family: str, other: str, ci: float = 0.9) -> "pd.DataFrame":
        """How much later one family gets there than another, one row an axis.

        Returns
        -------
        DataFrame
            By axis: `later`, `later_low`, `later_high` (decades or units; below 0 is earlier),
            `p_later`.

        Raises
        ------
        DataError
            For a family that is not there.
        """
        import pandas as pd

        rows = []
        for part in self.parts:
            names = part.pooled.families.tolist()
            a, b = (
                names.index(known(name, names, kind="family", where="difference"))
                for name in (family, other)
            )
            apart = part.offset[:, a] - part.offset[:, b]
            low, middle, high = np.quantile(apart, interval_levels(ci)) * part.width
            rows.append(
                {
                    "axis": part.axis.name, "later": middle, "later_low": low, "later_high": high,
                    "p_later": float((apart > 0).mean()),
                }
            )  # fmt: skip
        return pd.DataFrame(rows).set_index("axis")


def _unit(axis: Axis) -> str:
    if axis.is_log:
        return "decades"
    return "days" if axis.transform == "date" else axis.name


def _native(part: OnAxis, u: Floats, ci: float) -> dict[str, Any]:
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


def _models(pooled: Pooled) -> Integers:
    """The number of different models of each family."""
    names = pooled.curves.model[pooled.curves.mask]
    pairs = {(int(f), str(m)) for f, m in zip(pooled.family, names, strict=True)}
    return np.bincount([f for f, _ in pairs], minlength=len(pooled.families)).astype(np.int64)


def _flags(part: OnAxis) -> list[str]:
    out = []
    for i, data in enumerate(part.pooled.curves.flags):
        flags = list(data)
        if part.rhat[i] >= LARGEST_RHAT or part.ess[i] < LEAST_ESS:
            flags.append(f"not converged (R̂ {part.rhat[i]:.3f}, ESS {part.ess[i]:.0f})")
        if part.divergences:
            flags.append(counted(part.divergences, "divergence"))
        out.append("; ".join(flags))
    return out
