"""Verdicts: which answers of a classification change when something else does.

A verdict is a yes or no that a reader would quote: emergent, sharp, the likeliest class, the scale.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from upturn.arrays.types import Booleans, Floats
from upturn.checks.errors import counted
from upturn.questions.classify.result import Classification

if TYPE_CHECKING:
    import pandas as pd

ERRORS = 2.0  # Monte Carlo standard errors that a probability must have moved by


@dataclass(frozen=True)
class Answers:
    """What a classification says of some curves.

    Attributes
    ----------
    p_emergent, p_sharp : array (2, curve)
        Probability, and its Monte Carlo error.
    x : array (3, curve)
        Emergence scale on the axis: ends of the interval about the median.
    p_class : array (2, curve, class)
    """

    p_emergent: Floats
    p_sharp: Floats
    x: Floats
    p_class: Floats

    @classmethod
    def of(cls, classification: Classification, index: Any, ci: float) -> "Answers":
        """Of the curves that an index selects."""
        return cls(
            np.stack(classification.probability("emergent"))[:, index],
            np.stack(classification.probability("sharp"))[:, index],
            classification.scale_x(ci)[:, index],
            np.stack([classification.p_class, classification.p_class_se])[:, index],
        )


@dataclass(frozen=True)
class Change:
    """One thing that was otherwise, and what is then said of the curves it is about.

    Attributes
    ----------
    kind : str
        Such as "prior" or "family".
    name : str
        For people: "overdispersion × 2", "without hinge".
    index : array (changed curve,)
    answers : Answers
        Of these curves.
    classes : tuple of str
        That `answers.p_class` is of.
    """

    kind: str
    name: str
    index: NDArray[np.intp]
    answers: Answers
    classes: tuple[str, ...]

    @classmethod
    def of(
        cls,
        kind: str,
        name: str,
        classification: Classification,
        index: NDArray[np.intp],
        ci: float,
    ) -> "Change":
        return cls(kind, name, index, Answers.of(classification, index, ci), classification.classes)


class Verdicts:
    """The verdicts of a classification, and which of them flip under what changes.

    "Emergent" and "sharp" flip where the probability crosses one half, "class" where another class
    becomes the likeliest; both only where it moves by more than twice its Monte Carlo error.
    "Scale" flips where the median leaves the interval it had, on the axis before and after.

    Attributes
    ----------
    found : Classification
    changes : tuple of Change
    """

    def __init__(
        self, classification: Classification, changes: Sequence[Change], ci: float = 0.9
    ) -> None:
        self.classification, self.changes, self.ci = classification, tuple(changes), ci

    @cached_property
    def _before(self) -> Answers:
        return Answers.of(self.classification, slice(None), self.ci)

    def table(self) -> "pd.DataFrame":
        """One row a curve and change.

        Returns
        -------
        DataFrame
            `curve`, `kind`, `change`, `p_emergent`, `p_sharp`, `scale` with its interval
            in native units, `likeliest` class, and `flips`: which verdicts do, joined by "; ".
        """
        import pandas as pd

        parts = []
        for change in self.changes:
            after, curves = change.answers, self.classification.curves.take(change.index)
            native = np.empty_like(after.x)
            with np.errstate(over="ignore", under="ignore"):
                for i, axis in enumerate(curves.axes):
                    native[:, i] = axis.value(after.x[:, i])
            parts.append(pd.DataFrame({
                "curve": self.classification.curves.name[change.index].astype(object),
                "kind": change.kind,
                "change": change.name,
                "p_emergent": after.p_emergent[0],
                "p_sharp": after.p_sharp[0],
                "scale": native[1],
                "scale_low": np.minimum(native[0], native[2]),
                "scale_high": np.maximum(native[0], native[2]),
                "likeliest": np.array(change.classes, dtype=object)[after.p_class[0].argmax(1)],
                "flips": ["; ".join(said) for said in self._flips(change)],
            }))  # fmt: skip
        columns = [
            "curve", "kind", "change", "p_emergent", "p_sharp", "scale",
            "scale_low", "scale_high", "likeliest", "flips",
        ]  # fmt: skip
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)

    def summary(self) -> "pd.DataFrame":
        """One row a curve.

        Returns
        -------
        DataFrame
            `p_emergent` and `p_sharp`, each with the lowest and the highest over all changes,
            `changes`, how many there were, and `flips`, which verdicts flip under which.
        """
        import pandas as pd

        count = len(self.classification.curves)
        ranges = {"p_emergent": self._before.p_emergent[0], "p_sharp": self._before.p_sharp[0]}
        columns: dict[str, Any] = {}
        for name, before in ranges.items():
            low, high = before.copy(), before.copy()
            for change in self.changes:
                p = getattr(change.answers, name)[0]
                low[change.index] = np.minimum(low[change.index], p)
                high[change.index] = np.maximum(high[change.index], p)
            columns |= {name: before, f"{name}_low": low, f"{name}_high": high}
        said: list[dict[str, list[str]]] = [{} for _ in range(count)]
        changes = np.zeros(count, dtype=np.int64)
        for change in self.changes:
            changes[change.index] += 1
            for i, flips in zip(change.index, self._flips(change), strict=True):
                for flip in flips:
                    said[i].setdefault(flip, []).append(change.name)
        texts = ["; ".join(f"{k}: {', '.join(v)}" for k, v in by_kind.items()) for by_kind in said]
        columns |= {"changes": changes, "flips": texts}
        index = pd.Index(self.classification.curves.name.astype(object), name="curve")
        return pd.DataFrame(columns, index=index)

    @property
    def verdict(self) -> str:
        """One sentence: how many of the curves keep the verdict on emergence."""
        emergent = np.zeros(len(self.classification.curves), dtype=bool)
        for change in self.changes:
            emergent[change.index] |= self._flipped(change)[0]
        total = counted(len(emergent), "curve")
        if not emergent.any():
            return f"emergent or not flips on none of {total}"
        names = ", ".join(self.classification.curves.name[emergent].tolist())
        return f"emergent or not flips on {int(emergent.sum())} of {total}: {names}"

    def _flips(self, change: Change) -> list[list[str]]:
        """The verdicts that flip, for each curve of a change, as people read them."""
        emergent, sharp, likeliest, scale = self._flipped(change)
        after = change.answers
        before_x, axes = self._before.x[:, change.index], self.classification.curves.axes
        out: list[list[str]] = []
        for i, curve in enumerate(change.index):
            said = []
            if emergent[i]:
                said.append("emergent" if after.p_emergent[0, i] > 0.5 else "not emergent")
            if sharp[i]:
                said.append("sharp" if after.p_sharp[0, i] > 0.5 else "not sharp")
            if likeliest[i]:
                said.append(f"likeliest {change.classes[after.p_class[0, i].argmax()]}")
            if scale[i]:
                axis, ends = axes[curve], (before_x[1, i], after.x[1, i])
                old, new = (axis.format(float(axis.value(x))) for x in ends)
                said.append(f"scale {old} → {new}")
            out.append(said)
        return out

    def _flipped(self, change: Change) -> tuple[Booleans, Booleans, Booleans, Booleans]:
        """Which verdicts flip: emergent, sharp, class, scale, each (changed curve,)."""
        before, after, here = self._before, change.answers, change.index
        crossed = [
            ((b[0, here] > 0.5) != (a[0] > 0.5))
            & (np.abs(a[0] - b[0, here]) > ERRORS * np.hypot(a[1], b[1, here]))
            for b, a in ((before.p_emergent, after.p_emergent), (before.p_sharp, after.p_sharp))
        ]
        old_x, x = before.x[:, here], after.x
        on_axis = np.isfinite(old_x[1]) & np.isfinite(x[1])
        scale = on_axis & ((x[1] < old_x[0]) | (x[1] > old_x[2]))
        return crossed[0], crossed[1], self._likeliest_flipped(change), scale

    def _likeliest_flipped(self, change: Change) -> Booleans:
        """Whether another class is the likeliest: (changed curve,)."""
        p, error = self._before.p_class[:, change.index]
        row = np.arange(len(change.index))
        old = p.argmax(axis=1)
        names = np.array(self.classification.classes)[old]
        now = change.answers.p_class[0].argmax(axis=1)
        other = names != np.array(change.classes)[now]
        place = {name: i for i, name in enumerate(change.classes)}
        kept = np.array([place.get(str(name), -1) for name in names])
        after = np.where(kept < 0, 0.0, change.answers.p_class[0, row, kept])
        noise = np.where(kept < 0, 0.0, change.answers.p_class[1, row, kept])
        moved = np.abs(after - p[row, old]) > ERRORS * np.hypot(error[row, old], noise)
        return other & moved
