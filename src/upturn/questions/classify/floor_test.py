"""Floor: is it flat? Growth before the onset, and how much growth could go unseen.

A score of 0 of 200 at every small scale looks flat; so does one that doubles from 1 in 10,000 to 1
in 5,000. What has been called emergence may be growth below what the tests can resolve.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from upturn.arrays.types import Booleans, Floats
from upturn.checks.errors import counted
from upturn.formulas.scaling import bounded_of
from upturn.model import Model
from upturn.questions.arguments import part_of
from upturn.questions.classify.left_out import left_out
from upturn.questions.classify.result import Classification
from upturn.sampling import batch
from upturn.sampling.batch import Progress
from upturn.tables.curves import Curves

if TYPE_CHECKING:
    import pandas as pd

ONSET = 0.05  # quantile of the onset's posterior before which the floor is looked at
FEWEST_SCALES = 3
CONFIDENCE = 0.95
POWER = 0.8
DRAWS = 1000

# The flat model with a slope: level and slope free, the changepoint at the first point. With a
# slope of 0 it is `flat`, whose level has the same prior, so that the Bayes factor is about the
# slope alone; `logit-line` would bring another prior of the level into it.
GROWING = """
name = "growing-floor"
shape = "smooth"
summary = "log odds that grow in a straight line from the first point on"
range = "zero"

[[segments]]
kind = "level"

[[segments]]
kind = "line"

