"""What is imported is declared, by the package and by its tests."""

import ast
import re
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OWN = {"upturn", "tests", "benchmarks"}


def imported(folder):
    """Names of the packages that the modules of a folder import."""
    names = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names.add(node.module)
    return {name.partition(".")[0] for name in names} - sys.stdlib_module_names - OWN


def plain(requirement):
    return re.split(r"[^\w.-]", requirement, maxsplit=1)[0].lower().replace("_", "-")


@cache
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def declared(*extras):
    optional = project()["optional-dependencies"]
    chosen = [*project()["dependencies"], *(r for extra in extras for r in optional[extra])]
    return {plain(requirement) for requirement in chosen}


@pytest.mark.parametrize(
    ("folder", "extras"),
    [
        ("src/upturn", ("parquet", "nuts", "jax", "distributed")),
        ("tests", ("parquet", "nuts", "jax", "distributed", "dev", "bench", "mutants")),
        ("benchmarks", ("parquet", "nuts", "jax", "distributed", "dev", "bench")),
    ],
)
def test_every_import_is_declared(folder, extras):
    places = packages_distributions()
    missing = {
        name
        for name in imported(ROOT / folder)
        if not {plain(d) for d in places.get(name, [name])} & declared(*extras)
    }
    assert not missing


def test_every_dependency_has_a_lower_bound():
    optional = project()["optional-dependencies"].values()
    requirements = [*project()["dependencies"], *(r for some in optional for r in some)]
    assert not [r for r in requirements if ">=" not in r and not r.startswith("upturn[")]
