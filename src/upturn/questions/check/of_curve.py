"""The tests of one curve."""

from dataclasses import dataclass

import numpy as np

from upturn.arrays.types import Floats
from upturn.questions.check.findings import REMEDIES, Finding
from upturn.questions.check.pvalues import at_floor, p_of_level, p_values
from upturn.questions.check.residuals import Residuals
from upturn.questions.check.statistics import Setting, followers, steps
from upturn.questions.fit.contents import Contents
from upturn.tables.curves import Curves

FEWEST = 5  # points of a curve that can be checked
FEWEST_PAIRS = 4  # of scores that follow each other in a run
FLAT_SCALES = 3  # at the floor, from which a score above chance counts against it too


@dataclass(frozen=True, eq=False)
class Checked:
    """What was found of one curve, and its residuals.

    Attributes
    ----------
    tests : tuple of Finding
        One for each test that was made, whatever it found.
    residual : array (point,)
        In standard deviations of what they would be by chance; in the order of the curve's points.
    expected : array (point,)
        Expected scores in native units.
    """

    tests: tuple[Finding, ...]
    residual: Floats
    expected: Floats


def checked(fit: Contents, curves: Curves, i: int, rng: np.random.Generator) -> Checked:
    """Every test of one curve.

    Parameters
    ----------
    fit : Contents
    curves : Curves
        All of them, on one axis each.
    i : int
    rng : Generator
    """
    residuals = Residuals.of(fit, curves, i, rng)
    setting = Setting(residuals.share, curves.run[i, residuals.place])
    tests: list[Finding] = []
    if curves.points[i] >= FEWEST and np.ptp(curves.x[0, i, : curves.points[i]]) > 0:
        p = p_values(residuals, setting, _kinds(fit, curves, i, setting), rng)
        for kind, value in p.items():
            where, says = _said(kind, residuals, setting, curves, i)
            tests.append(Finding(i, kind, where, value, says, REMEDIES[kind]))
        tests += _of_chance(fit, residuals, curves, i, rng)
    back = np.argsort(residuals.place)
    native = fit.scaling.take(np.array([i])).to_native(residuals.expected[back][None])[0]
    return Checked(tuple(tests), residuals.standardised[back], native * float(fit.orientation[i]))


def _kinds(fit: Contents, curves: Curves, i: int, setting: Setting) -> list[str]:
    """The tests that a curve can be put to."""
    likelihood = fit.model.likelihood_for(str(curves.kind[i]))
    kinds = ["trend", "calibration"]
    if likelihood.log_uniform is None:
        kinds.append("outlier")
    if not likelihood.parameters:  # noise that is fitted is never too large
        kinds.append("scatter")
    if followers(setting.run).shape[1] >= FEWEST_PAIRS:
        kinds.append("autocorrelation")
    return kinds


def _said(
    kind: str, residuals: Residuals, setting: Setting, curves: Curves, i: int
) -> tuple[str, str]:
    """Where, and what, in words."""
    z = residuals.standardised
    if kind == "outlier":
        k = int(np.abs(z).argmax())
        side = "above" if z[k] > 0 else "below"
        model = str(curves.model[i, residuals.place[k]])
        return model, f"{model} scores {abs(z[k]):.1f} standard deviations {side} the curve"
    if kind == "trend":
        split = steps(residuals.observed[None], setting)[0]
        k = int(split.argmax()) + 1
        axis = curves.axes[i]
        scale = axis.format(float(axis.value(curves.x[0, i, residuals.place[k]])))
        side = "above" if z[k:].mean() > z[:k].mean() else "below"
        return scale, f"scores from {scale} on lie {side} the curve, the others on the other side"
    if kind == "autocorrelation":
        return "", "a score is like the one before it in its run"
    if kind == "scatter":
        ratio = float((z**2).mean())
        return "", f"scores scatter {np.sqrt(ratio):.1f} times as much as their trials allow"
    return "", "residuals are not distributed as the likelihood says"


def _of_chance(
    fit: Contents, residuals: Residuals, curves: Curves, i: int, rng: np.random.Generator
) -> list[Finding]:
    """Whether the scores before any growth contradict the chance that is stated."""
    chance = float(curves.chance[i])
    bounded = fit.model.likelihood_for(str(curves.kind[i])).bounded
    if np.isnan(chance) or not bounded or not 0 < chance < 1:
        return []
    flat = at_floor(residuals)
    scales = np.unique(curves.x[0, i, residuals.place[flat]])
    p = p_of_level(residuals, chance, rng, below=len(scales) < FLAT_SCALES)
    score = residuals.expected + residuals.observed * residuals.noise_sd
    mean = float(np.average(score[flat], weights=1 / residuals.noise_sd[flat] ** 2))
    largest = curves.axes[i].format(float(curves.axes[i].value(scales[-1])))
    says = f"scores up to {largest} are {mean:.3g} on average, and chance is stated as {chance:.3g}"
    return [Finding(i, "chance", largest, p, says, REMEDIES["chance"])]
