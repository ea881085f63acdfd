"""Markup: text and tables as HTML."""

import html
from collections.abc import Iterable, Sequence

from upturn.show.text.text import one_line


def text(value: object) -> str:
    """A text as HTML shows it unchanged, on one line."""
    return html.escape(one_line(str(value)), quote=True)


def table_of(headers: Sequence[str], rows: Iterable[Sequence[str]], numbers: Iterable[int]) -> str:
    """A table of cells that are HTML already; numbers are the columns aligned to the right."""
    right = set(numbers)
    cls = [' class="n"' if i in right else "" for i in range(len(headers))]
    head = "".join(f'<th scope="col"{c}>{h}</th>' for c, h in zip(cls, headers, strict=True))
    body = "".join(
        f"<tr>{''.join(f'<td{c}>{v}</td>' for c, v in zip(cls, row, strict=True))}</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
