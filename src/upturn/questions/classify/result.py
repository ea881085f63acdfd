"""Classified: what `classify` knows and answers of every curve, averaged over models."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from upturn.arrays.types import Booleans, Floats
from upturn.checks.arguments import interval_levels, known
from upturn.checks.errors import DataError
from upturn.formulas.curve import SHAPES
from upturn.formulas.scaling import range_share_of, scaling_of
from upturn.model import Model
from upturn.posterior import prevalence as prevalences
from upturn.posterior.emergence import pieces
from upturn.posterior.prevalence import Prevalence
from upturn.questions.classify.baselines import baselines
from upturn.questions.classify.criteria import Criteria
from upturn.tables.curves import Curves

if TYPE_CHECKING:
    import pandas as pd

FRAGILE = 0.1  # a p_emergent that moves so far when one model is left out is flagged
DOUBTFUL = 0.01  # a curve has failed where models that did not converge hold more probability
CLASS_COLUMNS = {shape: f"p_{shape.replace('-', '_')}" for shape in SHAPES}


@dataclass(frozen=True)
class Shape:
    """One model's answer for every curve: arrays (curve,) or (curve, draw)."""

    model: Model
    log_evidence: Floats
    log_evidence_se: Floats
    converged: Booleans
    emergent: Booleans
    sharp: Booleans
    rise: Floats
    flat_until: Floats
    width: Floats

    def take(self, index: Any) -> "Shape":
        """Its answer for some of the curves."""
        return replace(self, **{name: getattr(self, name)[index] for name in self.arrays()})

    def put(self, index: Any, other: "Shape") -> "Shape":
        """The same with the answers of another for some of the curves."""
        changed = {name: getattr(self, name).copy() for name in self.arrays()}
        for name, values in changed.items():
            values[index] = getattr(other, name)
        return replace(self, **changed)

    @classmethod
    def arrays(cls) -> list[str]:
        """The names of what it holds of every curve."""
        return [f.name for f in fields(cls) if f.name != "model"]


