"""Noise that is correlated from one score of a run to the next.

The scores of a run are ordered. Given those before it, each has the beta-binomial distribution with
a shifted mean (above the curve if the scores before were above it) and a smaller overdispersion.
This is the filter of a dynamic generalised linear model (West, Harrison
and Migon 1985, section 4) whose state x is the noise in units of its standard deviation, a
stationary autoregression of order one with correlation phi and variance 1. Given the scores before,
x has mean `at` and variance `variance`, and the rate of success is beta distributed with

    logit of the mean = logit(mean) + sd at,    intra-class correlation = variance rho,

sd being that of the logit of a rate with the beta distribution Beta(a, b) of the likelihood,
a + b = 1/rho - 1, a/(a + b) = mean. The score updates that beta distribution by Bayes' rule, and
the changes of the mean and variance of the logit are applied to the state. The step to the next
score is
at ← phi at, variance ← 1 - phi^2 (1 - variance).

If a and b are well below 1, nearly all scores are 0 or the number of trials, noise is not normal on
the logit scale, and the state would seem better known than it is: only the share
a/(a + 0.2) b/(b + 0.2) of the changes is applied (`DOUBT`). That 0.2 and the constants of
`spread_of_log_odds` were chosen by comparison with a latent Gaussian process whose marginal
distributions are these betas (a Gaussian copula of rates; Song 2000), see docs/decisions.md.

These are approximations as a filter of a latent process, but every conditional distribution is
normalised, and so is their product, for every phi; at phi = 0 it is the likelihood of independent
scores.
"""

from collections.abc import Mapping
from typing import Any

from upturn.arrays.compiled import MEAN_MARGIN
from upturn.formulas.kernels.autocorrelated import DOUBT, FARTHEST_SHIFT, LARGEST_SIZE

CORRELATION = "autocorrelation"

type Given = tuple[Any, dict[str, Any], tuple[Any, Any]]


def spread_of_log_odds(a: Any, b: Any) -> Any:
    """The variance of logit x, x ~ Beta(a, b), without its long tail for small a or b.

    Approximately trigamma(a) + trigamma(b), but bounded: the next score would not share a deviation
    towards log 0.

    Parameters
    ----------
    a, b : array

    Examples
    --------
    >>> round(spread_of_log_odds(20.0, 30.0), 3)  # trigamma: 0.0847
    0.085
    """
    return 1 / (a + 0.5) + 1 / (b + 0.5) + 1 / (a + 0.25) ** 2 + 1 / (b + 0.25) ** 2


def moved_log_odds(xp: Any, a: Any, b: Any, k: Any, m: Any) -> Any:
    """The change of the mean of logit x, x ~ Beta(a, b), by k successes and m failures.

    That mean is digamma(a) - digamma(b), with the integral of the bounded trigamma above for
    digamma.
    """
    c, d = a + k, b + m
    ratio = (c + 0.5) * (b + 0.5) / ((d + 0.5) * (a + 0.5))
    return xp.log(ratio) + 1 / (a + 0.25) - 1 / (b + 0.25) - 1 / (c + 0.25) + 1 / (d + 0.25)


def conditional(xp: Any, mean: Any, p: Mapping[str, Any], at: Any, variance: Any) -> Given:
    """A score given those before it.

    Parameters
    ----------
    xp : namespace
        See `upturn.arrays`.
    mean : array
        Expected score by the curve, within (0, 1).
    p : mapping
        Parameters of the likelihood.
    at, variance : array
        Mean and variance of the noise given the scores before, in units of its standard deviation.

    Returns
    -------
    mean : array
    p : dict
        Parameters of the likelihood of a score by itself.
    scale : tuple of array
        The standard deviation of the noise on log odds, and the share of an update of the state
        that is applied.
    """
    mean = xp.clip(mean, MEAN_MARGIN, 1 - MEAN_MARGIN)
    size = 1 / xp.clip(p["overdispersion"] ** 2, 1 / (LARGEST_SIZE + 1), 0.999) - 1
    a, b = mean * size, (1 - mean) * size
    sd = xp.sqrt(spread_of_log_odds(a, b))
    odds = mean / (1 - mean) * xp.exp(xp.clip(sd * at, -FARTHEST_SHIFT, FARTHEST_SHIFT))
    moved = xp.clip(odds / (1 + odds), MEAN_MARGIN, 1 - MEAN_MARGIN)
    gain = a * b / ((a + DOUBT) * (b + DOUBT))
    whole = xp.minimum((size + 1) / variance - 1, LARGEST_SIZE)
    return moved, {**p, "overdispersion": xp.sqrt(1 / (whole + 1))}, (sd, gain)


def updated(xp: Any, given: Given, state: tuple[Any, Any], k: Any, n: Any) -> tuple[Any, Any]:
    """The state before the next score, after k successes of n trials.

    Parameters
    ----------
    xp : namespace
    given : tuple
        From `conditional`.
    state : tuple of array
        `at` and `variance` before this score.
    k, n : array
        Successes and trials.
    """
    (at, variance), (mean, p, (sd, gain)) = state, given
    size = 1 / p["overdispersion"] ** 2 - 1
    a, b = mean * size, (1 - mean) * size
    left = spread_of_log_odds(a + k, b + n - k) / spread_of_log_odds(a, b)
    moved = gain * moved_log_odds(xp, a, b, k, n - k) / sd
    return step(p[CORRELATION], at + moved, variance * (1 - gain * (1 - left)))


def step(correlation: Any, at: Any, variance: Any) -> tuple[Any, Any]:
    """The state a step later."""
    return correlation * at, correlation * correlation * (variance - 1) + 1
