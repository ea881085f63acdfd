"""Made: the command that remakes a report, its versions, seed and model."""

import platform
import shlex
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from upturn.report.markup import text

if TYPE_CHECKING:
    from upturn.report import Report

LIBRARIES = ("numpy", "scipy", "numba", "pandas", "xarray", "arviz-stats")


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


def made_of(report: "Report") -> str:
    """Command, settings, versions and the model's file, as HTML."""
    meta = report.fit.meta
    held = meta.get("versions", {})
    versions = {
        "upturn": meta["version"],
        "Python": platform.python_version(),
        **{name: held.get(name) or version(name) for name in LIBRARIES},
    }
    found = report.classification
    models = ", ".join(model.name for model in found.models) if found else "none"
    facts = {
        "seed": meta["seed"],
        "table": meta["arguments"].get("table") or "given as arrays",
        "likelihood": meta["arguments"]["likelihood"],
        "draws": f"{meta['arguments']['draws']:,} of each curve",
        "shapes averaged over": models,
        "versions": ", ".join(f"{name} {number}" for name, number in versions.items()),
    }
    listed = "".join(
        f"<dt>{text(name)}</dt><dd>{text(value)}</dd>" for name, value in facts.items()
    )
    lines = "\n".join(text(line) for line in str(meta["model"]).splitlines())
    return (
        f"<p>The same file again:</p><pre><code>{text(report.command)}</code></pre>"
        f"<dl>{listed}</dl>"
        f"<details><summary>The model, with every prior</summary><pre><code>{lines}</code></pre>"
        "</details><h3>References</h3><ul class='plain'>"
        "<li>What emergence is: Wei et al. 2022, “Emergent Abilities of Large Language Models”, "
        "section 2. arXiv:2206.07682</li>"
        "<li>Ranges of the scores: Wilson 1927, “Probable inference, the law of succession, and "
        "statistical inference”.</li>"
        "<li>k̂: Vehtari, Simpson, Gelman, Yao &amp; Gabry 2024, “Pareto smoothed importance "
        "sampling”. R̂: Vehtari et al. 2021, “Rank-normalization, folding, and localization”.</li>"
        "</ul>"
    )
