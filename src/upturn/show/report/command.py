"""The command that makes a report again."""

import inspect
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from upturn.questions.fit.fit import fit

REPEATED = ("where", "metric", "axis", "priors")
SINGULAR = {"priors": "prior", "columns": "column", "units": "unit"}  # parameter: option


def command_of(
    meta: Mapping[str, Any],
    *,
    output: str,
    chosen: Mapping[str, Any],
    usual: Mapping[str, Any],
) -> str:
    """The command line that makes the same report.

    Options are derived from the parameters of `upturn.read` and `upturn.fit`: an option is named
    like the parameter, and left out where its value is the default.

    Parameters
    ----------
    meta
        Of the fit: its seed, the arguments it was called with, and how its table was read.
    output
        The file of the report.
    chosen, usual
        Parameters of the report itself, and their defaults.

    Examples
    --------
    >>> asked = {"table": "gpt3", "where": ["setting=few-shot"], "axis": ["flops"]}
    >>> command_of({"arguments": asked, "seed": 3}, output="a b.html", chosen={}, usual={})
    "upturn report gpt3 --where setting=few-shot --axis flops --seed 3 -o 'a b.html'"
    """
    asked = meta["arguments"]
    words = ["upturn", "report", asked.get("table") or "TABLE"]
    for name in REPEATED:
        words += _option(name, asked.get(name, ()))
    for name, value in asked.get("reading", {}).items():
        words += _option(name, value)
    words += _options(asked, _defaults())
    words += ["--seed", str(meta["seed"])]
    words += _options(chosen, usual)
    return shlex.join([*words, "-o", output])


def _defaults() -> dict[str, Any]:
    """The defaults of `upturn.fit`, but for what is given more than once or always."""
    parameters = inspect.signature(fit).parameters.values()
    return {p.name: p.default for p in parameters if p.name not in {*REPEATED, "seed"}}


def _option(name: str, value: Any) -> list[str]:
    """An option with its value: a flag alone, or repeated for each of several values.

    Examples
    --------
    >>> _option("wide", True), _option("units", {"size": "B"})
    (['--wide'], ['--unit', 'size=B'])
    """
    option = f"--{SINGULAR.get(name, name).replace('_', '-')}"
    if value is True:
        return [option]
    if isinstance(value, Mapping):
        value = [f"{key}={text}" for key, text in value.items()]
    several = [value] if isinstance(value, (str, int, float)) else value
    return [word for item in several for word in (option, str(item))]


def _options(given: Mapping[str, Any], usual: Mapping[str, Any]) -> Iterator[str]:
    """The options whose value is not the default."""
    for name, default in usual.items():
        value = given.get(name, default)
        # "auto" is what a likelihood that is left out becomes
        if value != default and not (default is None and value == "auto"):
            yield from _option(name, value)
