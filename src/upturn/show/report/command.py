"""The command that makes a report again."""

import shlex
from typing import Any


def command_of(meta: dict[str, Any], *, ci: float, shapes: str, output: str) -> str:
    """The command line that makes the same report, from what a fit was asked.

    Examples
    --------
    >>> asked = {"table": "gpt3", "where": ["setting=few-shot"], "axis": ["flops"]}
    >>> command_of({"arguments": asked, "seed": 3}, ci=0.9, shapes="lean", output="a b.html")
    "upturn report gpt3 --where setting=few-shot --axis flops --seed 3 -o 'a b.html'"
    """
    asked = meta["arguments"]
    words = ["upturn", "report", asked.get("table") or "TABLE"]
    for option, values in (
        ("--where", asked.get("where", ())),
        ("--metric", asked.get("metric", ())),
        ("--axis", asked.get("axis", ())),
        ("--prior", [f"{name}={prior}" for name, prior in asked.get("priors", {}).items()]),
    ):
        for value in values:
            words += [option, value]
    for name, usual in (
        ("by", None),
        ("scatter", "auto"),
        ("model", "hinge"),
        ("delta", 0.1),
        ("draws", 4000),
    ):
        value = asked.get(name, usual)
        if value != usual:
            words += [f"--{name}", str(value)]
    words += ["--seed", str(meta["seed"])]
    if ci != 0.9:
        words += ["--ci", f"{ci:g}"]
    if shapes != "lean":
        words += ["--shapes", shapes]
    return shlex.join([*words, "-o", output])
