"""The documentation of every public function is complete: types, returns, errors, an example."""

import inspect
import re

import pytest

import upturn
from upturn import plots

FUNCTIONS = {name: getattr(upturn, name) for name in upturn.__all__} | {
    f"plots.{name}": getattr(plots, name) for name in plots.__all__ if name.startswith("plot")
}
FUNCTIONS = {name: value for name, value in FUNCTIONS.items() if inspect.isfunction(value)}
CLASSES = {name: getattr(upturn, name) for name in upturn.__all__}
CLASSES = {name: value for name, value in CLASSES.items() if isinstance(value, type)}
REFUSES = re.compile(r"\braise \w|\bcheck_\w+\(|\bknown\(|\bwhole\(|\bchosen\(")


def section(text, title):
    """The lines below a heading of a numpydoc docstring."""
    match = re.search(rf"^{title}\n-+\n(.*?)(?=^\w[\w ]*\n-+\n|\Z)", text, re.DOTALL | re.MULTILINE)
    return match[1] if match else ""


def typed(text):
    """The documented names that have a type and a description or a type that says enough."""
    entries = re.findall(r"^(\*{0,2}\w+(?:, \*{0,2}\w+)*) : (\S.*)$", text, re.MULTILINE)
    return {name.lstrip("*") for names, _ in entries for name in names.split(", ")}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_has_types_returns_errors_and_an_example(name):
    function = FUNCTIONS[name]
    text = inspect.getdoc(function)
    parameters = set(inspect.signature(function).parameters)
    assert parameters - typed(section(text, "Parameters")) == set()
    assert section(text, "Returns")
    if REFUSES.search(inspect.getsource(function)):
        assert "DataError" in section(text, "Raises")
    if not name.startswith("plots."):
        assert ">>> " in section(text, "Examples")
        assert re.search(r">>> import .*\bupturn\b", section(text, "Examples"))


@pytest.mark.parametrize("name", CLASSES)
def test_every_public_method_is_described(name):
    for attribute, value in vars(CLASSES[name]).items():
        if not attribute.startswith("_") and callable(getattr(CLASSES[name], attribute)):
            assert inspect.getdoc(getattr(value, "__func__", value)), attribute


def test_a_missing_type_is_noticed():
    assert typed("axis\n    Of scale.\ndraws, seed : int\n**how : dict\n") == {
        "draws", "seed", "how",
    }  # fmt: skip
