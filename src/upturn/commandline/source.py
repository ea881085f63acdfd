"""What a command is asked about: a table, or a fit that was saved."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from upturn.commandline.edge import BadInput

if TYPE_CHECKING:
    from upturn.questions.fit.result import Fit
    from upturn.tables.results import Results


@dataclass(frozen=True)
class Source:
    """A table, how it is read, and which of its rows are taken."""

    table: str
    where: Sequence[str] = ()
    lower_is_better: Sequence[str] = ()
    continuous: Sequence[str] = ()
    facts: str | None = None

    def given(self, outputs: Iterable[Path] = ()) -> "Results | str":
        """The table by its name, where all of it is taken as it is; else `read`."""
        if any((self.where, self.lower_is_better, self.continuous, self.facts)):
            return self.read(outputs)
        keep_inputs(outputs, self.table)
        return self.table

    def read(self, outputs: Iterable[Path] = ()) -> "Results":
        """The rows that were asked for; refused where an output would write over what is read."""
        from upturn.tables.results import read

        keep_inputs(outputs, self.table, self.facts)
        results = read(
            self.table,
            lower_is_better=self.lower_is_better,
            continuous=self.continuous,
            facts=self.facts,
        )
        return results.where(*self.where) if self.where else results

    @property
    def is_fit(self) -> bool:
        """Whether it is a saved fit in the place of a table."""
        from upturn.posterior.files import SUFFIXES

        return Path(self.table).suffix.lower() in SUFFIXES

    def load(self, ctx: click.Context, told: Iterable[str]) -> "Fit":
        """The saved fit; options that say how to read or fit a table are refused.

        Parameters
        ----------
        ctx
            The command that runs.
        told
            Names of the options that a fit has been told already.
        """
        from upturn.questions.fit.load import load

        for option in ctx.command.params:
            name = str(option.name)
            said = ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
            if said and name in {*told, *READING}:
                raise click.UsageError(
                    f"{option.opts[-1]}: expected it with a table, but got it with a saved fit, "
                    "which was made without it; leave it out, or fit again"
                )
        return load(self.table)


READING = ("where", "lower_is_better", "continuous", "facts")


def keep_inputs(outputs: Iterable[Path], *inputs: str | None) -> None:
    """Refuse to write over what is read."""
    for given in inputs:
        source = Path(os.path.expanduser(given or ""))
        for path in outputs:
            if given and os.path.exists(source) and path.exists() and path.samefile(source):
                raise BadInput(
                    f"{path}: expected another file to write to, but got the one that is read; "
                    "name another"
                )


def split_axes(given: Iterable[str]) -> list[str]:
    """Axes, one or several in each text; from ``mix:`` on commas belong to the mix."""
    axes = []
    for text in given:
        single, mix, rest = text.partition("mix:")
        axes += [part.strip() for part in single.split(",") if part.strip()]
        axes += [mix + rest] if mix else []
    return axes


def take(how: dict[str, Any], *names: str) -> dict[str, Any]:
    """The options of these names, taken out of the others."""
    return {name: how.pop(name) for name in names}
