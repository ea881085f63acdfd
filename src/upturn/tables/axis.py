"""Axes of scale: coordinate, orientation, units.

Capability grows to the right on every axis, so an axis on which less is better is turned round.
"""

import datetime
import re
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike

from upturn.arrays.types import Floats
from upturn.checks.arguments import known
from upturn.checks.errors import DataError, listed, shown
from upturn.tables.cells import EPOCH

TRANSFORMS = ("log10", "-log10", "linear", "-linear", "date")
MIX = "mix"
DOWN = "down"  # whatever the default, less is better
_TITLES = {
    "flops": "training FLOPs",
    "params": "parameters",
    "tokens": "training tokens",
    "perplexity": "perplexity",
    "loss": "loss",
    "date": "date",
}
_PERPLEXITIES = {"perplexity", "ppl"}
_LOSSES = {
    "loss", "losses", "logloss", "nll", "brier", "bpb", "bpc", "bpt", "entropy", "crossentropy",
    "xent", "surprisal", "kl", "kld", "error", "errors", "err", "wer", "cer", "ter", "ece", "mae",
    "mse", "rmse",
}  # fmt: skip
_UNITS = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K"))


def lower_is_better(name: str) -> bool:
    """Whether less of a metric, or of a column, is better, judged by the words of its name.

    Examples
    --------
    >>> lower_is_better("wikitext_ppl"), lower_is_better("bits_per_byte"), lower_is_better("acc")
    (True, True, False)
    """
    return bool(_words(name) & (_PERPLEXITIES | _LOSSES)) or _is_rate_of_bits(name)


@dataclass(frozen=True)
class Axis:
    """An axis of scale.

    Parameters
    ----------
    name
        The column, or ``mix:a,b,…``.
    transform
        "log10", "-log10", "linear", "-linear" or "date" (linear in days); "mix" for a mix.
    components
        The axes of a mix, else empty.
    """

    name: str
    transform: str
    components: tuple["Axis", ...] = field(default=())

    @classmethod
    def parse(cls, spec: "str | Axis") -> "Axis":
        """The axis that a text names: ``flops``, ``year:linear``, ``mix:params,tokens``.

        A column whose name says that less is better keeps that direction: ``loss:log10`` is
        −log10. ``NAME:down`` turns any other column round, as ``NAME:-linear`` and ``NAME:-log10``
        do with a transform of their own.

        Raises
        ------
        DataError
            For an empty name, an unknown transform, a mix of fewer than two columns.

        Examples
        --------
        >>> Axis.parse("year:linear")
        Axis(name='year', transform='linear', components=())
        """
        if isinstance(spec, Axis):
            return spec
        if spec == MIX or spec.startswith(f"{MIX}:"):
            return cls._parse_mix(spec)
        name, colon, transform = spec.rpartition(":")
        if not colon:
            name, transform = spec, _default_transform(spec)
        if not name:
            raise DataError(
                f"axis: expected the name of a column, but got {shown(spec)}; "
                "for example flops, params, perplexity or year:linear"
            )
        known(transform, (*TRANSFORMS, DOWN), kind="transform", where=f"axis {shown(spec)}")
        if transform == DOWN:
            transform = f"-{_default_transform(name).removeprefix('-')}"
        if transform in {"linear", "log10"} and lower_is_better(name):
            transform = f"-{transform}"
        return cls(name, transform)

    @property
    def spec(self) -> str:
        """The text that `parse` makes this axis of; dates are known by what the column holds.

        Examples
        --------
        >>> Axis.parse("flops").spec, Axis.parse("flops:linear").spec
        ('flops', 'flops:linear')
        """
        if self.components:
            return f"{MIX}:{','.join(part.spec for part in self.components)}"
        usual = self.transform in {_default_transform(self.name), "date"}
        return self.name if usual else f"{self.name}:{self.transform}"

    @classmethod
    def _parse_mix(cls, spec: str) -> "Axis":
        parts = [part for part in spec.removeprefix(MIX).removeprefix(":").split(",") if part]
        components = tuple(cls.parse(part) for part in parts)
        names = [component.name for component in components]
        nested = any(component.components for component in components)
        if len(set(names)) < max(2, len(names)) or nested:
            raise DataError(
                f"axis: expected a mix of two or more different columns, but got {shown(spec)}; "
                "for example mix:params,tokens"
            )
        return cls(f"{MIX}:{','.join(parts)}", MIX, components)

    def __str__(self) -> str:
        return self.name

    @property
    def parts(self) -> tuple["Axis", ...]:
        """The axes whose columns are read: the components of a mix, else the axis itself."""
        return self.components or (self,)

    @property
    def title(self) -> str:
        """What a plot or a table calls the axis."""
        if self.components:
            return f"mix of {', '.join(component.title for component in self.components)}"
        return _TITLES.get(self.name, self.name)

    @property
    def is_log(self) -> bool:
        """Whether the coordinate is a logarithm, so that differences are decades."""
        return self.transform.endswith("log10")

    def as_date(self) -> "Axis":
        """The same axis, of days."""
        return replace(self, transform="date")

    def coordinate(self, values: ArrayLike) -> Floats:
        """Coordinates x of native values: capability grows with x.

        Parameters
        ----------
        values
            Native units, of any shape; days since 1970-01-01 on a date axis; above 0 where the
            axis is logarithmic.

        Returns
        -------
        ndarray
            Of the same shape.
        """
        native = np.asarray(values, dtype=np.float64)
        x = np.log10(native) if self.is_log else native
        return self._turn(x)

    def value(self, x: ArrayLike) -> Floats:
        """Native values of coordinates, the inverse of `coordinate`. Any shape."""
        turned = self._turn(np.asarray(x, dtype=np.float64))
        with np.errstate(over="ignore", under="ignore"):  # just above the largest number, inf
            return np.asarray(10.0**turned) if self.is_log else turned

    def _turn(self, x: Floats) -> Floats:
        if self.components:
            raise ValueError(f"the axis {self.name} has no native unit; its components have")
        # 0 − x and not −x: no negative zero.
        return 0.0 - x if self.transform.startswith("-") else 0.0 + x

    def format(self, value: float) -> str:
        """A native value as people write it: "2.1e22", "13B", "8.6", "2022-06-15".

        A mix has no native unit; its u is written with two decimals.
        """
        if not np.isfinite(value):
            return str(float(value))
        if self.components:
            return f"{value:.2f}"
        if self.transform == "date":
            return _day(value)
        if self.name in {"params", "tokens"}:
            return _with_unit(value)
        if self.name == "flops":
            return _scientific(value)
        # A perplexity is never a count or a year: 3.0, as its neighbours 2.9 and 3.1.
        return _plain(value, 1 if self.is_log else 2, whole=self.transform != "-log10")

    def text(self, x: float, low: float, high: float) -> str:
        """A coordinate in native units, or beyond which end of the axis: "2.1e22", "> 3.6e25".

        On a mix, which has no native units, the coordinate itself.

        Parameters
        ----------
        x
            Infinite where it lies beyond the axis.
        low, high
            The ends of the axis, as coordinates.
        """
        shown = x if not np.isinf(x) else high if x > 0 else low
        native = self.format(float(shown if self.components else self.value(shown)))
        if not np.isinf(x):
            return native
        backwards = self.transform.startswith("-")
        return f"{'>' if (x > 0) != backwards else '<'} {native}"


