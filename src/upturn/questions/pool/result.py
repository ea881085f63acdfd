"""The answer of `pool`: emergence scales of tasks, and offsets of families."""

from typing import TYPE_CHECKING, Any

import numpy as np

from upturn.checks.arguments import interval_levels, known
from upturn.checks.errors import counted
from upturn.questions.notebook import InNotebooks
from upturn.questions.pool.on_axis import (
    OnAxis,
    flags_of,
    models_of_families,
    native_scales,
    unit_of,
)

if TYPE_CHECKING:
    import pandas as pd

LARGEST_K = 0.7


class Pool(InNotebooks):
    """Emergence scales of tasks and offsets of families, on each axis.

    Attributes
    ----------
    parts : tuple of OnAxis
        The posterior on each axis.
    meta : dict
        Versions, seed, table, arguments, the model, notes.
    """

    def __init__(self, parts: tuple[OnAxis, ...], meta: dict[str, Any]) -> None:
        self.parts, self.meta = parts, meta

    def __repr__(self) -> str:
        pooled = self.parts[0].pooled
        what = f"{counted(len(pooled.curves), 'task')}, {len(pooled.families)} families"
        return f"Pool({what}; axis {', '.join(part.axis.name for part in self.parts)})"

    @property
    def notes(self) -> tuple[str, ...]:
        """What was derived, rounded or left out when the table was read, with counts."""
        return tuple(self.meta["notes"])

    @property
    def warnings(self) -> tuple[str, ...]:
        """For each axis on which sampling did not converge: why, and what to do."""
        return tuple(
            f"{part.axis.name}: not converged ({part.trouble}); {self._remedy(part)}"
            for part in self.parts
            if part.trouble
        )

    def _remedy(self, part: OnAxis) -> str:
        """What to do about chains that did not converge."""
        single = int((models_of_families(part.pooled) == 1).sum())
        if single > len(part.pooled.families) / 2:
            return (
                f"{single} of {len(part.pooled.families)} families have one model: pool over a "
                "label with larger groups, or use more tasks"
            )
        draws = int(self.meta["arguments"].get("draws", 0))
        more = f"--draws {2 * draws}" if draws else "more draws"
        return f"use {more}, or a narrower prior, such as --prior sigma_family='HalfNormal(0.05)'"

    @property
    def failed(self) -> list[str]:
        """The axes on which sampling did not converge."""
        return [part.axis.name for part in self.parts if not part.converged]

    def totals(self) -> dict[str, Any]:
        """Counts, and diagnostics of the worst axis."""
        pooled = self.parts[0].pooled
        return {
            "tasks": len(pooled.curves),
            "families": len(pooled.families),
            "points": len(pooled.cell),
            "failed": self.failed,
            "rhat": max(part.worst_rhat for part in self.parts),
            "ess": min(part.least_ess for part in self.parts),
            "divergences": sum(part.divergences for part in self.parts),
        }

    def summary(self, ci: float = 0.9) -> "pd.DataFrame":
        """Emergence scale of each task for a family without offset: one row a task and axis.

        Parameters
        ----------
        ci : float
            Probability of the intervals.

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
                        **native_scales(part, part.scale, ci),
                        "rhat": part.rhat,
                        "ess": part.ess,
                        "flags": flags_of(part),
                    },
                    index=pd.Index(curves.name.astype(object), name="curve"),
                )
            )
        return pd.concat(frames)

    def by_family(self, ci: float = 0.9) -> "pd.DataFrame":
        """Emergence scale of each task in each family that was measured on it.

        Parameters
        ----------
        ci : float
            Probability of the intervals.

        Returns
        -------
        DataFrame
            `task` (the curve's name), `family`, `axis`, `points`, and as in `summary`.
        """
        import pandas as pd

        frames = []
        for part in self.parts:
            pooled = part.pooled
            frames.append(
                pd.DataFrame(
                    {
                        "task": pooled.curves.name[pooled.cell_task],
                        "family": pooled.families[pooled.cell_family],
                        "axis": part.axis.name,
                        "points": np.bincount(pooled.cell),
                        **native_scales(part, part.cell_scale, ci),
                    }
                )
            )
        return pd.concat(frames, ignore_index=True)

    @property
    def families(self) -> "pd.DataFrame":
        """Offset of each family with its 90 % interval; see `offsets`."""
        return self.offsets()

    def offsets(self, ci: float = 0.9) -> "pd.DataFrame":
        """Offset of each family's emergence scales: one row a family and axis.

        Parameters
        ----------
        ci : float
            Probability of the intervals.

        Returns
        -------
        DataFrame
            `family`, `axis`, `models`, `points`, `offset`, `offset_low`, `offset_high` (in decades,
            or in units of the axis if it is not logarithmic; above 0 is later), `share` (the offset
            as a share of the axis), `p_later`, `elpd` (log predictive density given the other
            families), `khat`, `rhat`, `ess`.
        """
        import pandas as pd

        frames = []
        for part in self.parts:
            pooled = part.pooled
            low, middle, high = np.quantile(part.offset, interval_levels(ci), axis=0)
            frames.append(
                pd.DataFrame(
                    {
                        "family": pooled.families,
                        "axis": part.axis.name,
                        "models": models_of_families(pooled),
                        "points": np.bincount(pooled.family, minlength=len(pooled.families)),
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
        """Standard deviation of families' offsets with its 90 % interval; see `spread`."""
        return self.spread()

    def spread(self, ci: float = 0.9) -> "pd.DataFrame":
        """Standard deviations of families' offsets: one row an axis.

        Parameters
        ----------
        ci : float
            Probability of the intervals.

        Returns
        -------
        DataFrame
            By axis: `sigma_family` with its interval in decades (or units of the axis), `share`
            (the same as a share of the axis) with its interval, `sigma_task` (how much the offset
            of a family varies from task to task), `unit`.
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
                    "unit": unit_of(part.axis),
                }
            )
        return pd.DataFrame(rows).set_index("axis")

    @property
    def axes(self) -> "pd.DataFrame":
        """Axes ranked by how well each family is predicted by the others.

        Returns
        -------
        DataFrame
            By axis, the best first: `elpd` (sum over families), `difference` from the best and its
            standard error over families, `sigma_family` and `unit`, `share`, `khat` (of the worst
            family) and `unsure` (number of families whose k̂ exceeds 0.7).
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
        """How much later the tasks emerge in one family than in another: one row an axis.

        Parameters
        ----------
        family, other : str
            Names of two families.
        ci : float
            Probability of the intervals.

        Returns
        -------
        DataFrame
            By axis: `later`, `later_low`, `later_high` (decades or units; below 0 is earlier),
            `p_later`.

        Raises
        ------
        DataError
            For an unknown family.
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
