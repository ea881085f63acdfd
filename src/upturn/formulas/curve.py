"""Curve models: a list of segments, a likelihood and priors, as functions of arrays."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

from upturn.checks.arguments import known
from upturn.checks.errors import DataError, shown
from upturn.formulas import segments as pieces
from upturn.formulas.likelihoods.likelihood import Likelihood
from upturn.formulas.likelihoods.registry import BY_KIND, LIKELIHOODS
from upturn.formulas.parameters import POSITIVE, REAL, Parameter
from upturn.formulas.priors import Prior
from upturn.formulas.segments import CHANGEPOINT, Segment

SHAPES = ("flat", "smooth", "changepoint", "inverse", "u-shaped", "humped")
RANGES = ("floor", "zero")

SCATTER = Parameter("HalfNormal(0.1)", POSITIVE, "scatter")
# Mean 0.1 and median 0.02. Correlated noise along a run explains much of what offsets would, so
# runs that hardly differ must be likely (docs/decisions.md).
SCATTER_OF_RUNS = replace(SCATTER, prior="Gamma(0.25, 2.5)")


@dataclass(frozen=True)
class CurveModel:
    """A curve model: segments, a likelihood and priors.

    The expected score is mean(u) = base + (ceiling - base) s(u), with s(u) the chain of segments
    and base the floor parameter, or 0 where ``range`` is "zero".

    Attributes
    ----------
    name : str
    shape : str
        The shape class it stands for: flat, smooth, changepoint, inverse, u-shaped or humped.
    summary : str
        One line.
    segments : tuple of Segment
    range : str
        "floor" or "zero".
    likelihood : str
        Its name, or "auto", "robust" or "ar": by the kind of each curve.
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
    def _by_segment(self) -> tuple[dict[str, Parameter], ...]:
        """For each segment, its parameters by their plain names."""
        return tuple(
            pieces.declared(segment, first=i == 0) for i, segment in enumerate(self.segments)
        )

    @cached_property
    def _names(self) -> tuple[dict[str, str], ...]:
        """For each segment, its parameters: plain name → the name in this model."""
        before: Counter[str] = Counter()
        out = []
        for declared in self._by_segment:
            out.append({plain: _numbered(plain, before[plain]) for plain in declared})
            before.update(list(declared))
        return tuple(out)

    @cached_property
    def _declared(self) -> dict[str, Parameter]:
        """The parameters of the segments by their names in this model."""
        return {
            names[plain]: parameter
            for names, declared in zip(self._names, self._by_segment, strict=True)
            for plain, parameter in declared.items()
        }

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """The parameters of the expected score, in the order samplers hold them."""
        floor = ("floor",) if self.range == "floor" else ()
        return (*self.changepoints, *self._declared, *floor)

    @property
    def key(self) -> tuple[Any, ...]:
        """Equal for two models that compute the same."""
        given = tuple(sorted(self.given.items()))
        return type(self), self.segments, self.range, self.likelihood, given

    @property
    def moves(self) -> bool:
        """Whether the expected score depends on scale."""
        return len(self.segments) > 1 or self.segments[0].moves

    def default_priors(self, likelihood: Likelihood, *, scatter: bool) -> dict[str, str]:
        """The defaults of every parameter under a likelihood, by name."""
        changepoint = {"changepoint": CHANGEPOINT} if self.changepoints else {}
        floor = {"floor": Parameter(likelihood.floor)} if self.range == "floor" else {}
        of_groups = {"scatter": SCATTER_OF_RUNS if likelihood.plain else SCATTER} if scatter else {}
        declared = changepoint | self._declared | floor | dict(likelihood.parameters) | of_groups
        return {name: parameter.prior for name, parameter in declared.items()}

    def priors(self, likelihood: Likelihood, *, scatter: bool) -> dict[str, Prior]:
        """The priors in force under a likelihood, by parameter, in the order of samplers.

        Several changepoints share one prior: they are ordered draws from it.
        """
        texts = self.default_priors(likelihood, scatter=scatter)
        texts |= {name: text for name, text in self.given.items() if name in texts}
        out = {n: Prior.parse(t, f"model {self.name!r}, prior {n!r}") for n, t in texts.items()}
        shared = out.pop("changepoint", None)
        return {name: shared for name in self.changepoints if shared is not None} | out

    def domain(self, name: str) -> tuple[float, float]:
        """Where a parameter has a meaning: the real line for the floor and for unknown names."""
        declared = dict.fromkeys(self.changepoints, CHANGEPOINT) | self._declared | noise()
        return declared[name].domain if name in declared else REAL

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
                + ", ".join(n for n, other in LIKELIHOODS.items() if kind in other.kinds)
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

        "auto" chooses by the kind of each curve; so does "robust", with scores that may be broken.
        """
        known(name, [*BY_KIND, *LIKELIHOODS], kind="likelihood", where="--likelihood")
        return replace(self, likelihood=name)

    def all_priors(self) -> dict[str, str]:
        """Every prior in force; those of the noise under the likelihood, or that of counts."""
        counts = LIKELIHOODS[self._likelihood_name("counts")]
        texts = self.default_priors(counts, scatter=self.moves)
        return texts | {
            k: v for k, v in self.given.items() if k in texts or k in noise_parameters()
        }


def _numbered(name: str, index: int) -> str:
    """The first has the plain name, the second ends in `_2`."""
    return name if index == 0 else f"{name}_{index + 1}"


def plain_name(name: str) -> str:
    """A parameter's name without the number that a second parameter of its kind has."""
    return name.rstrip("_0123456789")


def noise() -> dict[str, Parameter]:
    """The parameters of all likelihoods, and of the scatter between groups, by name."""
    declared: dict[str, Parameter] = {}
    for likelihood in LIKELIHOODS.values():
        declared |= likelihood.parameters
    return {**dict(sorted(declared.items())), "scatter": SCATTER}


def noise_parameters() -> tuple[str, ...]:
    """The names of the parameters of all likelihoods, and of the scatter between groups."""
    return tuple(noise())


def parameter_groups() -> dict[str, tuple[str, ...]]:
    """The parameters whose priors are widened together in tests of sensitivity, by group."""
    out: dict[str, tuple[str, ...]] = {"floor": ("floor",)}
    for name, parameter in (noise() | pieces.all_parameters()).items():
        if parameter.group:
            out[parameter.group] = (*out.get(parameter.group, ()), name)
    return out


def of_interest(model: CurveModel, given: Mapping[str, str]) -> dict[str, str]:
    """The given priors of parameters that the model has."""
    names = {*model.parameters, "changepoint"} if model.changepoints else set(model.parameters)
    return {k: v for k, v in given.items() if k in names or k in noise_parameters()}


def _check_prior(model: CurveModel, name: str, text: str, where: str) -> None:
    """Refuse a prior of an unknown parameter, or one that reaches outside the domain."""
    ordered = ["changepoint"] if model.changepoints else []
    others = [n for n in model.parameters if n not in model.changepoints]
    known(name, [*ordered, *others, *noise_parameters()], kind="parameter", where=where)
    prior = Prior.parse(text, f"{where}, {name!r}")
    low, high = model.domain(name)
    below, above = prior.support()
    if below < low or above > high:
        raise DataError(
            f"{where}, {name!r}: expected a prior within [{low:g}, {high:g}], but got {shown(text)}"
        )