def check_names(axes: tuple[Axis, ...]) -> tuple[Axis, ...]:
    """Axes, at least one, each name once.

    Raises
    ------
    DataError
        For no axis, and for one that is named twice.
    """
    names = [axis.name for axis in axes]
    if not names or len(set(names)) < len(names):
        raise DataError(
            f"axis: expected one or more different axes, but got {listed(names)}; name each once"
        )
    return axes


def _default_transform(name: str) -> str:
    if _words(name) & _PERPLEXITIES:
        return "-log10"
    return "-linear" if lower_is_better(name) else "log10"


def _words(name: str) -> set[str]:
    return set(re.split(r"[^a-z0-9]+", name.casefold()))


def _is_rate_of_bits(name: str) -> bool:
    return bool(re.search(r"(bits|nats)[^a-z0-9]+per[^a-z0-9]", name.casefold()))


def _scientific(value: float) -> str:
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def _with_unit(value: float) -> str:
    if not 0.5 <= abs(value) < 1e15:
        return _scientific(value)
    for size, unit in _UNITS:
        if abs(value) >= size * 0.9995:  # 999.9M is 1B
            return f"{_short(value / size)}{unit}"
    return _short(value)


def _short(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0") if abs(value) < 9.95 else f"{value:.0f}"


def _plain(value: float, decimals: int, *, whole: bool = True) -> str:
    size = abs(value)
    if whole and value == int(value) and size < 1e5:
        return f"{value:.0f}"
    if size >= 1e5 or size < 1e-3:
        return _scientific(value)
    decimals = 0 if size >= 100 else 1 if size >= 10 else decimals if size >= 1 else 3
    return f"{value:.{decimals}f}"


def _day(number: float) -> str:
    ordinal = int(np.floor(number)) + EPOCH
    if not 1 <= ordinal <= datetime.date.max.toordinal():
        return f"day {number:.0f}"
    return datetime.date.fromordinal(ordinal).isoformat()
