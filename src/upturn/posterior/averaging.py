"""Averaging over models: weights by evidence, every class of shapes equally likely beforehand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from upturn.arrays.types import Booleans, Floats, Integers
from upturn.formulas.curve import SHAPES, CurveModel
from upturn.posterior import prevalence as prevalences
from upturn.posterior.emergence import pieces
from upturn.posterior.prevalence import Prevalence

# An answer is doubtful where models that did not converge hold this probability or more.
DOUBTFUL = 0.01


def log_priors(models: Sequence[CurveModel]) -> Floats:
    """Log prior probabilities of models: equal for each class of shapes, and within it each model.

    Examples
    --------
    >>> from upturn.model import Model
    >>> three = [Model.read(name) for name in ("hinge", "step", "logistic")]
    >>> np.exp(log_priors(three)).tolist()
    [0.25, 0.25, 0.5]
    """
    shapes = [model.shape for model in models]
    return -np.log([len(set(shapes)) * shapes.count(shape) for shape in shapes])


def probabilities(models: Sequence[CurveModel], log_evidence: Floats) -> Floats:
    """Posterior probabilities of models, classes having equal prior odds: (curve, model).

    Parameters
    ----------
    models : sequence of CurveModel
    log_evidence : array (curve, model)
    """
    joint = log_evidence + log_priors(models)
    out: Floats = np.exp(joint - np.logaddexp.reduce(joint, axis=1, keepdims=True))
    return out


@dataclass(frozen=True)
class ModelAverage:
    """Posterior probabilities of models and of the classes of shapes that they stand for.

    Attributes
    ----------
    models : tuple of CurveModel
    log_evidence, log_evidence_se : array (curve, model)
        The latter are Monte Carlo standard errors.
    tables : mapping of str to array of int
        The curves whose prevalence of the classes is learned together.
    learn : bool
        Whether it is learned, or equal.
    seed : int
    """

    models: tuple[CurveModel, ...]
    log_evidence: Floats
    log_evidence_se: Floats
    tables: Mapping[str, Integers]
    learn: bool
    seed: int

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes that the models stand for."""
        present = {model.shape for model in self.models}
        return tuple(shape for shape in SHAPES if shape in present)

    @cached_property
    def member(self) -> Booleans:
        """Which class each model belongs to: (class, model)."""
        return np.array([[m.shape == name for m in self.models] for name in self.classes])

    @cached_property
    def class_evidence(self) -> Floats:
        """Log evidence of each class, its models equally likely: (curve, class)."""
        return class_evidence(self.log_evidence, self.member)

    @cached_property
    def within(self) -> Floats:
        """Probability of each model within its class, equal beforehand: (curve, model)."""
        place = self.member.argmax(axis=0)
        log_count = np.log(self.member.sum(axis=1))[place]
        out: Floats = np.exp(self.log_evidence - self.class_evidence[:, place] - log_count)
        return out

    @cached_property
    def class_evidence_se(self) -> Floats:
        """Monte Carlo standard error of the classes' log evidences: (curve, class)."""
        square = (self.within * self.log_evidence_se) ** 2
        return np.sqrt(square @ self.member.T)

    @cached_property
    def prevalence(self) -> Mapping[str, Prevalence]:
        """Shares of the classes by table, learned or equal."""
        out = {}
        for name, index in self.tables.items():
            evidence = self.class_evidence[index]
            learned = prevalences.learned(evidence, self.seed) if self.learn else None
            out[name] = learned or prevalences.equal(evidence)
        return out

    @cached_property
    def share(self) -> Floats:
        """Mean share of each class in the table of each curve: (curve, class)."""
        out = np.empty_like(self.class_evidence)
        for name, index in self.tables.items():
            out[index] = self.prevalence[name].share
        return out

    @cached_property
    def p_class(self) -> Floats:
        """Probability of each class: (curve, class)."""
        out = np.empty_like(self.class_evidence)
        for name, index in self.tables.items():
            out[index] = self.prevalence[name].probability
        return out

    @cached_property
    def p_model(self) -> Floats:
        """Probability of each model: (curve, model)."""
        return (self.p_class @ self.member) * self.within

    @cached_property
    def p_class_se(self) -> Floats:
        """Monte Carlo error of the classes' probabilities: (curve, class).

        It carries those of the log evidences (delta method) and that of learning the shares.
        """
        out = np.empty_like(self.p_class)
        for c, member in enumerate(self.member):
            slope = self.p_model * (member - self.p_class[:, [c]])
            from_evidence = np.sqrt(((slope * self.log_evidence_se) ** 2).sum(axis=1))
            indicator = np.zeros_like(self.p_class)
            indicator[:, c] = 1
            out[:, c] = np.hypot(from_evidence, self._prevalence_error(indicator))
        return out

    def _prevalence_error(self, value: Floats) -> Floats:
        """Error that learning the shares leaves in sums of p_class times value: (curve,).

        Parameters
        ----------
        value : array (curve, class)
        """
        out = np.empty(len(value))
        for name, index in self.tables.items():
            out[index] = self.prevalence[name].error(value[index])
        return out

    def by_class(self, by_model: Floats) -> Floats:
        """Average within each class of what each model says: (curve, class).

        Parameters
        ----------
        by_model : array (curve, model)
        """
        return (self.within * by_model) @ self.member.T

    def mean(self, by_model: Floats, draws: int) -> tuple[Floats, Floats]:
        """A probability averaged over models, and its Monte Carlo error.

        The error carries those of the log evidences (delta method), of the draws, and of learning
        the classes' shares.

        Parameters
        ----------
        by_model : array (curve, model)
            The share of each model's draws that have a property.
        draws : int

        Returns
        -------
        p, error : array (curve,)
        """
        p = (self.p_model * by_model).sum(axis=1)
        of_evidence = ((by_model - p[:, None]) * self.log_evidence_se) ** 2
        variance = of_evidence + by_model * (1 - by_model) / draws
        sampled = np.sqrt((self.p_model**2 * variance).sum(axis=1))
        return p, np.hypot(sampled, self._prevalence_error(self.by_class(by_model)))

    def with_evidence(self, log_evidence: Floats, curve: Integers | None = None) -> Floats:
        """Probability of each model had the evidences been others, at the same shares of classes.

        Parameters
        ----------
        log_evidence : array (row, model)
        curve : array of int (row,), optional
            Whose shares of the classes each row has; a row a curve by default.

        Returns
        -------
        array (row, model)
        """
        share = self.share if curve is None else self.share[curve]
        with np.errstate(divide="ignore"):
            prior = np.log(share) - np.log(self.member.sum(axis=1))
        joint = log_evidence + prior @ self.member
        total = np.logaddexp.reduce(joint, axis=1, keepdims=True)
        out: Floats = np.exp(joint - total)
        return out

    def quantiles(self, values: Sequence[Floats], at: Floats) -> Floats:
        """Quantiles over models' draws, each model weighted by its probability: (level, curve).

        Parameters
        ----------
        values : sequence of array (curve, draw)
            One a model.
        at : array (level, curve) or (level, 1)
        """
        curves = len(self.p_model)
        out = np.empty((len(at), curves))
        at = np.broadcast_to(at, out.shape)
        draws = np.array([v.shape[1] for v in values])
        for piece in pieces(curves, int(draws.sum()), 1):
            pooled = np.concatenate([v[piece] for v in values], axis=1)
            order = np.argsort(pooled, axis=1, kind="stable")
            pooled = np.take_along_axis(pooled, order, axis=1)
            weight = np.repeat(self.p_model[piece] / draws, draws, axis=1)
            summed = np.cumsum(np.take_along_axis(weight, order, axis=1), axis=1)
            summed /= summed[:, -1:]
            place = (summed < at[:, piece, None]).sum(axis=2)
            place = np.minimum(place, pooled.shape[1] - 1)
            out[:, piece] = pooled[np.arange(len(pooled)), place]
        return out


def class_evidence(log_evidence: Floats, member: Booleans) -> Floats:
    """Log evidence of each class of models, which are equally likely in it: (curve, class).

    Parameters
    ----------
    log_evidence : array (curve, model)
    member : array of bool (class, model)
    """
    sums = [
        np.logaddexp.reduce(log_evidence[:, models], axis=1) - np.log(models.sum())
        for models in member
    ]
    return np.stack(sums, axis=1)
