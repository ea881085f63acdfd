"""The documentation runs: every command and example of the tutorial and of the how-to pages.

A block of CSV or TOML is saved under the name that the text before it gives; commands end well;
examples evaluate to what the page shows. `make docs` builds the site, and is tried where Sphinx is.
"""

import doctest
import re
from pathlib import Path

import pytest

from tests.support.pages import BLOCK, output
from upturn.formulas.segments import KINDS

DOCS = Path(__file__).parents[2] / "docs"
FILE = re.compile(r"`([\w.]+\.(?:csv|toml))`:\n\n```(?:csv|toml)\n(.*?)```", re.DOTALL)


pytestmark = pytest.mark.usefixtures("folder")


def written(text):
    """Save the files of a page; their names."""
    found = FILE.findall(text)
    for name, content in found:
        Path(name).write_text(content, encoding="utf-8")
    return [name for name, _ in found]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("page", "files", "commands"),
    [("tutorial.md", ["results.csv"], 4), ("extending.md", ["late.toml", "wide.csv"], 1)],
)
def test_the_examples_of_a_page_run(page, files, commands):
    before = dict(KINDS)
    text = (DOCS / page).read_text("utf-8")
    assert written(text) == files
    found = BLOCK.findall(text)
    lines = [line for kind, block in found if kind == "console" for line in block.splitlines()]
    assert len(lines) == commands
    for line in lines:
        output(line)
    examples = "".join(block for kind, block in found if kind == "python")
    assert ">>> " in examples
    test = doctest.DocTestParser().get_doctest(examples, {"__name__": page}, page, page, 0)
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE, verbose=False)
    told = []
    try:
        assert runner.run(test, out=told.append).failed == 0, "".join(told)
    finally:
        KINDS.clear()
        KINDS.update(before)


def test_pages_show_pictures_that_are_made():
    """By `make docs`, or, where that takes too long, kept beside the command that made them."""
    pages = {page: page.read_text("utf-8") for page in DOCS.glob("*.md")}
    made = (DOCS / "pictures.py").read_text("utf-8")
    shown = {
        (name, page)
        for page, text in pages.items()
        for name in re.findall(r"!\[.*?\]\((.*?)\)", text)
    }
    assert shown
    for name, page in shown:
        if "/" not in name:
            assert (DOCS / name).is_file()
            command = rf"(.* --figure docs/{name}\n|render |(.*\.)?(paper|plan)\n)"
            assert re.search(rf"python -m benchmarks[. ]{command}", pages[page])
            continue
        folder, _, stem = name.removesuffix(".svg").rpartition("/")
        assert folder == "generated"
        assert f'"{stem}"' in made


def test_every_page_links_to_what_is_there():
    for page in [*DOCS.glob("*.md"), *DOCS.glob("experiments/*.md")]:
        for target in re.findall(r"\]\(([\w./-]+\.md)", page.read_text("utf-8")):
            made = target.startswith("generated/")
            assert made or (page.parent / target).is_file(), (page, target)


def test_decisions_are_short_and_their_experiments_are_listed():
    assert len((DOCS / "decisions.md").read_text("utf-8").splitlines()) <= 200
    listed = (DOCS / "experiments" / "index.md").read_text("utf-8").split()
    for page in DOCS.glob("experiments/*.md"):
        assert page.stem in {"index", *listed}
