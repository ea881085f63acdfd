"""The terminal: tables on standard output, progress on standard error."""

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from threading import Timer
from typing import TYPE_CHECKING, TextIO

from upturn.arrays.compilation import on_compilation
from upturn.show.text.text import shorten

if TYPE_CHECKING:
    from rich.console import Console, JustifyMethod
    from rich.table import Table
    from rich.text import Text

    from upturn.show.text.sheet import Block, Column, Sheet
    from upturn.show.text.sparkline import Sparkline

PAGE = 100  # columns where the output is no terminal, and COLUMNS does not say otherwise
_SMALLEST_LABEL = 10
_GAP = 2


def print_sheet(sheet: "Sheet") -> None:
    """Print a sheet on standard output."""
    from rich.text import Text

    with _page() as console:
        page = console.width
        for line in sheet.heading:
            console.print(Text(line, style="dim"))
        for block in sheet.blocks:
            console.print()
            console.print(Text(block.title, style="bold"))
            widths = _widths(block, page)
            # On a narrower page lines run over: a number that is cut short is another number.
            console.width = max(page, sum(widths) + _GAP * (len(widths) - 1))
            console.print(_laid_out(block, widths))


def _console(stream: TextIO) -> "Console":
    """A console that colours only a terminal, and that no name can give orders to."""
    from rich.console import Console

    if hasattr(stream, "reconfigure") and not (stream.encoding or "").lower().startswith("utf"):
        stream.reconfigure(errors="replace")
    colourless = bool(os.environ.get("NO_COLOR"))
    console = Console(
        file=stream,
        markup=False,
        highlight=False,
        emoji=False,
        color_system=None if colourless else "auto",
    )
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = PAGE
    return console


@contextmanager
def _page() -> "Iterator[Console]":
    """A console whose lines go to standard output without the spaces that tables end them by."""
    console = _console(sys.stdout)
    with console.capture() as capture:
        yield console
    sys.stdout.write(re.sub(" +$", "", capture.get(), flags=re.MULTILINE))
    sys.stdout.flush()  # a closed pipe is noticed here, not when Python ends


def _laid_out(block: "Block", widths: Sequence[int]) -> "Table":
    table = _table()
    for column in block.columns:
        table.add_column(
            column.header,
            justify="right" if column.right else "left",
            no_wrap=not column.faint,
            style="dim" if column.faint else "",
        )
    columns = (
        [shorten(str(cell), width) for cell in column.cells] if column.label else column.cells
        for column, width in zip(block.columns, widths, strict=True)
    )
    for cells in zip(*columns, strict=True):
        table.add_row(*map(_text, cells))
    return table


def print_list(
    headers: Sequence[str], rows: Iterable[Sequence[str]], right: Iterable[int] = ()
) -> None:
    """Print a list on standard output; the last two columns wrap on a narrow page.

    Parameters
    ----------
    headers
        One a column.
    rows
        Cells, which hold no markup.
    right
        The columns that are aligned to the right.
    """
    table = _table()
    for index, header in enumerate(headers):
        justify: JustifyMethod = "right" if index in right else "left"
        table.add_column(header, justify=justify, no_wrap=index < len(headers) - 2)
    for row in rows:
        table.add_row(*map(_text, row))
    with _page() as console:
        console.print(table)


def _table() -> "Table":
    from rich.table import Table

    return Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="dim")


def _text(cell: "str | Sparkline") -> "Text":
    """A cell; never markup, whatever a task is called."""
    from rich.text import Text

    text = Text(str(cell))
    if not isinstance(cell, str):
        for index, faint in enumerate(cell.faint):
            if faint:
                text.stylize("dim", index, index + 1)
    return text


def _widths(block: "Block", page: int) -> list[int]:
    """The width of each column: where they exceed the page, the widest labels are cut short."""
    widths = [_width(column) for column in block.columns]
    room = page - _GAP * (len(widths) - 1)
    labels = [index for index, column in enumerate(block.columns) if column.label]
    while sum(widths) > room:
        widest = max(labels, key=widths.__getitem__)
        if widths[widest] <= _SMALLEST_LABEL:
            break
        widths[widest] -= 1
    return widths


def _width(column: "Column") -> int:
    """The room that a column needs; flags may wrap, down to their longest word."""
    from rich.cells import cell_len

    texts = [column.header, *map(str, column.cells)]
    if column.faint:
        texts = [word for text in texts for word in text.split()]
    return max(map(cell_len, texts))


# ---- progress ------------------------------------------------------------------------------------


@contextmanager
def progress(
    *, quiet: bool = False, patience: float = 1.0, phases: Sequence[str] = ("fitting",)
) -> Iterator[Callable[[int, int], None] | None]:
    """Show progress on a terminal's standard error after the first second.

    Where standard error is not a terminal, only one line is printed, if functions are compiled.

    Parameters
    ----------
    quiet
        Whether nothing is shown.
    patience
        Seconds before the bar appears.
    phases
        What is going on. Of several, each takes one step, and they repeat.

    Yields
    ------
    callable or None
        Takes the number of steps done and the number of steps in all.
    """
    if quiet:
        yield None
        return
    with on_compilation(_say_compiling):
        if sys.stderr.isatty():
            yield from _bar(patience, phases)
        else:
            yield None


def _say_compiling() -> None:
    """Say why nothing seems to happen."""
    print("compiling: once after an installation, about 15 s", file=sys.stderr, flush=True)


def _bar(patience: float, phases: Sequence[str]) -> Iterator[Callable[[int, int], None]]:
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    console = _console(sys.stderr)
    text = TextColumn("{task.description}")
    columns = (text, BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    bar = Progress(*columns, console=console, transient=True)
    task = bar.add_task(phases[0], total=None)

    def report(done: int, total: int) -> None:
        phase = phases[done % len(phases)]
        bar.update(task, completed=done, total=total, description=phase)

    timer = Timer(patience, bar.start)
    timer.start()
    try:
        yield report
    finally:
        timer.cancel()
        timer.join()
        bar.stop()
