"""Counts: trials that the rows of a curve share, and the successes behind a score."""

from dataclasses import replace

import numpy as np

from upturn.tables.readers.schema import CURVE, Clean, ids_of

_TWO_DIGITS = 0.02  # derived numbers of trials that differ less come of a rounded stderr
_SCORE_DIGITS = 1e-6  # scores are printed to six digits
_SHARED_TRIALS = "trials of a score of 0 or 1 taken from the curve's other rows"
_ROUNDED = "score × trials is no whole number, rounded to the nearest count"


def share_trials(clean: Clean) -> Clean:
    """Give scores of 0 and 1 with a reported standard error the trials of their curve.

    Their error is 0 whatever the trials are. Leaving such rows out would cut off the flat part of
    the curves that matter most, so they take the number that the derived rows agree on.
    """
    frame = clean.frame
    if "stderr" not in frame:
        return clean
    ids = ids_of(frame, [column for column in CURVE if column in frame])
    known = frame["trials"].groupby(ids).agg(["min", "median", "max"])
    agreed = known["median"].where(known["max"] - known["min"] <= _TWO_DIGITS * known["median"])
    curve_trials = np.rint(agreed.to_numpy()[ids])
    certain = frame["score"].isin([0.0, 1.0]) & frame["stderr"].notna() & frame["trials"].isna()
    shared = certain & ~np.isnan(curve_trials) & ~clean.is_continuous
    trials = frame["trials"].where(~shared, curve_trials)
    return replace(
        clean,
        frame=frame.assign(trials=trials),
        marks=clean.marks.assign(**{_SHARED_TRIALS: shared}),
    )


def counted_successes(clean: Clean) -> Clean:
    """Fill in the successes of proportions with trials: the count nearest to score × trials."""
    frame = clean.frame
    score, given, trials = (
        frame[c].to_numpy(dtype=np.float64) for c in ("score", "successes", "trials")
    )
    proportions = ~clean.is_continuous
    nearest = np.rint(score * trials)
    counts = proportions & np.isnan(given) & ~np.isnan(trials)
    rounded = counts & (np.abs(nearest / trials - score) > _SCORE_DIGITS)
    return replace(
        clean,
        frame=frame.assign(successes=np.where(counts, nearest, given)),
        marks=clean.marks.assign(**{_ROUNDED: rounded}),
    )
