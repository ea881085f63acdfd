"""What holds for the tests themselves."""

import ast
from pathlib import Path

TESTS = Path(__file__).parents[1]
MODULES = sorted(TESTS.rglob("test_*.py"))


def imported(source):
    """The modules that a source imports, with the names taken from each."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def others(source):
    return [
        name
        for name in imported(source)
        if any(part.startswith("test_") for part in name.split(".")) and name.startswith("tests.")
    ]


def test_no_test_module_imports_another():
    """What several of them need is in tests/support, or a fixture of a conftest.py."""
    found = {str(path.relative_to(TESTS)): others(path.read_text("utf-8")) for path in MODULES}
    assert len(found) > 100
    assert {path: names for path, names in found.items() if names} == {}


def test_an_import_of_a_test_module_is_seen():
    assert others("from tests.model.test_model import U") == ["tests.model.test_model.U"]
    assert others("def f():\n    from tests.model import test_model") == ["tests.model.test_model"]
