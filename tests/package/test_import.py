"""Importing the package and asking for help stay light; every public name is there."""

import subprocess
import sys
from importlib.util import find_spec
from pkgutil import iter_modules
from types import ModuleType

import pytest

import upturn

HEAVY = ("pandas", "pymc", "pytensor", "jax", "matplotlib", "arviz", "xarray", "scipy", "numba")


def run(code):
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )


def loaded(code, modules):
    """Return which of the modules are loaded in a new interpreter after the code has run."""
    done = run(f"import sys\n{code}\nprint(*[m for m in {modules!r} if m in sys.modules])")
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1].split()


def test_import_loads_nothing_heavy():
    assert loaded("import upturn", (*HEAVY, "numpy", "click", "rich")) == []


def test_a_fit_that_is_printed_loads_little():
    code = (
        "import upturn\n"
        "upturn.fit('gpt3', metric='acc', axis='params', draws=40).summary().to_string()"
    )
    assert loaded(code, ("scipy.stats", "scipy.interpolate", "xarray", "dask", "h5py")) == []


def test_fits_load_neither_pymc_nor_jax():
    code = (
        "import upturn, upturn.questions.fit.fit, upturn.questions.pool.pool\n"
        "upturn.fit('gpt3', metric='acc', axis='params', draws=40)"
    )
    # ArviZ registers an installed JAX to be loaded at first use, and SciPy then uses it to ask for
    # its type of array; what of ours loads JAX is the accelerator
    ours = ("upturn.sampling.jax.engine", *(() if find_spec("jax") else ("jax",)))
    assert loaded(code, ("pymc", "pytensor", "nutpie", *ours)) == []


@pytest.mark.parametrize("arguments", [["--help"], ["fit", "--help"]])
def test_help_loads_nothing_heavy(arguments):
    code = (
        "from upturn.cli import main\n"
        f"try: main({arguments!r}, prog_name='upturn')\n"
        "except SystemExit as stop: assert not stop.code"
    )
    assert loaded(code, HEAVY) == []


def test_the_check_sees_what_is_loaded():
    assert loaded("import pandas", ("pandas", "pymc")) == ["pandas"]


@pytest.mark.parametrize("name", upturn.__all__)
def test_every_public_name_resolves(name):
    assert getattr(upturn, name) is not None
    assert name in dir(upturn)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="No upturn attribute fitt"):
        upturn.fitt  # noqa: B018


def test_no_module_has_the_name_of_a_public_function():
    """Importing such a module would put it in the function's place."""
    modules = {module.name for module in iter_modules(upturn.__path__)}
    assert {"checks", "questions"} <= modules
    public = {name: getattr(upturn, name) for name in modules & set(upturn.__all__)}
    assert not [name for name, value in public.items() if not isinstance(value, ModuleType)]
