"""Curve models: a list of segments, a likelihood and priors, as functions of arrays."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

from upturn.checks.arguments import known
from upturn.checks.errors import DataError, shown
from upturn.formulas import segments as pieces
from upturn.formulas.likelihoods.likelihood import Likelihood
from upturn.formulas.likelihoods.registry import BY_KIND, LIKELIHOODS
from upturn.formulas.priors import Prior
from upturn.formulas.segments import PARAMETERS, POSITIVE, UNIT, Line, Segment

SHAPES = ("flat", "smooth", "changepoint", "inverse", "u-shaped", "humped")
RANGES = ("floor", "zero")

SCATTER_PRIOR = "HalfNormal(0.1)"
# Of mean 0.1 and median 0.02: where noise is correlated along a run, it explains much of what
# offsets would, and runs that hardly differ are no surprise (docs/decisions.md).
SCATTER_OF_RUNS = "Gamma(0.25, 2.5)"

# Of parameters of the noise; those of segments have their own.
NOISE_DOMAINS = {
    "overdispersion": POSITIVE,
    "broken": UNIT,
    "autocorrelation": UNIT,
    "sigma": POSITIVE,
    "nu": POSITIVE,
    "scatter": POSITIVE,
}
DOMAINS = {name: parameter.domain for name, parameter in PARAMETERS.items()} | NOISE_DOMAINS


@dataclass(frozen=True)
class CurveModel:
    """A curve model, whatever it was read from.

    The expected score is mean(u) = base + (ceiling - base) s(u), with s(u) the chain of segments
    and base the floor parameter, or 0 where ``range`` is "zero".

    Attributes
    ----------
    name : str
    shape : str
        The shape class it stands for: flat, smooth, changepoint, inverse, u-shaped or humped.
    summary : str
        One line for people.
    segments : tuple of Segment
    range : str
        "floor" or "zero".
    likelihood : str
        The name of one, or "auto" or "robust": by the kind of each curve.
    given : mapping
        The priors that the file or the command line gave; the rest are defaults.
    """

    name: str
    shape: str
    summary: str
    segments: tuple[Segment, ...]
    range: str = "floor"
    likelihood: str = "auto"
    given: Mapping[str, str] = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        object.__setattr__(self, "given", dict(self.given or {}))

    @cached_property
    def changepoints(self) -> tuple[str, ...]:
        """The names of its changepoints, in order."""
        return tuple(_numbered("changepoint", i) for i in range(len(self.segments) - 1))

    @cached_property
    def _names(self) -> tuple[dict[str, str], ...]:
        """For each segment, its parameters: plain name → the name in this model."""
        seen: dict[str, int] = {}
        out = []
        for i, segment in enumerate(self.segments):
            plain = list(segment.parameters)
            if i == 0 and isinstance(segment, Line):
                plain.insert(0, "intercept")
            out.append({p: _numbered(p, seen.get(p, 0)) for p in plain})
            seen.update({p: seen.get(p, 0) + 1 for p in plain})
        return tuple(out)

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """The parameters of the expected score, in the order samplers hold them."""
        own = tuple(name for names in self._names for name in names.values())
        return self.changepoints + own + (("floor",) if self.range == "floor" else ())

    @property
    def key(self) -> tuple[Any, ...]:
        """Equal for two models that compute the same."""
        given = tuple(sorted(self.given.items()))
        return type(self), self.segments, self.range, self.likelihood, given

    @property
    def moves(self) -> bool:
        """Whether the expected score depends on scale at all."""
        return len(self.segments) > 1 or self.segments[0].moves

    def default_priors(self, likelihood: Likelihood, *, scatter: bool) -> dict[str, str]:
        """The defaults of every parameter under a likelihood, by name."""
        own = {
            name: PARAMETERS[plain].prior for names in self._names for plain, name in names.items()
        }
        noise = {k: v for k, v in likelihood.priors.items() if k != "floor"}
        return (
            ({"changepoint": PARAMETERS["changepoint"].prior} if self.changepoints else {})
            | own
            | ({"floor": likelihood.priors["floor"]} if self.range == "floor" else {})
            | noise
            | (
                {"scatter": SCATTER_OF_RUNS if likelihood.plain else SCATTER_PRIOR}
                if scatter
                else {}
            )
        )

    def priors(self, likelihood: Likelihood, *, scatter: bool) -> dict[str, Prior]:
        """The priors in force under a likelihood, by parameter, in the order of samplers.

        Several changepoints share one prior: they are its ordered draws.
        """
        texts = self.default_priors(likelihood, scatter=scatter)
        texts |= {name: text for name, text in self.given.items() if name in texts}
        out = {n: Prior.parse(t, f"model {self.name!r}, prior {n!r}") for n, t in texts.items()}
        first = out.pop("changepoint", None)
        return {name: first for name in self.changepoints if first is not None} | out

    def likelihood_for(self, kind: str) -> Likelihood:
        """The likelihood for a kind of curve.

        Raises
        ------
        DataError
            Where the model's likelihood cannot explain that kind.
        """
        likelihood = LIKELIHOODS[self._likelihood_name(kind)]
        if kind not in likelihood.kinds:
            needs = "proportions" if "proportion" in likelihood.kinds else "successes and trials"
            raise DataError(
                f"likelihood {likelihood.name!r}: expected {needs}, but got a {kind} metric; "
                f"use --likelihood auto, or one of "
                + ", ".join(n for n, one in LIKELIHOODS.items() if kind in one.kinds)
            )
        return likelihood

    def _likelihood_name(self, kind: str) -> str:
        by_kind = BY_KIND.get(self.likelihood)
        return self.likelihood if by_kind is None else by_kind[kind]

    def mean(self, xp: Any, p: Mapping[str, Any], u: Any, ceiling: Any) -> Any:
        """Expected score at u.

        Parameters
        ----------
        xp : namespace
            See `upturn.arrays`.
        p : mapping
            Parameters by name, each (row, 1, particle).
        u : array (row, point, 1) or (row, point, particle)
        ceiling : array (row, 1, 1)

        Returns
        -------
        array (row, point, particle)
        """
        s = pieces.share(
            xp,
            self.segments,
            [p[name] for name in self.changepoints],
            [{plain: p[name] for plain, name in names.items()} for names in self._names],
            u,
        )
        if self.range == "zero":
            return ceiling * s
        return p["floor"] + (ceiling - p["floor"]) * s

    def with_priors(self, given: Mapping[str, str], where: str = "--prior") -> Self:
        """The same model with other priors.

        Raises
        ------
        DataError
            Naming what was expected, for an unknown parameter or an unusable prior.
        """
        for name, text in given.items():
            _check_prior(self, name, text, where)
        return replace(self, given={**self.given, **given})

    def with_likelihood(self, name: str) -> Self:
        """The same model with another likelihood.

        "auto" is by the kind of each curve, "robust" likewise, with scores that may be broken.
        """
        known(name, [*BY_KIND, *LIKELIHOODS], kind="likelihood", where="--likelihood")
        return replace(self, likelihood=name)

    def all_priors(self) -> dict[str, str]:
        """Every prior in force, the noise's under the likelihood (that of counts by default)."""
        counts = LIKELIHOODS[self._likelihood_name("counts")]
        texts = self.default_priors(counts, scatter=self.moves)
        return texts | {
            k: v for k, v in self.given.items() if k in texts or k in noise_parameters()
        }


