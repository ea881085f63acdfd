"""How a table was read: arguments that a saved answer keeps, so that it can be made again."""

import inspect
import os
from collections.abc import Callable, Mapping
from typing import Any


def arguments_of(function: Callable[..., Any], **given: Any) -> dict[str, Any]:
    """The arguments of a call that are not the defaults, as JSON can hold them."""
    asked: dict[str, Any] = {}
    for name, value in given.items():
        if isinstance(value, (str, bool)):
            asked[name] = value
        elif isinstance(value, os.PathLike):
            asked[name] = os.fspath(value)
        elif isinstance(value, tuple):
            asked[name] = list(value)
        elif isinstance(value, Mapping):
            asked[name] = {str(key): str(text) for key, text in value.items()}
    usual = inspect.signature(function).parameters
    return {n: value for n, value in asked.items() if value and value != usual[n].default}
