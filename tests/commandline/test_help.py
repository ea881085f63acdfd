"""The help: every option described, an example for every command, and the examples run."""

import shlex
import shutil
from pathlib import Path

import click
import pytest

import upturn
from tests.support.answers import WRITTEN
from tests.support.commands import run
from tests.support.pools import pool_of
from upturn import cli
from upturn.checks.names import SCATTERS
from upturn.commandline import options
from upturn.commandline.edge import SECTIONS
from upturn.formulas.likelihoods.registry import BY_KIND, LIKELIHOODS
from upturn.model import Model
from upturn.sampling.nuts.sample import SAMPLERS as NUTS

COMMANDS = sorted(cli.main.commands)


def examples(*name):
    lines = run(*name, "--help").stdout.partition("Example:\n")[2].splitlines()
    return [line.strip() for line in lines]


@pytest.mark.parametrize("name", COMMANDS)
def test_help_ends_with_an_example(name):
    assert examples(name)[-1].startswith(f"upturn {name}")


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_the_example_runs(name, folder, monkeypatch):
    if name == "pool":  # takes minutes; tests/test_pool.py samples
        monkeypatch.setattr(upturn, "pool", lambda *_, **__: pool_of())
    shutil.copytree(WRITTEN / "lm_eval", folder / "results")  # what a user has beside the example
    (folder / "models.csv").write_text("model,params\ntoy/size-2b,2e9\n")
    for line in examples(name):
        command, _, target = line.partition(" > ")
        result = run(*shlex.split(command)[1:])
        assert result.exit_code == 0, result.output
        assert bool(result.stdout) != line.startswith(
            ("upturn datasets", "upturn plot", "upturn convert", "upturn simulate", "upturn facts")
        )
        if target:
            Path(target).write_text(result.stdout, encoding="utf-8")
            assert Model.read(target).name == "hinge"


@pytest.mark.slow
def test_the_example_of_the_group_runs():
    (line,) = examples()
    assert run(*shlex.split(line)[1:]).exit_code == 0


def test_version():
    assert run("--version").stdout == f"upturn, version {upturn.__version__}\n"


def test_short_help_is_whole():
    text = run("--help").stdout
    sections = [text.partition(f"{name}:\n")[2].partition("\n\n")[0] for name in SECTIONS]
    lines = [line for section in sections for line in section.splitlines()]
    assert sorted(line.split()[0] for line in lines) == COMMANDS
    assert all(line.endswith((".", "?")) and not line.endswith("...") for line in lines)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_described(name):
    for option in cli.main.commands[name].params:
        if isinstance(option, click.Option):
            assert option.help or option.show_default, option.name


def test_choices_are_those_of_the_library():
    assert list(options.LIKELIHOODS) == [*BY_KIND, *LIKELIHOODS]
    assert options.SCATTERS == SCATTERS
    assert options.NUTS == NUTS