class Classification:
    """Emergence and shape of every curve, averaged over models by evidence.

    Attributes
    ----------
    curves : Curves
    models : tuple of Model
    criteria : Criteria
    meta : dict
        Version, seed, arguments, and every prior that the answers rest on.
    """

    def __init__(
        self,
        curves: Curves,
        shapes: tuple[Shape, ...],
        criteria: Criteria,
        learn_prevalence: bool,
        seed: int,
        *,
        meta: Mapping[str, Any] | None = None,
    ) -> None:
        self.curves, self.criteria, self._shapes = curves, criteria, shapes
        self.models = tuple(shape.model for shape in shapes)
        self._learn, self._seed = learn_prevalence, seed
        self._meta = dict(meta or {})

    def __repr__(self) -> str:
        axes = dict.fromkeys(axis.name for axis in self.curves.axes)
        return (
            f"Classification({len(self.curves)} curves, {len(self.models)} models, "
            f"axis {', '.join(axes)})"
        )

    @property
    def draws(self) -> int:
        """Posterior draws of each curve and model."""
        return int(self._shapes[0].emergent.shape[1])

    @property
    def seed(self) -> int:
        """Of the random numbers."""
        return self._seed

    @property
    def learns_prevalence(self) -> bool:
        """Whether the classes' shares are learned from the table."""
        return self._learn

    @property
    def meta(self) -> dict[str, Any]:
        return {
            **self._meta,
            "criteria": asdict(self.criteria),
            "priors": {model.name: model.all_priors() for model in self.models},
            "prevalence": {
                name: dict(zip(self.classes, found.share.tolist(), strict=True))
                for name, found in self.prevalence.items()
            },
        }

    @property
    def notes(self) -> tuple[str, ...]:
        """What was derived, rounded or dropped on the way from the table, with counts."""
        return self.curves.notes

    # --- parts of it ------------------------------------------------------------------------------

    def without(self, *names: str) -> "Classification":
        """The same with some models left out: nothing is sampled again.

        Raises
        ------
        DataError
            For a model that is none of these, and where none would be left.
        """
        for name in names:
            known(name, [model.name for model in self.models], kind="model", where="models")
        kept = tuple(s for s in self._shapes if s.model.name not in names)
        if not kept:
            raise DataError("models: expected at least one to be left, but got none")
        return self._with(shapes=kept)

    def take(self, index: Any) -> "Classification":
        """The same for some of the curves, whose prevalence is then learned from them alone."""
        chosen = np.arange(len(self.curves))[index]
        shapes = tuple(shape.take(chosen) for shape in self._shapes)
        return self._with(curves=self.curves.take(chosen), shapes=shapes)

    def put(
        self, index: NDArray[np.intp], shapes: Sequence[Shape], *, curves: Curves | None = None
    ) -> "Classification":
        """The same with other answers for some of the curves, by some of the models.

        Parameters
        ----------
        index : array of int
            Which of the curves.
        shapes : sequence of Shape
            For these curves; of models that are not among them the answers stay.
        curves : Curves, optional
            With the limits of these curves, where they are others.
        """
        limits = self.curves.limits.copy()
        if curves is not None:
            limits[:, :, index] = curves.limits
        other = {shape.model.name: shape for shape in shapes}
        return self._with(
            curves=replace(self.curves, limits=limits),
            shapes=tuple(
                s.put(index, other[s.model.name]) if s.model.name in other else s
                for s in self._shapes
            ),
        )

    def with_prevalence(self, learn: bool) -> "Classification":
        """The same with the classes' shares learned from the table, or equal."""
        return self._with(learn=learn)

    def _with(
        self,
        *,
        curves: Curves | None = None,
        shapes: tuple[Shape, ...] | None = None,
        learn: bool | None = None,
    ) -> "Classification":
        return Classification(
            self.curves if curves is None else curves,
            self._shapes if shapes is None else shapes,
            self.criteria,
            self._learn if learn is None else learn,
            self._seed,
            meta=self._meta,
        )

    # --- probabilities ----------------------------------------------------------------------------

    @cached_property
    def log_evidence(self) -> Floats:
        """Of each model: (curve, model)."""
        return np.stack([shape.log_evidence for shape in self._shapes], axis=1)

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes that the models stand for."""
        here = {model.shape for model in self.models}
        return tuple(shape for shape in SHAPES if shape in here)

    @cached_property
    def log_evidence_se(self) -> Floats:
        """Monte Carlo standard error of each log evidence: (curve, model)."""
        return np.stack([shape.log_evidence_se for shape in self._shapes], axis=1)

    @cached_property
    def _member(self) -> Booleans:
        """Which class each model belongs to: (class, model)."""
        return np.array([[m.shape == name for m in self.models] for name in self.classes])

    @cached_property
    def _within(self) -> Floats:
        """Probability of each model within its class, equal beforehand: (curve, model)."""
        out = np.empty_like(self.log_evidence)
        for c, member in enumerate(self._member):
            mine = self.log_evidence[:, member]
            out[:, member] = np.exp(mine - self.class_evidence[:, [c]] - np.log(member.sum()))
        return out

    @cached_property
    def class_evidence(self) -> Floats:
        """Log evidence of each class, its models equally likely: (curve, class)."""
        out = []
        for member in self._member:
            mine = self.log_evidence[:, member]
            out.append(np.logaddexp.reduce(mine, axis=1) - np.log(member.sum()))
        return np.stack(out, axis=1)

    @cached_property
    def class_evidence_se(self) -> Floats:
        """Monte Carlo standard error of the classes' log evidences: (curve, class)."""
        square = (self._within * self.log_evidence_se) ** 2
        return np.sqrt(square @ self._member.T)

    @cached_property
    def prevalence(self) -> Mapping[str, Prevalence]:
        """Shares of the classes by axis, learned or equal."""
        found = {}
        for name, index in self._by_axis.items():
            evidence = self.class_evidence[index]
            learn = prevalences.learned(evidence, self._seed) if self._learn else None
            found[name] = learn or prevalences.equal(evidence)
        return found

    @cached_property
    def _by_axis(self) -> dict[str, np.ndarray]:
        names = np.array([axis.name for axis in self.curves.axes])
        return {str(name): np.flatnonzero(names == name) for name in dict.fromkeys(names.tolist())}

    @cached_property
    def p_class(self) -> Floats:
        """Probability of each class: (curve, class)."""
        out = np.empty((len(self.curves), len(self.classes)))
        for name, index in self._by_axis.items():
            out[index] = self.prevalence[name].probability
        return out

    @cached_property
    def p_model(self) -> Floats:
        """Probability of each model: (curve, model)."""
        return (self.p_class @ self._member) * self._within

    @cached_property
    def p_class_se(self) -> Floats:
        """Monte Carlo error of the classes' probabilities: (curve, class).

        It carries those of the log evidences (delta method) and that of learning the shares.
        """
        out = np.empty_like(self.p_class)
        for c, member in enumerate(self._member):
            slope = self.p_model * (member - self.p_class[:, [c]])
            from_evidence = np.sqrt(((slope * self.log_evidence_se) ** 2).sum(axis=1))
            only = np.zeros_like(self.p_class)
            only[:, c] = 1
            out[:, c] = np.hypot(from_evidence, self._prevalence_error(only))
        return out

    def _prevalence_error(self, value: Floats) -> Floats:
        """Error that learning the shares leaves in sums of p_class times value: (curve,).

        Parameters
        ----------
        value : array (curve, class)
        """
        out = np.empty(len(self.curves))
        for name, index in self._by_axis.items():
            out[index] = self.prevalence[name].error(value[index])
        return out

    @cached_property
    def left_out(self) -> Floats:
        """`p_emergent` with each of the models left out: (curve, model)."""
        names = [model.name for model in self.models]
        if len(names) == 1:
            return np.full((len(self.curves), 1), np.nan)
        return np.stack([self.without(name).probability("emergent")[0] for name in names], axis=1)

    def given_class(self, name: str) -> Floats:
        """Probability of a property of the curve within each class: (curve, class)."""
        return (self._within * self._given_model(name)) @ self._member.T

    def _given_model(self, name: str) -> Floats:
        """Probability of a property of the curve under each model: (curve, model)."""
        return np.stack([getattr(s, name).mean(axis=1) for s in self._shapes], axis=1)

    def probability(self, name: str) -> tuple[Floats, Floats]:
        """Probability of a property of the curve, and its Monte Carlo error.

        The error carries those of the log evidences (delta method), of the draws, and of learning
        the classes' shares.

        Parameters
        ----------
        name : str
            "emergent" or "sharp".

        Returns
        -------
        p, error : array (curve,)
        """
        each = self._given_model(name)
        p = (self.p_model * each).sum(axis=1)
        variance = ((each - p[:, None]) * self.log_evidence_se) ** 2 + each * (
            1 - each
        ) / self.draws
        sampled = np.sqrt((self.p_model**2 * variance).sum(axis=1))
        return p, np.hypot(sampled, self._prevalence_error(self.given_class(name)))

    def drawn(self, count: int, seed: int) -> tuple[Floats, Booleans]:
        """Draws over all models, each model as often as it is probable.

        Parameters
        ----------
        count : int
            Independent draws of each curve.
        seed : int

        Returns
        -------
        x : array (curve, count)
            Where the expected score has risen by a tenth of its rise; inf where it rises by less
            than what counts (`Criteria.min_rise`).
        emergent : array of bool (curve, count)
        """
        generator = np.random.Generator(np.random.Philox(seed))
        span = scaling_of(self.models[0], self.curves).span
        unit = range_share_of(self.models[0], self.curves) * span * self.criteria.min_rise
        low, high = self.curves.limits[:, 0, :, None]
        x, emergent = np.empty((2, len(self.curves), count))
        for i, p in enumerate(self.p_model):
            model = generator.choice(len(p), size=count, p=p / p.sum())
            draw = generator.integers(self.draws, size=count)
            until, rise, held = (
                np.stack([getattr(s, name)[i] for s in self._shapes])[model, draw]
                for name in ("flat_until", "rise", "emergent")
            )
            x[i] = np.where(rise >= unit[i], low[i] + until * (high[i] - low[i]), np.inf)
            emergent[i] = held
        return x, emergent > 0

    # --- answers ----------------------------------------------------------------------------------

    def summary(self, ci: float = 0.9) -> "pd.DataFrame":
        """One row a curve.

        Returns
        -------
        DataFrame
            Labels, `points`, `p_emergent` and `p_sharp` with their Monte Carlo errors,
            `emergence_scale` with its interval in native units and `censored`, the medians of
            `rise`, `flat_until`, `width` and of `decades` (the width in decades), the classes'
            probabilities and their Monte Carlo errors, the best model, the three baselines, and
            `flags`.
        """
        import pandas as pd

        p_emergent, error = self.probability("emergent")
        p_sharp, sharp_error = self.probability("sharp")
        x = self.emergence_x(ci)
        with np.errstate(over="ignore", under="ignore"):
            each = [axis.value(x[:, i]) for i, axis in enumerate(self.curves.axes)]
        scale = np.stack(each, axis=1)
        middle = {name: self._median(name) for name in ("rise", "flat_until", "width")}
        extent = self.curves.limits[1, 0] - self.curves.limits[0, 0]
        logarithmic = [axis.is_log for axis in self.curves.axes]
        columns: dict[str, Any] = dict(self.curves.labels) | {
            "points": self.curves.points,
            "p_emergent": p_emergent,
            "p_emergent_se": error,
            "p_sharp": p_sharp,
            "p_sharp_se": sharp_error,
            "emergence_scale": scale[1],
            "emergence_low": np.minimum(scale[0], scale[2]),
            "emergence_high": np.maximum(scale[0], scale[2]),
            "censored": np.isinf(x[1]),
            **middle,
            "decades": np.where(logarithmic, middle["width"] * extent, np.nan),
            **self._of_classes("", self.p_class),
            **self._of_classes("_se", self.p_class_se),
            "best_model": [self.models[i].name for i in self.p_model.argmax(axis=1)],
            **baselines(self.curves),
            "flags": ["; ".join(flags) for flags in self.flags],
        }
        return pd.DataFrame(columns, index=pd.Index(self.curves.name.astype(object), name="curve"))

    def texts(self, ci: float = 0.9) -> "pd.DataFrame":
        """The emergence scale and its interval as people read them: "2.3e22", "not by 3.6e25"."""
        import pandas as pd

        x = self.emergence_x(ci)
        found: dict[str, list[str]] = {"emergence": [], "interval": []}
        for i, axis in enumerate(self.curves.axes):
            ends = self.curves.limits[:, 0, i]
            low, middle, high = (axis.text(float(q), *ends) for q in x[:, i])
            nothing = f"not by {axis.format(float(axis.value(ends[1])))}"
            found["emergence"].append(nothing if np.isinf(x[1, i]) else middle)
            found["interval"].append(low if low == high else f"{low} – {high}")
        return pd.DataFrame(found, index=pd.Index(self.curves.name.astype(object), name="curve"))

    def bayes_factors(self) -> "pd.DataFrame":
        """Log Bayes factors of the classes against the flat one, with their Monte Carlo errors.

        Natural logarithms of ratios of the classes' evidences, their models equally likely: what
        the data alone say, whatever the prevalence. They rest on the priors in `meta`.

        Returns
        -------
        DataFrame
            One row a curve; `log_bf_smooth`, `log_bf_smooth_se` and so on for each class but flat.

        Raises
        ------
        DataError
            Where no model stands for the flat class.
        """
        import pandas as pd

        if "flat" not in self.classes:
            raise DataError(
                "models: expected a flat one to compare with, but got none; add flat or chance"
            )
        flat = self.classes.index("flat")
        found = {}
        for c, shape in enumerate(self.classes):
            if c != flat:
                column = CLASS_COLUMNS[shape].replace("p_", "log_bf_", 1)
                found[column] = self.class_evidence[:, c] - self.class_evidence[:, flat]
                found[f"{column}_se"] = np.hypot(*self.class_evidence_se[:, [c, flat]].T)
        return pd.DataFrame(found, index=pd.Index(self.curves.name.astype(object), name="curve"))

    @property
    def failed(self) -> list[str]:
        """Names of the curves of which models that did not converge could change the answer."""
        return [str(name) for name in self.curves.name[self._unconverged() >= DOUBTFUL]]

    def _unconverged(self) -> Floats:
        """The probability that models that did not converge hold together: (curve,)."""
        converged = np.stack([shape.converged for shape in self._shapes], axis=1)
        return (self.p_model * ~converged).sum(axis=1)

    def totals(self) -> dict[str, Any]:
        """Counts over all curves."""
        p, _ = self.probability("emergent")
        sharp, _ = self.probability("sharp")
        return {
            "curves": len(self.curves),
            "points": int(self.curves.points.sum()),
            "emergent": int((p > 0.5).sum()),
            "sharp": int((sharp > 0.5).sum()),
            "failed": self.failed,
        }

    @property
    def flags(self) -> list[list[str]]:
        """What the data and the samplers say of each curve that a reader should know."""
        out = [list(flags) for flags in self.curves.flags]
        for shape in self._shapes:
            for i in np.flatnonzero(~shape.converged):
                out[i].append(f"{shape.model.name} not converged")
        p, _ = self.probability("emergent")
        moved = np.nan_to_num(np.abs(self.left_out - p[:, None]))
        for i in np.flatnonzero(moved.max(axis=1) >= FRAGILE):
            most = moved[i].argmax()
            name, without = self.models[most].name, self.left_out[i, most]
            out[i].append(f"p_emergent {without:.2f} without {name}")
        return out

    def _of_classes(self, suffix: str, values: Floats) -> dict[str, Any]:
        """Columns of a quantity (curve, class); 0 for a class that no model stands for."""
        return {
            column + suffix: values[:, self.classes.index(shape)] if shape in self.classes else 0.0
            for shape, column in CLASS_COLUMNS.items()
        }

    def emergence_x(self, ci: float = 0.9) -> Floats:
        """Low end, median and high end of the scale at F, as coordinates: (3, curve).

        Draws that are not emergent lie beyond the axis, at inf.
        """
        return self._emergence_quantiles(interval_levels(ci)[:, None])

    def onset_x(self, level: float) -> Floats:
        """A quantile of the scale at F of the draws that are emergent, as a coordinate: (curve,).

        Inf where more likely than not nothing emerges.

        Parameters
        ----------
        level : float
            Of the quantile: 0.05 is before nearly all of the posterior.
        """
        p, _ = self.probability("emergent")
        return np.where(p > 0.5, self._emergence_quantiles(level * p[None])[0], np.inf)

    def _emergence_quantiles(self, at: Floats) -> Floats:
        low, high = self.curves.limits[:, 0, :, None]
        values = [
            np.where(s.emergent, low + s.flat_until * (high - low), np.inf) for s in self._shapes
        ]
        return self._mixed_quantiles(values, at)

    def _median(self, name: str) -> Floats:
        values = [getattr(shape, name) for shape in self._shapes]
        return self._mixed_quantiles(values, np.array([[0.5]]))[0]

    def _mixed_quantiles(self, values: Sequence[Floats], at: Floats) -> Floats:
        """Quantiles over models' draws, each model weighted by its probability: (level, curve).

        Parameters
        ----------
        values : sequence of array (curve, draw)
            One a model.
        at : array (level, curve) or (level, 1)
        """
        out = np.empty((len(at), len(self.curves)))
        at = np.broadcast_to(at, out.shape)
        draws = np.array([v.shape[1] for v in values])
        for here in pieces(len(self.curves), int(draws.sum()), 1):
            pooled = np.concatenate([v[here] for v in values], axis=1)
            order = np.argsort(pooled, axis=1, kind="stable")
            pooled = np.take_along_axis(pooled, order, axis=1)
            weight = np.repeat(self.p_model[here] / draws, draws, axis=1)
            summed = np.cumsum(np.take_along_axis(weight, order, axis=1), axis=1)
            summed /= summed[:, -1:]
            place = (summed < at[:, here, None]).sum(axis=2)
            place = np.minimum(place, pooled.shape[1] - 1)
            out[:, here] = pooled[np.arange(len(pooled)), place]
        return out
