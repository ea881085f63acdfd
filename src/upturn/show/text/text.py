"""Names as a terminal may show them: one line, no control characters, no wider than the room."""

import unicodedata

# Format characters that are kept: emoji and the Persian, Urdu and Indic scripts are spelt by them.
_JOINERS = "\u200c\u200d"
_UNSAFE = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def one_line(text: str) -> str:
    r"""The text with line breaks, escape sequences and invisible characters escaped.

    Examples
    --------
    >>> print(one_line("red\x1b[31m\nnext"))
    red\x1b[31m\nnext
    """
    return "".join(_written_out(char) if _is_unsafe(char) else char for char in text)


def _is_unsafe(char: str) -> bool:
    return unicodedata.category(char) in _UNSAFE and char not in _JOINERS


def _written_out(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def shorten(text: str, width: int) -> str:
    """The text, shortened in the middle to a number of terminal cells.

    The middle, because names that are alike mostly differ at an end.

    Examples
    --------
    >>> shorten("bigbench_elementary_math_qa", 15)
    'bigbenc…math_qa'
    """
    from rich.cells import cell_len

    if cell_len(text) <= width:
        return text
    room = max(width - 1, 0)
    head = _fitting(text, room - room // 2)
    tail = _fitting(text[::-1], room - cell_len(head))[::-1]
    return f"{head}…{tail}"


def _fitting(text: str, width: int) -> str:
    """As many characters from the start as fill at most so many cells."""
    from rich.cells import cell_len

    used = 0
    for index, char in enumerate(text):
        used += cell_len(char)
        if used > width:
            return text[:index]
    return text