[priors]
changepoint = "Uniform(-0.0001, 0)"
slope = "HalfNormal(1)"
"""
NOISES = {"binomial": "binomial", "default": "auto"}


@dataclass(frozen=True)
class FloorTest:
    """What was found of each curve's floor.

    Attributes
    ----------
    curves : Curves
        All of them, whole.
    tested : array of bool (curve,)
        Whether three scales or more lie before the onset.
    emerged : array of bool (curve,)
        Whether there is an onset; where more likely than not nothing emerges, the whole axis was
        looked at.
    points : array (curve,)
        Before the onset.
    until : array (curve,)
        The largest scale looked at, as a coordinate.
    level : array (curve,)
        The mean score there, in native units.
    compatible_rise : array (curve,)
        The largest rise over chance that is compatible with a score at chance.
    detectable_rise : array (curve,)
        The smallest rise over chance that one model's trials would show with a power of 80 %.
    log_bf, log_bf_se : dict of array (curve,)
        Log Bayes factor of a growing floor against a flat one, and its Monte Carlo error, under
        "binomial" and "default" noise.
    slope : dict of array (3, curve)
        Growth in log odds over the stretch if it grows: ends of the 90 % interval about the median.
    """

    curves: Curves
    tested: Booleans
    emerged: Booleans
    points: Floats
    until: Floats
    level: Floats
    compatible_rise: Floats
    detectable_rise: Floats
    log_bf: dict[str, Floats]
    log_bf_se: dict[str, Floats]
    slope: dict[str, Floats]

    def summary(self) -> "pd.DataFrame":
        """One row a curve.

        Returns
        -------
        DataFrame
            Labels, `floor_points`, `floor_until` (native units), `floor_level`, `compatible_rise`
            and `detectable_rise`, and under each noise `p_grows_…` (equal odds beforehand),
            `log_bf_…` with its Monte Carlo error, and `slope_…` with `slope_low_…` and
            `slope_high_…`. NaN where fewer than three scales lie before the onset, and of the
            binomial where there are no trials.
        """
        import pandas as pd

        until = [float(a.value(x)) for a, x in zip(self.curves.axes, self.until, strict=True)]
        columns: dict[str, Any] = dict(self.curves.labels) | {
            "floor_points": self.points,
            "floor_until": until,
            "floor_level": self.level,
            "compatible_rise": self.compatible_rise,
            "detectable_rise": self.detectable_rise,
        }
        for noise in NOISES:
            log_bf = self.log_bf[noise]
            columns |= {
                f"p_grows_{noise}": 1 / (1 + np.exp(-np.clip(log_bf, -700, 700))),
                f"log_bf_{noise}": log_bf,
                f"log_bf_{noise}_se": self.log_bf_se[noise],
                f"slope_{noise}": self.slope[noise][1],
                f"slope_low_{noise}": self.slope[noise][0],
                f"slope_high_{noise}": self.slope[noise][2],
            }
        return pd.DataFrame(columns, index=pd.Index(self.curves.name.astype(object), name="curve"))

    @property
    def verdict(self) -> str:
        """One sentence: of how many floors growth is likelier than not, under either noise."""
        floors = self.tested & self.emerged
        grows = [int((self.log_bf[noise][floors] > 0).sum()) for noise in NOISES]
        return (
            f"of {counted(int(floors.sum()), 'floor')} before an onset, {grows[1]} more likely "
            f"grow than not; under binomial noise, {grows[0]}"
        )


def floor_test(
    classification: Classification,
    *,
    draws: int = DRAWS,
    threads: int | None = None,
    progress: Progress | None = None,
) -> FloorTest:
    """Test each curve's floor for growth before the onset.

    The floor is what lies before the 5 % quantile of the onset's posterior (the scale at which a
    tenth of the rise is done), or the whole axis where more likely than not nothing emerges. On
    its points `flat` is compared by evidence with a straight line in the log odds whose level has
    the same prior and whose growth over the stretch is HalfNormal(1): 0.67 in the median, from a
    score of 1 % to 2 %, or from 25 % to 39 %. Models of one scale differ in more than scale, which
    the binomial takes for growth, or for the want of it; so both noises are shown.

    The compatible rise is the largest that a score at chance leaves open: the 95 % upper limit of
    the true score, less chance (Clopper & Pearson 1934), with the median number of trials of the
    stretch. For a chance of 0 that is 1 - 0.05^(1/n), or 3/n (Hanley & Lippman-Hand 1983). The
    detectable rise is the smallest that one model's score would show as above chance (exact
    one-sided binomial test at 5 %) with a probability of 80 %: 1 - 0.2^(1/n) for a chance of 0.

    Parameters
    ----------
    classification : Classification
        The classification whose onsets are used.
    draws : int
        Posterior draws of each curve and model.
    threads : int, optional
        Number of threads; all cores by default.
    progress : callable, optional
        Called with (fits done, fits in all).

    Returns
    -------
    FloorTest

    Examples
    --------
    >>> import upturn
    >>> table = upturn.read("gpt3").where("setting=few-shot", "task=arithmetic_3da")
    >>> classification = upturn.classify(table, models=["flat", "hinge"], draws=100)
    >>> upturn.floor_test(classification, draws=100).summary().index.tolist()
    ['arithmetic_3da']
    """
    curves, onset = classification.curves, classification.onset_x(ONSET)
    before = curves.mask & (curves.x[0] < onset[:, None])
    scales = np.array([len(np.unique(x[b])) for x, b in zip(curves.x[0], before, strict=True)])
    tested, points = scales >= FEWEST_SCALES, before.sum(axis=1)
    usable = {
        noise: np.flatnonzero(tested & ((noise == "default") | (curves.kind == "counts")))
        for noise in NOISES
    }
    total, done = 2 * sum(map(len, usable.values())), 0
    results = {noise: np.full((5, len(curves)), np.nan) for noise in NOISES}
    for noise, index in usable.items():
        if len(index):
            part = curves.take(index)
            stretch = left_out(part, ~before[index, : part.mask.shape[1]])
            results[noise][:, index] = _compared(
                stretch, NOISES[noise], draws=draws, seed=classification.seed, threads=threads,
                progress=part_of(progress, done, total),
            )  # fmt: skip
            done += 2 * len(index)
    last = np.where(before, curves.x[0], -np.inf).max(axis=1, initial=-np.inf)
    level = np.where(before, curves.score, 0.0).sum(axis=1) / np.where(points, points, np.nan)
    compatible, detectable = _rises(curves, before, level)
    return FloorTest(
        curves,
        tested,
        np.isfinite(onset),
        points,
        np.where(points > 0, last, np.nan),
        level,
        compatible,
        detectable,
        {noise: values[0] for noise, values in results.items()},
        {noise: values[1] for noise, values in results.items()},
        {noise: values[2:] for noise, values in results.items()},
    )


def _compared(
    stretch: Curves,
    likelihood: str,
    *,
    draws: int,
    seed: int,
    threads: int | None,
    progress: Progress | None,
) -> Floats:
    """Log Bayes factor of growth, its error, and the slope's interval and median: (5, curve)."""
    count = len(stretch)
    flat, growing = (
        batch.sample(
            model.with_likelihood(likelihood), stretch, draws=draws, seed=seed, threads=threads,
            progress=part_of(progress, i * count, 2 * count),
        )
        for i, model in enumerate((Model.read("flat"), Model.from_toml(GROWING, "growing floor")))
    )  # fmt: skip
    slope = growing.parameters["slope"].reshape(count, -1)
    return np.stack([
        growing.population.log_evidence - flat.population.log_evidence,
        np.hypot(growing.population.log_evidence_se, flat.population.log_evidence_se),
        *np.quantile(slope, [0.05, 0.5, 0.95], axis=1),
    ])  # fmt: skip


