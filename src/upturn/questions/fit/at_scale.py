"""At a scale: what a fit says of scales that a person names."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from upturn.arrays.types import Booleans, Floats, Index
from upturn.checks.arguments import interval_levels, known
from upturn.checks.errors import DataError, listed, shown
from upturn.formulas.scaling import UnitAxis, proportions
from upturn.posterior import emergence as em
from upturn.questions.fit.contents import Contents
from upturn.tables.curves import Curves

if TYPE_CHECKING:
    import pandas as pd


class AtScale:
    """Answers at a scale in native units, and scales at a score."""

    _contents: Contents

    def predict(self, *, ci: float = 0.9, **scale: float) -> "pd.DataFrame":
        """The expected score at a scale, for every curve on that axis.

        Parameters
        ----------
        ci : float
            Probability of the equal-tailed interval.
        **scale : float
            The axis and a value in its native units: `flops=1e24`, `params=7e9`.

        Returns
        -------
        DataFrame
            Labels, `mean`, `low`, `high` of the expected score in native units, and `outside`,
            whether the scale is beyond those that the curve was measured at.

        Raises
        ------
        DataError
            Where there is no curve on such an axis, or the value is not on it.

        Examples
        --------
        >>> import upturn
        >>> fit = upturn.fit(upturn.read("gpt3").where("task=piqa"), draws=100)
        >>> fit.predict(flops=1e22).columns.tolist()[-4:]
        ['mean', 'low', 'high', 'outside']
        """
        contents = self._contents
        index, x = _coordinate(contents, scale, "predict")
        unit = UnitAxis.of(contents.curves).take(index)
        u = unit.u(x)
        p = {name: contents.parameters[name][index] for name in contents.model.parameters}
        score = em.expected(contents.model, p, u, contents.ceiling[index])[:, 0]
        native = contents.scaling.take(index).to_native(score)
        native = native * contents.orientation[index, None]
        low, _, high = np.quantile(native, interval_levels(ci), axis=1)
        columns = {
            "mean": native.mean(axis=1), "low": low, "high": high,
            "outside": ((u < 0) | (u > unit.end))[:, 0],
        }  # fmt: skip
        return _rows(contents, index, columns)

    def probability(self, *, below: float, axis: str | None = None) -> "pd.DataFrame":
        """The probability that the ability is there by a scale: P(change, and scale below it).

        Parameters
        ----------
        below : float
            In native units. On an axis on which less is better, by the time it has fallen to this.
        axis : str, optional
            Needed where the fit is on several axes.

        Returns
        -------
        DataFrame
            Labels, `p`, and its Monte Carlo error `p_se` by chains.

        Raises
        ------
        DataError
            Where the axis is not clear, or the value is not on it.

        Examples
        --------
        >>> import upturn
        >>> fit = upturn.fit(upturn.read("gpt3").where("task=piqa"), draws=100)
        >>> fit.probability(below=1e23).columns.tolist()[-2:]
        ['p', 'p_se']
        """
        contents = self._contents
        names = list(dict.fromkeys(a.name for a in contents.curves.axes))
        if axis is None and len(names) > 1:
            raise DataError(f"probability: expected an axis, but got none; say axis={names[0]!r}")
        index, x = _coordinate(contents, {axis or names[0]: below}, "probability")
        chains, _ = contents.chains_and_draws
        there = (contents.variable("threshold_scale")[index] <= x).reshape(len(index), chains, -1)
        by_chain = there.mean(axis=2)
        p_change = contents.stat("p_change")[index]
        columns = {
            "p": p_change * by_chain.mean(axis=1),
            "p_se": p_change * by_chain.std(axis=1, ddof=1) / np.sqrt(chains),
        }
        return _rows(contents, index, columns)

    def scale_at(
        self,
        *,
        score: float | Sequence[float] = (),
        rise: float | Sequence[float] = (),
        share: float | Sequence[float] = (),
        extra: float | Sequence[float] = (),
        ci: float = 0.9,
    ) -> "pd.DataFrame":
        """The scale at which the expected score first exceeds a level, for every curve.

        Each argument may be one number or several.

        Parameters
        ----------
        score : float or several
            A score in native units.
        rise : float or several
            A rise above the floor (or above the smallest scale, for a model without a floor), as a
            score in native units.
        share : float or several
            A share, 0 to 1, of the rise to the highest expected score within the tested scales.
        extra : float or several
            A share, 0 to 1, of what is left between the floor and the ceiling: the extra risk of a
            benchmark dose (Crump 1984).
        ci : float
            Probability of the equal-tailed interval.

        Returns
        -------
        DataFrame
            Labels, `level` ("score 0.5"), `scale`, `low` and `high` in native units, infinite or 0
            beyond the tested scales, and `censored`, whether the median lies beyond them.

        Raises
        ------
        DataError
            For no level, a share outside 0 to 1, and for a fit on a mix of axes.

        Examples
        --------
        >>> import upturn
        >>> fit = upturn.fit(upturn.read("gpt3").where("task=piqa"), draws=100)
        >>> fit.scale_at(score=0.7, share=[0.1, 0.5])["level"].unique().tolist()
        ['score 0.7', 'share 0.1', 'share 0.5']
        """
        import pandas as pd

        levels = {"score": score, "rise": rise, "share": share, "extra": extra}
        return pd.concat([_scale_at(self._contents, *level, ci) for level in _wanted(levels)])


def _wanted(levels: dict[str, float | Sequence[float]]) -> list[tuple[str, float]]:
    """The levels that are asked for, each with its kind."""
    out = []
    for kind, given in levels.items():
        several: list[Any] = [given] if np.ndim(given) == 0 else list(np.atleast_1d(given))
        for value in several:
            if isinstance(value, (bool, str)) or not np.isfinite(value):
                raise DataError(f"{kind}: expected a number, but got {shown(value)}")
            if kind in {"share", "extra"} and not 0 < value < 1:
                raise DataError(f"{kind}: expected a share between 0 and 1, but got {shown(value)}")
            out.append((kind, float(value)))
    if not out:
        raise DataError("scale_at: expected a level, but got none; for example score=0.5")
    return out


def _scale_at(contents: Contents, kind: str, value: float, ci: float) -> "pd.DataFrame":
    """The scale of one level, for every curve."""
    curves, scaling = contents.curves, contents.scaling
    if curves.axes[0].components:
        raise DataError(f"scale_at: expected a fit on a single axis, but got {curves.axes[0]}")
    oriented = contents.orientation * value
    at = scaling.to_model(oriented)[:, None]
    height = at - scaling.to_model(np.zeros(len(curves)))[:, None]
    level: dict[str, em.Level] = {
        "score": lambda base, top, ceiling: at,
        "rise": lambda base, top, ceiling: base + np.abs(height),
        "share": lambda base, top, ceiling: base + value * (top - base),
        "extra": lambda base, top, ceiling: base + value * (ceiling - base),
    }
    axis = UnitAxis.of(curves)
    u = em.crossings(
        contents.model, contents.parameters, level[kind], ceiling=contents.ceiling,
        end=axis.end[:, 0],
    )  # fmt: skip
    if kind == "score":
        u = _unchanged(contents, u, above=_mean_score(curves) > at[:, 0])
    p = np.ones(len(curves)) if kind == "score" else contents.stat("p_change")
    low, middle, high = em.quantiles(axis.x(u), p, interval_levels(ci))
    ends = np.stack([low, middle, high], axis=1)
    native = np.array([a.value(x) for a, x in zip(curves.axes, ends, strict=True)])
    columns = {
        "level": np.full(len(curves), f"{kind} {value:g}"), "scale": native[:, 1],
        "low": native[:, [0, 2]].min(axis=1), "high": native[:, [0, 2]].max(axis=1),
        "censored": np.isinf(middle),
    }  # fmt: skip
    return _rows(contents, np.arange(len(curves)), columns)


def _mean_score(curves: Curves) -> Floats:
    """The mean score of each curve on the model's scale, for counts and proportions."""
    weight = curves.mask / np.maximum(curves.points, 1)[:, None]
    return np.asarray((weight * proportions(curves)).sum(axis=1))


