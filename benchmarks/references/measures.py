"""Measures: how far a sampler's answers are from a reference, in units that mean something."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import t as student_t

from benchmarks.output import report

type Floats = NDArray[np.float64]

LEVELS = (0.05, 0.95)
FUNCTIONALS = ("mean", "5 %", "95 %")


# --- effective draws by replication ---------------------------------------------------------------


def functionals(draws: Floats) -> Floats:
    """Mean and 5 % and 95 % quantiles of draws (…, draw): (…, 3)."""
    low, high = np.quantile(draws, LEVELS, axis=-1)
    return np.stack([draws.mean(axis=-1), low, high], axis=-1)


def effective_draws(estimates: Floats, truth: Floats, variance: Floats) -> Floats:
    """Posterior variance over the mean squared error against the reference.

    It needs no formula for an effective sample size, and a bias that all seeds share counts
    as the error it is. For the mean of independent draws it is their number; for a 5 % quantile
    of a normal posterior a 4.5th of it, for every sampler alike.

    Parameters
    ----------
    estimates : array (seed, curve, functional)
    truth : array (curve, functional)
    variance : array (curve,)

    Returns
    -------
    array (curve, functional)
    """
    return variance[:, None] / np.square(estimates - truth).mean(axis=0)


def per_evaluation(effective: Floats, evaluations: Floats) -> dict[str, Any]:
    """Effective draws for each evaluation of a curve's likelihood, and how many a run made.

    Parameters
    ----------
    effective : array (curve, functional)
    evaluations : array (curve,)
        Of a run, on average.
    """
    ratio = effective / evaluations[:, None]
    return {
        "evaluations": [np.median(evaluations), evaluations.max()],
        "median": np.median(ratio, axis=0),
        "worst": ratio.min(axis=0),
    }


def cost_table(rows: Mapping[str, Mapping[str, Any]], functionals: Sequence[str]) -> str:
    """Draws an evaluation, of the median and the worst curve.

    Parameters
    ----------
    rows : mapping
        What `per_evaluation` gave, by sampler.
    functionals : sequence of str
    """
    columns = ["draws an evaluation", "evaluations a curve", "most"]
    columns += [f"{which}, {f}" for which in ("median", "worst") for f in functionals]
    lines = [
        [name, *map(float, entry["evaluations"]), *map(float, entry["median"]),
         *map(float, entry["worst"])]
        for name, entry in rows.items()
    ]  # fmt: skip
    return report.table(columns, lines)


def relative_error(seeds: int) -> float:
    """The standard error of a mean of as many squared errors, relative to it."""
    return float(np.sqrt(2 / seeds))


# --- moments with Monte Carlo errors --------------------------------------------------------------


@dataclass(frozen=True)
class Moment:
    """An estimate with its Monte Carlo standard error and that error's degrees of freedom."""

    value: Floats
    error: Floats
    degrees: float


def by_replicates(draws: Floats) -> tuple[Moment, Moment]:
    """Mean and sd from independent replicates (curve, replicate, draw), errors by their spread."""
    count = draws.shape[1]
    means = draws.mean(axis=2)
    mean = means.mean(axis=1)
    squares = np.square(draws - mean[:, None, None]).mean(axis=2)
    sd = np.sqrt(squares.mean(axis=1))
    root = np.sqrt(count)
    error = squares.std(axis=1, ddof=1) / root / (2 * np.maximum(sd, 1e-300))
    return (
        Moment(mean, means.std(axis=1, ddof=1) / root, count - 1),
        Moment(sd, error, count - 1),
    )


def by_chains(draws: Floats) -> tuple[Moment, Moment, Floats, Floats]:
    """Mean and sd from Markov chains (…, chain, draw) with ArviZ's errors; R̂ and bulk ESS."""
    from arviz_stats.base import array_stats as stats_of_arrays

    array_stats: Any = stats_of_arrays
    mean, sd = draws.mean(axis=(-2, -1)), draws.std(axis=(-2, -1))
    return (
        Moment(mean, array_stats.mcse(draws, method="mean"), np.inf),
        Moment(sd, array_stats.mcse(draws, method="sd"), np.inf),
        array_stats.rhat(draws),
        array_stats.ess(draws, method="bulk"),
    )


def z_score(ours: Moment, theirs: Moment) -> Floats:
    """The difference in combined Monte Carlo standard errors, as a normal deviate.

    An error estimated from n replicates has n - 1 degrees of freedom: the t value is mapped to the
    normal deviate of the same tail, with Welch's degrees, so that a bound of 4 means the same
    whatever n was.
    """
    a, b = ours.error**2, theirs.error**2
    t = (ours.value - theirs.value) / np.sqrt(np.maximum(a + b, 1e-300))
    spent = a * a / ours.degrees + b * b / theirs.degrees
    degrees = np.where(spent > 0, (a + b) ** 2 / np.where(spent > 0, spent, 1), np.inf)
    log_tail = student_t.logsf(np.abs(t), np.minimum(degrees, 1e6))
    # bounded where exp underflows
    return np.asarray(np.sign(t) * -ndtri(np.exp(np.maximum(log_tail, -700.0))))


@dataclass(frozen=True)
class Tally:
    """How many of a set of z-scores are large, and how many would be by chance."""

    count: int
    largest: float
    beyond_3: int
    beyond_4: int
    expected_3: float
    expected_4: float

    @classmethod
    def of(cls, z: Floats) -> "Tally":
        z = np.abs(z[np.isfinite(z)])
        return cls(
            len(z),
            float(z.max(initial=0)),
            int((z > 3).sum()),
            int((z > 4).sum()),
            len(z) * 2.70e-3,
            len(z) * 6.33e-5,
        )


