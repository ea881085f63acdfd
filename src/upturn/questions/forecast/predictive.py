"""Predictive distributions of new scores, averaged over models.

Each model has the same number of draws, weighted by its posterior probability, so that a model with
little weight is represented as well as any other. Scores are drawn with the noise of the
likelihood, and with the offset of their group.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from upturn.arrays.compiled import MEAN_MARGIN
from upturn.arrays.namespaces import NUMPY
from upturn.arrays.types import Floats, Integers
from upturn.formulas.likelihoods.likelihood import Likelihood
from upturn.model import Model
from upturn.posterior.averaging import probabilities
from upturn.posterior.emergence import expected
from upturn.sampling.batch import Sample, joined_chains
from upturn.sampling.density.pointwise import draw_offsets
from upturn.sampling.density.target import Target
from upturn.tables.curves import Curves

MATTERS = 1e-4  # smallest probability of a model whose draws are kept


@dataclass(frozen=True)
class Part:
    """Draws of one model: parameters on its scale by name, each (draw,), and its probability."""

    model: Model
    p: Mapping[str, Floats]
    weight: float

    @property
    def draws(self) -> int:
        return len(next(iter(self.p.values())))


@dataclass(frozen=True, eq=False)
class Mixture:
    """Draws of one curve over all models.

    Attributes
    ----------
    parts : tuple of Part
        Models whose probability is not negligible.
    curve : Curves
        The points that the draws were fitted to: one curve.
    """

    parts: tuple[Part, ...]
    curve: Curves

    @cached_property
    def weight(self) -> Floats:
        """The weight of each draw; the weights sum to 1."""
        weights = [np.full(part.draws, part.weight / part.draws) for part in self.parts]
        together = np.concatenate(weights)
        return together / together.sum()

    @cached_property
    def likelihood(self) -> Likelihood:
        """The likelihood, which is the same for all models."""
        return self.parts[0].model.likelihood_for(str(self.curve.kind[0]))

    def u(self, x: Floats) -> Floats:
        """Coordinates on the unit axis of the fit, which may exceed 1."""
        low, high = self.curve.limits[:, 0, 0]
        return np.asarray((x - low) / (high - low))

    def expected(self, x: Floats) -> Floats:
        """Expected scores without offsets at coordinates x (place,): (place, draw)."""
        u = self.u(x)[None]
        scores = [
            expected(part.model, {k: v[None] for k, v in part.p.items()}, u, self._ceiling)[0]
            for part in self.parts
        ]
        return np.concatenate(scores, axis=1)

    def scored(
        self, x: Floats, group: Integers, response: Floats, trials: Floats, seed: int
    ) -> tuple[Floats, Floats]:
        """Draws of new scores, and the probability of the observed ones.

        Parameters
        ----------
        x : array (point,)
            Coordinates.
        group : array of int (point,)
            The scatter group of each point, -1 if it has none.
        response, trials : array (point,)
            The observed successes and trials, or the observed score.
        seed : int
            Random seed.

        Returns
        -------
        score : array (point, draw)
            Proportions.
        log_density : array (point,)
            Log probability of the successes, or log density of the score.
        """
        rng = np.random.Generator(np.random.Philox(seed))
        scores, densities = [], []
        for part in self.parts:
            mean = self._shifted(part, x, group, rng)
            noise = {n: part.p[n][None, None] for n in self.likelihood.parameters}
            y, n = response[None, :, None], trials[None, :, None]
            terms = self.likelihood.log_terms(NUMPY, mean[None], noise, y, n)
            densities.append((terms + self.likelihood.log_rest(NUMPY, noise, y, n))[0])
            scores.append(drawn(self.likelihood, rng, mean, part.p, trials[:, None]))
        density = np.concatenate(densities, axis=1) + np.log(self.weight)
        return np.concatenate(scores, axis=1), np.logaddexp.reduce(density, axis=1)

    def _shifted(self, part: Part, x: Floats, group: Integers, rng: np.random.Generator) -> Floats:
        """Expected scores (point, draw), shifted by draws of the group's offset."""
        u = np.broadcast_to(self.u(x)[:, None], (len(x), part.draws))
        target = Target(part.model, self.curve, self.likelihood)
        if target.grouped:
            count = max(int(group.max(initial=-1)), int(self.curve.group.max(initial=-1))) + 1
            parameters = {name: part.p[name] for name in target.names}
            epsilon = rng.standard_normal((count, part.draws))
            known = draw_offsets(target, 0, parameters, rng.uniform(size=(count, part.draws)))
            epsilon[: len(known)] = known
            alone = rng.standard_normal((len(x), part.draws))
            u = u + part.p["scatter"] * np.where(group[:, None] >= 0, epsilon[group], alone)
        p = {name: part.p[name][None, None] for name in part.model.parameters}
        mean = part.model.mean(NUMPY, p, u[None], self._ceiling[:, None, None])
        return np.clip(np.broadcast_to(mean, (1, *u.shape))[0], MEAN_MARGIN, 1 - MEAN_MARGIN)

    @property
    def _ceiling(self) -> Floats:
        return np.where(np.isnan(self.curve.ceiling), 1.0, self.curve.ceiling)


def drawn(
    likelihood: Likelihood,
    rng: np.random.Generator,
    mean: Floats,
    p: Mapping[str, Floats],
    trials: Floats,
) -> Floats:
    """Scores of a bounded likelihood, as proportions: (point, draw).

    Parameters
    ----------
    likelihood : Likelihood
        A likelihood of counts or of proportions.
    rng : Generator
        Source of random numbers.
    mean : array (point, draw)
        Expected scores.
    p : mapping of array (draw,)
        Parameters of the likelihood by name.
    trials : array (point, 1)
        Trials behind each score.

    Returns
    -------
    array (point, draw)
    """
    noise = {name: np.broadcast_to(p[name], mean.shape) for name in likelihood.parameters}
    y = likelihood.draw(rng, mean, noise, np.broadcast_to(trials, mean.shape))
    return y / np.maximum(trials, 1) if likelihood.counted else y


def mixtures(models: Sequence[Model], samples: Sequence[Sample], curves: Curves) -> list[Mixture]:
    """Draws of each curve over all models whose probability is not negligible.

    Parameters
    ----------
    models : sequence of Model
    samples : sequence of Sample
        One for each model, with all curves.
    curves : Curves
        The fitted points.
    """
    evidence = np.stack([sample.population.log_evidence for sample in samples], axis=1)
    p = probabilities(models, evidence)
    flat = [joined_chains(sample.parameters) for sample in samples]
    return [
        Mixture(
            tuple(
                Part(model, {name: value[i] for name, value in parameters.items()}, weight)
                for model, parameters, weight in zip(models, flat, p[i].tolist(), strict=True)
                if weight >= MATTERS
            ),
            curves.take([i]),
        )
        for i in range(len(curves))
    ]
