"""Priors: what a model file writes as `LogNormal(1, 1.2)`, and how a sampler uses it.

Samplers work in whitened coordinates z, in which every prior is N(0, 1): theta = Q(Phi(z)), with Q
the prior's quantile function. Q(Phi(z)) is a closed form where there is one; otherwise a cubic
spline in a table that SciPy makes once (an exact Beta quantile costs more than the likelihood of a
whole curve).
"""

import ast
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from upturn.arrays.types import Floats
from upturn.checks.arguments import known
from upturn.checks.errors import DataError, shown
from upturn.formulas.distributions import ARGUMENT_RANGE, DISTRIBUTIONS, Functions

KNOWN_ONLY_PER_CURVE = "chance"


@dataclass(frozen=True)
class Choice:
    """One distribution with its arguments: numbers, or the word `chance`."""

    distribution: str
    arguments: tuple[float | str, ...]

    def __str__(self) -> str:
        return f"{self.distribution}({', '.join(_number(a) for a in self.arguments)})"

    @property
    def needs_chance(self) -> bool:
        return KNOWN_ONLY_PER_CURVE in self.arguments

    def numbers(self, chance: float) -> tuple[float, ...]:
        """The arguments, with the word `chance` replaced by its value."""
        return tuple(chance if a == KNOWN_ONLY_PER_CURVE else float(a) for a in self.arguments)

    def usable(self, chance: float) -> bool:
        """Whether its arguments are valid at this chance (nan: unknown)."""
        if not self.needs_chance:
            return True
        check = DISTRIBUTIONS[self.distribution].check
        return math.isfinite(chance) and not check(**self.named(chance))

    def named(self, chance: float) -> dict[str, float]:
        names = DISTRIBUTIONS[self.distribution].arguments
        return dict(zip(names, self.numbers(chance), strict=True))

    def frozen(self, chance: float = math.nan) -> Any:
        """The SciPy distribution."""
        return DISTRIBUTIONS[self.distribution].scipy(**self.named(chance))

    def tails(self, chance: float) -> Functions:
        """The value with a probability below it, and that with a probability above it."""
        family = DISTRIBUTIONS[self.distribution]
        if family.tails is not None:
            return family.tails(**self.named(chance))
        frozen = self.frozen(chance)
        return frozen.ppf, frozen.isf

    def cdf(self, chance: float) -> Functions:
        """The probabilities below and above a value."""
        family = DISTRIBUTIONS[self.distribution]
        if family.cdf is not None:
            return family.cdf(**self.named(chance))
        frozen = self.frozen(chance)
        return frozen.cdf, frozen.sf


@dataclass(frozen=True)
class Prior:
    """A prior as a model file writes it.

    `A | B` is A for curves whose chance gives A valid arguments, else B: the floor's default is
    `BetaMode(chance, 100) | Beta(1, 4)`.
    """

    choices: tuple[Choice, ...]

    @classmethod
    def parse(cls, text: str, where: str) -> Self:
        """Read `Name(number, …)`, or several of them separated by `|`.

        Raises
        ------
        DataError
            Naming `where` and what was expected.
        """
        if not isinstance(text, str):
            raise DataError(f"{where}: expected a prior in quotes, but got {text!r}")
        choices = tuple(_parse_choice(part.strip(), where) for part in text.split("|"))
        if choices[-1].needs_chance:
            raise DataError(
                f"{where}: expected a last alternative for curves whose chance is unknown, "
                f"but got {text!r}; write for instance '{text} | Beta(1, 4)'"
            )
        return cls(choices)

    def __str__(self) -> str:
        return " | ".join(map(str, self.choices))

    def choice(self, chance: float) -> Choice:
        """The first alternative that a curve with this chance (nan: unknown) can use.

        `BetaMode(chance, 100)` is not valid for a continuous metric whose chance is below 0 on the
        models' scale, nor `HalfNormal(chance)` for a chance of 0.
        """
        return next(c for c in self.choices if c.usable(chance))

    def draw(self, rng: np.random.Generator, chance: Floats) -> Floats:
        """One value for each curve, drawn by SciPy, independently of the samplers' code.

        Parameters
        ----------
        rng : Generator
        chance : array (curve,)
            On the model's scale; nan where unknown.
        """
        out = np.empty(len(chance))
        for rows, choice, value in self._in_use(chance):
            frozen = choice.frozen(value)
            out[rows] = frozen.rvs(size=int(rows.sum()), random_state=rng)
        return out

    def normal_scores(self, values: Floats, chance: Floats) -> Floats:
        """The z at which the distribution function of N(0, 1) equals the prior's at a value.

        Parameters
        ----------
        values : array (curve, …)
        chance : array (curve,)
        """
        out = np.empty_like(values)
        for rows, choice, value in self._in_use(chance):
            below, above = (probability(values[rows]) for probability in choice.cdf(value))
            # for each value the smaller tail, which is precise
            out[rows] = np.where(below < above, ndtri(below), -ndtri(above))
        return out

    def _in_use(self, chance: Floats) -> Iterator[tuple[NDArray[np.bool_], Choice, float]]:
        """The choices in use, each with a mask of its curves, and with their chance."""
        uses = [(self.choice(c), c) for c in chance.tolist()]
        keys = [(str(choice), repr(c) if choice.needs_chance else "") for choice, c in uses]
        for key in dict.fromkeys(keys):
            choice, value = uses[keys.index(key)]
            yield np.array([k == key for k in keys]), choice, value

    def support(self) -> tuple[float, float]:
        """The widest support of the alternatives."""
        ends = [DISTRIBUTIONS[c.distribution].support(**c.named(0.5)) for c in self.choices]
        return min(low for low, _ in ends), max(high for _, high in ends)


def _number(value: float | str) -> str:
    return value if isinstance(value, str) else repr(value).removesuffix(".0")


def _parse_choice(text: str, where: str) -> Choice:
    name, arguments = _call(text, where)
    family = DISTRIBUTIONS[known(name, list(DISTRIBUTIONS), kind="distribution", where=where)]
    if len(arguments) != len(family.arguments):
        expected = f"{name}({', '.join(family.arguments)})"
        raise DataError(f"{where}: expected {expected}, but got {shown(text)}")
    choice = Choice(name, arguments)
    numbers = choice.named(0.5)
    low, high = ARGUMENT_RANGE
    usual = all(a == 0 or low <= abs(a) <= high for a in numbers.values())
    wrong = family.check(**numbers) if usual else f"numbers between {low:g} and {high:g} in size"
    if wrong:
        raise DataError(f"{where}: expected {wrong} in {name}, but got {shown(text)}")
    return choice


def _call(text: str, where: str) -> tuple[str, tuple[float | str, ...]]:
    """The name and arguments of `Name(1, 2)`, parsed without evaluation."""
    try:
        node = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        node = None
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.keywords:
        raise DataError(
            f"{where}: expected a prior such as 'LogNormal(1, 1.2)', but got {shown(text)}"
        )
    return node.func.id, tuple(_argument(a, text, where) for a in node.args)


def _argument(node: ast.expr, text: str, where: str) -> float | str:
    if isinstance(node, ast.Name) and node.id == KNOWN_ONLY_PER_CURVE:
        return node.id
    sign = 1.0
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        sign, node = -1.0, node.operand
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        try:
            return sign * float(node.value)  # type: ignore[arg-type]
        except OverflowError:
            return sign * math.inf
    raise DataError(
        f"{where}: expected numbers or the word {KNOWN_ONLY_PER_CURVE!r} as arguments, "
        f"but got {shown(text)}"
    )