# --- one run of a sampler, and a contest ----------------------------------------------------------

WRONG = 4.0  # standard errors
RHAT = 1.01
LEAST_ESS = 400
MOST_BIAS = 0.1  # posterior sds


@dataclass(frozen=True)
class Reduced:
    """What is kept of one run: little enough to be sent from process to process.

    Attributes
    ----------
    seconds : float
    functionals : array (curve, functional)
        Of the changepoint.
    mean, error : dict of array (curve,)
        Posterior means by parameter, and the Monte Carlo standard errors that the run claims.
    rhat, ess : array (curve,)
        Of the worst parameter.
    flagged : array (curve,)
        Whether a user would have been warned of the curve: R̂, effective size, or what the sampler
        itself objects to.
    evaluations : array (curve,) or None
    """

    seconds: float
    functionals: Floats
    mean: dict[str, Floats]
    error: dict[str, Floats]
    rhat: Floats
    ess: Floats
    flagged: NDArray[np.bool_]
    evaluations: Floats | None

    @classmethod
    def of(cls, answer: Any) -> "Reduced":
        """The same measures for every sampler; see `benchmarks.samplers.Answer`.

        The error that a run claims of a mean is the larger of sd / √ESS, ArviZ's or that of the
        weights, and what the spread of its chains says.
        """
        from arviz_stats.base import array_stats as stats_of_arrays

        array_stats: Any = stats_of_arrays
        mean, error, rhat, ess = {}, {}, [], []
        for name, draws in answer.draws.items():
            curves, chains, _ = draws.shape
            still = np.ptp(draws.reshape(curves, -1), axis=1) == 0
            reported = np.ones(curves)
            worst = np.ones(curves)
            for i in np.flatnonzero(~still):
                reported[i] = array_stats.ess(draws[i], method="mean")
                worst[i] = array_stats.rhat(draws[i])
            if answer.ess is not None:
                reported = np.asarray(answer.ess, dtype=float)
            spread = draws.mean(axis=2).std(axis=1, ddof=1) / np.sqrt(chains)
            mean[name] = draws.mean(axis=(1, 2))
            error[name] = np.maximum(spread, draws.std(axis=(1, 2)) / np.sqrt(reported))
            rhat.append(worst)
            ess.append(reported)
        worst_rhat, least = np.max(rhat, axis=0), np.min(ess, axis=0)
        flagged = (worst_rhat > RHAT) | (least < LEAST_ESS)
        if answer.objections is not None:
            flagged |= answer.objections
        return cls(
            answer.seconds, functionals(answer.tau), mean, error, worst_rhat, least, flagged,
            answer.evaluations,
        )  # fmt: skip


@dataclass(frozen=True)
class Truth:
    """References of some curves.

    Attributes
    ----------
    functionals : array (curve, functional)
        Of the changepoint.
    mean, sd, error : dict of array (curve,)
        By parameter; the errors are those of the references' means.
    """

    functionals: Floats
    mean: dict[str, Floats]
    sd: dict[str, Floats]
    error: dict[str, Floats]

    @property
    def variance(self) -> Floats:
        """Of the changepoint: (curve,)."""
        return self.sd["changepoint"] ** 2


def z_by_parameter(run: Reduced, truth: Truth) -> dict[str, Floats]:
    """Errors of posterior means in standard errors, references' included: (curve,) of each."""
    results = {}
    for name, mean in run.mean.items():
        squared = run.error[name] ** 2 + truth.error[name] ** 2
        results[name] = np.abs(mean - truth.mean[name]) / np.sqrt(np.maximum(squared, 1e-300))
    return results


def judged(runs: list[Reduced], truth: Truth) -> dict[str, Any]:
    """How right and how fast a sampler is, from independent runs of it.

    A run is wrong on a curve where a posterior mean is more than 4 standard errors off, by its own
    reckoning of them. `bias` is what all runs share, in posterior standard deviations, of the mean
    and the quantiles of the changepoint: a sampler that claims too large an error has it too.
    """
    seconds = np.array([run.seconds for run in runs])
    estimates = np.stack([run.functionals for run in runs])
    effective = effective_draws(estimates, truth.functionals, truth.variance)
    rate = effective / seconds.mean()
    by_run = [z_by_parameter(run, truth) for run in runs]
    # nan stays, and is wrong
    z = np.stack([np.max(list(values.values()), axis=0) for values in by_run])
    flagged = np.stack([run.flagged for run in runs])
    rhat = np.stack([run.rhat for run in runs])
    wrong = ~(z <= WRONG)
    bias = (estimates.mean(axis=0) - truth.functionals) / np.sqrt(truth.variance)[:, None]
    counted = [run.evaluations for run in runs if run.evaluations is not None]
    return {
        "seeds": len(runs),
        "seconds": seconds.mean(),
        "seconds_spread": seconds.std(ddof=1) if len(runs) > 1 else 0.0,
        "effective": effective,
        "a_second": rate,
        "worst": rate.min(axis=0),
        "median": np.median(rate, axis=0),
        "relative_error": relative_error(len(runs)),
        "bias": bias,
        "z": z.max(axis=0),
        "z_by_parameter": {name: np.max([values[name] for values in by_run]) for name in by_run[0]},
        "runs": z.size,
        "wrong": int(wrong.sum()),
        "wrong_unflagged": int((wrong & ~flagged).sum()),
        "large_rhat": int((rhat > RHAT).sum()),
        "flagged": int(flagged.sum()),
        "per_evaluation": per_evaluation(effective, np.mean(counted, axis=0)) if counted else None,
    }