def _unchanged(contents: Contents, u: Floats, *, above: Booleans) -> Floats:
    """Draws of which the last stand for no change: at all scales above a level, or at none."""
    draws = u.shape[1]
    changed = np.arange(draws) < np.round(contents.stat("p_change") * draws)[:, None]
    return np.where(changed, u, np.where(above, -np.inf, np.inf)[:, None])


def slices_of(contents: Contents, name: str) -> tuple[slice, slice]:
    """The curve and the points that a name means; see `place_of`."""
    i = place_of(contents, name)
    end = int(contents.curves.points[: i + 1].sum())
    return slice(i, i + 1), slice(end - int(contents.curves.points[i]), end)


def place_of(contents: Contents, name: str) -> int:
    """The place of the curve that a name means: its own, or a task's that one curve has.

    Raises
    ------
    DataError
        Where no curve has the name, or several have the task.
    """
    names = contents.curves.name.tolist()
    if name in names:
        return names.index(name)
    tasks = contents.curves.labels.get("task", np.array([], dtype=np.str_)).tolist()
    places = [i for i, task in enumerate(tasks) if task == name]
    if len(places) > 1:
        of_task = [names[i] for i in places]
        raise DataError(
            f"fit: expected the name of one curve, but got {shown(name)}, which {len(places)} "
            f"curves have; there are: {listed(of_task)}"
        )
    return places[0] if places else names.index(known(name, names, kind="curve", where="fit"))


def _coordinate(contents: Contents, scale: dict[str, float], where: str) -> tuple[Index, Floats]:
    """The curves on the axis that a scale names (curve,), and its coordinate (curve, 1)."""
    if len(scale) != 1:
        raise DataError(
            f"{where}: expected one axis and its value, such as flops=1e24, "
            f"but got {listed(list(scale)) if scale else 'none'}"
        )
    ((name, value),) = scale.items()
    axes = contents.curves.axes
    known(name, list(dict.fromkeys(a.name for a in axes)), kind="axis", where=where)
    index = np.array([i for i, axis in enumerate(axes) if axis.name == name], dtype=np.intp)
    if axes[index[0]].components:
        raise DataError(f"{where}: expected a fit on a single axis, but got {axes[index[0]]}")
    with np.errstate(invalid="ignore", divide="ignore"):  # of what is not on a logarithmic axis
        x = np.array([[axes[i].coordinate([value])[0]] for i in index])
    if not np.isfinite(x).all():
        raise DataError(f"{where}: expected a scale on the axis {name}, but got {value}")
    return index, x


def _rows(contents: Contents, index: Index, columns: dict[str, Any]) -> "pd.DataFrame":
    import pandas as pd

    labels = {name: values[index] for name, values in contents.curves.labels.items()}
    frame = pd.DataFrame({**labels, **columns})
    frame.index = pd.Index(contents.curves.name[index], name="curve")
    return frame
