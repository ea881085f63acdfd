"""Priors: what a model file writes as `LogNormal(1, 1.2)`, and how a sampler uses it.

Samplers work in whitened coordinates z, in which every prior is N(0, 1): theta = Q(Phi(z)), with Q
the prior's quantile function. Where Q(Phi(z)) has a closed form it is used; elsewhere a cubic
Hermite table stands in, made once by SciPy (an exact Beta quantile costs more than the likelihood
of a whole curve).
"""

import ast
import math
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from upturn.arrays.namespaces import NUMPY
from upturn.arrays.quantiles import tabulated
from upturn.arrays.types import Floats
from upturn.checks.arguments import known
from upturn.checks.errors import DataError, shown

# Standard deviations covered. A model that the data refute sits far out in its prior: a task that
# is always solved is 10 standard deviations from a floor near 0.
TABLE_REACH = 16.0
TABLE_NODES = 513
ARGUMENT_RANGE = (1e-100, 1e100)  # in size, other than 0: quantiles remain finite numbers


@dataclass(frozen=True)
class Distribution:
    """A family of distributions: its arguments, their rules, its support and its SciPy twin."""

    arguments: tuple[str, ...]
    check: Callable[..., str]
    support: Callable[..., tuple[float, float]]
    scipy: Callable[..., Any]
    quantile: Callable[..., Any] | None = None


def _positive(*names: str) -> Callable[..., str]:
    def check(**arguments: float) -> str:
        wrong = [n for n in names if not arguments[n] > 0]
        return f"a positive {wrong[0]}" if wrong else ""

    return check


def _exponential(mean: float, sd: float) -> str:
    finite = mean + TABLE_REACH * sd < 700
    return "" if finite else f"mean + {TABLE_REACH:g} sd (of the logarithm) below 700"


def _stats() -> Any:
    from scipy import stats

    return stats


def beta_of_mode(mode: float, concentration: float) -> tuple[float, float]:
    """Beta(1 + m (k - 2), 1 + (1 - m)(k - 2)): mode m, concentration k (Kruschke 2015, 6.6)."""
    return 1 + mode * (concentration - 2), 1 + (1 - mode) * (concentration - 2)


def _onset_quantile(xp: Any, z: Any, end: Any, hazard: Any) -> Any:
    """Each side of the end from its own tail."""
    odds = hazard * end  # of the stretch up to the end
    within = xp.ndtr(z) * (1 + odds) / hazard
    left = xp.clip(xp.ndtr(-z) * (1 + odds), 1e-300, 1.0)  # the survival function past the end
    return xp.where(within > end, end - xp.log(left) / hazard, within)


def _onset(end: float, hazard: float) -> Any:
    return _onset_family()(end, hazard)


@lru_cache(maxsize=1)
def _onset_family() -> Any:
    """SciPy's form of a constant density up to an end and a constant hazard past it."""
    base: Any = _stats().rv_continuous

    class Onset(base):  # type: ignore[misc]
        def _pdf(self, x: Any, end: Any, hazard: Any) -> Any:
            return hazard / (1 + hazard * end) * np.exp(-hazard * np.maximum(x - end, 0))

        def _cdf(self, x: Any, end: Any, hazard: Any) -> Any:
            return 1 - self._sf(x, end, hazard)

        def _sf(self, x: Any, end: Any, hazard: Any) -> Any:
            within = 1 + hazard * np.maximum(end - x, 0)
            return within * np.exp(-hazard * np.maximum(x - end, 0)) / (1 + hazard * end)

        def _ppf(self, q: Any, end: Any, hazard: Any) -> Any:
            within = q * (1 + hazard * end) / hazard
            return np.where(within > end, self._isf(1 - q, end, hazard), within)

        def _isf(self, q: Any, end: Any, hazard: Any) -> Any:
            left = q * (1 + hazard * end)
            past = end - np.log(np.clip(left, 1e-300, 1)) / hazard
            return np.where(left < 1, past, end - (left - 1) / hazard)

    return Onset(a=0.0, name="onset")


