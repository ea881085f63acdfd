"""The edge of the program: exceptions become one line and an exit code."""

import atexit
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

FAILED, BAD_INPUT, INTERRUPTED, BROKEN_PIPE = 1, 2, 130, 141


class BadInput(click.ClickException):
    """What the user gave is not what was asked for: one line and exit code 2."""

    exit_code = BAD_INPUT


class Application(click.Group):
    """The group of commands; bad input, Ctrl-C and a closed pipe end it with a line or quietly."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """As a program of its own.

        Looking for garbage among the objects that imported libraries are made of took 0.6 s of a
        short command when the program had ended.
        """
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
    """Write out the control characters of what was typed, where click's message repeats it."""
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
