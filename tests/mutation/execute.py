"""Run tests on a mutant, in a fork of a process that has the libraries but not the package."""

import importlib
import importlib.abc
import importlib.util
import os
import signal
import sys
import time
import traceback
from importlib.machinery import ModuleSpec, SourceFileLoader
from typing import Any

import pytest
from hypothesis import Phase, settings

from tests.mutation.modules import LEFT_OUT, PACKAGE, ROOT

LIBRARIES = (
    "numpy", "scipy.stats", "scipy.special", "scipy.optimize", "scipy.integrate", "pandas", "numba",
    "xarray", "arviz_stats", "rich.console", "click", "h5netcdf", "zarr",
)  # fmt: skip
OTHER_COMPILERS = ("jax", "pytensor", "traced", "nuts", "gradient")
CHOSEN = " and ".join(f"not {name}" for name in (*OTHER_COMPILERS, *LEFT_OUT))


class MutatedLoader(SourceFileLoader):
    """Load a module from a text in place of its file, and leave nothing on disk."""

    code: str

    def get_code(self, fullname: str) -> Any:
        return compile(self.code, self.path, "exec", dont_inherit=True)


class MutatedFinder(importlib.abc.MetaPathFinder):
    """Find the mutated module, before anybody finds the real one."""

    def __init__(self, path: str, code: str) -> None:
        self.path, self.code = ROOT / PACKAGE / path, code
        self.name = "upturn." + path.removesuffix(".py").replace("/", ".")

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        if fullname != self.name:
            return None
        loader = MutatedLoader(fullname, str(self.path))
        loader.code = self.code
        return importlib.util.spec_from_file_location(fullname, self.path, loader=loader)

    def pytest_sessionstart(self) -> None:
        """Stand before pytest's own importer, which takes every file that it is asked to test."""
        sys.meta_path.insert(0, self)


def prepare() -> None:
    """Import what takes long, once for all mutants."""
    os.environ["OMP_NUM_THREADS"] = "1"
    for name in LIBRARIES:
        importlib.import_module(name)
    # the same examples every time, no search for the simplest, and nothing kept for later runs
    phases = [Phase.explicit, Phase.generate]
    settings.register_profile("mutation", database=None, derandomize=True, phases=phases)
    settings.load_profile("mutation")
    loaded = [name for name in sys.modules if name.split(".")[0] == "upturn"]
    if loaded:
        raise RuntimeError(f"expected the package not to be loaded, but got {loaded}")


def run(path: str, code: str, tests: tuple[str, ...], patience: float) -> tuple[str, float]:
    """How the tests end for a mutant, `survived`, `killed` or `timeout`, and the seconds taken.

    Parameters
    ----------
    path : str
        Of the module within the package.
    code : str
        The whole module, changed.
    tests : tuple of str
        What pytest is asked for.
    patience : float
        Seconds after which a mutant counts as one that never ends.
    """
    begun = time.perf_counter()
    child = os.fork()
    if child == 0:
        _test(path, code, tests)
    status = _wait(child, begun + patience)
    seconds = time.perf_counter() - begun
    if status is None:
        return "timeout", seconds
    return "survived" if status == 0 else "killed", seconds


def _wait(child: int, until: float) -> int | None:
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status
        if time.perf_counter() > until:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return None
        time.sleep(0.01)


def _test(path: str, code: str, tests: tuple[str, ...]) -> None:
    """In the fork: run the tests and end with their code."""
    os.setpgid(0, 0)
    status = 1
    try:
        if "UPTURN_MUTATION_VERBOSE" not in os.environ:
            silent = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(silent, stream)
        # the libraries were imported before pytest looks at them
        quiet = ["-q", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
        chosen = ["-x", "-m", "not slow", "-k", CHOSEN, *tests, str(PACKAGE / path)]
        status = int(pytest.main([*quiet, *chosen], plugins=[MutatedFinder(path, code)]))
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(status)
