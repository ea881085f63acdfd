"""Contrasted: what `contrast` knows and answers of every task."""

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from upturn.arrays.types import Booleans, Floats
from upturn.checks.arguments import interval_levels
from upturn.checks.errors import counted
from upturn.posterior import prevalence as prevalences
from upturn.posterior.averaging import DOUBTFUL
from upturn.posterior.prevalence import Prevalence
from upturn.posterior.scoring import quantiles
from upturn.questions.contrast.average import average_of
from upturn.questions.contrast.gains import KINDS
from upturn.questions.contrast.task import Joint, Task, crossings, share_of, task_of
from upturn.sampling.particles.weights import normalised
from upturn.tables.curves import Curves

if TYPE_CHECKING:
    import pandas as pd

MOVED = 0.05  # a probability that they could change by so much is in doubt


class Contrast:
    """The gain of a technique over its baseline on every task.

    Attributes
    ----------
    curves : Curves
        Both settings' points of each task; see `upturn.questions.contrast.pairing.paired`.
    joints : tuple of tuple of Joint
        The joint models of each task.
    meta : dict
    """

    def __init__(
        self,
        curves: Curves,
        joints: tuple[tuple[Joint, ...], ...],
        *,
        pool: bool,
        seed: int,
        meta: Mapping[str, Any],
    ) -> None:
        self.curves, self.joints, self.meta = curves, joints, dict(meta)
        self._pool, self._seed = pool, seed

    def __repr__(self) -> str:
        return f"Contrast({self.setting}, {counted(len(self.curves), 'task')})"

    @property
    def setting(self) -> str:
        """Technique:baseline."""
        return str(self.meta["arguments"]["setting"])

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out on the way from the table, with counts."""
        return self.curves.notes

    # --- probabilities ----------------------------------------------------------------------------

    @cached_property
    def prevalence(self) -> Prevalence:
        """Shares of the kinds of gain over the tasks, learned or equal, and each task's kind."""
        evidence = np.full((len(self.curves), len(KINDS)), -np.inf)
        for i, joints in enumerate(self.joints):
            for joint in joints:
                k = KINDS.index(joint.model.gain.kind)
                value = joint.log_evidence + joint.log_prior + np.log(len(KINDS))
                evidence[i, k] = np.logaddexp(evidence[i, k], value)
        if self._pool:
            return prevalences.learned(evidence, self._seed)
        return prevalences.equal(evidence)

    def weights(self, i: int) -> Floats:
        """Probability of each joint model of a task."""
        joints = self.joints[i]
        kind = np.array([KINDS.index(joint.model.gain.kind) for joint in joints])
        evidence = np.array([joint.log_evidence + joint.log_prior for joint in joints])
        out = np.zeros(len(joints))
        for k in set(kind.tolist()):
            inside = normalised(evidence[kind == k])
            out[kind == k] = inside * self.prevalence.probability[i, k]
        return out / out.sum()

    @cached_property
    def tasks(self) -> tuple[Task, ...]:
        """What is said of each task."""
        ceilings = np.nan_to_num(self.curves.ceiling, nan=1.0).tolist()
        return tuple(
            task_of(joints, self.weights(i), ceilings[i]) for i, joints in enumerate(self.joints)
        )

    def _native(self, i: int, u: Floats) -> Floats:
        """U of a task in native units; 0 or inf (in the order of the axis) beyond its ends."""
        low, high = self.curves.limits[:, 0, i]
        with np.errstate(over="ignore", invalid="ignore"):
            return self.curves.axes[i].value(low + u * (high - low))

    # --- answers ----------------------------------------------------------------------------------

    def summary(self, ci: float = 0.9) -> "pd.DataFrame":
        """One row a task.

        Returns
        -------
        DataFrame
            Labels; `models` in both settings; `p_growing`, the probability that the gain grows with
            scale, and `p_fading`; `gain_change`, where it begins to grow, and `break_even`, from
            where on the technique helps, in native units with intervals, `…_censored` where the
            median is beyond an end of the axis (0 or inf); `p_helps` at the largest scale and
            `p_hurts` at the smallest; `gain_smallest` and `gain_largest`, what the technique adds
            to the expected score there, with intervals; `crossings`, every one in words; `flags`.
        """
        import pandas as pd

        levels = interval_levels(ci)
        rows = []
        for i, task in enumerate(self.tasks):
            kinds = self.prevalence.probability[i]
            row: dict[str, Any] = {"models": int(self.curves.points[i]) // 2}
            row |= {"p_growing": kinds[KINDS.index("growing")],
                    "p_fading": kinds[KINDS.index("fading")]}  # fmt: skip
            for name, at in (("gain_change", task.change), ("break_even", task.helps)):
                q = quantiles(at[None], task.weight, levels)[:, 0]
                native = self._native(i, q)
                row |= {
                    name: native[1], f"{name}_low": native[[0, 2]].min(),
                    f"{name}_high": native[[0, 2]].max(), f"{name}_censored": bool(np.isinf(q[1])),
                }  # fmt: skip
            row |= {"p_helps": share_of(task.gain[-1] > 0, task.weight),
                    "p_hurts": share_of(task.gain[0] < 0, task.weight)}  # fmt: skip
            for name, place in (("gain_smallest", 0), ("gain_largest", -1)):
                low, middle, high = quantiles(task.gain[[place]], task.weight, levels)[:, 0]
                row |= {name: middle, f"{name}_low": low, f"{name}_high": high}
            row |= {"crossings": self._crossings_text(i), "flags": "; ".join(self.flags[i])}
            rows.append(row)
        labels = pd.DataFrame(dict(self.curves.labels))
        frame = pd.concat([labels, pd.DataFrame(rows)], axis=1)
        frame.index = pd.Index(self.curves.name.astype(object), name="curve")
        return frame

    def texts(self, ci: float = 0.9) -> "pd.DataFrame":
        """Scales as people read them: `gain_change`, `break_even` and their intervals."""
        import pandas as pd

        levels, intervals = interval_levels(ci), []
        for i, task in enumerate(self.tasks):
            ends = self.curves.limits[:, 0, i]
            row: dict[str, str] = {}
            for name, at in (("gain_change", task.change), ("break_even", task.helps)):
                q = quantiles(at[None], task.weight, levels)[:, 0]
                x = ends[0] + q * (ends[1] - ends[0])
                low, middle, high = (self.curves.axes[i].text(float(v), *ends) for v in x)
                row |= {name: middle, f"{name}_interval": low if low == high else f"{low} – {high}"}
            intervals.append(row)
        return pd.DataFrame(
            intervals, index=pd.Index(self.curves.name.astype(object), name="curve")
        )

    def crossings(self, ci: float = 0.9) -> "pd.DataFrame":
        """Every crossing of the two curves: one row a task and crossing.

        Returns
        -------
        DataFrame
            `curve`; `crossing`: "starts to help", "stops helping", and the same "again"; `p`, the
            probability that there is such a crossing within the axis; `scale`, `scale_low`,
            `scale_high`, given that there is, in native units. Those below 1 % are left out.
        """
        import pandas as pd

        levels, rows = interval_levels(ci), []
        for i, task in enumerate(self.tasks):
            for name, at in task.crossings:
                there = np.isfinite(at)
                p = share_of(there, task.weight)
                if p >= DOUBTFUL:
                    q = quantiles(at[None, there], task.weight[there] / p, levels)[:, 0]
                    low, middle, high = self._native(i, q)
                    rows.append(
                        {"curve": str(self.curves.name[i]), "crossing": name, "p": p,
                         "scale": middle, "scale_low": min(low, high),
                         "scale_high": max(low, high)}
                    )  # fmt: skip
        columns = ["curve", "crossing", "p", "scale", "scale_low", "scale_high"]
        return pd.DataFrame(rows, columns=columns)

    def _crossings_text(self, i: int) -> str:
        """The crossings that are more probable than not, in words."""
        task, axis, words = self.tasks[i], self.curves.axes[i], []
        for name, at in task.crossings:
            there = np.isfinite(at)
            p = share_of(there, task.weight)
            if p >= 0.5:
                middle = quantiles(at[None, there], task.weight[there] / p, np.array([0.5]))[0]
                words.append(f"{name} at {axis.format(float(self._native(i, middle)[0]))}")
        return "; ".join(words)

    @cached_property
    def _average_draws(self) -> tuple[Floats, Floats]:
        return average_of(self.curves, self.joints, self.tasks, self._seed)

    def average(self, ci: float = 0.9) -> "pd.DataFrame":
        """The gain averaged over all tasks, in score: one row.

        Intervals and probabilities know that tasks share their models; see
        `upturn.questions.contrast.average.average_of`.

        Returns
        -------
        DataFrame
            `tasks`; `break_even`, from where on the average is above 0, with its interval and
            `censored`; `p_helps` at the largest scale, `p_hurts` at the smallest; the average gain
            at both, with intervals; the shares of the kinds of gain among the tasks.
        """
        import pandas as pd

        x, gain = self._average_draws
        levels, axis = interval_levels(ci), self.curves.axes[0]
        even = np.full(gain.shape[1], 1 / gain.shape[1])
        at = np.where(gain[0] > 0, -np.inf, crossings(gain, x, up=True))
        q = quantiles(at[None], even, levels)[:, 0]
        with np.errstate(over="ignore"):
            native = axis.value(q)
        row: dict[str, Any] = {
            "tasks": len(self.curves), "break_even": native[1],
            "break_even_low": native[[0, 2]].min(), "break_even_high": native[[0, 2]].max(),
            "break_even_censored": bool(np.isinf(q[1])),
            "p_helps": float((gain[-1] > 0).mean()), "p_hurts": float((gain[0] < 0).mean()),
        }  # fmt: skip
        for name, place in (("gain_smallest", 0), ("gain_largest", -1)):
            low, middle, high = quantiles(gain[[place]], even, levels)[:, 0]
            row |= {name: middle, f"{name}_low": low, f"{name}_high": high}
        share = self.prevalence.probability.mean(axis=0)
        row |= {f"share_{kind}": s for kind, s in zip(KINDS, share.tolist(), strict=True)}
        return pd.DataFrame([row])

    @property
    def failed(self) -> list[str]:
        """Names of the tasks of which models that did not converge could change the answer."""
        return self.curves.name[self._doubtful].tolist()

    @cached_property
    def _doubt(self) -> Floats:
        """Probability of the joint models that did not converge: (task,)."""
        return np.array([
            float(self.weights(i)[[not joint.converged for joint in joints]].sum())
            for i, joints in enumerate(self.joints)
        ])  # fmt: skip

    @cached_property
    def _doubtful(self) -> Booleans:
        """Whether models that did not converge could change what is said of a task: (task,)."""
        return np.array([self._could_move(i) for i in range(len(self.curves))], dtype=np.bool_)

    def _could_move(self, i: int) -> bool:
        """Whether the answer would be another without them, or if they were e times as probable."""
        if self._doubt[i] < DOUBTFUL:
            return False
        task, joints = self.tasks[i], self.joints[i]
        broken = np.array([not joint.converged for joint in joints])[task.joint]
        growing = np.array([joint.model.gain.kind == "growing" for joint in joints])[task.joint]
        holds = np.stack([growing, task.gain[-1] > 0, task.gain[0] < 0])
        scales = np.stack([task.change, task.helps])
        low, _, high = quantiles(scales, task.weight, interval_levels(0.9))
        for factor in (0.0, np.e):
            weight = np.where(broken, factor, 1.0) * task.weight
            if not weight.sum():
                return True
            weight = weight / weight.sum()
            middle = quantiles(scales, weight, np.array([0.5]))[0]
            moved = np.abs(holds @ weight - holds @ task.weight).max() >= MOVED
            if moved or (middle < low).any() or (middle > high).any():
                return True
        return False

    @property
    def flags(self) -> list[list[str]]:
        """What the baseline's points and the sampler say of each task."""
        out = [list(flags) for flags in self.curves.flags]
        for i in np.flatnonzero(self._doubtful).tolist():
            out[i].append(f"not converged ({self._doubt[i]:.2f})")
        return out

    @property
    def verdict(self) -> str:
        """In one sentence: on how many tasks it helps, and from where on."""
        table = self.summary()
        technique, baseline = self.setting.split(":")
        helps = int((table["p_helps"] > 0.95).sum())
        hurts = int((table["p_hurts"] > 0.95).sum())
        grows = int((table["p_growing"] > 0.5).sum())
        scale = self.texts()["break_even"].iloc[0]
        known = len(table) == 1 and not table["break_even_censored"].iloc[0]
        where = f", from {scale} on" if known else ""
        return (
            f"{technique} helps at the largest scale on {helps} of "
            f"{counted(len(table), 'task')} (p > 0.95){where}, hurts at the smallest on {hurts}; "
            f"its gain over {baseline} more probably grows with scale than not on {grows}"
        )

    def totals(self) -> dict[str, Any]:
        """Counts over all tasks."""
        return {
            "tasks": len(self.curves),
            "models": int(self.curves.points.sum()) // 2,
            "failed": self.failed,
        }
