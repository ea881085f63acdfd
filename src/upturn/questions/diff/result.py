"""Diff: what `diff` knows and answers of every curve."""

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from upturn.arrays.types import Floats
from upturn.checks.errors import counted
from upturn.posterior.outcomes import SURE
from upturn.questions.diff.changes import CHANGES, UNDECIDED, named, probabilities
from upturn.questions.diff.side import Side
from upturn.questions.notebook import InNotebooks
from upturn.tables.curves import Curves

if TYPE_CHECKING:
    import pandas as pd


class Diff(InNotebooks):
    """What changed from one result to another, curve by curve.

    Attributes
    ----------
    before, after : Side
        The same curves in the same order.
    meta : dict
        Version, seed and arguments.
    notes : tuple of str
        What was left out, and what the two tables' readers noted.
    """

    def __init__(
        self,
        before: Side,
        after: Side,
        tolerance: Floats,
        *,
        meta: Mapping[str, Any],
        notes: tuple[str, ...] = (),
    ) -> None:
        self.before, self.after = before, after
        self.meta, self.notes = dict(meta), notes
        self._tolerance = tolerance

    def __repr__(self) -> str:
        return f"Diff({self.verdict})"

    @property
    def curves(self) -> Curves:
        """The data of the later result."""
        return self.after.curves

    @cached_property
    def _probabilities(self) -> tuple[Floats, Floats]:
        return probabilities(self.before, self.after, self._tolerance)

    @property
    def p(self) -> Floats:
        """The probability of each change, in the order of `CHANGES`: (curve, change)."""
        return self._probabilities[0]

    @cached_property
    def changes(self) -> list[str]:
        """The change of each curve that is more probable than not, or "undecided"."""
        return named(self.p)

    def summary(self, ci: float = 0.9) -> "pd.DataFrame":
        """One row a curve.

        Parameters
        ----------
        ci : float
            Probability of the equal-tailed intervals.

        Returns
        -------
        DataFrame
            Labels; `change`: "emerged", "vanished", "earlier", "later", "same", "untested" (the
            later result has no model at the scale where the ability was) or "undecided"; `p`, the
            probability of that change (of the likeliest, where undecided), and its Monte Carlo
            error `p_se`; the headline scales `before` and `after` with their intervals, in native
            units, infinite or 0 beyond the axis; the probability of each change.
        """
        import pandas as pd

        p, error = self._probabilities
        likeliest = p.argmax(axis=1)[:, None]
        columns: dict[str, Any] = dict(self.curves.labels) | {
            "change": self.changes,
            "p": np.take_along_axis(p, likeliest, axis=1)[:, 0],
            "p_se": np.take_along_axis(error, likeliest, axis=1)[:, 0],
            **self._native("before", self.before, ci),
            **self._native("after", self.after, ci),
            **{f"p_{name}": p[:, k] for k, name in enumerate(CHANGES)},
        }
        return pd.DataFrame(columns, index=self._index())

    def texts(self, ci: float = 0.9) -> "pd.DataFrame":
        """Scales as people read them: `before`, `after` and their intervals."""
        import pandas as pd

        columns: dict[str, list[str]] = {}
        for name, side in (("before", self.before), ("after", self.after)):
            low, middle, high = (
                [
                    axis.text(float(x), *side.curves.limits[:, 0, i])
                    for i, (axis, x) in enumerate(zip(side.curves.axes, row, strict=True))
                ]
                for row in side.quantiles(ci)
            )
            columns[name] = middle
            columns[f"{name}_interval"] = [
                a if a == b else f"{a} – {b}" for a, b in zip(low, high, strict=True)
            ]
        return pd.DataFrame(columns, index=self._index())

    @property
    def verdict(self) -> str:
        """One sentence: how many curves emerged, vanished, moved, and stayed the same."""
        p = self.p.max(axis=1)
        parts = []
        for name in (*CHANGES, UNDECIDED):
            chosen = np.array([change == name for change in self.changes])
            if chosen.any():
                sure = int((p[chosen] >= SURE).sum())
                said = f" ({sure} surely)" if 0 < sure < chosen.sum() else ""
                parts.append(f"{name}: {int(chosen.sum())}{said}")
        return f"{counted(len(self.curves), 'curve')} in both: {', '.join(parts)}"

    def totals(self) -> dict[str, Any]:
        """Counts over all curves."""
        counts = {name: self.changes.count(name) for name in (*CHANGES, UNDECIDED)}
        return {"curves": len(self.curves), **counts, "failed": self.failed}

    @property
    def failed(self) -> list[str]:
        """Names of the curves whose answer on either side is not reliable."""
        names = zip(self.before.curves.name.tolist(), self.curves.name.tolist(), strict=True)
        return [b for a, b in names if a in self.before.failed or b in self.after.failed]

    def _native(self, name: str, side: Side, ci: float) -> dict[str, Floats]:
        """A scale and its interval in native units."""
        x = side.quantiles(ci)
        with np.errstate(over="ignore", under="ignore"):
            by_curve = [axis.value(x[:, i]) for i, axis in enumerate(side.curves.axes)]
        low, middle, high = np.stack(by_curve, axis=1)
        return {
            name: middle,
            f"{name}_low": np.minimum(low, high),
            f"{name}_high": np.maximum(low, high),
        }

    def _index(self) -> "pd.Index[Any]":
        import pandas as pd

        return pd.Index(self.curves.name.astype(object), name="curve")