DISTRIBUTIONS: dict[str, Distribution] = {
    "Uniform": Distribution(
        ("low", "high"),
        lambda low, high: "" if low < high else "low below high",
        lambda low, high: (low, high),
        lambda low, high: _stats().uniform(low, high - low),
        lambda xp, z, low, high: low + (high - low) * xp.ndtr(z),
    ),
    "Normal": Distribution(
        ("mean", "sd"),
        _positive("sd"),
        lambda mean, sd: (-math.inf, math.inf),
        lambda mean, sd: _stats().norm(mean, sd),
        lambda xp, z, mean, sd: mean + sd * z,
    ),
    "LogNormal": Distribution(
        ("mean", "sd"),
        lambda mean, sd: _positive("sd")(sd=sd) or _exponential(mean, sd),
        lambda mean, sd: (0.0, math.inf),
        lambda mean, sd: _stats().lognorm(sd, scale=math.exp(mean)),
        lambda xp, z, mean, sd: xp.exp(mean + sd * z),
    ),
    "HalfNormal": Distribution(
        ("sd",),
        _positive("sd"),
        lambda sd: (0.0, math.inf),
        lambda sd: _stats().halfnorm(scale=sd),
    ),
    "Exponential": Distribution(
        ("mean",),
        _positive("mean"),
        lambda mean: (0.0, math.inf),
        lambda mean: _stats().expon(scale=mean),
    ),
    "Gamma": Distribution(
        ("shape", "rate"),
        _positive("shape", "rate"),
        lambda shape, rate: (0.0, math.inf),
        lambda shape, rate: _stats().gamma(shape, scale=1 / rate),
    ),
    "Beta": Distribution(
        ("alpha", "beta"),
        _positive("alpha", "beta"),
        lambda alpha, beta: (0.0, 1.0),
        lambda alpha, beta: _stats().beta(alpha, beta),
    ),
    "BetaMode": Distribution(
        ("mode", "concentration"),
        lambda mode, concentration: (
            ""
            if 0 <= mode <= 1 and concentration >= 2
            else "a mode in [0, 1] and concentration >= 2"
        ),
        lambda mode, concentration: (0.0, 1.0),
        lambda mode, concentration: _stats().beta(*beta_of_mode(mode, concentration)),
    ),
    "Onset": Distribution(
        ("end", "hazard"),
        _positive("end", "hazard"),
        lambda end, hazard: (0.0, math.inf),
        _onset,
        _onset_quantile,
    ),
}

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
        """Whether chance (nan: unknown) gives it arguments that it can have."""
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


@dataclass(frozen=True)
class Prior:
    """A prior as a model file writes it.

    `A | B` is A where what A needs is known of a curve, else B: the floor's default is
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

        `BetaMode(chance, 100)` is of no use to a continuous metric whose chance is below 0 on the
        models' scale, nor `HalfNormal(chance)` where chance is 0.
        """
        return next(c for c in self.choices if c.usable(chance))

    def draw(self, rng: np.random.Generator, chance: Floats) -> Floats:
        """One value for each curve, drawn by SciPy: nothing that samplers use is used here.

        Parameters
        ----------
        rng : Generator
        chance : array (curve,)
            On the model's scale; nan where unknown.
        """
        out = np.empty(len(chance))
        for rows, frozen in self._frozen(chance):
            out[rows] = frozen.rvs(size=int(rows.sum()), random_state=rng)
        return out

    def normal_scores(self, values: Floats, chance: Floats) -> Floats:
        """The z at which N(0, 1) has as much below it as the prior has below a value.

        Parameters
        ----------
        values : array (curve, …)
        chance : array (curve,)
        """
        from scipy.special import ndtri

        out = np.empty_like(values)
        for rows, frozen in self._frozen(chance):
            below, above = frozen.cdf(values[rows]), frozen.sf(values[rows])
            # each tail from its own side
            out[rows] = np.where(below < above, ndtri(below), -ndtri(above))
        return out

    def _frozen(self, chance: Floats) -> Iterator[tuple[NDArray[np.bool_], Any]]:
        """The distributions in use, by SciPy, and whose they are."""
        uses = [(self.choice(c), c) for c in chance.tolist()]
        keys = [(str(choice), repr(c) if choice.needs_chance else "") for choice, c in uses]
        for key in dict.fromkeys(keys):
            choice, value = uses[keys.index(key)]
            yield np.array([k == key for k in keys]), choice.frozen(value)

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
    """Take `Name(1, 2)` apart without evaluating it."""
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


