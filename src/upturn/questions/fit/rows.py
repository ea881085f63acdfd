"""The rows of a fit's table, as numbers and as text."""

from typing import TYPE_CHECKING, Any

import numpy as np

from upturn.arrays.types import Floats
from upturn.checks.arguments import interval_levels
from upturn.questions.fit.contents import Contents, interval_text
from upturn.tables.curves import Curves

if TYPE_CHECKING:
    import pandas as pd

SCALES = {"scale": "threshold_scale", "changepoint": "changepoint_scale"}


def summary(
    fit: Contents, verdicts: list[str], flags: list[list[str]], ci: float
) -> "pd.DataFrame":
    """One row a curve; see `upturn.Fit.summary`."""
    import pandas as pd

    columns: dict[str, Any] = dict(fit.curves.labels)
    columns |= {
        "points": fit.curves.points,
        "verdict": verdicts,
        "p_change": fit.stat("p_change"),
        **_interval(fit, "scale", ci),
        "gain": np.median(fit.variable("gain"), axis=1),
        **_interval(fit, "changepoint", ci),
        **{name: fit.stat(name) for name in ("ess", "khat", "rhat", "log_evidence")},
        "flags": ["; ".join(texts) for texts in flags],
    }
    return pd.DataFrame(columns, index=_index(fit))


def texts(fit: Contents, ci: float) -> "pd.DataFrame":
    """Scales as people read them; see `upturn.Fit.texts`."""
    import pandas as pd

    levels = interval_levels(ci)
    columns: dict[str, list[str]] = {}
    for name, variable in SCALES.items():
        if name == "changepoint" and not fit.model.changepoints:
            columns[name] = [""] * len(fit.curves)
            continue
        lows, medians, highs = (
            [fit.scale_text(i, x) for i, x in enumerate(row)]
            for row in fit.quantiles(variable, levels)
        )
        columns[name] = medians
        if name == "scale":
            columns["interval"] = [interval_text(*ends) for ends in zip(lows, highs, strict=True)]
    return pd.DataFrame(columns, index=_index(fit))


def _index(fit: Contents) -> "pd.Index[Any]":
    import pandas as pd

    return pd.Index(fit.curves.name.astype(object), name="curve")


def _interval(fit: Contents, name: str, ci: float) -> dict[str, np.ndarray]:
    """Columns of a scale in native units: median, ends, and whether it lies beyond the axis."""
    censored = "censored" if name == "scale" else f"{name}_censored"
    if name == "changepoint" and not fit.model.changepoints:
        count = len(fit.curves)
        ends = dict.fromkeys((name, f"{name}_low", f"{name}_high"), np.full(count, np.nan))
        return {**ends, censored: np.zeros(count, dtype=np.bool_)}
    x = fit.quantiles(SCALES[name], interval_levels(ci))
    low, middle, high = _native(fit, x)
    return {
        name: middle,
        f"{name}_low": np.minimum(low, high),
        f"{name}_high": np.maximum(low, high),
        censored: np.isinf(x[1]),
    }


def _native(fit: Contents, x: Floats) -> Floats:
    """Coordinates (level, curve) in native units."""
    out = np.empty_like(x)
    with np.errstate(over="ignore", under="ignore"):
        for i, axis in enumerate(fit.one_axis.axes):
            out[:, i] = axis.value(x[:, i])
    return out


def broken(curves: Curves, p_broken: Floats) -> "pd.DataFrame":
    """The probability (curve, point) that each score is broken; see `upturn.Fit.broken`."""
    import pandas as pd

    curve, point = np.nonzero(curves.mask)
    return pd.DataFrame(
        {
            "curve": curves.name[curve],
            **{name: values[curve] for name, values in curves.labels.items()},
            "model": curves.model[curve, point],
            "score": curves.score[curve, point],
            "p_broken": p_broken[curve, point],
        }
    )
