"""The README shows what really happens.

``UPTURN_README=write pytest tests/test_readme.py`` puts today's output in its place.
"""

import doctest
import os
import re
from pathlib import Path

import pytest

from tests.support.pages import BLOCK, output

README = Path(__file__).parents[2] / "README.md"


pytestmark = pytest.mark.usefixtures("folder")


@pytest.mark.slow
def test_readme():
    text = README.read_text(encoding="utf-8")
    today = BLOCK.sub(lambda block: f"```{block[1]}\n{RUN[block[1]](block[2])}```", text)
    if os.environ.get("UPTURN_README") == "write":
        README.write_text(today, encoding="utf-8")
        text = today
    assert shape(text) == shape(today)
    assert len(text.splitlines()) <= 80


def shape(text):
    """The words of a text, without the digits, in which machines may differ."""
    return re.sub(r"[\d.]+(e\d+)?", "0", text).split()


def session(block):
    """A block of commands, each followed by its output."""
    commands = [line for line in block.splitlines() if line.startswith("$ ")]
    return "".join(f"{line}\n{output(line)}" for line in commands)


def python(block):
    """A block of Python examples, each followed by what it evaluates to."""
    found, names = [], {}
    for example in doctest.DocTestParser().get_examples(block):
        source = example.source.rstrip("\n")
        found += [f">>> {source}\n"]
        try:
            value = eval(source, names)
        except SyntaxError:
            exec(source, names)
            continue
        found += [f"{value!r}\n"] if value is not None else []
    return re.sub(" +$", "", "".join(found), flags=re.MULTILINE)


RUN = {"console": session, "python": python}
