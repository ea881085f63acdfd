"""Commands run in this process."""

import os

from click.testing import CliRunner

from upturn import cli

HEADER = "task,model,score,trials,flops,params\n"


def run(*arguments, **options):
    return CliRunner().invoke(cli.main, [str(a) for a in arguments], prog_name="upturn", **options)


def refused(*arguments, **options):
    """The one line that bad input is answered with."""
    before = sorted(os.listdir())
    result = run(*arguments, **options)
    assert isinstance(result.exception, SystemExit), result.exception
    assert (result.exit_code, result.stdout) == (2, "")
    assert sorted(os.listdir()) == before
    *usage, line = result.stderr.splitlines()
    assert not usage or usage[0].startswith("Usage: upturn ")
    assert line.startswith("Error: ")
    return line
