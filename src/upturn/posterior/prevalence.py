"""Prevalence: how common each class of shapes is in a table, learned from the table.

A hundred noisy flat tasks, judged one by one with equal prior odds, yield a handful of
discoveries by chance. Judged together, the table says that discoveries are rare in it.
"""

from dataclasses import dataclass

import numpy as np

from upturn.arrays.types import Floats

SWEEPS = 4_000
BURN_IN = 200
BATCHES = 20  # of sweeps, by which the Monte Carlo error is told


@dataclass(frozen=True)
class Prevalence:
    """Posterior of the classes.

    Attributes
    ----------
    share, share_sd : array (class,)
        Posterior mean and standard deviation of the share of each class among the curves.
    probability : array (curve, class)
        Of each curve's class, averaged over the shares.
    batches : array (batch, curve, class)
        The same over each of some equal parts of the sweeps; none where nothing was sampled.
    """

    share: Floats
    share_sd: Floats
    probability: Floats
    batches: Floats

    def error(self, value: Floats) -> Floats:
        """Monte Carlo standard error of the sum over classes of probability times value: (curve,).

        By batch means (Flegal, Haran & Jones 2008): the sums of batches of sweeps long against the
        sweeps' correlation are as good as independent.

        Parameters
        ----------
        value : array (curve, class)
        """
        count = len(self.batches)
        if count < 2:
            return np.zeros(len(self.probability))
        sums = np.einsum("bcl,cl->bc", self.batches, value)
        return sums.std(axis=0, ddof=1) / np.sqrt(count)


def equal(log_evidence: Floats) -> Prevalence:
    """Equal prior odds of the classes for every curve by itself.

    Parameters
    ----------
    log_evidence : array (curve, class)
    """
    p = np.exp(log_evidence - log_evidence.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    classes = log_evidence.shape[1]
    return Prevalence(np.full(classes, 1 / classes), np.zeros(classes), p, np.empty((0, *p.shape)))


def learned(log_evidence: Floats, seed: int) -> Prevalence:
    """Shares pi ~ Dirichlet(1, …, 1), class of each curve ~ pi, by Gibbs sampling.

    Probabilities are averages over sweeps of p(class | pi), not of drawn classes (Rao & Blackwell).

    Parameters
    ----------
    log_evidence : array (curve, class)
    seed : int
    """
    generator = np.random.Generator(np.random.Philox(seed))
    curves, classes = log_evidence.shape
    likelihood = np.exp(log_evidence - log_evidence.max(axis=1, keepdims=True))
    pi = np.full(classes, 1 / classes)
    kept = SWEEPS - BURN_IN
    batches, shares = np.zeros((BATCHES, curves, classes)), np.empty((kept, classes))
    for sweep in range(-BURN_IN, kept):
        p = likelihood * pi
        p /= p.sum(axis=1, keepdims=True)
        if sweep >= 0:
            batches[sweep * BATCHES // kept] += p
            shares[sweep] = pi
        mark = generator.random((curves, 1))
        drawn = np.minimum((np.cumsum(p, axis=1) < mark).sum(axis=1), classes - 1)
        pi = generator.dirichlet(1 + np.bincount(drawn, minlength=classes))
    batches /= kept / BATCHES
    return Prevalence(shares.mean(axis=0), shares.std(axis=0), batches.mean(axis=0), batches)
