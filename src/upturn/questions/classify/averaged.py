"""Averaged: draws of every curve under several models, and probabilities over all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from upturn.arrays.types import Booleans, Floats
from upturn.checks.arguments import interval_levels, known
from upturn.checks.errors import DataError, counted
from upturn.posterior.averaging import ModelAverage
from upturn.posterior.criteria import Criteria
from upturn.posterior.outcomes import OUTCOMES, VERDICTS, verdict_of
from upturn.posterior.prevalence import Prevalence
from upturn.posterior.selection import selected, shows_all
from upturn.questions.classify.families import how_far_ahead, unnamed_families
from upturn.questions.classify.hangs_on import HangsOn
from upturn.questions.classify.model_fit import ModelFit
from upturn.tables.curves import Curves
from upturn.tables.flags import chance_notes


class Averaged:
    """Draws of every curve under several models, averaged by evidence.

    Attributes
    ----------
    curves : Curves
    models : tuple of Model
    criteria : Criteria
    average : ModelAverage
        Probabilities of the models and of the classes of shapes.
    meta : dict
        Version, seed, arguments, and every prior that the answers rest on.
    """

    def __init__(
        self,
        curves: Curves,
        fits: tuple[ModelFit, ...],
        criteria: Criteria,
        learn_prevalence: bool,
        seed: int,
        *,
        refitted: Floats | None = None,
        meta: Mapping[str, Any] | None = None,
    ) -> None:
        self.curves, self.criteria, self._fits = curves, criteria, fits
        self.models = tuple(fit.model for fit in fits)
        self._learn, self._seed = learn_prevalence, seed
        self._refitted, self._meta = refitted, dict(meta or {})

    def __repr__(self) -> str:
        axes = dict.fromkeys(axis.name for axis in self.curves.axes)
        return (
            f"{type(self).__name__}({len(self.curves)} curves, {len(self.models)} models, "
            f"axis {', '.join(axes)})"
        )

    @property
    def draws(self) -> int:
        """Posterior draws of each curve and model."""
        return int(self._fits[0].emergent.shape[1])

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
                name: dict(zip(self.classes, prevalence.share.tolist(), strict=True))
                for name, prevalence in self.prevalence.items()
            },
        }

    @property
    def notes(self) -> tuple[str, ...]:
        """What was derived, rounded or dropped on the way from the table, with counts."""
        return (*self.curves.notes, *chance_notes(self.curves.flags), *unnamed_families(self))

    # --- parts of it ------------------------------------------------------------------------------

    def without(self, *names: str) -> Self:
        """The same with some models left out: nothing is sampled again.

        Raises
        ------
        DataError
            For a model that is none of these, and where none would be left.
        """
        for name in names:
            known(name, [model.name for model in self.models], kind="model", where="models")
        kept = tuple(fit for fit in self._fits if fit.model.name not in names)
        if not kept:
            raise DataError("models: expected at least one to be left, but got none")
        return self._with(fits=kept)

    def take(self, index: Any) -> Self:
        """The same for some of the curves, whose prevalence is then learned from them alone."""
        chosen = np.arange(len(self.curves))[index]
        fits = tuple(fit.take(chosen) for fit in self._fits)
        refitted = None if self._refitted is None else self._refitted[chosen]
        return self._with(curves=self.curves.take(chosen), fits=fits, refitted=refitted)

    def put(
        self, index: NDArray[np.intp], fits: Sequence[ModelFit], *, curves: Curves | None = None
    ) -> Self:
        """The same with other answers for some of the curves, by some of the models.

        Parameters
        ----------
        index : array of int
            Which of the curves.
        fits : sequence of ModelFit
            For these curves; of models that are not among them the answers stay.
        curves : Curves, optional
            With the limits of these curves, where they are others.
        """
        limits = self.curves.limits.copy()
        if curves is not None:
            limits[:, :, index] = curves.limits
        other = {fit.model.name: fit for fit in fits}
        return self._with(
            curves=replace(self.curves, limits=limits),
            fits=tuple(
                fit.put(index, other[fit.model.name]) if fit.model.name in other else fit
                for fit in self._fits
            ),
        )

    def with_prevalence(self, learn: bool) -> Self:
        """The same with the classes' shares learned from the table, or equal."""
        return self._with(learn=learn, refitted=self._refitted)

    def with_refitted(self, refitted: Floats) -> Self:
        """The same with exact answers without some scales; see `hangs_on.HangsOn`."""
        return self._with(refitted=refitted)

    def _with(
        self,
        *,
        curves: Curves | None = None,
        fits: tuple[ModelFit, ...] | None = None,
        learn: bool | None = None,
        refitted: Floats | None = None,
    ) -> Self:
        return type(self)(
            self.curves if curves is None else curves,
            self._fits if fits is None else fits,
            self.criteria,
            self._learn if learn is None else learn,
            self._seed,
            refitted=refitted,
            meta=self._meta,
        )

    # --- probabilities ----------------------------------------------------------------------------

    @cached_property
    def average(self) -> ModelAverage:
        return ModelAverage(
            self.models,
            np.stack([fit.log_evidence for fit in self._fits], axis=1),
            np.stack([fit.log_evidence_se for fit in self._fits], axis=1),
            self._by_axis,
            self._learn,
            self._seed,
        )

    @property
    def _by_axis(self) -> dict[str, np.ndarray]:
        names = np.array([axis.name for axis in self.curves.axes])
        return {str(name): np.flatnonzero(names == name) for name in dict.fromkeys(names.tolist())}

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes that the models stand for."""
        return self.average.classes

    @property
    def log_evidence(self) -> Floats:
        """Of each model: (curve, model)."""
        return self.average.log_evidence

    @property
    def prevalence(self) -> Mapping[str, Prevalence]:
        """Shares of the classes by axis, learned or equal."""
        return self.average.prevalence

    @property
    def p_class(self) -> Floats:
        """Probability of each class: (curve, class)."""
        return self.average.p_class

    @property
    def p_class_se(self) -> Floats:
        """Monte Carlo error of the classes' probabilities: (curve, class)."""
        return self.average.p_class_se

    @property
    def p_model(self) -> Floats:
        """Probability of each model: (curve, model)."""
        return self.average.p_model

    @cached_property
    def without_each_model(self) -> Floats:
        """`p_emergent` with each of the curve models left out: (curve, model)."""
        names = [model.name for model in self.models]
        if len(names) == 1:
            return np.full((len(self.curves), 1), np.nan)
        return np.stack([self.without(name).probability("emergent")[0] for name in names], axis=1)

    @cached_property
    def without_ends(self) -> HangsOn:
        """`p_emergent` without each of the smallest and largest scales."""
        ends = [fit.ends for fit in self._fits]
        nowhere = np.full_like(ends[0].log_ratio, np.nan)
        return HangsOn.of(self.average, ends, nowhere if self._refitted is None else self._refitted)

    def given_class(self, name: str) -> Floats:
        """Probability of a property of the curve within each class: (curve, class)."""
        return self.average.by_class(self._given_model(name))

    def _given_model(self, name: str) -> Floats:
        """Probability of a property of the curve under each model: (curve, model)."""
        return np.stack([getattr(fit, name).mean(axis=1) for fit in self._fits], axis=1)

    def probability(self, name: str) -> tuple[Floats, Floats]:
        """Probability of a property of the curve, and its Monte Carlo error.

        Parameters
        ----------
        name : str
            "emergent" or "sharp".

        Returns
        -------
        p, error : array (curve,)
        """
        return self.average.mean(self._given_model(name), self.draws)

    @cached_property
    def p_outcome(self) -> Floats:
        """Probability of each of `upturn.posterior.outcomes.OUTCOMES`: (curve, outcome)."""
        kinds = range(len(OUTCOMES))
        by_model = [
            np.stack([(fit.outcome == kind).mean(axis=1) for fit in self._fits], axis=1)
            for kind in kinds
        ]
        return np.stack([(self.p_model * given).sum(axis=1) for given in by_model], axis=1)

    @cached_property
    def ahead(self) -> Floats:
        """How far each score is ahead of its scale; see `families.how_far_ahead`."""
        points = self.curves.mask.shape[1]
        weighted = list(zip(self.p_model.T, self._fits, strict=True))
        mean, slope = (
            sum(p[:, None] * getattr(fit, name)[:, :points] for p, fit in weighted)
            for name in ("mean", "slope")
        )
        return how_far_ahead(self, mean, slope)

    @property
    def verdicts(self) -> list[str]:
        """The verdict on each curve, one of `upturn.posterior.outcomes.VERDICTS`."""
        return verdict_of(self.p_outcome)

    def selected(
        self, *, only: str | Sequence[str] | None = None, sort: str = "table"
    ) -> NDArray[np.intp]:
        """The places of the curves to show; see `upturn.posterior.selection.selected`."""
        if shows_all(only, sort):
            return np.arange(len(self.curves))
        scales = self.scale_x()[1]
        return selected(self.verdicts, scales, self.curves.name.tolist(), only=only, sort=sort)

    @property
    def verdict(self) -> str:
        """One sentence: how many curves there are of each verdict."""
        verdicts = self.verdicts
        parts = [f"{word}: {verdicts.count(word)}" for word in VERDICTS if word in verdicts]
        return f"{counted(len(verdicts), 'curve')}: {', '.join(parts)}"

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
            The headline scale: where the expected score first stands delta above chance; -inf
            before the smallest scale, inf beyond the largest.
        emergent : array of bool (curve, count)
        """
        generator = np.random.Generator(np.random.Philox(seed))
        x, emergent = np.empty((2, len(self.curves), count))
        for i, p in enumerate(self.p_model):
            model = generator.choice(len(p), size=count, p=p / p.sum())
            draw = generator.integers(self.draws, size=count)
            x[i], emergent[i] = (
                np.stack([getattr(fit, name)[i] for fit in self._fits])[model, draw]
                for name in ("threshold", "emergent")
            )
        return self._x(x), emergent > 0

    # --- scales -----------------------------------------------------------------------------------

    def scale_x(self, ci: float = 0.9) -> Floats:
        """Low end, median and high end of the headline scale, as coordinates: (3, curve).

        Where the expected score first stands delta above chance: -inf before the smallest scale,
        inf beyond the largest.
        """
        values = [self._x(fit.threshold) for fit in self._fits]
        return self.average.quantiles(values, interval_levels(ci)[:, None])

    def onset_interval_x(self, ci: float = 0.9) -> Floats:
        """Low end, median and high end of the scale at F, as coordinates: (3, curve).

        Draws that are not emergent lie beyond the axis, at inf.
        """
        return self._onset_quantiles(interval_levels(ci)[:, None])

    def onset_x(self, level: float) -> Floats:
        """A quantile of the scale at F of the draws that are emergent, as a coordinate: (curve,).

        Inf where more likely than not nothing emerges.

        Parameters
        ----------
        level : float
            Of the quantile: 0.05 is before nearly all of the posterior.
        """
        p, _ = self.probability("emergent")
        return np.where(p > 0.5, self._onset_quantiles(level * p[None])[0], np.inf)

    def _onset_quantiles(self, at: Floats) -> Floats:
        values = [np.where(fit.emergent, self._x(fit.flat_until), np.inf) for fit in self._fits]
        return self.average.quantiles(values, at)

    def _x(self, u: Floats) -> Floats:
        """Places (curve, draw) on the unit axis as coordinates."""
        low, high = self.curves.limits[:, 0, :, None]
        return low + u * np.where(high > low, high - low, 1.0)

    def _median(self, name: str) -> Floats:
        values = [getattr(fit, name) for fit in self._fits]
        return self.average.quantiles(values, np.array([[0.5]]))[0]
