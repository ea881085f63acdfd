"""The edge of the program: exceptions become one line and an exit code."""

import atexit
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

FAILED, BAD_INPUT, MET, INTERRUPTED, BROKEN_PIPE = 1, 2, 3, 130, 141


SECTIONS = ("Answer a question", "Look at an answer", "Data and models", "Check")


class BadInput(click.ClickException):
    """The input is not what was expected: one line and exit code 2."""

    exit_code = BAD_INPUT


class Command(click.Command):
    """A command that knows under which heading the program's help lists it."""

    def __init__(self, *args: Any, section: str = "Data and models", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.section = section


class Application(click.Group):
    """The group of commands; bad input and Ctrl-C end it with one line, a closed pipe quietly."""

    command_class = Command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands under their headings, in the order in which they are defined."""
        width = formatter.width - 6 - max(map(len, self.commands))
        for section in SECTIONS:
            rows = [
                (name, command.get_short_help_str(width))
                for name, command in self.commands.items()
                if getattr(command, "section", None) == section
            ]
            with formatter.section(section):
                formatter.write_dl(rows)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run as a program.

        Python would search the objects of all imported libraries for garbage, again and again while
        it loads them, which took 0.1 s, and at exit, which took 0.6 s of a short command.
        """
        gc.set_threshold(100_000, 50, 50)
        atexit.register(gc.freeze)
        return super().__call__(*args, **kwargs)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        with shown_safely():
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with shown_safely():
                return super().invoke(ctx)
        except KeyboardInterrupt as stop:
            notes = getattr(stop, "__notes__", ())  # what is kept, and how to go on
            click.echo("\n".join(["Interrupted.", *notes]), err=True)
            ctx.exit(INTERRUPTED)
        except BrokenPipeError:
            # Python flushes standard output once more at exit; that must not fail too.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(BROKEN_PIPE)
        except ValueError as error:
            from upturn.checks.errors import DataError
            from upturn.show.text.text import one_line

            if isinstance(error, DataError):
                raise BadInput(one_line(str(error))) from error
            raise


@contextmanager
def shown_safely() -> Iterator[None]:
    """Escape control characters of the command line where click's message repeats them."""
    try:
        yield
    except click.UsageError as error:
        from upturn.show.text.text import one_line

        choices = "\n\t"  # click lists them one a line
        text = choices.join(map(one_line, error.format_message().split(choices)))
        raise click.UsageError(text, error.ctx) from error


def example(*lines: str) -> str:
    """The end of a command's help."""
    return "\b\nExample:\n" + "\n".join(f"  upturn {line}" for line in lines)