def _numbered(name: str, index: int) -> str:
    """The first has the plain name, the next `_2`."""
    return name if index == 0 else f"{name}_{index + 1}"


def plain_name(name: str) -> str:
    """A parameter's name without the number that tells it from others of its kind."""
    return name.rstrip("_0123456789")


def noise_parameters() -> tuple[str, ...]:
    """The parameters of all likelihoods, and of the scatter between groups."""
    names = {name for one in LIKELIHOODS.values() for name in one.parameters}
    return (*sorted(names), "scatter")


def of_interest(model: CurveModel, given: Mapping[str, str]) -> dict[str, str]:
    """The given priors of parameters that the model has."""
    names = {*model.parameters, "changepoint"} if model.changepoints else set(model.parameters)
    return {k: v for k, v in given.items() if k in names or k in noise_parameters()}


def _check_prior(model: CurveModel, name: str, text: str, where: str) -> None:
    """Refuse a prior of something the model has not, or that reaches outside its domain."""
    ordered = ["changepoint"] if model.changepoints else []
    own = [n for n in model.parameters if n not in model.changepoints]
    known(name, [*ordered, *own, *noise_parameters()], kind="parameter", where=where)
    prior = Prior.parse(text, f"{where}, {name!r}")
    low, high = DOMAINS.get(plain_name(name), (-math.inf, math.inf))
    below, above = prior.support()
    if below < low or above > high:
        raise DataError(
            f"{where}, {name!r}: expected a prior within [{low:g}, {high:g}], but got {shown(text)}"
        )
