"""Conditions on the rows of an answer, for pipelines: the option ``--fail-if``."""

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import pandas as pd

_COMPARED: dict[str, Callable[[Any, Any], Any]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "!=": operator.ne,
    "=": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
}
_FORM = re.compile(r"\s*([^<>=!]+?)\s*(<=|>=|!=|==|=|<|>)\s*(.+?)\s*")
EXPECTED = "expected COLUMN=VALUE, or <, >, <=, >= or != in place of ="


@dataclass(frozen=True)
class Comparison:
    """A column, how it is compared, and with what."""

    column: str
    sign: str
    value: str

    def holds(self, rows: "pd.DataFrame") -> "pd.Series[bool]":
        """For which rows it holds.

        Raises
        ------
        DataError
            For a column that there is not, and for a text where the column has numbers.
        """
        from pandas.api.types import is_bool_dtype, is_numeric_dtype

        from upturn.checks.arguments import known
        from upturn.checks.errors import DataError, shown

        column = rows[known(self.column, rows.columns.tolist(), kind="column", where="--fail-if")]
        compared = _COMPARED[self.sign]
        if is_bool_dtype(column):
            return compared(column.astype(str).str.lower(), self.value.lower())
        if not is_numeric_dtype(column):
            return compared(column.astype(str), self.value)
        try:
            return compared(column, float(self.value))
        except ValueError:
            raise DataError(
                f"--fail-if: expected a number to compare {self.column} with, "
                f"but got {shown(self.value)}"
            ) from None


@dataclass(frozen=True)
class Condition:
    """Comparisons that hold together, as they were typed."""

    text: str
    comparisons: tuple[Comparison, ...]

    def rows(self, frame: "pd.DataFrame") -> list[str]:
        """The names of the rows for which all of them hold."""
        import numpy as np

        holds = np.logical_and.reduce([part.holds(frame) for part in self.comparisons])
        return [str(name) for name in frame[frame.columns[0]][holds]]


def conditions(
    ctx: click.Context, option: click.Parameter, given: Sequence[str]
) -> list[Condition]:
    """The conditions that are typed, each with its parts between the word "and"."""
    return [
        Condition(
            text, tuple(_comparison(part, ctx, option) for part in re.split(r"\sand\s", text))
        )
        for text in given
    ]


def _comparison(text: str, ctx: click.Context, option: click.Parameter) -> Comparison:
    form = _FORM.fullmatch(text)
    if form is None:
        raise click.BadParameter(f"{EXPECTED}, but got {text!r}", ctx, option)
    column, sign, value = form.groups()
    return Comparison(column, sign.replace("==", "="), value)


def name_met(given: Sequence[Condition], frame: "pd.DataFrame") -> bool:
    """Name the rows that meet a condition, and say whether there are any."""
    met = {condition.text: condition.rows(frame) for condition in given}
    for text, names in met.items():
        if names:
            listing = ", ".join(map(repr, names))
            click.echo(f"{text}: {len(names)} of {len(frame)}: {listing}", err=True)
    return any(met.values())