@lru_cache(maxsize=4096)
def _table(choice: Choice, chance: float) -> Floats:
    """Cubic pieces of Q(Phi(z)) between equidistant nodes: (4, cell), highest power first."""
    from scipy.interpolate import CubicSpline
    from scipy.special import ndtr

    lower, upper = _tails(choice.frozen(chance))
    z = np.linspace(-TABLE_REACH, TABLE_REACH, TABLE_NODES)
    # each tail from its own side, or the upper one would be lost in 1 - 1e-16
    theta = np.where(z < 0, lower(ndtr(z)), upper(ndtr(-z)))
    cells: Floats = CubicSpline(z, theta).c
    return cells


def _tails(frozen: Any) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Theta from the probability below it, and from that above it."""
    from scipy.special import betainccinv, betaincinv

    if frozen.dist.name == "beta":  # whose ppf finds no root 8 sd out in Beta(0.5, 2) (SciPy 1.18)
        return partial(betaincinv, *frozen.args), partial(betainccinv, *frozen.args)
    return frozen.ppf, frozen.isf


class Quantiles:
    """theta = Q(Phi(z)) of one prior for many curves, whose chance may differ."""

    def __init__(self, prior: Prior, chance: Floats) -> None:
        choices = [prior.choice(c) for c in chance.tolist()]
        keys = [
            (c, v if c.needs_chance else math.nan)
            for c, v in zip(choices, chance.tolist(), strict=True)
        ]
        distinct = {(c, repr(v)): (c, v) for c, v in keys}
        index = {key: i for i, key in enumerate(distinct)}
        self.index = np.array([index[c, repr(v)] for c, v in keys], dtype=np.intp)
        # by the prior alone: a curve's numbers do not depend on which other curves are there
        names = {c.distribution for c in prior.choices}
        family = DISTRIBUTIONS[prior.choices[0].distribution]
        self.closed = family.quantile if len(names) == 1 else None
        if self.closed is not None:
            numbers = [choice.numbers(value) for choice, value in distinct.values()]
            shape = (len(numbers), len(family.arguments))
            self.numbers = np.array(numbers, dtype=float).reshape(shape).T[:, :, None]
        else:
            tables = [_table(choice, value) for choice, value in distinct.values()]
            self.tables = np.stack(tables, axis=1) if tables else np.zeros((4, 0, TABLE_NODES - 1))

    @property
    def arrays(self) -> tuple[Any, Any]:
        """Which prior each curve has, and the numbers or tables of all: (curve,), (…, prior, …)."""
        return self.index, self.numbers if self.closed is not None else self.tables

    def with_arrays(self, arrays: tuple[Any, Any]) -> Self:
        """The same quantile function of other priors of its kind."""
        other = copy(self)
        other.index, table = arrays
        setattr(other, "numbers" if self.closed is not None else "tables", table)
        return other

    def __call__(self, xp: Any, curves: NDArray[np.intp], z: Any) -> Any:
        """Theta of z, both (row, particle); `curves` says which curve each row belongs to."""
        if self.closed is not None:
            return self.closed(xp, z, *self.numbers[:, self.index[curves]])
        if xp is NUMPY:
            out = np.empty(np.shape(z))
            z = np.ascontiguousarray(z)
            tabulated(self.tables, self.index[curves], z, TABLE_REACH, out)
            return out
        cells = self.tables.shape[2]
        place = (xp.clip(z, -TABLE_REACH, TABLE_REACH) + TABLE_REACH) * (cells / (2 * TABLE_REACH))
        cell = xp.minimum(place.astype(np.int32), cells - 1)
        step = (place - cell) * (2 * TABLE_REACH / cells)
        flat = cell + self.index[curves][:, None] * cells
        a, b, c, d = (xp.take(self.tables[i].reshape(-1), flat) for i in range(4))
        return ((a * step + b) * step + c) * step + d
