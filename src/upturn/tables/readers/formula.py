"""Text cells that a spreadsheet would take for a formula, and back.

A spreadsheet runs a cell that begins with one of these characters: "CSV injection" (OWASP). With an
apostrophe before it the cell is text. What is written by `protected` is what `plain` gives back,
whatever the text.
"""

import re

# The last four are the full-width forms that some spreadsheets read as the first four.
_STARTS = "=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20"
_FORMULA = re.compile(rf"'*[{_STARTS}]")
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")


def protected(text: str) -> str:
    """The text with an apostrophe before it where it would act; numbers stay as they are.

    Examples
    --------
    >>> protected("=1+1"), protected("-0.5"), protected("few-shot")
    ("'=1+1", '-0.5', 'few-shot')
    """
    if _FORMULA.match(text) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text


def plain(text: str) -> str:
    """The text that `protected` was given.

    Examples
    --------
    >>> plain("'=1+1"), plain("'tis")
    ('=1+1', "'tis")
    """
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text
