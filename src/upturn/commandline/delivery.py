"""Where an answer goes: to files and standard output, with notes on standard error."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from upturn.commandline.conditions import Condition, name_met
from upturn.commandline.edge import FAILED, MET

if TYPE_CHECKING:
    from upturn.show.text.answer import Answer

type Progress = AbstractContextManager[Callable[[int, int], None] | None]


@dataclass(frozen=True)
class Delivery:
    """Where an answer goes, in what form, and whether notes are printed."""

    outputs: Sequence[Path] = ()
    form: str = "table"
    ci: float = 0.9
    quiet: bool = False
    fail_if: Sequence[Condition] = ()

    @property
    def store(self) -> Path | None:
        """The output that can be written in batches (.zarr), if there is one."""
        return next((path for path in self.outputs if path.suffix.lower() == ".zarr"), None)

    def progress(self, *phases: str) -> Progress:
        """Show progress on standard error, unless quiet; with several phases, each is a step."""
        from upturn.show.text.terminal import progress

        return progress(quiet=self.quiet, phases=phases or ("fitting",))

    def deliver(self, answer: "Answer", *, written: Path | None = None) -> None:
        """Save and print an answer; exit with code 1 if curves failed, 3 if a condition is met.

        Parameters
        ----------
        answer
            What is saved and printed.
        written
            The output that has been written already.
        """
        met = bool(self.fail_if) and name_met(self.fail_if, answer.columns(self.ci))
        for path in self.outputs:
            if path != written:
                answer.save(path, self.ci)
        if self.form != "table":
            print_text(answer.text(self.form, self.ci))
        elif not (self.quiet and self.outputs):
            self._print(answer)
        failed = name_failed(answer.failed, answer.count)
        if met or failed:
            click.get_current_context().exit(MET if met else FAILED)

    def _print(self, answer: "Answer") -> None:
        """Print the table; its legend and the notes go to standard error."""
        from upturn.show.text.terminal import print_sheet
        from upturn.show.text.text import one_line

        sheet = answer.sheet(self.ci)
        print_sheet(sheet)
        if not self.quiet:
            notes = [f"note: {one_line(note)}" for note in answer.notes]
            click.echo("\n".join(["", *map(one_line, sheet.legend), *notes]), err=True)


def name_failed(failed: Sequence[str], count: int) -> bool:
    """Name the curves that failed, and say whether there are any."""
    if failed:
        names = ", ".join(map(repr, failed))
        click.echo(f"Failed, {len(failed)} of {count}: {names}", err=True)
    return bool(failed)


def print_text(text: str) -> None:
    """Print a text as UTF-8, whatever the encoding of the terminal."""
    click.echo(text.encode(), nl=False)