def _rises(curves: Curves, before: Booleans, level: Floats) -> Floats:
    """The compatible and the detectable rise over chance by one model's trials: (2, curve).

    Parameters
    ----------
    curves : Curves
    before : array of bool (curve, point)
        The points of the flat stretch.
    level : array (curve,)
        Their mean score, which stands in for chance where that is unknown.

    Returns
    -------
    array (2, curve)
        NaN where there are no trials.
    """
    counted = before & (curves.trials > 0)
    trials = np.array([
        np.median(n[b]) if b.any() else np.nan for n, b in zip(curves.trials, counted, strict=True)
    ])  # fmt: skip
    chance = np.where(np.isnan(curves.chance), level, curves.chance)
    usable = bounded_of(Model.read("flat"), curves) & ~np.isnan(trials) & ~np.isnan(chance)
    out = np.full((2, len(curves)), np.nan)
    given = chance[usable], trials[usable]
    out[:, usable] = upper_limit(*given) - given[0], detectable_score(*given) - given[0]
    return out


def upper_limit(score: Any, trials: Any) -> Any:
    """One-sided 95 % upper limit of a true score, given a measured one (Clopper & Pearson 1934).

    Parameters
    ----------
    score, trials : array or float
        Score times trials need not be whole: the limit is continued by the beta distribution.

    Examples
    --------
    >>> round(float(upper_limit(0.0, 100)), 4), round(float(upper_limit(0.25, 100)), 3)
    (0.0295, 0.331)
    """
    from scipy.special import betaincinv

    solved = np.asarray(score) * trials
    return betaincinv(solved + 1, np.maximum(trials - solved, 1e-9), CONFIDENCE)


def detectable_score(chance: Any, trials: Any) -> Any:
    """The true score that an exact one-sided binomial test at 5 % tells from chance in 80 %.

    Parameters
    ----------
    chance, trials : array or float
        Trials are rounded down.

    Examples
    --------
    >>> round(float(detectable_score(0.0, 100)), 4), round(float(detectable_score(0.25, 100)), 3)
    (0.016, 0.366)
    """
    from scipy.special import betaincinv
    from scipy.stats import binom

    n = np.maximum(np.floor(trials), 1)
    # the fewest successes that chance alone gives in no more than 5 %
    fewest = np.minimum(binom.ppf(CONFIDENCE, n, chance) + 1, n)
    return betaincinv(fewest, n - fewest + 1, POWER)
