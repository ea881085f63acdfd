"""Gains: what a technique adds to a baseline, as a piecewise function of scale.

A gain g(u) is in log odds: the technique's expected score is logistic(logit(baseline's) + g), so
that it stays a proportion, and helps where g > 0. The two curves of a task are one curve of twice
the points: those of the technique stand `APART` lengths of the axis to the right, where the mean
function of a `Paired` model knows them. Everything else (likelihoods, offsets, samplers) is as it
is for any other model.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from upturn.formulas.likelihoods.likelihood import Likelihood
from upturn.formulas.priors import Prior
from upturn.model import Model

APART = 64.0  # lengths of the axis: a power of two, so that no place loses a digit
LARGEST = 30.0  # log odds: e^30 to 1

LEAST_STRETCH = 1e-3  # of the axis, on which a gain grows or falls

# Log odds: those at the smallest scale, and what is gained and lost from there on. Sizes and not
# slopes, which hang on where a change is so closely that no sampler gets along the ridge.
PRIORS: Mapping[str, str] = {
    "gain": "Normal(0, 1)",
    "gain_change": "Uniform(0, 1)",
    "gain_growth": "LogNormal(0.5, 1)",
    "gain_turn": "Uniform(0, 1)",
    "gain_fall": "LogNormal(0.5, 1)",
}


@dataclass(frozen=True)
class Gain:
    """One shape of gain.

    Attributes
    ----------
    name : str
    kind : str
        The class it stands for: "steady", "growing" or "fading".
    parameters : tuple of str
    value : callable
        (namespace, parameters, u) to log odds.
    """

    name: str
    kind: str
    parameters: tuple[str, ...]
    value: Callable[[Any, Mapping[str, Any], Any], Any]

    @property
    def moves(self) -> bool:
        """Whether it depends on scale."""
        return "gain_change" in self.parameters


def _none(xp: Any, p: Mapping[str, Any], u: Any) -> Any:
    """No gain: g = 0."""
    return 0.0 * u


def _constant(xp: Any, p: Mapping[str, Any], u: Any) -> Any:
    """The same everywhere: g = c."""
    return p["gain"] + 0.0 * u


def _onset(xp: Any, p: Mapping[str, Any], u: Any) -> Any:
    """Growth by G from kappa to the largest scale: g = G (u - kappa)+ / (1 - kappa)."""
    stretch = xp.maximum(1 - p["gain_change"], LEAST_STRETCH)
    return p["gain_growth"] / stretch * xp.maximum(u - p["gain_change"], 0.0)


def _growing(xp: Any, p: Mapping[str, Any], u: Any) -> Any:
    """A constant, then growth: g = c + G (u - kappa)+ / (1 - kappa)."""
    return p["gain"] + _onset(xp, p, u)


def _fading(xp: Any, p: Mapping[str, Any], u: Any) -> Any:
    """A constant, then loss: g = c - G (u - kappa)+ / (1 - kappa)."""
    return p["gain"] - _onset(xp, p, u)


def _peak(xp: Any, p: Mapping[str, Any], u: Any) -> Any:
    """A constant, growth by G from kappa to the turn, anywhere after it, then loss by F."""
    left = xp.maximum(1 - p["gain_change"], LEAST_STRETCH)
    first = xp.maximum(left * p["gain_turn"], LEAST_STRETCH)
    second = xp.maximum(left * (1 - p["gain_turn"]), LEAST_STRETCH)
    past = xp.maximum(u - p["gain_change"], 0.0)
    risen = xp.minimum(past / first, 1.0)
    fallen = xp.maximum(past - first, 0.0) / second
    return p["gain"] + p["gain_growth"] * risen - p["gain_fall"] * fallen


GAINS: tuple[Gain, ...] = (
    Gain("none", "steady", (), _none),
    Gain("constant", "steady", ("gain",), _constant),
    Gain("onset", "growing", ("gain_change", "gain_growth"), _onset),
    Gain("growing", "growing", ("gain", "gain_change", "gain_growth"), _growing),
    Gain(
        "peak", "growing", ("gain", "gain_change", "gain_growth", "gain_turn", "gain_fall"), _peak
    ),
    Gain("fading", "fading", ("gain", "gain_change", "gain_growth"), _fading),
)
KINDS = ("steady", "growing", "fading")


@dataclass(frozen=True)
class Paired(Model):
    """A baseline's model and a gain, for curves whose technique's points stand `APART`.

    Attributes
    ----------
    base : Model
    gain : Gain
    """

    base: Model = None  # type: ignore[assignment]
    gain: Gain = GAINS[0]

    @classmethod
    def of(cls, base: Model, gain: Gain) -> "Paired":
        """The joint model; its name tells the random numbers of joint models apart."""
        kept = {
            name: getattr(base, name)
            for name in ("shape", "summary", "segments", "range", "likelihood", "given")
        }
        return cls(name=f"{base.name} + {gain.name}", base=base, gain=gain, **kept)

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """Those of the baseline, then those of the gain."""
        return self.base.parameters + self.gain.parameters

    @property
    def moves(self) -> bool:
        """Whether an offset along the axis changes anything."""
        return self.base.moves or self.gain.moves

    def priors(self, likelihood: Likelihood, *, scatter: bool) -> dict[str, Prior]:
        """Those of the baseline, and of the gain."""
        priors = self.base.priors(likelihood, scatter=scatter)
        return priors | {n: Prior.parse(PRIORS[n], f"gain {n!r}") for n in self.gain.parameters}

    def mean(self, xp: Any, p: Mapping[str, Any], u: Any, ceiling: Any) -> Any:
        """Expected scores: of the baseline, and with the gain where u stands `APART`."""
        treated = xp.where(u > APART / 2, 1.0, 0.0)
        shifted = u - APART * treated
        score = self.base.mean(xp, p, shifted, ceiling)
        return with_gain(xp, score, treated * self.gain.value(xp, p, shifted))

    def treated(self, xp: Any, p: Mapping[str, Any], u: Any, ceiling: Any) -> Any:
        """Expected scores with the technique at u."""
        return self.mean(xp, p, u + APART, ceiling)

    def with_likelihood(self, name: str) -> "Paired":
        """The same with another likelihood."""
        return replace(self, base=self.base.with_likelihood(name), likelihood=name)


def with_gain(xp: Any, score: Any, gain: Any) -> Any:
    """A score whose odds are e^gain times as large.

    Examples
    --------
    >>> import numpy as np
    >>> round(float(with_gain(np, 0.5, np.log(3))), 6)
    0.75
    """
    odds = xp.exp(xp.clip(gain, -LARGEST, LARGEST))
    return score * odds / (1 - score + score * odds)
