"""`python -m benchmarks`: every benchmark declares options that it takes."""

import argparse
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:  # `python -m pytest` puts it there, `pytest` does not
    sys.path.insert(0, str(ROOT))

from benchmarks import __main__ as command


@pytest.mark.parametrize("name", command.BENCHMARKS)
def test_its_options_are_its_parameters(name):
    benchmark = command.load(name)
    parser = argparse.ArgumentParser()
    benchmark.add_arguments(parser)
    options = {action.dest for action in parser._actions} - {"help"}
    work = getattr(benchmark, "main", None) or benchmark.run
    parameters = inspect.signature(work).parameters
    assert options <= set(parameters)
    needed = {key for key, value in parameters.items() if value.default is value.empty}
    assert needed <= options
    assert hasattr(benchmark, "main") or callable(benchmark.table)
    assert benchmark.__doc__


@pytest.mark.parametrize("chosen", [command.QUICK, command.FULL])
def test_the_suite_gives_options_that_there_are(chosen):
    for name, options in chosen.items():
        assert set(options) <= set(inspect.signature(command.load(name).run).parameters)


def test_options_reach_the_benchmark(monkeypatch):
    given = {}
    monkeypatch.setattr(command.load("render"), "main", lambda **options: given.update(options))
    command.main(["render", "a.json", "b.json", "--folder", "pages"])
    assert given == {"results": (Path("a.json"), Path("b.json")), "folder": Path("pages")}


def test_an_unknown_name_is_refused(capsys):
    with pytest.raises(SystemExit) as stopped:
        command.main(["sped"])
    assert stopped.value.code == 2
    assert "invalid choice: 'sped'" in capsys.readouterr().err


def test_nothing_is_loaded_before_it_is_asked_for():
    code = "import sys, benchmarks.__main__; print('numpy' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"
