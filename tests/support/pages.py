"""Examples of pages, run."""

import re
import shlex

from click.testing import CliRunner

from upturn import cli

BLOCK = re.compile(r"```(console|python)\n(.*?)```", re.DOTALL)


def output(line):
    program, *arguments = shlex.split(line.removeprefix("$ "))
    assert program == "upturn"
    result = CliRunner().invoke(cli.main, arguments, prog_name=program)
    assert result.exit_code == 0, result.output
    return result.output
