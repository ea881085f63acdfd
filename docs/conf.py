"""The documentation site: `make docs`."""

import re
import sys
from pathlib import Path

import click
from pygments.lexers.special import TextLexer

import upturn
from upturn.cli import main as program

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

project = "upturn"
author = "The upturn authors"
release = upturn.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "numpydoc"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "upturn"
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["tables.css"]
autodoc_member_order = "bysource"
autodoc_typehints = "none"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False


def setup(app):
    """Write the page of the command line, from its own help, before anything is read."""
    app.add_lexer("csv", TextLexer)
    app.connect("source-read", list_the_others)
    app.connect("builder-inited", lambda _: write_command_line(HERE / "generated" / "cli.md"))


def list_the_others(app, name, source):
    """Pages that the index does not name come where it says @others."""
    if name == "index":
        named = set(re.findall(r"^[\w/]+$", source[0], re.MULTILINE))
        others = sorted(page.stem for page in HERE.glob("*.md") if page.stem not in named)
        source[0] = source[0].replace("@others", "\n".join(o for o in others if o != "index"))


def write_command_line(path):
    """One section a command, in the words of its `--help`."""
    path.parent.mkdir(exist_ok=True)
    parts = ["# The command line", _fence("upturn", program)]
    for name, command in sorted(program.commands.items()):
        parts += [f"## upturn {name}", _fence(f"upturn {name}", command)]
    path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def _fence(name, command):
    context = click.Context(
        command,
        info_name=name,
        max_content_width=92,
        terminal_width=92,
        help_option_names=["--help"],
    )
    return f"```text\n{command.get_help(context)}\n```"
