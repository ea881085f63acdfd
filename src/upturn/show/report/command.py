"""The command that makes a report again."""

import inspect
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from upturn.questions.fit.fit import fit

REPEATED = {"where": "where", "metric": "metric", "axis": "axis", "priors": "prior"}


def command_of(
    meta: Mapping[str, Any],
    *,
    output: str,
    chosen: Mapping[str, Any],
    usual: Mapping[str, Any],
) -> str:
    """The command line that makes the same report.

    Options are derived from the parameters of `upturn.fit`: an option is named like the parameter,
    and left out where its value is the default.

    Parameters
    ----------
    meta
        Of the fit: its seed, and the arguments it was called with.
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
    for name, option in REPEATED.items():
        for value in _values(asked.get(name, ())):
            words += [f"--{option}", value]
    words += _options(asked, _defaults())
    words += ["--seed", str(meta["seed"])]
    words += _options(chosen, usual)
    return shlex.join([*words, "-o", output])


def _defaults() -> dict[str, Any]:
    """The defaults of `upturn.fit`, but for what is given more than once or always."""
    parameters = inspect.signature(fit).parameters.values()
    return {p.name: p.default for p in parameters if p.name not in {*REPEATED, "seed"}}


def _values(given: Any) -> list[str]:
    if isinstance(given, Mapping):
        return [f"{name}={value}" for name, value in given.items()]
    return [str(value) for value in given]


def _options(given: Mapping[str, Any], usual: Mapping[str, Any]) -> Iterator[str]:
    """The options whose value is not the default."""
    for name, default in usual.items():
        value = given.get(name, default)
        # "auto" is what a likelihood that is left out becomes
        if value != default and not (default is None and value == "auto"):
            yield from (f"--{name.replace('_', '-')}", str(value))
