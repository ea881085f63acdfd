"""The input of a command: a table, or a saved fit."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from upturn.commandline.edge import BadInput
from upturn.commandline.table_options import NAMES

if TYPE_CHECKING:
    from upturn.questions.fit.result import Fit
    from upturn.tables.results import Results


@dataclass(frozen=True)
class Source:
    """A table, how it is read, and which of its rows are used."""

    table: str
    where: Sequence[str] = ()
    metric: Sequence[str] = ()
    lower_is_better: Sequence[str] = ()
    continuous: Sequence[str] = ()
    facts: str | None = None
    repeats: str = "refuse"
    wide: bool = False
    groups: bool = False
    percent: Sequence[str] = ()
    ignore: Sequence[str] = ()
    columns: Mapping[str, str] | None = None
    units: Mapping[str, str] | None = None

    def given(self, outputs: Iterable[Path] = ()) -> "Results | str":
        """The name of the table if all of it is used as it is; otherwise the table, read."""
        if self != Source(self.table, columns={}, units={}):
            return self.read(outputs)
        keep_inputs(outputs, self.table)
        return self.table

    def read(self, outputs: Iterable[Path] = ()) -> "Results":
        """The selected rows. An output that would overwrite an input is refused."""
        from upturn.tables.results import read

        keep_inputs(outputs, self.table, self.facts)
        return read(
            self.table,
            lower_is_better=self.lower_is_better,
            continuous=self.continuous,
            facts=self.facts,
            where=self.where,
            metric=self.metric,
            **{name: getattr(self, name) for name in NAMES},
        )

    @property
    def is_fit(self) -> bool:
        """Whether it is a saved fit and not a table."""
        from upturn.posterior.files import SUFFIXES

        return Path(self.table).suffix.lower() in SUFFIXES

    def load(self, ctx: click.Context, fixed: Iterable[str]) -> "Fit":
        """The saved fit. Options that say how to read or fit a table are refused.

        Parameters
        ----------
        ctx
            The command that runs.
        fixed
            Names of the options that a saved fit has fixed, those of reading among them.
        """
        from upturn.questions.fit.load import load

        for option in ctx.command.params:
            name = str(option.name)
            given = ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
            if given and name in fixed:
                raise click.UsageError(
                    f"{option.opts[-1]}: expected it with a table, but got it with a saved fit, "
                    "which has its own; leave it out, or fit the table again"
                )
        return load(self.table)


READING = ("where", "lower_is_better", "continuous", "facts", *NAMES)


def keep_inputs(outputs: Iterable[Path], *inputs: str | None) -> None:
    """Refuse to overwrite an input."""
    for given in inputs:
        source = Path(os.path.expanduser(given or ""))
        for path in outputs:
            if given and os.path.exists(source) and path.exists() and path.samefile(source):
                raise BadInput(
                    f"{path}: expected another file to write to, but got the one that is read; "
                    "name another"
                )


def split_axes(given: Iterable[str]) -> list[str]:
    """The axes named in each text, separated by commas; commas after ``mix:`` belong to the mix."""
    axes = []
    for text in given:
        single, mix, rest = text.partition("mix:")
        axes += [part.strip() for part in single.split(",") if part.strip()]
        axes += [mix + rest] if mix else []
    return axes


def take(how: dict[str, Any], *names: str) -> dict[str, Any]:
    """Remove the options of these names from the others, and return them."""
    return {name: how.pop(name) for name in names}
