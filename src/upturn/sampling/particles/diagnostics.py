"""Diagnostics: agreement of replicates, and Monte Carlo errors."""

import numpy as np

from upturn.arrays.types import Booleans, Floats

AGREE_RHAT = 1.02
# The most by which R̂ of independent draws exceeds 1, times the draws in a chain: B/W is chi-square
# with 3 degrees of freedom over 3 n, which is above 25.9 / 3 n once in 10^5.
CHANCE_RHAT = 5.0
# The largest accepted spread of four replicates, in standard errors: normal errors exceed it 4
# times in 10^13, but those of importance weights have longer tails.
AGREE_EVIDENCE = 4.5


def rhat(draws: Floats) -> Floats:
    """Potential scale reduction over replicates (Gelman & Rubin 1992), worst parameter.

    Replicates are independent and their draws are not ordered in time, so splitting chains would
    add nothing.

    Parameters
    ----------
    draws : array (curve, parameter, chain, draw)

    Returns
    -------
    array (curve,)
    """
    count = draws.shape[3]
    within = draws.var(axis=3, ddof=1).mean(axis=2)
    between = draws.mean(axis=3).var(axis=2, ddof=1)
    still = within <= 0
    ratio = (count - 1) / count + between / np.where(still, 1.0, within)
    return np.sqrt(np.where(still, np.where(between > 0, np.inf, 1.0), ratio)).max(axis=1)


def log_evidence(by_replicate: Floats, ess: Floats) -> tuple[Floats, Floats]:
    """Log evidence of replicates combined, and its standard error.

    The error is the larger of two estimates: 1/sqrt(ess), from the weights (delta method), and the
    spread of the replicates. The spread of four is less than half the truth one time in seven, and
    the weights miss what no replicate has reached.

    Parameters
    ----------
    by_replicate : array (curve, replicate)
    ess : array (curve,)

    Returns
    -------
    log_evidence, standard error : array (curve,)
    """
    top = by_replicate.max(axis=1)
    relative = np.exp(by_replicate - top[:, None])
    count = by_replicate.shape[1]
    spread = relative.std(axis=1, ddof=1) / relative.mean(axis=1) / np.sqrt(count)
    return np.log(relative.mean(axis=1)) + top, np.maximum(spread, 1 / np.sqrt(ess))


def agree(by_replicate: Floats, ess: Floats, rhat: Floats, draws: int) -> Booleans:
    """Whether the replicates agree in R̂ and evidence: (curve,).

    Parameters
    ----------
    by_replicate : array (curve, replicate)
        Log evidences.
    ess, rhat : array (curve,)
    draws : int
        In each chain.
    """
    error = np.sqrt(by_replicate.shape[1] / ess)  # of one replicate's log evidence
    same_evidence = by_replicate.std(axis=1, ddof=1) < AGREE_EVIDENCE * error + 0.02
    return (rhat < AGREE_RHAT + CHANCE_RHAT / draws) & same_evidence


def worth(draws: Floats, weight: Floats) -> Floats:
    """The effective size for the mean of a parameter, as a share of Kong's effective size.

    The mean under importance sampling has variance sum w² (f - mean)² for normalised weights w.
    That is the posterior variance over (sum w)² / sum w² only if w and f are independent (Owen
    2013, section 9.3). Draws were resampled with probability w, so each counts w in the first sum.

    Parameters
    ----------
    draws : array (curve, chain, draw)
    weight : array (curve, chain, draw)
        Of the particles that the draws were made from.

    Returns
    -------
    array (curve,)
        At most 1.
    """
    squared = np.square(draws - draws.mean(axis=(1, 2), keepdims=True))
    plain = squared.mean(axis=(1, 2)) * weight.mean(axis=(1, 2))
    weighted = (squared * weight).mean(axis=(1, 2))
    return np.where(weighted > plain, plain / np.where(weighted > 0, weighted, 1.0), 1.0)
